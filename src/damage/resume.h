/*
 * Where good frames go on behind damage.
 */
#ifndef SHMLOG_RESUME_H
#define SHMLOG_RESUME_H

#include "evidence.h"

#include <shmlog.h>
#include <stdint.h>

/* Asks a visitor, which may be NULL, whether to go on: 0, or what it said. */
static inline int shmlog_keep_going(const struct shmlog_verify_visitor *visitor)
{
	return visitor != NULL && visitor->keep_going != NULL
	               ? visitor->keep_going(visitor->context)
	               : 0;
}

/* The state of the search; one serves all damage of a walk. */
struct shmlog_resume {
	int fd;
	uint64_t data_offset;
	uint64_t committed; /* cursor of the end */
	uint64_t anchor;    /* lowest cursor that a chain of frames reaches
	                     * going backwards from the end; the end itself if
	                     * that chain is not to be relied on */
	const struct shmlog_verify_visitor
		*visitor;           /* asked whether to go on; or NULL */
	struct shmlog_sizes *sizes; /* of frames, borrowed */
	unsigned char *bytes;       /* of one span, owned */
	uint64_t searched; /* cursor of the span that was searched last */
	uint32_t limit;    /* what begins before this place of it is decided */
	struct shmlog_evidence evidence;
};

/* Good frames, by what was found. */
struct shmlog_good {
	uint64_t start; /* a frame starts there, or the committed data end */
	uint64_t end;   /* cursor; equal to start if none are known for good */
	bool is_whole;  /* a bad frame starts at the end; else they may go on */
};

/* 0 or -ENOMEM, what the visitor said, -errno or SHMLOG_ERR_MAPPING_GONE; to be
 * released in any case.  `damage` is the cursor of the first damage: nothing
 * is sought below it.  The sizes of frames at the end of the log are learned.
 */
int shmlog_resume_init(struct shmlog_resume *resume, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage, struct shmlog_sizes *sizes,
                       const struct shmlog_verify_visitor *visitor);
void shmlog_resume_release(struct shmlog_resume *resume);

/*
 * Finds where good frames go on behind a cursor to which good frames lead.  If
 * the frame there is known to be bad, that is behind it; else the one there may
 * be good after all.  0, -errno, SHMLOG_ERR_MAPPING_GONE, or what the
 * visitor said.  Up to 12 MiB of memory and some milliseconds.
 */
int shmlog_resume_find(struct shmlog_resume *resume, uint64_t cursor,
                       bool is_bad, struct shmlog_good *good_out);

/*
 * The same by a single look behind the bad frame at a cursor, without what a
 * walk knows of the log: stores where good frames go on.
 * SHMLOG_ERR_CURSOR if that is not to be seen from there.
 */
int shmlog_resume_peek(int fd, uint64_t data_offset, uint64_t committed,
                       uint64_t cursor, uint64_t *start_out);

/* The cursor that no frame which starts at `cursor` may reach beyond: frames
 * that lead to the end of the log start there, or it is the end. */
uint64_t shmlog_resume_bound(const struct shmlog_resume *resume,
                             uint64_t cursor);

#endif
