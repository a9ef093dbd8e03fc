/* The output formats: one frame to one piece of output. */
#include "render.h"

#include "base64.h"
#include "command.h"
#include "escape.h"
#include "fault_text.h"
#include "message.h"
#include "numbers.h"
#include "template.h"
#include "typed.h"
#include "utf8.h"
#include "words.h"

#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- choosing */

static const struct {
	const char *name;
	enum cli_format format;
} format_names[] = {
	{"text", CLI_FORMAT_TEXT},     {"nul", CLI_FORMAT_NUL},
	{"json", CLI_FORMAT_JSON},     {"hex", CLI_FORMAT_HEX},
	{"frames", CLI_FORMAT_FRAMES}, {"raw", CLI_FORMAT_RAW},
};

static int find_format(const char *name, enum cli_format *format_out)
{
	struct cli_quoted quoted;
	size_t i;

	for (i = 0; i < sizeof(format_names) / sizeof(format_names[0]); i++) {
		if (strcmp(name, format_names[i].name) == 0) {
			*format_out = format_names[i].format;
			return CLI_OK;
		}
	}
	return cli_usage_error("unknown output format %s; known are text, nul, "
	                       "json, hex, frames and raw",
	                       cli_quote(&quoted, name));
}

int cli_renderer_init(struct cli_renderer *renderer, const char *name,
                      const char *template_text, int fd)
{
	*renderer = (struct cli_renderer){
		.format = CLI_FORMAT_TEXT,
		.escape = isatty(fd) == 1,
	};
	if (name != NULL && template_text != NULL)
		return cli_usage_error("an output format (-o) and a template "
		                       "(-t) exclude each other");
	if (template_text != NULL) {
		renderer->format = CLI_FORMAT_TEMPLATE;
		return cli_template_compile(template_text, &renderer->template);
	}
	return name == NULL ? CLI_OK : find_format(name, &renderer->format);
}

int cli_renderer_set_type(struct cli_renderer *renderer,
                          struct cli_typed *typed)
{
	if (typed->type == NULL)
		return CLI_OK;
	if (renderer->format != CLI_FORMAT_TEXT &&
	    renderer->format != CLI_FORMAT_NUL &&
	    renderer->format != CLI_FORMAT_JSON)
		return cli_usage_error("--schema goes with the output formats "
		                       "text, nul and json");
	renderer->typed = typed;
	return CLI_OK;
}

void cli_renderer_release(struct cli_renderer *renderer)
{
	cli_template_free(renderer->template);
	renderer->template = NULL;
}

/* ------------------------------------------------------- bytes and a mark */

static void render_bytes(struct cli_output *output,
                         const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(output, frame->size_bytes);

	if (room == NULL)
		return;
	memcpy(room, frame->payload, frame->size_bytes);
	cli_output_advance(output, frame->size_bytes);
}

/* The payload and one byte behind it. */
static void render_ended(struct cli_output *output,
                         const struct shmlog_frame *frame, unsigned char end)
{
	size_t size_bytes = frame->size_bytes;
	unsigned char *room = cli_output_reserve(output, size_bytes + 1);

	if (room == NULL)
		return;
	memcpy(room, frame->payload, size_bytes);
	room[size_bytes] = end;
	cli_output_advance(output, size_bytes + 1);
}

/* For a terminal; every byte that could act on it is spelled out. */
static void render_escaped(struct cli_output *output,
                           const unsigned char *bytes, size_t size_bytes)
{
	unsigned char *room = cli_output_reserve(
		output, size_bytes * CLI_ESCAPE_TERMINAL_MAX);

	if (room != NULL)
		cli_output_advance(
			output, cli_escape_terminal(room, bytes, size_bytes));
}

/* A format of bytes on a terminal: nobody can use it there, but looking at it
 * must do no harm. */
static void render_for_terminal(const struct cli_renderer *renderer,
                                struct cli_output *output,
                                const struct shmlog_frame *frame)
{
	unsigned char encoded[SHMLOG_FRAME_MAX_BYTES];
	const unsigned char *bytes = frame->payload;
	size_t size_bytes = frame->size_bytes;

	if (renderer->format == CLI_FORMAT_FRAMES) {
		size_bytes = shmlog_frame_encode(encoded, bytes, size_bytes);
		bytes = encoded;
	}
	render_escaped(output, bytes, size_bytes);
	if (renderer->format == CLI_FORMAT_TEXT)
		cli_output_bytes(output, "\n", 1);
	else if (renderer->format == CLI_FORMAT_NUL)
		cli_output_bytes(output, "", 1);
}

static void render_frame_bytes(struct cli_output *output,
                               const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(
		output, frame->size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES);

	if (room != NULL)
		cli_output_advance(output,
		                   shmlog_frame_encode(room, frame->payload,
		                                       frame->size_bytes));
}

/* -------------------------------------------------------------------- JSON */

#define PUT(out, text) \
	(memcpy((out), (text), sizeof(text) - 1), (out) + sizeof(text) - 1)

/* More than all that an envelope holds beside the payload. */
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
	return out + cli_put_u64(out, index);
}

/* An envelope without its end, for which there is room. */
static unsigned char *put_envelope(unsigned char *out,
                                   const struct shmlog_frame *frame)
{
	size_t size_bytes = frame->size_bytes;

	out = PUT(out, "{\"cursor\":");
	out += cli_put_u64(out, frame->cursor);
	out = PUT(out, ",\"next\":");
	out += cli_put_u64(out, frame->next_cursor);
	out = PUT(out, ",\"index\":");
	out = put_index(out, frame->index);
	out = PUT(out, ",\"size\":");
	out += cli_put_u64(out, size_bytes);
	if (is_text(frame->payload, size_bytes)) {
		out = PUT(out, ",\"encoding\":\"utf8\",\"payload\":\"");
		out += cli_escape_json(out, frame->payload, size_bytes);
	} else {
		out = PUT(out, ",\"encoding\":\"base64\",\"payload\":\"");
		out += cli_base64_encode((char *)out, frame->payload,
		                         size_bytes);
	}
	return PUT(out, "\"");
}

static unsigned char *reserve_envelope(struct cli_output *output,
                                       const struct shmlog_frame *frame)
{
	return cli_output_reserve(output,
	                          ENVELOPE_BYTES + frame->size_bytes *
	                                                   CLI_ESCAPE_JSON_MAX);
}

static void render_json(struct cli_output *output,
                        const struct shmlog_frame *frame)
{
	unsigned char *room = reserve_envelope(output, frame);
	unsigned char *out;

	if (room == NULL)
		return;
	out = put_envelope(room, frame);
	out = PUT(out, "}\n");
	cli_output_advance(output, (size_t)(out - room));
}

static void render_open_envelope(struct cli_output *output,
                                 const struct shmlog_frame *frame)
{
	unsigned char *room = reserve_envelope(output, frame);

	if (room != NULL)
		cli_output_advance(output,
		                   (size_t)(put_envelope(room, frame) - room));
}

/* A value, or an envelope with one; the envelope of a frame that does not fit
 * says why, in any format. */
static void render_typed(const struct cli_renderer *renderer,
                         struct cli_output *output,
                         const struct shmlog_frame *frame)
{
	struct cli_bendec_error error;
	const struct cli_bendec_type *type = cli_typed_match(renderer->typed,
	                                                     frame, &error);
	const char *end = renderer->format == CLI_FORMAT_NUL ? "" : "\n";

	if (type != NULL && renderer->format != CLI_FORMAT_JSON) {
		cli_typed_print(renderer->typed, type, output, frame, *end);
		return;
	}
	render_open_envelope(output, frame);
	if (type != NULL)
		cli_typed_print_members(renderer->typed, type, output, frame);
	else
		cli_typed_print_error(output, &error);
	cli_output_bytes(output, end, 1);
	if (type == NULL)
		cli_typed_misfit(renderer->typed, output, frame, &error);
}

void cli_render_event(const struct cli_renderer *renderer,
                      struct cli_output *output, const char *name,
                      const char *members)
{
	if (renderer->format == CLI_FORMAT_JSON)
		cli_output_format(output, "{\"event\":\"%s\"%s}\n", name,
		                  members);
}

void cli_render_damage(const struct cli_renderer *renderer,
                       struct cli_output *output,
                       const struct shmlog_fault *fault)
{
	const char *name = shmlog_status_name(fault->status);
	struct cli_fault_text reason;
	unsigned char escaped[sizeof(reason.text) * CLI_ESCAPE_JSON_MAX];
	size_t length;

	if (renderer->format != CLI_FORMAT_JSON)
		return;
	(void)cli_describe_fault(&reason, fault);
	length = cli_escape_json(escaped, (const unsigned char *)reason.text,
	                         strlen(reason.text));
	cli_output_string(output, "{\"event\":\"damage\",\"cursor\":");
	cli_output_u64(output, fault->cursor);
	cli_output_format(output,
	                  ",\"backwards\":%s,\"error\":\"%s\",\"reason\":\"",
	                  fault->backwards ? "true" : "false",
	                  name != NULL ? name : "unknown");
	cli_output_bytes(output, escaped, length);
	cli_output_string(output, "\"}\n");
}

/* --------------------------------------------------------------------- hex */

#define HEX_ROW_BYTES 16u
/* "00000000  " + 16 times "00 " + " " + " |" + 16 + "|\n" */
#define HEX_LINE_BYTES 80u

static unsigned char *put_hex(unsigned char *out, uint32_t value, int digits)
{
	static const char hex[] = "0123456789abcdef";

	while (digits > 0)
		*out++ = (unsigned char)hex[value >> (4 * --digits) & 15];
	return out;
}

/* One line of `count` (1 to 16) bytes, as hexdump -C prints it. */
static unsigned char *put_hex_line(unsigned char *out, uint32_t offset,
                                   const unsigned char *bytes, size_t count)
{
	size_t i;

	out = put_hex(out, offset, 8);
	out = PUT(out, "  ");
	for (i = 0; i < HEX_ROW_BYTES; i++) {
		if (i == HEX_ROW_BYTES / 2)
			*out++ = ' ';
		if (i < count)
			out = put_hex(out, bytes[i], 2);
		else
			out = PUT(out, "  ");
		*out++ = ' ';
	}
	out = PUT(out, " |");
	for (i = 0; i < count; i++)
		*out++ = bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.';
	return PUT(out, "|\n");
}

/* Whole rows that repeat the one before them are shown by one asterisk; the
 * last line is the offset of the end, unless there was nothing. */
static unsigned char *put_hex_lines(unsigned char *out,
                                    const unsigned char *bytes, uint32_t size)
{
	bool squeezing = false;
	uint32_t at;

	for (at = 0; at < size; at += HEX_ROW_BYTES) {
		uint32_t left = size - at;

		if (at > 0 && left >= HEX_ROW_BYTES &&
		    memcmp(bytes + at, bytes + at - HEX_ROW_BYTES,
		           HEX_ROW_BYTES) == 0) {
			if (!squeezing)
				out = PUT(out, "*\n");
			squeezing = true;
			continue;
		}
		squeezing = false;
		out = put_hex_line(out, at, bytes + at,
		                   left < HEX_ROW_BYTES ? left : HEX_ROW_BYTES);
	}
	if (size > 0) {
		out = put_hex(out, size, 8);
		*out++ = '\n';
	}
	return out;
}

static void render_hex(struct cli_output *output,
                       const struct shmlog_frame *frame)
{
	size_t rows = frame->size_bytes / HEX_ROW_BYTES + 2;
	unsigned char *room;
	unsigned char *out;

	cli_output_string(output, "cursor ");
	cli_output_u64(output, frame->cursor);
	cli_output_string(output, " size ");
	cli_output_u64(output, frame->size_bytes);
	cli_output_string(output, "\n");
	room = cli_output_reserve(output, rows * HEX_LINE_BYTES);
	if (room == NULL)
		return;
	out = put_hex_lines(room, frame->payload, frame->size_bytes);
	cli_output_advance(output, (size_t)(out - room));
}

/* --------------------------------------------------------------- rendering */

void cli_render_frame(const struct cli_renderer *renderer,
                      struct cli_output *output,
                      const struct shmlog_frame *frame)
{
	bool bytes = renderer->format != CLI_FORMAT_JSON &&
	             renderer->format != CLI_FORMAT_HEX &&
	             renderer->format != CLI_FORMAT_TEMPLATE;

	if (renderer->typed != NULL) {
		render_typed(renderer, output, frame);
		return;
	}
	if (renderer->escape && bytes) {
		render_for_terminal(renderer, output, frame);
		return;
	}
	switch (renderer->format) {
	case CLI_FORMAT_TEXT: render_ended(output, frame, '\n'); break;
	case CLI_FORMAT_NUL: render_ended(output, frame, '\0'); break;
	case CLI_FORMAT_JSON: render_json(output, frame); break;
	case CLI_FORMAT_HEX: render_hex(output, frame); break;
	case CLI_FORMAT_FRAMES: render_frame_bytes(output, frame); break;
	case CLI_FORMAT_RAW: render_bytes(output, frame); break;
	case CLI_FORMAT_TEMPLATE:
		cli_template_render(renderer->template, output, frame,
		                    renderer->escape);
		break;
	}
}

/* Bytes that a batch takes at most, up to which it gets its room at once. */
#define BATCH_BYTES ((size_t)512 << 10)

/*
 * Many payloads with one byte behind each.  The frames of a batch are
 * neighbours, so the range that they cover bounds what is written: a frame
 * has four bytes beside its payload.  False, and nothing is written, if that
 * is too much at once.
 */
static bool render_ended_batch(struct cli_output *output,
                               const struct shmlog_frame *frames, size_t count,
                               unsigned char end)
{
	uint64_t most = frames[count - 1].next_cursor - frames[0].cursor;
	unsigned char *room = NULL;
	unsigned char *out;
	size_t i;

	if (most <= BATCH_BYTES)
		room = cli_output_reserve(output, (size_t)most);
	if (room == NULL)
		return false;
	out = room;
	for (i = 0; i < count; i++) {
		memcpy(out, frames[i].payload, frames[i].size_bytes);
		out += frames[i].size_bytes;
		*out++ = end;
	}
	cli_output_advance(output, (size_t)(out - room));
	return true;
}

void cli_render_frames(const struct cli_renderer *renderer,
                       struct cli_output *output,
                       const struct shmlog_frame *frames, size_t count)
{
	bool text = renderer->format == CLI_FORMAT_TEXT;
	bool as_is = !renderer->escape && renderer->typed == NULL;
	size_t i;

	if (count == 0)
		return;
	if (as_is && (text || renderer->format == CLI_FORMAT_NUL) &&
	    render_ended_batch(output, frames, count, text ? '\n' : '\0'))
		return;
	for (i = 0; i < count; i++) {
		if (renderer->typed != NULL &&
		    renderer->format != CLI_FORMAT_JSON)
			i += cli_typed_print_plain(renderer->typed, output,
			                           frames + i, count - i,
			                           text ? '\n' : '\0');
		if (i < count)
			cli_render_frame(renderer, output, &frames[i]);
	}
}
