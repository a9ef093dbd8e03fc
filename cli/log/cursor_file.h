/*
 * Cursor files: how far a follower has come in which log.  One line of JSON,
 * replaced atomically.
 */
#ifndef CLI_CURSOR_FILE_H
#define CLI_CURSOR_FILE_H

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

struct cli_cursor {
	struct shmlog_identity log;
	uint64_t cursor;
};

/*
 * Reads a cursor file; *found_out is false if there is none.  Returns CLI_OK,
 * or an exit status after a message; a file that is no cursor file is refused
 * with CLI_OTHER_LOG, so that it is never overwritten.
 */
int cli_cursor_file_load(const char *path, struct cli_cursor *cursor_out,
                         bool *found_out);

/* Replaces a cursor file, or the file that a link of that name leads to.  The
 * new file has the old one's mode and, where the user may set it, owner.  0 or
 * -errno. */
int cli_cursor_file_save(const char *path, const struct cli_cursor *cursor);

/* Whether a path leads to the log that a cursor belongs to. */
bool cli_cursor_is_in_log(const char *path, const struct cli_cursor *cursor);

/* Whether a cursor was taken in this log. */
bool cli_cursor_is_of(const struct cli_cursor *cursor,
                      const struct shmlog *log);

#endif
