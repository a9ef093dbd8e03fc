/*
 * Finding the place behind damage where good frames go on.
 */
#ifndef SHMLOG_RESUME_H
#define SHMLOG_RESUME_H

#include "evidence.h"

#include <shmlog.h>
#include <stdint.h>

/* Asks a visitor, which may be NULL, whether to go on.  Returns 0, or what the
 * visitor returned. */
static inline int shmlog_keep_going(const struct shmlog_verify_visitor *visitor)
{
	return visitor != NULL && visitor->keep_going != NULL
	               ? visitor->keep_going(visitor->context)
	               : 0;
}

/* The state of the search, used for all damage of a walk. */
struct shmlog_resume {
	int fd;
	uint64_t data_offset;
	uint64_t committed; /* cursor of the end */
	uint64_t anchor;    /* lowest cursor from which a chain of frames leads
			     * to the end; the end itself where that chain
			     * cannot be relied on */
	const struct shmlog_verify_visitor
		*visitor;           /* asked whether to go on; or NULL */
	struct shmlog_sizes *sizes; /* of frames, borrowed */
	unsigned char *bytes;       /* of one span, owned */
	uint64_t searched; /* cursor of the span that was searched last */
	uint32_t limit;    /* frames that begin before this place are decided */
	struct shmlog_evidence evidence;
};

/* A stretch of good frames that was found. */
struct shmlog_good {
	uint64_t start; /* a frame starts there, or the committed data end */
	uint64_t end;   /* cursor; equal to start if none is known to be good */
	bool is_whole; /* a bad frame starts at the end; else more may follow */
};

/* Begins the search behind the first damage of a log, at the cursor `damage`:
 * nothing is searched below it.  Learns the sizes of frames at the end of the
 * log.  Returns 0, -errno, SHMLOG_ERR_MAPPING_GONE, or what the visitor
 * returned; must be released in any case. */
int shmlog_resume_init(struct shmlog_resume *resume, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage, struct shmlog_sizes *sizes,
                       const struct shmlog_verify_visitor *visitor);
void shmlog_resume_release(struct shmlog_resume *resume);

/*
 * Finds where good frames go on behind `cursor`, to which good frames lead.
 * With `is_bad` the frame there is known to be bad, and the answer is behind
 * it; otherwise the frame there may turn out to be good.  Returns 0, -errno,
 * SHMLOG_ERR_MAPPING_GONE, or what the visitor returned.  Takes up to 12 MiB of
 * memory and some milliseconds.
 */
int shmlog_resume_find(struct shmlog_resume *resume, uint64_t cursor,
                       bool is_bad, struct shmlog_good *good_out);

/*
 * Finds the same for the bad frame at a cursor by searching a single span,
 * without what a walk has learned of the log, and stores the cursor where good
 * frames go on.  Fails with SHMLOG_ERR_CURSOR if that is not in the span.
 */
int shmlog_resume_peek(int fd, uint64_t data_offset, uint64_t committed,
                       uint64_t cursor, uint64_t *start_out);

/*
 * Finds the first place at a cursor or behind it where frames go on, whether
 * the cursor is a boundary or not, in the same way.
 */
int shmlog_resume_near(int fd, uint64_t data_offset, uint64_t committed,
                       uint64_t cursor, uint64_t *start_out);

/* The cursor beyond which no frame that starts at `cursor` can reach: the
 * anchor, or the end of the log. */
uint64_t shmlog_resume_bound(const struct shmlog_resume *resume,
                             uint64_t cursor);

#endif
