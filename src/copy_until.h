/*
 * Copies bytes up to a delimiter: some 100, as a line has, in wide steps that
 * look for it and copy at once.  memchr() and memcpy() take three times as long
 * for that, most of which is their start.
 */
#ifndef SHMLOG_COPY_UNTIL_H
#define SHMLOG_COPY_UNTIL_H

#include "processor.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The ways to do it, which all copy the same bytes. */
enum shmlog_copy_way {
	SHMLOG_COPY_PLAIN,
	SHMLOG_COPY_16, /* in steps of so many bytes, two at a time */
	SHMLOG_COPY_32,
	SHMLOG_COPY_WAYS
};

#if defined(__SSE2__) && defined(__GNUC__)
#include <immintrin.h>
#define SHMLOG_COPY_IN_STEPS
#define SHMLOG_COPY_STEP 32u /* bytes */
/* Of a function that calls shmlog_copy_until_32(). */
#define SHMLOG_COPY_AVX2 __attribute__((target("avx2,bmi")))
#endif

/*
 * Copies the bytes before the first delimiter, and returns how many these are:
 * `size_bytes` if there is none.  `out` has room for `size_bytes`, all of which
 * may be written to, and does not overlap `bytes`.
 */
static inline size_t shmlog_copy_until_plain(unsigned char *out,
                                             const unsigned char *bytes,
                                             size_t size_bytes,
                                             unsigned char delimiter)
{
	const unsigned char *found = memchr(bytes, delimiter, size_bytes);
	size_t length = found != NULL ? (size_t)(found - bytes) : size_bytes;

	memcpy(out, bytes, length);
	return length;
}

#ifdef SHMLOG_COPY_IN_STEPS

/* The same, as every x86-64 processor can do it. */
static inline size_t shmlog_copy_until_16(unsigned char *out,
                                          const unsigned char *bytes,
                                          size_t size_bytes,
                                          unsigned char delimiter)
{
	const unsigned half = SHMLOG_COPY_STEP / 2;
	const __m128i wanted = _mm_set1_epi8((char)delimiter);
	size_t at = 0;

	for (; size_bytes - at >= SHMLOG_COPY_STEP; at += SHMLOG_COPY_STEP) {
		const unsigned char *from = bytes + at;
		__m128i low = _mm_loadu_si128((const void *)from);
		__m128i high = _mm_loadu_si128((const void *)(from + half));
		unsigned found_low = (unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi8(low, wanted));
		unsigned found_high = (unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi8(high, wanted));

		_mm_storeu_si128((void *)(out + at), low);
		_mm_storeu_si128((void *)(out + at + half), high);
		if ((found_low | found_high) != 0)
			return at + (size_t)__builtin_ctz(found_low |
			                                  found_high << half);
	}
	return at + shmlog_copy_until_plain(out + at, bytes + at,
	                                    size_bytes - at, delimiter);
}

/* The same, for a processor that has wider registers. */
SHMLOG_COPY_AVX2 static inline size_t
shmlog_copy_until_32(unsigned char *out, const unsigned char *bytes,
                     size_t size_bytes, unsigned char delimiter)
{
	const __m256i wanted = _mm256_set1_epi8((char)delimiter);
	size_t at = 0;

	for (; size_bytes - at >= SHMLOG_COPY_STEP; at += SHMLOG_COPY_STEP) {
		__m256i part = _mm256_loadu_si256((const void *)(bytes + at));
		unsigned found = (unsigned)_mm256_movemask_epi8(
			_mm256_cmpeq_epi8(part, wanted));

		_mm256_storeu_si256((void *)(out + at), part);
		if (found != 0)
			return at + (size_t)__builtin_ctz(found);
	}
	return at + shmlog_copy_until_plain(out + at, bytes + at,
	                                    size_bytes - at, delimiter);
}

#endif

/* Whether this processor can do it so. */
static inline bool shmlog_copy_way_works(enum shmlog_copy_way way)
{
#ifdef SHMLOG_COPY_IN_STEPS
	if (way == SHMLOG_COPY_32)
		return shmlog_processor_has_avx2();
	if (way == SHMLOG_COPY_16)
		return true;
#endif
	return way == SHMLOG_COPY_PLAIN;
}

#endif
