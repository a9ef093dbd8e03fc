/* Finding the place behind damage where a chain of frames goes on. */
#include "resync.h"

#include "mapping.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes behind the damage that are looked at together: room for a few frames
 * of the largest size. */
#define SPAN_BYTES 262144u
#define SCRATCH_BYTES (SPAN_BYTES + SHMLOG_FRAME_MAX_BYTES)
/* Bytes that a walk may search, whatever the log's size, and per byte of it. */
#define BUDGET_BYTES (256u << 20)
#define BUDGET_PER_BYTE 4u
/* Frames with one bad word that a way may have, within one span. */
#define MOST_BAD 8u
#define UNREACHED UINT8_MAX
/* Good frames in a row that count as a new start.  Each agrees by chance once
 * in 65,536 times, and a span has 262,144 places. */
#define CHAIN_FRAMES 3u

/* Walks backwards from the end as far as frames go, not below `damage`. */
static int find_anchor(struct shmlog_resync *resync, uint64_t damage)
{
	struct shmlog_window window;
	int status = shmlog_window_init(&window, resync->fd,
	                                resync->data_offset,
	                                SHMLOG_DEFAULT_MAX_BYTES);

	resync->anchor = resync->committed;
	while (status == 0 && resync->anchor > damage) {
		size_t need = 2;

		for (int pass = 0; pass < 2 && status == 0; pass++) {
			if (need < 2 || need > resync->anchor)
				break;
			status = shmlog_window_fill_before(
				&window, resync->anchor, need);
			need = status == 0 ? shmlog_load_word(
						     shmlog_window_at(
							     &window,
							     resync->anchor) -
						     2)
			                   : 0;
		}
		if (status != 0)
			break;
		/* Within what is held: the last read may have brought another
		 * size word than the one that asked for it. */
		uint32_t total = shmlog_format_frame_before(
			shmlog_window_at(&window, resync->anchor),
			shmlog_window_before(&window, resync->anchor));

		if (total == 0 || resync->anchor - total < damage)
			break;
		resync->anchor -= total;
	}
	shmlog_window_release(&window);
	return status;
}

int shmlog_resync_init(struct shmlog_resync *resync, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage)
{
	*resync = (struct shmlog_resync){
		.fd = fd,
		.data_offset = data_offset,
		.committed = committed,
		.budget = BUDGET_BYTES + committed * BUDGET_PER_BYTE,
		.bytes = malloc(SCRATCH_BYTES),
		.cost = malloc(SPAN_BYTES + 1),
		.hop = malloc((SPAN_BYTES + 1) * sizeof(*resync->hop)),
	};
	if (resync->bytes == NULL || resync->cost == NULL ||
	    resync->hop == NULL)
		return -ENOMEM;
	return find_anchor(resync, damage);
}

void shmlog_resync_release(struct shmlog_resync *resync)
{
	free(resync->bytes);
	free(resync->cost);
	free(resync->hop);
}

/* Reads the bytes from a cursor on into the scratch; how many there are. */
static int load_span(struct shmlog_resync *resync, uint64_t cursor,
                     size_t *held_out)
{
	uint64_t available = resync->committed - cursor;

	*held_out = available < SCRATCH_BYTES ? (size_t)available
	                                      : SCRATCH_BYTES;
	return shmlog_read_at(resync->fd, resync->data_offset + cursor,
	                      resync->bytes, *held_out);
}

/* The way to `to` over `from` is better than what is known: take it.  The
 * first step of the whole way is remembered with it. */
static void relax(struct shmlog_resync *resync, size_t from, size_t to,
                  uint32_t total)
{
	const unsigned char *bytes = resync->bytes;
	bool good = shmlog_load_word(bytes + from) == total &&
	            shmlog_load_word(bytes + to - 2) == total;
	unsigned cost = resync->cost[from] + (good ? 0u : 1u);

	if (cost > MOST_BAD || cost >= resync->cost[to])
		return;
	resync->cost[to] = (uint8_t)cost;
	resync->hop[to] = from == 0 ? (uint32_t)to : resync->hop[from];
}

/*
 * Finds the cheapest ways from the damage at byte 0 of the scratch to all
 * places up to `span`, where a good frame costs nothing and one with a single
 * good word costs one.  Every place has at most one frame that starts at it
 * by its first word and one that ends at it by its last, so one pass from
 * left to right does.
 */
static void find_ways(struct shmlog_resync *resync, size_t span)
{
	const unsigned char *bytes = resync->bytes;

	memset(resync->cost, UNREACHED, span + 1);
	resync->cost[0] = 0;
	for (size_t at = 0; at <= span; at++) {
		if (at >= SHMLOG_FRAME_OVERHEAD_BYTES) {
			uint32_t total = shmlog_load_word(bytes + at - 2);

			if (total >= SHMLOG_FRAME_OVERHEAD_BYTES &&
			    total <= at &&
			    resync->cost[at - total] != UNREACHED)
				relax(resync, at - total, at, total);
		}
		if (resync->cost[at] == UNREACHED || span - at < 2)
			continue;
		uint32_t total = shmlog_load_word(bytes + at);

		if (total >= SHMLOG_FRAME_OVERHEAD_BYTES && total <= span - at)
			relax(resync, at, at + total, total);
	}
}

/* The first step of the cheapest way through the span; 0 if there is none. */
static size_t first_step(const struct shmlog_resync *resync, size_t span,
                         bool ends_at_anchor)
{
	size_t best = span;

	if (!ends_at_anchor) {
		/* Any place in the last stretch that every chain of frames
		 * must touch. */
		for (size_t at = span - SHMLOG_FRAME_MAX_BYTES; at <= span;
		     at++) {
			if (resync->cost[at] < resync->cost[best])
				best = at;
		}
	}
	return resync->cost[best] == UNREACHED ? 0 : resync->hop[best];
}

/* Whether several good frames in a row start at a place of the scratch, or
 * fewer that lead to the anchor. */
static bool starts_chain(const struct shmlog_resync *resync, size_t at,
                         size_t held, uint64_t to_anchor)
{
	for (unsigned frames = 0; frames < CHAIN_FRAMES; frames++) {
		if (at == to_anchor)
			return frames > 0;
		uint32_t total = shmlog_format_frame(resync->bytes + at,
		                                     held - at);

		if (total == 0)
			return false;
		at += total;
	}
	return true;
}

/* Spends some of the budget; false once it is gone. */
static bool spend(struct shmlog_resync *resync, uint64_t bytes)
{
	if (resync->budget < bytes) {
		resync->budget = 0;
		return false;
	}
	resync->budget -= bytes;
	return true;
}

/* Looks for a chain without a link to what stands before, span by span. */
static int find_chain(struct shmlog_resync *resync, uint64_t damage,
                      uint64_t *cursor_out)
{
	uint64_t from = damage + 1;

	while (from < resync->anchor && spend(resync, SPAN_BYTES)) {
		uint64_t to_anchor = resync->anchor - from;
		size_t span = to_anchor < SPAN_BYTES ? (size_t)to_anchor
		                                     : SPAN_BYTES;
		size_t held;
		int status = load_span(resync, from, &held);

		if (status != 0)
			return status;
		for (size_t at = 0; at < span; at++) {
			if (starts_chain(resync, at, held, to_anchor)) {
				*cursor_out = from + at;
				return 0;
			}
		}
		from += span;
	}
	*cursor_out = resync->anchor;
	return 0;
}

int shmlog_resync_find(struct shmlog_resync *resync,
                       const struct shmlog_fault *fault, uint64_t *cursor_out)
{
	if (fault->cursor >= resync->anchor) {
		/* Something that looked like a frame led past the anchor. */
		*cursor_out = resync->committed;
		return 0;
	}

	uint64_t to_anchor = resync->anchor - fault->cursor;
	bool ends_at_anchor = to_anchor <= SPAN_BYTES;
	size_t span = ends_at_anchor ? (size_t)to_anchor : SPAN_BYTES;
	size_t held;

	if (fault->wrapped_payload_bytes != 0) {
		*cursor_out = fault->cursor + fault->wrapped_payload_bytes +
		              SHMLOG_FRAME_OVERHEAD_BYTES;
		return 0;
	}
	*cursor_out = resync->anchor;
	if (!spend(resync, span))
		return 0;
	int status = load_span(resync, fault->cursor, &held);

	if (status != 0)
		return status;
	find_ways(resync, span);
	size_t step = first_step(resync, span, ends_at_anchor);

	if (step != 0) {
		*cursor_out = fault->cursor + step;
		return 0;
	}
	return find_chain(resync, fault->cursor, cursor_out);
}
