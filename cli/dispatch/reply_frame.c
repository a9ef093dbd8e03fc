/* Encodes the frames of REPLIES. */
#include "reply_frame.h"

#include "utf8.h"

#include <shmlog.h>
#include <string.h>

/* More than the names and numbers of a part or a delta take. */
#define PIECE_OVERHEAD_BYTES 160u

/* ------------------------------------------------------------ dividing text */

static bool is_unit(const unsigned char *at, size_t left_bytes,
                    const char *digits)
{
	return left_bytes >= 6 && at[0] == '\\' && at[1] == 'u' &&
	       (at[2] | 0x20) == 'd' && strchr(digits, at[3]) != NULL;
}

/* The length of the character or the escape at the start of a text. */
static size_t piece_length(const unsigned char *at, size_t left_bytes)
{
	unsigned point;
	size_t length;

	if (at[0] == '\\' && left_bytes >= 2) {
		if (at[1] != 'u')
			return 2;
		if (is_unit(at, left_bytes, "89abAB") &&
		    is_unit(at + 6, left_bytes - 6, "cdefCDEF"))
			return 12;
		return left_bytes < 6 ? left_bytes : 6;
	}
	if (at[0] < 0x80)
		return 1;
	length = cli_utf8_decode(at, left_bytes, &point);
	return length > 0 ? length : 1;
}

size_t reply_cut(struct cli_json_span text, size_t most)
{
	size_t used = 0;

	if (text.size_bytes <= most)
		return text.size_bytes;
	while (used < text.size_bytes) {
		size_t length = piece_length(text.bytes + used,
		                             text.size_bytes - used);

		if (length > most - used)
			break;
		used += length;
	}
	return used;
}

size_t reply_showable(struct cli_json_span text)
{
	size_t at = text.size_bytes >= 6 ? text.size_bytes - 6 : 0;
	size_t backslashes = 0;

	if (text.size_bytes < 6 || !is_unit(text.bytes + at, 6, "89abAB"))
		return text.size_bytes;
	/* A backslash that is escaped itself begins no escape. */
	while (backslashes < at && text.bytes[at - backslashes - 1] == '\\')
		backslashes++;
	return backslashes % 2 == 0 ? at : text.size_bytes;
}

static struct cli_json_span behind(struct cli_json_span text, size_t size_bytes)
{
	text.bytes += size_bytes;
	text.size_bytes -= size_bytes;
	return text;
}

/* ------------------------------------------------------------------ framing */

/* Adds one frame. */
static void add_frame(struct bytes *frames, const struct bytes *payload)
{
	char *room = bytes_reserve(frames,
	                           payload->used + SHMLOG_FRAME_OVERHEAD_BYTES);

	if (payload->failed)
		frames->failed = true;
	else if (room != NULL)
		frames->used += shmlog_frame_encode((unsigned char *)room,
		                                    payload->at, payload->used);
}

static void add_number(struct bytes *bytes, const char *name, uint64_t value)
{
	bytes_string(bytes, ",\"");
	bytes_string(bytes, name);
	bytes_string(bytes, "\":");
	bytes_u64(bytes, value);
}

static void begin(struct bytes *bytes, uint64_t prompt)
{
	bytes_string(bytes, "{\"prompt\":");
	bytes_u64(bytes, prompt);
}

static void add_type(struct bytes *bytes, const char *type)
{
	bytes_string(bytes, ",\"type\":\"");
	bytes_string(bytes, type);
	bytes_string(bytes, "\"");
}

/* Adds a frame with a piece of text, and a number that is called `name`. */
static void add_piece(struct bytes *frames, uint64_t prompt, const char *type,
                      const char *name, uint64_t number,
                      struct cli_json_span text)
{
	struct bytes payload = {0};

	begin(&payload, prompt);
	add_type(&payload, type);
	add_number(&payload, name, number);
	bytes_string(&payload, ",\"text\":\"");
	bytes_add(&payload, text.bytes, text.size_bytes);
	bytes_string(&payload, "\"}");
	add_frame(frames, &payload);
	bytes_free(&payload);
}

void reply_encode_delta(struct bytes *frames, uint64_t prompt, unsigned attempt,
                        struct cli_json_span text)
{
	while (text.size_bytes > 0) {
		struct cli_json_span piece = text;

		piece.size_bytes = reply_cut(
			text, SHMLOG_PAYLOAD_MAX_BYTES - PIECE_OVERHEAD_BYTES);
		add_piece(frames, prompt, "delta", "attempt", attempt, piece);
		text = behind(text, piece.size_bytes);
	}
}

void reply_encode_restart(struct bytes *frames, uint64_t prompt,
                          unsigned attempt)
{
	struct bytes payload = {0};

	begin(&payload, prompt);
	add_type(&payload, "restart");
	add_number(&payload, "attempt", attempt);
	bytes_string(&payload, "}");
	add_frame(frames, &payload);
	bytes_free(&payload);
}

/* ------------------------------------------------------------------ replies */

static void add_prompts(struct bytes *bytes, const struct reply *reply)
{
	if (reply->count < 2)
		return;
	for (size_t i = 0; i < reply->count; i++) {
		bytes_string(bytes, i == 0 ? ",\"prompts\":[" : ",");
		bytes_u64(bytes, reply->prompts[i]);
	}
	bytes_string(bytes, "]");
}

/* All that stands behind the text. */
static void add_tail(struct bytes *bytes, const struct reply *reply,
                     uint64_t parts)
{
	if (parts > 0)
		add_number(bytes, "parts", parts);
	if (reply->members.size_bytes > 0) {
		bytes_string(bytes, ",");
		bytes_add(bytes, reply->members.bytes,
		          reply->members.size_bytes);
	}
	add_number(bytes, "attempts", reply->attempts);
	add_number(bytes, "latency_us", (uint64_t)reply->latency_us);
	if (reply->first_us >= 0)
		add_number(bytes, "first_us", (uint64_t)reply->first_us);
	add_number(bytes, "low", reply->low);
	add_number(bytes, "high", reply->high);
	bytes_string(bytes, ",\"log\":\"");
	bytes_string(bytes, reply->log);
	bytes_string(bytes, "\"}");
}

/* Adds the parts of a text that is too long for one frame; what is left of it
 * goes into the last frame. */
static uint64_t add_parts(struct bytes *frames, const struct reply *reply,
                          size_t room_bytes, struct cli_json_span *text)
{
	uint64_t parts = 0;

	while (text->size_bytes > room_bytes) {
		struct cli_json_span piece = *text;

		piece.size_bytes = reply_cut(
			*text, SHMLOG_PAYLOAD_MAX_BYTES - PIECE_OVERHEAD_BYTES);
		add_piece(frames, reply->prompts[0], "part", "part", parts++,
		          piece);
		*text = behind(*text, piece.size_bytes);
	}
	return parts;
}

bool reply_encode(struct bytes *frames, const struct reply *reply)
{
	struct bytes head = {0}, tail = {0};
	struct cli_json_span text = reply->text;
	/* The text's name, its quotes, and the number of parts. */
	size_t most = SHMLOG_PAYLOAD_MAX_BYTES - 64;
	bool fits;

	begin(&head, reply->prompts[0]);
	add_prompts(&head, reply);
	add_type(&head, reply->type);
	add_tail(&tail, reply, 0);
	fits = head.used + tail.used <= most;
	if (fits) {
		uint64_t parts = add_parts(frames, reply,
		                           most - head.used - tail.used, &text);

		if (reply->text.bytes != NULL) {
			bytes_string(&head, ",\"text\":\"");
			bytes_add(&head, text.bytes, text.size_bytes);
			bytes_string(&head, "\"");
		}
		add_tail(&head, reply, parts);
		add_frame(frames, &head);
	}
	if (tail.failed)
		frames->failed = true;
	bytes_free(&head);
	bytes_free(&tail);
	return fits;
}
