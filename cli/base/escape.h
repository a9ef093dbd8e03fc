/* Bytes as text that is safe on a terminal or inside a JSON string. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <stddef.h>

/* Each function below writes at most MAX times the input's size (given per
 * function) and returns the bytes written. */

/* For a terminal: unsafe characters and invalid bytes as \n, \t, \x1b or
 * \u{202e}; everything else as it stands.  MAX 8. */
size_t cli_escape_terminal(unsigned char *out, const unsigned char *bytes,
                           size_t size_bytes);
#define CLI_ESCAPE_TERMINAL_MAX 8u

/* The inside of a JSON string, without the quotes: unsafe characters as \uXXXX
 * (a surrogate pair above U+FFFF).  A byte that is no part of valid UTF-8
 * becomes the lone surrogate \udcXX, XX being the byte: no valid text yields
 * one, so nothing is lost.  MAX 6. */
size_t cli_escape_json(unsigned char *out, const unsigned char *bytes,
                       size_t size_bytes);
#define CLI_ESCAPE_JSON_MAX 6u

#endif
