/*
 * The index of a log: where every few thousandth frame stands, and all damage
 * that was met, up to the place that counting has reached.  Pure: it is told of
 * what a walk from the start finds.
 */
#ifndef VIEW_INDEX_H
#define VIEW_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frames and bytes between two entries at first; more in a log that has very
 * many, so that there are never more entries than this. */
#define VIEW_INDEX_STRIDE 4096u
#define VIEW_INDEX_BYTES ((uint64_t)4 << 20)
#define VIEW_INDEX_ENTRIES 65536u
/* Damaged ranges that are kept. */
#define VIEW_DAMAGES 2048u

/* A part of the log that is no frames. */
struct view_damage {
	uint64_t begin; /* cursors */
	uint64_t end;
	char text[512]; /* what is wrong, for people; safe for a terminal */
};

/* The frame at a cursor, and how many are before it. */
struct view_entry {
	uint64_t cursor;
	uint64_t number;
};

/* All zeros is the index of a log of which nothing is known. */
struct view_index {
	struct view_entry *entries; /* ascending */
	size_t count;
	size_t room;
	unsigned thinned; /* how often every other one was left out */
	uint64_t frames;  /* counted: those that begin before `at` */
	uint64_t at;      /* cursor that counting has reached */
	struct view_damage *damages; /* ascending */
	size_t damage_count;
	uint64_t damages_met; /* with those that are not kept */
};

void view_index_release(struct view_index *index);

/* A frame that begins where counting has come to. */
void view_index_add(struct view_index *index, uint64_t cursor,
                    uint64_t next_cursor);
/* Damage that begins there. */
void view_index_add_damage(struct view_index *index,
                           const struct view_damage *damage);

/* The last entry at or before a cursor, or before a frame counted from 0; false
 * if that lies beyond what was counted. */
bool view_index_before(const struct view_index *index, uint64_t cursor,
                       struct view_entry *entry_out);
bool view_index_of_frame(const struct view_index *index, uint64_t number,
                         struct view_entry *entry_out);

/* The number that the frame at a cursor has, about. */
uint64_t view_index_estimate(const struct view_index *index, uint64_t cursor);

/* The first damage that begins at a cursor or behind it, and the last that
 * begins before it; NULL if none is known. */
const struct view_damage *view_index_damage_from(const struct view_index *index,
                                                 uint64_t cursor);
const struct view_damage *
view_index_damage_before(const struct view_index *index, uint64_t cursor);

/* Whether numbers of frames at a cursor are exact once they are counted: not
 * behind damage, where nobody knows how many are lost. */
bool view_index_is_exact(const struct view_index *index, uint64_t cursor);

#endif
