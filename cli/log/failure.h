/*
 * Reports failures of the library.  This is the one place that maps a status of
 * the library to an exit status.
 */
#ifndef CLI_FAILURE_H
#define CLI_FAILURE_H

#include <stdbool.h>

/*
 * Prints "SUBJECT: what: why" for a status of the library (what may be NULL)
 * and returns the exit status that belongs to it.
 */
int cli_fail(const char *subject, const char *what, int status);

/* The exit status for a status of the library. */
int cli_exit_status(int status);

/* Whether a status of the library is -errno: the system has refused. */
bool cli_is_errno(int status);

#endif
