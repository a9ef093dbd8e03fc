/* Gives bytes of a text their styles, and writes them. */
#include "paint.h"

#include "color.h"
#include "out_formats.h"
#include "stdout_buffer.h"

#include <stdlib.h>
#include <string.h>

void cli_paint_release(struct cli_paint *paint)
{
	free(paint->styles);
	paint->styles = NULL;
	paint->room_bytes = 0;
}

bool cli_paint_begin(struct cli_paint *paint, size_t size_bytes)
{
	if (size_bytes > paint->room_bytes) {
		unsigned char *styles = realloc(paint->styles, size_bytes);

		if (styles == NULL)
			return false;
		paint->styles = styles;
		paint->room_bytes = size_bytes;
	}
	if (size_bytes > 0)
		memset(paint->styles, CLI_STYLE_PLAIN, size_bytes);
	return true;
}

/* -------------------------------------------------------------------- JSON */

static bool is_in(unsigned char byte, const char *set)
{
	return byte != '\0' && strchr(set, byte) != NULL;
}

/* The end of the string whose quote stands at `at`. */
static size_t end_of_string(const unsigned char *bytes, size_t size_bytes,
                            size_t at)
{
	for (at++; at < size_bytes && bytes[at] != '"'; at++)
		at += bytes[at] == '\\';
	return at < size_bytes ? at + 1 : size_bytes;
}

static bool is_key(const unsigned char *bytes, size_t size_bytes, size_t end)
{
	while (end < size_bytes && is_in(bytes[end], " \t\r\n"))
		end++;
	return end < size_bytes && bytes[end] == ':';
}

/* Whether a key is one of an envelope whose value is a cursor. */
static bool is_cursor_key(const unsigned char *key, size_t size_bytes)
{
	return (size_bytes == 8 && memcmp(key, "\"cursor\"", 8) == 0) ||
	       (size_bytes == 6 && memcmp(key, "\"next\"", 6) == 0);
}

void cli_paint_json(struct cli_paint *paint, const unsigned char *bytes,
                    size_t size_bytes, bool cursors)
{
	enum cli_style number = CLI_STYLE_NUMBER;
	size_t depth = 0, end;

	for (size_t at = 0; at < size_bytes; at = end) {
		enum cli_style style = CLI_STYLE_PLAIN;

		end = at + 1;
		if (bytes[at] == '"') {
			end = end_of_string(bytes, size_bytes, at);
			style = CLI_STYLE_STRING;
			if (is_key(bytes, size_bytes, end)) {
				style = CLI_STYLE_KEY;
				number = cursors && depth == 1 &&
				                         is_cursor_key(
								 bytes + at,
								 end - at)
				                 ? CLI_STYLE_CURSOR
				                 : CLI_STYLE_NUMBER;
			}
		} else if (is_in(bytes[at], "-0123456789")) {
			while (end < size_bytes &&
			       is_in(bytes[end], "+-.0123456789eE"))
				end++;
			style = number;
		} else if (bytes[at] >= 'a' && bytes[at] <= 'z') {
			while (end < size_bytes && bytes[end] >= 'a' &&
			       bytes[end] <= 'z')
				end++;
			style = CLI_STYLE_WORD;
		} else if (is_in(bytes[at], "[{")) {
			depth++;
		} else if (is_in(bytes[at], "]}")) {
			depth -= depth > 0;
		}
		memset(paint->styles + at, (int)style, end - at);
	}
}

/* ----------------------------------------------------------------- matches */

/* Whether a sequence at a place would split a character. */
static bool is_inside(const unsigned char *bytes, size_t size_bytes, size_t at)
{
	return at < size_bytes && (bytes[at] & 0xc0) == 0x80;
}

void cli_paint_matches(struct cli_paint *paint, const unsigned char *bytes,
                       size_t size_bytes, const struct cli_match_finder *finder)
{
	size_t at = 0, begin, end;

	while (at < size_bytes && finder->find(finder->context, bytes,
	                                       size_bytes, at, &begin, &end)) {
		bool empty = end <= begin;

		/* A pattern of bytes may match a part of a character. */
		while (!empty && begin > 0 &&
		       is_inside(bytes, size_bytes, begin))
			begin--;
		end += empty;
		while (is_inside(bytes, size_bytes, end))
			end++;
		if (!empty)
			memset(paint->styles + begin, CLI_STYLE_MATCH,
			       end - begin);
		at = end > at ? end : at + 1;
	}
}

/* ----------------------------------------------------------------- writing */

void cli_paint_write(const struct cli_paint *paint, struct cli_output *output,
                     const unsigned char *bytes, size_t size_bytes, bool escape)
{
	size_t end;

	for (size_t at = 0; at < size_bytes; at = end) {
		unsigned style = paint->styles[at];

		end = at + 1;
		while (end < size_bytes && paint->styles[end] == style)
			end++;
		cli_output_string(output, cli_style_begin(style));
		if (escape)
			cli_out_escaped(output, bytes + at, end - at);
		else
			cli_output_bytes(output, bytes + at, end - at);
		cli_output_string(output, cli_style_end(style));
	}
}

void cli_paint_string(struct cli_output *output, unsigned style,
                      const char *text)
{
	cli_output_string(output, cli_style_begin(style));
	cli_output_string(output, text);
	cli_output_string(output, cli_style_end(style));
}
