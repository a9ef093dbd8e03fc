/* A grid of cells, and pens that write into it. */
#include "screen_cells.h"

#include "escape.h"
#include "utf8.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define BLANK ((uint32_t)' ')
#define FORMAT_MAX 1024u

void cli_cells_locale(void)
{
	if (setlocale(LC_CTYPE, "") != NULL &&
	    strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return;
	(void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* ------------------------------------------------------------------ cells */

static void blank(struct cli_screen_cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cells[i] = (struct cli_screen_cell){.points = {BLANK}};
}

void cli_cells_clear(struct cli_cells *cells)
{
	blank(cells->cells, (size_t)cells->rows * cells->columns);
	cells->cursor_on = false;
}

bool cli_cells_resize(struct cli_cells *cells, unsigned rows, unsigned columns)
{
	size_t count = (size_t)rows * columns;
	struct cli_screen_cell *fresh = NULL;

	if (count > 0)
		fresh = calloc(count, sizeof(*fresh));
	cli_cells_release(cells);
	if (fresh == NULL)
		return count == 0;
	*cells = (struct cli_cells){
		.rows = rows, .columns = columns, .cells = fresh};
	blank(fresh, count);
	return true;
}

void cli_cells_release(struct cli_cells *cells)
{
	free(cells->cells);
	*cells = (struct cli_cells){0};
}

static struct cli_screen_cell *cell_at(const struct cli_cells *cells,
                                       unsigned row, unsigned column)
{
	return &cells->cells[(size_t)row * cells->columns + column];
}

void cli_cells_add(struct cli_cells *cells, unsigned row, unsigned column,
                   unsigned count, uint8_t attributes)
{
	if (row >= cells->rows)
		return;
	for (; count > 0 && column < cells->columns; count--, column++)
		cell_at(cells, row, column)->look.attributes |= attributes;
}

static char *put_utf8(char *out, uint32_t point)
{
	unsigned more = point < 0x80 ? 0 : point < 0x800 ? 1 : 2;
	static const unsigned char leads[] = {0x00, 0xc0, 0xe0, 0xf0};

	if (point >= 0x10000)
		more = 3;
	*out++ = (char)(leads[more] | point >> 6 * more);
	while (more-- > 0)
		*out++ = (char)(0x80 | (point >> 6 * more & 0x3f));
	return out;
}

size_t cli_cells_row_bytes(const struct cli_cells *cells)
{
	return (size_t)cells->columns * CLI_CELL_POINTS * 4 + 1;
}

size_t cli_cells_row_text(const struct cli_cells *cells, unsigned row,
                          char *out)
{
	char *at = out, *end = out;

	for (unsigned column = 0; column < cells->columns; column++) {
		const uint32_t *points = cell_at(cells, row, column)->points;

		for (size_t i = 0; i < CLI_CELL_POINTS && points[i] != 0; i++)
			at = put_utf8(at, points[i]);
		if (points[0] != BLANK || points[1] != 0)
			end = at;
	}
	*end = '\0';
	return (size_t)(end - out);
}

/* ------------------------------------------------------------------- pens */

struct cli_pen cli_pen_row(struct cli_cells *cells, unsigned row, unsigned left,
                           unsigned right)
{
	return (struct cli_pen){
		.cells = cells,
		.left = left,
		.right = right < cells->columns ? right : cells->columns,
		.top = row,
		.bottom = row < cells->rows ? (long)row + 1 : (long)row,
		.row = row,
		.column = left,
	};
}

void cli_pen_newline(struct cli_pen *pen)
{
	pen->row++;
	pen->column = pen->left;
	pen->cut = false;
}

/* A wide character one half of which is written over is a blank. */
static void mend_halves(struct cli_pen *pen, unsigned column, unsigned width)
{
	struct cli_cells *cells = pen->cells;
	unsigned row = (unsigned)pen->row, end = column + width;

	if (column > 0 && cell_at(cells, row, column)->points[0] == 0)
		cell_at(cells, row, column - 1)->points[0] = BLANK;
	if (end < cells->columns && cell_at(cells, row, end)->points[0] == 0)
		cell_at(cells, row, end)->points[0] = BLANK;
}

/* Whether the pen is where its text is seen. */
static bool is_seen(const struct cli_pen *pen)
{
	return pen->row >= pen->top && pen->row < pen->bottom;
}

/* Whether the character is in the row now: not if it was passed over, in part
 * or as a whole, or cut. */
static bool put_point(struct cli_pen *pen, uint32_t point, unsigned width)
{
	bool whole = true;

	if (pen->cut)
		return false;
	if (pen->skip > 0) {
		/* Half of a wide character is a blank. */
		unsigned left = width > pen->skip ? width - pen->skip : 0;

		pen->skip -= width - left;
		if (left == 0)
			return false;
		whole = false;
		point = BLANK;
		width = left;
	}
	if (pen->column + width > pen->right) {
		pen->cut |= !pen->wraps;
		if (!pen->wraps || pen->right - pen->left < width)
			return false;
		cli_pen_newline(pen);
	}
	if (is_seen(pen)) {
		mend_halves(pen, pen->column, width);
		for (unsigned i = 0; i < width; i++) {
			struct cli_screen_cell *cell = cell_at(
				pen->cells, (unsigned)pen->row,
				pen->column + i);

			*cell = (struct cli_screen_cell){
				.points = {i == 0 ? point : 0},
				.look = pen->look,
			};
		}
	}
	pen->column += width;
	return whole;
}

/* Adds a combining mark to the character before it.  False if there is none in
 * this text, or it has too many. */
static bool put_mark(struct cli_pen *pen, uint32_t point, unsigned width)
{
	struct cli_screen_cell *cell;
	size_t used = 1;

	if (width == 0 || pen->column < pen->left + width)
		return false;
	if (!is_seen(pen))
		return true;
	cell = cell_at(pen->cells, (unsigned)pen->row, pen->column - width);
	while (used < CLI_CELL_POINTS && cell->points[used] != 0)
		used++;
	if (used == CLI_CELL_POINTS)
		return false;
	cell->points[used] = point;
	return true;
}

static void put_ascii(struct cli_pen *pen, const unsigned char *text,
                      size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i++)
		put_point(pen, text[i], 1);
}

/* A character that is safe, but not shown as it stands here. */
static void put_number(struct cli_pen *pen, uint32_t point)
{
	char text[16];
	int used = snprintf(text, sizeof(text), "\\u{%x}", point);

	put_ascii(pen, (const unsigned char *)text, (size_t)used);
}

void cli_pen_bytes(struct cli_pen *pen, const void *bytes, size_t size_bytes)
{
	const unsigned char *at = bytes;
	unsigned last = 0;     /* the width of the character before */
	bool is_there = false; /* ... which is in the row */

	while (size_bytes > 0) {
		unsigned point = 0;
		size_t length = cli_utf8_decode(at, size_bytes, &point);
		int width = length > 0 && !cli_code_point_is_unsafe(point)
		                    ? wcwidth((wchar_t)point)
		                    : -2;

		if (width > 0) {
			is_there = put_point(pen, point, (unsigned)width);
			last = (unsigned)width;
		} else if (width == -2) {
			unsigned char escaped[4 * CLI_ESCAPE_TERMINAL_MAX];

			length = length > 0 ? length : 1;
			put_ascii(pen, escaped,
			          cli_escape_terminal(escaped, at, length));
			last = 0;
		} else if (width == 0 && last > 0 && !is_there) {
			; /* It goes where its character went. */
		} else if (width < 0 || !put_mark(pen, point, last)) {
			put_number(pen, point);
			last = 0;
		}
		at += length;
		size_bytes -= length;
	}
}

void cli_pen_string(struct cli_pen *pen, const char *text)
{
	cli_pen_bytes(pen, text, strlen(text));
}

void cli_pen_format(struct cli_pen *pen, const char *format, ...)
{
	char text[FORMAT_MAX];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (size > 0)
		cli_pen_string(pen, text);
}

void cli_pen_styled(struct cli_pen *pen, unsigned style, const char *text)
{
	struct cli_look before = pen->look;

	pen->look.style = (uint8_t)style;
	cli_pen_string(pen, text);
	pen->look = before;
}

void cli_pen_to(struct cli_pen *pen, unsigned column)
{
	while (pen->column < column && pen->column < pen->right)
		put_point(pen, BLANK, 1);
}

unsigned cli_text_columns(const void *bytes, size_t size_bytes)
{
	struct cli_cells none = {0};
	struct cli_pen pen = {.cells = &none, .right = UINT32_MAX};

	cli_pen_bytes(&pen, bytes, size_bytes);
	return pen.column;
}

unsigned cli_text_rows(const char *text, unsigned columns)
{
	struct cli_cells none = {0};
	struct cli_pen pen = {.cells = &none, .right = columns, .wraps = true};

	cli_pen_string(&pen, text);
	return (unsigned)pen.row + 1;
}

unsigned cli_cells_below(struct cli_cells *cells, unsigned bottom,
                         unsigned most, const char *text, struct cli_look look)
{
	unsigned rows = cli_text_rows(text, cells->columns);
	struct cli_pen pen;

	rows = rows < most ? rows : most;
	for (unsigned row = bottom - rows; row < bottom; row++) {
		pen = cli_pen_row(cells, row, 0, cells->columns);
		pen.look = look;
		cli_pen_to(&pen, cells->columns);
	}
	pen = (struct cli_pen){
		.cells = cells,
		.right = cells->columns,
		.bottom = bottom,
		.row = (long)bottom - rows,
		.wraps = true,
		.look = look,
	};
	cli_pen_string(&pen, text);
	return rows;
}
