/*
 * Draws the title.  What it says about the state of the log is not cut: a path
 * or a pattern that is too long for the rest of the line is shortened instead.
 */
#include "view_title.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FACTS_MAX 4u
/* Columns between two parts of the title. */
#define GAP 2u
/* With fewer columns a path or a pattern says nothing. */
#define TEXT_LEAST 6u
#define ELLIPSIS "..."
#define ELLIPSIS_COLUMNS 3u

/* How briefly the state is put, as the room demands. */
enum brevity {
	IN_WORDS,
	WITHOUT_UNIT, /* "240" for "240 frames" */
	IN_SIGNS,     /* "&" for "filtered", too */
	BREVITIES
};

/* The state of the log, part by part. */
struct facts {
	char texts[FACTS_MAX][32];
	size_t count;
	unsigned columns; /* with the gap before each */
};

static unsigned columns_of(const char *text)
{
	return cli_text_columns(text, strlen(text));
}

static void add(struct facts *facts, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add(struct facts *facts, const char *format, ...)
{
	char *text = facts->texts[facts->count++];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(facts->texts[0]), format, args);
	va_end(args);
	facts->columns += GAP + columns_of(text);
}

static struct facts gather(const struct view_session *session,
                           enum brevity brevity)
{
	const struct view_source *source = &session->source;
	bool counted = view_source_is_counted(source);
	struct facts facts = {.count = 0};

	add(&facts, "%s%" PRIu64 "%s", counted ? "" : "~",
	    counted ? source->index.frames
	            : view_index_estimate(&source->index, source->end),
	    brevity == IN_WORDS ? " frames" : "");
	if (source->index.damages_met > 0)
		add(&facts, "%" PRIu64 " %s", source->index.damages_met,
		    brevity == IN_SIGNS ? "bad" : "damaged");
	/* The pattern of & says that the frames are filtered. */
	if (session->filter_text[0] == '\0' &&
	    session->judge.filters[0] != NULL)
		add(&facts, brevity == IN_SIGNS ? "&" : "filtered");
	if (session->follow)
		add(&facts, "following");
	return facts;
}

/* The end of a path says more than its beginning: the log's name is there. */
static void draw_path(struct cli_pen *pen, const char *path, unsigned width)
{
	unsigned columns = columns_of(path), end = pen->column + width;

	if (columns > width) {
		cli_pen_string(pen, ELLIPSIS);
		pen->skip = columns + ELLIPSIS_COLUMNS - width;
	}
	cli_pen_string(pen, path);
	cli_pen_to(pen, end);
}

static void draw_pattern(struct cli_pen *pen, const char *pattern,
                         unsigned width)
{
	bool fits = columns_of(pattern) <= width;
	unsigned end = pen->right;

	cli_pen_string(pen, "&");
	pen->right = pen->column + width -
	             (fits || width == 0 ? 0 : ELLIPSIS_COLUMNS);
	cli_pen_string(pen, pattern);
	pen->right = end;
	pen->cut = false;
	if (!fits && width > 0)
		cli_pen_string(pen, ELLIPSIS);
}

/* The columns that a text gets of those that are left: none where it would say
 * nothing. */
static unsigned share(unsigned wanted, unsigned room)
{
	if (wanted <= room)
		return wanted;
	return room >= TEXT_LEAST ? room : 0;
}

/* Shares the columns that are left among the path and the pattern.  Where there
 * are not enough for both, the pattern has them. */
static void share_room(unsigned room, unsigned *path, unsigned *pattern)
{
	unsigned half = room < 2 * TEXT_LEAST ? room : room / 2;

	if (room > *path && room - *path > half)
		half = room - *path;
	*pattern = share(*pattern, half);
	*path = share(*path, room - *pattern);
}

static void draw_parts(const struct view_session *session, struct cli_pen *pen)
{
	bool has_pattern = session->filter_text[0] != '\0';
	unsigned room = pen->right - pen->column;
	unsigned path = columns_of(session->path);
	unsigned pattern = columns_of(session->filter_text);
	/* A sign, at least, tells that there is a pattern. */
	unsigned sign = has_pattern ? GAP + 1 : 0;
	struct facts facts = gather(session, IN_WORDS);

	for (unsigned brevity = WITHOUT_UNIT;
	     brevity < BREVITIES && facts.columns + sign > room + GAP;
	     brevity++)
		facts = gather(session, (enum brevity)brevity);
	room -= facts.columns + sign < room ? facts.columns + sign : room;
	share_room(room, &path, &pattern);
	if (path > 0)
		draw_path(pen, session->path, path);
	for (size_t i = 0; i < facts.count; i++) {
		cli_pen_to(pen, pen->column + (i > 0 || path > 0 ? GAP : 0));
		cli_pen_string(pen, facts.texts[i]);
	}
	if (has_pattern) {
		cli_pen_to(pen, pen->column + GAP);
		draw_pattern(pen, session->filter_text, pattern);
	}
}

unsigned view_percent(uint64_t part, uint64_t all)
{
	return all == 0 ? 100 : (unsigned)((double)part * 100 / (double)all);
}

/* The share of the log that is above the selected row, or, where no row was
 * found yet, that was looked at. */
static unsigned share_above(const struct view_session *session)
{
	const struct view_row *row = view_list_selected(&session->list);
	uint64_t end = session->source.end;

	if (row != NULL)
		return view_percent(row->next_cursor, end);
	return view_percent(view_list_is_looking(&session->list)
	                            ? session->list.below.cursor
	                            : end,
	                    end);
}

void view_draw_title(const struct view_session *session,
                     struct cli_cells *cells)
{
	struct cli_pen pen = cli_pen_row(cells, 0, 1, cells->columns);
	char percent[16];

	(void)snprintf(percent, sizeof(percent), "  %u%%",
	               share_above(session));
	cli_cells_add(cells, 0, 0, cells->columns, CLI_CELL_REVERSE);
	pen.look.attributes = CLI_CELL_REVERSE;
	pen.right = cells->columns - 1 - (unsigned)strlen(percent);
	draw_parts(session, &pen);
	pen = cli_pen_row(cells, 0, pen.right, cells->columns);
	pen.look.attributes = CLI_CELL_REVERSE;
	cli_pen_string(&pen, percent);
}
