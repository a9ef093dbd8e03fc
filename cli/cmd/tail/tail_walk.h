/*
 * Walks over the frames of a log before any is printed, and counts those that
 * are wanted: all of them, or those that pass the filter.
 */
#ifndef TAIL_WALK_H
#define TAIL_WALK_H

#include "cursor_keeper.h"
#include "filter.h"
#include "follow_ends.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

struct tail_walk {
	/* Set by the caller. */
	struct cursor_keeper *keeper;
	const struct cli_follow_ends *ends; /* NULL: nothing is followed */
	struct cli_filter *filter;          /* NULL: all frames count */
	/* Kept here. */
	uint64_t unchecked; /* frames since the last look at the ends */
	bool cut_short;     /* a signal or the time limit ended the walk: the
	                     * reader stands at a place of no meaning */
};

/*
 * Walks forwards behind the `most`th frame that counts, or to the end or
 * damage.  *counted_out is how many were met, and *result_out what ended the
 * walk: 1, 0 at the end, or a negative status of the library.  CLI_OK, or an
 * exit status after a message about a frame that could not be judged.
 */
int tail_walk_on(struct tail_walk *walk, struct tail_log *log, uint64_t most,
                 uint64_t *counted_out, int *result_out);

/*
 * Walks from the end back to the `most`th frame that counts, and no further.
 * Where there are fewer, the reader is left at the first of them, or at the end
 * if there are none; a frame that could not be judged is the last one that
 * counts.  0 or more, or a negative status of the library, after which the
 * reader stands anywhere.
 */
int tail_walk_back(struct tail_walk *walk, struct tail_log *log, uint64_t most);

/* Lets the log's selection keep the frames in front of the reader that may be
 * the context of the next one that passes: they are that alone, whether they
 * pass or not.  CLI_OK, or an exit status after a message. */
int tail_walk_hold_context(struct tail_walk *walk, struct tail_log *log);

/* Lets the log's selection see the frames in front of the reader that an
 * earlier run has dealt with, so that it goes on as that run would have.
 * CLI_OK, or an exit status after a message. */
int tail_walk_recall(struct tail_walk *walk, struct tail_log *log);

#endif
