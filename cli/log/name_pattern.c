/* Finds the logs whose names match a pattern. */
#include "name_pattern.h"

#include "clock.h"
#include "failure.h"
#include "rotated.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <shmlog.h>
#include <stdlib.h>
#include <string.h>

/* How often names are compared: for files that became logs since the system
 * told of their names, and where it tells of none. */
#define WATCHED_LOOK_NS 1000000000
#define UNWATCHED_LOOK_NS 200000000

/* Whether all files that can match are in one folder, which can be watched. */
static bool is_in_one_folder(const char *pattern)
{
	const char *slash = strrchr(pattern, '/');

	return slash == NULL ||
	       strcspn(pattern, "*?[\\") > (size_t)(slash - pattern);
}

static void watch_folder(struct cli_name_pattern *pattern)
{
	if (pattern->watch != NULL && pattern->watched.folder < 0 &&
	    is_in_one_folder(pattern->pattern))
		cli_name_watch_add(pattern->watch, &pattern->watched,
		                   pattern->pattern, true);
}

void cli_pattern_begin(struct cli_name_pattern *pattern, const char *text,
                       struct cli_name_watch *watch)
{
	*pattern = (struct cli_name_pattern){
		.pattern = text, .watch = watch, .looked_ns = INT64_MIN};
	pattern->watched.folder = -1;
	watch_folder(pattern);
}

void cli_pattern_end(struct cli_name_pattern *pattern)
{
	if (pattern->watch != NULL)
		cli_name_watch_remove(pattern->watch, &pattern->watched);
}

int64_t cli_pattern_pause(const struct cli_name_pattern *pattern)
{
	int64_t pause = pattern->watched.folder >= 0 ? WATCHED_LOOK_NS
	                                             : UNWATCHED_LOOK_NS;

	if (pattern->looked_ns == INT64_MIN || pattern->watched.touched)
		return 0;
	pause -= cli_now_ns() - pattern->looked_ns;
	return pause > 0 ? pause : 0;
}

/*
 * Whether a name is what a rotation made of another one that matches as well,
 * whether there still is a log of that name or not.  Its frames were in that
 * log, and are not new.
 */
static bool is_rotated(const struct cli_name_pattern *pattern, const char *path)
{
	size_t length = cli_rotated_base(path);
	char *base = length == 0 ? NULL : strndup(path, length);
	bool matches = base != NULL && fnmatch(pattern->pattern, base,
	                                       FNM_PATHNAME | FNM_PERIOD) == 0;

	free(base);
	return matches;
}

int cli_pattern_expand(struct cli_name_pattern *pattern,
                       bool (*known)(void *context, const char *path),
                       void (*found)(void *context, const char *path),
                       void *context)
{
	struct shmlog_header header;
	glob_t names = {0};
	int result;

	/* Before the comparison: a name that comes after it counts again. */
	pattern->watched.touched = false;
	pattern->looked_ns = cli_now_ns();
	watch_folder(pattern);
	pattern->unread = 0;
	result = glob(pattern->pattern, 0, NULL, &names);
	for (size_t i = 0; result == 0 && i < names.gl_pathc; i++) {
		const char *path = names.gl_pathv[i];

		if (known != NULL && known(context, path))
			continue;
		int status = is_rotated(pattern, path)
		                     ? -ENOENT
		                     : shmlog_inspect(path, &header);

		if (status == 0)
			found(context, path);
		else if (cli_is_errno(status) && status != -ENOENT)
			pattern->unread = status;
	}
	globfree(&names);
	return result == GLOB_NOSPACE ? -ENOMEM : 0;
}
