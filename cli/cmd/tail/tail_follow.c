/* Prints what a follow hands out, and says what becomes of its logs. */
#include "tail_follow.h"

#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "signals.h"
#include "tail_merge.h"
#include "tail_state.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

/* The system lets a sleep last up to 50 us longer, lest it wake up often; but
 * each poll that is so late is one that could be later by as much. */
static void end_sleeps_in_time(void)
{
#ifdef PR_SET_TIMERSLACK
	(void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
#endif
}

/* Each log that is opened must not be what is printed to.  An append to it that
 * is fed by this follow would have no end: the mark lets it see that. */
static int check_opened(void *context, const char *path, struct shmlog *log)
{
	int status = cli_check_output(path, log);

	(void)context;
	if (status == CLI_OK)
		(void)shmlog_mark_output(log, STDOUT_FILENO);
	return status;
}

static void add_log(struct tail *tail, struct cli_followed *followed)
{
	followed->user = keeper_add(&tail->keeper, followed->named.path);
	followed->named.opened = check_opened;
	followed->named.waits = tail->options.retry;
	if (followed->user != NULL && followed->named.mode == CLI_FOLLOW_NAME)
		followed->named.first = keeper_find_rotated(&tail->keeper,
		                                            followed->user);
	if (followed->user != NULL &&
	    (tail->merge == NULL ||
	     tail_merge_add(tail, followed->user, followed)))
		return;
	tail->refused = true;
	tail_note_status(tail, cli_fail(NULL, "cannot start", -ENOMEM));
}

/* A log that a pattern had found is gone. */
static void drop_log(struct tail *tail, struct tail_log *log)
{
	cli_printer_forget_log(&tail->printer, log->path);
	if (tail->merge != NULL)
		tail_merge_drop(tail, log);
	keeper_drop(&tail->keeper, log);
}

/* A log was opened: goes to where reading begins. */
static void begin_log(struct tail *tail, struct cli_followed *followed,
                      bool reopened)
{
	struct tail_log *log = followed->user;

	log->log = followed->named.now.log;
	log->reader = followed->named.now.reader;
	followed->finished = (tail->merge != NULL &&
	                      !tail_merge_open(tail, log)) ||
	                     !tail_begin_log(tail, log, followed->appeared,
	                                     reopened);
	shmlog_reader_release_end(log->reader);
	if (tail->merge != NULL)
		tail_merge_begin(tail, log);
}

static void forget_log(struct tail_log *log)
{
	tail_end_log(log);
	log->log = NULL;
	log->reader = NULL;
}

static void report_writer_gone(struct tail *tail)
{
	char members[48];

	snprintf(members, sizeof(members), ",\"pid\":%ld",
	         (long)tail->options.process.pid);
	cli_printer_set_log(&tail->printer, NULL);
	cli_render_event(&tail->printer.renderer, &tail->printer.output,
	                 "writer_gone", members);
}

static void report_end(struct tail *tail, enum cli_follow_end end)
{
	/* Only context is missing where enough have passed. */
	if (end == CLI_END_TIMEOUT && tail->left > 0)
		tail_note_status(tail, CLI_TIMEOUT);
	if (end == CLI_END_NO_MEMORY)
		tail_note_status(tail, cli_fail(NULL, "cannot go on", -ENOMEM));
	else if (end == CLI_END_WRITER_GONE)
		report_writer_gone(tail);
}

static void fail_log(struct tail *tail, const struct cli_batch *batch)
{
	tail_end_log(batch->log->user);
	tail_note_status(tail, batch->exit_status);
	tail->refused |= batch->exit_status == CLI_USAGE;
	if (tail->merge != NULL)
		tail_merge_end(tail, batch->log->user, batch->status);
	else if (batch->status != 0)
		tail_stop_log(tail, batch->log->user, batch->status);
}

/* Everything that is known is printed: lets it out, and looks whether somebody
 * still reads it.  Returns whether the follow goes on. */
static bool rest(struct tail *tail, bool no_news)
{
	tail_let_out(tail);
	if (!tail->wrote && cli_output_is_closed(&tail->printer.output))
		tail->printer.output.error = EPIPE;
	tail->wrote = false;
	if (no_news)
		cli_output_rest(&tail->printer.output);
	return tail_is_wanted(tail);
}

static void take_frames(struct tail *tail, const struct cli_batch *batch)
{
	if (tail->merge != NULL)
		tail_merge_take(tail, batch->log->user, batch);
	else if (!tail_print(tail, batch->log->user, batch->frames,
	                     batch->count))
		batch->log->finished = true;
	if (batch->urgent)
		tail_let_out(tail);
}

/* Frames that wait go out now and then, and all of them at the end. */
static void print_waiting(struct tail *tail, enum cli_news news)
{
	if (tail->merge != NULL &&
	    (news == CLI_NEWS_NONE || news == CLI_NEWS_ENDED))
		tail_merge_print(tail, news == CLI_NEWS_ENDED);
}

/* Does what one piece of news asks for.  Returns whether the follow goes on. */
static bool take_news(struct tail *tail, enum cli_news news,
                      const struct cli_batch *batch)
{
	print_waiting(tail, news);
	switch (news) {
	case CLI_NEWS_NONE: return rest(tail, batch->no_news);
	case CLI_NEWS_FRAMES: take_frames(tail, batch); break;
	case CLI_NEWS_ADDED: add_log(tail, batch->log); break;
	case CLI_NEWS_GONE: drop_log(tail, batch->log->user); break;
	case CLI_NEWS_OPENED: begin_log(tail, batch->log, false); break;
	case CLI_NEWS_REOPENED: begin_log(tail, batch->log, true); break;
	case CLI_NEWS_CLOSED: forget_log(batch->log->user); break;
	case CLI_NEWS_FAILED: fail_log(tail, batch); break;
	case CLI_NEWS_ENDED: report_end(tail, batch->end); return false;
	}
	return tail_is_wanted(tail) && !tail->start.walk.cut_short;
}

static int begin_follow(struct tail *tail)
{
	const struct tail_options *options = &tail->options;
	enum cli_follow_mode mode = options->by_name ? CLI_FOLLOW_NAME
	                                             : CLI_FOLLOW_FILE;
	bool added = true;

	for (size_t i = 0; i < options->log_count && added; i++)
		added = cli_follow_add(&tail->follow,
		                       tail_options_path(options, i),
		                       mode) != NULL;
	for (size_t i = 0; i < options->pattern_count && added; i++)
		added = cli_follow_add_pattern(
			&tail->follow, tail_options_pattern(options, i), mode);
	return added ? CLI_OK : cli_fail(NULL, "cannot start", -ENOMEM);
}

static int64_t most_sleep(const struct tail *tail)
{
	int64_t most_ns = keeper_limit(&tail->keeper, INT64_MAX);

	return tail->merge != NULL ? cli_merge_limit(tail->merge, most_ns)
	                           : most_ns;
}

void tail_follow(struct tail *tail)
{
	struct cli_batch batch;
	enum cli_news news;
	int status = begin_follow(tail);

	tail_note_status(tail, status);
	if (status != CLI_OK)
		return;
	end_sleeps_in_time();
	do {
		news = cli_follow_next(&tail->follow, tail_most_frames(tail),
		                       most_sleep(tail), &batch);
	} while (take_news(tail, news, &batch));
	if (tail->start.walk.cut_short && cli_signal_caught() == 0)
		tail_note_status(tail, CLI_TIMEOUT);
}
