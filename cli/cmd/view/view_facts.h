/* The page of facts about the log. */
#ifndef VIEW_FACTS_H
#define VIEW_FACTS_H

#include "view_session.h"

/* Makes the lines of the page. */
void view_facts_gather(struct view_session *session);

#endif
