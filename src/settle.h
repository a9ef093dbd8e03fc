/*
 * Settling a commit: making sure that frames which were published while a
 * writer that takes no lock may have had the log open are there to stay.
 */
#ifndef SHMLOG_SETTLE_H
#define SHMLOG_SETTLE_H

#include "window.h"
#include "write_access.h"

/* Ready frames: bytes in memory or in a file. */
struct shmlog_source {
	const unsigned char *bytes;   /* NULL if they are in the window */
	struct shmlog_window *window; /* on the file that they are in */
	uint64_t from;
	uint64_t end;
};

/* Frames that were written, and perhaps published. */
struct shmlog_commit {
	struct shmlog_write_access *access; /* the lock is held */
	struct shmlog_source source;        /* of the frames */
	uint64_t at; /* offset that they were written to */
};

/* Tells why `size` is not what it was: SHMLOG_ERR_INTERFERED if another writer
 * has moved it, or the status of a header that is no longer sound. */
int shmlog_explain_interference(const struct shmlog *log);

/*
 * Writes bytes to the place `at` bytes behind access->size, unless another
 * writer has moved `size`: then frames of that writer are there by now.
 * Returns 0, -errno, or what shmlog_explain_interference() returns.
 */
int shmlog_write_behind(struct shmlog_write_access *access, uint64_t at,
                        const void *bytes, size_t size_bytes);
/* Does the same for a whole source. */
int shmlog_source_write(const struct shmlog_source *source,
                        struct shmlog_write_access *access);

/*
 * Closes the write access and finds out whether the frames are in the log to
 * stay.  While no other process writes, it mends what it can.  Returns
 *
 * 0 if all of them are, to the last byte, and no other writer is left that
 * could overwrite them;
 *
 * SHMLOG_ERR_IN_DOUBT if such a writer has the log open;
 *
 * SHMLOG_ERR_OVERWRITTEN if no writer is left, the committed data is one chain
 * of frames, and some of the frames are not in it: the source of the commit is
 * then narrowed to these;
 *
 * SHMLOG_ERR_FRAME_CORRUPT or _TORN if the chain is broken;
 *
 * SHMLOG_ERR_WENT_BACK if frames before these were overwritten too;
 *
 * the header's statuses, SHMLOG_ERR_MAPPING_GONE or -errno.
 */
int shmlog_settle(struct shmlog_commit *commit);

#endif
