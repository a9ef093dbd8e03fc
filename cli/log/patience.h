/*
 * Waiting for others: for the lock that another appender has, and for a writer
 * that takes no lock.  Whom a command waits for is said once, after a moment:
 * a process that was stopped would keep it waiting for ever.
 */
#ifndef CLI_PATIENCE_H
#define CLI_PATIENCE_H

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

struct cli_patience {
	struct shmlog *log;
	const char *path;   /* for messages */
	int64_t timeout_ns; /* for the lock, from `start_ns` on */
	int64_t start_ns;   /* of the call; 0: it has not waited yet */
	int64_t waiting_ns; /* since when it waits for a writer; 0: not */
	bool was_caught;    /* a signal, before the call */
	bool armed;         /* a timer will end the wait for the lock */
	bool said_lock;     /* whom it waits for */
	bool said_writer;
};

/* Before a call of the library that may wait: for the lock as long as that. */
void cli_patience_begin(struct cli_patience *patience, int64_t lock_timeout_ns);

/* What is left of that time. */
int64_t cli_patience_left(const struct cli_patience *patience);

/* struct shmlog_append_options.waiting, with a patience as its context. */
int cli_patience_wait(void *context, int status);

/* Whether a call that ended with -EINTR is to be made again. */
bool cli_patience_goes_on(struct cli_patience *patience);

/* Behind the call. */
void cli_patience_end(struct cli_patience *patience);

/* Who is in the way, as far as it can be seen. */
struct cli_culprit {
	int64_t holder; /* of the lock, or 0: whoever writes */
	char text[384]; /* ": pid 7 ('node x.js')", or empty */
};

/* Looks for it by what a call of the library ended with. */
void cli_culprit_find(const struct shmlog *log, int status,
                      struct cli_culprit *culprit_out);

#endif
