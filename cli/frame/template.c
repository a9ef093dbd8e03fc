/* Templates, the -t option: compiled once, rendered for each frame. */
#include "template.h"

#include "base64.h"
#include "color.h"
#include "command.h"
#include "completion.h"
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
