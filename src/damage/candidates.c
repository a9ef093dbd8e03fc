/*
 * Finding and weighing what could be a frame.
 *
 * A frame shows by two equal words a distance apart that they name themselves.
 * The evidence of one is the logarithm of a ratio: how likely the log has a
 * frame of this size, against how likely both words stand there by chance.
 * In noise the chance of a word is 2^-16; where payloads often hold the word,
 * it is as often as that.
 *
 * Payloads may be made of frames.  A frame explains whatever lies wholly in
 * its payload, so that evidence counts for it, less the bits that it takes to
 * believe that payloads of this log hold frames.
 */
#include "candidates.h"

#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So few bytes say little of what is seldom: as if as many of noise were with
 * them. */
#define NOISE_BYTES 256u
#define RAREST_BITS (16 * SHMLOG_BIT)
/* A run in a payload needs so much evidence to be in need of explanation. */
#define STRONG_BITS (30 * SHMLOG_BIT)
/* What it takes to believe that a payload holds frames: the first time, and
 * where other payloads of the log do. */
#define FIRST_HOST_BITS (40 * SHMLOG_BIT)
#define FRONT_BITS (4 * SHMLOG_BIT) /* ... if it begins with them */
#define FURTHER_RUN_BITS (60 * SHMLOG_BIT)
#define HOST_BITS (8 * SHMLOG_BIT)
/* Frames with others in their payload that must have been seen for that. */
#define HOSTS 3u
/* How many frames of a run in a payload are learned. */
#define LEARNED_FRAMES 64u
/* Where in the header of a log its data's offset stands. */
#define DATA_OFFSET_PLACE 8u
/* Steps through the candidates in one frame, so that a hostile log does not
 * take quadratic time. */
#define MOST_STEPS 4096u
/* More evidence than that is not counted, lest frames in frames in frames
 * overflow. */
#define MOST_EVIDENCE (1 << 28)
/* Each byte of it is the same, for memset(). */
#define NOT_WEIGHED ((int16_t)-1)

int shmlog_candidates_init(struct shmlog_candidates *candidates,
                           struct shmlog_sizes *outer, uint32_t most_bytes)
{
	size_t places = (size_t)most_bytes + 1;

	*candidates = (struct shmlog_candidates){
		.good = malloc(places * sizeof(*candidates->good)),
		.index = malloc(places * sizeof(*candidates->index)),
		.room = most_bytes / 2 + 1,
		.words = malloc(SHMLOG_SIZES_WORDS *
	                        sizeof(*candidates->words)),
		.frames = malloc(SHMLOG_SIZES_WORDS *
	                         sizeof(*candidates->frames)),
		.weights = malloc(SHMLOG_SIZES_WORDS *
	                          sizeof(*candidates->weights)),
		.outer = outer,
	};
	candidates->list = malloc(candidates->room * sizeof(*candidates->list));
	int inner = shmlog_sizes_init(&candidates->inner);

	return candidates->good != NULL && candidates->index != NULL &&
	                       candidates->words != NULL &&
	                       candidates->frames != NULL &&
	                       candidates->weights != NULL &&
	                       candidates->list != NULL
	               ? inner
	               : -ENOMEM;
}

void shmlog_candidates_release(struct shmlog_candidates *candidates)
{
	free(candidates->good);
	free(candidates->index);
	free(candidates->words);
	free(candidates->frames);
	free(candidates->weights);
	free(candidates->list);
	shmlog_sizes_release(&candidates->inner);
}

/* ----------------------------------------------------------------- weighing */

static int32_t find_rarity(const struct shmlog_candidates *candidates,
                           uint32_t word)
{
	uint32_t length = candidates->length;
	uint32_t found = candidates->frames[word];
	/* No more than fit can be frames of the log. */
	uint32_t fitting = length / (word > 0 ? word : 1) + 1;
	uint32_t likely = found < fitting ? found : fitting;
	uint32_t others = candidates->words[word] > 3 * likely
	                          ? candidates->words[word] - 3 * likely
	                          : 0;
	int32_t bits = RAREST_BITS;

	if (others > 0)
		bits = shmlog_log2((length + NOISE_BYTES) / others);
	if (bits > RAREST_BITS)
		bits = RAREST_BITS;
	/* Of those that overlap one another, most are none. */
	if (found > fitting)
		bits -= shmlog_log2(found / fitting);
	return bits > 0 ? bits : 0;
}

/* Weighs a word once and for all; by what, then stands for itself. */
static const struct shmlog_weight *
weigh(const struct shmlog_candidates *candidates, uint32_t word)
{
	struct shmlog_weight *weight = &candidates->weights[word];

	if (weight->rarity == NOT_WEIGHED) {
		weight->rarity = (int16_t)find_rarity(candidates, word);
		weight->cost = (int16_t)shmlog_sizes_cost(candidates->outer,
		                                          word);
	}
	return weight;
}

int32_t shmlog_candidates_rarity(const struct shmlog_candidates *candidates,
                                 uint32_t word)
{
	return weigh(candidates, word)->rarity;
}

int32_t shmlog_candidates_word(const struct shmlog_candidates *candidates,
                               uint32_t size)
{
	const struct shmlog_weight *weight = weigh(candidates, size);

	return weight->rarity - weight->cost;
}

int32_t shmlog_candidates_weight(const struct shmlog_candidates *candidates,
                                 uint32_t size)
{
	const struct shmlog_weight *weight = weigh(candidates, size);

	return 2 * weight->rarity - weight->cost;
}

/* --------------------------------------------------------- frames in frames */

/* The number of the first candidate that starts at a place or later. */
static uint32_t first_from(const struct shmlog_candidates *candidates,
                           uint32_t at, uint32_t low)
{
	uint32_t high = candidates->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (candidates->list[middle].start < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The next strong run that lies wholly in a payload, from number *number_out
 * on; false if there is no more.  One that comes from outside does not. */
static bool next_inside(const struct shmlog_candidates *candidates,
                        uint32_t *number_inout, uint32_t payload_end)
{
	uint32_t number = *number_inout;

	for (uint32_t steps = 0;
	     number < candidates->count && steps < MOST_STEPS; steps++) {
		const struct shmlog_candidate *one = &candidates->list[number];

		if (one->start >= payload_end)
			return false;
		*number_inout = number;
		if (one->top <= payload_end && one->sum >= STRONG_BITS) {
			if (!one->follows)
				return true;
			number = first_from(candidates, one->top, number + 1);
			continue;
		}
		number++;
	}
	return false;
}

static int32_t add(int32_t a, int32_t b)
{
	return a < MOST_EVIDENCE - b ? a + b : MOST_EVIDENCE;
}

struct inside {
	int32_t sum;    /* evidence of the runs in a payload, as frames of the
	                 * log */
	int32_t hosted; /* ... as frames in a payload */
	int32_t runs;
	bool at_front; /* the first begins with the payload */
};

static bool is_zero(const unsigned char *bytes, size_t length)
{
	while (length > 0 && bytes[length - 1] == 0)
		length--;
	return length == 0;
}

/* Whether a payload begins with the frames at a place, be it with the header of
 * a log before them. */
static bool is_at_front(const struct shmlog_candidates *candidates,
                        uint32_t payload, uint32_t at)
{
	const unsigned char *header = candidates->bytes + payload;

	if (at < payload + SHMLOG_HEADER_BYTES)
		return at == payload;
	return shmlog_load_word(header + DATA_OFFSET_PLACE) == at - payload &&
	       is_zero(header + DATA_OFFSET_PLACE + 2, 6);
}

static struct inside look_inside(const struct shmlog_candidates *candidates,
                                 uint32_t from, uint32_t to, uint32_t number)
{
	struct inside inside = {0};

	while (next_inside(candidates, &number, to - 2)) {
		const struct shmlog_candidate *one = &candidates->list[number];

		inside.at_front |= inside.runs == 0 &&
		                   is_at_front(candidates, from + 2,
		                               one->start);
		inside.runs++;
		inside.sum = add(inside.sum, one->sum);
		inside.hosted = add(inside.hosted, one->hosted);
		number = first_from(candidates, one->top, number + 1);
	}
	return inside;
}

bool shmlog_candidates_host(const struct shmlog_candidates *candidates)
{
	return candidates->hosts >= HOSTS;
}

/* What is explained by a frame of a size whose payload that is.  One of a size
 * that the log does not have is not taken for one of those that hold frames. */
static int32_t explained(const struct shmlog_candidates *candidates,
                         const struct inside *inside, uint32_t size)
{
	if (inside->runs == 0)
		return 0;
	int32_t bits = inside->sum -
	               (inside->at_front ? FRONT_BITS : FIRST_HOST_BITS) -
	               shmlog_log2((uint64_t)candidates->outer->total + 1) -
	               (inside->runs - 1) * FURTHER_RUN_BITS;
	int32_t hosted = inside->hosted - inside->runs * HOST_BITS;

	if (shmlog_candidates_host(candidates) && hosted > bits &&
	    (inside->at_front || (size <= SHMLOG_FRAME_MAX_BYTES &&
	                          shmlog_sizes_has(candidates->outer, size))))
		bits = hosted;
	return bits > 0 ? bits : 0;
}

int32_t shmlog_candidates_explained(const struct shmlog_candidates *candidates,
                                    uint32_t from, uint32_t to, uint32_t size)
{
	struct inside inside = look_inside(candidates, from, to,
	                                   first_from(candidates, from + 2, 0));

	/* A bad word may name any size; one that the log has, if it is known
	 * which, it hardly names. */
	if (size <= SHMLOG_FRAME_MAX_BYTES && size != candidates->length &&
	    !shmlog_sizes_has(candidates->outer, size) &&
	    (!inside.at_front || candidates->outer->known >= SHMLOG_SIZES_MANY))
		return 0;
	return explained(candidates, &inside, size);
}

int32_t shmlog_candidates_hosted(const struct shmlog_candidates *candidates,
                                 uint32_t from, uint32_t to)
{
	if (!shmlog_candidates_host(candidates))
		return 0;

	struct inside inside = look_inside(candidates, from, to,
	                                   first_from(candidates, from + 2, 0));
	int32_t bits = inside.hosted -
	               (inside.runs - (inside.at_front ? 1 : 0)) * HOST_BITS;

	return bits > 0 ? bits : 0;
}

/* ------------------------------------------------------------------ finding */

/* Counts all words and all that look like a frame. */
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

/* Lists those with evidence of their own. */
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

/* The run that a candidate begins: its value, and where it leads. */
static void link_up(struct shmlog_candidates *candidates,
                    struct shmlog_candidate *one)
{
	uint32_t end = one->start + one->total;
	int32_t hosted = one->value + weigh(candidates, one->total)->cost -
	                 shmlog_sizes_cost(&candidates->inner, one->total);

	one->next = candidates->good[end] != 0 ? candidates->index[end]
	                                       : SHMLOG_NOWHERE;
	one->top = end;
	one->sum = one->value;
	one->hosted = hosted > 0 ? hosted : 0;
	if (one->next == SHMLOG_NOWHERE || one->value == 0)
		return;

	struct shmlog_candidate *next = &candidates->list[one->next];

	next->follows = true;
	one->top = next->top;
	one->sum = add(one->sum, next->sum);
	one->hosted = add(one->hosted, next->hosted);
}

static void link_all(struct shmlog_candidates *candidates)
{
	for (uint32_t i = candidates->count; i-- > 0;) {
		candidates->list[i].follows = false;
		link_up(candidates, &candidates->list[i]);
	}
}

/* The candidate of a size at a place that has one before it and one behind;
 * NULL if there is none. */
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
 * Whether what looks like a frame is the last word of one frame in a row and
 * a word elsewhere, or the first word of one; or the two words around one, of
 * four bytes less, where those before it and behind it have the same size.
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

/* Drops those; true if there was any. */
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

/* Whether a strong run leads out of the middle of a frame: then one of them is
 * none. */
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

/* Bytes that strong runs take in the payload of a candidate. */
static uint32_t bytes_inside(const struct shmlog_candidates *candidates,
                             uint32_t number)
{
	const struct shmlog_candidate *one = &candidates->list[number];
	uint32_t payload_end = one->start + one->total - 2;
	uint32_t inside = first_from(candidates, one->start + 2, number + 1);
	uint32_t bytes = 0;

	while (next_inside(candidates, &inside, payload_end)) {
		const struct shmlog_candidate *head = &candidates->list[inside];

		bytes += head->top - head->start;
		inside = first_from(candidates, head->top, inside + 1);
	}
	return bytes;
}

/* Learns the sizes of frames in the payload of one between two others, if most
 * of it consists of them: some may be there by a damage that copied them. */
static void learn_inside(struct shmlog_candidates *candidates, uint32_t number)
{
	const struct shmlog_candidate *one = &candidates->list[number];
	uint32_t payload_end = one->start + one->total - 2;
	uint32_t inside = first_from(candidates, one->start + 2, number + 1);

	if (one->next == SHMLOG_NOWHERE || !one->follows ||
	    2 * bytes_inside(candidates, number) < one->total ||
	    is_crossed(candidates, number))
		return;
	candidates->hosts++;
	while (next_inside(candidates, &inside, payload_end)) {
		uint32_t frame = inside;

		for (uint32_t i = 0;
		     i < LEARNED_FRAMES && frame != SHMLOG_NOWHERE; i++) {
			shmlog_sizes_learn(&candidates->inner,
			                   candidates->list[frame].total);
			frame = candidates->list[frame].next;
		}
		inside = first_from(candidates, candidates->list[inside].top,
		                    inside + 1);
	}
}

void shmlog_candidates_guess(struct shmlog_candidates *candidates)
{
	for (uint32_t head = 0;
	     next_inside(candidates, &head, candidates->length);
	     head = first_from(candidates, candidates->list[head].top,
	                       head + 1)) {
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
		learn_inside(candidates, i);
	/* Again, as each now explains what lies in its payload. */
	for (uint32_t i = candidates->count; i-- > 0;) {
		struct shmlog_candidate *one = &candidates->list[i];
		struct inside inside = look_inside(
			candidates, one->start, one->start + one->total, i + 1);

		if (one->value == 0)
			continue;
		one->value = add(one->value,
		                 explained(candidates, &inside, one->total));
		link_up(candidates, one);
	}
}
