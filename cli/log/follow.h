/*
 * A follow of any number of logs: opens each as soon as it can be, sleeps until
 * one of them grows, re-opens a log whose name leads to another one, notices
 * the ends, and hands out frames in batches, one log after the other, so that
 * no log waits for a faster one.  What becomes of the frames is the caller's
 * business.
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "follow_ends.h"
#include "name_pattern.h"
#include "named_log.h"
#include "scan.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of the logs. */
struct cli_followed {
	struct cli_named_log named;
	char *own_path; /* of a log that a pattern found, or NULL */
	size_t place;   /* among follow->logs */
	bool added;     /* the caller knows of it */
	bool appeared;  /* it could not be opened at first */
	bool fresh;     /* opened, and not read from yet */
	bool lost;      /* closed before another one could be opened */
	bool finished;  /* it is not read any further */
	bool held;      /* the caller still needs the log that is open */
	bool leaving;   /* ... and another one is to take its place */
	void *user;     /* the caller's */
};

enum cli_news {
	/* All that is known to be committed was handed out: the caller can let
	 * it go on and look at ends of its own.  The next call may sleep. */
	CLI_NEWS_NONE,
	CLI_NEWS_FRAMES,
	/* A log takes part from now on: the caller can set log->user, and
	 * log->named.opened. */
	CLI_NEWS_ADDED,
	/* A log was opened, first or in place of another one.  Its reader
	 * stands at the start, and the caller may move it. */
	CLI_NEWS_OPENED,
	CLI_NEWS_REOPENED,
	/* A log was closed, since descriptors are too few for it and the one
	 * that has its name now, which is opened next. */
	CLI_NEWS_CLOSED,
	/* A log that a pattern had found is gone, all of it was handed out, and
	 * the next call closes it: log->user must not be needed any more. */
	CLI_NEWS_GONE,
	/* A log cannot be read any further; the others go on. */
	CLI_NEWS_FAILED,
	/* The follow is over. */
	CLI_NEWS_ENDED,
};

enum cli_follow_end {
	CLI_END_TIMEOUT,
	CLI_END_IDLE,
	CLI_END_WRITER_GONE,
	CLI_END_NO_LOGS, /* none is left that could be read */
	CLI_END_NO_MEMORY,
};

/* What cli_follow_next() has to tell. */
struct cli_batch {
	struct cli_followed *log; /* the news are about it */
	/* CLI_NEWS_FRAMES: valid until the next call. */
	const struct shmlog_frame *frames;
	size_t count;
	/* ... and they should be let out at once: the log ended the sleep, and
	 * has no more for now. */
	bool urgent;
	/* CLI_NEWS_NONE: nothing has come since it was returned before. */
	bool no_news;
	/* CLI_NEWS_FAILED: a status of the library on log->named.now.reader,
	 * or 0 and an exit status after a message. */
	int status;
	int exit_status;
	enum cli_follow_end end; /* CLI_NEWS_ENDED */
};

struct cli_follow {
	/* Set by the caller behind cli_follow_init(). */
	struct cli_follow_ends ends;
	int64_t poll_ns; /* the longest time between two looks at the logs; 0:
	                  * the library's own */

	struct cli_name_pattern *patterns;
	size_t pattern_count;
	enum cli_follow_mode pattern_mode;
	struct cli_followed **logs;
	void *paths; /* of all logs: a tree, tsearch(3) */
	size_t count;
	size_t capacity;
	struct cli_followed *gone; /* to be closed */
	bool no_memory;            /* for a log that a pattern found */
	/* The logs that the last wait was for, and their readers. */
	struct cli_followed **open_logs;
	struct shmlog_reader **readers;
	size_t open_count;
	bool open_known;      /* nothing was opened or closed since */
	int64_t names_due_ns; /* when a name is to be looked at next */
	struct cli_name_watch watch;
	enum cli_follow_stage {
		CLI_STAGE_READING,
		CLI_STAGE_ENDS,
		CLI_STAGE_NAMES,
		CLI_STAGE_WAITING,
	} stage;
	size_t turn;    /* the log whose turn it is */
	size_t looked;  /* logs whose names were looked at in this round */
	bool started;   /* the first round is over */
	bool timed_out; /* by the last batch */
	bool woken;     /* by the log whose turn it is */
	bool no_news;   /* the last wait found nothing */
	bool ending;    /* this round is the last, for the reason `end`,
	                   * unless a name leads elsewhere */
	enum cli_follow_end end;
	bool switched; /* a name led elsewhere in this round */
	struct shmlog_frame frames[CLI_BATCH_FRAMES];
};

/* Begins a follow of no logs.  `log_count` says how many there will be, as far
 * as that is known. */
void cli_follow_init(struct cli_follow *follow, size_t log_count);
void cli_follow_release(struct cli_follow *follow);

/* Adds a log, which is opened by later calls of cli_follow_next(); `path` must
 * stay.  NULL when memory is short. */
struct cli_followed *cli_follow_add(struct cli_follow *follow, const char *path,
                                    enum cli_follow_mode mode);

/* Adds all logs whose names match a pattern, which must stay, also those that
 * appear later.  False when memory is short. */
bool cli_follow_add_pattern(struct cli_follow *follow, const char *pattern,
                            enum cli_follow_mode mode);

/*
 * The next news, after a sleep of at most `most_ns` if there are none yet; a
 * signal ends it early.  A batch has at most `most` frames.
 */
enum cli_news cli_follow_next(struct cli_follow *follow, uint64_t most,
                              int64_t most_ns, struct cli_batch *batch_out);

/* Counts the time without frames from now on: called when the caller is done
 * with some. */
void cli_follow_touch(struct cli_follow *follow);

/*
 * Holds a log, or lets go of it.  One that is held stays open although another
 * log has its name, or none; from then on no more of it is handed out, as it
 * would have been closed.
 */
void cli_follow_hold(struct cli_follow *follow, struct cli_followed *log,
                     bool held);

/* The caller reads a log no further. */
void cli_follow_finish(struct cli_follow *follow, struct cli_followed *log);

/* Closes descriptors that are not needed; false if there is none. */
bool cli_follow_spare(struct cli_follow *follow);

#endif
