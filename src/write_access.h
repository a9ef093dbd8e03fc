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
	uint64_t size;        /* as loaded under the lock, and checked */
	bool no_other_writer; /* the system has shown that nobody else writes */
	bool contended;       /* another process had the lock */
	bool may_keep;        /* for the next append: see lock_cache.c */
	bool still_named;     /* the name led to it after the last commit */
	bool touched;         /* bytes were written behind `size` */
	uint64_t ahead;       /* bytes behind `size` that hold the first bytes
	                       * of the next commit already */
};

/* How write access is to be acquired: whether to wait, and for whom. */
struct shmlog_access_terms {
	bool force;              /* even where another writer is seen */
	int64_t lock_timeout_ns; /* negative: without limit */
	/* See struct shmlog_append_options; may be NULL. */
	int (*waiting)(void *context, int status);
	void *context;
};

/* Reads the options of shmlog_grow() and shmlog_rotate(); NULL: the
 * defaults. */
struct shmlog_access_terms
shmlog_change_terms(const struct shmlog_change_options *options);

/*
 * Takes the lock, waiting as long as the terms allow; refuses a log that is
 * replaced, not sound, or open for writing in a process that takes no lock
 * (unless `force`); and opens it for writing.  Access that this handle keeps
 * from an earlier append is released first.  Returns 0, or with nothing held:
 * SHMLOG_ERR_LOCK_TIMEOUT, _WRITER_ACTIVE, _REPLACED, the header's statuses,
 * _MAPPING_GONE, _TORN, _FRAME_CORRUPT, _WENT_BACK or -errno.
 */
int shmlog_access_acquire(struct shmlog *log,
                          const struct shmlog_access_terms *terms,
                          struct shmlog_write_access *access_out);

/* Does the same without a check of the last frames, for a log in which these
 * are in doubt. */
int shmlog_access_acquire_unchecked(struct shmlog *log,
                                    const struct shmlog_access_terms *terms,
                                    struct shmlog_write_access *access_out);

/* Loads `size`.  Returns 0, or where the header is not mapped also -errno or
 * SHMLOG_ERR_MAPPING_GONE. */
int shmlog_access_size(const struct shmlog_write_access *access,
                       uint64_t *size_out);

/* Moves `size` from `from` to `to` in one piece, after all that was written
 * before; SHMLOG_ERR_INTERFERED if another writer has moved it.  Fails as
 * shmlog_access_size() does. */
int shmlog_access_move_size(const struct shmlog_write_access *access,
                            uint64_t from, uint64_t to);

/* Wakes the readers that sleep on `size`.  Where nothing can be mapped, no
 * reader sleeps. */
void shmlog_access_wake(const struct shmlog_write_access *access);

/* Wakes the first of them, which is soon done.  Whether there may be others: a
 * crowd is to be woken by shmlog_wake() once the lock was released, as that
 * takes long, and those who are awake want the processor. */
bool shmlog_access_wake_first(const struct shmlog_write_access *access);

/* Closes the log for writing and then unlocks it, in this order: a process that
 * takes the lock next must not find this one still writing. */
void shmlog_access_release(struct shmlog_write_access *access);

/* The two halves of a release, and the opening again that may come between
 * them: while the lock is held, a log that was closed may be opened for writing
 * again. */
void shmlog_access_close(struct shmlog_write_access *access);
int shmlog_access_open(struct shmlog_write_access *access);
void shmlog_unlock(struct shmlog *log);

/* The lock alone, as the terms say; *contended_out becomes true if another
 * process had it.  0, SHMLOG_ERR_LOCK_TIMEOUT or -errno. */
int shmlog_lock(struct shmlog *log, const struct shmlog_access_terms *terms,
                bool *contended_out);

/*
 * Looks whether another process that takes no lock has the log open for
 * writing, and waits up to 30 ms for it to close the log.  Returns
 * SHMLOG_ERR_WRITER_ACTIVE if there is such a process; 0 if there is none, or
 * if none can be seen: then *no_other_writer_out is false.
 */
int shmlog_refuse_writer(struct shmlog *log, bool *no_other_writer_out);

/* Waits without the lock until shmlog_refuse_writer() may find nobody,
 * `timeout_ns` at most (negative: without limit).  0 or
 * SHMLOG_ERR_WRITER_ACTIVE. */
int shmlog_await_writer(struct shmlog *log,
                        const struct shmlog_access_terms *terms,
                        int64_t timeout_ns);

#endif
