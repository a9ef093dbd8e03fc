/* Looks for literals in the payloads of many frames at once. */
#include "literals.h"

#include "words.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bytes of text, JSON and English, the most frequent first; any other byte is
 * rarer than these. */
static const char frequent[] = " \"etaoinsrhl:,dcumf0123p.gw-_yb4567v8k9{}/"
			       "ES[]TAxILCONRjzqDUMPFGHBWYVK";

static size_t rarity(unsigned char byte)
{
	const char *found = memchr(frequent, byte, sizeof(frequent) - 1);

	return found != NULL ? (size_t)(found - frequent) : sizeof(frequent);
}

/* How rare what stands at a place is: a gap is never, a letter of either case
 * as often as the case that is the more frequent. */
static size_t rarity_at(const struct cli_literal *literal, size_t i)
{
	size_t upper, lower;

	if (literal->masks[i] == CLI_MASK_ANY)
		return 0;
	if (literal->masks[i] == CLI_MASK_EXACT)
		return 1 + rarity(literal->bytes[i]);
	upper = rarity(literal->bytes[i]);
	lower = rarity(literal->bytes[i] | (unsigned char)~CLI_MASK_LETTER);
	return 1 + (lower < upper ? lower : upper);
}

/* The rarest place but for one; that one where no other is known. */
static size_t rarest_place(const struct cli_literal *literal, size_t except)
{
	size_t best = except;
	size_t best_rarity = 0;

	for (size_t i = 0; i < literal->size_bytes; i++) {
		size_t found = i == except ? 0 : rarity_at(literal, i);

		if (found > best_rarity) {
			best = i;
			best_rarity = found;
		}
	}
	return best;
}

/* Counts what is known, and chooses the two bytes that are looked for
 * together. */
static void prepare(struct cli_literal *literal)
{
	literal->known_bytes = 0;
	literal->exact = true;
	for (size_t i = 0; i < literal->size_bytes; i++) {
		literal->bytes[i] &= literal->masks[i];
		literal->known_bytes += literal->masks[i] != CLI_MASK_ANY;
		literal->exact &= literal->masks[i] == CLI_MASK_EXACT;
	}
	literal->first = rarest_place(literal, literal->size_bytes);
	literal->second = rarest_place(literal, literal->first);
}

bool cli_literals_add_masked(struct cli_literals *literals, const void *bytes,
                             const unsigned char *masks, size_t size_bytes)
{
	struct cli_literal *literal = &literals->items[literals->count];

	if (literals->count == CLI_LITERALS_MAX || size_bytes == 0)
		return false;
	/* The first bytes of a long one will do. */
	if (size_bytes > CLI_LITERAL_MAX_BYTES)
		size_bytes = CLI_LITERAL_MAX_BYTES;
	memcpy(literal->bytes, bytes, size_bytes);
	memcpy(literal->masks, masks, size_bytes);
	literal->size_bytes = size_bytes;
	literal->decides = false;
	prepare(literal);
	literals->count++;
	return true;
}

bool cli_literals_add(struct cli_literals *literals, const void *bytes,
                      size_t size_bytes)
{
	unsigned char masks[CLI_LITERAL_MAX_BYTES];

	memset(masks, CLI_MASK_EXACT, sizeof(masks));
	return cli_literals_add_masked(literals, bytes, masks, size_bytes);
}

size_t cli_literals_weight(const struct cli_literals *literals)
{
	size_t weight = literals->count == 0 ? 0 : CLI_LITERAL_MAX_BYTES;

	for (size_t i = 0; i < literals->count; i++) {
		if (literals->items[i].known_bytes < weight)
			weight = literals->items[i].known_bytes;
	}
	return weight;
}

/* ----------------------------------------------------------------- search */

#ifdef __SSE2__
#define BLOCK_BYTES 32u

struct pair {
	__m128i first;
	__m128i second;
	__m128i first_mask;
	__m128i second_mask;
};

static struct pair pair_of(const struct cli_literal *literal)
{
	return (struct pair){
		_mm_set1_epi8((char)literal->bytes[literal->first]),
		_mm_set1_epi8((char)literal->bytes[literal->second]),
		_mm_set1_epi8((char)literal->masks[literal->first]),
		_mm_set1_epi8((char)literal->masks[literal->second])};
}

/* A byte of ones for each of 16 places where both bytes may stand. */
static inline __m128i compare_16(const struct pair *pair,
                                 const struct cli_literal *literal,
                                 const unsigned char *at)
{
	__m128i one = _mm_loadu_si128(
		(const __m128i *)(const void *)(at + literal->first));
	__m128i two = _mm_loadu_si128(
		(const __m128i *)(const void *)(at + literal->second));

	one = _mm_and_si128(one, pair->first_mask);
	two = _mm_and_si128(two, pair->second_mask);
	return _mm_and_si128(_mm_cmpeq_epi8(one, pair->first),
	                     _mm_cmpeq_epi8(two, pair->second));
}

/* A bit for each of the block's places where both bytes stand. */
static inline uint64_t hits_of(const struct pair *pair,
                               const struct cli_literal *literal,
                               const unsigned char *at)
{
	__m128i low = compare_16(pair, literal, at);
	__m128i high = compare_16(pair, literal, at + 16);

	/* Most blocks have none: one look at both halves. */
	if (_mm_movemask_epi8(_mm_or_si128(low, high)) == 0)
		return 0;
	return (uint64_t)(unsigned)_mm_movemask_epi8(low) |
	       (uint64_t)(unsigned)_mm_movemask_epi8(high) << 16;
}

static inline unsigned place_of(uint64_t hits)
{
	return (unsigned)__builtin_ctzll(hits);
}
#else
#define BLOCK_BYTES CLI_WORD_BYTES

struct pair {
	unsigned char first;
	unsigned char second;
	uint64_t first_mask;
	uint64_t second_mask;
};

static struct pair pair_of(const struct cli_literal *literal)
{
	return (struct pair){literal->bytes[literal->first],
	                     literal->bytes[literal->second],
	                     CLI_WORD_ONES * literal->masks[literal->first],
	                     CLI_WORD_ONES * literal->masks[literal->second]};
}

/* The same with a top bit for each place; above the lowest hit there may be
 * places where they do not stand, which the comparison finds out. */
static inline uint64_t hits_of(const struct pair *pair,
                               const struct cli_literal *literal,
                               const unsigned char *at)
{
	return cli_word_equal(cli_word_load(at + literal->first) &
	                              pair->first_mask,
	                      pair->first) &
	       cli_word_equal(cli_word_load(at + literal->second) &
	                              pair->second_mask,
	                      pair->second);
}

static inline unsigned place_of(uint64_t hits)
{
	return cli_word_first(hits);
}
#endif

static inline bool is_at(const struct cli_literal *literal,
                         const unsigned char *at)
{
	if (literal->exact)
		return memcmp(at, literal->bytes, literal->size_bytes) == 0;
	for (size_t i = 0; i < literal->size_bytes; i++) {
		if ((at[i] & literal->masks[i]) != literal->bytes[i])
			return false;
	}
	return true;
}

static const unsigned char *find_plainly(const struct cli_literal *literal,
                                         const unsigned char *from,
                                         const unsigned char *end)
{
	if (literal->exact)
		return memmem(from, (size_t)(end - from), literal->bytes,
		              literal->size_bytes);
	for (; (size_t)(end - from) >= literal->size_bytes; from++) {
		if (is_at(literal, from))
			return from;
	}
	return NULL;
}

const unsigned char *cli_literal_find(const struct cli_literal *literal,
                                      const unsigned char *from,
                                      const unsigned char *end)
{
	struct pair pair = pair_of(literal);

	/* A block has room as long as the literal would have it at the last
	 * of the block's places. */
	while ((size_t)(end - from) >= literal->size_bytes + BLOCK_BYTES) {
		uint64_t hits = hits_of(&pair, literal, from);

		for (; hits != 0; hits &= hits - 1) {
			const unsigned char *at = from + place_of(hits);

			if (is_at(literal, at))
				return at;
		}
		from += BLOCK_BYTES;
	}
	return find_plainly(literal, from, end);
}

/* ----------------------------------------------------------- many frames */

static const unsigned char *end_of(const struct shmlog_frame *frame)
{
	return frame->payload + frame->size_bytes;
}

/* How many of the frames lie behind one another, size words between. */
static size_t run_length(const struct shmlog_frame *frames, size_t count)
{
	size_t length = 1;

	while (length < count &&
	       frames[length].payload == end_of(&frames[length - 1]) +
	                                         SHMLOG_FRAME_OVERHEAD_BYTES)
		length++;
	return length;
}

/* Marks the frames of a run that hold a literal.  A hit that reaches into size
 * words is none. */
static void mark_run(const struct cli_literal *literal,
                     const struct shmlog_frame *frames, size_t count,
                     enum cli_held *held)
{
	const unsigned char *at = frames[0].payload;
	const unsigned char *end = end_of(&frames[count - 1]);
	size_t i = 0;

	while (at < end) {
		at = cli_literal_find(literal, at, end);
		if (at == NULL)
			return;
		while (at >= end_of(&frames[i]))
			i++;
		if (at < frames[i].payload ||
		    at + literal->size_bytes > end_of(&frames[i])) {
			at++;
			continue;
		}
		if (literal->decides)
			held[i] = CLI_HELD_DECIDING;
		else if (held[i] == CLI_HELD_NONE)
			held[i] = CLI_HELD_SOME;
		if (++i == count)
			return;
		at = frames[i].payload;
	}
}

void cli_literals_mark(const struct cli_literals *literals,
                       const struct shmlog_frame *frames, size_t count,
                       enum cli_held *held_out)
{
	for (size_t i = 0; i < count; i++)
		held_out[i] = CLI_HELD_NONE;
	for (size_t done = 0; done < count;) {
		size_t run = run_length(frames + done, count - done);

		for (size_t i = 0; i < literals->count; i++)
			mark_run(&literals->items[i], frames + done, run,
			         held_out + done);
		done += run;
	}
}
