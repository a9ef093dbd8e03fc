/* What the rooms of tail share: how far it is, and how frames are printed. */
#ifndef TAIL_STATE_H
#define TAIL_STATE_H

#include "columns.h"
#include "cursor_keeper.h"
#include "filter.h"
#include "follow.h"
#include "merge.h"
#include "printer.h"
#include "selection.h"
#include "tail_options.h"
#include "tail_start.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tail {
	struct tail_options options;
	struct cli_printer printer;
	struct cli_columns *columns;     /* NULL: the format has none */
	struct cli_filter *filter;       /* NULL: all frames are wanted */
	struct cli_selection *selection; /* with a filter: the options, of
	                                  * which each log has a copy */
	struct cursor_keeper keeper;
	struct tail_start start;
	struct cli_follow follow;
	struct cli_merge *merge; /* NULL: the logs are printed one by one */
	uint64_t left;           /* frames that may still be printed, or pass */
	uint64_t looked_at;      /* by a filter, since all was let out */
	int status;              /* the worst so far */
	bool refused;            /* the command must not go on */
	bool wrote; /* the output took something: it is not closed */
};

/* Keeps the worst exit status: these are in an order, a larger one is worse. */
void tail_note_status(struct tail *tail, int status);

/* Whether frames of any log are still to be printed. */
bool tail_is_wanted(const struct tail *tail);

/* How many frames to read at most: no matter how many, where some may not
 * pass, or may have to wait. */
uint64_t tail_most_frames(const struct tail *tail);

/*
 * Goes to where reading a log begins, and takes its first cursor.  Returns
 * whether it is to be read; a failure is noted, and where cursors could be lost
 * the whole command ends.
 */
bool tail_begin_log(struct tail *tail, struct tail_log *log, bool appeared,
                    bool reopened);

/* Prints those of the frames of a log that are wanted.  Returns whether more of
 * this log can be: a frame that the filter could not judge is noted. */
bool tail_print(struct tail *tail, struct tail_log *log,
                const struct shmlog_frame *frames, size_t count);

/* No more of a log comes: no frames behind its last are waited for. */
void tail_end_log(struct tail_log *log);

/* Lets all output out; saves the cursors now and then. */
void tail_let_out(struct tail *tail);

/* A log cannot be read any further: its good frames first, then the reason. */
void tail_stop_log(struct tail *tail, struct tail_log *log, int status);

#endif
