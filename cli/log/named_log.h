/*
 * The log that has a name: opened as soon as it can be, held while it has the
 * name, and then replaced by the log that takes its place.  Logs that were
 * rotated in between come first, each in its turn.  One of these is what a
 * follow has for each log.
 */
#ifndef CLI_NAMED_LOG_H
#define CLI_NAMED_LOG_H

#include "name_watch.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

/* A log and a reader of it. */
struct cli_source {
	struct shmlog *log; /* NULL: none */
	struct shmlog_reader *reader;
};

enum cli_follow_mode {
	CLI_FOLLOW_FILE, /* the file, wherever its name leads later */
	CLI_FOLLOW_NAME, /* whatever log has the name */
};

struct cli_named_log {
	const char *path;
	enum cli_follow_mode mode;
	struct cli_source now;
	struct cli_source next; /* the log that the name leads to by now */

	struct cli_name_watch *watch; /* shared by all logs of a follow */
	struct cli_watched_name watched;
	bool from_pattern;  /* no other log is awaited under the name */
	bool waits;         /* for a file that is not there yet, in any mode */
	bool must_swap;     /* descriptors are too few for two logs at once */
	bool unready;       /* the file that has the name is not ready */
	int64_t changed_ns; /* when the name was last seen to change */
	int64_t looked_ns;  /* when the name was last looked at */
	int found;          /* the status which that look returned */
	bool has_left;      /* a log, before another one was opened: */
	struct shmlog_identity left;
	int reported;   /* the status of the last message; 0: none */
	int unreported; /* a status that differs from it, since: */
	int64_t unreported_ns;

	/* May be set behind cli_named_begin(): the path of a log that was
	 * rotated, which is opened first; freed here.  NULL: none. */
	char *first;
	/* May be set behind cli_named_begin(): called for each log that is
	 * opened; anything but CLI_OK, after a message, refuses the log. */
	int (*opened)(void *context, const char *path, struct shmlog *log);
	/* ... and called right before `now` is closed: other readers of that
	 * log must be closed by then. */
	void (*closing)(void *context);
	void *context;
};

/* Begins with no log open; `path` and `watch` must stay. */
void cli_named_begin(struct cli_named_log *named, const char *path,
                     enum cli_follow_mode mode, struct cli_name_watch *watch);
/* Closes the logs that are open. */
void cli_named_end(struct cli_named_log *named);

/*
 * Tries to open the log for `now`.  *ready_out is false if it is not there, or
 * not ready, which is worth waiting for, and a message has said so, once.
 * CLI_OK, or an exit status after a message.
 */
int cli_named_open(struct cli_named_log *named, bool *ready_out);

/* Watches the name, where that was not possible before. */
void cli_named_watch(struct cli_named_log *named);

/*
 * Looks whether the name still leads to `now`, when something happened to it
 * and now and then in any case, and says if not.  Once another log is ready
 * there, it is opened as `next`, or the log that was rotated before that one,
 * so that it stays readable whatever becomes
 * of its name: what was committed to the old one comes first, and the next
 * call makes the switch.  *switched_out says that `now` is another log; where
 * there are too few descriptors for two, it has none at first, and
 * cli_named_open() is due.  CLI_OK, or an exit status after a message.
 */
int cli_named_look(struct cli_named_log *named, bool *switched_out);

/* Whether the next call of cli_named_look() would close `now`, as another log
 * has its name. */
bool cli_named_is_leaving(const struct cli_named_log *named);

/* Makes the next call of cli_named_look() look, however short ago the last look
 * was. */
void cli_named_look_soon(struct cli_named_log *named);

/* How long until the name is to be looked at again; 0: a look is due. */
int64_t cli_named_pause(const struct cli_named_log *named);

#endif
