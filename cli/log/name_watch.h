/*
 * A nudge: whoever waits for a file to appear under a name, or to be
 * replaced, is interrupted (EINTR) when something happens to that name, where
 * the system can tell.  It may be missed, so looks now and then stay needed.
 */
#ifndef CLI_NUDGE_H
#define CLI_NUDGE_H

#include <stdbool.h>

struct cli_nudge {
	int fd; /* -1: none */
	const char *name;
};

/* Begins to watch the folder that `path`, which must stay, lies in.  Without
 * the means for it nothing happens. */
void cli_nudge_begin(struct cli_nudge *nudge, const char *path);
void cli_nudge_end(struct cli_nudge *nudge);

/* Whether something happened to the name since this was asked last.  Where
 * that was the end of the folder, so is it of the nudge. */
bool cli_nudge_came(struct cli_nudge *nudge);

#endif
