/*
 * Copies of some 100 bytes, such as a line has, in wide steps that go beyond
 * their end.  memchr() and memcpy() take three times as long for that, most of
 * which is their start.
 */
#ifndef CLI_WIDE_COPY_H
#define CLI_WIDE_COPY_H

#include <stddef.h>
#include <string.h>

#if defined(__SSE2__) && !defined(SHMLOG_PORTABLE)
#include <emmintrin.h>
#define CLI_COPY_WIDE 32u /* bytes at a time */
#endif

/* Bytes that a wide copy may read and write behind its end. */
#define CLI_WIDE_BEYOND 63u

/* Copies `size_bytes` bytes, and some of those behind them. */
static inline void cli_copy_wide(unsigned char *out, const unsigned char *bytes,
                                 size_t size_bytes)
{
	for (size_t at = 0; at < size_bytes; at += CLI_WIDE_BEYOND + 1)
		memcpy(out + at, bytes + at, CLI_WIDE_BEYOND + 1);
}

/*
 * Copies the bytes before the first delimiter, and returns how many these are:
 * `size_bytes` if there is none.  `out` has room for `size_bytes`, all of which
 * may be written to, and does not overlap `bytes`.
 */
static inline size_t cli_copy_until_plain(unsigned char *out,
                                          const unsigned char *bytes,
                                          size_t size_bytes,
                                          unsigned char delimiter)
{
	const unsigned char *found = memchr(bytes, delimiter, size_bytes);
	size_t length = found != NULL ? (size_t)(found - bytes) : size_bytes;

	memcpy(out, bytes, length);
	return length;
}

#ifdef CLI_COPY_WIDE

/* A bit for each of CLI_COPY_WIDE bytes that is the delimiter; they are copied.
 * Every x86-64 processor can do this.  Wider instructions gain nothing: lines
 * are short, so the loop's end counts more than its steps. */
static inline unsigned cli_copy_step(unsigned char *out,
                                     const unsigned char *bytes, __m128i wanted)
{
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)bytes);
	__m128i high = _mm_loadu_si128(
		(const __m128i *)(const void *)(bytes + CLI_COPY_WIDE / 2));

	_mm_storeu_si128((__m128i *)(void *)out, low);
	_mm_storeu_si128((__m128i *)(void *)(out + CLI_COPY_WIDE / 2), high);
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(low, wanted)) |
	       (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(high, wanted)) << 16;
}

static inline size_t cli_copy_until(unsigned char *out,
                                    const unsigned char *bytes,
                                    size_t size_bytes, unsigned char delimiter)
{
	const __m128i wanted = _mm_set1_epi8((char)delimiter);
	size_t at = 0;

	for (; size_bytes - at >= CLI_COPY_WIDE; at += CLI_COPY_WIDE) {
		unsigned found = cli_copy_step(out + at, bytes + at, wanted);

		if (found != 0)
			return at + (size_t)__builtin_ctz(found);
	}
	return at + cli_copy_until_plain(out + at, bytes + at, size_bytes - at,
	                                 delimiter);
}

#else
#define cli_copy_until cli_copy_until_plain
#endif

#endif
