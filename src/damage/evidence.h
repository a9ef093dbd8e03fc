/*
 * The likeliest way of frames through a part of a damaged log.  Pure: no system
 * call.
 */
#ifndef SHMLOG_EVIDENCE_H
#define SHMLOG_EVIDENCE_H

#include "candidates.h"

#include <stdbool.h>
#include <stdint.h>

/* A part of a log. */
struct shmlog_span {
	const unsigned char *bytes;
	uint32_t length;         /* up to that of the scratch */
	bool begins_at_boundary; /* a frame of the log starts there */
	bool begins_bad;         /* ... and that frame is bad */
	bool ends_at_boundary;   /* a frame of the log ends there, or the
	                          * committed data inside of one */
	bool may_be_torn;        /* the committed data end there */
	uint64_t lost;           /* bytes of damage that lie before it */
};

/* A stretch of good frames on the way. */
struct shmlog_stretch {
	uint32_t start;
	uint32_t end;     /* at or behind the limit that was asked for: the
	                 * stretch may go on there */
	bool by_wrap;     /* what leads there is a frame whose size wrapped */
	bool reaches_end; /* no frame, but the end of the span */
};

/* Scratch for spans of a certain length, owned: some 20 bytes for each byte of
 * a span and 1.3 MiB. */
struct shmlog_evidence {
	struct shmlog_candidates candidates;
	int32_t *score;  /* by place: evidence of the best way to it, or none */
	uint32_t *links; /* by place: the place before it on that way, and by
	                  * what; along the likeliest way, in the end, the
	                  * place behind it */
	uint32_t length; /* of the span that was weighed last; or 0 */
	uint32_t at;     /* where on the way the last question was */
	uint32_t first;  /* place on the way */
	bool ends_known;
};

/* 0 or -ENOMEM; to be released in any case.  `sizes`, which are borrowed, are
 * those of the frames that are known to be good. */
int shmlog_evidence_init(struct shmlog_evidence *evidence,
                         struct shmlog_sizes *sizes, uint32_t most_bytes);
void shmlog_evidence_release(struct shmlog_evidence *evidence);

/* Weighs a span, for the next function to tell what was found.  Some 10 ns for
 * each byte. */
void shmlog_evidence_weigh(struct shmlog_evidence *evidence,
                           const struct shmlog_span *span);

/*
 * The first stretch of good frames on the way behind the place `from`, which is
 * a boundary on it, or at that place itself if `here`; followed up to `limit`.
 * False if the way does not lead over that place, or if there is no more on it.
 * Places must be asked for in ascending order.
 */
bool shmlog_evidence_next(struct shmlog_evidence *evidence, uint32_t from,
                          bool here, uint32_t limit,
                          struct shmlog_stretch *stretch_out);

/* Whether the good frames that lead from the place `anchor` to the end of the
 * span, or as many of them as lie in it, can be relied on. */
bool shmlog_evidence_of_end(struct shmlog_evidence *evidence,
                            const struct shmlog_span *span, uint32_t anchor);

#endif
