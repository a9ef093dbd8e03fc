/* The logs whose names match a pattern, now and later. */
#ifndef CLI_NAME_PATTERN_H
#define CLI_NAME_PATTERN_H

#include "name_watch.h"

#include <stdbool.h>
#include <stdint.h>

struct cli_name_pattern {
	const char *pattern; /* as of the shell, glob(7) */
	struct cli_name_watch *watch;
	struct cli_watched_name watched;
	int64_t looked_ns; /* when names were last compared */
	int unread; /* -errno of a file that could not be read then, or 0 */
};

/* `pattern` and `watch` must stay; without a watch, names are compared only by
 * calls of cli_pattern_expand(). */
void cli_pattern_begin(struct cli_name_pattern *pattern, const char *text,
                       struct cli_name_watch *watch);
void cli_pattern_end(struct cli_name_pattern *pattern);

/* How long until the names are to be compared again; 0: that is due. */
int64_t cli_pattern_pause(const struct cli_name_pattern *pattern);

/*
 * Calls `found` with each matching name of a file that is a log, in
 * alphabetical order, but for those that are `known` (NULL: none is); the name
 * is valid during the call.  Files that are no logs, or not yet, or that cannot
 * be read, are passed over, as are rotated logs whose name before that matches,
 * too.  0, or -ENOMEM.
 */
int cli_pattern_expand(struct cli_name_pattern *pattern,
                       bool (*known)(void *context, const char *path),
                       void (*found)(void *context, const char *path),
                       void *context);

#endif
