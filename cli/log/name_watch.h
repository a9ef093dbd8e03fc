/*
 * A watch of a name: whoever waits for a file to appear under a name, or to be
 * replaced, is interrupted (EINTR) when something happens to that name, where
 * the system can tell.  It may be missed, so looks now and then stay needed.
 */
#ifndef CLI_NAME_WATCH_H
#define CLI_NAME_WATCH_H

#include <stdbool.h>

struct cli_name_watch {
	int fd; /* -1: none */
	const char *name;
};

/* Begins to watch the folder that `path`, which must stay, lies in.  Without
 * the means for it nothing happens. */
void cli_name_watch_begin(struct cli_name_watch *watch, const char *path);
void cli_name_watch_end(struct cli_name_watch *watch);

/* Whether something happened to the name since this was asked last.  Where
 * that was the end of the folder, so is it of the watch. */
bool cli_name_watch_came(struct cli_name_watch *watch);

#endif
