/* Finds the place in a log that tail begins at. */
#include "tail_start.h"

#include "command.h"
#include "message.h"
#include "open_log.h"
#include "signals.h"

/* How many frames a walk passes between two looks at whether it is still
 * wanted. */
#define WALK_FRAMES 4096u

static int fail(struct tail_start *start, const struct tail_log *log,
                int result)
{
	cli_printer_set_log(start->keeper->printer, log->path);
	int status = cli_printer_failed(start->keeper->printer, log->reader,
	                                result);

	(void)keeper_note_flushed(start->keeper);
	return status;
}

void tail_report_reopened(struct cursor_keeper *keeper,
                          const struct tail_log *log)
{
	cli_message(log->path, "was replaced; reading the new log from its "
	                       "start");
	cli_printer_set_log(keeper->printer, log->path);
	cli_render_event(&keeper->printer->renderer, &keeper->printer->output,
	                 "reopened", "");
}

/* Whether a walk that has passed so many frames is to go on.  Where it is not,
 * the reader stands at a place of no meaning. */
static bool is_walk_wanted(struct tail_start *start, uint64_t walked)
{
	if (walked == 0 || walked % WALK_FRAMES != 0)
		return true;
	start->cut_short = cli_signal_caught() != 0 ||
	                   (start->ends != NULL &&
	                    cli_ends_is_timed_out(start->ends));
	return !start->cut_short;
}

/* Walks to the last `lines` of the good frames before damage, from the
 * start. */
static int go_before_damage(struct tail_start *start, struct tail_log *log)
{
	struct shmlog_frame frame;
	uint64_t good = 0;
	int result = shmlog_reader_seek(log->reader, 0, NULL);

	while (result >= 0 && is_walk_wanted(start, good) &&
	       (result = shmlog_reader_next(log->reader, &frame)) > 0)
		good++;
	if (!cli_is_damage(result) && result < 0)
		return fail(start, log, result);
	result = shmlog_reader_seek(log->reader, 0, NULL);
	for (uint64_t skip = good > start->options->lines
	                             ? good - start->options->lines
	                             : 0;
	     result >= 0 && skip > 0 && is_walk_wanted(start, skip); skip--)
		result = shmlog_reader_next(log->reader, &frame);
	return result < 0 ? fail(start, log, result) : CLI_OK;
}

/* Walks back over the last `lines` frames. */
static int go_back(struct tail_start *start, struct tail_log *log)
{
	struct shmlog_frame frame;
	int result = shmlog_reader_seek_end(log->reader);

	if (result < 0)
		return fail(start, log, result);
	for (uint64_t walked = 0;
	     walked < start->options->lines && is_walk_wanted(start, walked);
	     walked++) {
		result = shmlog_reader_prev(log->reader, &frame);
		if (result == 0)
			break;
		if (cli_is_damage(result))
			return go_before_damage(start, log);
		if (result < 0)
			return fail(start, log, result);
	}
	return CLI_OK;
}

static int skip_frames(struct tail_start *start, struct tail_log *log)
{
	struct shmlog_frame frame;

	for (uint64_t skipped = 0; skipped < start->options->lines; skipped++) {
		int result = shmlog_reader_next(log->reader, &frame);

		if (result < 0)
			return fail(start, log, result);
		if (result == 0 || !is_walk_wanted(start, skipped))
			break;
	}
	return CLI_OK;
}

static int go_where_asked(struct tail_start *start, struct tail_log *log,
                          bool appeared)
{
	if (appeared)
		return CLI_OK; /* all of it is new */
	if (start->options->has_from)
		return cli_position_seek(log->log, log->reader,
		                         &start->options->from, false,
		                         log->path);
	if (start->options->from_nth)
		return skip_frames(start, log);
	if (start->options->cursor_path != NULL && !start->options->has_start)
		return CLI_OK; /* a first run with a cursor skips nothing */
	return go_back(start, log);
}

static int refuse_cursor(const struct tail_start *start,
                         const struct tail_log *log, const char *why)
{
	struct cli_quoted quoted;

	cli_message(start->options->cursor_path,
	            "is the cursor of another log: %s %s; nothing was changed",
	            cli_quote(&quoted, log->path), why);
	return CLI_OTHER_LOG;
}

int tail_go_to_start(struct tail_start *start, struct tail_log *log,
                     bool appeared)
{
	const struct cli_cursor *cursor = keeper_find(start->keeper, log);
	int result = shmlog_reader_hold_end(log->reader);

	if (result < 0)
		return fail(start, log, result);
	if (cursor == NULL)
		return go_where_asked(start, log, appeared);
	if (!cli_cursor_is_of(cursor, log->log)) {
		if (!start->options->by_name)
			return refuse_cursor(start, log, "is another file");
		tail_report_reopened(start->keeper, log);
		return CLI_OK;
	}
	result = shmlog_reader_seek(log->reader, cursor->cursor, NULL);
	if (result == SHMLOG_ERR_CURSOR &&
	    shmlog_reader_fault(log->reader)->cursor == cursor->cursor)
		return refuse_cursor(start, log, "has no frame at that cursor");
	return result < 0 ? fail(start, log, result) : CLI_OK;
}
