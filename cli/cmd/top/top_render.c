/* Draws the screen of top. */
#include "top_render.h"

#include "rows.h"
#include "top_text.h"

#include <stdio.h>
#include <string.h>

#define NAME_LEAST 16u
#define NAME_MOST 48u
#define RATES_LEAST 10u
#define BAR_COLUMNS 5u

/* How a column looks, and how much it matters where there is not room for
 * all. */
static const struct layout {
	const char *title;
	unsigned width;
	unsigned rank; /* from 1; those of a low rank stay longest */
	bool is_left;
} layouts[TOP_COLUMNS] = {
	[TOP_NAME] = {"NAME", NAME_LEAST, 1, true},
	[TOP_USED] = {"USED", 6, 11, false},
	[TOP_CAPACITY] = {"CAPACITY", 8, 10, false},
	[TOP_FILL] = {"FILL", BAR_COLUMNS + 5, 2, false},
	[TOP_FRAMES] = {"FRAMES/S", 8, 4, false},
	[TOP_BYTES] = {"BYTES/S", 8, 3, false},
	[TOP_LEFT] = {"FULL IN", 7, 5, false},
	[TOP_WRITERS] = {"W", 3, 6, false},
	[TOP_READERS] = {"R", 3, 7, false},
	[TOP_LAG] = {"LAG", 7, 8, false},
	[TOP_OWNER] = {"OWNER", 8, 12, true},
	[TOP_RATES] = {"RATE", RATES_LEAST, 9, true},
};

/* How wide each column is on this screen; 0: it is not there. */
struct plan {
	unsigned widths[TOP_COLUMNS];
};

static struct plan make_plan(unsigned columns)
{
	struct plan plan = {.widths = {0}};
	unsigned used = 0;

	for (unsigned rank = 1; rank <= TOP_COLUMNS; rank++) {
		for (unsigned i = 0; i < TOP_COLUMNS; i++) {
			unsigned width = layouts[i].width + (used > 0);

			if (layouts[i].rank != rank || used + width > columns)
				continue;
			plan.widths[i] = layouts[i].width;
			used += width;
		}
	}
	/* What is left goes to the name, and then to the rates. */
	unsigned more = NAME_MOST - NAME_LEAST;

	more = columns - used < more ? columns - used : more;
	plan.widths[TOP_NAME] += more;
	used += more;
	if (plan.widths[TOP_RATES] > 0) {
		more = TOP_HISTORY - RATES_LEAST;
		plan.widths[TOP_RATES] += columns - used < more ? columns - used
		                                                : more;
	}
	return plan;
}

/* -------------------------------------------------------------------- lines */

/* Puts a text at the right of the columns from `left` on, or at the left. */
static void put_cell(struct cli_cells *cells, unsigned row, unsigned left,
                     unsigned width, const char *text, bool is_left,
                     struct cli_look look)
{
	unsigned columns = cli_text_columns(text, strlen(text));
	struct cli_pen pen = cli_pen_row(cells, row, left, left + width);

	pen.look = look;
	if (!is_left && columns < width)
		cli_pen_to(&pen, left + width - columns);
	cli_pen_string(&pen, text);
}

/* The end of a name says more than its beginning. */
static void put_name(struct cli_cells *cells, unsigned row, unsigned width,
                     const char *name, struct cli_look look)
{
	unsigned columns = cli_text_columns(name, strlen(name));
	struct cli_pen pen = cli_pen_row(cells, row, 0, width);

	pen.look = look;
	if (columns > width) {
		cli_pen_string(&pen, "<");
		pen.skip = columns - width + 1;
	}
	cli_pen_string(&pen, name);
}

static void draw_titles(const struct top_state *state, const struct plan *plan,
                        struct cli_cells *cells)
{
	unsigned at = 0;

	for (unsigned i = 0; i < TOP_COLUMNS; i++) {
		bool sorts = state->model.sort == (enum top_column)i;
		struct cli_look look = {.style = CLI_STYLE_HEADER};

		if (plan->widths[i] == 0)
			continue;
		if (sorts)
			look.attributes = CLI_CELL_UNDERLINE;
		put_cell(cells, TOP_HEAD_ROWS - 1, at, plan->widths[i],
		         layouts[i].title, layouts[i].is_left, look);
		at += plan->widths[i] + 1;
	}
	cli_cells_add(cells, TOP_HEAD_ROWS - 1, 0, cells->columns,
	              CLI_CELL_REVERSE);
}

/* A bar of what is used, and the share. */
static void draw_fill(const struct top_state *state, struct cli_cells *cells,
                      unsigned row, unsigned left, const struct top_row *log,
                      struct cli_look look)
{
	char bar[CLI_PICTURE_BYTES(BAR_COLUMNS)];
	double percent = cli_log_used_percent(&log->log.header);
	struct cli_look bar_look = look;
	struct top_text text;

	(void)cli_draw_line(bar, BAR_COLUMNS, percent / 100, state->glyphs);
	if (look.style == CLI_STYLE_PLAIN)
		bar_look.style = (uint8_t)cli_style_of_fill(percent);
	put_cell(cells, row, left, BAR_COLUMNS, bar, true, bar_look);
	put_cell(cells, row, left + BAR_COLUMNS, 5,
	         top_text_cell(&text, &state->model, log, TOP_FILL), false,
	         look);
}

static void draw_rates(const struct top_state *state, struct cli_cells *cells,
                       unsigned row, unsigned left, unsigned width,
                       const struct top_row *log, struct cli_look look)
{
	char line[CLI_PICTURE_BYTES(TOP_HISTORY)];
	size_t count = log->history_count < width ? log->history_count : width;

	cli_draw_sparkline(line, log->history + TOP_HISTORY - count, count,
	                   state->glyphs);
	if (look.style == CLI_STYLE_PLAIN)
		look.style = CLI_STYLE_NUMBER;
	put_cell(cells, row, left, width, line, false, look);
}

/* The name without the folder that all logs are in. */
static const char *short_name(const struct top_state *state,
                              const struct top_row *row)
{
	const char *path = row->log.path;
	size_t length = strlen(state->where);

	if (strncmp(path, state->where, length) != 0)
		return path;
	if (length > 0 && path[length - 1] == '/')
		return path[length] != '\0' ? path + length : path;
	return path[length] == '/' ? path + length + 1 : path;
}

static struct cli_look look_of(const struct top_state *state,
                               const struct top_row *row)
{
	struct cli_look look = {.style = CLI_STYLE_PLAIN};

	if (row->gone)
		look.attributes = CLI_CELL_DIM;
	else if (row->log.damaged)
		look.style = CLI_STYLE_MATCH;
	else if (row->came_ns != INT64_MIN &&
	         state->model.now_ns - row->came_ns < TOP_FADE_NS)
		look.attributes = CLI_CELL_BOLD;
	return look;
}

static void draw_log(const struct top_state *state, const struct plan *plan,
                     struct cli_cells *cells, unsigned row,
                     const struct top_row *log)
{
	struct cli_look look = look_of(state, log);
	struct top_text text;
	unsigned at = 0;

	for (unsigned i = 0; i < TOP_COLUMNS; i++) {
		unsigned width = plan->widths[i];

		if (width == 0)
			continue;
		if (i == TOP_NAME)
			put_name(cells, row, width, short_name(state, log),
			         look);
		else if (i == TOP_FILL)
			draw_fill(state, cells, row, at, log, look);
		else if (i == TOP_RATES)
			draw_rates(state, cells, row, at, width, log, look);
		else
			put_cell(cells, row, at, width,
			         top_text_cell(&text, &state->model, log,
			                       (enum top_column)i),
			         layouts[i].is_left, look);
		at += width + 1;
	}
	if (log == state->model.selected)
		cli_cells_add(cells, row, 0, cells->columns, CLI_CELL_REVERSE);
}

/* ----------------------------------------------------------------- the head */

static void draw_title(const struct top_state *state, struct cli_cells *cells)
{
	struct top_sums sums = top_model_sums(&state->model);
	struct cli_pen pen = cli_pen_row(cells, 0, 0, cells->columns);
	struct cli_scaled_text used, capacity, rate;
	struct top_text frames;
	unsigned clock = (unsigned)strlen(state->clock);

	pen.look.style = CLI_STYLE_HEADER;
	cli_pen_string(&pen, state->where);
	pen.look.style = CLI_STYLE_PLAIN;
	cli_pen_format(
		&pen, "  %zu log%s  %s of %s  %s frames/s  %s/s", sums.logs,
		sums.logs == 1 ? "" : "s",
		cli_scale_bytes(&used, (double)sums.used),
		cli_scale_bytes(&capacity, (double)sums.capacity),
		top_text_count(&frames, sums.frames_per_second, sums.estimated),
		cli_scale_bytes(&rate, sums.bytes_per_second));
	if (pen.column + 2 + clock <= cells->columns)
		put_cell(cells, 0, cells->columns - clock, clock, state->clock,
		         true, (struct cli_look){.style = CLI_STYLE_PLAIN});
}

static void draw_state(const struct top_state *state, struct cli_cells *cells)
{
	const struct top_model *model = &state->model;
	struct cli_pen pen = cli_pen_row(cells, 1, 0, cells->columns);

	cli_pen_format(&pen, "by %s%s", top_column_name(model->sort),
	               model->reversed ? ", reversed" : "");
	if (model->frozen)
		cli_pen_styled(&pen, CLI_STYLE_CURSOR, "  order frozen");
	if (state->paused)
		cli_pen_styled(&pen, CLI_STYLE_CURSOR, "  paused");
	if (model->filter[0] != '\0' && state->mode != TOP_FILTER) {
		cli_pen_string(&pen, "  filter ");
		cli_pen_styled(&pen, CLI_STYLE_MATCH, model->filter);
		cli_pen_format(&pen, " (%zu of %zu)", model->shown_count,
		               model->count);
	}
}

/* ----------------------------------------------------------------- the foot */

static void draw_hints(struct cli_cells *cells)
{
	struct cli_pen pen = cli_pen_row(cells, cells->rows - 1, 0,
	                                 cells->columns);
	const struct top_key_help *help;

	for (size_t i = 0; (help = top_key_help(i)) != NULL; i++) {
		size_t key = strcspn(help->keys, " ");

		if (help->hint == NULL ||
		    pen.column + key + strlen(help->hint) + 3 > cells->columns)
			continue;
		pen.look.style = CLI_STYLE_KEY;
		cli_pen_bytes(&pen, help->keys, key);
		pen.look.style = CLI_STYLE_PLAIN;
		cli_pen_format(&pen, " %s  ", help->hint);
	}
}

/* A text at the bottom that may take several rows.  Returns how many. */
static unsigned draw_below(struct cli_cells *cells, const char *text)
{
	return cli_cells_below(cells, cells->rows,
	                       cells->rows - TOP_HEAD_ROWS - 1, text,
	                       (struct cli_look){.style = CLI_STYLE_HEADER});
}

/* Returns how many rows it takes. */
static unsigned draw_foot(const struct top_state *state,
                          struct cli_cells *cells)
{
	struct cli_pen pen = cli_pen_row(cells, cells->rows - 1, 0,
	                                 cells->columns);

	if (state->mode == TOP_QUESTION)
		return draw_below(cells, state->question);
	if (state->mode == TOP_FILTER) {
		cli_pen_styled(&pen, CLI_STYLE_HEADER, "filter: ");
		cli_pen_string(&pen, state->model.filter);
		cells->cursor_on = pen.column < cells->columns;
		cells->cursor_row = cells->rows - 1;
		cells->cursor_column = pen.column;
		return 1;
	}
	if (state->message[0] != '\0')
		return draw_below(cells, state->message);
	draw_hints(cells);
	return 1;
}

/* ------------------------------------------------------------------ screens */

static void draw_help(const struct top_state *state, struct cli_cells *cells)
{
	struct cli_pen pen = cli_pen_row(cells, 0, 0, cells->columns);
	const struct top_key_help *help;
	unsigned row = 2;

	cli_pen_styled(&pen, CLI_STYLE_HEADER, "Keys of shmlog top");
	for (size_t i = state->help_first;
	     (help = top_key_help(i)) != NULL && row + 1 < cells->rows;
	     i++, row++) {
		pen = cli_pen_row(cells, row, 2, cells->columns);
		cli_pen_styled(&pen, CLI_STYLE_KEY, help->keys);
		cli_pen_to(&pen, 15);
		cli_pen_string(&pen, help->help);
	}
	pen = cli_pen_row(cells, cells->rows - 1, 0, cells->columns);
	cli_pen_string(&pen, "j k scroll, other keys go back   ~ estimated   "
	                     "+ there may be more");
}

/* Moves the list so that the selected log is on it. */
static void scroll(struct top_state *state, size_t rows)
{
	size_t place = top_model_place(&state->model);
	size_t count = state->model.shown_count;

	state->rows = rows;
	if (place < state->first)
		state->first = place;
	if (place < count && place >= state->first + rows)
		state->first = place - rows + 1;
	if (state->first + rows > count)
		state->first = count > rows ? count - rows : 0;
}

static void draw_list(struct top_state *state, struct cli_cells *cells)
{
	struct plan plan = make_plan(cells->columns);
	unsigned foot = draw_foot(state, cells);
	unsigned rows = cells->rows - TOP_HEAD_ROWS - foot;
	const struct top_model *model = &state->model;

	draw_title(state, cells);
	draw_state(state, cells);
	draw_titles(state, &plan, cells);
	scroll(state, rows);
	for (unsigned i = 0; i < rows && state->first + i < model->shown_count;
	     i++)
		draw_log(state, &plan, cells, TOP_HEAD_ROWS + i,
		         model->shown[state->first + i]);
	if (model->shown_count == 0) {
		struct cli_pen pen = cli_pen_row(cells, TOP_HEAD_ROWS + 1, 2,
		                                 cells->columns);

		cli_pen_string(&pen, model->count > 0
		                             ? "no log passes the filter"
		                             : "no logs");
	}
}

void top_render(struct top_state *state, struct cli_cells *cells)
{
	cli_cells_clear(cells);
	if (cells->columns < TOP_COLUMNS_LEAST ||
	    cells->rows < TOP_ROWS_LEAST) {
		struct cli_pen pen = {
			.cells = cells,
			.right = cells->columns,
			.bottom = cells->rows,
			.wraps = true,
		};

		cli_pen_format(&pen, "top needs %u columns and %u rows",
		               TOP_COLUMNS_LEAST, TOP_ROWS_LEAST);
		return;
	}
	if (state->mode == TOP_HELP)
		draw_help(state, cells);
	else
		draw_list(state, cells);
}
