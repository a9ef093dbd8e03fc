/*
 * Where good frames go on behind damage.
 */
#ifndef SHMLOG_RESYNC_H
#define SHMLOG_RESYNC_H

#include <shmlog.h>
#include <stdint.h>

/* What the search knows; the same for all damage of one walk. */
struct shmlog_resync {
	int fd;
	uint64_t data_offset;
	uint64_t committed;   /* cursor of the end */
	uint64_t anchor;      /* lowest cursor that a chain of frames reaches
	                     * going backwards from the end */
	uint64_t budget;      /* bytes that may still be searched, so that a
	                     * file made of damage takes linear time */
	unsigned char *bytes; /* scratch, owned */
	uint8_t *cost;
	uint32_t *hop;
};

/* 0 or -ENOMEM; finds the anchor, which is not sought below `damage`. */
int shmlog_resync_init(struct shmlog_resync *resync, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage);
void shmlog_resync_release(struct shmlog_resync *resync);

/*
 * Stores the cursor where frames go on behind the bad frame at `fault->cursor`:
 * a frame start, or the end of the committed data.  0, -errno,
 * SHMLOG_ERR_MAPPING_GONE.
 *
 * A frame with one bad size word has a good one, which leads to its other
 * end; so a way through the damage is sought that explains as many bytes as
 * it can by frames with two good words and needs as few with one as it can.
 * Where there is none (both words are gone), three good frames in a row count
 * as a new start, and without any, the anchor.
 */
int shmlog_resync_find(struct shmlog_resync *resync,
                       const struct shmlog_fault *fault, uint64_t *cursor_out);

#endif
