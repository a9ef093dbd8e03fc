/* Makes a screen of cells of a session. */
#ifndef VIEW_RENDER_H
#define VIEW_RENDER_H

#include "view_session.h"

/* Fills the cells, which have the size that the session was told of. */
void view_render(struct view_session *session, struct cli_cells *cells);

#endif
