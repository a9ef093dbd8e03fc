/* Pictures: what each set of characters makes of the same numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "picture.h"

static void expect_line(double part, enum cli_glyphs glyphs, const char *wanted,
                        size_t columns)
{
	char line[CLI_PICTURE_BYTES(8)];

	assert_int_equal(cli_draw_line(line, 8, part, glyphs), columns);
	assert_string_equal(line, wanted);
}

static void test_a_line_is_as_fine_as_the_characters_allow(void **state)
{
	(void)state;
	expect_line(0.5, CLI_GLYPHS_ASCII, "####", 4);
	expect_line(0.55, CLI_GLYPHS_ASCII, "####", 4);
	expect_line(0.57, CLI_GLYPHS_HALVES, "████▌", 5);
	expect_line(0.55, CLI_GLYPHS_EIGHTHS, "████▍", 5);
	expect_line(1, CLI_GLYPHS_EIGHTHS, "████████", 8);
}

static void test_any_part_shows_and_only_nothing_is_empty(void **state)
{
	(void)state;
	expect_line(0, CLI_GLYPHS_ASCII, "", 0);
	expect_line(1e-9, CLI_GLYPHS_ASCII, "#", 1);
	expect_line(1e-9, CLI_GLYPHS_HALVES, "▌", 1);
	expect_line(1e-9, CLI_GLYPHS_EIGHTHS, "▏", 1);
	expect_line(0.999, CLI_GLYPHS_EIGHTHS, "███████▉", 8);
	expect_line(7, CLI_GLYPHS_ASCII, "########", 8);
	expect_line(-1, CLI_GLYPHS_ASCII, "", 0);
}

static void expect_sparkline(enum cli_glyphs glyphs, const char *wanted)
{
	static const double values[] = {-1, 0, 1, 25, 50, 75, 99, 100};
	char line[CLI_PICTURE_BYTES(8)];

	cli_draw_sparkline(line, values, 8, glyphs);
	assert_string_equal(line, wanted);
}

static void test_a_sparkline_is_of_parts_of_the_largest_value(void **state)
{
	static const double idle[] = {0, 0};
	char line[CLI_PICTURE_BYTES(2)];

	(void)state;
	expect_sparkline(CLI_GLYPHS_EIGHTHS, " ▁▂▂▄▆▇█");
	expect_sparkline(CLI_GLYPHS_HALVES, " _▄▄▄▄▄█");
	expect_sparkline(CLI_GLYPHS_ASCII, " _..-+*#");
	cli_draw_sparkline(line, idle, 2, CLI_GLYPHS_EIGHTHS);
	assert_string_equal(line, "▁▁");
	cli_draw_sparkline(line, idle, 0, CLI_GLYPHS_EIGHTHS);
	assert_string_equal(line, "");
}

static void test_what_is_no_terminal_has_plain_characters(void **state)
{
	int ends[2];

	(void)state;
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("TERM", "xterm", 1);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(cli_glyphs_of(ends[1]), CLI_GLYPHS_ASCII);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_line_is_as_fine_as_the_characters_allow),
		cmocka_unit_test(test_any_part_shows_and_only_nothing_is_empty),
		cmocka_unit_test(
			test_a_sparkline_is_of_parts_of_the_largest_value),
		cmocka_unit_test(test_what_is_no_terminal_has_plain_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
