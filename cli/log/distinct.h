/*
 * Keeping apart what a command reads and what it writes: by device and inode,
 * as a file has any number of names.
 */
#ifndef CLI_DISTINCT_H
#define CLI_DISTINCT_H

#include <stdbool.h>

struct cli_args;
struct shmlog;
struct stat;

/* Whether two names lead to one file, or would once it was there. */
bool cli_is_same_path(const char *a, const char *b);

/* Whether two are one regular file; whether one is an open log's. */
bool cli_is_same_file(const struct stat *a, const struct stat *b);
bool cli_is_log(const struct shmlog *log, const struct stat *file);

/* Whether a descriptor is open on a regular file, and the name leads there. */
bool cli_is_path_of(const char *path, int fd);

/*
 * What a command prints must not go into the log that it is about, whether
 * that is open yet (`log`) or not (NULL).  CLI_OK, or CLI_USAGE after a
 * message; without one where that itself would go into the log.
 */
int cli_check_output(const char *path, const struct shmlog *log);

/* The same for every operand of a command whose operands are logs. */
int cli_check_outputs(const struct cli_args *args);

#endif
