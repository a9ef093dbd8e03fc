/* A log in the making: a file without its name. */
#ifndef SHMLOG_CREATE_H
#define SHMLOG_CREATE_H

#include <shmlog.h>
#include <signal.h>
#include <stdbool.h>

struct shmlog_draft {
	const char *path; /* the name that it will get; not owned */
	uint64_t capacity;
	int fd;          /* for reading and writing */
	char *temporary; /* its present name; NULL if it has none */
	bool holds_signals;
	sigset_t signals_before; /* the thread's mask, then */
};

/*
 * Makes the file and reserves its space; flags as for shmlog_create().  0 or
 * the same errors, with nothing left behind.  Where the file has a name, this
 * holds back the signals that would end the process, until the draft is
 * closed; one that came is -EINTR.
 */
int shmlog_draft_open(const char *path, uint64_t capacity, mode_t mode,
                      unsigned flags, struct shmlog_draft *draft_out);

/* Lets signals through again: before work that takes long and has a way of
 * its own to be ended. */
void shmlog_draft_deliver_signals(struct shmlog_draft *draft);

/* Writes the header of a log whose committed data ends at `size`, so that it
 * can be read. */
int shmlog_draft_write_header(const struct shmlog_draft *draft, uint64_t size);

/* Gives the file its name if `status` is 0, and leaves nothing behind
 * otherwise.  Returns `status`, or why the name could not be given. */
int shmlog_draft_close(struct shmlog_draft *draft, int status);

#endif
