/* The logs that stat is about where none is given: those in /dev/shm. */
#ifndef STAT_FOUND_LOGS_H
#define STAT_FOUND_LOGS_H

#include <stddef.h>

struct stat_found_logs {
	char **paths; /* in alphabetical order */
	size_t count;
};

/* Finds them.  CLI_OK, or an exit status after a message, also where some were
 * found; what was found is released in any case. */
int stat_find_logs(struct stat_found_logs *found_out);
void stat_found_logs_release(struct stat_found_logs *found);

#endif
