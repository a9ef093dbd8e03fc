/* A log in the making: a file without its name. */
#ifndef SHMLOG_CREATE_H
#define SHMLOG_CREATE_H

#include <shmlog.h>

struct shmlog_draft {
	const char *path; /* the name that it will get; not owned */
	uint64_t capacity;
	int fd;          /* for reading and writing */
	char *temporary; /* its present name; NULL if it has none */
};

/* Makes the file and reserves its space; flags as for shmlog_create().  0 or
 * the same errors, with nothing left behind. */
int shmlog_draft_open(const char *path, uint64_t capacity, mode_t mode,
                      unsigned flags, struct shmlog_draft *draft_out);

/* Writes the header of a log whose committed data ends at `size`, so that it
 * can be read. */
int shmlog_draft_write_header(const struct shmlog_draft *draft, uint64_t size);

/* Gives the file its name if `status` is 0, and leaves nothing behind
 * otherwise.  Returns `status`, or why the name could not be given. */
int shmlog_draft_close(struct shmlog_draft *draft, int status);

#endif
