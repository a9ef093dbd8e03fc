/*
 * The log that is looked at, as rows: its frames, and its damage in between.
 * Any row is reached at once from the cursor that it begins or ends at; an
 * index is made beside it, a slice of time at a time.
 */
#ifndef VIEW_SOURCE_H
#define VIEW_SOURCE_H

#include "view_index.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIEW_NO_NUMBER SHMLOG_INDEX_UNKNOWN
/* Damage that was met elsewhere than by counting. */
#define VIEW_DAMAGES_MET 64u
/* Frames that are fetched at a time. */
#define VIEW_BATCH 256u

struct view_row {
	bool is_damage;
	uint64_t cursor;
	uint64_t next_cursor;
	uint64_t number; /* of a frame, or VIEW_NO_NUMBER */
	uint32_t size_bytes;
};

struct view_source {
	const char *path;
	struct shmlog *log;
	struct shmlog_reader *reader;  /* for what is shown */
	struct shmlog_reader *counter; /* for the index */
	struct view_index index;
	uint64_t end; /* committed, as far as is known */
	/* What keeps the log from being read on: a status, or 0.  The frames
	 * that were committed before may still be there. */
	int trouble;
	struct view_damage met[VIEW_DAMAGES_MET];
	size_t met_count; /* of all that were met; the last ones are kept */
};

/* Opens a log, or takes one that is open, which is then owned.  CLI_OK, or an
 * exit status after a message. */
int view_source_open(struct view_source *source, const char *path);
int view_source_take(struct view_source *source, const char *path,
                     struct shmlog *log);
void view_source_close(struct view_source *source);

/* Forgets what was read, which others may have changed since. */
void view_source_forget(struct view_source *source);

/* Whether the log still has what a row says, as far as that is counted; what
 * the row was made of must be forgotten. */
bool view_source_confirms(struct view_source *source,
                          const struct view_row *row);

/* Counts again from the start. */
void view_source_recount(struct view_source *source);

/* Loads the end.  Whether the log has grown. */
bool view_source_refresh(struct view_source *source);

/*
 * The row that begins at a cursor, or that ends there.  *frame_out, which may
 * be NULL, is the frame, valid until the next call.  1; 0 where there is none;
 * or a status of the library, not about damage.
 */
int view_source_next(struct view_source *source, uint64_t cursor,
                     struct view_row *row_out, struct shmlog_frame *frame_out);
int view_source_prev(struct view_source *source, uint64_t cursor,
                     struct view_row *row_out, struct shmlog_frame *frame_out);

/* Many frames that begin at a cursor, one behind the other; 0 also where damage
 * begins there. */
int view_source_batch(struct view_source *source, uint64_t cursor,
                      struct shmlog_frame *frames_out);

/* A place where a row begins, at a cursor or before it as near as can be told
 * at once. */
uint64_t view_source_near(struct view_source *source, uint64_t cursor);

/*
 * Finds the row that a cursor, which has been counted, lies in: its beginning
 * in *begin_out, and the number of the frame there in *number_out, which is
 * VIEW_NO_NUMBER in damage.  False where it has not been counted.
 */
bool view_source_locate(struct view_source *source, uint64_t cursor,
                        uint64_t *begin_out, uint64_t *number_out);

/* Finds a counted frame by its number; false if it is not counted. */
bool view_source_frame(struct view_source *source, uint64_t number,
                       uint64_t *cursor_out);

/* Counts on until that time.  Whether there is more to count. */
bool view_source_count(struct view_source *source, int64_t until_ns);
bool view_source_is_counted(const struct view_source *source);

/* The damage that begins at a cursor; NULL if none is known there. */
const struct view_damage *view_source_damage(const struct view_source *source,
                                             uint64_t cursor);

#endif
