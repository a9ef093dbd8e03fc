/* A log in the making: a file without its name. */
#ifndef SHMLOG_CREATE_H
#define SHMLOG_CREATE_H

#include <shmlog.h>
#include <signal.h>
#include <stdbool.h>

struct shmlog_draft {
	const char *path; /* the name that it will get; not owned */
	uint64_t capacity;
	uint64_t header_size; /* as for a log without metadata, unless the */
	uint64_t data_offset; /* caller has set them otherwise */
	int fd;               /* for reading and writing */
	char *temporary;      /* its present name; NULL if it has none */
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

/* posix_fallocate(3), made again when a signal cuts it: 0 or -errno. */
int shmlog_reserve(int fd, uint64_t from, uint64_t bytes);

/*
 * Whether the file system of `fd` has no room for so much.  It would say so at
 * once if it was asked for as a whole, but only once it is full if for pieces.
 */
bool shmlog_is_too_large(int fd, uint64_t bytes);

/* SHMLOG_CREATE_SPARSE, or 0 if the space of the file of `fd` is reserved. */
unsigned shmlog_creation_flags(int fd);

/* Copies the metadata, and what else there is before the first frame, from the
 * file `fd` to a draft whose words are set: 0 or a status. */
int shmlog_draft_copy_metadata(const struct shmlog_draft *draft, int fd);

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
