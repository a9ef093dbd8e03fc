/*
 * Keeps the cursor file true: it never says more than what has left the
 * output.
 */
#ifndef CURSOR_KEEPER_H
#define CURSOR_KEEPER_H

#include "cursor_file.h"
#include "delivery.h"
#include "follow.h"
#include "printer.h"
#include "selection.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_merge_source;

/* A log as tail reads it. */
struct tail_log {
	const char *path;
	char *own_path;               /* NULL: the path is another's */
	struct shmlog *log;           /* NULL: not open */
	struct shmlog_reader *reader; /* of it */
	uint64_t rendered;            /* the cursor behind the frames that went
	                               * into the output */
	uint64_t flushed;             /* ... behind those that have left it */
	uint64_t saved;               /* ... that the cursor file says */
	char *name; /* as the cursor file writes it; NULL: no file is
	                   * kept */
	struct cli_followed *followed;   /* NULL: it is not followed */
	struct cli_merge_source *source; /* NULL: logs are not merged */
	bool begun; /* it has a cursor, in the file last_log */
	struct shmlog_identity last_log;
	struct cli_selection *selection; /* owned, of its frames; NULL: all */
	struct cursor_keeper *keeper;    /* by which they are printed */
};

struct cursor_keeper {
	const char *path; /* of the cursor file; NULL: none is kept */
	bool several;     /* the file has the cursors of several logs */
	bool at_end;      /* cursors stay: what stands for the frames is printed
	                   * at the end, when the caller clears it */
	struct cli_cursors loaded;
	struct cli_printer *printer;
	struct cli_follow *follow; /* NULL: nothing is followed */
	/* What each log has a copy of; NULL: all frames are wanted. */
	const struct cli_selection *selection;
	struct tail_log **logs; /* owned */
	size_t log_count;
	bool unsaved;     /* a log has come farther than the file says */
	int64_t saved_ns; /* when the file was last written */
	/* Owned.  Apart, as memory that is never used costs nothing only where
	 * nobody has set it to zeros. */
	struct cli_delivery *delivery;
};

/* Makes a keeper of zeros ready for all that follows; keeper_release() takes
 * one of zeros as well.  CLI_OK, or an exit status after a message. */
int keeper_init(struct cursor_keeper *keeper);

/* Reads the cursor file where one is kept.  CLI_OK, or an exit status after a
 * message. */
int keeper_load(struct cursor_keeper *keeper);
void keeper_release(struct cursor_keeper *keeper);

/* Adds a log, and drops one, with its cursor and its selection; `path` must
 * stay.  NULL when memory is short. */
struct tail_log *keeper_add(struct cursor_keeper *keeper, const char *path);
void keeper_drop(struct cursor_keeper *keeper, struct tail_log *log);

/* The cursor that the file had for an open log; NULL: none. */
const struct cli_cursor *keeper_find(struct cursor_keeper *keeper,
                                     const struct tail_log *log);

/* The path of the log that the cursor of a name belongs to, if that was rotated
 * since; freed with free(3).  NULL if it was not, or there is no cursor. */
char *keeper_find_rotated(const struct cursor_keeper *keeper,
                          const struct tail_log *log);

/* Starts counting at the cursor of a log that was opened, and saves that, or of
 * many logs together a moment later. */
int keeper_begin_log(struct cursor_keeper *keeper, struct tail_log *log);

/* Prints frames of a log, and counts them: `end` is the cursor behind them. */
void keeper_print(struct cursor_keeper *keeper, struct tail_log *log,
                  const struct shmlog_frame *frames, size_t count,
                  uint64_t end);

/* Frames up to the cursor `end` are dealt with, as far as that goes: those that
 * were not printed are not wanted. */
void keeper_pass_over(struct cursor_keeper *keeper, struct tail_log *log,
                      uint64_t end);

/* Takes note of what has left the output.  True if there were frames in it. */
bool keeper_note_flushed(struct cursor_keeper *keeper);

/* Lets everything out, and saves the cursors now and then.  *frames_out says
 * whether there were frames in it.  CLI_OK, also where the output failed, or
 * an exit status after a message. */
int keeper_checkpoint(struct cursor_keeper *keeper, bool *frames_out);

/* How long until the file is to be written; `most_ns` at most. */
int64_t keeper_limit(const struct cursor_keeper *keeper, int64_t most_ns);

/* Lets everything out, finds out what was delivered of an output that was given
 * up, and saves the cursors.  CLI_OK, or an exit status after a message. */
int keeper_finish(struct cursor_keeper *keeper);

#endif
