/*
 * Frames within the payload of another frame, and what they prove.
 *
 * A payload may itself be made of frames, as a copy of a log is.  Such frames
 * are strong evidence, too, and must not be taken for frames of the log.  A
 * frame explains whatever lies wholly in its payload: the evidence of the
 * nested frames counts for the frame around them, less the cost of assuming
 * that payloads of this log hold frames.
 */
#include "payload_frames.h"

#include "format.h"

/* A run in a payload with at least this much evidence is no coincidence. */
#define STRONG_BITS (30 * SHMLOG_BIT)
/* The cost of assuming that a payload holds frames, the first time; */
#define FIRST_NESTED_BITS (40 * SHMLOG_BIT)
/* the same if the payload begins with them; */
#define FRONT_BITS (4 * SHMLOG_BIT)
/* for each further run in the payload; */
#define FURTHER_RUN_BITS (60 * SHMLOG_BIT)
/* and for each run, where other payloads of the log are known to hold
 * frames. */
#define NESTED_BITS (8 * SHMLOG_BIT)
/* Payloads are known to hold frames once so many frames with others inside were
 * found. */
#define MANY_OUTER_FRAMES 3u
/* How many frames of a run in a payload are learned from. */
#define LEARNED_FRAMES 64u
/* The offset of dataOffset in the header of a log. */
#define DATA_OFFSET_PLACE 8u
/* The most candidates in one frame that are looked at, and the most runs that
 * are summed up, so that a hostile log does not take quadratic time.  A
 * payload with more of them is judged by the first. */
#define MOST_STEPS 1024u
#define MOST_RUNS 256

uint32_t shmlog_candidates_from(const struct shmlog_candidates *candidates,
                                uint32_t at, uint32_t low)
{
	uint32_t high = low;

	/* It is near, mostly: the steps grow until one leads beyond it. */
	for (uint32_t step = 1;
	     high < candidates->count && candidates->list[high].start < at;
	     step *= 2) {
		low = high + 1;
		high += step;
	}
	if (high > candidates->count)
		high = candidates->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (candidates->list[middle].start < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void shmlog_payload_forget_runs(struct shmlog_candidates *candidates)
{
	uint32_t blocks = candidates->count;

	for (unsigned level = 0; level < SHMLOG_CANDIDATES_LEVELS; level++) {
		blocks = blocks / SHMLOG_CANDIDATES_BLOCK + 1;
		for (uint32_t i = 0; i < blocks; i++)
			candidates->lowest_top[level][i] = SHMLOG_NOWHERE;
	}
}

void shmlog_payload_note_run(struct shmlog_candidates *candidates,
                             const struct shmlog_candidate *one)
{
	uint32_t block = (uint32_t)(one - candidates->list);

	if (one->sum < STRONG_BITS)
		return;
	for (unsigned level = 0; level < SHMLOG_CANDIDATES_LEVELS; level++) {
		uint32_t *lowest = candidates->lowest_top[level];

		block /= SHMLOG_CANDIDATES_BLOCK;
		if (one->top < lowest[block])
			lowest[block] = one->top;
	}
}

/* Passes the largest block of a candidate in which no strong run begins that
 * lies wholly in a payload; false if there may be one even in the smallest. */
static bool pass_block(const struct shmlog_candidates *candidates,
                       uint32_t *number_inout, uint32_t payload_end)
{
	uint32_t block = *number_inout;
	uint32_t length = 1;
	bool passed = false;

	for (unsigned level = 0; level < SHMLOG_CANDIDATES_LEVELS; level++) {
		block /= SHMLOG_CANDIDATES_BLOCK;
		length *= SHMLOG_CANDIDATES_BLOCK;
		if (candidates->lowest_top[level][block] <= payload_end)
			break;
		*number_inout = (block + 1) * length;
		passed = true;
	}
	return passed;
}

bool shmlog_payload_next_run(const struct shmlog_candidates *candidates,
                             uint32_t *number_inout, uint32_t payload_end)
{
	uint32_t number = *number_inout;

	for (uint32_t steps = 0;
	     number < candidates->count && steps < MOST_STEPS; steps++) {
		const struct shmlog_candidate *one = &candidates->list[number];

		if (one->start >= payload_end)
			return false;
		if (one->top <= payload_end && one->sum >= STRONG_BITS) {
			if (!one->follows) {
				*number_inout = number;
				return true;
			}
			number = shmlog_candidates_from(candidates, one->top,
			                                number + 1);
		} else if (!pass_block(candidates, &number, payload_end)) {
			number++;
		}
	}
	return false;
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	while (length > 0 && bytes[length - 1] == 0)
		length--;
	return length == 0;
}

/* Whether a payload begins with the frames at a place, or with the header of a
 * log and then these frames. */
static bool is_at_front(const struct shmlog_candidates *candidates,
                        uint32_t payload, uint32_t at)
{
	const unsigned char *header = candidates->bytes + payload;

	if (at < payload + SHMLOG_HEADER_BYTES)
		return at == payload;
	return shmlog_load_word(header + DATA_OFFSET_PLACE) == at - payload &&
	       is_zero(header + DATA_OFFSET_PLACE + 2, 6);
}

struct shmlog_inside
shmlog_payload_look(const struct shmlog_candidates *candidates, uint32_t from,
                    uint32_t to, uint32_t number)
{
	struct shmlog_inside inside = {0};

	while (inside.runs < MOST_RUNS &&
	       shmlog_payload_next_run(candidates, &number, to - 2)) {
		const struct shmlog_candidate *one = &candidates->list[number];

		inside.at_front |= inside.runs == 0 &&
		                   is_at_front(candidates, from + 2,
		                               one->start);
		inside.runs++;
		inside.sum = shmlog_evidence_add(inside.sum, one->sum);
		inside.nested = shmlog_evidence_add(inside.nested, one->nested);
		number = shmlog_candidates_from(candidates, one->top,
		                                number + 1);
	}
	return inside;
}

bool shmlog_payloads_hold_frames(const struct shmlog_candidates *candidates)
{
	return candidates->outer_frames >= MANY_OUTER_FRAMES;
}

int32_t shmlog_inside_explained(const struct shmlog_candidates *candidates,
                                const struct shmlog_inside *inside,
                                uint32_t size)
{
	if (inside->runs == 0)
		return 0;
	int32_t bits = inside->sum -
	               (inside->at_front ? FRONT_BITS : FIRST_NESTED_BITS) -
	               shmlog_log2((uint64_t)candidates->outer->total + 1) -
	               (inside->runs - 1) * FURTHER_RUN_BITS;
	int32_t nested = inside->nested - inside->runs * NESTED_BITS;

	if (shmlog_payloads_hold_frames(candidates) && nested > bits &&
	    (inside->at_front || (size <= SHMLOG_FRAME_MAX_BYTES &&
	                          shmlog_sizes_has(candidates->outer, size))))
		bits = nested;
	return bits > 0 ? bits : 0;
}

int32_t shmlog_payload_explained(const struct shmlog_candidates *candidates,
                                 uint32_t from, uint32_t to, uint32_t size)
{
	struct shmlog_inside inside = shmlog_payload_look(
		candidates, from, to,
		shmlog_candidates_from(candidates, from + 2, 0));

	/* A single word may be a bad one, which can name any size.  So it must
	 * name a size that the log has; where few sizes are known, frames at
	 * the start of the payload are enough. */
	if (size <= SHMLOG_FRAME_MAX_BYTES && size != candidates->length &&
	    !shmlog_sizes_has(candidates->outer, size) &&
	    (!inside.at_front || candidates->outer->known >= SHMLOG_SIZES_MANY))
		return 0;
	return shmlog_inside_explained(candidates, &inside, size);
}

int32_t shmlog_payload_nested(const struct shmlog_candidates *candidates,
                              uint32_t from, uint32_t to)
{
	if (!shmlog_payloads_hold_frames(candidates))
		return 0;

	struct shmlog_inside inside = shmlog_payload_look(
		candidates, from, to,
		shmlog_candidates_from(candidates, from + 2, 0));
	int32_t bits = inside.nested -
	               (inside.runs - (inside.at_front ? 1 : 0)) * NESTED_BITS;

	return bits > 0 ? bits : 0;
}

/* Whether a run with much evidence begins inside a frame and ends behind it:
 * then the frame or the run is none. */
static bool is_crossed(const struct shmlog_candidates *candidates,
                       uint32_t number)
{
	uint32_t end = candidates->list[number].start +
	               candidates->list[number].total;

	for (uint32_t i = number + 1;
	     i < candidates->count && i - number < MOST_STEPS &&
	     candidates->list[i].start < end;
	     i++) {
		if (candidates->list[i].top > end - 2 &&
		    candidates->list[i].sum >= STRONG_BITS)
			return true;
	}
	return false;
}

/* How many bytes of a candidate's payload strong runs cover. */
static uint32_t bytes_inside(const struct shmlog_candidates *candidates,
                             uint32_t number)
{
	const struct shmlog_candidate *one = &candidates->list[number];
	uint32_t payload_end = one->start + one->total - 2;
	uint32_t inside = shmlog_candidates_from(candidates, one->start + 2,
	                                         number + 1);
	uint32_t bytes = 0;

	while (shmlog_payload_next_run(candidates, &inside, payload_end)) {
		const struct shmlog_candidate *head = &candidates->list[inside];

		bytes += head->top - head->start;
		inside = shmlog_candidates_from(candidates, head->top,
		                                inside + 1);
	}
	return bytes;
}

void shmlog_payload_learn(struct shmlog_candidates *candidates, uint32_t number)
{
	const struct shmlog_candidate *one = &candidates->list[number];
	uint32_t payload_end = one->start + one->total - 2;
	uint32_t inside = shmlog_candidates_from(candidates, one->start + 2,
	                                         number + 1);

	if (one->next == SHMLOG_NOWHERE || !one->follows ||
	    2 * bytes_inside(candidates, number) < one->total ||
	    is_crossed(candidates, number))
		return;
	candidates->outer_frames++;
	while (shmlog_payload_next_run(candidates, &inside, payload_end)) {
		uint32_t frame = inside;

		for (uint32_t i = 0;
		     i < LEARNED_FRAMES && frame != SHMLOG_NOWHERE; i++) {
			shmlog_sizes_learn(&candidates->inner,
			                   candidates->list[frame].total);
			frame = candidates->list[frame].next;
		}
		inside = shmlog_candidates_from(
			candidates, candidates->list[inside].top, inside + 1);
	}
}
