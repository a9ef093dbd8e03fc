/*
 * Printing decimal digits, eight at a time.  A 64-bit word holds eight digits,
 * the first one in its lowest byte, and is stored as a whole.  So `out` must
 * have room for CLI_DIGITS_ROOM bytes, however few digits a number has.
 */
#ifndef CLI_DIGITS_H
#define CLI_DIGITS_H

#include "words.h"

#include <stdint.h>

#define CLI_DIGITS_ROOM 24u
#define CLI_EIGHT_DIGITS UINT64_C(100000000)

/* The eight digits of a number below 10^8, leading zeros included, one in each
 * byte as its value.  The number is split into fours, then pairs, then single
 * digits, all parts in one multiplication each. */
static inline uint64_t cli_digits_of(uint32_t value)
{
	uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
	uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
	uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000f000f000f000f);

	return tens | (pairs - tens * 10) << 8;
}

static inline unsigned char *cli_put_eight_digits(unsigned char *out,
                                                  uint32_t value)
{
	cli_word_store(out, cli_digits_of(value) | CLI_WORD_ONES * '0');
	return out + CLI_WORD_BYTES;
}

/* Eight digits, as cli_digits_of() gives them, without leading zeros. */
static inline unsigned char *cli_put_without_zeros(unsigned char *out,
                                                   uint64_t digits)
{
	/* The bit set in the last byte keeps one digit of the number 0. */
	unsigned zeros = cli_word_first(digits | UINT64_C(1) << 56);

	cli_word_store(out, (digits | CLI_WORD_ONES * '0') >> 8 * zeros);
	return out + CLI_WORD_BYTES - zeros;
}

/* A number below 10^8 without leading zeros. */
static inline unsigned char *cli_put_up_to_eight(unsigned char *out,
                                                 uint32_t value)
{
	return cli_put_without_zeros(out, cli_digits_of(value));
}

static inline unsigned char *cli_put_digits(unsigned char *out, uint64_t value)
{
	uint64_t high = value / CLI_EIGHT_DIGITS;

	if (high == 0)
		return cli_put_up_to_eight(out, (uint32_t)value);
	if (high < CLI_EIGHT_DIGITS) {
		out = cli_put_up_to_eight(out, (uint32_t)high);
	} else {
		out = cli_put_up_to_eight(out,
		                          (uint32_t)(high / CLI_EIGHT_DIGITS));
		out = cli_put_eight_digits(out,
		                           (uint32_t)(high % CLI_EIGHT_DIGITS));
	}
	return cli_put_eight_digits(out, (uint32_t)(value % CLI_EIGHT_DIGITS));
}

#endif
