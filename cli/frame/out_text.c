/* Prints payloads as they are, with or without a byte behind each (text, nul,
 * raw), and the log's own frames. */
#include "out_formats.h"

#include "output_format.h"
#include "wide_copy.h"

#include <string.h>

/* The payload and one byte behind it. */
void cli_out_ended(const struct cli_renderer *renderer,
                   struct cli_output *output, const struct shmlog_frame *frame)
{
	size_t size_bytes = frame->size_bytes;
	unsigned char *room = cli_output_reserve(output, size_bytes + 1);

	if (room == NULL)
		return;
	memcpy(room, frame->payload, size_bytes);
	room[size_bytes] = (unsigned char)renderer->format->end;
	cli_output_advance(output, size_bytes + 1);
}

/* The largest batch that is written at once. */
#define BATCH_BYTES ((size_t)512 << 10)

/* How many of the frames have so many bytes of the others behind them that a
 * wide copy of their payload reads nothing else. */
static size_t count_wide(const struct shmlog_frame *frames, size_t count)
{
	const struct shmlog_frame *last = &frames[count - 1];
	size_t wide = count - 1;

	while (wide > 0 && last->next_cursor - frames[wide - 1].next_cursor <
	                           CLI_WIDE_BEYOND)
		wide--;
	/* Beside each other in the log, and so in memory. */
	return (uintptr_t)last->payload - (uintptr_t)frames->payload ==
	                       last->cursor - frames->cursor
	               ? wide
	               : 0;
}

/*
 * Prints many payloads with one byte behind each.  The frames of a batch are
 * neighbours in the log, and a frame is four bytes longer than its payload, so
 * the range that the frames cover bounds what is written.  False, with nothing
 * written, if that is too much at once.
 */
bool cli_out_ended_batch(const struct cli_renderer *renderer,
                         struct cli_output *output,
                         const struct shmlog_frame *frames, size_t count)
{
	unsigned char end = (unsigned char)renderer->format->end;
	uint64_t most = frames[count - 1].next_cursor - frames[0].cursor;
	size_t wide = count_wide(frames, count);
	unsigned char *room = NULL;
	unsigned char *out;
	size_t i;

	if (most <= BATCH_BYTES)
		room = cli_output_reserve(output,
		                          (size_t)most + CLI_WIDE_BEYOND);
	if (room == NULL)
		return false;
	out = room;
	for (i = 0; i < count; i++) {
		size_t size_bytes = frames[i].size_bytes;

		if (i < wide)
			cli_copy_wide(out, frames[i].payload, size_bytes);
		else
			memcpy(out, frames[i].payload, size_bytes);
		out += size_bytes;
		*out++ = end;
	}
	cli_output_advance(output, (size_t)(out - room));
	return true;
}

void cli_out_raw(const struct cli_renderer *renderer, struct cli_output *output,
                 const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(output, frame->size_bytes);

	(void)renderer;
	if (room == NULL)
		return;
	memcpy(room, frame->payload, frame->size_bytes);
	cli_output_advance(output, frame->size_bytes);
}

void cli_out_frames(const struct cli_renderer *renderer,
                    struct cli_output *output, const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(
		output, frame->size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES);

	(void)renderer;
	if (room != NULL)
		cli_output_advance(output,
		                   shmlog_frame_encode(room, frame->payload,
		                                       frame->size_bytes));
}
