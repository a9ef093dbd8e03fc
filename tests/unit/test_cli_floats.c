/* Floating-point numbers to shortest decimals, and back. */
#include "support.h"

#include "floats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct cli_powers *powers;

static int make_powers(void **state)
{
	(void)state;
	powers = cli_powers_new();
	return powers == NULL;
}

static int free_powers(void **state)
{
	(void)state;
	cli_powers_free(powers);
	return 0;
}

static const char *f64_text(uint64_t bits)
{
	static unsigned char text[CLI_FLOAT_MAX + 1];

	memset(text, '#', sizeof(text));
	*cli_put_f64(text, bits, powers) = '\0';
	return (const char *)text;
}

static const char *f32_text(uint32_t bits)
{
	static unsigned char text[CLI_FLOAT_MAX + 1];

	memset(text, '#', sizeof(text));
	*cli_put_f32(text, bits, powers) = '\0';
	return (const char *)text;
}

static uint64_t bits_of(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

TEST(test_f64_is_spelled_as_javascript_spells_it)
{
	static const struct {
		double number;
		const char *text;
	} cases[] = {
		{0, "0"},
		{-0.0, "-0"},
		{1, "1"},
		{-1, "-1"},
		{100, "100"},
		{0.1, "0.1"},
		{0.25, "0.25"},
		{-113.125, "-113.125"},
		{0.001, "0.001"},
		{4.35, "4.35"},
		{123456789.123, "123456789.123"},
		{0.3, "0.3"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1e21, "1e+21"},
		{1e20, "100000000000000000000"},
		{123456789012345680000.0, "123456789012345680000"},
		{0.000001, "0.000001"},
		{0.0000001, "1e-7"},
		{1.5e-7, "1.5e-7"},
		{5e-324, "5e-324"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{9007199254740993.0, "9007199254740992"},
		{9007199254740991.0, "9007199254740991"},
		{999999999999.999, "999999999999.999"},
		{2e-44, "2e-44"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(f64_text(bits_of(cases[i].number)),
		                    cases[i].text);
}

TEST(test_f32_is_as_short_as_a_float_needs)
{
	static const struct {
		uint32_t bits;
		const char *text;
	} cases[] = {
		{0, "0"},
		{0x80000000, "-0"},
		{0x3dcccccd, "0.1"},
		{0x3f800000, "1"},
		{0x00000001, "1e-45"},
		{0x7f7fffff, "3.4028235e+38"},
		{0x4b800001, "16777218"},
		{0x60ad78ec, "100000000000000000000"},
		{0xc2f6e979, "-123.456"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(f32_text(cases[i].bits), cases[i].text);
}

TEST(test_what_json_has_no_numbers_for_is_a_string)
{
	assert_string_equal(f64_text(bits_of(INFINITY)), "\"Infinity\"");
	assert_string_equal(f64_text(bits_of(-INFINITY)), "\"-Infinity\"");
	assert_string_equal(f64_text(UINT64_C(0x7ff8000000000000)), "\"NaN\"");
	assert_string_equal(f64_text(UINT64_C(0xfff8000000000001)),
	                    "\"NaN(0xfff8000000000001)\"");
	assert_string_equal(f32_text(0x7f800000), "\"Infinity\"");
	assert_string_equal(f32_text(0xff800000), "\"-Infinity\"");
	assert_string_equal(f32_text(0x7fc00000), "\"NaN\"");
	assert_string_equal(f32_text(0x7f800001), "\"NaN(0x7f800001)\"");
}

static bool read_f64_word(const char *word, uint64_t *bits)
{
	return cli_read_f64_word((const unsigned char *)word, strlen(word),
	                         bits);
}

static bool read_f32_word(const char *word, uint32_t *bits)
{
	return cli_read_f32_word((const unsigned char *)word, strlen(word),
	                         bits);
}

TEST(test_words_read_back_and_others_do_not)
{
	static const char *const others[] = {
		"",
		"nan",
		"Inf",
		"+Infinity",
		"NaN ",
		"NaN(0x7ff0000000000000)",
		"NaN(0x3ff0000000000000)",
		"NaN(0x7ff800000000000)",
		"NaN(0x7FF8000000000001)",
		"NaN(0x7ff800000000000g)",
		"NaN(0x7f800000)",
	};
	uint64_t bits;
	uint32_t half;

	assert_true(read_f64_word("NaN(0xfff8000000000001)", &bits));
	assert_int_equal(bits, UINT64_C(0xfff8000000000001));
	assert_true(read_f64_word("-Infinity", &bits));
	assert_int_equal(bits, UINT64_C(0xfff0000000000000));
	assert_true(read_f32_word("NaN(0xff800001)", &half));
	assert_int_equal(half, 0xff800001);
	assert_true(read_f32_word("-Infinity", &half));
	assert_int_equal(half, 0xff800000);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_false(read_f64_word(others[i], &bits));
		assert_false(read_f32_word(others[i], &half));
	}
}

TEST(test_numbers_too_large_are_not_read)
{
	uint64_t bits;
	uint32_t half;

	assert_false(cli_read_f64((const unsigned char *)"1e309,", &bits));
	assert_false(cli_read_f32((const unsigned char *)"3.5e38,", &half));
	assert_true(
		cli_read_f32((const unsigned char *)"3.4028235e38,", &half));
	assert_int_equal(half, 0x7f7fffff);
	assert_true(cli_read_f64((const unsigned char *)"1e-400,", &bits));
	assert_int_equal(bits, 0);
}

/* ------------------------------------------------------------- in quantity */

static uint64_t next_random(void)
{
	static uint64_t state = UINT64_C(88172645463325252);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* How many digits the number has. */
static int count_digits(const char *text)
{
	const char *end = strpbrk(text, "e");
	int count = 0;
	int zeros = 0;

	for (; *text != '\0' && text != end; text++) {
		if (*text < '0' || *text > '9' || (count == 0 && *text == '0'))
			continue;
		zeros = *text == '0' ? zeros + 1 : 0;
		count++;
	}
	return count - zeros;
}

/*
 * Whether fewer digits than these read back as the number.  As the nearest
 * number of one digit more is never further away, one digit fewer decides;
 * but below a power of two the next number is nearer than above it, so that a
 * digit more may miss what one fewer hits: there each count is tried.
 */
static bool fewer_digits_do(double number, int digits)
{
	int exponent;
	bool lopsided = fabs(frexp(number, &exponent)) == 0.5;
	char text[64];

	while (--digits > 0) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, number);
		if (strtod(text, NULL) == number)
			return true;
		if (!lopsided)
			break;
	}
	return false;
}

static bool fewer_digits_do_f32(float number, int digits)
{
	int exponent;
	bool lopsided = fabsf(frexpf(number, &exponent)) == 0.5f;
	char text[64];

	while (--digits > 0) {
		snprintf(text, sizeof(text), "%.*e", digits - 1,
		         (double)number);
		if (strtof(text, NULL) == number)
			return true;
		if (!lopsided)
			break;
	}
	return false;
}

/* Bits of all magnitudes, and what is special about some. */
static uint64_t some_bits(int i)
{
	uint64_t bits = next_random();
	double number = (double)(int64_t)(bits >> bits % 64);

	switch (i % 5) {
	case 1: return bits & UINT64_C(0xfff0000000000000);
	case 2: return bits_of(number);
	case 3: return bits_of(number / 1000);
	case 4: return bits_of((double)(bits >> 11) / 9007199254740992.0);
	default: return bits;
	}
}

TEST(test_f64_reads_back_and_is_the_shortest)
{
	const int rounds = rounds_of(200000);

	for (int i = 0; i < rounds; i++) {
		uint64_t bits = some_bits(i);
		const char *text = f64_text(bits);
		uint64_t back;
		double number;

		memcpy(&number, &bits, sizeof(number));
		if (!isfinite(number))
			continue;
		assert_true(cli_read_f64((const unsigned char *)text, &back));
		assert_int_equal(back, bits);
		if (number != 0 && fewer_digits_do(number, count_digits(text)))
			fail_with("%s is longer than it needs to be", text);
	}
}

TEST(test_f32_reads_back_and_is_the_shortest)
{
	const int rounds = rounds_of(200000);

	for (int i = 0; i < rounds; i++) {
		uint32_t bits = (uint32_t)next_random();
		const char *text;
		uint32_t back;
		float number;

		if (i % 3 == 0)
			bits &= 0xff800000;
		text = f32_text(bits);
		memcpy(&number, &bits, sizeof(number));
		if (!isfinite(number))
			continue;
		assert_true(cli_read_f32((const unsigned char *)text, &back));
		assert_int_equal(back, bits);
		if (number != 0 &&
		    fewer_digits_do_f32(number, count_digits(text)))
			fail_with("%s is longer than it needs to be", text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f64_is_spelled_as_javascript_spells_it),
		cmocka_unit_test(test_f32_is_as_short_as_a_float_needs),
		cmocka_unit_test(test_what_json_has_no_numbers_for_is_a_string),
		cmocka_unit_test(test_words_read_back_and_others_do_not),
		cmocka_unit_test(test_numbers_too_large_are_not_read),
		cmocka_unit_test(test_f64_reads_back_and_is_the_shortest),
		cmocka_unit_test(test_f32_reads_back_and_is_the_shortest),
	};

	return cmocka_run_group_tests(tests, make_powers, free_powers);
}
