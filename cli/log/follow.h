/*
 * A log that is followed: opened as soon as it can be, held while it has the
 * name, and followed by the log that takes its place.  Knows nothing of what
 * is printed; the ends of a follow are the caller's.
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

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
	CLI_FOLLOW_NOT,  /* the log as it is */
	CLI_FOLLOW_FILE, /* the file, wherever its name leads later */
	CLI_FOLLOW_NAME, /* whatever log has the name */
};

struct cli_follow {
	const char *path;
	enum cli_follow_mode mode;
	struct cli_source now;
	struct cli_source next; /* where the name leads by now */

	struct cli_name_watch watch; /* tells when something happens to the
	                              * name */
	bool no_watch;               /* descriptors are too few for one */
	bool must_swap;              /* ... and for two logs at a time */
	bool unready;                /* what has the name is not ready */
	int64_t changed_ns;          /* when it was last seen to change */
	int64_t looked_ns;           /* when the name was last looked at */
	int found;                   /* by that look, a status */
	int told;                    /* the last one that was said; 0: none */
	int untold;                  /* one that differs from it, since: */
	int64_t untold_ns;

	/* May be set behind cli_follow_begin(): called for each log that is
	 * opened; anything but CLI_OK, after a message, ends the follow. */
	int (*opened)(void *context, struct shmlog *log);
	void *context;
};

/* Begins; `path` must stay. */
void cli_follow_begin(struct cli_follow *follow, const char *path,
                      enum cli_follow_mode mode);
/* Closes what is open. */
void cli_follow_end(struct cli_follow *follow);

/*
 * Tries to open the log for `now`.  *ready_out is false if it is not there, or
 * not ready, which is worth waiting for, and a message has said so, once.
 * CLI_OK, or an exit status after a message.
 */
int cli_follow_open(struct cli_follow *follow, bool *ready_out);

/* Sleeps while it is not ready: `most_ns`, or until it is worth a try, or a
 * signal comes. */
void cli_follow_rest(struct cli_follow *follow, int64_t most_ns);

/*
 * Looks whether the name still leads to `now`, when something happened to it
 * and now and then in any case, and says if not.  Once another log is ready
 * there, it is opened as `next`, so that it stays readable whatever becomes
 * of its name: what was committed to the old one comes first, and the next
 * call makes the switch.  *switched_out says that `now` is another log; where
 * there are too few descriptors for two, it has none at first, and
 * cli_follow_open() is due.  CLI_OK, or an exit status after a message.
 */
int cli_follow_look(struct cli_follow *follow, bool *switched_out);

/* Has the next call of that look, however short ago it did. */
void cli_follow_look_soon(struct cli_follow *follow);

/* How long till the name is to be looked at again; 0: something is due. */
int64_t cli_follow_pause(const struct cli_follow *follow);

/* Gives up what is not needed of descriptors; false if there is nothing. */
bool cli_follow_spare(struct cli_follow *follow);

#endif
