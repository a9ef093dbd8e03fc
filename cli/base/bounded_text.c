/* Builds texts in a buffer of a fixed size, and quotes. */
#include "bounded_text.h"

#include "escape.h"
#include "utf8.h"

#include <string.h>

#define CUT_MARK "..."

void cli_text_init(struct cli_text *text, char *buffer, size_t capacity)
{
	text->buffer = buffer;
	text->capacity = capacity;
	text->used = 0;
	text->cut = false;
	buffer[0] = '\0';
}

void cli_text_bytes(struct cli_text *text, const char *bytes, size_t size_bytes)
{
	size_t room = text->capacity - text->used;

	if (text->cut)
		return;
	if (size_bytes >= room - strlen(CUT_MARK)) {
		text->cut = true;
		bytes = CUT_MARK;
		size_bytes = strlen(CUT_MARK);
	}
	memcpy(text->buffer + text->used, bytes, size_bytes);
	text->used += size_bytes;
	text->buffer[text->used] = '\0';
}

void cli_text_string(struct cli_text *text, const char *string)
{
	cli_text_bytes(text, string, strlen(string));
}

static bool fits(const struct cli_text *text, size_t size_bytes)
{
	return size_bytes < text->capacity - text->used - strlen(CUT_MARK);
}

/* How many bytes from `bytes` on are printable ASCII, which needs no escape:
 * most of a message. */
static size_t plain_bytes(const unsigned char *bytes, size_t size_bytes)
{
	size_t count = 0;

	while (count < size_bytes && bytes[count] >= 0x20 &&
	       bytes[count] < 0x7f)
		count++;
	return count;
}

/* One character at a time, so that a cut never splits an escape. */
void cli_text_escaped(struct cli_text *text, const void *bytes,
                      size_t size_bytes)
{
	const unsigned char *at = bytes;
	unsigned char escaped[4 * CLI_ESCAPE_TERMINAL_MAX];

	while (size_bytes > 0 && !text->cut) {
		size_t plain = plain_bytes(at, size_bytes);

		if (plain > 0 && fits(text, plain)) {
			cli_text_bytes(text, (const char *)at, plain);
			at += plain;
			size_bytes -= plain;
			continue;
		}
		unsigned code_point;
		size_t step = cli_utf8_decode(at, size_bytes, &code_point);

		if (step == 0)
			step = 1;

		size_t used = cli_escape_terminal(escaped, at, step);

		cli_text_bytes(text, (const char *)escaped, used);
		at += step;
		size_bytes -= step;
	}
}

const char *cli_quote_bytes(struct cli_quoted *buffer, const void *bytes,
                            size_t size_bytes)
{
	const char *at = bytes;
	const char *end = at + size_bytes;
	struct cli_text text;

	/* Room for the closing quote is kept back, so that it follows even a
	 * text that was cut. */
	cli_text_init(&text, buffer->text, sizeof(buffer->text) - 1);
	cli_text_string(&text, "'");
	while (at < end && !text.cut) {
		const char *quote = memchr(at, '\'', (size_t)(end - at));
		const char *stop = quote ? quote : end;

		cli_text_escaped(&text, at, (size_t)(stop - at));
		if (quote)
			cli_text_string(&text, "\\'");
		at = quote ? quote + 1 : end;
	}
	memcpy(buffer->text + text.used, "'", 2);
	return buffer->text;
}

const char *cli_quote(struct cli_quoted *buffer, const char *text)
{
	return cli_quote_bytes(buffer, text, strlen(text));
}
