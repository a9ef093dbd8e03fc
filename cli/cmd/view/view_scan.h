/*
 * Looking for rows that are wanted, forwards or backwards, a slice of time at a
 * time: what a list of filtered frames and a search have in common.
 */
#ifndef VIEW_SCAN_H
#define VIEW_SCAN_H

#include "view_source.h"

#include "filter.h"

/* What frames have to pass: the filters of the command line, of `&`, and of a
 * search. */
#define VIEW_FILTERS 3u

struct view_judge {
	struct cli_filter *filters[VIEW_FILTERS]; /* some may be NULL */
	bool passes_damage; /* damage is a row that is wanted, too */
	uint64_t unjudged;  /* frames that were over a limit, and do not pass */
};

/* A place in the log, and which way. */
struct view_scan {
	uint64_t cursor;
	bool backwards;
	unsigned misses; /* frames in a row that did not pass */
};

enum view_found {
	VIEW_FOUND,
	VIEW_END,    /* of the log, or its start */
	VIEW_LATER,  /* the time is over; the scan goes on from its cursor */
	VIEW_FAILED, /* source->trouble says why */
};

/* Finds the next row that passes, and moves the scan behind it.  *frame_out,
 * which may be NULL, is the frame, valid until the source is used again. */
enum view_found view_scan_next(struct view_scan *scan,
                               struct view_source *source,
                               struct view_judge *judge, int64_t until_ns,
                               struct view_row *row_out,
                               struct shmlog_frame *frame_out);

#endif
