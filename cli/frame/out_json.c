/*
 * Prints frames as JSON envelopes.  Of many frames in a row, the first one is
 * printed number by number.  What stands before the size of the next one is
 * that of the last one with its digits counted up.
 */
#include "out_formats.h"

#include "base64.h"
#include "decimal.h"
#include "digits.h"
#include "escape.h"
#include "escape_wide.h"
#include "output_format.h"
#include "wide.h"

#include <string.h>

/* `out` is a variable. */
#define PUT(out, text) \
	(memcpy((out), (text), sizeof(text) - 1), (out) + sizeof(text) - 1)

/* The most bytes that an envelope has beside the payload and the log's name,
 * and more, as some are written behind it. */
#define ENVELOPE_BYTES 384u

/* ------------------------------------------------------------- one by one */

/* Where the numbers of an envelope end, and how many digits they have. */
struct places {
	size_t cursor, cursor_digits;
	size_t next, next_digits;
	size_t index, index_digits; /* none for one that is unknown */
};

/* Writes a number; returns how many digits it has. */
static size_t put_number(unsigned char **out, uint64_t number)
{
	unsigned char *start = *out;

	*out = cli_put_digits(start, number);
	return (size_t)(*out - start);
}

static size_t put_index(unsigned char **out, uint64_t index)
{
	if (index != SHMLOG_INDEX_UNKNOWN)
		return put_number(out, index);
	*out = PUT(*out, "null");
	return 0;
}

/* Writes what stands before the size. */
static unsigned char *put_numbers(const struct cli_renderer *renderer,
                                  unsigned char *out,
                                  const struct shmlog_frame *frame,
                                  struct places *places_out)
{
	const unsigned char *start = out;

	*out++ = '{';
	if (renderer->log_member_bytes > 0)
		memcpy(out, renderer->log_member, renderer->log_member_bytes);
	out += renderer->log_member_bytes;
	if (renderer->late)
		out = PUT(out, "\"late\":true,");
	out = PUT(out, "\"cursor\":");
	places_out->cursor_digits = put_number(&out, frame->cursor);
	places_out->cursor = (size_t)(out - start);
	out = PUT(out, ",\"next\":");
	places_out->next_digits = put_number(&out, frame->next_cursor);
	places_out->next = (size_t)(out - start);
	out = PUT(out, ",\"index\":");
	places_out->index_digits = put_index(&out, frame->index);
	places_out->index = (size_t)(out - start);
	return PUT(out, ",\"size\":");
}

static unsigned char *put_seen(unsigned char *out,
                               const struct cli_seen_time *seen)
{
	size_t length = strlen(seen->iso);

	out = PUT(out, ",\"seen\":\"");
	memcpy(out, seen->iso, length);
	return PUT(out + length, "\"");
}

/* Writes the size, and what stands between it and the payload's encoding. */
static inline unsigned char *put_size(const struct cli_renderer *renderer,
                                      unsigned char *out, uint64_t size_digits)
{
	out = cli_put_without_zeros(out, size_digits);
	return renderer->seen_member ? put_seen(out, &renderer->seen) : out;
}

#define TEXT_FOLLOWS ",\"encoding\":\"utf8\",\"payload\":\""
#define BASE64_FOLLOWS ",\"encoding\":\"base64\",\"payload\":\""

/* Writes the payload, whose first `done` bytes are written as text before `out`
 * already.  That the others are text shows while they are escaped; if they are
 * none, this was in vain. */
static unsigned char *put_payload(unsigned char *start, unsigned char *out,
                                  const struct shmlog_frame *frame, size_t done)
{
	size_t left = frame->size_bytes - done;

	if (!cli_escape_json_text(&out, frame->payload + done, left, left)) {
		out = PUT(start, BASE64_FOLLOWS);
		out += cli_base64_encode((char *)out, frame->payload,
		                         frame->size_bytes);
	}
	return out;
}

/* Writes an envelope without its end; the caller has reserved room. */
static unsigned char *put_envelope(const struct cli_renderer *renderer,
                                   unsigned char *out,
                                   const struct shmlog_frame *frame)
{
	struct places places;
	unsigned char *start;

	start = put_numbers(renderer, out, frame, &places);
	start = put_size(renderer, start, cli_digits_of(frame->size_bytes));
	out = PUT(start, TEXT_FOLLOWS);
	out = put_payload(start, out, frame, 0);
	return PUT(out, "\"");
}

/* Room for so many envelopes, whose payloads have so many bytes. */
static size_t room_of(const struct cli_renderer *renderer, size_t count,
                      size_t size_bytes)
{
	return count * (ENVELOPE_BYTES + renderer->log_member_bytes) +
	       CLI_ESCAPE_ROOM(size_bytes);
}

void cli_out_json(const struct cli_renderer *renderer,
                  struct cli_output *output, const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(
		output, room_of(renderer, 1, frame->size_bytes));
	unsigned char *out;

	if (room == NULL)
		return;
	out = put_envelope(renderer, room, frame);
	out = PUT(out, "}\n");
	cli_output_advance(output, (size_t)(out - room));
}

void cli_out_json_open(const struct cli_renderer *renderer,
                       struct cli_output *output,
                       const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(
		output, room_of(renderer, 1, frame->size_bytes));

	if (room != NULL)
		cli_output_advance(
			output,
			(size_t)(put_envelope(renderer, room, frame) - room));
}

/* -------------------------------------------------------------- in a row */

/* What stands before the size is copied in such steps. */
#define STEP_BYTES 32u
#define RUN_BYTES (8 * STEP_BYTES)

_Static_assert(SHMLOG_FRAME_OVERHEAD_BYTES < 10, "it is one digit");

/* The envelope of the last frame up to its size, to be counted up. */
struct run {
	unsigned char text[RUN_BYTES];
	size_t size_bytes; /* 0: there is nothing to count up */
	struct places places;
	struct cli_decimal cursor, next, index;
	uint64_t cursor_then; /* of the frame that would follow */
	uint64_t index_then;
};

/* Keeps what has just been written. */
static void begin_run(struct run *run, const unsigned char *start,
                      size_t size_bytes, const struct shmlog_frame *frame)
{
	const struct places *places = &run->places;

	run->size_bytes = 0;
	/* What counts the cursor up is the next one of the frame before. */
	if (size_bytes > RUN_BYTES ||
	    frame->cursor / CLI_EIGHT_DIGITS !=
	            frame->next_cursor / CLI_EIGHT_DIGITS)
		return;
	memcpy(run->text, start, size_bytes);
	run->size_bytes = size_bytes;
	run->cursor = cli_decimal_begin(run->text + places->cursor,
	                                places->cursor_digits);
	run->next = cli_decimal_begin(run->text + places->next,
	                              places->next_digits);
	run->index = cli_decimal_begin(run->text + places->index,
	                               places->index_digits);
	run->cursor_then = frame->next_cursor;
	run->index_then = frame->index;
	if (frame->index != SHMLOG_INDEX_UNKNOWN)
		run->index_then++;
}

/* Whether a frame is the next one in the row, with numbers that are more than
 * the last ones, as they are unless they have passed their greatest. */
static inline bool is_next(const struct run *run,
                           const struct shmlog_frame *frame)
{
	bool has_index = frame->index != SHMLOG_INDEX_UNKNOWN;

	return run->size_bytes != 0 && frame->cursor == run->cursor_then &&
	       frame->index == run->index_then &&
	       has_index == (run->places.index_digits > 0) &&
	       frame->next_cursor > frame->cursor &&
	       frame->next_cursor - frame->cursor ==
	               frame->size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;
}

/* Counts up to a frame; false if it does not follow, or if a number of it is
 * longer than that of the frame before. */
static inline bool count_up(struct run *run, const struct shmlog_frame *frame,
                            uint64_t size_digits)
{
	bool counted = run->places.index_digits > 0;
	uint64_t frame_digits = cli_decimal_turn(size_digits);

	if (!is_next(run, frame))
		return false;
	(void)cli_decimal_add(&frame_digits, SHMLOG_FRAME_OVERHEAD_BYTES);
	run->cursor.digits = run->next.digits;
	if (!cli_decimal_add(&run->next.digits, frame_digits) ||
	    !cli_decimal_add(&run->index.digits, counted))
		return false;
	run->cursor_then = frame->next_cursor;
	run->index_then += counted;
	return cli_decimal_fits(&run->cursor) && cli_decimal_fits(&run->next) &&
	       cli_decimal_fits(&run->index);
}

/* Writes what stands before the size, from what stood there before. */
static inline unsigned char *put_counted(const struct run *run,
                                         unsigned char *out)
{
	for (size_t at = 0; at < run->size_bytes; at += STEP_BYTES)
		memcpy(out + at, run->text + at, STEP_BYTES);
	cli_decimal_put(&run->cursor,
	                out + run->places.cursor - CLI_WORD_BYTES);
	cli_decimal_put(&run->next, out + run->places.next - CLI_WORD_BYTES);
	cli_decimal_put(&run->index, out + run->places.index - CLI_WORD_BYTES);
	return out + run->size_bytes;
}

#define INLINE static inline __attribute__((always_inline))

/* Writes the numbers of a frame in a row. */
INLINE unsigned char *put_next(const struct cli_renderer *renderer,
                               struct run *run, unsigned char *out,
                               const struct shmlog_frame *frame)
{
	uint64_t size_digits = cli_digits_of(frame->size_bytes);

	if (count_up(run, frame, size_digits)) {
		out = put_counted(run, out);
	} else {
		unsigned char *start = out;

		out = put_numbers(renderer, start, frame, &run->places);
		begin_run(run, start, (size_t)(out - start), frame);
	}
	return put_size(renderer, out, size_digits);
}

/* Writes the envelopes of frames. */
static unsigned char *put_row(const struct cli_renderer *renderer,
                              unsigned char *out,
                              const struct shmlog_frame *frames, size_t count)
{
	struct run run = {.size_bytes = 0};

	for (size_t i = 0; i < count; i++) {
		unsigned char *start = put_next(renderer, &run, out,
		                                &frames[i]);

		out = PUT(start, TEXT_FOLLOWS);
		out = put_payload(start, out, &frames[i], 0);
		out = PUT(out, "\"}\n");
	}
	return out;
}

#ifdef CLI_ESCAPE_WIDE

/* The end of what can be read of frames' payloads, if they are beside each
 * other in the log, and so in memory; NULL otherwise. */
static const unsigned char *find_end(const struct shmlog_frame *frames,
                                     size_t count)
{
	const struct shmlog_frame *last = &frames[count - 1];

	return (uintptr_t)last->payload - (uintptr_t)frames->payload ==
	                       last->cursor - frames->cursor
	               ? last->payload + last->size_bytes
	               : NULL;
}

/* The same, inlined for processors with wide instructions. */
CLI_ESCAPE_INLINE unsigned char *
put_row_by(const struct cli_renderer *renderer, unsigned char *out,
           const struct shmlog_frame *frames, size_t count,
           void (*put)(unsigned char *out, const unsigned char *bytes,
                       uint32_t hits))
{
	const unsigned char *end = find_end(frames, count);
	struct run run = {.size_bytes = 0};

	for (size_t i = 0; i < count; i++) {
		const struct shmlog_frame *frame = &frames[i];
		size_t readable_bytes = end != NULL
		                                ? (size_t)(end - frame->payload)
		                                : frame->size_bytes;
		unsigned char *start = put_next(renderer, &run, out, frame);
		size_t done;

		out = PUT(start, TEXT_FOLLOWS);
		done = cli_escape_widely(&out, frame->payload,
		                         frame->size_bytes, readable_bytes,
		                         put);
		if (done < frame->size_bytes)
			out = put_payload(start, out, frame, done);
		out = PUT(out, "\"}\n");
	}
	return out;
}

CLI_ESCAPE_WIDE static unsigned char *
put_row_widely(const struct cli_renderer *renderer, unsigned char *out,
               const struct shmlog_frame *frames, size_t count)
{
	return put_row_by(renderer, out, frames, count, cli_escape_put_block);
}

CLI_ESCAPE_WIDEST static unsigned char *
put_row_more_widely(const struct cli_renderer *renderer, unsigned char *out,
                    const struct shmlog_frame *frames, size_t count)
{
	return put_row_by(renderer, out, frames, count, cli_escape_put_pairs);
}
#endif

/* The most room that frames are rendered into at once, if these are several. */
#define ROW_ROOM_BYTES ((size_t)512 << 10)

/* How many frames can be rendered at once; *room_out: into how much.  They are
 * in the order of the log, so that the range that they cover bounds their
 * payloads. */
static size_t measure_row(const struct cli_renderer *renderer,
                          const struct shmlog_frame *frames, size_t count,
                          size_t *room_out)
{
	for (;; count /= 2) {
		uint64_t covered = frames[count - 1].next_cursor -
		                   frames[0].cursor;

		if (covered > ROW_ROOM_BYTES)
			covered = ROW_ROOM_BYTES;
		*room_out = room_of(renderer, count, (size_t)covered);
		if (count == 1 || *room_out <= ROW_ROOM_BYTES)
			return count;
	}
}

static unsigned char *put_quickest(const struct cli_renderer *renderer,
                                   unsigned char *out,
                                   const struct shmlog_frame *frames,
                                   size_t count)
{
#ifdef CLI_ESCAPE_WIDE
	if (cli_is_wider())
		return put_row_more_widely(renderer, out, frames, count);
	if (cli_is_wide())
		return put_row_widely(renderer, out, frames, count);
#endif
	return put_row(renderer, out, frames, count);
}

/* Prints many frames. */
bool cli_out_json_batch(const struct cli_renderer *renderer,
                        struct cli_output *output,
                        const struct shmlog_frame *frames, size_t count)
{
	while (count > 0) {
		size_t room_bytes;
		size_t row = measure_row(renderer, frames, count, &room_bytes);
		unsigned char *room = cli_output_reserve(output, room_bytes);

		if (room == NULL)
			break;
		cli_output_advance(output, (size_t)(put_quickest(renderer, room,
		                                                 frames, row) -
		                                    room));
		frames += row;
		count -= row;
	}
	return true;
}
