/* Finds the logs that stat is about where none is given. */
#include "found_logs.h"

#include "command.h"
#include "failure.h"
#include "log_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add(void *context, const struct cli_found_log *log)
{
	struct stat_found_logs *found = context;
	char **larger = realloc(found->paths,
	                        (found->count + 1) * sizeof(*larger));

	if (larger != NULL) {
		found->paths = larger;
		found->paths[found->count] = strdup(log->path);
	}
	if (larger == NULL || found->paths[found->count] == NULL)
		return cli_fail(log->path, "cannot be listed", -ENOMEM);
	found->count++;
	return CLI_OK;
}

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

int stat_find_logs(struct stat_found_logs *found_out)
{
	struct cli_log_search search = {.found = add, .context = found_out};

	*found_out = (struct stat_found_logs){0};
	int status = cli_search_logs(&search, CLI_LOG_FOLDER);

	if (found_out->count > 1)
		qsort(found_out->paths, found_out->count,
		      sizeof(*found_out->paths), compare);
	return status != CLI_OK ? status : search.status;
}

void stat_found_logs_release(struct stat_found_logs *found)
{
	for (size_t i = 0; i < found->count; i++)
		free(found->paths[i]);
	free(found->paths);
	*found = (struct stat_found_logs){0};
}
