/*
 * Building a text, safe for a terminal, in a buffer of a fixed size; and
 * quoting.  A text that does not fit is cut and ends in "...".
 */
#ifndef CLI_BOUNDED_TEXT_H
#define CLI_BOUNDED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A text under construction, in a buffer that is always terminated. */
struct cli_text {
	char *buffer;
	size_t capacity;
	size_t used;
	bool cut;
};

/* The capacity is at least 8 bytes. */
void cli_text_init(struct cli_text *text, char *buffer, size_t capacity);

/* Adds bytes that are safe already: all of them or, if they do not fit, the
 * "..." of a cut, after which nothing more is added.  Room for that and the
 * terminator is always left. */
void cli_text_bytes(struct cli_text *text, const char *bytes,
                    size_t size_bytes);
void cli_text_string(struct cli_text *text, const char *string);

/* Adds untrusted bytes, escaped for a terminal. */
void cli_text_escaped(struct cli_text *text, const void *bytes,
                      size_t size_bytes);

/* Puts a text in single quotes, escaped and cut to a reasonable length, into
 * the caller's buffer.  Returns the buffer's text. */
struct cli_quoted {
	char text[256];
};
const char *cli_quote(struct cli_quoted *buffer, const char *text);
const char *cli_quote_bytes(struct cli_quoted *buffer, const void *bytes,
                            size_t size_bytes);

#endif
