/* Decoding UTF-8, and telling which characters are safe to show. */
#ifndef CLI_UTF8_H
#define CLI_UTF8_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
