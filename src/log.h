/*
 * An open log: descriptor, identity, and what the threads that use it share.
 */
#ifndef SHMLOG_LOG_H
#define SHMLOG_LOG_H

#include "file.h"

#include <pthread.h>
#include <stdbool.h>

struct shmlog_write_access;
struct shmlog_mapping;

struct shmlog {
	int fd;         /* read-only; carries the lock */
	int lock_fd;    /* carries the lock while it is held, where that takes a
	              * descriptor open for writing; else -1 */
	char *path;     /* NULL if it was opened without a name */
	bool read_only; /* the file cannot be opened for writing */
	struct shmlog_identity identity;
	uint64_t header_size;
	uint64_t data_offset;

	/* Threads take turns at the mappings under this mutex. */
	pthread_mutex_t mutex;
	struct shmlog_mapping *current;    /* the newest, not counted; NULL */
	struct shmlog_file_header *header; /* mapped to sleep on; NULL before */

	/* The lock belongs to the process, so its threads take turns under this
	 * mutex.  It protects all that follows. */
	pthread_mutex_t append_mutex;
	bool scanned;    /* /proc was searched for writers */
	int unseen;      /* see shmlog_unseen_writers() */
	bool has_writer; /* this handle has a writer of its own */
	struct shmlog_write_access
		*kept;   /* by a session; NULL if nothing is kept */
	uint64_t proved; /* the frames below this offset were found to be a
	                  * chain; 0 if nobody has looked yet */
};

/* shmlog_open() on a descriptor of a regular file, which is taken over, also
 * on failure.  `path` is NULL for a log that has no name. */
int shmlog_open_descriptor(int fd, const char *path, struct shmlog **log_out);

/* shmlog_check_name(); stores the length of the file that has the name, or of
 * the log that has none. */
int shmlog_check_named(const struct shmlog *log, uint64_t *length_out);

#endif
