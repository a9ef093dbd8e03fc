/* The keys of the pager: one table of what they do, which the help page is made
 * of. */
#ifndef VIEW_KEYS_H
#define VIEW_KEYS_H

#include "view_session.h"

#include <stddef.h>

#define VIEW_KEYS_OF_ONE 6u

struct view_key {
	uint32_t keys[VIEW_KEYS_OF_ONE]; /* those that do it */
	const char *shown;               /* how the help page names them */
	const char *help;
	void (*run)(struct view_session *session,
	            const struct cli_key_event *event);
	bool on_page; /* it works on a page of help or facts; all others close
	               * that */
};

extern const struct view_key view_keys[];
extern const size_t view_key_count;

#endif
