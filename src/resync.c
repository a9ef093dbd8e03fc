/*
 * Finding the place behind damage where a chain of frames goes on.
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
#include "resync.h"

#include "mapping.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes behind the damage that are looked at together: room for a few frames
 * of the largest size. */
#define SPAN_BYTES 262144u
/* The first of these, which are tried alone before: room for many frames of
 * most logs. */
#define NEAR_BYTES 8192u
/* Bytes that a walk may search, whatever the log's size, and per byte of it. */
#define BUDGET_BYTES (256u << 20)
#define BUDGET_PER_BYTE 4u
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
/* Frames between two calls of the pulse. */
#define PULSE_FRAMES 65536u

#define NONE INT32_MIN
#define NOWHERE UINT32_MAX

/* What is known of a place as a boundary between frames. */
struct place {
	int32_t run;     /* evidence of the good frames in a row up to it */
	int32_t ahead;   /* ... and from it on */
	int32_t before;  /* evidence of the best chain up to it; or NONE */
	int32_t behind;  /* ... and from it on */
	int32_t covered; /* bytes, by the best way to it; or NONE */
	uint32_t first;  /* first good frame on that way; or NOWHERE */
	bool inside;     /* of a frame that is proved by those in its row */
};

/* A part of the log that is searched. */
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

/* Goes from a way to a place further on, if that is the best way there. */
static void go(struct place *to, int32_t covered, uint32_t first)
{
	if (covered <= to->covered)
		return;
	to->covered = covered;
	to->first = first;
}

static void cross(struct span *span, uint32_t from, uint32_t to)
{
	const struct place *place = &span->places[from];

	if (place->covered != NONE && is_proved_bridge(span, from, to))
		go(&span->places[to],
		   place->covered + (int32_t)(to - from) - BRIDGE_COST,
		   place->first);
}

/* The first good frame on the way that covers most; NOWHERE if there is
 * none. */
static uint32_t find_way(struct span *span)
{
	struct place *places = span->places;
	struct place best = {.covered = 0, .first = NOWHERE};

	if (span->begins_at_boundary)
		go(&places[0], 0, NOWHERE);
	for (uint32_t at = 0; at <= span->length; at++) {
		uint32_t start = bridge_start(span, at);
		uint32_t end = bridge_end(span, at);
		struct place *here = &places[at];

		if (start != NOWHERE)
			cross(span, start, at);
		if (here->covered > best.covered)
			best = *here;
		if (is_proved(span, at)) {
			uint32_t total = span->good[at];

			go(here, best.covered - BEGINNING_COST, best.first);
			go(&places[at + total], here->covered + (int32_t)total,
			   here->first == NOWHERE ? at : here->first);
		}
		if (end != NOWHERE)
			cross(span, at, end);
	}
	return best.first;
}

static uint32_t search(struct span *span)
{
	span->choice = log2_of(span->length) + 1;
	for (uint32_t at = 0; at <= span->length; at++)
		span->places[at] = (struct place){.before = NONE,
		                                  .behind = NONE,
		                                  .covered = NONE,
		                                  .first = NOWHERE};
	find_frames(span);
	/* Frames by themselves are noise's, where nothing else is known. */
	if (!find_runs(span) && !span->begins_at_boundary &&
	    !span->ends_at_boundary)
		return NOWHERE;
	look_before(span);
	look_behind(span);
	return find_way(span);
}

/* ---------------------------------------------------------------- the log */

static int pulse(const struct shmlog_resync *resync)
{
	const struct shmlog_verify_visitor *visitor = resync->visitor;

	return visitor != NULL && visitor->pulse != NULL
	               ? visitor->pulse(visitor->context)
	               : 0;
}

/* The span of `length` bytes from a cursor on. */
static int load_span(struct shmlog_resync *resync, uint64_t cursor,
                     uint32_t length, struct span *span_out)
{
	*span_out = (struct span){
		.bytes = resync->bytes,
		.length = length,
		.good = resync->good,
		.count = resync->count,
		.frames = resync->frames,
		.weight = resync->weight,
		.places = resync->places,
	};
	return shmlog_read_at(resync->fd, resync->data_offset + cursor,
	                      resync->bytes, length);
}

/* How much of the log up to `end` is searched together. */
static uint32_t span_length(uint64_t from, uint64_t end)
{
	return end - from < SPAN_BYTES ? (uint32_t)(end - from) : SPAN_BYTES;
}

/* Walks backwards from the end as far as frames go, not below `damage`. */
static int walk_back(struct shmlog_resync *resync, uint64_t damage)
{
	struct shmlog_window window;
	uint64_t frames = 0;
	int status = shmlog_window_init(&window, resync->fd,
	                                resync->data_offset,
	                                SHMLOG_DEFAULT_MAX_BYTES);

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
		if (++frames % PULSE_FRAMES == 0)
			status = pulse(resync);
	}
	shmlog_window_release(&window);
	return status;
}

/* Whether the last frames have evidence enough to be relied on. */
static bool is_end_proved(const struct span *span, uint32_t anchor)
{
	uint32_t at = span->length;
	int32_t bits = 0;

	while (at > anchor && bits < ANCHOR_BITS) {
		uint32_t total = shmlog_load_word(span->bytes + at - 2);

		if (total > at - anchor || span->good[at - total] != total)
			break; /* changed meanwhile, or out of the span */
		bits += span->weight[total];
		at -= total;
	}
	return bits >= ANCHOR_BITS;
}

static int find_anchor(struct shmlog_resync *resync, uint64_t damage)
{
	struct span span;

	resync->anchor = resync->committed;
	int status = walk_back(resync, damage);

	if (status != 0 || resync->anchor == resync->committed)
		return status;

	uint32_t length = span_length(damage, resync->committed);
	uint64_t from = resync->committed - length;

	status = load_span(resync, from, length, &span);
	if (status != 0)
		return status;
	find_frames(&span);
	if (!is_end_proved(&span, resync->anchor > from
	                                  ? (uint32_t)(resync->anchor - from)
	                                  : 0))
		resync->anchor = resync->committed;
	return 0;
}

int shmlog_resync_init(struct shmlog_resync *resync, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage,
                       const struct shmlog_verify_visitor *visitor)
{
	size_t length = span_length(damage, committed);

	*resync = (struct shmlog_resync){
		.fd = fd,
		.data_offset = data_offset,
		.committed = committed,
		.budget = BUDGET_BYTES + committed * BUDGET_PER_BYTE,
		.visitor = visitor,
		.bytes = malloc(length + 1),
		.good = malloc((length + 1) * sizeof(*resync->good)),
		.count = calloc(WORDS, sizeof(*resync->count)),
		.frames = calloc(WORDS, sizeof(*resync->frames)),
		.weight = malloc(WORDS * sizeof(*resync->weight)),
		.places = malloc((length + 1) * sizeof(*resync->places)),
	};
	if (resync->bytes == NULL || resync->good == NULL ||
	    resync->count == NULL || resync->frames == NULL ||
	    resync->weight == NULL || resync->places == NULL)
		return -ENOMEM;
	return find_anchor(resync, damage);
}

void shmlog_resync_release(struct shmlog_resync *resync)
{
	free(resync->bytes);
	free(resync->good);
	free(resync->count);
	free(resync->frames);
	free(resync->weight);
	free(resync->places);
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

static bool is_zero(const unsigned char *bytes, size_t length)
{
	return length == 0 ||
	       (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Whether two good frames, or one up to the end, follow on a place. */
static bool goes_on(const struct span *span, uint32_t at)
{
	for (unsigned frames = 0; frames < 2 && at != span->length; frames++) {
		uint32_t total = shmlog_format_frame(span->bytes + at,
		                                     span->length - at);

		if (total == 0)
			return false;
		at += total;
	}
	return true;
}

/*
 * Whether what is found at `near` may be payload: of a frame with one good word
 * that leads from the beginning of the span to somewhere beyond it, or of a
 * good one that starts before it.
 */
static bool may_be_payload(const struct span *span, uint32_t near)
{
	const unsigned char *bytes = span->bytes;
	uint32_t most = span->length < SHMLOG_FRAME_MAX_BYTES
	                        ? span->length
	                        : SHMLOG_FRAME_MAX_BYTES;

	for (uint32_t at = 0; at < near; at++) {
		uint32_t total = shmlog_load_word(bytes + at);
		bool leads = total > near - at && total <= span->length - at &&
		             goes_on(span, at + total);

		if (leads && (at == 0 || shmlog_load_word(bytes + at + total -
		                                          2) == total))
			return true;
	}
	for (uint32_t at = near + 1; at <= most; at++) {
		if (at >= SHMLOG_FRAME_OVERHEAD_BYTES &&
		    shmlog_load_word(bytes + at - 2) == at && goes_on(span, at))
			return true;
	}
	return false;
}

/* The search in the first part of a span alone, which is all that most damage
 * takes; NOWHERE if it takes more. */
static uint32_t search_near(const struct span *span)
{
	struct span part = *span;

	part.length = NEAR_BYTES;
	part.ends_at_boundary = false;
	uint32_t first = search(&part);

	return first < NEAR_BYTES / 2 && !may_be_payload(span, first) ? first
	                                                              : NOWHERE;
}

/* Searches the span of `length` bytes at a cursor. */
static int search_at(struct shmlog_resync *resync, uint64_t cursor,
                     uint32_t length, bool is_damage, uint32_t *first_out)
{
	struct span span;
	int status = load_span(resync, cursor, length, &span);

	*first_out = NOWHERE;
	if (status != 0 || is_zero(span.bytes, length))
		return status;
	span.begins_at_boundary = is_damage;
	span.ends_at_boundary = cursor + length == resync->anchor &&
	                        resync->anchor < resync->committed;
	if (is_damage && length > NEAR_BYTES)
		*first_out = search_near(&span);
	if (*first_out != NOWHERE)
		return 0;
	if (!spend(resync, length))
		return 0;
	*first_out = search(&span);
	return 0;
}

/*
 * Searches span by span for the first good frame.  Each overlaps the one before
 * by half, and what begins in its second half is left to the next one, which
 * sees how it goes on.
 */
static int find_first(struct shmlog_resync *resync, uint64_t damage,
                      uint64_t *cursor_out)
{
	uint64_t from = damage;

	*cursor_out = resync->anchor;
	while (from < resync->anchor && spend(resync, NEAR_BYTES)) {
		uint32_t length = span_length(from, resync->anchor);
		bool is_last = length == resync->anchor - from;
		uint32_t first;
		int status = pulse(resync);

		if (status == 0)
			status = search_at(resync, from, length, from == damage,
			                   &first);
		if (status != 0)
			return status;
		if (first != NOWHERE && (is_last || first < SPAN_BYTES / 2)) {
			*cursor_out = from + first;
			return 0;
		}
		if (is_last)
			return 0;
		from += SPAN_BYTES / 2;
	}
	return 0;
}

int shmlog_resync_find(struct shmlog_resync *resync,
                       const struct shmlog_fault *fault, uint64_t *cursor_out)
{
	uint64_t wrapped_end = fault->cursor + fault->wrapped_payload_bytes +
	                       SHMLOG_FRAME_OVERHEAD_BYTES;

	if (fault->cursor >= resync->anchor) {
		/* The log is being changed under the walk. */
		*cursor_out = resync->committed;
		return 0;
	}
	if (fault->wrapped_payload_bytes != 0 &&
	    wrapped_end <= resync->anchor) {
		*cursor_out = wrapped_end;
		return 0;
	}
	return find_first(resync, fault->cursor, cursor_out);
}

uint64_t shmlog_resync_bound(const struct shmlog_resync *resync,
                             uint64_t cursor)
{
	return cursor < resync->anchor ? resync->anchor : resync->committed;
}
