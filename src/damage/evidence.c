/*
 * Decides which of the candidates are frames of the log: a search for the best
 * path, by dynamic programming.
 *
 * A path leads through the bytes in steps.  A step goes over a good frame, over
 * a frame with one or two bad size words, over a payload whose size wrapped, or
 * over a gap, which is bytes that are lost.  The score of a step is a
 * log-likelihood ratio: how much likelier the bytes are if the step is right
 * than if it is not, less a cost for how unlikely such a step is in itself.
 * Damage has a cost; so has a size that the log hardly uses, and every doubling
 * of the distance after which good frames may go on.  The path with the highest
 * score wins.
 *
 * So a single rule chooses between all explanations: a distant word that
 * happens to equal the one at hand, frames that lie in a payload, and frames
 * that go on behind lost bytes.
 *
 * The file is a long one because it is one search: every step is tried at each
 * of half a million places, and the compiler inlines only functions that it
 * sees.
 */
#include "evidence.h"

#include "find_candidates.h"
#include "format.h"
#include "payload_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The costs of steps.  A frame with two bad words, and with one: */
#define BAD_FRAME_BITS (12 * SHMLOG_BIT)
#define BAD_WORD_BITS (10 * SHMLOG_BIT)
/* A gap, where bytes of any number of frames were lost or inserted: */
#define GAP_BITS (16 * SHMLOG_BIT)
/* A payload whose size wrapped: */
#define WRAP_BITS (24 * SHMLOG_BIT)
/* The further cost of a gap that is too small for a frame, and of one whose
 * length is no multiple of the step that all sizes of the log have. */
#define SLIVER_BITS (6 * SHMLOG_BIT)
#define SHIFT_BITS (36 * SHMLOG_BIT)
/* The further cost of a frame that lost some of its bytes. */
#define CUT_BITS (6 * SHMLOG_BIT)
/* The most evidence that two words can give. */
#define WORDS_BITS (32 * SHMLOG_BIT)
/* A single good frame between two gaps may be there by chance. */
#define LONE_BITS (16 * SHMLOG_BIT)
/* The evidence that the last frames of the log must have to be relied on. */
#define ANCHOR_BITS (24 * SHMLOG_BIT)
/* The most bad frames in a row that are found by their last words alone. */
#define MOST_BACK 4u
/* The most places, beside the best one, that are remembered as possible starts
 * of a gap: a lost frame may hold runs of others. */
#define LAST_ORIGINS 16u

#define WORD_RANGE 65536u
/* Less than any evidence; each byte of it is the same, for memset(). */
#define NONE ((int32_t)0x80808080u)

/* The kind of step that leads to a place; stored in the upper bits of its
 * link. */
enum step {
	BY_GAP,
	BY_FRAME,
	BY_BAD_FRAME,
	BY_WRAP,
};
#define STEP_SHIFT 30
#define PLACE_MASK ((UINT32_C(1) << STEP_SHIFT) - 1)
#define BEGINNING PLACE_MASK /* the place before the first one */
#define MARKED (PLACE_MASK - 1)

/* A place at which a gap may begin. */
struct origin {
	uint32_t at;
	int32_t score; /* NONE: there is none */
};

/* A span that is being weighed. */
struct search {
	struct shmlog_evidence *evidence;
	struct shmlog_candidates *candidates;
	const unsigned char *bytes;
	uint32_t length;
	uint64_t lost;
	bool begins_at_boundary;
	bool ends_at_boundary;
	bool may_be_torn;
	struct origin best;               /* of all offered so far */
	struct origin last[LAST_ORIGINS]; /* a ring of the last offered */
	unsigned offered;
};

static uint32_t link_to(uint32_t place, enum step step)
{
	return place | (uint32_t)step << STEP_SHIFT;
}

static enum step step_to(const struct shmlog_evidence *evidence, uint32_t at)
{
	return (enum step)(evidence->links[at] >> STEP_SHIFT);
}

/* Records a step from one place to another if it makes the best path there so
 * far.  A gap wins over a frame of the same score, as the path to the gap
 * follows the frames before the damage for longer. */
static void go(struct search *search, uint32_t from, uint32_t to, int32_t score,
               enum step step)
{
	struct shmlog_evidence *evidence = search->evidence;

	if (score < evidence->score[to] ||
	    (score == evidence->score[to] &&
	     (step != BY_GAP || step_to(evidence, to) != BY_FRAME)))
		return;
	evidence->score[to] = score;
	evidence->links[to] = link_to(from, step);
}

/* The score of the path to a place at which a bad frame or a gap begins. */
static int32_t score_before_damage(const struct search *search, uint32_t at)
{
	const struct shmlog_evidence *evidence = search->evidence;
	uint32_t from = evidence->links[at] & PLACE_MASK;
	bool is_lone = step_to(evidence, at) == BY_FRAME && from != 0 &&
	               step_to(evidence, from) == BY_GAP;

	return evidence->score[at] - (is_lone ? LONE_BITS : 0);
}

/* -------------------------------------------------------------------- costs */

static int32_t gap_cost(const struct search *search, uint64_t bytes,
                        bool is_torn)
{
	uint32_t step = search->candidates->outer->step;
	int32_t cost = GAP_BITS + shmlog_log2(bytes);

	/* A frame may be torn anywhere. */
	if (is_torn)
		return cost;
	if (bytes < SHMLOG_FRAME_OVERHEAD_BYTES)
		cost += SLIVER_BITS;
	if (step > 1)
		cost += bytes % step == 0 ? -shmlog_log2(step) : SHIFT_BITS;
	return cost;
}

/* The score of a frame whose two size words are bad. */
static int32_t bad_frame(const struct search *search, uint32_t from,
                         uint32_t to)
{
	return shmlog_payload_nested(search->candidates, from, to) -
	       BAD_FRAME_BITS -
	       shmlog_sizes_cost(search->candidates->outer, to - from);
}

/* Whether a single word may be the size of a frame.  Where many sizes of the
 * log are known, a size that it does not have is taken for a bad word, unless
 * it spans everything that is searched. */
static bool is_likely(const struct search *search, uint32_t size)
{
	const struct shmlog_sizes *outer = search->candidates->outer;

	return size >= SHMLOG_FRAME_OVERHEAD_BYTES &&
	       (outer->known < SHMLOG_SIZES_MANY || size == search->length ||
	        shmlog_sizes_has(outer, size));
}

/* The score of a frame with one good size word. */
static int32_t half_good_frame(const struct search *search, uint32_t from,
                               uint32_t to)
{
	const struct shmlog_candidates *candidates = search->candidates;
	uint32_t size = to - from;

	return shmlog_candidates_word(candidates, size) +
	       shmlog_payload_explained(candidates, from, to, size) -
	       BAD_WORD_BITS;
}

/* -------------------------------------------------------------------- steps */

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* The evidence that a word gives for a frame boundary beside it, if the word
 * may be the size of a frame of which `bytes` bytes are left. */
static int32_t word_beside(const struct search *search, uint32_t word,
                           uint32_t bytes)
{
	const struct shmlog_candidates *candidates = search->candidates;
	int32_t bits;

	if (!is_likely(search, word))
		return 0;
	bits = shmlog_candidates_word(candidates, word);
	/* The frame has lost bytes.  But where payloads hold frames, the word
	 * may be one of those, with its frame complete behind the gap: it
	 * proves nothing. */
	if (word > bytes)
		bits = shmlog_payloads_hold_frames(candidates)
		               ? 0
		               : bits - CUT_BITS;
	return bits > 0 ? bits : 0;
}

/* The evidence that the words at both ends of a gap give for a frame that
 * begins at the one end and a frame that ends at the other.  Both may be the
 * same frame, which lost bytes or had some inserted. */
static int32_t words_beside(const struct search *search, uint32_t from,
                            uint32_t to)
{
	uint32_t bytes = to - from;

	if (bytes < 2)
		return 0;

	uint32_t first = shmlog_load_word(search->bytes + from);
	uint32_t last = shmlog_load_word(search->bytes + to - 2);

	if (bytes < SHMLOG_FRAME_OVERHEAD_BYTES)
		return larger(word_beside(search, first, bytes),
		              word_beside(search, last, bytes));
	if (first == last && first > bytes)
		return 2 * word_beside(search, first, first) +
		       shmlog_payload_explained(search->candidates, from, to,
		                                first);
	return word_beside(search, first, bytes) +
	       word_beside(search, last, bytes);
}

/* Whether nothing between two places can make the path over them better than
 * the path that already leads to the second: only two words there, or a payload
 * that holds frames, add evidence. */
static bool is_hopeless(const struct search *search,
                        const struct origin *origin, uint32_t at)
{
	return !shmlog_payloads_hold_frames(search->candidates) &&
	       origin->score + WORDS_BITS - GAP_BITS <
	               search->evidence->score[at];
}

/* Tries to reach a place from `origin` over a gap, or over a frame with two bad
 * words. */
static void cross_from(struct search *search, const struct origin *origin,
                       uint32_t at)
{
	if (origin->score == NONE || origin->at >= at ||
	    is_hopeless(search, origin, at))
		return;

	uint32_t bytes = at - origin->at;

	go(search, origin->at, at,
	   origin->score -
	           gap_cost(search, bytes,
	                    at == search->length && search->may_be_torn) +
	           words_beside(search, origin->at, at),
	   BY_GAP);
	if (bytes >= SHMLOG_FRAME_OVERHEAD_BYTES && bytes < WORD_RANGE)
		go(search, origin->at, at,
		   origin->score + bad_frame(search, origin->at, at), BY_GAP);
}

static void cross(struct search *search, uint32_t at)
{
	unsigned count = search->offered < LAST_ORIGINS ? search->offered
	                                                : LAST_ORIGINS;

	cross_from(search, &search->best, at);
	for (unsigned i = 1; i <= count; i++)
		cross_from(search,
		           &search->last[(search->offered - i) % LAST_ORIGINS],
		           at);
	if (!search->begins_at_boundary)
		go(search, BEGINNING, at,
		   -gap_cost(search, search->lost + at, false), BY_GAP);
}

/* Tries to reach a place over a frame whose last word is good. */
static void come_by_last_word(struct search *search, uint32_t at)
{
	int32_t *score = search->evidence->score;
	uint32_t total = at >= SHMLOG_FRAME_OVERHEAD_BYTES
	                         ? shmlog_load_word(search->bytes + at - 2)
	                         : 0;

	if (total > at || !is_likely(search, total))
		return;
	uint32_t from = at - total;

	if (score[from] != NONE)
		go(search, from, at,
		   score_before_damage(search, from) +
		           half_good_frame(search, from, at),
		   BY_BAD_FRAME);
}

/* Marks the starts of frames that only their last word shows, so that the
 * search tries to reach these places. */
static void mark_starts(struct search *search)
{
	const struct shmlog_candidates *candidates = search->candidates;
	uint32_t *links = search->evidence->links;

	memset(links, 0xff, (search->length + (size_t)1) * sizeof(*links));
	for (uint32_t i = 0; i < candidates->count; i++) {
		uint32_t at = candidates->list[i].start;

		for (unsigned back = 0; back < MOST_BACK; back++) {
			uint32_t total = at < SHMLOG_FRAME_OVERHEAD_BYTES
			                         ? 0
			                         : shmlog_load_word(
							   search->bytes + at -
							   2);

			if (total > at || !is_likely(search, total) ||
			    candidates->good[at - total] == total ||
			    links[at - total] == MARKED)
				break;
			at -= total;
			links[at] = MARKED;
		}
	}
}

/* Tries the steps from a place over a payload whose size may have wrapped. */
static void go_by_wrap(struct search *search, uint32_t at, uint32_t word)
{
	const struct shmlog_candidates *candidates = search->candidates;

	for (uint32_t total = word + WORD_RANGE; total <= search->length - at;
	     total += WORD_RANGE) {
		uint32_t to = at + total;

		if (shmlog_load_word(search->bytes + to - 2) != word)
			continue;
		go(search, at, to,
		   score_before_damage(search, at) - WRAP_BITS +
		           2 * shmlog_candidates_rarity(candidates, word) +
		           shmlog_payload_explained(candidates, at, to, total),
		   BY_WRAP);
	}
}

/* Tries the step from a place over a torn frame, which reaches beyond the end
 * of the log. */
static void go_by_tear(struct search *search, uint32_t at, uint32_t word)
{
	const struct shmlog_candidates *candidates = search->candidates;

	int32_t bits = shmlog_candidates_word(candidates, word) +
	               shmlog_payload_explained(candidates, at,
	                                        search->length + 2, word) -
	               BAD_WORD_BITS;

	go(search, at, search->length, score_before_damage(search, at) + bits,
	   BY_BAD_FRAME);
}

/* The score of a frame whose two words prove nothing by themselves, where good
 * frames lead to it.  The words count as no evidence at all, and the payload as
 * some, if the log has such sizes and the frame cannot be a fill. */
static int32_t weak_frame(const struct search *search, uint32_t at,
                          uint32_t total)
{
	struct shmlog_candidates *candidates = search->candidates;
	const unsigned char *frame = search->bytes + at;
	int32_t bits = shmlog_candidates_weight(candidates, total);

	if (shmlog_format_is_fill(frame, total))
		return bits - LONE_BITS;
	if (!shmlog_sizes_has(candidates->outer, total))
		return bits;
	return (bits > 0 ? bits : 0) +
	       shmlog_payload_explained(candidates, at, at + total, total);
}

/* Tries the steps from a place over the frame that starts there, good or
 * bad. */
static void go_on(struct search *search, uint32_t at)
{
	const struct shmlog_evidence *evidence = search->evidence;
	struct shmlog_candidates *candidates = search->candidates;
	int32_t score = evidence->score[at];
	bool is_known = at == 0 || step_to(evidence, at) == BY_FRAME;
	const struct shmlog_candidate *one = shmlog_candidate_at(candidates,
	                                                         at);
	uint32_t good = candidates->good[at];
	uint32_t word = search->length - at < 2
	                        ? 0
	                        : shmlog_load_word(search->bytes + at);

	if (one != NULL)
		go(search, at, at + good, score + one->value, BY_FRAME);
	else if (good != 0 && is_known)
		go(search, at, at + good, score + weak_frame(search, at, good),
		   BY_FRAME);
	else if (word <= search->length - at && is_likely(search, word))
		go(search, at, at + word,
		   score_before_damage(search, at) +
		           half_good_frame(search, at, at + word),
		   BY_BAD_FRAME);
	else if (word > search->length - at && search->may_be_torn)
		go_by_tear(search, at, word);
	if (good == 0 && is_known && search->length - at >= 2)
		go_by_wrap(search, at, word);
}

/* Offers a place that was reached as the possible start of a gap.  The middle
 * of a run of frames hardly is one. */
static void offer(struct search *search, uint32_t at)
{
	const struct shmlog_candidate *one = shmlog_candidate_at(
		search->candidates, at);
	bool is_known = at == 0 || step_to(search->evidence, at) == BY_FRAME;
	struct origin origin = {.at = at,
	                        .score = score_before_damage(search, at)};

	if (at > 0 && step_to(search->evidence, at) == BY_GAP)
		return;
	if (search->best.score == NONE || origin.score >= search->best.score)
		search->best = origin;
	if (!is_known || (one != NULL && one->next != SHMLOG_NOWHERE))
		return;
	search->last[search->offered++ % LAST_ORIGINS] = origin;
}

/* --------------------------------------------------------------- the search */

/* Tries to reach a place over damage before it, unless good frames lead there
 * and no path that ends before it scores higher. */
static void come_to(struct search *search, uint32_t at)
{
	const struct shmlog_evidence *evidence = search->evidence;
	int32_t score = evidence->score[at];

	if (score != NONE && step_to(evidence, at) == BY_FRAME) {
		if (score < search->best.score)
			cross(search, at);
		return;
	}
	cross(search, at);
	come_by_last_word(search, at);
}

static void find_ways(struct search *search)
{
	const struct shmlog_evidence *evidence = search->evidence;
	uint32_t first = search->begins_at_boundary ? 1 : 0;

	for (uint32_t at = 0; at < search->length; at++) {
		bool is_marked = evidence->score[at] == NONE &&
		                 evidence->links[at] == MARKED;

		if (at >= first &&
		    (is_marked ||
		     shmlog_candidate_at(search->candidates, at) != NULL))
			come_to(search, at);
		if (evidence->score[at] == NONE)
			continue;
		offer(search, at);
		go_on(search, at);
	}
}

/* Where the best path ends; BEGINNING if there is none.  A frame that ends long
 * before the end of the span would show whether good frames go on behind it, so
 * a path that ends there pays for a gap. */
static uint32_t find_end(struct search *search)
{
	const int32_t *score = search->evidence->score;
	uint32_t best = BEGINNING;
	int32_t most = search->begins_at_boundary ? NONE : 0;

	if (search->ends_at_boundary) {
		cross(search, search->length);
		come_by_last_word(search, search->length);
		return search->length;
	}
	for (uint32_t at = 0; at <= search->length; at++) {
		uint32_t left = search->length - at;

		if (score[at] == NONE)
			continue;
		int32_t value = left < SHMLOG_FRAME_MAX_BYTES
		                        ? score[at]
		                        : score_before_damage(search, at) -
		                                  gap_cost(search, left, true);

		if (value > most) {
			most = value;
			best = at;
		}
	}
	return best;
}

/* Reverses the links along the path, so that they lead forwards. */
static uint32_t turn_way(struct shmlog_evidence *evidence, uint32_t end)
{
	uint32_t at = end;
	uint32_t next = BEGINNING;
	enum step step_to_next = BY_GAP;

	while (at != BEGINNING) {
		uint32_t link = evidence->links[at];

		evidence->links[at] = link_to(next, step_to_next);
		next = at;
		step_to_next = (enum step)(link >> STEP_SHIFT);
		at = link & PLACE_MASK;
	}
	return next;
}

/* ------------------------------------------------------------- the outside */

int shmlog_evidence_init(struct shmlog_evidence *evidence,
                         struct shmlog_sizes *sizes, uint32_t most_bytes)
{
	size_t places = (size_t)most_bytes + 1;
	int status = shmlog_candidates_init(&evidence->candidates, sizes,
	                                    most_bytes);

	evidence->score = malloc(places * sizeof(*evidence->score));
	evidence->links = malloc(places * sizeof(*evidence->links));
	evidence->length = 0;
	return evidence->score != NULL && evidence->links != NULL ? status
	                                                          : -ENOMEM;
}

void shmlog_evidence_release(struct shmlog_evidence *evidence)
{
	shmlog_candidates_release(&evidence->candidates);
	free(evidence->score);
	free(evidence->links);
}

/* Finds the candidates.  Where few sizes of the log are known, guesses them
 * from what the span holds and finds the candidates once more. */
static void find_candidates(struct shmlog_candidates *candidates,
                            const struct shmlog_span *span)
{
	bool is_known = candidates->outer->total >= SHMLOG_SIZES_MANY;

	shmlog_sizes_find_step(candidates->outer);
	shmlog_candidates_find(candidates, span->bytes, span->length,
	                       span->begins_bad);
	if (is_known)
		return;
	shmlog_candidates_guess(candidates);
	shmlog_sizes_find_step(candidates->outer);
	shmlog_candidates_find(candidates, span->bytes, span->length,
	                       span->begins_bad);
}

void shmlog_evidence_weigh(struct shmlog_evidence *evidence,
                           const struct shmlog_span *span)
{
	struct search search = {
		.evidence = evidence,
		.candidates = &evidence->candidates,
		.bytes = span->bytes,
		.length = span->length,
		.lost = span->lost,
		.begins_at_boundary = span->begins_at_boundary,
		.ends_at_boundary = span->ends_at_boundary,
		.may_be_torn = span->may_be_torn,
		.best = {.score = NONE},
	};

	find_candidates(&evidence->candidates, span);
	memset(evidence->score, 0x80,
	       (span->length + (size_t)1) * sizeof(*evidence->score));
	mark_starts(&search);
	if (span->begins_at_boundary)
		go(&search, BEGINNING, 0, 0, BY_GAP);
	find_ways(&search);
	evidence->length = span->length;
	evidence->first = turn_way(evidence, find_end(&search));
	evidence->at = evidence->first;
	evidence->ends_known = span->ends_at_boundary;
}

static uint32_t behind(const struct shmlog_evidence *evidence, uint32_t at)
{
	return evidence->links[at] & PLACE_MASK;
}

bool shmlog_evidence_next(struct shmlog_evidence *evidence, uint32_t from,
                          bool here, uint32_t limit,
                          struct shmlog_stretch *stretch_out)
{
	uint32_t at = evidence->at;
	bool by_wrap = false;

	while (at != BEGINNING && at < from)
		at = behind(evidence, at);
	if (at == BEGINNING || (at != from && from != 0))
		return false;
	evidence->at = at;
	/* Skip all steps of the path that are not over a good frame. */
	while (at != BEGINNING &&
	       (step_to(evidence, at) != BY_FRAME || (at == from && !here))) {
		by_wrap = step_to(evidence, at) == BY_WRAP;
		at = behind(evidence, at);
		if (at == evidence->length && evidence->ends_known)
			break;
	}
	if (at == BEGINNING)
		return false;
	*stretch_out = (struct shmlog_stretch){
		.start = at,
		.by_wrap = by_wrap,
		.reaches_end = at == evidence->length,
	};
	while (at < limit && behind(evidence, at) != BEGINNING &&
	       step_to(evidence, at) == BY_FRAME)
		at = behind(evidence, at);
	stretch_out->end = at;
	return true;
}

bool shmlog_evidence_of_end(struct shmlog_evidence *evidence,
                            const struct shmlog_span *span, uint32_t anchor)
{
	struct shmlog_candidates *candidates = &evidence->candidates;
	uint32_t at = span->length;
	int32_t bits = 0;

	shmlog_candidates_find(candidates, span->bytes, span->length, false);
	evidence->length = 0;
	while (at - anchor >= SHMLOG_FRAME_OVERHEAD_BYTES &&
	       bits < ANCHOR_BITS) {
		uint32_t total = shmlog_load_word(span->bytes + at - 2);

		/* The file has changed meanwhile, or the frame begins before
		 * the span. */
		if (total < SHMLOG_FRAME_OVERHEAD_BYTES ||
		    total > at - anchor ||
		    candidates->good[at - total] != total)
			break;
		bits += shmlog_candidates_rarity(candidates, total);
		at -= total;
	}
	return bits >= ANCHOR_BITS;
}
