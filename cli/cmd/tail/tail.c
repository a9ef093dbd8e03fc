/* Prints the last frames of logs, and those that follow. */
#include "tail_options.h"
#include "tail_start.h"

#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "follow.h"
#include "message.h"
#include "scan.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Bytes of output after which it is let out, and a cursor is worth taking. */
#define CHECKPOINT_BYTES (256u * 1024u)
/* How long a reader of the output may take nothing once the time is out; and
 * once nothing else is left to wait for, where it may yet take all of it. */
#define TIMEOUT_PATIENCE_NS 200000000
#define END_PATIENCE_NS 1000000000

struct tail {
	struct tail_options options;
	struct cli_printer printer;
	struct cursor_keeper keeper;
	struct tail_start start;
	struct cli_follow follow;
	struct tail_log *logs; /* one for each operand */
	uint64_t left;         /* frames that may still be printed */
	int status;            /* the worst so far */
	bool wrote;            /* the output took something: it is not closed */
};

/* The statuses are in an order: a larger one is worse. */
static void note_status(struct tail *tail, int status)
{
	if (status > tail->status)
		tail->status = status;
}

/* A log cannot be read any further: the good frames of it first. */
static void stop_log(struct tail *tail, const struct tail_log *log, int status)
{
	cli_printer_set_log(&tail->printer, log->path);
	note_status(tail,
	            cli_printer_failed(&tail->printer, log->reader, status));
	(void)keeper_note_flushed(&tail->keeper);
}

/* ----------------------------------------------------------- not following */

static bool is_wanted(const struct tail *tail)
{
	return tail->left > 0 && cli_printer_is_wanted(&tail->printer);
}

/* Lets everything out; saves the cursors now and then. */
static void let_out(struct tail *tail)
{
	bool frames;

	if (tail->printer.output.used > 0)
		tail->wrote = true;
	note_status(tail, keeper_checkpoint(&tail->keeper, &frames));
	/* Frames that the reader of the output was slow to take are new. */
	if (frames && tail->options.follow)
		cli_follow_touch(&tail->follow);
}

static void print(struct tail *tail, struct tail_log *log,
                  const struct shmlog_frame *frames, size_t count, uint64_t end)
{
	cli_printer_set_log(&tail->printer, log->path);
	keeper_print(&tail->keeper, log, frames, count, end);
	tail->left -= count;
	if (tail->printer.output.used >= CHECKPOINT_BYTES)
		let_out(tail);
}

/* Prints from where the reader stands to the end that it holds. */
static int print_scan(struct tail *tail, struct tail_log *log,
                      struct cli_scan *scan)
{
	int count = 0;
	int result = shmlog_reader_committed_size(log->reader, &scan->end);

	while (result == 0 && is_wanted(tail) &&
	       (count = cli_scan_next(scan, tail->left)) > 0)
		print(tail, log, scan->frames, (size_t)count,
		      scan->frames[count - 1].next_cursor);
	return result != 0 ? result : count;
}

static void print_log(struct tail *tail, struct tail_log *log)
{
	struct cli_scan scan;
	int status = cli_scan_open(&scan, log->path);

	note_status(tail, status);
	if (status != CLI_OK)
		return;
	log->log = scan.log;
	log->reader = scan.reader;
	status = tail_go_to_start(&tail->start, log, false);
	if (status == CLI_OK && !tail->start.cut_short)
		status = keeper_begin_log(&tail->keeper, log);
	note_status(tail, status);
	if (status == CLI_OK && !tail->start.cut_short) {
		int result = print_scan(tail, log, &scan);

		if (result < 0)
			stop_log(tail, log, result);
	}
}

/* --------------------------------------------------------------- following */

/* A log was opened: goes to where reading begins. */
static void begin_log(struct tail *tail, struct cli_followed *followed,
                      bool reopened)
{
	struct tail_log *log = followed->user;
	int status = CLI_OK;

	log->log = followed->named.now.log;
	log->reader = followed->named.now.reader;
	if (reopened)
		tail_report_reopened(&tail->keeper, log);
	else
		status = tail_go_to_start(&tail->start, log,
		                          followed->appeared);
	shmlog_reader_release_end(log->reader);
	if (status == CLI_OK && !tail->start.cut_short)
		status = keeper_begin_log(&tail->keeper, log);
	followed->finished = status != CLI_OK;
	note_status(tail, status);
}

static void forget_log(struct tail_log *log)
{
	log->log = NULL;
	log->reader = NULL;
}

static void report_writer_gone(struct tail *tail)
{
	char members[48];

	snprintf(members, sizeof(members), ",\"pid\":%ld",
	         (long)tail->options.process.pid);
	cli_render_event(&tail->printer.renderer, &tail->printer.output,
	                 "writer_gone", members);
}

static void report_end(struct tail *tail, enum cli_follow_end end)
{
	if (end == CLI_END_TIMEOUT)
		note_status(tail, CLI_TIMEOUT);
	else if (end == CLI_END_WRITER_GONE)
		report_writer_gone(tail);
}

static void fail_log(struct tail *tail, const struct cli_batch *batch)
{
	note_status(tail, batch->exit_status);
	if (batch->status != 0)
		stop_log(tail, batch->log->user, batch->status);
}

/* Everything that is known is printed: lets it out, and looks whether somebody
 * still reads it.  Returns whether the follow goes on. */
static bool rest(struct tail *tail, bool no_news)
{
	let_out(tail);
	if (!tail->wrote && cli_output_is_closed(&tail->printer.output))
		tail->printer.output.error = EPIPE;
	tail->wrote = false;
	if (no_news)
		cli_output_rest(&tail->printer.output);
	return is_wanted(tail);
}

/* Does what one piece of news asks for.  Returns whether the follow goes on. */
static bool take_news(struct tail *tail, enum cli_news news,
                      const struct cli_batch *batch)
{
	switch (news) {
	case CLI_NEWS_NONE: return rest(tail, batch->no_news);
	case CLI_NEWS_FRAMES:
		print(tail, batch->log->user, batch->frames, batch->count,
		      batch->frames[batch->count - 1].next_cursor);
		break;
	case CLI_NEWS_OPENED: begin_log(tail, batch->log, false); break;
	case CLI_NEWS_REOPENED: begin_log(tail, batch->log, true); break;
	case CLI_NEWS_CLOSED: forget_log(batch->log->user); break;
	case CLI_NEWS_FAILED: fail_log(tail, batch); break;
	case CLI_NEWS_ENDED: report_end(tail, batch->end); return false;
	}
	return is_wanted(tail) && !tail->start.cut_short;
}

static void follow_logs(struct tail *tail)
{
	struct cli_batch batch;
	enum cli_news news;

	do {
		news = cli_follow_next(&tail->follow, tail->left,
		                       keeper_limit(&tail->keeper, INT64_MAX),
		                       &batch);
	} while (take_news(tail, news, &batch));
	if (tail->start.cut_short && cli_signal_caught() == 0)
		note_status(tail, CLI_TIMEOUT);
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

static int begin_follow(struct tail *tail)
{
	const struct tail_options *options = &tail->options;

	for (size_t i = 0; i < options->log_count; i++) {
		struct cli_followed *log = cli_follow_add(
			&tail->follow, tail->logs[i].path,
			options->by_name ? CLI_FOLLOW_NAME : CLI_FOLLOW_FILE);

		if (log == NULL)
			return cli_fail(NULL, "cannot start", -ENOMEM);
		log->named.opened = check_opened;
		log->user = &tail->logs[i];
	}
	return CLI_OK;
}

/* A reader of the output that takes nothing keeps no end of a follow from
 * coming. */
static bool gives_up(void *context, int64_t stalled_ns)
{
	const struct tail *tail = context;
	const struct cli_follow_ends *ends = &tail->follow.ends;

	if (!tail->options.follow)
		return false;
	if (cli_ends_is_timed_out(ends) && stalled_ns >= TIMEOUT_PATIENCE_NS)
		return true;
	if (stalled_ns < END_PATIENCE_NS)
		return false;
	return (ends->idle_ns >= 0 && stalled_ns >= ends->idle_ns) ||
	       (ends->process.pid != 0 && cli_process_is_gone(&ends->process));
}

/* ----------------------------------------------------------- start and end */

/* What tail writes must not be a log, also where neither is there yet; a log
 * that is there is found to be no cursor file. */
static int check_distinct(const struct tail_options *options)
{
	for (size_t i = 0; i < options->log_count; i++) {
		const char *path = tail_options_path(options, i);

		if (cli_check_output(path, NULL) != CLI_OK)
			return CLI_USAGE;
		if (options->cursor_path == NULL ||
		    access(options->cursor_path, F_OK) == 0 ||
		    !cli_is_same_path(options->cursor_path, path))
			continue;
		cli_message(options->cursor_path,
		            "is the log itself; nothing was changed");
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* The output was given up, by an end of the follow. */
static void report_undelivered(struct tail *tail)
{
	if (cli_signal_caught() != 0)
		return;
	for (size_t i = 0; i < tail->options.log_count; i++) {
		const struct tail_log *log = &tail->logs[i];

		if (log->flushed != log->rendered)
			cli_message(log->path,
			            "standard output takes nothing any more: "
			            "what follows cursor %" PRIu64
			            " is not all written",
			            log->flushed);
	}
	if (tail->status == CLI_OK)
		note_status(tail, cli_ends_is_timed_out(&tail->follow.ends)
		                          ? CLI_TIMEOUT
		                          : CLI_SYSTEM);
}

static int begin(struct tail *tail)
{
	size_t count = tail->options.log_count;

	tail->logs = calloc(count, sizeof(*tail->logs));
	tail->keeper.logs = calloc(count, sizeof(*tail->keeper.logs));
	if (tail->logs == NULL || tail->keeper.logs == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	for (size_t i = 0; i < count; i++) {
		tail->logs[i].path = tail_options_path(&tail->options, i);
		tail->keeper.logs[i] = &tail->logs[i];
	}
	tail->keeper.log_count = count;
	tail->keeper.path = tail->options.cursor_path;
	tail->keeper.printer = &tail->printer;
	tail->start.options = &tail->options;
	tail->start.keeper = &tail->keeper;
	tail->left = tail->options.count;
	cli_follow_init(&tail->follow, count);
	tail->follow.ends.timeout_ns = tail->options.timeout_ns;
	tail->follow.ends.idle_ns = tail->options.idle_ns;
	tail->follow.ends.process = tail->options.process;
	tail->follow.poll_ns = tail->options.poll_ns;
	return cli_printer_begin(&tail->printer);
}

static void print_logs(struct tail *tail)
{
	if (tail->options.follow) {
		tail->keeper.follow = &tail->follow;
		tail->start.ends = &tail->follow.ends;
		cli_message_never_wait();
		note_status(tail, begin_follow(tail));
		if (tail->status == CLI_OK)
			follow_logs(tail);
		return;
	}
	for (size_t i = 0; i < tail->options.log_count && is_wanted(tail); i++)
		print_log(tail, &tail->logs[i]);
}

/* Lets out what is left, and says where the next run goes on. */
static int finish(struct tail *tail)
{
	int saved;

	tail->status = cli_typed_status(&tail->printer.typed, tail->status);
	saved = keeper_finish(&tail->keeper);
	if (cli_output_gave_up(&tail->printer.output))
		report_undelivered(tail);
	if (tail->status == CLI_OK)
		tail->status = saved;
	if (!tail->options.follow) {
		for (size_t i = 0; i < tail->options.log_count; i++) {
			shmlog_reader_close(tail->logs[i].reader);
			shmlog_close(tail->logs[i].log);
		}
	}
	cli_follow_release(&tail->follow);
	return cli_printer_finish(&tail->printer, tail->status);
}

static int tail_run(const struct cli_args *args)
{
	struct tail *tail = calloc(1, sizeof(*tail));
	int status;

	if (tail == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	status = tail_options_read(args, &tail->options);
	if (status == CLI_OK)
		status = cli_printer_init(&tail->printer, args,
		                          &tail_printer_places);
	if (status == CLI_OK)
		status = check_distinct(&tail->options);
	if (status == CLI_OK)
		status = begin(tail);
	if (status == CLI_OK) {
		tail->printer.output.gives_up = gives_up;
		tail->printer.output.context = tail;
		cli_signals_catch();
		cli_signals_guard_mappings();
		print_logs(tail);
		status = finish(tail);
	}
	cli_printer_release(&tail->printer);
	free(tail->keeper.logs);
	free(tail->logs);
	free(tail);
	return status;
}

const struct cli_command cmd_tail = {
	.name = "tail",
	.summary = "print the last frames of a log, and those that follow",
	.operands = "LOG",
	.options = tail_option_table,
	.option_count = TAIL_OPTION_COUNT,
	.min_operands = 1,
	.max_operands = 1,
	.notes = "A POS is start, end, N (a cursor), -N (N frames before the "
		 "end), frame:N,\nframe:-N, offset:N or offset:0xN.",
	.run = tail_run,
};
