/* Draws a session into cells: a line about the log, the list, the pane, and a
 * line for answers and prompts. */
#include "view_render.h"

#include "view_keys.h"
#include "view_title.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Columns of the list. */
#define SEEN_COLUMNS 12u
#define SIZE_COLUMNS 6u
/* The payload has at least so many; other columns make room for it. */
#define PAYLOAD_COLUMNS 20u
#define KEY_COLUMNS 12u

/* Widths of the columns of the list; 0 for one that is left out. */
struct columns {
	unsigned number;
	unsigned cursor;
	unsigned size;
	unsigned seen;
};

static unsigned digits(uint64_t value)
{
	unsigned count = 1;

	for (; value >= 10; value /= 10)
		count++;
	return count;
}

static bool fits(const struct columns *columns, unsigned all)
{
	unsigned taken = columns->number + 1;

	taken += columns->cursor > 0 ? columns->cursor + 1 : 0;
	taken += columns->size > 0 ? columns->size + 1 : 0;
	taken += columns->seen > 0 ? columns->seen + 1 : 0;
	return taken + PAYLOAD_COLUMNS <= all;
}

static struct columns choose_columns(const struct view_session *session)
{
	const struct view_source *source = &session->source;
	/* With room for the ~ of a number that is not counted. */
	struct columns columns = {
		.number = 1 + digits(view_index_estimate(&source->index,
	                                                 source->end)),
		.cursor = digits(source->end),
		.size = SIZE_COLUMNS,
		.seen = session->arrival_count > 0 ? SEEN_COLUMNS : 0,
	};

	if (columns.number < 6)
		columns.number = 6;
	if (columns.cursor < 6)
		columns.cursor = 6;
	if (!fits(&columns, session->columns))
		columns.size = 0;
	if (!fits(&columns, session->columns))
		columns.cursor = 0;
	if (!fits(&columns, session->columns))
		columns.seen = 0;
	return columns;
}

/* --------------------------------------------------------------------- list */

static bool is_selected(const struct view_session *session,
                        const struct view_row *row)
{
	uint64_t from = session->select_begin;
	uint64_t here = view_here(session);

	if (from == VIEW_NOWHERE)
		return false;
	return (row->cursor >= from && row->cursor <= here) ||
	       (row->cursor >= here && row->cursor <= from);
}

static void draw_seen(const struct view_session *session, struct cli_pen *pen,
                      const struct view_row *row)
{
	const struct view_arrival *arrival = view_arrival_of(session, row);
	char text[32];
	struct tm local;
	time_t second;

	if (arrival != NULL) {
		second = (time_t)arrival->second;
		localtime_r(&second, &local);
		(void)snprintf(text, sizeof(text), "%02u:%02u:%02u.%03u",
		               (unsigned)local.tm_hour % 100,
		               (unsigned)local.tm_min % 100,
		               (unsigned)local.tm_sec % 100,
		               (unsigned)(arrival->nanosecond / 1000000) %
		                       1000);
		cli_pen_styled(pen, CLI_STYLE_GAP, text);
	}
}

/* A number, so that it ends in a column. */
static void draw_number(struct cli_pen *pen, unsigned width, bool exact,
                        uint64_t value)
{
	unsigned end = pen->column + width;

	cli_pen_to(pen, end - digits(value) - (exact ? 0 : 1));
	cli_pen_format(pen, "%s%" PRIu64, exact ? "" : "~", value);
	cli_pen_to(pen, end + 1);
}

static void draw_frame(struct view_session *session, struct cli_pen *pen,
                       const struct columns *columns,
                       const struct view_row *row)
{
	bool exact;
	uint64_t number = view_number(session, row, &exact);
	struct shmlog_frame frame;
	struct view_row again;

	draw_number(pen, columns->number, exact, number);
	pen->look.style = CLI_STYLE_CURSOR;
	if (columns->cursor > 0)
		draw_number(pen, columns->cursor, true, row->cursor);
	pen->look.style = CLI_STYLE_PLAIN;
	if (columns->size > 0)
		draw_number(pen, columns->size, true, row->size_bytes);
	if (columns->seen > 0) {
		unsigned end = pen->column + columns->seen + 1;

		draw_seen(session, pen, row);
		cli_pen_to(pen, end);
	}
	if (view_source_next(&session->source, row->cursor, &again, &frame) !=
	            1 ||
	    again.is_damage) {
		cli_pen_styled(pen, CLI_STYLE_MATCH, "cannot be read any more");
		return;
	}
	pen->skip = session->shift;
	view_pane_line(&session->line, &frame, pen);
}

static void draw_damage(const struct view_session *session, struct cli_pen *pen,
                        const struct columns *columns,
                        const struct view_row *row)
{
	const struct view_damage *damage = view_source_damage(&session->source,
	                                                      row->cursor);

	pen->look.style = CLI_STYLE_MATCH;
	cli_pen_to(pen, columns->number - 3);
	cli_pen_string(pen, "***");
	cli_pen_to(pen, columns->number + 1);
	if (columns->cursor > 0)
		draw_number(pen, columns->cursor, true, row->cursor);
	cli_pen_format(pen, "damage, %" PRIu64 " bytes: %s",
	               row->next_cursor - row->cursor,
	               damage != NULL ? damage->text : "no frame ends here");
}

/* Why there are no rows. */
static const char *emptiness_of(const struct view_list *list)
{
	if (view_list_is_looking(list))
		return "looking for frames";
	return list->halted ? "no frames so far; a key that moves looks on"
	                    : "no frames";
}

static void draw_list(struct view_session *session, struct cli_cells *cells)
{
	const struct view_list *list = &session->list;
	struct columns columns = choose_columns(session);

	for (size_t i = 0; i < list->height; i++) {
		const struct view_row *row = &list->rows[list->top + i];
		unsigned at = (unsigned)i + 1;
		struct cli_pen pen = cli_pen_row(cells, at, 0, cells->columns);

		if (list->top + i >= list->count) {
			if (list->count == 0 && i == 0)
				cli_pen_string(&pen, emptiness_of(list));
			continue;
		}
		if (row->is_damage)
			draw_damage(session, &pen, &columns, row);
		else
			draw_frame(session, &pen, &columns, row);
		if (pen.cut) {
			pen = cli_pen_row(cells, at, cells->columns - 1,
			                  cells->columns);
			cli_pen_styled(&pen, CLI_STYLE_GAP, ">");
		}
		if (list->top + i == list->selected)
			cli_cells_add(cells, at, 0, cells->columns,
			              CLI_CELL_REVERSE);
		else if (is_selected(session, row))
			cli_cells_add(cells, at, 0, cells->columns,
			              CLI_CELL_UNDERLINE);
	}
}

/* --------------------------------------------------------------------- pane */

static void draw_damage_pane(const struct view_session *session,
                             const struct view_row *row, struct cli_pen *pen)
{
	const struct view_damage *damage = view_source_damage(&session->source,
	                                                      row->cursor);

	pen->wraps = true;
	cli_pen_format(pen,
	               "%" PRIu64 " bytes, from cursor %" PRIu64 " to %" PRIu64
	               ", are no frames: %s",
	               row->next_cursor - row->cursor, row->cursor,
	               row->next_cursor,
	               damage != NULL ? damage->text : "no frame ends here");
}

/* The line above the pane, which says what it shows. */
static void draw_rule(const struct view_session *session,
                      const struct view_row *row, struct cli_cells *cells,
                      unsigned at)
{
	struct cli_pen pen = cli_pen_row(cells, at, 0, cells->columns);
	const struct view_pane *pane = &session->pane;
	bool exact;

	pen.look.attributes = CLI_CELL_DIM;
	while (pen.column < pen.right)
		cli_pen_string(&pen, "-");
	pen = cli_pen_row(cells, at, 2, cells->columns);
	pen.look.style = CLI_STYLE_HEADER;
	if (row == NULL)
		return;
	if (row->is_damage) {
		cli_pen_string(&pen, " damage ");
		return;
	}
	cli_pen_format(&pen, " %s: ", view_pane_name(pane));
	uint64_t number = view_number(session, row, &exact);

	cli_pen_format(&pen,
	               "frame %s%" PRIu64 ", cursor %" PRIu64 ", %" PRIu32
	               " bytes ",
	               exact ? "" : "~", number, row->cursor, row->size_bytes);
	if (pane->type != NULL && pane->type->name != NULL)
		cli_pen_format(&pen, "%s ", pane->type->name);
	if (session->pane_lines > session->pane_height)
		cli_pen_format(
			&pen, "%u%% ",
			view_percent(session->pane_top + session->pane_height,
		                     session->pane_lines));
}

static void draw_pane(struct view_session *session, struct cli_cells *cells,
                      unsigned top, unsigned bottom)
{
	const struct view_row *row = view_list_selected(&session->list);
	struct cli_pen pen = {
		.cells = cells,
		.right = cells->columns,
		.top = top,
		.bottom = bottom,
		.row = (long)top - (long)session->pane_top,
	};

	if (row == NULL)
		session->pane_lines = 0;
	else if (row->is_damage)
		draw_damage_pane(session, row, &pen);
	else if (session->pane_cursor == row->cursor)
		session->pane_lines = view_pane_draw(&session->pane, pen);
	draw_rule(session, row, cells, top - 1);
}

/* -------------------------------------------------------------------- pages */

static void draw_help(struct view_session *session, struct cli_cells *cells)
{
	struct cli_pen pen = {
		.cells = cells,
		.right = cells->columns,
		.top = 1,
		.bottom = (long)cells->rows - 1,
		.row = 1 - (long)session->page_top,
	};

	for (size_t i = 0; i < view_key_count; i++) {
		cli_pen_to(&pen, 2);
		cli_pen_styled(&pen, CLI_STYLE_KEY, view_keys[i].shown);
		cli_pen_to(&pen, 2 + KEY_COLUMNS);
		cli_pen_string(&pen, view_keys[i].help);
		cli_pen_newline(&pen);
	}
	cli_pen_to(&pen, 2);
	cli_pen_string(&pen, "A number before a key that moves repeats it.  ~ "
	                     "marks what is not counted yet.");
	cli_pen_newline(&pen);
	session->page_lines = view_key_count + 1;
}

static void draw_facts(struct view_session *session, struct cli_cells *cells)
{
	struct cli_pen pen = {
		.cells = cells,
		.right = cells->columns,
		.top = 1,
		.bottom = (long)cells->rows - 1,
		.row = 1 - (long)session->page_top,
		.wraps = true,
	};

	for (size_t i = 0; i < session->fact_count; i++) {
		cli_pen_to(&pen, 2);
		cli_pen_string(&pen, session->facts[i]);
		cli_pen_newline(&pen);
	}
	session->page_lines = (size_t)(pen.row - 1) + session->page_top;
}

static void draw_page(struct view_session *session, struct cli_cells *cells)
{
	struct cli_pen pen = cli_pen_row(cells, 0, 0, cells->columns);

	pen.look.attributes = CLI_CELL_REVERSE;
	cli_pen_string(&pen, session->page == VIEW_PAGE_HELP
	                             ? " the keys of shmlog view"
	                             : " facts about the log");
	cli_pen_to(&pen, cells->columns);
	if (session->page == VIEW_PAGE_HELP)
		draw_help(session, cells);
	else
		draw_facts(session, cells);
}

/* ---------------------------------------------------------------- last line */

static void draw_progress(const struct view_session *session,
                          struct cli_pen *pen)
{
	const struct view_source *source = &session->source;
	double share = source->end > 0
	                       ? (double)source->index.at / (double)source->end
	                       : 1;
	const char *what = "counting frames";

	if (session->job == VIEW_JOB_EXPORT) {
		what = "exporting";
		share = view_export_share(session->export);
	} else if (session->job == VIEW_JOB_SEARCH) {
		uint64_t from = session->job_from;
		uint64_t at = session->scan.cursor;
		uint64_t all = session->scan.backwards ? from
		                                       : source->end - from;

		what = "searching";
		share = all == 0 ? 1
		                 : (double)(session->scan.backwards
		                                    ? from - at
		                                    : at - from) /
		                           (double)all;
	} else if (session->job == VIEW_JOB_BACK) {
		what = "going back";
		share = 1 - (double)session->scan.cursor / (double)source->end;
	}
	cli_pen_format(pen, "%s, %u%%; ^C stops it", what,
	               (unsigned)(share * 100));
}

/* What a key that was begun is to be. */
static void draw_last(const struct view_session *session,
                      struct cli_cells *cells)
{
	unsigned row = cells->rows - 1;
	struct cli_pen pen = cli_pen_row(cells, row, 0, cells->columns);

	if (session->prompt.kind != VIEW_PROMPT_NONE) {
		const char *lead = view_prompt_lead(&session->prompt);
		unsigned width = cli_text_columns(lead, strlen(lead)) +
		                 cli_text_columns(session->prompt.text,
		                                  session->prompt.used);

		/* The end of a long line is what is being typed. */
		if (width >= cells->columns)
			pen.skip = width - cells->columns + 1;
		cli_pen_string(&pen, lead);
		cli_pen_string(&pen, session->prompt.text);
		cells->cursor_on = true;
		cells->cursor_row = row;
		cells->cursor_column = pen.column < cells->columns
		                               ? pen.column
		                               : cells->columns - 1;
		return;
	}
	if (session->has_count)
		cli_pen_format(&pen, "%" PRIu64, session->count);
	else if (session->message[0] != '\0')
		/* A long one covers what is above. */
		cli_cells_below(cells, cells->rows, cells->rows / 2,
		                session->message,
		                (struct cli_look){.style = CLI_STYLE_PLAIN});
	else if (session->job != VIEW_JOB_NONE)
		draw_progress(session, &pen);
	else if (view_list_is_looking(&session->list))
		cli_pen_string(&pen, "looking for frames; ^C stops it");
	else if (session->select_begin != VIEW_NOWHERE)
		cli_pen_string(&pen, "selecting: w exports, ESC ends it");
	else
		cli_pen_styled(&pen, CLI_STYLE_GAP,
		               "h help  q quit  / search  TAB view  s facts");
}

/* What has become of the log; above the last row. */
static void draw_notice(const struct view_session *session,
                        struct cli_cells *cells)
{
	cli_cells_below(cells, cells->rows - 1, view_notice_rows(session),
	                session->notice,
	                (struct cli_look){CLI_STYLE_MATCH, CLI_CELL_REVERSE});
}

void view_render(struct view_session *session, struct cli_cells *cells)
{
	unsigned bottom = cells->rows - 1;

	cli_cells_clear(cells);
	if (cells->rows < VIEW_ROWS_MIN || cells->columns < VIEW_COLUMNS_MIN) {
		struct cli_pen pen = {.cells = cells,
		                      .right = cells->columns,
		                      .bottom = cells->rows,
		                      .wraps = true};

		cli_pen_format(&pen,
		               "this window is too small: %ux%u is the least",
		               VIEW_COLUMNS_MIN, VIEW_ROWS_MIN);
		return;
	}
	if (session->page != VIEW_PAGE_NONE) {
		draw_page(session, cells);
		draw_last(session, cells);
		return;
	}
	view_draw_title(session, cells);
	if (session->notice[0] != '\0') {
		bottom -= view_notice_rows(session);
	}
	if (session->zoomed)
		draw_pane(session, cells, 2, bottom);
	else
		draw_list(session, cells);
	if (!session->zoomed && session->pane_height > 0)
		draw_pane(session, cells, (unsigned)session->list.height + 2,
		          bottom);
	if (session->notice[0] != '\0')
		draw_notice(session, cells);
	draw_last(session, cells);
}
