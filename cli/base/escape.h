/* Escaping bytes for a terminal or for a JSON string. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include "escape_quick.h"

#include <stdbool.h>
#include <stddef.h>

/* Each function writes at most MAX bytes for each byte of the input (MAX is
 * given with the function), and returns the number of bytes written. */

/* Escapes for a terminal: unsafe characters and invalid bytes become \n, \t,
 * \x1b or \u{202e}; all others stay as they are.  MAX 8. */
size_t cli_escape_terminal(unsigned char *out, const unsigned char *bytes,
                           size_t size_bytes);
#define CLI_ESCAPE_TERMINAL_MAX 8u

/* Writes the inside of a JSON string, without the quotes: unsafe characters
 * become \uXXXX (a surrogate pair above U+FFFF).  A byte that is no part of
 * valid UTF-8 becomes the lone surrogate \udcXX, XX being the byte.  No valid
 * text yields such a surrogate, so nothing is lost.  MAX 6. */
size_t cli_escape_json(unsigned char *out, const unsigned char *bytes,
                       size_t size_bytes);
#define CLI_ESCAPE_JSON_MAX 6u
/* The same without escape_quick.h, as it is on processors that it is not for;
 * for tests. */
size_t cli_escape_json_slowly(unsigned char *out, const unsigned char *bytes,
                              size_t size_bytes);

/*
 * Writes text, which is valid UTF-8 without a NUL, as cli_escape_json() does,
 * and moves *out behind it.  False for any other bytes: *out stays, but behind
 * it anything may be written.  `readable_bytes`, `size_bytes` or more, may be
 * read, and `*out` has room for CLI_ESCAPE_ROOM(size_bytes).
 */
bool cli_escape_json_text(unsigned char **out, const unsigned char *bytes,
                          size_t size_bytes, size_t readable_bytes);
#define CLI_ESCAPE_ROOM(size_bytes) \
	((size_bytes)*CLI_ESCAPE_JSON_MAX + CLI_ESCAPE_BEYOND)
/* The same without escape_quick.h, for tests. */
bool cli_escape_json_text_slowly(unsigned char **out,
                                 const unsigned char *bytes, size_t size_bytes);

#endif
