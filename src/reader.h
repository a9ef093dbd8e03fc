/* The inside of a reader, for its own room and for waiting. */
#ifndef SHMLOG_READER_H
#define SHMLOG_READER_H

#include "mapping.h"
#include "place.h"
#include "poll_schedule.h"
#include "window.h"

/* What a wait for several readers leaves with the first of them for the next
 * one. */
struct shmlog_crowd {
	struct shmlog_sleepers *sleepers; /* of more than one sleep can be on */
	int64_t poll_ns;                  /* of these, in the last call */
	size_t count;                     /* of the readers */
	size_t turn;                      /* which was looked at last */
	int64_t looked_ns;                /* when all were looked at; or 0 */
};

/* Which sleepers have the word of a reader, and at which place among the
 * readers. */
struct shmlog_seat {
	const struct shmlog_sleepers *sleepers;
	int64_t since_ns; /* of these, as others may have had their address */
	size_t place;
};

struct shmlog_reader {
	/* Holds the cursor, which is never above `committed`, and the index.
	 * Its `end` is `committed` for a mapped reader, and 0 for a buffered
	 * one, whose bytes are gone with the next read. */
	struct shmlog_fast_reader fast;
	struct shmlog *log;
	unsigned flags;                       /* of enum shmlog_reader_flags */
	uint64_t committed;                   /* as last loaded; only grows */
	bool held;                            /* `size` is not loaded again */
	struct shmlog_mapping *mapping;       /* NULL for a buffered reader */
	struct shmlog_window window;          /* of a buffered reader */
	struct shmlog_poll_schedule schedule; /* of its waits */
	struct shmlog_seat seat;
	struct shmlog_crowd crowd;
	struct shmlog_fault fault;
	struct shmlog_place place; /* shown to others, or to nobody */
};

/* Leaves the cursor where others look for it. */
static inline void shmlog_reader_show(struct shmlog_reader *reader)
{
	shmlog_place_show(&reader->place,
	                  reader->log->data_offset + reader->fast.cursor);
}

/* Loads `size` into reader->committed, unless the reader holds an end.  0 or a
 * refusal that concerns it. */
int shmlog_reader_refresh(struct shmlog_reader *reader);

/* Records why the frame at the cursor, whose bytes these are (those before
 * `bytes`, if it was met going backwards), is refused.  Returns the status. */
int shmlog_reader_refuse(struct shmlog_reader *reader, bool backwards,
                         const unsigned char *bytes);

#endif
