/* Knows which frames have left the output, and saves their cursors. */
#include "cursor_keeper.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"

#include <errno.h>

/* How old the cursor file may get. */
#define SAVE_NS 100000000

/* ----------------------------------------------------------------- saving */

static bool is_saved(const struct cursor_keeper *keeper)
{
	for (size_t i = 0; i < keeper->log_count; i++) {
		if (keeper->logs[i]->flushed != keeper->logs[i]->saved)
			return false;
	}
	return true;
}

static int write_file(struct cursor_keeper *keeper,
                      const struct cli_cursor *cursor)
{
	int status = cli_cursor_file_save(keeper->path, cursor);

	if (status == -EMFILE && keeper->follow != NULL &&
	    cli_follow_spare(keeper->follow))
		status = cli_cursor_file_save(keeper->path, cursor);
	return status == 0 ? CLI_OK
	                   : cli_fail(keeper->path, "cannot save the cursor",
	                              status);
}

/* Saves the cursor of what has left the output. */
static int save(struct cursor_keeper *keeper)
{
	struct tail_log *log = keeper->logs[0];
	struct cli_cursor cursor = {.cursor = log->flushed};

	keeper->saved_ns = cli_now_ns();
	if (keeper->path == NULL || log->log == NULL)
		return CLI_OK;
	cursor.log = shmlog_identity(log->log);
	log->saved = log->flushed;
	/* Whatever it was at the start: the log would lose its name. */
	if (cli_cursor_is_in_log(keeper->path, &cursor)) {
		cli_message(keeper->path,
		            "is the log itself; the cursor was not saved");
		return CLI_USAGE;
	}
	return write_file(keeper, &cursor);
}

int keeper_begin_log(struct cursor_keeper *keeper, struct tail_log *log)
{
	log->rendered = log->flushed = shmlog_reader_cursor(log->reader);
	return save(keeper);
}

int64_t keeper_limit(const struct cursor_keeper *keeper, int64_t most_ns)
{
	int64_t left = SAVE_NS - (cli_now_ns() - keeper->saved_ns);

	if (keeper->path == NULL || is_saved(keeper) || left > most_ns)
		return most_ns;
	return left > 0 ? left : 0;
}

/* --------------------------------------------------------------- counting */

void keeper_print(struct cursor_keeper *keeper, struct tail_log *log,
                  const struct shmlog_frame *frames, size_t count, uint64_t end)
{
	struct cli_output *output = &keeper->printer->output;
	const struct cli_mark mark = {
		.bytes = output->written + output->used,
		.log = log,
		.cursor = frames->cursor,
		.index = frames->index,
		.end = end,
	};

	if (count > 0 && keeper->path != NULL) {
		if (cli_delivery_is_full(&keeper->delivery) &&
		    cli_output_flush(output) == 0)
			(void)keeper_note_flushed(keeper);
		if (!cli_delivery_is_full(&keeper->delivery))
			cli_delivery_note(&keeper->delivery, &mark);
	}
	cli_printer_frames(keeper->printer, frames, count);
	log->rendered = end;
}

bool keeper_note_flushed(struct cursor_keeper *keeper)
{
	const struct cli_output *output = &keeper->printer->output;
	bool frames = false;

	if (output->error != 0 || output->used > 0)
		return false;
	for (size_t i = 0; i < keeper->log_count; i++) {
		struct tail_log *log = keeper->logs[i];

		frames |= log->flushed != log->rendered;
		log->flushed = log->rendered;
	}
	keeper->delivery.count = 0;
	return frames;
}

int keeper_checkpoint(struct cursor_keeper *keeper, bool *frames_out)
{
	*frames_out = false;
	if (cli_output_flush(&keeper->printer->output) != 0)
		return CLI_OK; /* it sticks, and is reported at the end */
	*frames_out = keeper_note_flushed(keeper);
	if (keeper->path == NULL || is_saved(keeper) ||
	    cli_now_ns() - keeper->saved_ns < SAVE_NS)
		return CLI_OK;
	return save(keeper);
}

/* ------------------------------------------------ output that is given up */

/*
 * The cursor behind the last frame of a batch that is whole within what was
 * written: its frames are rendered once more and measured.
 */
static uint64_t measure_delivered(struct cursor_keeper *keeper,
                                  const struct cli_mark *mark)
{
	struct shmlog_reader *reader = mark->log->reader;
	struct shmlog_frame frame;
	struct cli_output scale;
	uint64_t bytes = mark->bytes, cursor = mark->cursor;
	uint64_t index = mark->index;

	if (shmlog_reader_seek(reader, cursor, NULL) != 0 ||
	    cli_output_init_memory(&scale) != 0)
		return cursor;
	cli_printer_set_log(keeper->printer, mark->log->path);
	while (cursor < mark->end && shmlog_reader_next(reader, &frame) == 1) {
		/* As it was: a number has digits, an unknown one none. */
		frame.index = index;
		cli_render_frame(&keeper->printer->renderer, &scale, &frame);
		bytes += scale.used;
		scale.used = 0;
		if (scale.error != 0 || bytes > keeper->printer->output.written)
			break;
		cursor = frame.next_cursor;
		index += index != SHMLOG_INDEX_UNKNOWN;
	}
	cli_output_release(&scale);
	return cursor;
}

/* Counts what had left an output before it was given up. */
static void note_delivered(struct cursor_keeper *keeper)
{
	size_t count = cli_delivery_count(&keeper->delivery,
	                                  keeper->printer->output.written);

	for (size_t i = 0; i < count; i++) {
		const struct cli_mark *mark = &keeper->delivery.marks[i];

		mark->log->flushed = i + 1 < count
		                             ? mark->end
		                             : measure_delivered(keeper, mark);
	}
}

int keeper_finish(struct cursor_keeper *keeper)
{
	if (cli_output_flush(&keeper->printer->output) == 0)
		(void)keeper_note_flushed(keeper);
	if (cli_output_gave_up(&keeper->printer->output))
		note_delivered(keeper);
	return is_saved(keeper) ? CLI_OK : save(keeper);
}
