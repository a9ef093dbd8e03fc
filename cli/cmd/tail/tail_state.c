/* Prints frames for the rooms of tail, and keeps the worst exit status. */
#include "tail_state.h"

#include "command.h"

/* Bytes of output after which it is let out, and a cursor is worth taking. */
#define CHECKPOINT_BYTES (256u * 1024u)

void tail_note_status(struct tail *tail, int status)
{
	if (status > tail->status)
		tail->status = status;
}

void tail_stop_log(struct tail *tail, const struct tail_log *log, int status)
{
	cli_printer_set_log(&tail->printer, log->path);
	tail_note_status(
		tail, cli_printer_failed(&tail->printer, log->reader, status));
	(void)keeper_note_flushed(&tail->keeper);
}

bool tail_is_wanted(const struct tail *tail)
{
	return tail->left > 0 && !tail->refused &&
	       cli_printer_is_wanted(&tail->printer);
}

bool tail_begin_log(struct tail *tail, struct tail_log *log, bool appeared,
                    bool reopened)
{
	int status = CLI_OK;

	if (reopened)
		tail_report_reopened(&tail->keeper, log);
	else
		status = tail_go_to_start(&tail->start, log, appeared);
	tail->refused |= status == CLI_OTHER_LOG || status == CLI_USAGE;
	if (status == CLI_OK && !tail->start.cut_short) {
		status = keeper_begin_log(&tail->keeper, log);
		tail->refused |= status != CLI_OK;
	}
	tail_note_status(tail, status);
	return status == CLI_OK && !tail->start.cut_short;
}

void tail_let_out(struct tail *tail)
{
	bool frames;

	if (tail->printer.output.used > 0)
		tail->wrote = true;
	int status = keeper_checkpoint(&tail->keeper, &frames);

	tail_note_status(tail, status);
	tail->refused |= status != CLI_OK;
	/* Frames that the reader of the output was slow to take are new. */
	if (frames && tail->options.follow)
		cli_follow_touch(&tail->follow);
}

void tail_print(struct tail *tail, struct tail_log *log,
                const struct shmlog_frame *frames, size_t count, uint64_t end)
{
	keeper_print(&tail->keeper, log, frames, count, end);
	tail->left -= count;
	if (tail->printer.output.used >= CHECKPOINT_BYTES)
		tail_let_out(tail);
}
