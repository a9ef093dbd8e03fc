/* Templates, the -t option: compiled once, rendered for each frame. */
#include "template.h"

#include "base64.h"
#include "color.h"
#include "command.h"
#include "completion.h"
#include "digits.h"
#include "escape.h"
#include "failure.h"
#include "message.h"
#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece is a letter of the grammar, or LITERAL for bytes that stand for
 * themselves. */
#define LITERAL '\0'

static const struct {
	char letter;
	const char *name;
} fields[] = {
	{'c', "cursor"},
	{'x', "cursor of the next frame"},
	{'i', "index"},
	{'s', "size"},
	{'p', "payload"},
	{'b', "payload in base64"},
	{'j', "payload as a JSON string"},
	{'f', "name of the log"},
	{'l', "\"late\" for a frame that comes too late"},
	{'t', "when it was seen"},
	{'T', "when it was seen, in seconds"},
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

struct piece {
	char kind;
	size_t start; /* of a literal's bytes in template->literals */
	size_t size_bytes;
};

struct cli_template {
	struct piece *pieces;
	size_t count;
	unsigned char *literals;
	size_t literal_bytes;
};

/* Adds a byte that stands for itself, to the literal before it if there is
 * one: the number of pieces stays below the length of the text. */
static void add_literal(struct cli_template *template, char byte)
{
	struct piece *last = &template->pieces[template->count];

	if (template->count == 0 || last[-1].kind != LITERAL) {
		*last = (struct piece){LITERAL, template->literal_bytes, 0};
		template->count++;
	} else {
		last--;
	}
	last->size_bytes++;
	template->literals[template->literal_bytes++] = (unsigned char)byte;
}

static int refuse_sequence(const char *sequence)
{
	struct cli_quoted quoted;
	unsigned point;
	size_t length = strlen(sequence + 1);

	if (length == 0)
		return cli_usage_error("the template ends in a lone %s",
		                       cli_quote(&quoted, sequence));
	length = cli_utf8_decode((const unsigned char *)sequence + 1, length,
	                         &point);
	cli_quote_bytes(&quoted, sequence, 1 + (length > 0 ? length : 1));
	return cli_usage_error("unknown %s in the template; known are %%c %%x "
	                       "%%i %%s %%p %%b %%j %%f %%l %%t %%T %%%% \\n "
	                       "\\t \\0 \\\\",
	                       quoted.text);
}

static bool is_field(char letter)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].letter == letter)
			return true;
	}
	return false;
}

/* Takes a % or \ and what follows it.  False if that is unknown. */
static bool add_sequence(struct cli_template *template, const char *sequence)
{
	char next = sequence[1];

	if (next == '\0')
		return false;
	if (sequence[0] == '%' && is_field(next))
		template->pieces[template->count++] = (struct piece){next, 0,
		                                                     0};
	else if (next == sequence[0])
		add_literal(template, next);
	else if (sequence[0] == '\\' && next == 'n')
		add_literal(template, '\n');
	else if (sequence[0] == '\\' && next == 't')
		add_literal(template, '\t');
	else if (sequence[0] == '\\' && next == '0')
		add_literal(template, '\0');
	else
		return false;
	return true;
}

static struct cli_template *new_template(size_t text_bytes)
{
	struct cli_template *template = calloc(1, sizeof(*template));

	if (template == NULL)
		return NULL;
	template->pieces = calloc(text_bytes + 1, sizeof(*template->pieces));
	template->literals = malloc(text_bytes + 1);
	if (template->pieces == NULL || template->literals == NULL) {
		cli_template_free(template);
		return NULL;
	}
	return template;
}

int cli_template_compile(const char *text, struct cli_template **template_out)
{
	struct cli_template *template = new_template(strlen(text));

	if (template == NULL)
		return cli_fail(NULL, "cannot keep the template", -ENOMEM);
	while (*text != '\0') {
		if (*text != '%' && *text != '\\') {
			add_literal(template, *text++);
			continue;
		}
		if (!add_sequence(template, text)) {
			cli_template_free(template);
			return refuse_sequence(text);
		}
		text += 2;
	}
	*template_out = template;
	return CLI_OK;
}

void cli_template_free(struct cli_template *template)
{
	if (template == NULL)
		return;
	free(template->pieces);
	free(template->literals);
	free(template);
}

bool cli_template_has_times(const struct cli_template *template)
{
	for (size_t i = 0; i < template->count; i++) {
		if (template->pieces[i].kind == 't' ||
		    template->pieces[i].kind == 'T')
			return true;
	}
	return false;
}

static void render_bytes(struct cli_output *output, const unsigned char *bytes,
                         size_t size_bytes, bool escape)
{
	unsigned char *room;

	if (!escape) {
		cli_output_bytes(output, bytes, size_bytes);
		return;
	}
	room = cli_output_reserve(output, size_bytes * CLI_ESCAPE_TERMINAL_MAX);
	if (room != NULL)
		cli_output_advance(
			output, cli_escape_terminal(room, bytes, size_bytes));
}

static void render_base64(struct cli_output *output,
                          const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(
		output, cli_base64_size(frame->size_bytes));

	if (room != NULL)
		cli_output_advance(
			output, cli_base64_encode((char *)room, frame->payload,
		                                  frame->size_bytes));
}

static void render_json_string(struct cli_output *output,
                               const struct shmlog_frame *frame)
{
	unsigned char *room = cli_output_reserve(
		output, (size_t)frame->size_bytes * CLI_ESCAPE_JSON_MAX + 2);
	size_t used;

	if (room == NULL)
		return;
	room[0] = '"';
	used = cli_escape_json(room + 1, frame->payload, frame->size_bytes);
	room[1 + used] = '"';
	cli_output_advance(output, used + 2);
}

static void render_index(struct cli_output *output, uint64_t index)
{
	if (index == SHMLOG_INDEX_UNKNOWN)
		cli_output_string(output, "-");
	else
		cli_output_u64(output, index);
}

static void render_cursor(struct cli_output *output, uint64_t cursor,
                          bool color)
{
	unsigned style = color ? CLI_STYLE_CURSOR : CLI_STYLE_PLAIN;

	cli_output_string(output, cli_style_begin(style));
	cli_output_u64(output, cursor);
	cli_output_string(output, cli_style_end(style));
}

void cli_template_render(const struct cli_template *template,
                         struct cli_output *output, const char *log,
                         const struct shmlog_frame *frame,
                         const struct cli_seen_time *seen, bool late,
                         bool escape, bool color)
{
	size_t i;

	for (i = 0; i < template->count; i++) {
		const struct piece *piece = &template->pieces[i];

		switch (piece->kind) {
		case 'c': render_cursor(output, frame->cursor, color); break;
		case 'x':
			render_cursor(output, frame->next_cursor, color);
			break;
		case 'i': render_index(output, frame->index); break;
		case 's': cli_output_u64(output, frame->size_bytes); break;
		case 'p':
			render_bytes(output, frame->payload, frame->size_bytes,
			             escape);
			break;
		case 'f':
			render_bytes(output, (const unsigned char *)log,
			             strlen(log), escape);
			break;
		case 't': cli_output_string(output, seen->iso); break;
		case 'T': cli_output_string(output, seen->epoch); break;
		case 'l': cli_output_string(output, late ? "late" : ""); break;
		case 'b': render_base64(output, frame); break;
		case 'j': render_json_string(output, frame); break;
		default:
			cli_output_bytes(output,
			                 template->literals + piece->start,
			                 piece->size_bytes);
		}
	}
}

void cli_template_offer(struct cli_completion *completion)
{
	const char *value = cli_completion_value(completion);
	size_t bytes = strlen(value);
	bool begun = bytes > 0 && value[bytes - 1] == '%';
	char text[1024];

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		int length = snprintf(text, sizeof(text), "%s%s%c", value,
		                      begun ? "" : "%", fields[i].letter);

		if (length < (int)sizeof(text))
			cli_offer_part(completion, text, fields[i].name);
	}
}

/* ------------------------------------------------------------ many at once */

/* The most room that a batch is rendered into. */
#define BATCH_ROOM_BYTES ((size_t)768 << 10)

/* How much room frames take at most: this for each of them, and some times the
 * bytes of its payload. */
struct room {
	size_t fixed_bytes;
	size_t times;
};

static struct room measure(const struct cli_template *template, const char *log)
{
	struct room room = {0, 0};

	for (size_t i = 0; i < template->count; i++) {
		switch (template->pieces[i].kind) {
		case LITERAL:
			room.fixed_bytes += template->pieces[i].size_bytes;
			break;
		case 'p': room.times++; break;
		case 'b':
			/* The last group is as long as the others. */
			room.fixed_bytes += 4;
			room.times += 2;
			break;
		case 'j':
			room.fixed_bytes += 2;
			room.times += CLI_ESCAPE_JSON_MAX;
			break;
		case 'f': room.fixed_bytes += strlen(log); break;
		case 't':
		case 'T':
			room.fixed_bytes += sizeof(struct cli_seen_time);
			break;
		default: room.fixed_bytes += CLI_DIGITS_ROOM; break;
		}
	}
	return room;
}

static unsigned char *put_bytes(unsigned char *out, const void *bytes,
                                size_t size_bytes)
{
	memcpy(out, bytes, size_bytes);
	return out + size_bytes;
}

static unsigned char *put_json_string(unsigned char *out,
                                      const struct shmlog_frame *frame)
{
	*out++ = '"';
	out += cli_escape_json(out, frame->payload, frame->size_bytes);
	*out++ = '"';
	return out;
}

static unsigned char *put_index(unsigned char *out, uint64_t index)
{
	if (index != SHMLOG_INDEX_UNKNOWN)
		return cli_put_digits(out, index);
	*out++ = '-';
	return out;
}

/* Renders a frame; `room` was enough for it. */
static unsigned char *put_frame(const struct cli_template *template,
                                unsigned char *out, const char *log,
                                const struct shmlog_frame *frame,
                                const struct cli_seen_time *seen)
{
	const struct piece *piece = template->pieces;

	for (size_t left = template->count; left > 0; left--, piece++) {
		switch (piece->kind) {
		case 'c': out = cli_put_digits(out, frame->cursor); break;
		case 'x': out = cli_put_digits(out, frame->next_cursor); break;
		case 'i': out = put_index(out, frame->index); break;
		case 's': out = cli_put_digits(out, frame->size_bytes); break;
		case 'p':
			out = put_bytes(out, frame->payload, frame->size_bytes);
			break;
		case 'f': out = put_bytes(out, log, strlen(log)); break;
		case 't':
			out = put_bytes(out, seen->iso, strlen(seen->iso));
			break;
		case 'T':
			out = put_bytes(out, seen->epoch, strlen(seen->epoch));
			break;
		case 'l': break;
		case 'b':
			out += cli_base64_encode((char *)out, frame->payload,
			                         frame->size_bytes);
			break;
		case 'j': out = put_json_string(out, frame); break;
		default:
			out = put_bytes(out, template->literals + piece->start,
			                piece->size_bytes);
		}
	}
	return out;
}

bool cli_template_render_batch(const struct cli_template *template,
                               struct cli_output *output, const char *log,
                               const struct shmlog_frame *frames, size_t count,
                               const struct cli_seen_time *seen)
{
	struct room each = measure(template, log);
	uint64_t covered = frames[count - 1].next_cursor - frames[0].cursor;
	unsigned char *room, *out;

	if (each.fixed_bytes > BATCH_ROOM_BYTES / count ||
	    (each.times > 0 && covered > BATCH_ROOM_BYTES / each.times) ||
	    each.fixed_bytes * count + each.times * covered > BATCH_ROOM_BYTES)
		return false;
	room = cli_output_reserve(output, each.fixed_bytes * count +
	                                          each.times * (size_t)covered +
	                                          CLI_DIGITS_ROOM);
	if (room == NULL)
		return false;
	out = room;
	for (size_t i = 0; i < count; i++)
		out = put_frame(template, out, log, &frames[i], seen);
	cli_output_advance(output, (size_t)(out - room));
	return true;
}
