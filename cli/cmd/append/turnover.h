/*
 * The turnover from a log that is full, or that another process has rotated or
 * replaced, to the one that has the name now.
 */
#ifndef CLI_TURNOVER_H
#define CLI_TURNOVER_H

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

struct cli_patience;

/* A log that is appended to. */
struct cli_target {
	struct shmlog *log;
	struct shmlog_append_session *session;
};

/* Opens the log that the name leads to in the place of the one that is open,
 * which is closed.  0, or a status of the library with the old log still
 * open. */
int cli_turnover_reopen(struct cli_target *target, const char *path);

/* Makes a log, and the name that leads to it, last beyond a power cut: 0;
 * -EOPNOTSUPP where nothing does; -errno. */
int cli_turnover_sync_name(struct shmlog *log, const char *path);

/* How to come by the lock for a rotation. */
struct cli_turnover_terms {
	bool force;
	int64_t lock_timeout_ns;
	int64_t writer_timeout_ns;
	struct cli_patience *patience;
};

/* Rotates a log; the handle on it stays open.  0, SHMLOG_ERR_REPLACED if its
 * name leads to another one already, or another status of the library. */
int cli_turnover_rotate(struct shmlog *log, const char *path,
                        const struct cli_turnover_terms *terms);

#endif
