/*
 * Finds the likeliest sequence of frames in a part of a damaged log.  Pure: no
 * system call.
 */
#ifndef SHMLOG_EVIDENCE_H
#define SHMLOG_EVIDENCE_H

#include "candidates.h"

#include <stdbool.h>
#include <stdint.h>

/* A part of a log. */
struct shmlog_span {
	const unsigned char *bytes;
	uint32_t length;         /* at most the most_bytes of init */
	bool begins_at_boundary; /* a frame of the log starts there */
	bool begins_bad;         /* ... and that frame is bad */
	bool ends_at_boundary;   /* a frame of the log ends there, or the
				  * committed data ends inside one */
	bool may_be_torn;        /* the committed data ends there */
	uint64_t lost;           /* bytes of damage before the span */
};

/* A stretch of good frames on the best path. */
struct shmlog_stretch {
	uint32_t start;
	uint32_t end;     /* where it is at or beyond the limit asked for, the
			   * stretch may go on */
	bool by_wrap;     /* the frame before it has a size that wrapped */
	bool reaches_end; /* starts at the end of the span: no frame */
};

/* The working memory of the search, which it owns: about 20 bytes for each byte
 * of a span, and 1.3 MiB. */
struct shmlog_evidence {
	struct shmlog_candidates candidates;
	int32_t *score; /* by place: evidence of the best path to it, or none */
	uint32_t *links; /* by place: the previous place on that path, and the
			  * kind of step from there; after the search, along the
			  * best path, the next place instead */
	uint32_t length; /* of the span that was weighed last, or 0 */
	uint32_t at;     /* place on the path that was asked for last */
	uint32_t first;  /* first place on the path */
	bool ends_known;
};

/* 0 or -ENOMEM; must be released in either case.  `sizes`, which are borrowed,
 * are the sizes of the frames that are known to be good. */
int shmlog_evidence_init(struct shmlog_evidence *evidence,
                         struct shmlog_sizes *sizes, uint32_t most_bytes);
void shmlog_evidence_release(struct shmlog_evidence *evidence);

/* Searches a span for its best path, which the next function then reports.
 * Takes about 10 ns for each byte. */
void shmlog_evidence_weigh(struct shmlog_evidence *evidence,
                           const struct shmlog_span *span);

/*
 * Finds the first stretch of good frames on the best path behind the place
 * `from`, which must be a boundary on the path, or at that place itself if
 * `here`.  The stretch is followed up to `limit`.  False if the path does not
 * lead over `from`, or has no more good frames.  Calls must ask for places in
 * ascending order.
 */
bool shmlog_evidence_next(struct shmlog_evidence *evidence, uint32_t from,
                          bool here, uint32_t limit,
                          struct shmlog_stretch *stretch_out);

/* Whether the frames that lead from the place `anchor` to the end of the span
 * prove enough to be relied on. */
bool shmlog_evidence_of_end(struct shmlog_evidence *evidence,
                            const struct shmlog_span *span, uint32_t anchor);

#endif
