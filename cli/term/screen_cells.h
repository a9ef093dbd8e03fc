/*
 * What a screen is to show, as a grid of cells that knows no terminal: a
 * command fills it, a test compares it, and screen.c shows it.
 *
 * Text gets into it by a pen alone, which lets nothing pass that a terminal
 * could take for a command: unsafe characters and invalid bytes are escaped as
 * escape.h does, whoever wrote them.
 */
#ifndef CLI_SCREEN_CELLS_H
#define CLI_SCREEN_CELLS_H

#include "color.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A character and the marks that combine with it. */
#define CLI_CELL_POINTS 5u

enum cli_cell_attribute {
	CLI_CELL_REVERSE = 1u << 0,
	CLI_CELL_BOLD = 1u << 1,
	CLI_CELL_DIM = 1u << 2,
	CLI_CELL_UNDERLINE = 1u << 3,
};

struct cli_look {
	uint8_t style;      /* an enum cli_style */
	uint8_t attributes; /* of enum cli_cell_attribute */
};

struct cli_screen_cell {
	/* Code points, up to the first 0; none at all in the right half of a
	 * character that is two columns wide. */
	uint32_t points[CLI_CELL_POINTS];
	struct cli_look look;
};

/* All zeros is a grid without cells. */
struct cli_cells {
	unsigned rows;
	unsigned columns;
	struct cli_screen_cell *cells; /* owned, row by row */
	bool cursor_on;                /* the terminal's cursor is seen, at: */
	unsigned cursor_row;
	unsigned cursor_column;
};

/* Chooses a locale in which the width of characters is known, since the bytes
 * of logs are shown as UTF-8 whatever the locale is.  Called once, before the
 * first pen. */
void cli_cells_locale(void);

/* Gives the grid a size and fills it with blanks.  False when memory is short;
 * the grid then has no cells. */
bool cli_cells_resize(struct cli_cells *cells, unsigned rows, unsigned columns);
void cli_cells_release(struct cli_cells *cells);

/* Fills it with blanks, without a cursor. */
void cli_cells_clear(struct cli_cells *cells);

/* Changes how cells look that have their text already: adds attributes. */
void cli_cells_add(struct cli_cells *cells, unsigned row, unsigned column,
                   unsigned count, uint8_t attributes);

/* Writes the text of a row as UTF-8, ended by NUL, without the blanks at its
 * end.  `out` has room for cli_cells_row_bytes(). */
size_t cli_cells_row_text(const struct cli_cells *cells, unsigned row,
                          char *out);
size_t cli_cells_row_bytes(const struct cli_cells *cells);

/*
 * Writes text into an area of a grid.  Rows may lie above or below the area:
 * such text is not seen but counted, which makes a text scroll.
 */
struct cli_pen {
	struct cli_cells *cells;
	unsigned left;  /* the area: columns from `left` to before `right`, */
	unsigned right; /* ... at most cells->columns */
	long top;       /* rows from `top` to before `bottom`, */
	long bottom;    /* ... at most cells->rows */
	long row;       /* where the next character goes */
	unsigned column;
	unsigned skip; /* columns of this row that are still to be passed over,
	                * as the text is shifted to the left */
	bool wraps;    /* text goes on in the next row; otherwise it is cut */
	bool cut;      /* some of this row was; the rest of it is not shown */
	struct cli_look look;
};

/* A pen for one row, from a column on and before another. */
struct cli_pen cli_pen_row(struct cli_cells *cells, unsigned row, unsigned left,
                           unsigned right);

/* Writes bytes: UTF-8 as it stands, whatever is unsafe escaped. */
void cli_pen_bytes(struct cli_pen *pen, const void *bytes, size_t size_bytes);
void cli_pen_string(struct cli_pen *pen, const char *text);
void cli_pen_format(struct cli_pen *pen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same in another look, which is not kept. */
void cli_pen_styled(struct cli_pen *pen, unsigned style, const char *text);

/* Moves to a column to the right, over blanks in the pen's look. */
void cli_pen_to(struct cli_pen *pen, unsigned column);
/* Begins the next row. */
void cli_pen_newline(struct cli_pen *pen);

/* Writes a text in the rows before `bottom`, as many as it takes but at most
 * `most`, and fills them with the look.  Returns how many. */
unsigned cli_cells_below(struct cli_cells *cells, unsigned bottom,
                         unsigned most, const char *text, struct cli_look look);

/* How many columns a text takes, and how many rows where they are so wide. */
unsigned cli_text_columns(const void *bytes, size_t size_bytes);
unsigned cli_text_rows(const char *text, unsigned columns);

#endif
