/* Escaping bytes for a terminal or for a JSON string. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

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

#endif
