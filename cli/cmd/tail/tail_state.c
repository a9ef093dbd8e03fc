/* Prints frames for the rooms of tail, and keeps the worst exit status. */
#include "tail_state.h"

#include "command.h"

/* Bytes of output after which it is let out, and a cursor is worth taking. */
#define CHECKPOINT_BYTES (256u * 1024u)
/* Frames after which the same holds, where those that pass are few: what has
 * passed must not wait until much else has. */
#define CHECKPOINT_FRAMES 65536u

void tail_note_status(struct tail *tail, int status)
{
	if (status > tail->status)
		tail->status = status;
}

void tail_stop_log(struct tail *tail, struct tail_log *log, int status)
{
	tail_end_log(log);
	cli_printer_set_log(&tail->printer, log->path);
	tail_note_status(
		tail, cli_printer_failed(&tail->printer, log->reader, status));
	(void)keeper_note_flushed(&tail->keeper);
}

/* Whether more may pass, or stands behind what did and is to be printed. */
static bool is_open(const struct tail *tail)
{
	if (tail->left > 0 || tail->selection == NULL)
		return tail->left > 0;
	for (size_t i = 0; i < tail->keeper.log_count; i++) {
		if (cli_selection_is_open(tail->keeper.logs[i]->selection, 0))
			return true;
	}
	return false;
}

bool tail_is_wanted(const struct tail *tail)
{
	return !tail->refused && cli_printer_is_wanted(&tail->printer) &&
	       is_open(tail);
}

uint64_t tail_most_frames(const struct tail *tail)
{
	return tail->selection != NULL || tail->merge != NULL ? UINT64_MAX
	                                                      : tail->left;
}

bool tail_begin_log(struct tail *tail, struct tail_log *log, bool appeared,
                    bool reopened)
{
	int status = CLI_OK;

	cli_selection_begin(log->selection);
	if (reopened)
		tail_report_reopened(&tail->keeper, log);
	else
		status = tail_go_to_start(&tail->start, log, appeared);
	tail->refused |= status == CLI_OTHER_LOG || status == CLI_USAGE;
	if (status == CLI_OK && !tail->start.walk.cut_short) {
		status = keeper_begin_log(&tail->keeper, log);
		tail->refused |= status != CLI_OK;
	}
	tail_note_status(tail, status);
	return status == CLI_OK && !tail->start.walk.cut_short;
}

void tail_let_out(struct tail *tail)
{
	bool frames;

	if (tail->printer.output.used > 0)
		tail->wrote = true;
	tail->looked_at = 0;
	int status = keeper_checkpoint(&tail->keeper, &frames);

	tail_note_status(tail, status);
	tail->refused |= status != CLI_OK;
	/* Frames that the reader of the output was slow to take are new. */
	if (frames && tail->options.follow)
		cli_follow_touch(&tail->follow);
}

static bool print_selected(struct tail *tail, struct tail_log *log,
                           const struct shmlog_frame *frames, size_t count)
{
	size_t used;

	/* Messages name the log, and the header is one of it. */
	cli_printer_set_log(&tail->printer, log->path);
	int status = cli_selection_print(log->selection, frames, count,
	                                 &tail->left, &used);

	/* What was passed over is not looked at again. */
	if (used > 0)
		keeper_pass_over(&tail->keeper, log,
		                 frames[used - 1].next_cursor);
	tail->looked_at += used;
	/* Frames that do not pass are news, too. */
	if (tail->options.idle_ns >= 0)
		cli_follow_touch(&tail->follow);
	if (status == CLI_OK)
		return true;
	tail_note_status(tail, status);
	tail_end_log(log);
	return false;
}

bool tail_print(struct tail *tail, struct tail_log *log,
                const struct shmlog_frame *frames, size_t count)
{
	bool good = true;

	if (log->selection != NULL) {
		good = print_selected(tail, log, frames, count);
	} else {
		keeper_print(&tail->keeper, log, frames, count,
		             frames[count - 1].next_cursor);
		tail->left -= count;
	}
	if (tail->printer.output.used >= CHECKPOINT_BYTES ||
	    tail->looked_at >= CHECKPOINT_FRAMES)
		tail_let_out(tail);
	return good;
}

void tail_end_log(struct tail_log *log)
{
	cli_selection_begin(log->selection);
}
