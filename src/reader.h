/* The inside of a reader, for its own room and for waiting. */
#ifndef SHMLOG_READER_H
#define SHMLOG_READER_H

#include "mapping.h"
#include "place.h"
#include "window.h"

struct shmlog_reader {
	struct shmlog *log;
	unsigned flags;     /* of enum shmlog_reader_flags */
	uint64_t cursor;    /* never above committed */
	uint64_t index;     /* of the frame at the cursor, if known */
	uint64_t committed; /* as last loaded; only grows */
	bool held;          /* `size` is not loaded again */
	struct shmlog_mapping *mapping; /* NULL for a buffered reader */
	struct shmlog_window window;    /* of a buffered reader */
	int64_t idle_ns; /* slept since the log last grew, over all waits */
	struct shmlog_fault fault;
	struct shmlog_place place; /* shown to others, or to nobody */
};

/* Leaves the cursor where others look for it. */
static inline void shmlog_reader_show(struct shmlog_reader *reader)
{
	shmlog_place_show(&reader->place,
	                  reader->log->data_offset + reader->cursor);
}

/* Loads `size` into reader->committed, unless the reader holds an end.  0 or a
 * refusal that concerns it. */
int shmlog_reader_refresh(struct shmlog_reader *reader);

#endif
