/*
 * What has become of frames that were published while somebody who takes no
 * lock may have had the log open for writing.
 */
#ifndef SHMLOG_SETTLE_H
#define SHMLOG_SETTLE_H

#include "lock.h"
#include "window.h"

/* Ready frames, in memory or in a file; a part of them. */
struct shmlog_source {
	const unsigned char *bytes;   /* NULL: in the window */
	struct shmlog_window *window; /* on the file they are in */
	uint64_t from;
	uint64_t end;
};

/* Frames that were written, and perhaps published. */
struct shmlog_commit {
	struct shmlog_entry *entry;  /* the lock is held */
	struct shmlog_source source; /* of the frames */
	uint64_t at;                 /* offset that they were written to */
};

/* Somebody has moved `size`: SHMLOG_ERR_INTERFERED, or what is wrong with the
 * header. */
int shmlog_explain_interference(const struct shmlog *log);

/*
 * Writes frames behind the commit, to entry->size, unless somebody has moved
 * `size`: then that place holds frames of theirs by now
 * (SHMLOG_ERR_INTERFERED, or what is wrong with the header).  -errno.
 */
int shmlog_write_behind(struct shmlog_entry *entry, uint64_t at,
                        const void *bytes, size_t size_bytes);
int shmlog_source_write(const struct shmlog_source *source,
                        struct shmlog_entry *entry);

/*
 * Closes the write access and looks whether the frames are in the log to stay.
 * What can be mended while nobody else writes is mended.
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
