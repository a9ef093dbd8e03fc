/* Finds the place in a log that tail begins at. */
#include "tail_start.h"

#include "command.h"
#include "message.h"
#include "open_log.h"

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

/* Walks to the last `lines` of the good frames before damage, from the
 * start. */
static int go_before_damage(struct tail_start *start, struct tail_log *log)
{
	uint64_t lines = start->options->lines, good, passed;
	int result = shmlog_reader_seek(log->reader, 0, NULL);
	int status;

	if (result < 0)
		return fail(start, log, result);
	status = tail_walk_on(&start->walk, log, UINT64_MAX, &good, &result);
	if (status != CLI_OK || start->walk.cut_short)
		return status;
	if (!cli_is_damage(result) && result < 0)
		return fail(start, log, result);
	result = shmlog_reader_seek(log->reader, 0, NULL);
	if (result >= 0)
		status = tail_walk_on(&start->walk, log,
		                      good > lines ? good - lines : 0, &passed,
		                      &result);
	return result < 0 ? fail(start, log, result) : status;
}

/* Walks back over the last `lines` frames that count. */
static int go_back(struct tail_start *start, struct tail_log *log)
{
	int result = tail_walk_back(&start->walk, log, start->options->lines);

	if (start->walk.cut_short)
		return CLI_OK;
	if (cli_is_damage(result))
		return go_before_damage(start, log);
	return result < 0 ? fail(start, log, result) : CLI_OK;
}

static int skip_frames(struct tail_start *start, struct tail_log *log)
{
	uint64_t passed;
	int result;
	int status = tail_walk_on(&start->walk, log, start->options->lines,
	                          &passed, &result);

	return result < 0 ? fail(start, log, result) : status;
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
	int status = go_back(start, log);

	return status == CLI_OK && !start->walk.cut_short &&
	                       start->options->lines > 0
	               ? tail_walk_hold_context(&start->walk, log)
	               : status;
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
	return result < 0 ? fail(start, log, result)
	                  : tail_walk_recall(&start->walk, log);
}
