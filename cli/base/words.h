/*
 * Eight bytes of text at a time.  A word holds them with the first byte
 * lowest; a test sets the top bit of each byte that it hits, and is exact for
 * the lowest hit (a borrow can only disturb the bytes above one).
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

/* Bytes below `limit`, which is at most 128. */
static inline uint64_t cli_word_below(uint64_t word, unsigned char limit)
{
	return (word - CLI_WORD_ONES * limit) & ~word & CLI_WORD_TOPS;
}

static inline uint64_t cli_word_equal(uint64_t word, unsigned char byte)
{
	return cli_word_below(word ^ (CLI_WORD_ONES * byte), 1);
}

/* Bytes outside of ASCII. */
static inline uint64_t cli_word_high(uint64_t word)
{
	return word & CLI_WORD_TOPS;
}

/* The place of the lowest hit, 0 to 7; `hits` is not 0. */
static inline unsigned cli_word_first(uint64_t hits)
{
	return (unsigned)__builtin_ctzll(hits) / 8;
}

#endif
