/*
 * A watch of file names: a wait for a file to appear under a name, or to be
 * replaced, is interrupted (EINTR) when something happens to one of the names,
 * where the system can tell.  An event can be missed, so looks now and then
 * stay necessary.
 */
#ifndef CLI_NAME_WATCH_H
#define CLI_NAME_WATCH_H

#include <stdbool.h>

/* One name that is watched, in the caller's storage. */
struct cli_watched_name {
	const char *name; /* the last part of its path; NULL: every name in
	                   * the folder */
	int folder;       /* the system's number for it; -1: not watched */
	bool touched;     /* something happened to the name; the caller resets
	                   * it */
	struct cli_watched_name *next;
};

struct cli_name_watch {
	int fd;          /* -1: none */
	bool given_up;   /* descriptors are too few for one */
	int spare_count; /* descriptors that must remain for other uses */
	struct cli_watched_name *names;
};

/* Nothing is watched at first. */
void cli_name_watch_begin(struct cli_name_watch *watch, int spare_count);
void cli_name_watch_end(struct cli_name_watch *watch);

/*
 * Watches a name in the folder that `path`, which must stay, lies in; with
 * `every` all names there.  Without the means for it name->folder is -1.
 * Removing a name that is not watched does nothing.
 */
void cli_name_watch_add(struct cli_name_watch *watch,
                        struct cli_watched_name *name, const char *path,
                        bool every);
void cli_name_watch_remove(struct cli_name_watch *watch,
                           struct cli_watched_name *name);

/*
 * Marks the names that something happened to since the last call as touched;
 * false if there is none.  Where the folder itself is gone, its names are not
 * watched any more.
 */
bool cli_name_watch_came(struct cli_name_watch *watch);

/* Closes the watch's descriptor, and never opens one again; false if there was
 * none. */
bool cli_name_watch_spare(struct cli_name_watch *watch);

#endif
