/* The parsers of points in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "timestamps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef bool reader(const void *text, size_t size_bytes, int64_t *ns_out);

static void accept(reader *read, const char *text, int64_t expected)
{
	int64_t ns = -1;

	if (!read(text, strlen(text), &ns))
		fail_msg("refused: %s", text);
	if (ns != expected)
		fail_msg("%s: %lld", text, (long long)ns);
}

static void refuse(reader *read, const char *text, size_t size_bytes)
{
	int64_t ns;

	if (read(text, size_bytes, &ns))
		fail_msg("taken: %s", text);
}

static void test_the_magnitude_of_a_number_tells_its_unit(void **state)
{
	(void)state;
	accept(cli_read_epoch, "0", 0);
	accept(cli_read_epoch, "1.5", 1500000000);
	accept(cli_read_epoch, "-1.25", -1250000000);
	accept(cli_read_epoch, "-1700000000123", INT64_C(-1700000000123000000));
}

static void test_units_meet_at_their_bounds(void **state)
{
	(void)state;
	accept(cli_read_epoch, "1700000000.123456789",
	       INT64_C(1700000000123456789));
	accept(cli_read_epoch, "1700000000123.456789",
	       INT64_C(1700000000123456789));
	accept(cli_read_epoch, "1700000000123456.7899",
	       INT64_C(1700000000123456789));
	accept(cli_read_epoch, "1700000000123456789",
	       INT64_C(1700000000123456789));
	accept(cli_read_epoch, "100000000000", INT64_C(100000000000000000));
	accept(cli_read_epoch, "100000000000000", INT64_C(100000000000000000));
	accept(cli_read_epoch, "100000000000000000",
	       INT64_C(100000000000000000));
	accept(cli_read_epoch, "1.7E9", INT64_C(1700000000000000000));
	accept(cli_read_epoch, "9223372036854775807", INT64_MAX);
}

static void test_what_is_no_number_since_the_epoch_is_refused(void **state)
{
	static const char *const refused[] = {
		"",
		"-",
		"+1",
		".5",
		"1.",
		"1.e3",
		"1e",
		"1e400",
		"1x",
		" 1",
		"1 ",
		"0x10",
		"nan",
		"1e19",
		"9223372036854775808",
		"1.5.",
		"--1",
		"99999999999",
		"18446744073709551616",
		"1e-",
		"1.7e9 ",
		"infinity",
		"1,5",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		refuse(cli_read_epoch, refused[i], strlen(refused[i]));
	refuse(cli_read_epoch, "1\0002", 3);
	refuse(cli_read_epoch, "1.\0", 3);
}

static void test_iso_8601_is_read_to_the_nanosecond(void **state)
{
	(void)state;
	accept(cli_read_iso8601, "1970-01-01T00:00:00Z", 0);
	accept(cli_read_iso8601, "1970-01-02", INT64_C(86400000000000));
	accept(cli_read_iso8601, "1969-12-31T23:59:59.5Z", -500000000);
	accept(cli_read_iso8601, "2000-02-29T12:00Z",
	       INT64_C(951825600000000000));
	accept(cli_read_iso8601, "2023-11-14T22:13:20.123456789123Z",
	       INT64_C(1700000000123456789));
	accept(cli_read_iso8601, "2023-11-14 23:13:20,5+01:00",
	       INT64_C(1700000000500000000));
	accept(cli_read_iso8601, "2023-11-14T18:43:20-0330",
	       INT64_C(1700000000000000000));
	accept(cli_read_iso8601, "2023-11-14t22:13:20z",
	       INT64_C(1700000000000000000));
	accept(cli_read_iso8601, "2023-11-15T00:13:20+02",
	       INT64_C(1700000000000000000));
	accept(cli_read_iso8601, "2016-12-31T23:59:60Z",
	       INT64_C(1483228800000000000));
	accept(cli_read_iso8601, "2261-12-31T23:59:59Z",
	       INT64_C(9214646399000000000));
}

static void test_what_is_no_iso_8601_is_refused(void **state)
{
	static const char *const refused[] = {
		"",
		"2023",
		"2023-11",
		"2023-13-01",
		"2023-00-01",
		"2023-01-32",
		"2023-01-00",
		"1677-01-01",
		"2262-01-01",
		"2023-11-14T",
		"2023-11-14T22",
		"2023-11-14T25:00",
		"2023-11-14T22:60",
		"2023-11-14T22:13:61Z",
		"2023-11-14T22:13:20.Z",
		"2023-11-14T22:13:20+",
		"2023-11-14T22:13:20+1",
		"2023-11-14T22:13:20+24",
		"2023-11-14T22:13:20+01:0",
		"2023-11-14T22:13:20ZZ",
		"2023-11-14X22:13:20",
		" 2023-11-14",
		"+2023-11-14",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		refuse(cli_read_iso8601, refused[i], strlen(refused[i]));
	refuse(cli_read_iso8601, "2023-11-14\0", 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_magnitude_of_a_number_tells_its_unit),
		cmocka_unit_test(test_units_meet_at_their_bounds),
		cmocka_unit_test(
			test_what_is_no_number_since_the_epoch_is_refused),
		cmocka_unit_test(test_iso_8601_is_read_to_the_nanosecond),
		cmocka_unit_test(test_what_is_no_iso_8601_is_refused),
	};

	return cmocka_run_group_tests_name("cli_timestamps", tests, NULL, NULL);
}
