/*
 * The logs that rotations have left: files beside a log whose names are its own
 * and a time, LOG.YYYYMMDDTHHMMSSZ[.N], and archives of these, with .zst behind
 * that.
 */
#ifndef CLI_ROTATED_H
#define CLI_ROTATED_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>

#define CLI_ARCHIVE_SUFFIX ".zst"

struct cli_rotated {
	char *path;
	char time[17];        /* YYYYMMDDTHHMMSSZ */
	unsigned long number; /* among those of one second */
	bool archived;
};

/* How long the name of the log is in a path that has the name of a rotated one;
 * 0: it has not. */
size_t cli_rotated_base(const char *path);

/* In the order of the rotations, the oldest first. */
struct cli_rotated_list {
	struct cli_rotated *all;
	size_t count;
};

/* Finds those of the log at `path`, which may be a symbolic link, by their
 * names alone.  0 or -errno; what was found is released in either case. */
int cli_rotated_find(const char *path, struct cli_rotated_list *list_out);

/* Whether the file is what its name says: a log, or the archive of one. */
bool cli_rotated_is_log(const struct cli_rotated *entry);

/* Leaves out those that are not what their names say. */
void cli_rotated_check(struct cli_rotated_list *list);
void cli_rotated_release(struct cli_rotated_list *list);

/*
 * The path of a log that had the name `path` and was rotated; freed with
 * free(3).  NULL where it has the name still, or is not found among the rotated
 * ones; an archive is not taken for the log that it was made of.
 */
char *cli_rotated_path(const char *path, const struct shmlog_identity *log);

/*
 * The path of the log that was rotated next after `log`, which has been a log
 * of the name `path`, too; freed with free(3).  NULL where that is the log that
 * has the name now, or `log` is not found among the rotated ones.  Logs without
 * frames are passed over, and so are archives: *passed_out says how many.
 */
char *cli_rotated_after(const char *path, const struct shmlog_identity *log,
                        size_t *passed_out);

#endif
