/*
 * Making sure of frames that were published while a writer that takes no lock
 * may have had the log open.
 */
#ifndef SHMLOG_SETTLE_H
#define SHMLOG_SETTLE_H

#include "window.h"
#include "write_access.h"

/* Ready frames, or some of them: bytes in memory or of a file. */
struct shmlog_source {
	const unsigned char *bytes;   /* NULL: in the window */
	struct shmlog_window *window; /* on the file they are in */
	uint64_t from;
	uint64_t end;
};

/* Frames that were written, and perhaps published. */
struct shmlog_commit {
	struct shmlog_write_access *access; /* the lock is held */
	struct shmlog_source source;        /* of the frames */
	uint64_t at; /* offset that they were written to */
};

/* Why `size` is not what it was: SHMLOG_ERR_INTERFERED if somebody has moved
 * it, or the status that says what is wrong with the header. */
int shmlog_explain_interference(const struct shmlog *log);

/*
 * Writes bytes to the place `at` bytes behind access->size, unless somebody has
 * moved `size`: then frames of theirs are there by now.  0, -errno, or as
 * shmlog_explain_interference().
 */
int shmlog_write_behind(struct shmlog_write_access *access, uint64_t at,
                        const void *bytes, size_t size_bytes);
/* The same for a whole source. */
int shmlog_source_write(const struct shmlog_source *source,
                        struct shmlog_write_access *access);

/*
 * Closes the write access and looks whether the frames are in the log to stay.
 * While nobody else writes, it mends what it can.
 *
 * 0: all of them are, to the last byte, and nobody is there who could overwrite
 * them.  SHMLOG_ERR_IN_DOUBT: somebody is.  SHMLOG_ERR_OVERWRITTEN: nobody is,
 * all that is committed is a chain of frames, and those that the source of the
 * commit is now narrowed to are not among them.  SHMLOG_ERR_FRAME_CORRUPT or
 * _TORN: the chain is broken.  SHMLOG_ERR_WENT_BACK: frames before these were
 * overwritten too.  Also the header's statuses, SHMLOG_ERR_MAPPING_GONE and
 * -errno.
 */
int shmlog_settle(struct shmlog_commit *commit);

#endif
