/* Finds the candidates in a part of a log: scans for equal size words, links
 * candidates into runs, and drops those that are artefacts of others. */
#include "find_candidates.h"

#include "format.h"
#include "payload_frames.h"

#include <string.h>

/* How many frames of a run a guess takes into account. */
#define LEARNED_FRAMES 64u

/* Counts how often each word and each candidate size occurs. */
static void scan(struct shmlog_candidates *candidates, bool skip_first)
{
	const unsigned char *bytes = candidates->bytes;
	uint32_t length = candidates->length;

	memset(candidates->words, 0,
	       SHMLOG_SIZES_WORDS * sizeof(*candidates->words));
	memset(candidates->frames, 0,
	       SHMLOG_SIZES_WORDS * sizeof(*candidates->frames));
	memset(candidates->weights, 0xff,
	       SHMLOG_SIZES_WORDS * sizeof(*candidates->weights));
	for (uint32_t at = 0; at + 2 <= length; at++) {
		uint32_t total = shmlog_load_word(bytes + at);

		candidates->good[at] = 0;
		candidates->words[total]++;
		if (total < SHMLOG_FRAME_OVERHEAD_BYTES ||
		    total > length - at ||
		    shmlog_load_word(bytes + at + total - 2) != total ||
		    (at == 0 && skip_first))
			continue;
		candidates->good[at] = (uint16_t)total;
		candidates->frames[total]++;
	}
	for (uint32_t at = length > 0 ? length - 1 : 0; at <= length; at++)
		candidates->good[at] = 0;
}

/* Lists the candidates whose two words are evidence. */
static void list_all(struct shmlog_candidates *candidates)
{
	candidates->count = 0;
	for (uint32_t at = 0; at < candidates->length; at++) {
		uint32_t total = candidates->good[at];

		if (total == 0)
			continue;
		int32_t weight = shmlog_candidates_weight(candidates, total);

		candidates->index[at] = SHMLOG_NOWHERE;
		if (weight <= 0 || candidates->count == candidates->room)
			continue;
		candidates->index[at] = candidates->count;
		candidates->list[candidates->count++] =
			(struct shmlog_candidate){
				.start = at, .total = total, .value = weight};
	}
}

/* Computes the run of adjacent candidates that one begins: where the run ends,
 * and its evidence. */
static void link_up(struct shmlog_candidates *candidates,
                    struct shmlog_candidate *one)
{
	uint32_t end = one->start + one->total;
	int32_t nested = one->value +
	                 shmlog_candidates_weigh(candidates, one->total)->cost -
	                 shmlog_sizes_cost(&candidates->inner, one->total);

	one->next = candidates->good[end] != 0 ? candidates->index[end]
	                                       : SHMLOG_NOWHERE;
	one->top = end;
	one->sum = one->value;
	one->nested = nested > 0 ? nested : 0;
	if (one->next != SHMLOG_NOWHERE && one->value != 0) {
		struct shmlog_candidate *next = &candidates->list[one->next];

		next->follows = true;
		one->top = next->top;
		one->sum = shmlog_evidence_add(one->sum, next->sum);
		one->nested = shmlog_evidence_add(one->nested, next->nested);
	}
	shmlog_payload_note_run(candidates, one);
}

static void link_all(struct shmlog_candidates *candidates)
{
	shmlog_payload_forget_runs(candidates);
	for (uint32_t i = candidates->count; i-- > 0;) {
		candidates->list[i].follows = false;
		link_up(candidates, &candidates->list[i]);
	}
}

/* The candidate of a size at a place if other candidates end where it starts
 * and start where it ends; NULL if there is none. */
static const struct shmlog_candidate *
in_row(const struct shmlog_candidates *candidates, uint32_t at, uint32_t total)
{
	const struct shmlog_candidate *one = shmlog_candidate_at(candidates,
	                                                         at);

	return one != NULL && one->total == total && one->follows &&
	                       one->next != SHMLOG_NOWHERE
	               ? one
	               : NULL;
}

/*
 * Whether a candidate is only an artefact of a row of frames of equal size: the
 * last word of one of them paired with a word elsewhere, or the first word of
 * one; or, where the neighbours of a frame have its size less four, their two
 * words around it.
 */
static bool is_phantom(const struct shmlog_candidates *candidates,
                       const struct shmlog_candidate *one)
{
	uint32_t total = one->total;
	uint32_t before = one->start + 2 - total;

	/* Rows of frames so small look the same from all of their words. */
	if (total < 2 * SHMLOG_FRAME_OVERHEAD_BYTES)
		return false;
	if (in_row(candidates, one->start + 2,
	           total - SHMLOG_FRAME_OVERHEAD_BYTES) != NULL)
		return true;
	if (one->next == SHMLOG_NOWHERE && one->start + 2 >= total &&
	    in_row(candidates, before, total) != NULL)
		return true;
	return !one->follows &&
	       in_row(candidates, one->start + total - 2, total) != NULL;
}

/* Drops the phantoms; true if there was any. */
static bool drop_phantoms(struct shmlog_candidates *candidates)
{
	bool dropped = false;

	for (uint32_t i = 0; i < candidates->count; i++) {
		struct shmlog_candidate *one = &candidates->list[i];

		if (!is_phantom(candidates, one))
			continue;
		candidates->index[one->start] = SHMLOG_NOWHERE;
		one->value = 0;
		dropped = true;
	}
	return dropped;
}

void shmlog_candidates_guess(struct shmlog_candidates *candidates)
{
	for (uint32_t head = 0;
	     shmlog_payload_next_run(candidates, &head, candidates->length);
	     head = shmlog_candidates_from(
		     candidates, candidates->list[head].top, head + 1)) {
		uint32_t frame = head;

		for (uint32_t i = 0;
		     i < LEARNED_FRAMES && frame != SHMLOG_NOWHERE; i++) {
			shmlog_sizes_guess(candidates->outer,
			                   candidates->list[frame].total);
			frame = candidates->list[frame].next;
		}
	}
}

void shmlog_candidates_find(struct shmlog_candidates *candidates,
                            const unsigned char *bytes, uint32_t length,
                            bool skip_first)
{
	candidates->bytes = bytes;
	candidates->length = length;
	scan(candidates, skip_first);
	list_all(candidates);
	link_all(candidates);
	if (drop_phantoms(candidates))
		link_all(candidates);
	for (uint32_t i = candidates->count; i-- > 0;)
		shmlog_payload_learn(candidates, i);
	/* Candidates gain the evidence of the frames in their payloads, now
	 * that it is known whether payloads of this log hold frames. */
	for (uint32_t i = candidates->count; i-- > 0;) {
		struct shmlog_candidate *one = &candidates->list[i];
		struct shmlog_inside inside = shmlog_payload_look(
			candidates, one->start, one->start + one->total, i + 1);

		if (one->value == 0)
			continue;
		one->value = shmlog_evidence_add(
			one->value, shmlog_inside_explained(candidates, &inside,
		                                            one->total));
		link_up(candidates, one);
	}
}
