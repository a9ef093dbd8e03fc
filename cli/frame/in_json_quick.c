/*
 * Checks lines of JSON, 64 bytes at a time, wherever lines end in
 * them.  A block of text becomes masks with one bit for each byte, the first
 * byte lowest.  The grammar is then a rule for each kind of token, about the
 * tokens that may follow, which one operation checks for all tokens of its kind
 * in the block.
 *
 * Brackets are told by a walk over them, numbers and words one by one.  A line
 * that is not this easy is left to the check that says what is wrong with it.
 */
#include "in_json_quick.h"

#include "utf8.h"
#include "wide.h"

#include <shmlog.h>
#include <string.h>

#ifdef CLI_JSON_WIDE
#include <immintrin.h>

#define WIDE __attribute__((target("avx2,bmi,bmi2,pclmul")))
#define INLINE WIDE static inline __attribute__((always_inline))

#define BLOCK_BYTES 64u
/* A block is looked at with what is behind it: a scalar or an escape that
 * begins in it. */
#define LOADED_BYTES (2 * BLOCK_BYTES)
/* Numbers are found in so many bytes. */
#define SCALAR_BYTES 32u
/* With a one before them, these are a positive number. */
#define MOST_LEVELS 62u

/* A block as it is, or what is found in each byte of it. */
struct block {
	__m256i low, high;
};

/* What a block has, outside of strings but for the quotes. */
struct marks {
	uint64_t opens, closes; /* brackets */
	uint64_t colons, commas, blanks, ends;
	uint64_t begins, quotes; /* the first and last quotes of strings */
	uint64_t inside;         /* strings, with their first quotes */
	uint64_t scalars;        /* all other bytes */
};

/* What seldom is in a block, and then goes on in the next one. */
struct odd {
	uint64_t escaped; /* one: its first byte is */
	unsigned taken;   /* its first bytes, of a character */
	uint64_t wrong;   /* bytes that break a rule */
};

/* What goes on from one block to the next: tokens of the last block, by what
 * may follow them; the last one of its bytes counts. */
struct scan {
	const unsigned char *at;
	const unsigned char *line; /* where the line begins */
	uint64_t inside;           /* all bits: the block begins in a string */
	uint64_t is_name;          /* one: ... that names a member */
	uint64_t names_follow, values_follow, colon_follows, end_follows;
	uint64_t no_close_follows, more_follows;
	uint64_t scalars, ends;
	/* A one, and one bit for each open container, the innermost lowest; set
	 * for an object. */
	uint64_t objects;
	struct odd odd;
};

/* ------------------------------------------------------------------- masks */

INLINE struct block load(const unsigned char *bytes)
{
	return (struct block){
		_mm256_loadu_si256((const __m256i *)(const void *)bytes),
		_mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32)),
	};
}

INLINE uint64_t tops_of(struct block block)
{
	return (uint32_t)_mm256_movemask_epi8(block.low) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(block.high) << 32;
}

INLINE uint64_t equal(struct block block, char byte)
{
	const __m256i wanted = _mm256_set1_epi8(byte);

	return tops_of((struct block){
		_mm256_cmpeq_epi8(block.low, wanted),
		_mm256_cmpeq_epi8(block.high, wanted),
	});
}

/* [ and ] become { and }. */
INLINE struct block fold(struct block block)
{
	const __m256i bit = _mm256_set1_epi8(0x20);

	return (struct block){_mm256_or_si256(block.low, bit),
	                      _mm256_or_si256(block.high, bit)};
}

INLINE uint64_t controls_of(struct block block)
{
	const __m256i last = _mm256_set1_epi8(0x1f);

	return tops_of((struct block){
		_mm256_cmpeq_epi8(_mm256_min_epu8(block.low, last), block.low),
		_mm256_cmpeq_epi8(_mm256_min_epu8(block.high, last),
	                          block.high),
	});
}

/* From each odd quote to before the next one. */
INLINE uint64_t fill(uint64_t quotes)
{
	__m128i all = _mm_set1_epi8((char)0xff);

	return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(
		_mm_set_epi64x(0, (long long)quotes), all, 0));
}

/* ----------------------------------------------------------------- strings */

WIDE static bool is_hex(unsigned char byte)
{
	return (unsigned char)(byte - '0') < 10 ||
	       (unsigned char)((byte | 0x20) - 'a') < 6;
}

WIDE static bool is_escape(const unsigned char *letter)
{
	static const bool is_letter[256] = {
		['"'] = true, ['\\'] = true, ['/'] = true,
		['b'] = true, ['f'] = true,  ['n'] = true,
		['r'] = true, ['t'] = true,  ['u'] = true};

	if (!is_letter[*letter])
		return false;
	return *letter != 'u' || (is_hex(letter[1]) && is_hex(letter[2]) &&
	                          is_hex(letter[3]) && is_hex(letter[4]));
}

/* Finds the bytes that backslashes escape, one after the other; a backslash
 * outside of a string is wrong anyway. */
INLINE uint64_t find_escaped(struct odd *odd, const unsigned char *at,
                             uint64_t slashes)
{
	uint64_t escaped = odd->escaped;

	slashes &= ~escaped;
	odd->escaped = 0;
	while (slashes != 0) {
		uint64_t slash = slashes & -slashes;

		if (!is_escape(at + _tzcnt_u64(slash) + 1))
			odd->wrong |= slash;
		escaped |= slash << 1;
		odd->escaped = slash >> (BLOCK_BYTES - 1);
		slashes &= ~(slash | slash << 1);
	}
	return escaped;
}

/* Checks the characters beyond ASCII. */
INLINE void check_wide(struct odd *odd, const unsigned char *at, uint64_t wide)
{
	unsigned point;

	wide &= UINT64_MAX << odd->taken;
	odd->taken = 0;
	while (wide != 0) {
		unsigned place = (unsigned)_tzcnt_u64(wide);
		unsigned end = place +
		               (unsigned)cli_utf8_decode(at + place, 4, &point);

		if (end == place) {
			odd->wrong |= UINT64_C(1) << place;
			return;
		}
		if (end >= BLOCK_BYTES) {
			odd->taken = end - BLOCK_BYTES;
			return;
		}
		wide &= UINT64_MAX << end;
	}
}

/* Looks at what seldom is there.  Returns the bytes that are escaped. */
WIDE static __attribute__((noinline)) uint64_t
look_at_odd(struct odd *odd, const unsigned char *at)
{
	struct block block = load(at);
	uint64_t wide = tops_of(block);

	if ((wide | odd->taken) != 0)
		check_wide(odd, at, wide);
	return find_escaped(odd, at, equal(block, '\\'));
}

/* Backslashes, control characters and what is not ASCII, as bytes. */
INLINE uint64_t find_odd(struct block block)
{
	const __m256i last = _mm256_set1_epi8(0x1f);
	const __m256i slash = _mm256_set1_epi8('\\');
	struct block control = {_mm256_min_epu8(block.low, last),
	                        _mm256_min_epu8(block.high, last)};

	control.low = _mm256_cmpeq_epi8(control.low, block.low);
	control.high = _mm256_cmpeq_epi8(control.high, block.high);
	control.low = _mm256_or_si256(control.low, block.low);
	control.high = _mm256_or_si256(control.high, block.high);
	return tops_of((struct block){
		_mm256_or_si256(control.low,
	                        _mm256_cmpeq_epi8(block.low, slash)),
		_mm256_or_si256(control.high,
	                        _mm256_cmpeq_epi8(block.high, slash)),
	});
}

INLINE struct marks look_at(struct scan *scan)
{
	struct block block = load(scan->at), folded = fold(block);
	uint64_t quotes = equal(block, '"'), ends = equal(block, '\n');
	uint64_t odd = find_odd(block) ^ ends;
	struct marks marks;
	uint64_t outside;

	if ((odd | scan->odd.escaped | scan->odd.taken) != 0)
		quotes &= ~look_at_odd(&scan->odd, scan->at);
	marks.inside = fill(quotes) ^ scan->inside;
	scan->inside = (uint64_t)((int64_t)marks.inside >> 63);
	marks.begins = quotes & marks.inside;
	marks.quotes = quotes & ~marks.inside;
	if (odd != 0)
		scan->odd.wrong |= marks.inside & controls_of(block);
	scan->odd.wrong |= marks.inside & ends;
	outside = ~(marks.inside | quotes);
	marks.opens = equal(folded, '{') & outside;
	marks.closes = equal(folded, '}') & outside;
	marks.colons = equal(block, ':') & outside;
	marks.commas = equal(block, ',') & outside;
	marks.blanks = equal(block, ' ') & outside;
	marks.ends = ends & outside;
	marks.scalars = outside & ~(marks.opens | marks.closes | marks.colons |
	                            marks.commas | marks.blanks | marks.ends);
	return marks;
}

/* ---------------------------------------------------------------- brackets */

/* Of each byte, whether the innermost container around it is an object; the
 * opening brackets of objects; and the closing ones of outermost containers. */
struct levels {
	uint64_t object, braces, lasts;
};

/* Enters or leaves a container; false if that is wrong. */
INLINE bool pass_bracket(uint64_t *objects, bool open, uint64_t object)
{
	uint64_t before = *objects;

	if (open) {
		*objects = before << 1 | object;
		return before >> MOST_LEVELS == 0;
	}
	*objects = before >> 1;
	return before > 1 && (before & 1) == object;
}

/* Behind a wrong bracket the levels mean nothing. */
INLINE struct levels walk_brackets(struct scan *scan, const struct marks *marks)
{
	uint64_t brackets = marks->opens | marks->closes;
	uint64_t objects = scan->objects, inner = objects & 1;
	struct levels levels = {-inner, 0, 0};

	for (; brackets != 0; brackets &= brackets - 1) {
		uint64_t bracket = brackets & -brackets;
		uint64_t object = scan->at[_tzcnt_u64(brackets)] >> 5 & 1;

		if (!pass_bracket(&objects, (marks->opens & bracket) != 0,
		                  object)) {
			scan->odd.wrong |= bracket;
			break;
		}
		levels.braces |= -object & bracket;
		/* Only a one, less two, is negative. */
		levels.lasts |= (uint64_t)((int64_t)(objects - 2) >> 63) &
		                bracket;
		if ((objects & 1) != inner) {
			inner = objects & 1;
			levels.object ^= -(bracket << 1);
		}
	}
	scan->objects = objects;
	levels.braces &= marks->opens;
	return levels;
}

/* ----------------------------------------------------------------- scalars */

INLINE uint32_t digits_of(const unsigned char *bytes)
{
	__m256i text = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
	__m256i above = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(
		_mm256_min_epu8(above, _mm256_set1_epi8(9)), above));
}

/* The length of a number without an exponent; 0 if it is none, or long. */
INLINE size_t number_bytes(const unsigned char *bytes)
{
	size_t sign = *bytes == '-';
	uint32_t others = ~digits_of(bytes + sign);
	size_t whole = _tzcnt_u32(others);

	if (whole == 0 || (bytes[sign] == '0' && whole > 1) ||
	    whole == SCALAR_BYTES)
		return 0;
	if (bytes[sign + whole] != '.')
		return sign + whole;
	others &= others - 1;

	size_t all = _tzcnt_u32(others);

	return all == SCALAR_BYTES || all == whole + 1 ? 0 : sign + all;
}

INLINE size_t word_bytes(const unsigned char *bytes)
{
	bool is_true = memcmp(bytes, "true", 4) == 0;
	bool is_null = memcmp(bytes, "null", 4) == 0;
	bool is_false = memcmp(bytes, "fals", 4) == 0;

	is_false &= bytes[4] == 'e';
	return (is_true | is_null | is_false) ? 4u + is_false : 0;
}

/* What may stand behind a number or a word. */
static const bool is_behind_scalar[256] = {
	[','] = true, [' '] = true, [']'] = true, ['}'] = true};

INLINE uint64_t find_wrong_scalars(const unsigned char *at, uint64_t starts)
{
	uint64_t wrong = 0;

	for (; starts != 0; starts &= starts - 1) {
		const unsigned char *bytes = at + _tzcnt_u64(starts);
		size_t length = *bytes >= 'a' ? word_bytes(bytes)
		                              : number_bytes(bytes);

		if (length == 0 || !is_behind_scalar[bytes[length]])
			wrong |= starts & -starts;
	}
	return wrong;
}

/* ----------------------------------------------------------------- grammar */

/* The bytes behind tokens, those of the last block among them. */
INLINE uint64_t behind(uint64_t tokens, uint64_t *last)
{
	uint64_t next = tokens << 1 | *last >> (BLOCK_BYTES - 1);

	*last = tokens;
	return next;
}

/* The same bytes, but for blanks the one behind these: a one that is added to
 * the first blank is carried to there. */
INLINE uint64_t pass_blanks(uint64_t next, uint64_t blanks, uint64_t *last)
{
	unsigned long long sum;
	bool goes_on = __builtin_uaddll_overflow(next & blanks, blanks, &sum);

	*last |= (uint64_t)goes_on << (BLOCK_BYTES - 1);
	return (next | sum) & ~blanks;
}

INLINE uint64_t follow(uint64_t tokens, uint64_t blanks, uint64_t *last)
{
	uint64_t next = behind(tokens, last);

	return blanks != 0 ? pass_blanks(next, blanks, last) : next;
}

/* The last quotes of the strings whose first ones are `names`: a one that is
 * added to the first byte of a string is carried to there. */
INLINE uint64_t end_names(struct scan *scan, const struct marks *marks,
                          uint64_t names)
{
	unsigned long long sum;
	bool goes_on = __builtin_uaddll_overflow(names, marks->inside, &sum);

	goes_on |= __builtin_uaddll_overflow(sum, scan->is_name, &sum);
	scan->is_name = goes_on;
	return sum & marks->quotes;
}

/* What follows where a value has ended: a comma, a bracket, or the end of the
 * line if it was the outermost one.  That a colon follows the names alone is
 * checked as well. */
INLINE uint64_t check_ends(struct scan *scan, const struct marks *marks,
                           const struct levels *levels, uint64_t blanks)
{
	uint64_t scalars = behind(marks->scalars, &scan->scalars);
	uint64_t more = behind(marks->quotes | (marks->closes & ~levels->lasts),
	                       &scan->more_follows) |
	                (scalars & ~marks->scalars);

	if (blanks != 0)
		more = pass_blanks(more, blanks, &scan->more_follows);
	return (more & ~(marks->commas | marks->closes | marks->colons)) |
	       (follow(levels->lasts, blanks, &scan->end_follows) ^
	        marks->ends);
}

INLINE uint64_t check_tokens(struct scan *scan, const struct marks *marks,
                             const struct levels *levels, uint64_t blanks)
{
	uint64_t starts = marks->scalars &
	                  ~(marks->scalars << 1 |
	                    scan->scalars >> (BLOCK_BYTES - 1));
	uint64_t values = marks->begins | marks->opens | starts;
	uint64_t name = follow(levels->braces |
	                               (marks->commas & levels->object),
	                       blanks, &scan->names_follow);
	uint64_t value = follow((marks->opens & ~levels->braces) |
	                                marks->colons |
	                                (marks->commas & ~levels->object),
	                        blanks, &scan->values_follow);
	uint64_t no_close = follow(marks->commas | marks->colons, blanks,
	                           &scan->no_close_follows);
	uint64_t named = end_names(scan, marks, marks->begins & name);

	return (name & ~(marks->begins | marks->closes)) |
	       (value & ~(values | marks->closes)) |
	       (no_close & marks->closes) |
	       (follow(named, blanks, &scan->colon_follows) ^ marks->colons) |
	       (behind(marks->ends, &scan->ends) & ~marks->opens) |
	       find_wrong_scalars(scan->at, starts) |
	       check_ends(scan, marks, levels, blanks);
}

INLINE void check_grammar(struct scan *scan, const struct marks *marks,
                          struct levels levels)
{
	/* Most blocks of most logs have no blanks. */
	scan->odd.wrong |= marks->blanks == 0
	                           ? check_tokens(scan, marks, &levels, 0)
	                           : check_tokens(scan, marks, &levels,
	                                          marks->blanks);
}

/* ------------------------------------------------------------------- lines */

/* Lines are passed in pieces that stay in the nearest cache until they are
 * copied. */
#define PIECE_BYTES ((size_t)16 << 10)

/* Counts the lines that end at `ends`; false if the last one may not be
 * passed. */
INLINE bool count_lines(struct scan *scan, uint64_t ends, uint64_t most,
                        uint64_t *count)
{
	for (; ends != 0; ends &= ends - 1) {
		const unsigned char *end = scan->at + _tzcnt_u64(ends);

		if ((size_t)(end - scan->line) > SHMLOG_PAYLOAD_MAX_BYTES ||
		    *count == most)
			return false;
		scan->line = end + 1;
		++*count;
	}
	return true;
}

WIDE static size_t pass_lines(const unsigned char *bytes, size_t size_bytes,
                              uint64_t most, uint64_t *count)
{
	const unsigned char *end = bytes + size_bytes;
	struct scan scan = {
		.at = bytes, .line = bytes, .ends = UINT64_MAX, .objects = 1};

	while (scan.odd.wrong == 0 && (size_t)(end - scan.at) >= LOADED_BYTES &&
	       ((size_t)(scan.at - bytes) < PIECE_BYTES || *count == 0)) {
		struct marks marks = look_at(&scan);

		check_grammar(&scan, &marks, walk_brackets(&scan, &marks));
		/* Lines that end before the first wrong byte. */
		if (scan.odd.wrong != 0)
			marks.ends &= (scan.odd.wrong & -scan.odd.wrong) - 1;
		if (!count_lines(&scan, marks.ends, most, count))
			break;
		scan.at += BLOCK_BYTES;
	}
	return (size_t)(scan.line - bytes);
}

bool cli_in_json_way_works(enum cli_json_way way)
{
	if (way == CLI_JSON_32)
		return cli_is_wide();
	if (way == CLI_JSON_64)
		return cli_is_wider();
	return true;
}

size_t cli_in_json_pass_by(enum cli_json_way way, const unsigned char *bytes,
                           size_t size_bytes, uint64_t most,
                           uint64_t *count_out)
{
	*count_out = 0;
	switch (way) {
	case CLI_JSON_64:
		return cli_in_json_pass_64(bytes, size_bytes, most, count_out);
	case CLI_JSON_32: return pass_lines(bytes, size_bytes, most, count_out);
	default: return 0;
	}
}

#else

bool cli_in_json_way_works(enum cli_json_way way)
{
	return way == CLI_JSON_NO_WAY;
}

size_t cli_in_json_pass_by(enum cli_json_way way, const unsigned char *bytes,
                           size_t size_bytes, uint64_t most,
                           uint64_t *count_out)
{
	(void)way;
	(void)bytes;
	(void)size_bytes;
	(void)most;
	*count_out = 0;
	return 0;
}

#endif

size_t cli_in_json_pass(const unsigned char *bytes, size_t size_bytes,
                        uint64_t most, uint64_t *count_out)
{
	enum cli_json_way way = CLI_JSON_WAYS - 1;

	while (!cli_in_json_way_works(way))
		way--;
	return cli_in_json_pass_by(way, bytes, size_bytes, most, count_out);
}
