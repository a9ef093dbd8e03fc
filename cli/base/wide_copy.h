/*
 * Copies of some 100 bytes, such as a line has, in wide steps that go beyond
 * their end.  memcpy() takes three times as long for that, most of which is its
 * start.
 */
#ifndef CLI_WIDE_COPY_H
#define CLI_WIDE_COPY_H

#include <stddef.h>
#include <string.h>

/* Bytes that a wide copy may read and write behind its end. */
#define CLI_WIDE_BEYOND 63u

/* Copies `size_bytes` bytes, and some of those behind them. */
static inline void cli_copy_wide(unsigned char *out, const unsigned char *bytes,
                                 size_t size_bytes)
{
	for (size_t at = 0; at < size_bytes; at += CLI_WIDE_BEYOND + 1)
		memcpy(out + at, bytes + at, CLI_WIDE_BEYOND + 1);
}

#endif
