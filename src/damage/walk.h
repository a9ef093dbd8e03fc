/*
 * The walk over a log from its start, which also gets over damage.
 */
#ifndef SHMLOG_WALK_H
#define SHMLOG_WALK_H

#include "resume.h"

/* A log, and who is told of what it holds. */
struct shmlog_visit {
	struct shmlog *log;
	const struct shmlog_verify_visitor *visitor; /* or NULL */
	/* For those who want no frames, as in struct shmlog_counter; or NULL.
	 * The first has the visitor's context. */
	int (*passed)(void *context, uint64_t bytes);
	uint64_t *size_counts;
	uint64_t committed; /* bytes */
	struct shmlog_verify_report *report;
};

/* Says how far the walk is, to those who want no frames. */
static inline int shmlog_tell_passed(const struct shmlog_visit *visit,
                                     uint64_t bytes)
{
	return visit->passed != NULL
	               ? visit->passed(visit->visitor->context, bytes)
	               : shmlog_keep_going(visit->visitor);
}

/* Walks over all frames and all damage, and adds them to the report.  Returns
 * 0, -errno, SHMLOG_ERR_MAPPING_GONE, or what the visitor returned. */
int shmlog_walk_from_start(const struct shmlog_visit *visit);

#endif
