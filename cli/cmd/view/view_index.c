/* The index of a log. */
#include "view_index.h"

#include <stdlib.h>

void view_index_release(struct view_index *index)
{
	free(index->entries);
	free(index->damages);
	*index = (struct view_index){0};
}

/* Keeps every other entry. */
static void thin_out(struct view_index *index)
{
	for (size_t i = 0; 2 * i < index->count; i++)
		index->entries[i] = index->entries[2 * i];
	index->count = (index->count + 1) / 2;
	index->thinned++;
}

static bool make_room(struct view_index *index)
{
	size_t room = index->room == 0 ? 256 : index->room * 2;
	struct view_entry *entries;

	if (index->count < index->room)
		return true;
	entries = realloc(index->entries, room * sizeof(*entries));
	if (entries == NULL)
		return false;
	index->entries = entries;
	index->room = room;
	return true;
}

/* Whether a frame that begins at a cursor is far enough behind the last
 * entry. */
static bool is_due(const struct view_index *index, uint64_t cursor)
{
	const struct view_entry *last;
	uint64_t factor = UINT64_C(1) << index->thinned;

	if (index->count == 0)
		return true;
	last = &index->entries[index->count - 1];
	return index->frames - last->number >= VIEW_INDEX_STRIDE * factor ||
	       cursor - last->cursor >= VIEW_INDEX_BYTES * factor;
}

void view_index_add(struct view_index *index, uint64_t cursor,
                    uint64_t next_cursor)
{
	if (is_due(index, cursor)) {
		if (index->count == VIEW_INDEX_ENTRIES)
			thin_out(index);
		if (make_room(index))
			index->entries[index->count++] = (struct view_entry){
				cursor, index->frames};
	}
	index->frames++;
	index->at = next_cursor;
}

void view_index_add_damage(struct view_index *index,
                           const struct view_damage *damage)
{
	index->at = damage->end;
	index->damages_met++;
	if (index->damage_count == VIEW_DAMAGES)
		return;
	if (index->damages == NULL)
		index->damages = malloc(VIEW_DAMAGES * sizeof(*damage));
	if (index->damages != NULL)
		index->damages[index->damage_count++] = *damage;
}

/* The last entry that does not lie behind a cursor, or a number. */
static bool find_entry(const struct view_index *index, uint64_t cursor,
                       uint64_t number, struct view_entry *entry_out)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct view_entry *entry = &index->entries[middle];

		if (entry->cursor <= cursor && entry->number <= number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		*entry_out = index->entries[low - 1];
	return low > 0;
}

bool view_index_before(const struct view_index *index, uint64_t cursor,
                       struct view_entry *entry_out)
{
	return cursor < index->at &&
	       find_entry(index, cursor, UINT64_MAX, entry_out);
}

bool view_index_of_frame(const struct view_index *index, uint64_t number,
                         struct view_entry *entry_out)
{
	return number < index->frames &&
	       find_entry(index, UINT64_MAX, number, entry_out);
}

uint64_t view_index_estimate(const struct view_index *index, uint64_t cursor)
{
	double mean = index->frames > 0
	                      ? (double)index->at / (double)index->frames
	                      : 64.0;

	if (cursor <= index->at)
		return (uint64_t)((double)cursor / mean);
	return index->frames + (uint64_t)((double)(cursor - index->at) / mean);
}

/* How many of the damages begin before a cursor. */
static size_t count_before(const struct view_index *index, uint64_t cursor)
{
	size_t low = 0, high = index->damage_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->damages[middle].begin < cursor)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct view_damage *view_index_damage_from(const struct view_index *index,
                                                 uint64_t cursor)
{
	size_t n = count_before(index, cursor);

	return n < index->damage_count ? &index->damages[n] : NULL;
}

const struct view_damage *
view_index_damage_before(const struct view_index *index, uint64_t cursor)
{
	size_t n = count_before(index, cursor);

	return n > 0 ? &index->damages[n - 1] : NULL;
}

bool view_index_is_exact(const struct view_index *index, uint64_t cursor)
{
	return cursor < index->at &&
	       view_index_damage_before(index, cursor) == NULL;
}
