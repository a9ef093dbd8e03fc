/* Tests of the model of a screen: what text becomes in its cells. */
#include "screen_cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 4u
#define COLUMNS 12u

static struct cli_cells cells;

static int setup(void **state)
{
	(void)state;
	cli_cells_locale();
	return cli_cells_resize(&cells, ROWS, COLUMNS) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	cli_cells_release(&cells);
	return 0;
}

static void expect_row(unsigned row, const char *expected)
{
	char text[1024];

	assert_true(cli_cells_row_bytes(&cells) <= sizeof(text));
	cli_cells_row_text(&cells, row, text);
	assert_string_equal(text, expected);
}

static void text_is_cut_at_its_right_edge(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 1, 2, 6);

	(void)state;
	cli_pen_string(&pen, "abc");
	assert_false(pen.cut);
	cli_pen_string(&pen, "defg");
	assert_true(pen.cut);
	expect_row(1, "  abcd");
	expect_row(0, "");
}

static void controls_are_escaped(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	cli_pen_bytes(&pen, "\033[m\n\xff\0", 6);
	expect_row(0, "\\x1b[m\\n\\xff");
	assert_true(pen.cut);
}

static void bidi_controls_and_invisible_characters_are_escaped(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	cli_pen_string(&pen, "\u202ea");
	expect_row(0, "\\u{202e}a");
}

static void a_wide_character_takes_two_columns(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, 5);

	(void)state;
	cli_pen_string(&pen, "漢字漢x");
	/* The third does not fit, and what is behind it is not pulled up. */
	expect_row(0, "漢字");
	assert_true(pen.cut);
	assert_int_equal(cells.cells[1].points[0], 0);
	assert_int_equal(cells.cells[2].points[0], 0x5b57);
}

static void half_of_a_wide_character_that_is_written_over_is_blank(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, 4);

	(void)state;
	cli_pen_string(&pen, "漢字");
	pen = cli_pen_row(&cells, 0, 1, 3);
	cli_pen_string(&pen, "ab");
	expect_row(0, " ab");
}

static void marks_combine_with_the_character_before_them(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	cli_pen_string(&pen, "e\u0301x");
	expect_row(0, "e\u0301x");
	assert_int_equal(pen.column, 2);
}

static void a_mark_without_a_character_is_shown_as_a_number(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	cli_pen_string(&pen, "\u0301x");
	expect_row(0, "\\u{301}x");
}

static void more_marks_than_a_cell_holds_are_shown_as_numbers(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	cli_pen_string(&pen, "e\u0301\u0301\u0301\u0301\u0301");
	expect_row(0, "e\u0301\u0301\u0301\u0301\\u{301}");
}

static void right_to_left_letters_keep_their_columns(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	cli_pen_string(&pen, "שלום!");
	assert_int_equal(pen.column, 5);
	expect_row(0, "שלום!");
}

static void shifted_text_loses_its_first_columns(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	pen.skip = 3;
	cli_pen_string(&pen, "a漢字b");
	expect_row(0, "字b");
	pen = cli_pen_row(&cells, 1, 0, COLUMNS);
	pen.skip = 2;
	cli_pen_string(&pen, "a漢字b");
	expect_row(1, " 字b");
}

static void a_mark_goes_where_its_character_went(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 1, COLUMNS);

	(void)state;
	pen.skip = 2;
	cli_pen_string(&pen, "e\u0301e\u0301x\u0301");
	expect_row(0, " x\u0301");
	pen = cli_pen_row(&cells, 1, 1, COLUMNS);
	pen.skip = 1;
	cli_pen_string(&pen, "漢\u0301x");
	expect_row(1, "  x");
	pen = cli_pen_row(&cells, 2, 0, 3);
	cli_pen_string(&pen, "ab漢\u0301");
	expect_row(2, "ab");
}

static void wrapped_text_scrolls(void **state)
{
	struct cli_pen pen = {
		.cells = &cells,
		.left = 1,
		.right = 4,
		.top = 1,
		.bottom = 3,
		.row = 0,
		.column = 1,
		.wraps = true,
	};

	(void)state;
	cli_pen_string(&pen, "abcdefghijkl");
	assert_false(pen.cut);
	assert_int_equal(pen.row, 3);
	expect_row(0, "");
	expect_row(1, " def");
	expect_row(2, " ghi");
	expect_row(3, "");
}

static void cells_get_attributes_and_styles(void **state)
{
	struct cli_pen pen = cli_pen_row(&cells, 0, 0, COLUMNS);

	(void)state;
	cli_pen_styled(&pen, CLI_STYLE_KEY, "k");
	cli_pen_string(&pen, "v");
	cli_cells_add(&cells, 0, 1, COLUMNS, CLI_CELL_REVERSE);
	assert_int_equal(cells.cells[0].look.style, CLI_STYLE_KEY);
	assert_int_equal(cells.cells[0].look.attributes, 0);
	assert_int_equal(cells.cells[1].look.style, CLI_STYLE_PLAIN);
	assert_int_equal(cells.cells[1].look.attributes, CLI_CELL_REVERSE);
}

static void the_columns_of_a_text_are_counted(void **state)
{
	(void)state;
	assert_int_equal(cli_text_columns("a漢\n", 5), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text_is_cut_at_its_right_edge,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(controls_are_escaped, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			bidi_controls_and_invisible_characters_are_escaped,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wide_character_takes_two_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(
			half_of_a_wide_character_that_is_written_over_is_blank,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			marks_combine_with_the_character_before_them, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_mark_without_a_character_is_shown_as_a_number, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			more_marks_than_a_cell_holds_are_shown_as_numbers,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			right_to_left_letters_keep_their_columns, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			shifted_text_loses_its_first_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_mark_goes_where_its_character_went, setup, teardown),
		cmocka_unit_test_setup_teardown(wrapped_text_scrolls, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(cells_get_attributes_and_styles,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_columns_of_a_text_are_counted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
