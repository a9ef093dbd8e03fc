/* Keeps the rows of the screen. */
#include "view_list.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

bool view_list_init(struct view_list *list)
{
	*list = (struct view_list){
		.rows = malloc(VIEW_LIST_ROWS * sizeof(*list->rows)),
		.height = 1,
		.above.backwards = true,
	};
	return list->rows != NULL;
}

void view_list_release(struct view_list *list)
{
	free(list->rows);
	list->rows = NULL;
}

void view_list_begin(struct view_list *list, uint64_t cursor, size_t place)
{
	list->count = list->top = list->selected = 0;
	list->above = (struct view_scan){.cursor = cursor, .backwards = true};
	list->below = (struct view_scan){.cursor = cursor};
	list->at_start = list->at_end = false;
	list->want = 0;
	list->halted = false;
	list->placed = true;
	list->place = place;
}

void view_list_move(struct view_list *list, int64_t rows, bool scrolls)
{
	/* A key that is held down comes faster than frames that pass a filter
	 * may be found. */
	if ((rows > 0) != (list->want > 0) || scrolls != list->scrolls)
		list->want = 0;
	if (rows != INT64_MAX && list->want < INT32_MAX &&
	    list->want > INT32_MIN)
		rows += list->want;
	list->want = rows;
	list->halted = false;
	list->scrolls = scrolls;
	list->placed = false;
}

void view_list_grown(struct view_list *list)
{
	list->at_end = false;
}

const struct view_row *view_list_selected(const struct view_list *list)
{
	return list->count > 0 ? &list->rows[list->selected] : NULL;
}

bool view_list_select(struct view_list *list, uint64_t cursor)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->rows[i].cursor == cursor) {
			list->selected = i;
			list->want = 0;
			list->placed = false;
			return true;
		}
	}
	return false;
}

/* ---------------------------------------------------------------- more rows */

static void add_below(struct view_list *list, const struct view_row *row)
{
	if (list->count == VIEW_LIST_ROWS) {
		/* The first half of those above the screen goes. */
		size_t drop = (list->top + 1) / 2;

		memmove(list->rows, list->rows + drop,
		        (list->count - drop) * sizeof(*list->rows));
		list->count -= drop;
		list->top -= drop;
		list->selected -= drop;
		list->above.cursor = list->rows[0].cursor;
		list->at_start = false;
	}
	list->rows[list->count++] = *row;
}

static void add_above(struct view_list *list, const struct view_row *row)
{
	if (list->count == VIEW_LIST_ROWS) {
		list->count -= VIEW_LIST_ROWS / 4;
		list->below.cursor = list->rows[list->count - 1].next_cursor;
		list->at_end = false;
	}
	memmove(list->rows + 1, list->rows, list->count * sizeof(*list->rows));
	list->rows[0] = *row;
	/* What was shown stays where it is. */
	if (list->count > 0) {
		list->top++;
		list->selected++;
	}
	list->count++;
}

/* Looks for one more row.  False when the time is over, or nothing can be
 * read. */
static bool extend(struct view_list *list, struct view_source *source,
                   struct view_judge *judge, bool up, int64_t until_ns)
{
	struct view_scan *scan = up ? &list->above : &list->below;
	bool *at_limit = up ? &list->at_start : &list->at_end;
	struct view_row row;

	switch (view_scan_next(scan, source, judge, until_ns, &row, NULL)) {
	case VIEW_FOUND:
		if (up)
			add_above(list, &row);
		else
			add_below(list, &row);
		return true;
	case VIEW_LATER: return false;
	default: *at_limit = true; return true;
	}
}

/* ------------------------------------------------------------------- moving */

/* Moves the selection by one row that is at hand. */
static void step(struct view_list *list, bool up)
{
	if (up) {
		list->selected--;
		list->want++;
		if (list->scrolls && list->top > 0)
			list->top--;
	} else {
		list->selected++;
		list->want--;
		if (list->scrolls)
			list->top++;
	}
}

/* One step of a movement.  False when the time is over. */
static bool move(struct view_list *list, struct view_source *source,
                 struct view_judge *judge, int64_t until_ns)
{
	bool up = list->want < 0;

	if (up ? list->selected > 0 : list->selected + 1 < list->count) {
		step(list, up);
		return true;
	}
	if (up ? list->at_start : list->at_end) {
		list->want = 0;
		return true;
	}
	return extend(list, source, judge, up, until_ns);
}

/* Keeps the selection on the screen. */
static void show_selected(struct view_list *list)
{
	if (list->placed)
		list->top = list->selected > list->place
		                    ? list->selected - list->place
		                    : 0;
	if (list->selected < list->top)
		list->top = list->selected;
	if (list->selected >= list->top + list->height)
		list->top = list->selected - list->height + 1;
}

/* Where rows are missing on the screen, and can be looked for. */
enum side {
	SIDE_NONE,
	SIDE_ABOVE,
	SIDE_BELOW
};

static enum side missing_side(const struct view_list *list)
{
	if (list->halted)
		return SIDE_NONE;
	if (list->count - list->top < list->height && !list->at_end)
		return SIDE_BELOW;
	if (list->at_start)
		return SIDE_NONE;
	return list->count < list->height ||
	                       (list->placed && list->selected < list->place)
	               ? SIDE_ABOVE
	               : SIDE_NONE;
}

bool view_list_is_looking(const struct view_list *list)
{
	return list->want != 0 || missing_side(list) != SIDE_NONE;
}

void view_list_halt(struct view_list *list)
{
	list->want = 0;
	list->halted = true;
}

/* No row of the screen is blank where there are rows above. */
static void settle(struct view_list *list)
{
	list->placed = false;
	if (list->count - list->top < list->height)
		list->top = list->count > list->height
		                    ? list->count - list->height
		                    : 0;
}

bool view_list_work(struct view_list *list, struct view_source *source,
                    struct view_judge *judge, int64_t until_ns)
{
	unsigned turn = 0;
	enum side side;

	while (list->want != 0) {
		if (!move(list, source, judge, until_ns) ||
		    (++turn % 256 == 0 && cli_now_ns() > until_ns))
			return false;
		show_selected(list);
	}
	for (;;) {
		show_selected(list);
		side = missing_side(list);
		if (side == SIDE_NONE)
			break;
		if (!extend(list, source, judge, side == SIDE_ABOVE,
		            until_ns) ||
		    (++turn % 256 == 0 && cli_now_ns() > until_ns))
			return false;
	}
	settle(list);
	return true;
}
