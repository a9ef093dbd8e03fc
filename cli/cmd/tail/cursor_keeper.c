/* Knows which frames have left the output, and saves their cursors. */
#include "cursor_keeper.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "rotated.h"

#include <errno.h>
#include <stdlib.h>

/* How old the cursor file may get. */
#define SAVE_NS 100000000
/* How many logs are begun with a save of the whole file each.  The places of
 * more are saved together, with the next frames or before the next sleep is as
 * long as that. */
#define SAVED_AT_ONCE 64

/* ------------------------------------------------------------------- logs */

int keeper_init(struct cursor_keeper *keeper)
{
	keeper->delivery = malloc(sizeof(*keeper->delivery));
	if (keeper->delivery == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	keeper->delivery->count = 0;
	return CLI_OK;
}

int keeper_load(struct cursor_keeper *keeper)
{
	if (keeper->path == NULL)
		return CLI_OK;
	int status = cli_cursor_file_load(keeper->path, &keeper->loaded);

	/* Cursors of logs that are not read now are kept. */
	for (size_t i = 0; i < keeper->loaded.count; i++)
		keeper->several |= keeper->loaded.list[i].name != NULL;
	return status;
}

static void free_log(struct tail_log *log)
{
	free(log->own_path);
	free(log->name);
	cli_selection_free(log->selection);
	free(log);
}

void keeper_release(struct cursor_keeper *keeper)
{
	for (size_t i = 0; i < keeper->log_count; i++)
		free_log(keeper->logs[i]);
	free(keeper->logs);
	free(keeper->delivery);
	cli_cursors_release(&keeper->loaded);
}

/* What a selection lets through goes on to the keeper. */
static void print_selected(void *context, const struct shmlog_frame *frames,
                           size_t count)
{
	struct tail_log *log = context;

	keeper_print(log->keeper, log, frames, count,
	             frames[count - 1].next_cursor);
}

/* Gives a log what it has of its own.  False when memory is short. */
static bool equip(struct cursor_keeper *keeper, struct tail_log *log,
                  const char *path)
{
	log->path = path;
	log->keeper = keeper;
	if (keeper->path != NULL) {
		log->name = cli_cursor_name(path);
		if (log->name == NULL)
			return false;
	}
	if (keeper->selection == NULL)
		return true;
	log->selection = cli_selection_copy(keeper->selection);
	if (log->selection != NULL)
		cli_selection_print_by(log->selection, print_selected, log);
	return log->selection != NULL;
}

struct tail_log *keeper_add(struct cursor_keeper *keeper, const char *path)
{
	struct tail_log *log = calloc(1, sizeof(*log));
	struct tail_log **larger = realloc(keeper->logs,
	                                   (keeper->log_count + 1) *
	                                           sizeof(struct tail_log *));

	if (larger != NULL)
		keeper->logs = larger;
	if (log == NULL || larger == NULL || !equip(keeper, log, path)) {
		if (log != NULL)
			free_log(log);
		return NULL;
	}
	keeper->logs[keeper->log_count++] = log;
	return log;
}

void keeper_drop(struct cursor_keeper *keeper, struct tail_log *log)
{
	size_t i = 0;

	while (keeper->logs[i] != log)
		i++;
	keeper->logs[i] = keeper->logs[--keeper->log_count];
	free_log(log);
}

const struct cli_cursor *keeper_find(struct cursor_keeper *keeper,
                                     const struct tail_log *log)
{
	struct cli_cursor *cursor;

	if (keeper->loaded.count == 0)
		return NULL;
	cursor = cli_cursors_find(&keeper->loaded, log->name, log->log);
	/* The one cursor of a follower of one log is meant for this log. */
	if (cursor == NULL && !keeper->several)
		cursor = keeper->loaded.list;
	if (cursor != NULL)
		cursor->taken = true;
	return cursor;
}

char *keeper_find_rotated(const struct cursor_keeper *keeper,
                          const struct tail_log *log)
{
	const struct cli_cursor *cursor = NULL;

	if (keeper->several)
		cursor = cli_cursors_named(&keeper->loaded, log->name);
	else if (keeper->loaded.count > 0)
		cursor = keeper->loaded.list;
	return cursor != NULL ? cli_rotated_path(log->path, &cursor->log)
	                      : NULL;
}

/* ----------------------------------------------------------------- saving */

/* Up to here frames of a log have left the output. */
static void note_flushed(struct cursor_keeper *keeper, struct tail_log *log,
                         uint64_t cursor)
{
	log->flushed = cursor;
	keeper->unsaved |= cursor != log->saved;
}

/* The cursors of all logs that were read, and those of the file that belong to
 * others.  The list is to be freed; NULL when memory is short. */
static struct cli_cursors list_cursors(struct cursor_keeper *keeper)
{
	struct cli_cursors cursors = {
		.list = calloc(keeper->log_count + keeper->loaded.count + 1,
	                       sizeof(*cursors.list))};

	for (size_t i = 0; i < keeper->log_count && cursors.list != NULL; i++) {
		struct tail_log *log = keeper->logs[i];

		if (log->begun)
			cursors.list[cursors.count++] = (struct cli_cursor){
				.log = log->last_log,
				.cursor = log->flushed,
				.name = keeper->several ? log->name : NULL};
		log->saved = log->flushed;
	}
	for (size_t i = 0; i < keeper->loaded.count && cursors.list != NULL;
	     i++) {
		if (!keeper->loaded.list[i].taken)
			cursors.list[cursors.count++] = keeper->loaded.list[i];
	}
	keeper->unsaved &= cursors.list == NULL;
	return cursors;
}

static int write_file(struct cursor_keeper *keeper,
                      const struct cli_cursors *cursors)
{
	/* Whatever it was at the start: a log would lose its name. */
	if (cli_cursors_are_in_log(cursors, keeper->path)) {
		cli_message(keeper->path,
		            "is the log itself; the cursor was not saved");
		return CLI_USAGE;
	}
	int status = cli_cursor_file_save(keeper->path, cursors);

	if (status == -EMFILE && keeper->follow != NULL &&
	    cli_follow_spare(keeper->follow))
		status = cli_cursor_file_save(keeper->path, cursors);
	return status == 0 ? CLI_OK
	                   : cli_fail(keeper->path, "cannot save the cursor",
	                              status);
}

/* Saves the cursors of what has left the output. */
static int save(struct cursor_keeper *keeper)
{
	keeper->saved_ns = cli_now_ns();
	if (keeper->path == NULL)
		return CLI_OK;
	struct cli_cursors cursors = list_cursors(keeper);
	int status = CLI_OK;

	if (cursors.list == NULL)
		status = cli_fail(keeper->path, "cannot save the cursor",
		                  -ENOMEM);
	else if (cursors.count > 0)
		status = write_file(keeper, &cursors);
	free(cursors.list);
	return status;
}

int keeper_begin_log(struct cursor_keeper *keeper, struct tail_log *log)
{
	log->rendered = shmlog_reader_cursor(log->reader);
	note_flushed(keeper, log, log->rendered);
	log->last_log = shmlog_identity(log->log);
	log->begun = true;
	if (keeper->log_count <= SAVED_AT_ONCE ||
	    cli_now_ns() - keeper->saved_ns >= SAVE_NS)
		return save(keeper);
	log->saved = UINT64_MAX;
	keeper->unsaved = true;
	return CLI_OK;
}

int64_t keeper_limit(const struct cursor_keeper *keeper, int64_t most_ns)
{
	int64_t left = SAVE_NS - (cli_now_ns() - keeper->saved_ns);

	if (keeper->path == NULL || !keeper->unsaved || left > most_ns)
		return most_ns;
	return left > 0 ? left : 0;
}

/* --------------------------------------------------------------- counting */

void keeper_print(struct cursor_keeper *keeper, struct tail_log *log,
                  const struct shmlog_frame *frames, size_t count, uint64_t end)
{
	struct cli_output *output = &keeper->printer->output;

	cli_printer_set_log(keeper->printer, log->path);
	cli_printer_header(keeper->printer);

	const struct cli_mark mark = {
		.bytes = output->written + output->used,
		.log = log,
		.cursor = frames->cursor,
		.index = frames->index,
		.end = end,
		.late = keeper->printer->renderer.late,
	};

	if (keeper->path != NULL) {
		if (cli_delivery_is_full(keeper->delivery) &&
		    cli_output_flush(output) == 0)
			(void)keeper_note_flushed(keeper);
		if (!cli_delivery_is_full(keeper->delivery))
			cli_delivery_note(keeper->delivery, &mark);
	}
	cli_printer_frames(keeper->printer, frames, count);
	log->rendered = end;
}

void keeper_pass_over(struct cursor_keeper *keeper, struct tail_log *log,
                      uint64_t end)
{
	/* What stands behind frames that are still in the output leaves it with
	 * them. */
	if (log->flushed == log->rendered && !keeper->at_end)
		note_flushed(keeper, log, end);
	log->rendered = end;
}

bool keeper_note_flushed(struct cursor_keeper *keeper)
{
	const struct cli_output *output = &keeper->printer->output;
	bool frames = false;

	if (output->error != 0 || output->used > 0 || keeper->at_end)
		return false;
	for (size_t i = 0; i < keeper->log_count; i++) {
		struct tail_log *log = keeper->logs[i];

		frames |= log->flushed != log->rendered;
		note_flushed(keeper, log, log->rendered);
	}
	keeper->delivery->count = 0;
	return frames;
}

int keeper_checkpoint(struct cursor_keeper *keeper, bool *frames_out)
{
	*frames_out = false;
	if (cli_output_flush(&keeper->printer->output) != 0)
		return CLI_OK; /* it sticks, and is reported at the end */
	*frames_out = keeper_note_flushed(keeper);
	if (keeper->path == NULL || !keeper->unsaved ||
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
	cli_printer_set_late(keeper->printer, mark->late);
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
	size_t count = cli_delivery_count(keeper->delivery,
	                                  keeper->printer->output.written);

	for (size_t i = 0; i < count; i++) {
		const struct cli_mark *mark = &keeper->delivery->marks[i];

		note_flushed(keeper, mark->log,
		             i + 1 < count ? mark->end
		                           : measure_delivered(keeper, mark));
	}
}

int keeper_finish(struct cursor_keeper *keeper)
{
	if (cli_output_flush(&keeper->printer->output) == 0)
		(void)keeper_note_flushed(keeper);
	if (cli_output_gave_up(&keeper->printer->output))
		note_delivered(keeper);
	return keeper->unsaved ? save(keeper) : CLI_OK;
}
