/*
 * Prints the shortest decimals of floating-point numbers, and reads them.
 *
 * Many numbers were typed by people and have few decimals: those are found by
 * trial.  All others are converted by Raffaello Giulietti's method ("The
 * Schubfach way to render doubles", 2020): the interval of decimals that read
 * back as the number is scaled by one power of ten, for which 128 bits are
 * enough, and the shortest decimal in the interval is among four candidates.
 */
#include "floats.h"

#include "digits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(double) == 8 && sizeof(float) == 4, "IEEE 754");

/* ---------------------------------------------------------- powers of ten */

#define LEAST_POWER (-292)
#define MOST_POWER 324
#define POWER_COUNT (MOST_POWER - LEAST_POWER + 1)

/* The leading 128 bits, the highest of them set, rounded up. */
struct power {
	uint64_t high;
	uint64_t low;
};

struct cli_powers {
	struct power of_ten[POWER_COUNT]; /* from LEAST_POWER on */
};

/* A large integer; the least significant limb comes first.  10^324 has 1077
 * bits, and 2^1152 / 10^292 still has 128. */
#define LIMBS 37u
#define UNIT_LIMB 36u /* 2^(32 * 36) is 2^1152 */

struct large {
	uint32_t limbs[LIMBS];
};

static void multiply_by_ten(struct large *large)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < LIMBS; i++) {
		carry += (uint64_t)large->limbs[i] * 10;
		large->limbs[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

/* Rounds down. */
static void divide_by_ten(struct large *large)
{
	uint64_t rest = 0;

	for (size_t i = LIMBS; i-- > 0;) {
		rest = rest << 32 | large->limbs[i];
		large->limbs[i] = (uint32_t)(rest / 10);
		rest %= 10;
	}
}

/* The 32 bits that end `left_out` bits below the end of a limb; below the
 * lowest limb there are zeros. */
static uint32_t bits_at(const struct large *large, int limb, int left_out)
{
	uint64_t bits = limb >= 0 ? large->limbs[limb] : 0;

	bits = bits << 32 | (limb >= 1 ? large->limbs[limb - 1] : 0);
	return (uint32_t)(bits >> (32 - left_out));
}

/* The leading 128 bits, plus one in the last place if others were left out. */
static struct power leading_bits(const struct large *large, bool exact)
{
	int top = (int)LIMBS - 1;
	int zeros = 0;
	struct power power;

	while (large->limbs[top] == 0)
		top--;
	while ((large->limbs[top] << zeros & UINT32_C(1) << 31) == 0)
		zeros++;
	power.high = (uint64_t)bits_at(large, top, zeros) << 32 |
	             bits_at(large, top - 1, zeros);
	power.low = (uint64_t)bits_at(large, top - 2, zeros) << 32 |
	            bits_at(large, top - 3, zeros);
	power.low += !exact;
	power.high += !exact && power.low == 0;
	return power;
}

/* 5^55 has 128 bits, so that many powers fit in them whole. */
#define LAST_EXACT_POWER 55

struct cli_powers *cli_powers_new(void)
{
	struct cli_powers *powers = malloc(sizeof(*powers));
	struct large large = {{1}};

	if (powers == NULL)
		return NULL;
	for (int power = 0; power <= MOST_POWER; power++) {
		powers->of_ten[power - LEAST_POWER] = leading_bits(
			&large, power <= LAST_EXACT_POWER);
		multiply_by_ten(&large);
	}
	large = (struct large){{0}};
	large.limbs[UNIT_LIMB] = 1;
	for (int power = -1; power >= LEAST_POWER; power--) {
		divide_by_ten(&large);
		powers->of_ten[power - LEAST_POWER] = leading_bits(&large,
		                                                   false);
	}
	return powers;
}

void cli_powers_free(struct cli_powers *powers)
{
	free(powers);
}

/* ------------------------------------------------------ shortest decimals */

/* digits * 10^exponent */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* fraction * 2^exponent */
struct binary {
	uint64_t fraction;
	int exponent;
	bool narrow_below; /* the next lower number is half as far away as the
	                    * next higher one */
};

/* The product of two words. */
static struct power multiply(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128)a * b;

	return (struct power){(uint64_t)(product >> 64), (uint64_t)product};
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
	uint64_t cross = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
	uint64_t other = (a & UINT32_MAX) * (b >> 32) + (cross & UINT32_MAX);

	return (struct power){(a >> 32) * (b >> 32) + (cross >> 32) +
	                              (other >> 32),
	                      other << 32 | (low & UINT32_MAX)};
#endif
}

/* value * power / 2^128, rounded to odd: an inexact result becomes the odd one
 * of the two integers beside it.  So a comparison with an even integer sees the
 * difference. */
static uint64_t scale(struct power power, uint64_t value)
{
	struct power low = multiply(power.low, value);
	struct power high = multiply(power.high, value);
	uint64_t middle = high.low + low.high;

	high.high += middle < low.high;
	return high.high | (middle > 1);
}

/* floor(log10(2^e)), floor(log10(3/4 * 2^e)), floor(log2(10^e)) for all
 * exponents there are; the shifts round towards minus infinity. */
static int log10_of_two_to(int exponent)
{
	return exponent * 1262611 >> 22;
}

static int log10_of_three_quarters(int exponent)
{
	return (exponent * 1262611 - 524031) >> 22;
}

static int log2_of_ten_to(int exponent)
{
	return exponent * 1741647 >> 19;
}

static struct decimal shorten(struct binary number,
                              const struct cli_powers *powers)
{
	bool odd = (number.fraction & 1) != 0;
	int k = number.narrow_below ? log10_of_three_quarters(number.exponent)
	                            : log10_of_two_to(number.exponent);
	int shift = number.exponent + log2_of_ten_to(-k) + 1;
	struct power power = powers->of_ten[-k - LEAST_POWER];
	/* All in quarters of the unit 10^k: the number, and the bounds of the
	 * interval of decimals that read back as it.  The bounds themselves
	 * belong to it only if the fraction is even. */
	uint64_t middle = scale(power, number.fraction * 4 << shift);
	uint64_t lower = scale(power,
	                       (number.fraction * 4 - 2 + number.narrow_below)
	                               << shift) +
	                 odd;
	uint64_t upper = scale(power, (number.fraction * 4 + 2) << shift) - odd;
	uint64_t unit = middle / 4;
	uint64_t ten = unit / 10;
	bool below;
	bool above;

	if (unit >= 10) {
		below = lower <= ten * 40;
		above = ten * 40 + 40 <= upper;
		if (below != above)
			return (struct decimal){ten + above, k + 1};
	}
	below = lower <= unit * 4;
	above = unit * 4 + 4 <= upper;
	if (below == above)
		above = middle > unit * 4 + 2 ||
		        (middle == unit * 4 + 2 && (unit & 1) != 0);
	return (struct decimal){unit + above, k};
}

/* ---------------------------------------------------------------- spelling */

/* A number whose decimal point lies between these places is written without an
 * exponent. */
#define LEAST_POINT (-6)
#define MOST_POINT 21

/* Copies have a fixed size, so that they compile to a few instructions. */
#define COPIED 24

static unsigned char *put_exponent(unsigned char *out, const char *digits,
                                   int count, int exponent)
{
	*out = (unsigned char)digits[0];
	out[1] = '.';
	memcpy(out + 2, digits + 1, COPIED);
	out += count > 1 ? count + 1 : 1;
	*out++ = 'e';
	*out++ = exponent < 0 ? '-' : '+';
	return cli_put_digits(out, (uint64_t)abs(exponent));
}

static unsigned char *spell(unsigned char *out, struct decimal decimal)
{
	char digits[2 * COPIED] = {0};
	int count = (int)(cli_put_digits((unsigned char *)digits,
	                                 decimal.digits) -
	                  (unsigned char *)digits);
	int point = count + decimal.exponent;

	while (digits[count - 1] == '0')
		count--;
	if (point < LEAST_POINT + 1 || point > MOST_POINT)
		return put_exponent(out, digits, count, point - 1);
	if (point <= 0) {
		memcpy(out, "0.000000", 8);
		out += 2 - point;
		memcpy(out, digits, COPIED);
		return out + count;
	}
	memcpy(out, digits, COPIED);
	if (point >= count) {
		for (; count < point; count++)
			out[count] = '0';
		return out + count;
	}
	out[point] = '.';
	memcpy(out + point + 1, digits + point, COPIED);
	return out + count + 1;
}

/* A double can represent any decimal of this many digits: a decimal with no
 * more digits that reads back as the number is the only one, and so the
 * shortest. */
#define SURE_DIGITS UINT64_C(1000000000000000)
#define TRIED_DECIMALS 1000u

/*
 * Prints a number that has at most three decimals.  The division is correctly
 * rounded, so it gives what reading the decimal would give.  Returns NULL for
 * any other number.
 */
static unsigned char *put_few_decimals(unsigned char *out, double number)
{
	uint64_t thousandths;
	uint32_t rest;

	if (!(number < (double)(SURE_DIGITS / TRIED_DECIMALS)))
		return NULL;
	thousandths = (uint64_t)(int64_t)(number * TRIED_DECIMALS + 0.5);
	if ((double)(int64_t)thousandths / TRIED_DECIMALS != number)
		return NULL;
	rest = (uint32_t)(thousandths % TRIED_DECIMALS);
	out = cli_put_digits(out, thousandths / TRIED_DECIMALS);
	if (rest == 0)
		return out;
	*out++ = '.';
	/* The four digits of 10 * rest, less the zeros at the end. */
	cli_word_store(out, cli_digits_of(rest) >> 40 | CLI_WORD_ONES * '0');
	return out + (rest % 10 != 0 ? 3 : rest % 100 != 0 ? 2 : 1);
}

static unsigned char *put_word(unsigned char *out, const char *word)
{
	size_t length = strlen(word);

	memcpy(out, word, length);
	return out + length;
}

static unsigned char *put_bits(unsigned char *out, uint64_t bits, int digits)
{
	out = put_word(out, "\"NaN(0x");
	while (digits > 0)
		*out++ = (unsigned char)"0123456789abcdef"[bits >> (4 *
		                                                    --digits) &
		                                           15];
	return put_word(out, ")\"");
}

/* The parameters of each format. */
#define F64_FRACTION_BITS 52
#define F64_LEAST (-1074) /* the exponent of the smallest one */
#define F64_INFINITY UINT64_C(0x7ff0000000000000)
#define F64_NAN UINT64_C(0x7ff8000000000000)
#define F32_FRACTION_BITS 23
#define F32_LEAST (-149)
#define F32_INFINITY UINT32_C(0x7f800000)
#define F32_NAN UINT32_C(0x7fc00000)

/* Takes apart a positive finite number other than 0. */
static struct binary take_apart(uint64_t bits, int fraction_bits, int least)
{
	uint64_t unit = UINT64_C(1) << fraction_bits;
	int biased = (int)(bits >> fraction_bits);
	struct binary number = {
		.fraction = bits & (unit - 1),
		.exponent = least,
		.narrow_below = biased > 1 && (bits & (unit - 1)) == 0,
	};

	if (biased > 0) {
		number.fraction |= unit;
		number.exponent += biased - 1;
	}
	return number;
}

unsigned char *cli_put_f64(unsigned char *out, uint64_t bits,
                           const struct cli_powers *powers)
{
	uint64_t positive = bits & INT64_MAX;
	unsigned char *end;
	double number;

	if (positive > F64_INFINITY)
		return bits == F64_NAN ? put_word(out, "\"NaN\"")
		                       : put_bits(out, bits, 16);
	if (positive == F64_INFINITY)
		return put_word(out, positive != bits ? "\"-Infinity\""
		                                      : "\"Infinity\"");
	*out = '-';
	out += positive != bits;
	memcpy(&number, &positive, sizeof(number));
	end = put_few_decimals(out, number);
	if (end != NULL)
		return end;
	return spell(out,
	             shorten(take_apart(positive, F64_FRACTION_BITS, F64_LEAST),
	                     powers));
}

unsigned char *cli_put_f32(unsigned char *out, uint32_t bits,
                           const struct cli_powers *powers)
{
	uint32_t positive = bits & INT32_MAX;

	if (positive > F32_INFINITY)
		return bits == F32_NAN ? put_word(out, "\"NaN\"")
		                       : put_bits(out, bits, 8);
	if (positive == F32_INFINITY)
		return put_word(out, positive != bits ? "\"-Infinity\""
		                                      : "\"Infinity\"");
	*out = '-';
	out += positive != bits;
	if (positive == 0)
		return put_word(out, "0");
	return spell(out,
	             shorten(take_apart(positive, F32_FRACTION_BITS, F32_LEAST),
	                     powers));
}

/* ----------------------------------------------------------------- reading */

bool cli_read_f64(const unsigned char *number, uint64_t *bits_out)
{
	double value = strtod((const char *)number, NULL);

	memcpy(bits_out, &value, sizeof(value));
	return isfinite(value);
}

bool cli_read_f32(const unsigned char *number, uint32_t *bits_out)
{
	float value = (float)strtod((const char *)number, NULL);

	memcpy(bits_out, &value, sizeof(value));
	return isfinite(value);
}

/* Reads the sixteen or eight digits of "NaN(0x...)". */
static bool read_bits(const unsigned char *word, size_t size_bytes, int digits,
                      uint64_t *bits_out)
{
	uint64_t bits = 0;

	if (size_bytes != (size_t)digits + 7 ||
	    memcmp(word, "NaN(0x", 6) != 0 || word[size_bytes - 1] != ')')
		return false;
	for (word += 6; digits > 0; digits--, word++) {
		unsigned digit = *word >= 'a' ? *word - 'a' + 10u
		                              : *word - (unsigned)'0';

		if (digit > 15 || (*word >= 'a') != (digit > 9))
			return false;
		bits = bits << 4 | digit;
	}
	*bits_out = bits;
	return true;
}

static bool is_word(const unsigned char *word, size_t size_bytes,
                    const char *known)
{
	return size_bytes == strlen(known) &&
	       memcmp(word, known, size_bytes) == 0;
}

bool cli_read_f64_word(const unsigned char *word, size_t size_bytes,
                       uint64_t *bits_out)
{
	if (is_word(word, size_bytes, "NaN"))
		*bits_out = F64_NAN;
	else if (is_word(word, size_bytes, "Infinity"))
		*bits_out = F64_INFINITY;
	else if (is_word(word, size_bytes, "-Infinity"))
		*bits_out = ~(uint64_t)INT64_MAX | F64_INFINITY;
	else
		return read_bits(word, size_bytes, 16, bits_out) &&
		       (*bits_out & INT64_MAX) > F64_INFINITY;
	return true;
}

bool cli_read_f32_word(const unsigned char *word, size_t size_bytes,
                       uint32_t *bits_out)
{
	uint64_t bits;

	if (is_word(word, size_bytes, "NaN"))
		*bits_out = F32_NAN;
	else if (is_word(word, size_bytes, "Infinity"))
		*bits_out = F32_INFINITY;
	else if (is_word(word, size_bytes, "-Infinity"))
		*bits_out = ~(uint32_t)INT32_MAX | F32_INFINITY;
	else if (read_bits(word, size_bytes, 8, &bits) &&
	         (bits & INT32_MAX) > F32_INFINITY)
		*bits_out = (uint32_t)bits;
	else
		return false;
	return true;
}
