/*
 * Telling frames from bytes that look like them.
 *
 * A frame shows by two equal words a distance apart that they name themselves.
 * Any bytes may look so by chance, and payloads may be made of frames, so what
 * counts is evidence.  That of a frame are the bits of a chance: how seldom its
 * size word stands in the bytes around it other than where frames of that size
 * explain it.  In noise that is 16 bits, the whole word; in text some 8; in a
 * payload of nothing but blanks none.
 *
 * A chain adds up the evidence of its frames.  It is proved if that outweighs
 * the choice of all the places where it might have begun, by PROOF_BITS; where
 * it touches the end of the good frames before the damage, or the beginning of
 * those that lead to the end of the log, there is no such choice.  A frame with
 * one good word is a bridge to a place that is then as good as known, less
 * BRIDGE_BITS: what lies behind it is no evidence for what lies before.  Of all
 * ways through the bytes that consist of proved frames, the one that covers
 * most of them is taken: so a frame stands for what lies in its payload.
 */
#include "evidence.h"

#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 65536u
/* The evidence of a frame, at most. */
#define FRAME_BITS 16
/* So few bytes say little of what is seldom: as if as many of noise were with
 * them. */
#define NOISE_BYTES 256u
/* What a chain must have beyond the choice of its beginning. */
#define PROOF_BITS 8
/* What a bridge costs: a bad word leads nowhere in particular, but there are
 * two words, and may be several places whose last word leads back. */
#define BRIDGE_BITS 4
/* What the frames at the end of the log must have to be relied on. */
#define ANCHOR_BITS 12
/* Bytes of coverage that a new beginning, and a bridge, cost. */
#define BEGINNING_COST 8
#define BRIDGE_COST 1

#define NONE INT32_MIN
#define NOWHERE SHMLOG_EVIDENCE_NOWHERE

/* What is known of a place as a boundary between frames. */
struct place {
	int32_t run;     /* evidence of the good frames in a row up to it */
	int32_t ahead;   /* ... and from it on */
	int32_t before;  /* evidence of the best chain up to it; or NONE */
	int32_t behind;  /* ... and from it on */
	int32_t covered; /* bytes, by the best way to it; or NONE */
	uint32_t from;   /* the place before it on that way; or NOWHERE */
	bool by_frame;   /* it is a good frame that leads from there */
	bool inside;     /* of a frame that is proved by those in its row */
	bool on_way;     /* the best way of all leads over it */
	bool is_start;   /* ... and from it by a good frame */
};

/* A span and what is found out about it. */
struct span {
	const unsigned char *bytes;
	uint32_t length;
	int32_t choice; /* bits: of the places where a chain may begin */
	bool begins_at_boundary;
	bool ends_at_boundary;
	uint16_t *good;       /* by place: size of the good frame there, or 0 */
	uint32_t *count;      /* by word: how often it stands in the bytes;
	                       * while these are weighed, else 0 */
	uint32_t *frames;     /* by word: good frames of that size */
	uint8_t *weight;      /* by word: evidence of such a frame */
	struct place *places; /* length + 1 of them */
};

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* The logarithm to base 2, rounded down; of 0 it is 0. */
static int32_t log2_of(uint32_t value)
{
	int32_t bits = 0;

	while (value >>= 1)
		bits++;
	return bits;
}

static int32_t proof(const struct span *span)
{
	return span->choice + PROOF_BITS;
}

/* ---------------------------------------------------------------- weighing */

/* The evidence of a frame of `size` bytes. */
static uint8_t weigh(const struct span *span, uint32_t size)
{
	/* No more than fit can be frames of the log. */
	uint32_t fitting = span->length / size + 1;
	uint32_t explained = 2 * (span->frames[size] < fitting
	                                  ? span->frames[size]
	                                  : fitting);
	uint32_t others = span->count[size] > explained
	                          ? span->count[size] - explained
	                          : 0;
	int32_t bits = FRAME_BITS;

	if (others > 0)
		bits = smaller(log2_of((span->length + NOISE_BYTES) / others),
		               FRAME_BITS);
	/* Of those that overlap one another, most are none. */
	bits -= log2_of(span->frames[size] / fitting);
	return (uint8_t)larger(bits, 0);
}

/* Finds all that looks like a frame, and what that is worth.  The counts are
 * zero before and after. */
static void find_frames(struct span *span)
{
	const unsigned char *bytes = span->bytes;
	uint32_t length = span->length;

	memset(span->good, 0, (length + 1) * sizeof(*span->good));
	for (uint32_t at = 0; at + 2 <= length; at++) {
		uint32_t total = shmlog_load_word(bytes + at);

		span->count[total]++;
		if (total < SHMLOG_FRAME_OVERHEAD_BYTES ||
		    total > length - at ||
		    shmlog_load_word(bytes + at + total - 2) != total)
			continue;
		span->good[at] = (uint16_t)total;
		span->frames[total]++;
	}
	/* Whatever is written there meanwhile: the frame at the damage was
	 * bad. */
	if (span->begins_at_boundary)
		span->good[0] = 0;
	for (uint32_t at = 0; at < length; at++) {
		if (span->good[at] != 0)
			span->weight[span->good[at]] = weigh(span,
			                                     span->good[at]);
	}
	for (uint32_t at = 0; at + 2 <= length; at++) {
		uint32_t total = shmlog_load_word(bytes + at);

		span->count[total] = 0;
		span->frames[total] = 0;
	}
}

/* ----------------------------------------------------------------- chains */

/* Where the frame that ends at `at` by its last word starts; NOWHERE if there
 * is none, or a good one starts there. */
static uint32_t bridge_start(const struct span *span, uint32_t at)
{
	uint32_t total = at >= SHMLOG_FRAME_OVERHEAD_BYTES
	                         ? shmlog_load_word(span->bytes + at - 2)
	                         : 0;

	if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > at ||
	    span->good[at - total] != 0)
		return NOWHERE;
	return at - total;
}

/* Where the frame that starts at `at` by its first word ends; likewise. */
static uint32_t bridge_end(const struct span *span, uint32_t at)
{
	uint32_t total = span->length - at >= 2 && span->good[at] == 0
	                         ? shmlog_load_word(span->bytes + at)
	                         : 0;

	if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > span->length - at)
		return NOWHERE;
	return at + total;
}

/* Whether a frame with one good word may lead from one place to another: not
 * where good ones end already, and neither into nor out of the middle of one
 * that is beyond doubt. */
static bool may_bridge(const struct span *span, uint32_t from, uint32_t to)
{
	const struct place *end = &span->places[to];

	return end->run < ANCHOR_BITS && !end->inside &&
	       !span->places[from].inside;
}

/* The evidence that comes over a bridge from what has `bits` of it. */
static int32_t bridged(const struct span *span, int32_t bits)
{
	return smaller(bits, span->choice) - BRIDGE_BITS;
}

static void raise(int32_t *value, int32_t other)
{
	*value = larger(*value, other);
}

/* Good frames in a row: their evidence, and what lies inside of those that
 * have enough to be proved by it alone.  False if none has a neighbour. */
static bool find_runs(struct span *span)
{
	struct place *places = span->places;
	uint32_t reach = 0;
	int32_t most = 0;

	for (uint32_t at = 0; at < span->length; at++) {
		uint32_t total = span->good[at];

		if (total == 0)
			continue;
		raise(&places[at + total].run,
		      places[at].run + span->weight[total]);
		raise(&most, places[at + total].run);
	}
	for (uint32_t at = span->length; at-- > 0;) {
		uint32_t total = span->good[at];

		if (total != 0)
			places[at].ahead = span->weight[total] +
			                   places[at + total].ahead;
	}
	for (uint32_t at = 0; at < span->length; at++) {
		const struct place *here = &places[at];

		places[at].inside = at < reach;
		if (span->good[at] != 0 && at + span->good[at] > reach &&
		    here->run + here->ahead >= proof(span))
			reach = at + span->good[at];
	}
	return most > FRAME_BITS;
}

/* The evidence of the chains up to each place. */
static void look_before(struct span *span)
{
	struct place *places = span->places;

	if (span->begins_at_boundary)
		places[0].before = span->choice;
	for (uint32_t at = 0; at <= span->length; at++) {
		uint32_t start = bridge_start(span, at);
		uint32_t end = bridge_end(span, at);
		uint32_t total = span->good[at];

		if (start != NOWHERE && places[start].before > BRIDGE_BITS &&
		    may_bridge(span, start, at))
			raise(&places[at].before,
			      bridged(span, places[start].before));
		if (total != 0)
			raise(&places[at + total].before,
			      larger(places[at].before, 0) +
			              span->weight[total]);
		if (end != NOWHERE && places[at].before > BRIDGE_BITS &&
		    may_bridge(span, at, end))
			raise(&places[end].before,
			      bridged(span, places[at].before));
	}
}

/* ... and from each place on. */
static void look_behind(struct span *span)
{
	struct place *places = span->places;

	if (span->ends_at_boundary)
		places[span->length].behind = span->choice;
	for (uint32_t at = span->length + 1; at-- > 0;) {
		uint32_t start = bridge_start(span, at);
		uint32_t end = bridge_end(span, at);
		uint32_t total = span->good[at];

		if (total != 0)
			raise(&places[at].behind,
			      larger(places[at + total].behind, 0) +
			              span->weight[total]);
		if (end != NOWHERE && places[end].behind > BRIDGE_BITS &&
		    may_bridge(span, at, end))
			raise(&places[at].behind,
			      bridged(span, places[end].behind));
		if (start != NOWHERE && places[at].behind > BRIDGE_BITS &&
		    may_bridge(span, start, at))
			raise(&places[start].behind,
			      bridged(span, places[at].behind));
	}
}

/* Whether a good frame lies on a chain that is proved. */
static bool is_proved(const struct span *span, uint32_t at)
{
	uint32_t total = span->good[at];

	return total != 0 &&
	       larger(span->places[at].before, 0) + span->weight[total] +
	                       larger(span->places[at + total].behind, 0) >=
	               proof(span);
}

/* The same of a frame with one good word: its ends are known as boundaries, or
 * nearly so. */
static bool is_proved_bridge(const struct span *span, uint32_t from,
                             uint32_t to)
{
	int32_t before = span->places[from].before;
	int32_t behind = span->places[to].behind;

	if (before <= 0 || behind <= 0 || !may_bridge(span, from, to))
		return false;
	return (before >= span->choice && behind >= span->choice) ||
	       smaller(before, span->choice) + bridged(span, behind) >=
	               proof(span);
}

/* ------------------------------------------------------------------- ways */

/* Goes from one place to another, with so many bytes covered, if that is the
 * best way there. */
static void go(struct span *span, uint32_t from, uint32_t to, int32_t covered,
               bool by_frame)
{
	struct place *place = &span->places[to];

	if (covered <= place->covered)
		return;
	place->covered = covered;
	place->from = from;
	place->by_frame = by_frame;
}

static void cross(struct span *span, uint32_t from, uint32_t to)
{
	int32_t covered = span->places[from].covered;

	if (covered != NONE && is_proved_bridge(span, from, to))
		go(span, from, to, covered + (int32_t)(to - from) - BRIDGE_COST,
		   false);
}

/* Finds the way that covers most; where it ends, or NOWHERE. */
static uint32_t find_way(struct span *span)
{
	struct place *places = span->places;
	int32_t most = 0;
	uint32_t best = NOWHERE;

	if (span->begins_at_boundary)
		go(span, NOWHERE, 0, 0, false);
	for (uint32_t at = 0; at <= span->length; at++) {
		uint32_t start = bridge_start(span, at);
		uint32_t end = bridge_end(span, at);
		uint32_t total = span->good[at];

		if (start != NOWHERE)
			cross(span, start, at);
		if (places[at].covered > most) {
			most = places[at].covered;
			best = at;
		}
		if (is_proved(span, at)) {
			go(span, best, at, most - BEGINNING_COST, false);
			go(span, at, at + total,
			   places[at].covered + (int32_t)total, true);
		}
		if (end != NOWHERE)
			cross(span, at, end);
	}
	return best;
}

/* Marks the way to a place. */
static void mark_way(struct span *span, uint32_t at)
{
	while (at != NOWHERE) {
		struct place *place = &span->places[at];

		place->on_way = true;
		if (place->by_frame)
			span->places[place->from].is_start = true;
		at = place->from;
	}
}

static void search(struct span *span)
{
	span->choice = log2_of(span->length) + 1;
	for (uint32_t at = 0; at <= span->length; at++)
		span->places[at] = (struct place){.before = NONE,
		                                  .behind = NONE,
		                                  .covered = NONE,
		                                  .from = NOWHERE};
	find_frames(span);
	/* Frames by themselves are noise's, where nothing else is known. */
	if (!find_runs(span) && !span->begins_at_boundary &&
	    !span->ends_at_boundary)
		return;
	look_before(span);
	look_behind(span);
	mark_way(span, find_way(span));
}

/* ------------------------------------------------------------- the outside */

static struct span span_of(const struct shmlog_evidence *evidence,
                           const struct shmlog_span *outer)
{
	return (struct span){
		.bytes = outer->bytes,
		.length = outer->length,
		.begins_at_boundary = outer->begins_at_boundary,
		.ends_at_boundary = outer->ends_at_boundary,
		.good = evidence->good,
		.count = evidence->count,
		.frames = evidence->frames,
		.weight = evidence->weight,
		.places = evidence->places,
	};
}

int shmlog_evidence_init(struct shmlog_evidence *evidence, uint32_t most_bytes)
{
	size_t places = (size_t)most_bytes + 1;

	*evidence = (struct shmlog_evidence){
		.good = malloc(places * sizeof(*evidence->good)),
		.count = calloc(WORDS, sizeof(*evidence->count)),
		.frames = calloc(WORDS, sizeof(*evidence->frames)),
		.weight = malloc(WORDS * sizeof(*evidence->weight)),
		.places = malloc(places * sizeof(*evidence->places)),
	};
	return evidence->good != NULL && evidence->count != NULL &&
	                       evidence->frames != NULL &&
	                       evidence->weight != NULL &&
	                       evidence->places != NULL
	               ? 0
	               : -ENOMEM;
}

void shmlog_evidence_release(struct shmlog_evidence *evidence)
{
	free(evidence->good);
	free(evidence->count);
	free(evidence->frames);
	free(evidence->weight);
	free(evidence->places);
}

void shmlog_evidence_weigh(struct shmlog_evidence *evidence,
                           const struct shmlog_span *outer)
{
	struct span span = span_of(evidence, outer);

	search(&span);
	evidence->weighed = outer->length;
}

bool shmlog_evidence_knows(const struct shmlog_evidence *evidence, uint32_t at)
{
	return at <= evidence->weighed && evidence->places[at].on_way;
}

uint32_t shmlog_evidence_next(const struct shmlog_evidence *evidence,
                              uint32_t from)
{
	for (uint32_t at = from; at < evidence->weighed; at++) {
		if (evidence->places[at].is_start)
			return at;
	}
	return NOWHERE;
}

bool shmlog_evidence_of_end(struct shmlog_evidence *evidence,
                            const struct shmlog_span *outer, uint32_t anchor)
{
	struct span span = span_of(evidence, outer);
	uint32_t at = span.length;
	int32_t bits = 0;

	find_frames(&span);
	while (at - anchor >= SHMLOG_FRAME_OVERHEAD_BYTES &&
	       bits < ANCHOR_BITS) {
		uint32_t total = shmlog_load_word(span.bytes + at - 2);

		/* Changed meanwhile, or out of the span. */
		if (total < SHMLOG_FRAME_OVERHEAD_BYTES ||
		    total > at - anchor || span.good[at - total] != total)
			break;
		bits += span.weight[total];
		at -= total;
	}
	return bits >= ANCHOR_BITS;
}
