/*
 * Cursor files: how far a follower has come in which logs.  One line of JSON
 * for each log, replaced atomically.  The file of a follower of one log is one
 * line without the log's name.
 */
#ifndef CLI_CURSOR_FILE_H
#define CLI_CURSOR_FILE_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_cursor {
	struct shmlog_identity log;
	uint64_t cursor;
	char *name; /* the log's path as cli_cursor_name() writes it; NULL:
	             * the line has none */
	bool taken; /* the caller has found its log */
};

struct cli_cursors {
	struct cli_cursor *list;
	size_t count; /* 0: there is no cursor file, or it is empty */
	/* Of those that were loaded: in the order of names, those without one
	 * first, and of inodes; NULL: there are none. */
	struct cli_cursor **by_name;
	struct cli_cursor **by_inode;
};

/*
 * Reads a cursor file.  Returns CLI_OK, or an exit status after a message; a
 * file that is no cursor file is refused with CLI_OTHER_LOG, so that it is
 * never overwritten.  What was read is released in either case.
 */
int cli_cursor_file_load(const char *path, struct cli_cursors *cursors_out);
void cli_cursors_release(struct cli_cursors *cursors);

/* Replaces a cursor file, or the file that a link of that name leads to.  The
 * new file has the old one's mode and, where the user may set it, owner.  0 or
 * -errno. */
int cli_cursor_file_save(const char *path, const struct cli_cursors *cursors);

/* A path as it stands inside a JSON string; freed with free(3).  NULL when
 * memory is short. */
char *cli_cursor_name(const char *path);

/* The first cursor with a name, of those that were loaded; NULL if there is
 * none.  Takes a few comparisons, however many cursors there are. */
struct cli_cursor *cli_cursors_named(const struct cli_cursors *cursors,
                                     const char *name);

/* The cursor of a log: that with its name, or else one that was taken in this
 * log under another name; NULL if there is none. */
struct cli_cursor *cli_cursors_find(const struct cli_cursors *cursors,
                                    const char *name, const struct shmlog *log);

/* Whether a path leads to a log that one of the cursors belongs to. */
bool cli_cursors_are_in_log(const struct cli_cursors *cursors,
                            const char *path);

/* Whether a cursor was taken in this log. */
bool cli_cursor_is_of(const struct cli_cursor *cursor,
                      const struct shmlog *log);

#endif
