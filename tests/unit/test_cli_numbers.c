/* The strict parsers of numbers, sizes, durations and modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNTOUCHED UINT64_C(4711)

static void accept_u64(const char *text, uint64_t expected)
{
	uint64_t value = UNTOUCHED;

	assert_true(cli_parse_u64(text, &value));
	assert_int_equal(value, expected);
}

static void test_u64_takes_its_whole_range(void **state)
{
	(void)state;
	accept_u64("0", 0);
	accept_u64("007", 7);
	accept_u64("9007199254740993", UINT64_C(9007199254740993));
	accept_u64("18446744073709551615", UINT64_MAX);
}

static void test_u64_refuses_all_else(void **state)
{
	static const char *const refused[] = {
		"",
		" ",
		" 1",
		"1 ",
		"+1",
		"-1",
		"-0",
		"1.0",
		"0x10",
		"1e3",
		"1K",
		"a",
		"1a",
		"\xd9\xa1",
		"18446744073709551616",
		"18446744073709551620",
		"28446744073709551615",
		"99999999999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		uint64_t value = UNTOUCHED;

		assert_false(cli_parse_u64(refused[i], &value));
		assert_int_equal(value, UNTOUCHED);
	}
}

static void accept_size(const char *text, uint64_t expected)
{
	uint64_t bytes = UNTOUCHED;

	assert_true(cli_parse_size(text, &bytes));
	assert_int_equal(bytes, expected);
}

static void test_size_takes_powers_of_1024(void **state)
{
	(void)state;
	accept_size("0", 0);
	accept_size("24", 24);
	accept_size("64K", 65536);
	accept_size("16M", UINT64_C(16) << 20);
	accept_size("64k", 65536);
	accept_size("64KiB", 65536);
	accept_size("64kib", 65536);
	accept_size("16m", UINT64_C(16) << 20);
	accept_size("16MIB", UINT64_C(16) << 20);
	accept_size("2g", UINT64_C(2) << 30);
	accept_size("2GiB", UINT64_C(2) << 30);
	accept_size("3t", UINT64_C(3) << 40);
	accept_size("3TiB", UINT64_C(3) << 40);
	accept_size("2G", UINT64_C(2) << 30);
	accept_size("3T", UINT64_C(3) << 40);
	accept_size("18446744073709551615", UINT64_MAX);
	accept_size("16777215T", UINT64_C(16777215) << 40);
	accept_size("18014398509481983K", UINT64_C(18014398509481983) << 10);
}

static void test_size_refuses_all_else(void **state)
{
	static const char *const refused[] = {
		"",
		"K",
		"KiB",
		"1KB",
		"1kb",
		"1Ki",
		"1B",
		"1iB",
		"1KiB ",
		"1KiBs",
		"1KKiB",
		"1P",
		"1KK",
		"1 K",
		" 1K",
		"1K ",
		"-1K",
		"+1K",
		"1.5K",
		"0x10K",
		"1,5M",
		"16777216T",
		"18014398509481984K",
		"18446744073709551616",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		uint64_t bytes = UNTOUCHED;

		assert_false(cli_parse_size(refused[i], &bytes));
		assert_int_equal(bytes, UNTOUCHED);
	}
}

static void accept_duration(const char *text, int64_t expected)
{
	int64_t ns = (int64_t)UNTOUCHED;

	assert_true(cli_parse_duration(text, &ns));
	assert_int_equal(ns, expected);
}

static void test_duration_takes_each_unit(void **state)
{
	(void)state;
	accept_duration("0", 0);
	accept_duration("1ns", 1);
	accept_duration("250us", 250000);
	accept_duration("10ms", 10000000);
	accept_duration("1.5s", 1500000000);
	accept_duration("2m", 120 * INT64_C(1000000000));
	accept_duration("1h", 3600 * INT64_C(1000000000));
	accept_duration("0s", 0);
	/* Without a unit it is seconds. */
	accept_duration("00", 0);
	accept_duration("0.0", 0);
	accept_duration("1", 1000000000);
	accept_duration("1.5", 1500000000);
	accept_duration("9223372036.854775807", INT64_MAX);
}

static void test_duration_fraction_is_exact_and_rounds_down(void **state)
{
	(void)state;
	accept_duration("0.1s", 100000000);
	accept_duration(".5", 500000000);
	accept_duration(".25m", 15000000000);
	accept_duration("0.123456789s", 123456789);
	accept_duration("0.1234567899999999999999999999s", 123456789);
	accept_duration("0.9ns", 0);
	accept_duration("2.999ns", 2);
	accept_duration("0.000000001s", 1);
	accept_duration("0.01m", 600000000);
	accept_duration("1.10ms", 1100000);
}

static void test_duration_reaches_its_limit_and_not_beyond(void **state)
{
	int64_t ns;

	(void)state;
	accept_duration("9223372036854775807ns", INT64_MAX);
	accept_duration("9223372036.854775807s", INT64_MAX);
	assert_false(cli_parse_duration("9223372036854775808ns", &ns));
	assert_false(cli_parse_duration("9223372036.854775808s", &ns));
	assert_false(cli_parse_duration("9223372037s", &ns));
	assert_false(cli_parse_duration("2562048h", &ns));
	assert_false(cli_parse_duration("18446744073709551616ns", &ns));
}

static void test_duration_refuses_all_else(void **state)
{
	static const char *const refused[] = {
		"",      "s",      "1 s",  " 1s",  "1s ",  "1 ", "-1s",
		"-1",    "+1s",    "+1",   "1.s",  "1.",   ".s", ".",
		"1..5s", "1.5.5s", "1sec", "1S",   "1M",   "1d", "1e3s",
		"1s1s",  "1,5s",   "infs", "nans", "0x1s",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		int64_t ns = (int64_t)UNTOUCHED;

		assert_false(cli_parse_duration(refused[i], &ns));
		assert_int_equal(ns, UNTOUCHED);
	}
}

static void test_what_is_too_large_is_told_from_what_is_none(void **state)
{
	uint64_t value = UNTOUCHED;
	int64_t ns = (int64_t)UNTOUCHED;

	(void)state;
	assert_int_equal(cli_read_u64("18446744073709551616", &value),
	                 CLI_NUMBER_TOO_LARGE);
	assert_int_equal(cli_read_u64("18446744073709551616x", &value),
	                 CLI_NUMBER_MALFORMED);
	assert_int_equal(cli_read_size("18014398509481984K", &value),
	                 CLI_NUMBER_TOO_LARGE);
	assert_int_equal(cli_read_size("99999999999999999999", &value),
	                 CLI_NUMBER_TOO_LARGE);
	assert_int_equal(cli_read_size("99999999999999999999KB", &value),
	                 CLI_NUMBER_MALFORMED);
	assert_int_equal(value, UNTOUCHED);
	assert_int_equal(cli_read_duration("9223372037", &ns),
	                 CLI_NUMBER_TOO_LARGE);
	assert_int_equal(cli_read_duration("99999999999999999999.5h", &ns),
	                 CLI_NUMBER_TOO_LARGE);
	assert_int_equal(cli_read_duration("99999999999999999999d", &ns),
	                 CLI_NUMBER_MALFORMED);
	assert_int_equal(ns, (int64_t)UNTOUCHED);
}

static void accept_mode(const char *text, unsigned expected)
{
	unsigned mode = 4711;

	assert_true(cli_parse_mode(text, &mode));
	assert_int_equal(mode, expected);
}

static void test_mode_takes_octal_permission_bits(void **state)
{
	(void)state;
	accept_mode("0", 0);
	accept_mode("664", 0664);
	accept_mode("0664", 0664);
	accept_mode("7777", 07777);
	accept_mode("000000000000000000000007777", 07777);
}

static void test_mode_refuses_all_else(void **state)
{
	static const char *const refused[] = {
		"",
		"8",
		"668",
		"10000",
		"-1",
		"+6",
		"0x1",
		"u+r",
		" 6",
		"6 ",
		"77777777777777777777777777",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		unsigned mode = 4711;

		assert_false(cli_parse_mode(refused[i], &mode));
		assert_int_equal(mode, 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64_takes_its_whole_range),
		cmocka_unit_test(test_u64_refuses_all_else),
		cmocka_unit_test(test_size_takes_powers_of_1024),
		cmocka_unit_test(test_size_refuses_all_else),
		cmocka_unit_test(test_duration_takes_each_unit),
		cmocka_unit_test(
			test_duration_fraction_is_exact_and_rounds_down),
		cmocka_unit_test(
			test_duration_reaches_its_limit_and_not_beyond),
		cmocka_unit_test(test_duration_refuses_all_else),
		cmocka_unit_test(
			test_what_is_too_large_is_told_from_what_is_none),
		cmocka_unit_test(test_mode_takes_octal_permission_bits),
		cmocka_unit_test(test_mode_refuses_all_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
