/*
 * Merges the logs of tail.  In a follow, the follow's own readers find frames,
 * and a second reader of each log fetches them when they may go out.
 */
#include "tail_merge.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "merge.h"

#include <errno.h>

/* How many frames are printed between two looks at the time. */
#define LOOK_FRAMES 256u
/* How long frames that still wait are printed once the time is out. */
#define LAST_FRAMES_NS 200000000

bool tail_merge_add(struct tail *tail, struct tail_log *log,
                    struct cli_followed *followed)
{
	log->followed = followed;
	log->source = cli_merge_add(tail->merge, log);
	return log->source != NULL;
}

/* The log is about to be closed, and its readers must be before. */
static void close_reader(void *context)
{
	struct tail_log *log = context;
	struct cli_scan *scan = cli_merge_scan(log->source);

	shmlog_reader_close(scan->reader);
	scan->reader = NULL;
	log->reader = NULL;
}

void tail_merge_drop(struct tail *tail, struct tail_log *log)
{
	log->followed->named.closing = NULL;
	close_reader(log);
	cli_merge_remove(tail->merge, log->source);
}

bool tail_merge_open(struct tail *tail, struct tail_log *log)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED};
	struct cli_scan *scan = cli_merge_scan(log->source);
	int status = shmlog_reader_open(log->log, &options, &scan->reader);

	if (status != 0) {
		scan->reader = NULL;
		tail_note_status(tail,
		                 cli_fail(log->path, "cannot read", status));
		return false;
	}
	log->reader = scan->reader;
	log->followed->named.closing = close_reader;
	log->followed->named.context = log;
	return true;
}

void tail_merge_begin(struct tail *tail, struct tail_log *log)
{
	struct shmlog_reader *finder = log->followed->named.now.reader;
	int status;

	if (log->followed->finished) {
		cli_merge_end(tail->merge, log->source, 0);
		return;
	}
	/* What is there already need not be found. */
	status = shmlog_reader_seek_end(finder);
	cli_merge_begin(tail->merge, log->source);
	if (status == 0)
		cli_merge_offer(tail->merge, log->source,
		                shmlog_reader_cursor(finder));
	else
		tail_merge_end(tail, log, status);
	cli_follow_hold(&tail->follow, log->followed, true);
}

void tail_merge_take(struct tail *tail, struct tail_log *log,
                     const struct cli_batch *batch)
{
	cli_merge_offer(tail->merge, log->source,
	                batch->frames[batch->count - 1].next_cursor);
	cli_follow_hold(&tail->follow, log->followed, true);
	cli_follow_touch(&tail->follow);
	tail_merge_print(tail, false);
}

void tail_merge_end(struct tail *tail, struct tail_log *log, int status)
{
	cli_merge_end(tail->merge, log->source, status);
	cli_follow_finish(&tail->follow, log->followed);
}

/* ------------------------------------------------------- without a follow */

void tail_merge_scan(struct tail *tail, struct tail_log *log)
{
	struct cli_scan *scan;
	int result = 0;

	log->source = cli_merge_add(tail->merge, log);
	if (log->source == NULL) {
		tail_note_status(tail,
		                 cli_fail(log->path, "cannot read", -ENOMEM));
		return;
	}
	scan = cli_merge_scan(log->source);
	int status = cli_scan_open(scan, log->path);

	tail_note_status(tail, status);
	if (status == CLI_OK) {
		log->log = scan->log;
		log->reader = scan->reader;
		if (tail_begin_log(tail, log, false, false)) {
			result = shmlog_reader_committed_size(scan->reader,
			                                      &scan->end);
			cli_merge_end(tail->merge, log->source, result);
			return;
		}
	}
	cli_merge_remove(tail->merge, log->source);
	log->source = NULL;
}

/* --------------------------------------------------------------- printing */

/* Whether the time of a follow is out, and frames were printed long enough
 * since. */
static bool is_out_of_time(const struct tail *tail, uint64_t printed,
                           int64_t until_ns)
{
	if (!tail->options.follow || printed % LOOK_FRAMES != 0 ||
	    !cli_ends_is_timed_out(&tail->follow.ends))
		return false;
	return cli_now_ns() >= until_ns;
}

static void fail_log(struct tail *tail, struct tail_log *log, int status)
{
	tail_stop_log(tail, log, status);
	if (log->followed != NULL)
		cli_follow_finish(&tail->follow, log->followed);
}

/* Lets the follow close logs of which all frames have gone out. */
static void let_go(struct tail *tail)
{
	for (size_t i = 0; i < tail->keeper.log_count; i++) {
		struct tail_log *log = tail->keeper.logs[i];

		if (log->followed != NULL)
			cli_follow_hold(&tail->follow, log->followed,
			                cli_merge_has_frames(log->source));
	}
}

static void print_frame(struct tail *tail, const struct cli_merged *merged)
{
	struct tail_log *log = merged->user;

	cli_printer_set_late(&tail->printer, merged->late);
	if (!tail_print(tail, log, merged->frame, 1)) {
		cli_merge_stop(tail->merge);
		if (log->followed != NULL)
			cli_follow_finish(&tail->follow, log->followed);
	}
	cli_printer_set_late(&tail->printer, false);
}

void tail_merge_print(struct tail *tail, bool all)
{
	int64_t until_ns = all ? cli_now_ns() + LAST_FRAMES_NS : INT64_MIN;
	enum cli_merge_news news = CLI_MERGE_FRAME;
	struct cli_merged merged;

	for (uint64_t printed = 0;
	     news != CLI_MERGE_NOTHING && news != CLI_MERGE_NO_MEMORY &&
	     tail_is_wanted(tail) && !is_out_of_time(tail, printed, until_ns);
	     printed++) {
		news = cli_merge_next(tail->merge, all, &merged);
		if (news == CLI_MERGE_FRAME)
			print_frame(tail, &merged);
		else if (news == CLI_MERGE_FAILED)
			fail_log(tail, merged.user, merged.status);
	}
	if (news == CLI_MERGE_NO_MEMORY) {
		tail_note_status(tail, cli_fail(NULL, "cannot merge", -ENOMEM));
		tail->refused = true;
	}
	let_go(tail);
}
