/* Prints frames as JSON envelopes. */
#include "out_formats.h"

#include "base64.h"
#include "digits.h"
#include "escape.h"
#include "escape_quick.h"
#include "output_format.h"
#include "utf8.h"
#include "words.h"

#include <string.h>

#define PUT(out, text) \
	(memcpy((out), (text), sizeof(text) - 1), (out) + sizeof(text) - 1)

/* The most bytes that an envelope has beside the payload, and more. */
#define ENVELOPE_BYTES 256u

/* Whether a payload can stand in an envelope as it is: valid UTF-8 without a
 * NUL. */
static bool is_text(const unsigned char *bytes, size_t size_bytes)
{
	while (size_bytes >= CLI_WORD_BYTES) {
		uint64_t word = cli_word_load(bytes);

		if ((cli_word_high(word) | cli_word_below(word, 1)) != 0)
			break;
		bytes += CLI_WORD_BYTES;
		size_bytes -= CLI_WORD_BYTES;
	}
	return size_bytes == 0 || (memchr(bytes, '\0', size_bytes) == NULL &&
	                           cli_utf8_is_valid(bytes, size_bytes));
}

static unsigned char *put_index(unsigned char *out, uint64_t index)
{
	if (index == SHMLOG_INDEX_UNKNOWN)
		return PUT(out, "null");
	return cli_put_digits(out, index);
}

static unsigned char *put_seen(unsigned char *out,
                               const struct cli_seen_time *seen)
{
	size_t length = strlen(seen->iso);

	out = PUT(out, ",\"seen\":\"");
	memcpy(out, seen->iso, length);
	return PUT(out + length, "\"");
}

/* Writes the payload and how it is encoded.  It is text as far as it could be
 * escaped already; if it is none behind that, this was in vain. */
static unsigned char *
put_payload(unsigned char *out, const unsigned char *payload, size_t size_bytes)
{
	unsigned char *start = out;
	size_t done;

	out = PUT(out, ",\"encoding\":\"utf8\",\"payload\":\"");
	done = cli_escape_printable(&out, payload, size_bytes);
	if (is_text(payload + done, size_bytes - done)) {
		out += cli_escape_json(out, payload + done, size_bytes - done);
	} else {
		out = PUT(start, ",\"encoding\":\"base64\",\"payload\":\"");
		out += cli_base64_encode((char *)out, payload, size_bytes);
	}
	return PUT(out, "\"");
}

/* Writes an envelope without its end; the caller has reserved room. */
static unsigned char *put_envelope(const struct cli_renderer *renderer,
                                   unsigned char *out,
                                   const struct shmlog_frame *frame)
{
	size_t size_bytes = frame->size_bytes;

	*out++ = '{';
	if (renderer->log_member_bytes > 0)
		memcpy(out, renderer->log_member, renderer->log_member_bytes);
	out += renderer->log_member_bytes;
	if (renderer->late)
		out = PUT(out, "\"late\":true,");
	out = PUT(out, "\"cursor\":");
	out = cli_put_digits(out, frame->cursor);
	out = PUT(out, ",\"next\":");
	out = cli_put_digits(out, frame->next_cursor);
	out = PUT(out, ",\"index\":");
	out = put_index(out, frame->index);
	out = PUT(out, ",\"size\":");
	out = cli_put_digits(out, size_bytes);
	if (renderer->seen_member)
		out = put_seen(out, &renderer->seen);
	return put_payload(out, frame->payload, size_bytes);
}

static unsigned char *reserve_envelope(const struct cli_renderer *renderer,
                                       struct cli_output *output,
                                       const struct shmlog_frame *frame)
{
	return cli_output_reserve(
		output, ENVELOPE_BYTES + renderer->log_member_bytes +
				frame->size_bytes * CLI_ESCAPE_JSON_MAX);
}

void cli_out_json(const struct cli_renderer *renderer,
                  struct cli_output *output, const struct shmlog_frame *frame)
{
	unsigned char *room = reserve_envelope(renderer, output, frame);
	unsigned char *out;

	if (room == NULL)
		return;
	out = put_envelope(renderer, room, frame);
	out = PUT(out, "}\n");
	cli_output_advance(output, (size_t)(out - room));
}

/* The largest batch that is written at once. */
#define BATCH_BYTES ((size_t)64 << 10)

/* Prints many frames, which are neighbours in the log, so that the range that
 * they cover bounds their payloads.  False, with nothing written, if that is
 * too much at once. */
bool cli_out_json_batch(const struct cli_renderer *renderer,
                        struct cli_output *output,
                        const struct shmlog_frame *frames, size_t count)
{
	uint64_t covered = frames[count - 1].next_cursor - frames[0].cursor;
	size_t envelopes = count *
	                   (ENVELOPE_BYTES + renderer->log_member_bytes);
	unsigned char *room = NULL;
	unsigned char *out;

	if (covered <= BATCH_BYTES && envelopes <= BATCH_BYTES)
		room = cli_output_reserve(
			output,
			envelopes + (size_t)covered * CLI_ESCAPE_JSON_MAX);
	if (room == NULL)
		return false;
	out = room;
	for (size_t i = 0; i < count; i++) {
		out = put_envelope(renderer, out, &frames[i]);
		out = PUT(out, "}\n");
	}
	cli_output_advance(output, (size_t)(out - room));
	return true;
}

void cli_out_json_open(const struct cli_renderer *renderer,
                       struct cli_output *output,
                       const struct shmlog_frame *frame)
{
	unsigned char *room = reserve_envelope(renderer, output, frame);

	if (room != NULL)
		cli_output_advance(
			output,
			(size_t)(put_envelope(renderer, room, frame) - room));
}
