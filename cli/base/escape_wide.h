/*
 * Escapes text for JSON, 32 bytes at a time.  Eight bytes get their backslashes
 * by one shuffle, which a table gives for the places that need one, so that
 * there is no branch for each of them.
 *
 * All of it is inlined, into functions that are for the same processors.
 */
#ifndef CLI_ESCAPE_WIDE_H
#define CLI_ESCAPE_WIDE_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SHMLOG_PORTABLE)
#define CLI_ESCAPE_WIDE __attribute__((target("avx2,bmi,bmi2,popcnt")))
/* For processors that can put a block into 64 bytes at once. */
#define CLI_ESCAPE_WIDEST                                              \
	__attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw," \
	                      "avx512vbmi2")))

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CLI_ESCAPE_INLINE \
	CLI_ESCAPE_WIDE static inline __attribute__((always_inline))

/* Bytes that are taken at a time; the last eight are loaded with eight more. */
#define CLI_ESCAPE_STEP 32u
#define CLI_ESCAPE_LOADED (CLI_ESCAPE_STEP + 8)

/* For each set of those of eight bytes that need a backslash, which byte goes
 * to which place; the ninth byte is a backslash. */
extern const char cli_escape_spreads[256][16];

/* --------------------------------------------------------- putting a block */

/* Writes eight bytes as up to sixteen; `spread` is sixteen times the set of
 * those that need a backslash. */
CLI_ESCAPE_INLINE void cli_escape_put_eight(unsigned char *out,
                                            const unsigned char *bytes,
                                            size_t spread)
{
	/* The table as one row. */
	const char *spreads = (const char *)cli_escape_spreads;
	__m128i loaded = _mm_loadu_si128((const __m128i *)(const void *)bytes);
	__m128i places = _mm_loadu_si128(
		(const __m128i *)(const void *)(spreads + spread));

	/* Backslashes behind the eight bytes. */
	loaded = _mm_blend_epi32(loaded, _mm_set1_epi8('\\'), 0xc);
	_mm_storeu_si128((__m128i *)(void *)out,
	                 _mm_shuffle_epi8(loaded, places));
}

CLI_ESCAPE_INLINE size_t cli_escape_count(uint32_t bits)
{
	return (size_t)_mm_popcnt_u32(bits);
}

/* Writes a block, `hits` being its bytes that need a backslash.  What is behind
 * the bytes that are wanted is written over later. */
CLI_ESCAPE_INLINE void cli_escape_put_block(unsigned char *out,
                                            const unsigned char *bytes,
                                            uint32_t hits)
{
	/* Four sets, each in 16 bits and already multiplied. */
	uint64_t sets = _pdep_u64(hits, UINT64_C(0x0ff00ff00ff00ff0));

	cli_escape_put_eight(out, bytes, sets & 0xffff);
	cli_escape_put_eight(out + cli_escape_count(hits & 0xff) + 8, bytes + 8,
	                     sets >> 16 & 0xffff);
	cli_escape_put_eight(out + cli_escape_count(hits & 0xffff) + 16,
	                     bytes + 16, sets >> 32 & 0xffff);
	cli_escape_put_eight(out + cli_escape_count(hits & 0xffffff) + 24,
	                     bytes + 24, sets >> 48);
}

/* The same: each byte gets a backslash before it, and those that are not wanted
 * are left out. */
CLI_ESCAPE_WIDEST static inline __attribute__((always_inline, unused)) void
cli_escape_put_pairs(unsigned char *out, const unsigned char *bytes,
                     uint32_t hits)
{
	__m512i pairs = _mm512_slli_epi16(
		_mm512_cvtepu8_epi16(_mm256_loadu_si256(
			(const __m256i *)(const void *)bytes)),
		8);
	uint64_t wanted = _pdep_u64(hits, UINT64_C(0x5555555555555555)) |
	                  UINT64_C(0xaaaaaaaaaaaaaaaa);

	pairs = _mm512_or_si512(pairs, _mm512_set1_epi16('\\'));
	_mm512_storeu_si512(out, _mm512_maskz_compress_epi8(wanted, pairs));
}

/* ------------------------------------------------ what needs no closer look */

CLI_ESCAPE_INLINE __m256i cli_escape_load(const unsigned char *bytes)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

CLI_ESCAPE_INLINE uint32_t cli_escape_equal(__m256i block, unsigned char byte)
{
	return (uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(block, _mm256_set1_epi8((char)byte)));
}

/* The bytes that need a backslash. */
CLI_ESCAPE_INLINE uint32_t cli_escape_hits(__m256i block)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(
		_mm256_cmpeq_epi8(block, _mm256_set1_epi8('"')),
		_mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'))));
}

/* The bytes outside of those from `first` to `last`, at most 128 of them: the
 * others are raised to 128 or above. */
CLI_ESCAPE_INLINE uint32_t cli_escape_outside(__m256i block,
                                              unsigned char first,
                                              unsigned char last)
{
	__m256i above = _mm256_sub_epi8(block, _mm256_set1_epi8((char)first));
	__m256i rise = _mm256_set1_epi8((char)(127 - (last - first)));

	return (uint32_t)_mm256_movemask_epi8(_mm256_adds_epu8(above, rise));
}

/*
 * The bytes of whole characters beyond ASCII that stand in JSON as they are.
 * They are told by their first byte: those of two bytes from U+00C0 to U+05FF
 * without U+0340 to U+037F, where a joiner is, and those of three from U+3000
 * to U+CFFF without U+3140 to U+317F, where a filler is.  Any others are left
 * to be looked at one by one.
 */
CLI_ESCAPE_INLINE uint32_t cli_escape_safe(__m256i block, uint32_t size_bytes)
{
	/* What is behind the text belongs to no character of it. */
	uint32_t second = _bzhi_u32(~cli_escape_outside(block, 0x80, 0xbf),
	                            size_bytes) >>
	                  1;
	uint32_t two = ~cli_escape_outside(block, 0xc3, 0xd7) &
	               ~cli_escape_equal(block, 0xcd) & second;
	uint32_t filler = cli_escape_equal(block, 0xe3) &
	                  cli_escape_equal(block, 0x85) >> 1;
	uint32_t three = ~cli_escape_outside(block, 0xe3, 0xec) & ~filler &
	                 second & second >> 1;

	return two | two << 1 | three | three << 1 | three << 2;
}

/* The first bytes of a block that do not stand as they are or behind a
 * backslash. */
CLI_ESCAPE_INLINE uint32_t cli_escape_ends(__m256i block, uint32_t size_bytes)
{
	uint32_t ends = _bzhi_u32(cli_escape_outside(block, 0x20, 0x7e),
	                          size_bytes);

	return ends == 0 ? 0 : ends & ~cli_escape_safe(block, size_bytes);
}

/* --------------------------------------------------------------- all blocks */

/* Takes the last bytes of a text, at most a block, or of one that cannot be
 * taken on; returns how many. */
CLI_ESCAPE_INLINE size_t cli_escape_take_part(
	unsigned char **out, const unsigned char *bytes, size_t size_bytes,
	void (*put)(unsigned char *out, const unsigned char *bytes,
                    uint32_t hits))
{
	__m256i block = cli_escape_load(bytes);
	uint32_t hits = cli_escape_hits(block);
	uint32_t ends = cli_escape_ends(block, (uint32_t)size_bytes);
	uint32_t taken = ends == 0 ? (uint32_t)size_bytes : _tzcnt_u32(ends);

	put(*out, bytes, hits);
	*out += taken + cli_escape_count(_bzhi_u32(hits, taken));
	return taken;
}

/* The same where too little can be read. */
CLI_ESCAPE_WIDE static __attribute__((noinline, unused)) size_t
cli_escape_take_copy(unsigned char **out, const unsigned char *bytes,
                     size_t size_bytes)
{
	unsigned char part[CLI_ESCAPE_LOADED] = {0};

	memcpy(part, bytes, size_bytes);
	return cli_escape_take_part(out, part, size_bytes,
	                            cli_escape_put_block);
}

/* cli_escape_quickly(), inlined. */
CLI_ESCAPE_INLINE size_t
cli_escape_widely(unsigned char **out, const unsigned char *bytes,
                  size_t size_bytes, size_t readable_bytes,
                  void (*put)(unsigned char *out, const unsigned char *bytes,
                              uint32_t hits))
{
	const size_t beyond = CLI_ESCAPE_LOADED - CLI_ESCAPE_STEP;
	unsigned char *to = *out;
	size_t done = 0, most, taken;

	/* Where the last block begins, or no block can be loaded any more. */
	most = size_bytes + beyond <= readable_bytes ? size_bytes
	       : readable_bytes > beyond             ? readable_bytes - beyond
	                                             : 0;
	/* What has been taken is no sum of what was found: the next block is
	 * loaded before this one is known. */
	while (done + CLI_ESCAPE_STEP < most) {
		__m256i block = cli_escape_load(bytes + done);
		uint32_t hits = cli_escape_hits(block);

		if (cli_escape_ends(block, CLI_ESCAPE_STEP) != 0)
			break;
		put(to, bytes + done, hits);
		to += cli_escape_count(hits) + CLI_ESCAPE_STEP;
		done += CLI_ESCAPE_STEP;
	}
	do {
		most = size_bytes - done < CLI_ESCAPE_STEP ? size_bytes - done
		                                           : CLI_ESCAPE_STEP;
		taken = readable_bytes - done >= CLI_ESCAPE_LOADED
		                ? cli_escape_take_part(&to, bytes + done, most,
		                                       put)
		                : cli_escape_take_copy(&to, bytes + done, most);
		done += taken;
	} while (taken == most && done < size_bytes);
	*out = to;
	return done;
}

#endif
#endif
