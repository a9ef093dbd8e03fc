/*
 * Logs that are no file that can be mapped: standard input, and zstd archives
 * of a log.  They are copied to a file without a name first, which is then read
 * as any other log.
 */
#ifndef CLI_SPOOL_H
#define CLI_SPOOL_H

#include <shmlog.h>
#include <stdbool.h>

/* "-", which stands for standard input. */
bool cli_is_standard_input(const char *path);
/* A file that begins as zstd archives do. */
bool cli_is_zstd_file(const char *path);
/* One of the two. */
bool cli_is_spooled(const char *path);

/* Refuses the one and the other where a log is to be changed: CLI_OK for
 * neither, or an exit status after a message. */
int cli_refuse_spooled(const char *path);

/* The same where a log is to be followed; the status is CLI_USAGE. */
int cli_refuse_follow(const char *path);

/* Opens such a log, which is then read-only.  CLI_OK, or an exit status after a
 * message. */
int cli_open_spooled(const char *path, struct shmlog **log_out);

#endif
