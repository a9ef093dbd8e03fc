/* Encoding and decoding base64. */
#ifndef CLI_BASE64_H
#define CLI_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Standard base64 with padding (RFC 4648).  Writes cli_base64_size()
 * characters, without a NUL, and returns their number. */
size_t cli_base64_encode(char *out, const unsigned char *bytes,
                         size_t size_bytes);
size_t cli_base64_size(size_t size_bytes);
/* Decodes strictly: the standard alphabet, padded, no blanks, unused bits zero.
 * `out` must have room for 3 bytes per 4 characters; it may be the buffer of
 * the text itself.  False if the text is not base64. */
bool cli_base64_decode(unsigned char *out, size_t *size_out, const char *text,
                       size_t text_bytes);

#endif
