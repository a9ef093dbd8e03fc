/*
 * Where good frames go on behind damage.
 */
#ifndef SHMLOG_RESYNC_H
#define SHMLOG_RESYNC_H

#include "evidence.h"

#include <shmlog.h>
#include <stdint.h>

/* Asks a visitor, which may be NULL, whether to go on: 0, or what it said. */
static inline int shmlog_pulse(const struct shmlog_verify_visitor *visitor)
{
	return visitor != NULL && visitor->pulse != NULL
	               ? visitor->pulse(visitor->context)
	               : 0;
}

/* What the search knows; the same for all damage of one walk. */
struct shmlog_resync {
	int fd;
	uint64_t data_offset;
	uint64_t committed; /* cursor of the end */
	uint64_t anchor;    /* lowest cursor that a chain of frames reaches
	                     * going backwards from the end; the end itself if
	                     * that chain is not to be relied on */
	uint64_t budget;    /* bytes that may still be searched, so that a
	                     * file made of damage takes linear time */
	const struct shmlog_verify_visitor *visitor; /* its pulse; or NULL */
	unsigned char *bytes;                        /* of one span, owned */
	uint64_t searched; /* cursor of the span that was searched last */
	uint32_t loaded;   /* bytes of it */
	struct shmlog_evidence evidence;
};

/* 0 or -ENOMEM, what the pulse said, -errno or SHMLOG_ERR_MAPPING_GONE; to be
 * released in any case.  `damage` is the cursor of the first damage: nothing
 * is sought below it. */
int shmlog_resync_init(struct shmlog_resync *resync, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage,
                       const struct shmlog_verify_visitor *visitor);
void shmlog_resync_release(struct shmlog_resync *resync);

/*
 * Stores the cursor where frames go on behind the bad frame at `fault->cursor`:
 * a frame start, or the end of the committed data.  0, -errno,
 * SHMLOG_ERR_MAPPING_GONE, or what the pulse said.  Up to 8 MiB of memory and
 * some milliseconds.
 */
int shmlog_resync_find(struct shmlog_resync *resync,
                       const struct shmlog_fault *fault, uint64_t *cursor_out);

/* The cursor that no frame which starts at `cursor` may reach beyond: frames
 * that lead to the end of the log start there, or it is the end. */
uint64_t shmlog_resync_bound(const struct shmlog_resync *resync,
                             uint64_t cursor);

#endif
