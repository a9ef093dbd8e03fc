/*
 * The way in for a writer: the lock, the look for a writer that takes none,
 * write access, and the check that a frame may follow the last one.
 */
#ifndef SHMLOG_LOCK_H
#define SHMLOG_LOCK_H

#include "log.h"

/* Write access to a log, held between enter and leave. */
struct shmlog_entry {
	struct shmlog *log;
	int fd;                            /* for reading and writing */
	struct shmlog_file_header *header; /* mapped for writing; NULL where
	                                    * that cannot be */
	uint64_t capacity;                 /* of the file, when entered */
	uint64_t size;                     /* as loaded under the lock; sane */
	bool certain; /* the system could tell that nobody else writes */
	bool waited;  /* another process had the lock */
	bool alone;   /* may be kept: see keep.c */
	bool named;   /* behind the last commit the name still led to it */
	bool touched; /* bytes were written behind `size` */
};

/* How to enter. */
struct shmlog_terms {
	bool force;              /* beside whoever writes */
	int64_t lock_timeout_ns; /* negative: without limit */
	/* See struct shmlog_append_options; may be NULL. */
	int (*waiting)(void *context, int status);
	void *context;
};

/*
 * Takes the lock, waiting as long as the terms say,
 * refuses a log that is replaced, not sane, or written by somebody who takes
 * no lock (unless `force`), and opens it for writing.  An entry that this
 * handle keeps is left first.  0, or a status with
 * nothing held: SHMLOG_ERR_LOCK_TIMEOUT, _WRITER_ACTIVE, _REPLACED, the
 * header's, _MAPPING_GONE, _TORN, _FRAME_CORRUPT, _WENT_BACK, -errno.
 */
int shmlog_enter(struct shmlog *log, const struct shmlog_terms *terms,
                 struct shmlog_entry *entry_out);

/* The same for a log whose last frames are in doubt: they are not looked at. */
int shmlog_enter_unchecked(struct shmlog *log, const struct shmlog_terms *terms,
                           struct shmlog_entry *entry_out);

/* Loads `size`.  0; -errno or SHMLOG_ERR_MAPPING_GONE without a mapping. */
int shmlog_entry_size(const struct shmlog_entry *entry, uint64_t *size_out);

/* Moves `size` from `from` to `to`, unless somebody else has moved it
 * (SHMLOG_ERR_INTERFERED), in one piece and behind all that was written before.
 * Errors as above. */
int shmlog_entry_move_size(const struct shmlog_entry *entry, uint64_t from,
                           uint64_t to);

/* Wakes the readers that sleep on `size`; where nothing can be mapped, none
 * does. */
void shmlog_entry_wake(const struct shmlog_entry *entry);

/* Closes the write access and lets go of the lock, in this order: a process
 * that takes the lock next must not find this one still writing. */
void shmlog_leave(struct shmlog_entry *entry);

/* The halves of it: the write access alone, which may be opened again as long
 * as the lock is held, and the lock alone. */
void shmlog_close_access(struct shmlog_entry *entry);
int shmlog_open_access(struct shmlog_entry *entry);
void shmlog_unlock(struct shmlog *log);

/*
 * Looks whether somebody who takes no lock has the log open for writing, while
 * this process has not: 0 if nobody has, or nobody can be seen (then
 * *certain_out is false); SHMLOG_ERR_WRITER_ACTIVE.  One who closes it within
 * 30 ms is waited for.
 */
int shmlog_refuse_writer(struct shmlog *log, bool *certain_out);

/* Waits without the lock until that may find nobody, `timeout_ns` at most
 * (negative: without limit).  0 or SHMLOG_ERR_WRITER_ACTIVE. */
int shmlog_await_writer(struct shmlog *log, const struct shmlog_terms *terms,
                        int64_t timeout_ns);

#endif
