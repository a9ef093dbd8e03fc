/*
 * Write access to a log: the lock, the look for a writer that takes no lock, a
 * descriptor and a header for writing, and the check that a frame may follow
 * the last one.
 */
#ifndef SHMLOG_WRITE_ACCESS_H
#define SHMLOG_WRITE_ACCESS_H

#include "log.h"

/* Write access, held from acquire to release. */
struct shmlog_write_access {
	struct shmlog *log;
	int fd;                            /* for reading and writing */
	struct shmlog_file_header *header; /* mapped for writing; NULL where
	                                    * that cannot be */
	uint64_t capacity;    /* of the file, when access was acquired */
	uint64_t size;        /* as loaded under the lock; sane */
	bool no_other_writer; /* the system has shown that nobody else writes */
	bool contended;       /* another process had the lock */
	bool may_keep;        /* until the next append: see lock_cache.c */
	bool still_named; /* behind the last commit the name still led to it */
	bool touched;     /* bytes were written behind `size` */
};

/* On which terms access is asked for. */
struct shmlog_access_terms {
	bool force;              /* even where another writer is seen */
	int64_t lock_timeout_ns; /* negative: without limit */
	/* See struct shmlog_append_options; may be NULL. */
	int (*waiting)(void *context, int status);
	void *context;
};

/* The terms of shmlog_grow() and shmlog_rotate(). */
struct shmlog_access_terms
shmlog_change_terms(const struct shmlog_change_options *options);

/*
 * Takes the lock, waiting as long as the terms say; refuses a log that is
 * replaced, not sane, or written by somebody who takes no lock (unless
 * `force`); and opens it for writing.  Access that this handle keeps from an
 * earlier append is released first.  0, or a status with nothing held:
 * SHMLOG_ERR_LOCK_TIMEOUT, _WRITER_ACTIVE, _REPLACED, the header's,
 * _MAPPING_GONE, _TORN, _FRAME_CORRUPT, _WENT_BACK, -errno.
 */
int shmlog_access_acquire(struct shmlog *log,
                          const struct shmlog_access_terms *terms,
                          struct shmlog_write_access *access_out);

/* The same for a log whose last frames are in doubt: they are not looked at. */
int shmlog_access_acquire_unchecked(struct shmlog *log,
                                    const struct shmlog_access_terms *terms,
                                    struct shmlog_write_access *access_out);

/* Loads `size`.  0; -errno or SHMLOG_ERR_MAPPING_GONE without a mapping. */
int shmlog_access_size(const struct shmlog_write_access *access,
                       uint64_t *size_out);

/* Moves `size` from `from` to `to`, unless somebody else has moved it
 * (SHMLOG_ERR_INTERFERED), in one piece and behind all that was written before.
 * Fails as shmlog_access_size() does. */
int shmlog_access_move_size(const struct shmlog_write_access *access,
                            uint64_t from, uint64_t to);

/* Wakes the readers that sleep on `size`.  Where nothing can be mapped, no
 * reader sleeps. */
void shmlog_access_wake(const struct shmlog_write_access *access);

/* Closes the log for writing, then unlocks it: a process that takes the lock
 * next must not find this one still writing. */
void shmlog_access_release(struct shmlog_write_access *access);

/* The two halves of a release.  While the lock is held, a log that was closed
 * may be opened for writing again. */
void shmlog_access_close(struct shmlog_write_access *access);
int shmlog_access_open(struct shmlog_write_access *access);
void shmlog_unlock(struct shmlog *log);

/*
 * Looks whether another process that takes no lock has the log open for
 * writing.  A process that closes it within 30 ms is waited for.  0 if there is
 * none, or none can be seen (then *no_other_writer_out is false);
 * SHMLOG_ERR_WRITER_ACTIVE.
 */
int shmlog_refuse_writer(struct shmlog *log, bool *no_other_writer_out);

/* Waits without the lock until shmlog_refuse_writer() may find nobody,
 * `timeout_ns` at most (negative: without limit).  0 or
 * SHMLOG_ERR_WRITER_ACTIVE. */
int shmlog_await_writer(struct shmlog *log,
                        const struct shmlog_access_terms *terms,
                        int64_t timeout_ns);

#endif
