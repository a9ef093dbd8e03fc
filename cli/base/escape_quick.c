/*
 * Escapes printable ASCII for JSON, 16 bytes at a time.  Eight bytes get
 * their backslashes by one shuffle, which a table gives for the places that
 * need one, so that there is no branch for each of them.
 */
#include "escape_quick.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,popcnt")))

#define BLOCK_BYTES 16u
/* A block becomes up to 32 bytes, which is the room for this many. */
#define LEAST_BYTES 6u

/*
 * For each set of those of eight bytes that need a backslash, which byte goes
 * to which place.  The ninth byte is a backslash.  An entry is put together
 * from the places of each byte, the first one being the lowest bit of the set,
 * and what is behind them is written over later.
 */
#define P0_0 "\0"
#define P0_1 "\10\0"
#define P1_0 "\1"
#define P1_1 "\10\1"
#define P2_0 "\2"
#define P2_1 "\10\2"
#define P3_0 "\3"
#define P3_1 "\10\3"
#define P4_0 "\4"
#define P4_1 "\10\4"
#define P5_0 "\5"
#define P5_1 "\10\5"
#define P6_0 "\6"
#define P6_1 "\10\6"
#define P7_0 "\7"
#define P7_1 "\10\7"
#define SET(b7, b6, b5, b4, b3, b2, b1, b0) \
	P0_##b0 P1_##b1 P2_##b2 P3_##b3 P4_##b4 P5_##b5 P6_##b6 P7_##b7
#define SETS1(...) SET(__VA_ARGS__, 0), SET(__VA_ARGS__, 1)
#define SETS2(...) SETS1(__VA_ARGS__, 0), SETS1(__VA_ARGS__, 1)
#define SETS3(...) SETS2(__VA_ARGS__, 0), SETS2(__VA_ARGS__, 1)
#define SETS4(...) SETS3(__VA_ARGS__, 0), SETS3(__VA_ARGS__, 1)
#define SETS5(...) SETS4(__VA_ARGS__, 0), SETS4(__VA_ARGS__, 1)
#define SETS6(...) SETS5(__VA_ARGS__, 0), SETS5(__VA_ARGS__, 1)
#define SETS7(...) SETS6(__VA_ARGS__, 0), SETS6(__VA_ARGS__, 1)

static const char spreads[256][16] = {SETS7(0), SETS7(1)};

AVX2 static inline __m128i load_block(const unsigned char *bytes)
{
	return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* Writes eight bytes, which a backslash follows, as up to sixteen. */
AVX2 static inline unsigned char *put_eight(unsigned char *out, __m128i bytes,
                                            unsigned hits)
{
	__m128i places = _mm_loadu_si128(
		(const __m128i *)(const void *)spreads[hits]);

	_mm_storeu_si128((__m128i *)(void *)out,
	                 _mm_shuffle_epi8(bytes, places));
	return out + 8 + (unsigned)__builtin_popcount(hits);
}

/* Loads fewer bytes than a block has, but not fewer than LEAST_BYTES, and zeros
 * behind them.  The words that are loaded overlap. */
AVX2 static inline __m128i load_part(const unsigned char *bytes,
                                     size_t size_bytes)
{
	uint64_t first, last = 0;

	if (size_bytes < 8) {
		uint32_t half;

		memcpy(&half, bytes, 4);
		first = half;
		memcpy(&half, bytes + size_bytes - 4, 4);
		first |= (uint64_t)(half >> 8 * (8 - size_bytes)) << 32;
	} else {
		memcpy(&first, bytes, 8);
		if (size_bytes > 8) {
			memcpy(&last, bytes + size_bytes - 8, 8);
			last >>= 8 * (BLOCK_BYTES - size_bytes);
		}
	}
	return _mm_set_epi64x((long long)last, (long long)first);
}

/* Takes up to 16 bytes; returns how many of them were printable. */
AVX2 static inline size_t take_block(unsigned char **out, __m128i block,
                                     size_t size_bytes)
{
	__m128i special = _mm_or_si128(
		_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
		_mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
	/* Bytes beyond ASCII are negative. */
	__m128i others = _mm_or_si128(
		_mm_cmpgt_epi8(_mm_set1_epi8(' '), block),
		_mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f)));
	unsigned hits = (unsigned)_mm_movemask_epi8(special);
	unsigned ends = (unsigned)_mm_movemask_epi8(others) | 1u << size_bytes;
	unsigned taken = (unsigned)__builtin_ctz(ends);
	const __m128i slashes = _mm_set1_epi8('\\');
	unsigned char *second = put_eight(
		*out, _mm_unpacklo_epi64(block, slashes), hits & 0xff);

	(void)put_eight(second, _mm_unpackhi_epi64(block, slashes), hits >> 8);
	hits &= (1u << taken) - 1;
	*out += taken + (unsigned)__builtin_popcount(hits);
	return taken;
}

AVX2 static size_t escape(unsigned char **out, const unsigned char *bytes,
                          size_t size_bytes)
{
	unsigned char *at = *out;
	size_t done = 0, taken = BLOCK_BYTES;

	while (taken == BLOCK_BYTES && size_bytes - done >= BLOCK_BYTES) {
		taken = take_block(&at, load_block(bytes + done), BLOCK_BYTES);
		done += taken;
	}
	if (taken == BLOCK_BYTES && size_bytes - done >= LEAST_BYTES)
		done += take_block(&at,
		                   load_part(bytes + done, size_bytes - done),
		                   size_bytes - done);
	*out = at;
	return done;
}

size_t cli_escape_printable(unsigned char **out, const unsigned char *bytes,
                            size_t size_bytes)
{
	return __builtin_cpu_supports("avx2") &&
	                       __builtin_cpu_supports("popcnt")
	               ? escape(out, bytes, size_bytes)
	               : 0;
}

#else

size_t cli_escape_printable(unsigned char **out, const unsigned char *bytes,
                            size_t size_bytes)
{
	(void)out;
	(void)bytes;
	(void)size_bytes;
	return 0;
}

#endif
