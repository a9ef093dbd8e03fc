/* Draws the state of top into cells. */
#ifndef TOP_RENDER_H
#define TOP_RENDER_H

#include "top_state.h"

/* The smallest screen that is drawn on; a smaller one is told so. */
#define TOP_COLUMNS_LEAST 40u
#define TOP_ROWS_LEAST 6u

/* Fills all the cells.  Moves the list so that the selected log is on it. */
void top_render(struct top_state *state, struct cli_cells *cells);

#endif
