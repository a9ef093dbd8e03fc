/* What is expected of each log: the expressions of --expect. */
#ifndef STAT_EXPECTATIONS_H
#define STAT_EXPECTATIONS_H

#include "json_write.h"
#include "options.h"

#include <stddef.h>

/* All zeros is none. */
struct expectations {
	struct cli_condition **conditions;
	size_t count;
};

/* Reads the values of an option.  CLI_OK, or an exit status after a message; to
 * be released in either case. */
int read_expectations(struct expectations *expected,
                      const struct cli_args *args, size_t place);
void release_expectations(struct expectations *expected);

/*
 * Judges a report of a log, which is freed, by all of them, and says which do
 * not hold.  `status` is that of the log.  Where the log could be read, it is
 * CLI_OK or CLI_NO by what was expected, damaged or not.
 */
int judge_expectations(const struct expectations *expected, const char *path,
                       int status, struct cli_object *report);

#endif
