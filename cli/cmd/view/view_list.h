/*
 * The rows of the screen: those that are shown, some before and behind them,
 * and the one that is selected.  Movements are asked for at once and done in
 * slices of time, as a row that passes a filter may be far away.
 */
#ifndef VIEW_LIST_H
#define VIEW_LIST_H

#include "view_scan.h"

/* Rows that are kept, more than any screen has. */
#define VIEW_LIST_ROWS 2048u

struct view_list {
	struct view_row *rows; /* owned */
	size_t count;
	size_t top;             /* the first that is shown */
	size_t selected;        /* meaningless if there are no rows */
	size_t height;          /* rows of the screen, at least 1 */
	struct view_scan above; /* where more rows are looked for */
	struct view_scan below;
	bool at_start; /* none are there */
	bool at_end;
	int64_t want; /* rows to move by, down if positive */
	bool scrolls; /* the screen moves with the selection */
	bool halted;  /* no more rows are looked for until a movement */
	bool placed;  /* `place` is where the selected row is to be shown */
	size_t place;
};

bool view_list_init(struct view_list *list);
void view_list_release(struct view_list *list);

/* Begins anew at a cursor, where a row begins; the row there is selected, or,
 * at the end of the log, the last one.  It is shown `place` rows below the top
 * where there are so many. */
void view_list_begin(struct view_list *list, uint64_t cursor, size_t place);

/* Moves the selection, and with `scrolls` the screen. */
void view_list_move(struct view_list *list, int64_t rows, bool scrolls);

/* Does what is due until that time.  Whether all is done. */
bool view_list_work(struct view_list *list, struct view_source *source,
                    struct view_judge *judge, int64_t until_ns);

/* Whether rows are missing that are still looked for, and ends that until the
 * next movement. */
bool view_list_is_looking(const struct view_list *list);
void view_list_halt(struct view_list *list);

/* The log has grown: there may be rows below. */
void view_list_grown(struct view_list *list);

/* The row that is selected; NULL if there is none. */
const struct view_row *view_list_selected(const struct view_list *list);
/* Selects a row that is at hand; false if it is not. */
bool view_list_select(struct view_list *list, uint64_t cursor);

#endif
