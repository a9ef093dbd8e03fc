/*
 * Testing eight bytes of text at a time.  A word holds them, the first byte
 * lowest.  Each test sets the top bit of every byte that matches.  It is exact
 * for the lowest match; above that, a borrow may set bits of bytes that do not
 * match.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdint.h>
#include <string.h>

#define CLI_WORD_BYTES 8u
#define CLI_WORD_ONES UINT64_C(0x0101010101010101)
#define CLI_WORD_TOPS UINT64_C(0x8080808080808080)

static inline uint64_t cli_word_order(uint64_t word)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static inline uint64_t cli_word_load(const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return cli_word_order(word);
}

static inline void cli_word_store(unsigned char *bytes, uint64_t word)
{
	word = cli_word_order(word);
	memcpy(bytes, &word, sizeof(word));
}

/* Tests for bytes below `limit`, which is at most 128. */
static inline uint64_t cli_word_below(uint64_t word, unsigned char limit)
{
	return (word - CLI_WORD_ONES * limit) & ~word & CLI_WORD_TOPS;
}

static inline uint64_t cli_word_equal(uint64_t word, unsigned char byte)
{
	return cli_word_below(word ^ (CLI_WORD_ONES * byte), 1);
}

/* Tests for bytes that are not ASCII. */
static inline uint64_t cli_word_high(uint64_t word)
{
	return word & CLI_WORD_TOPS;
}

/* The index of the lowest match, 0 to 7; `hits` must not be 0. */
static inline unsigned cli_word_first(uint64_t hits)
{
	return (unsigned)__builtin_ctzll(hits) / 8;
}

#endif
