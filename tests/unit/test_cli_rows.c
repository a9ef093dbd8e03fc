/* One table of rows, told as text and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json_write.h"
#include "rows.h"

enum {
	KNOWN = 1,
	UNKNOWN = 2
};

struct facts {
	const char *name;
	const char *nothing;
	uint64_t count;
	uint64_t bytes;
	double mean;
	double percent;
	bool answer;
};

static const struct cli_row rows[] = {
	{NULL, "name", "name", CLI_ROW_TEXT, offsetof(struct facts, name), 0},
	{NULL, "nothing", "nothing", CLI_ROW_TEXT,
         offsetof(struct facts, nothing), 0},
	{NULL, "count", "count", CLI_ROW_COUNT, offsetof(struct facts, count),
         KNOWN},
	{NULL, "json_only", NULL, CLI_ROW_COUNT, offsetof(struct facts, count),
         0},
	{NULL, NULL, "text only", CLI_ROW_COUNT, offsetof(struct facts, count),
         0},
	{"part", "bytes", "bytes", CLI_ROW_BYTES, offsetof(struct facts, bytes),
         KNOWN},
	{"part", "mean", "mean", CLI_ROW_DECIMAL, offsetof(struct facts, mean),
         KNOWN},
	{"part", "missing", "missing", CLI_ROW_COUNT,
         offsetof(struct facts, count), KNOWN | UNKNOWN},
	{NULL, "percent", "percent", CLI_ROW_PERCENT,
         offsetof(struct facts, percent), 0},
	{NULL, "answer", "answer", CLI_ROW_BOOL, offsetof(struct facts, answer),
         0},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const struct facts facts = {
	.name = "a\x1b[0m\n\xe2\x80\xae\xff",
	.count = UINT64_MAX,
	.bytes = 1536,
	.mean = 2.5,
	.percent = 50,
	.answer = true,
};

static char printed[4096];
static FILE *file;
static struct cli_output output;

static void begin(void)
{
	file = tmpfile();
	assert_non_null(file);
	assert_int_equal(cli_output_init(&output, fileno(file)), 0);
}

static void end(void)
{
	size_t bytes;

	assert_int_equal(cli_output_flush(&output), 0);
	cli_output_release(&output);
	rewind(file);
	bytes = fread(printed, 1, sizeof(printed) - 1, file);
	printed[bytes] = '\0';
	fclose(file);
}

static void test_report_text_is_aligned_and_escaped(void **state)
{
	(void)state;
	begin();
	cli_report_text(&output, rows, ROW_COUNT, &facts, KNOWN);
	end();
	assert_string_equal(
		printed,
		"  name              a\\x1b[0m\\n\\u{202e}\\xff\n"
		"  count             18446744073709551615\n"
		"  text only         18446744073709551615\n"
		"  bytes             1536 bytes (1.5 KiB)\n"
		"  mean              2.50\n"
		"  percent           [###############...............] 50.00 %\n"
		"  answer            yes\n");
}

static void test_report_json_is_exact_and_has_null_for_unknowns(void **state)
{
	struct cli_object *object = cli_object_new();

	(void)state;
	begin();
	cli_report_json(object, rows, ROW_COUNT, &facts, KNOWN);
	cli_report_line(&output, object);
	end();
	assert_string_equal(
		printed,
		"{\"name\":\"a\\u001b[0m\\n\\u202e\xef\xbf\xbd\","
		"\"nothing\":null,\"count\":18446744073709551615,"
		"\"json_only\":18446744073709551615,"
		"\"part\":{\"bytes\":1536,\"mean\":2.5,\"missing\":null},"
		"\"percent\":50,\"answer\":true}\n");
}

static void test_bytes_are_scaled_by_powers_of_1024(void **state)
{
	struct cli_scaled_text scaled;

	(void)state;
	assert_string_equal(cli_scale_bytes(&scaled, 0), "0 B");
	assert_string_equal(cli_scale_bytes(&scaled, 1023), "1023 B");
	assert_string_equal(cli_scale_bytes(&scaled, 1024), "1.0 KiB");
	assert_string_equal(cli_scale_bytes(&scaled, 1048576), "1.0 MiB");
	/* What rounds to 1024 of a unit is 1.0 of the next one. */
	assert_string_equal(cli_scale_bytes(&scaled, 1023.4), "1023 B");
	assert_string_equal(cli_scale_bytes(&scaled, 1023.5), "1.0 KiB");
	assert_string_equal(cli_scale_bytes(&scaled, 1048524), "1023.9 KiB");
	assert_string_equal(cli_scale_bytes(&scaled, 1048525), "1.0 MiB");
	assert_string_equal(cli_scale_bytes(&scaled, 1048543), "1.0 MiB");
	assert_string_equal(cli_scale_bytes(&scaled, 1073741823), "1.0 GiB");
	assert_string_equal(cli_scale_bytes(&scaled, 1125899906842623.0),
	                    "1.0 PiB");
	assert_string_equal(cli_scale_bytes(&scaled, 18446744073709551615.0),
	                    "16.0 EiB");
}

static void expect_percent(uint64_t used, uint64_t room, double expected)
{
	assert_float_equal(cli_used_percent(used, room), expected, 1e-9);
}

static void test_percent_is_100_only_if_nothing_is_free(void **state)
{
	(void)state;
	expect_percent(0, 100, 0);
	expect_percent(1, 3, 33.33);
	expect_percent(2, 3, 66.66);
	expect_percent(99999, 100000, 99.99);
	expect_percent(UINT64_MAX - 1, UINT64_MAX, 99.99);
	expect_percent(100, 100, 100);
	expect_percent(0, 0, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_text_is_aligned_and_escaped),
		cmocka_unit_test(
			test_report_json_is_exact_and_has_null_for_unknowns),
		cmocka_unit_test(test_bytes_are_scaled_by_powers_of_1024),
		cmocka_unit_test(test_percent_is_100_only_if_nothing_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
