/* Escaping text for JSON, where the processor has wide instructions. */
#ifndef CLI_ESCAPE_QUICK_H
#define CLI_ESCAPE_QUICK_H

#include <stddef.h>

/* Bytes that are escaped at a time, and how many are then written. */
#define CLI_ESCAPE_BLOCK 32u
#define CLI_ESCAPE_BEYOND 64u

/*
 * Writes bytes as they stand inside of a JSON string, up to the first one that
 * needs more than a backslash or a closer look, and moves *out behind what they
 * became.  Returns how many bytes were taken: none on a processor that is not
 * one for this.  `readable_bytes`, `size_bytes` or more, may be read; it is
 * faster where these are some more.  `*out` has room for CLI_ESCAPE_BEYOND more
 * than twice the bytes.
 */
size_t cli_escape_quickly(unsigned char **out, const unsigned char *bytes,
                          size_t size_bytes, size_t readable_bytes);

#endif
