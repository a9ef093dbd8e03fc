/*
 * The way in for a writer: the lock, the look for a writer that takes none,
 * write access, and the check that a frame may follow the last one.
 */
#ifndef SHMLOG_LOCK_H
#define SHMLOG_LOCK_H

#include "mapping.h"

/* Write access to a log, held between enter and leave. */
struct shmlog_entry {
	struct shmlog *log;
	int fd;                            /* for reading and writing */
	struct shmlog_file_header *header; /* mapped for writing */
	uint64_t capacity;                 /* of the file, when entered */
	uint64_t size;                     /* as loaded under the lock; sane */
	bool certain; /* the system could tell that nobody else writes */
	bool waited;  /* another process had the lock */
	bool alone;   /* may be kept: see keep.c */
};

/*
 * Takes the lock, waiting `timeout_ns` at most (negative: without limit),
 * refuses a log that is replaced, not sane, or written by somebody who takes
 * no lock (unless `force`), and opens it for writing.  An entry that this
 * handle keeps is left first.  0, or a status with
 * nothing held: SHMLOG_ERR_LOCK_TIMEOUT, _WRITER_ACTIVE, _REPLACED, the
 * header's, _MAPPING_GONE, _TORN, _FRAME_CORRUPT, -errno.
 */
int shmlog_enter(struct shmlog *log, bool force, int64_t timeout_ns,
                 struct shmlog_entry *entry_out);

/* Closes the write access and lets go of the lock, in this order: a process
 * that takes the lock next must not find this one still writing. */
void shmlog_leave(struct shmlog_entry *entry);

/* The halves of it: the write access alone, the lock alone. */
void shmlog_close_access(struct shmlog_entry *entry);
void shmlog_unlock(struct shmlog *log);

#endif
