/* Prints logs as one, in the order of a field of their frames. */
#ifndef TAIL_MERGE_H
#define TAIL_MERGE_H

#include "cursor_keeper.h"
#include "follow.h"
#include "tail_state.h"

#include <stdbool.h>

/* A log takes part in the merge of a follow.  False if memory is short. */
bool tail_merge_add(struct tail *tail, struct tail_log *log,
                    struct cli_followed *followed);
/* ... and no more. */
void tail_merge_drop(struct tail *tail, struct tail_log *log);

/*
 * The follow has opened a log: gives it a reader of its own, as the frames that
 * the follow hands out may have to wait.  False, after a message, where that
 * cannot be.
 */
bool tail_merge_open(struct tail *tail, struct tail_log *log);

/* That reader stands where reading begins. */
void tail_merge_begin(struct tail *tail, struct tail_log *log);

/* Takes note of frames that the follow hands out. */
void tail_merge_take(struct tail *tail, struct tail_log *log,
                     const struct cli_batch *batch);

/* The follow cannot read a log any further; `status` is the library's, or 0
 * after a message. */
void tail_merge_end(struct tail *tail, struct tail_log *log, int status);

/* Opens a log that is not followed, for the merge. */
void tail_merge_scan(struct tail *tail, struct tail_log *log);

/* Prints the frames that need not wait; all that there are, with `all`. */
void tail_merge_print(struct tail *tail, bool all);

#endif
