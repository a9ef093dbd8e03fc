/* The first line of the screen: the log, its state, and what share of it is
 * above. */
#ifndef VIEW_TITLE_H
#define VIEW_TITLE_H

#include "view_session.h"

void view_draw_title(const struct view_session *session,
                     struct cli_cells *cells);

/* A part in percent, rounded down; all of nothing is 100. */
unsigned view_percent(uint64_t part, uint64_t all);

#endif
