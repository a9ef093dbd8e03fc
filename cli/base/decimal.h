/*
 * Decimal numbers in a text that are counted up where they stand, without a
 * division.  A word holds eight digits, the last one in its lowest byte, and is
 * added to as a whole.
 */
#ifndef CLI_DECIMAL_H
#define CLI_DECIMAL_H

#include "digits.h"
#include "words.h"

#include <stdbool.h>
#include <stdint.h>

/* The last eight digits of a number, or all, with what stands before them. */
struct cli_decimal {
	uint64_t digits;
	uint64_t beyond; /* bits of digits that the number has no place for */
	uint64_t text; /* the word that ends with it, with '0' for each digit */
};

static inline uint64_t cli_decimal_turn(uint64_t digits)
{
	return __builtin_bswap64(digits);
}

/* Adds digits to digits; false where eight are too few for the sum.  A byte
 * from 10 on has to be carried: with 246 more it is 256 more, and carries
 * itself.  The others are left with 6 too many in their lower half. */
static inline bool cli_decimal_add(uint64_t *digits, uint64_t more)
{
	uint64_t sum = *digits + CLI_WORD_ONES * 246;
	bool fits = !__builtin_add_overflow(sum, more, &sum);
	uint64_t left = sum >> 7 & CLI_WORD_ONES;

	*digits = (sum & CLI_WORD_ONES * 15) - left * 6;
	return fits;
}

/* Begins with the number of `length` digits that ends before `end`, behind
 * eight bytes of text or more.  With no digits it is any text, and remains. */
static inline struct cli_decimal cli_decimal_begin(const unsigned char *end,
                                                   size_t length)
{
	uint64_t word = cli_word_load(end - CLI_WORD_BYTES);
	uint64_t shown = length == 0 ? 0
	                 : length >= CLI_WORD_BYTES
	                         ? UINT64_MAX
	                         : UINT64_MAX << 8 * (CLI_WORD_BYTES - length);
	uint64_t zeros = CLI_WORD_ONES * '0' & shown;

	return (struct cli_decimal){
		.digits = cli_decimal_turn((word & shown) - zeros),
		.beyond = cli_decimal_turn(~shown),
		.text = (word & ~shown) | zeros,
	};
}

/* Whether the number has become no longer than the text has places. */
static inline bool cli_decimal_fits(const struct cli_decimal *decimal)
{
	return (decimal->digits & decimal->beyond) == 0;
}

/* Writes the number where its last eight bytes of text are. */
static inline void cli_decimal_put(const struct cli_decimal *decimal,
                                   unsigned char *at)
{
	cli_word_store(at, cli_decimal_turn(decimal->digits) | decimal->text);
}

#endif
