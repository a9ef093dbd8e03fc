/* UTF-8, escaping, base64 and JSON strings: bytes to safe text. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number in decimal digits, at most CLI_U64_MAX of them, without a NUL.
 * Returns the bytes written. */
size_t cli_put_u64(unsigned char *out, uint64_t value);
#define CLI_U64_MAX 20u

/* The length of the well-formed UTF-8 sequence (RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF) at the start of `bytes`, with its
 * code point, or 0 if there is none. */
size_t cli_utf8_decode(const unsigned char *bytes, size_t size_bytes,
                       unsigned *code_point_out);
bool cli_utf8_is_valid(const unsigned char *bytes, size_t size_bytes);

/* Whether a code point must not reach a terminal or a JSON string as it
 * stands: C0, DEL, C1, bidi controls, zero-width and other invisible or
 * format characters, line and paragraph separators, noncharacters. */
bool cli_code_point_is_unsafe(unsigned code_point);

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

/* Standard base64 with padding (RFC 4648).  Writes cli_base64_size(). */
size_t cli_base64_encode(char *out, const unsigned char *bytes,
                         size_t size_bytes);
size_t cli_base64_size(size_t size_bytes);
/* Strict: the standard alphabet, padded, no blanks, no stray bits.  `out` has
 * room for 3 bytes per 4 characters and may be where the text is.  False if
 * the text is not base64. */
bool cli_base64_decode(unsigned char *out, size_t *size_out, const char *text,
                       size_t text_bytes);

#endif
