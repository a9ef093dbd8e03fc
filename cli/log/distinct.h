/*
 * Keeps a command from writing into a file that it reads.  Files are compared
 * by device and inode, as one file may have several names.
 */
#ifndef CLI_DISTINCT_H
#define CLI_DISTINCT_H

#include <stdbool.h>

struct cli_args;
struct shmlog;
struct stat;

/* Whether two paths lead to the same file, or would if it existed. */
bool cli_is_same_path(const char *a, const char *b);

/* Whether both are the same regular file; whether a file is that of a log. */
bool cli_is_same_file(const struct stat *a, const struct stat *b);
bool cli_is_log(const struct shmlog *log, const struct stat *file);

/* Whether a path leads to the regular file that a descriptor is open on. */
bool cli_is_path_of(const char *path, int fd);

/*
 * Checks that standard output and standard error do not lead into the log at
 * `path`; `log` is that log if it is open already, otherwise NULL.  CLI_OK, or
 * CLI_USAGE after a message; there is no message where it would go into the
 * log itself.
 */
int cli_check_output(const char *path, const struct shmlog *log);

/* The same for every operand of a command whose operands are logs. */
int cli_check_outputs(const struct cli_args *args);

#endif
