/*
 * Checks lines of JSON as in_json_quick.c does, for processors with registers
 * of 64 bytes.  What may stand behind what is looked up for all bytes of a
 * block at once: a byte is of some kinds, and allows some behind it.  Masks are
 * left for what two bytes beside each other do not tell.
 */
#include "in_json_quick.h"

#include "utf8.h"

#include <shmlog.h>
#include <string.h>

#ifdef CLI_JSON_WIDE
#include <immintrin.h>

#define WIDEST                                                        \
	__attribute__((target("avx512f,avx512bw,avx512vbmi,bmi,bmi2," \
	                      "pclmul,popcnt")))
#define INLINE WIDEST static inline __attribute__((always_inline))
#define SELDOM WIDEST static __attribute__((noinline))

/* A block begins with the last bytes of the one before, so that most masks need
 * not be carried from block to block: only its other bytes are new. */
#define BLOCK_BYTES 64u
#define OLD_BYTES 2u
#define NEW_BYTES (BLOCK_BYTES - OLD_BYTES)
#define NEW (UINT64_MAX << OLD_BYTES)
/* A block is looked at with what is behind it: a word or an escape that begins
 * in it. */
#define LOADED_BYTES (BLOCK_BYTES + 8)
/* Lines are passed in pieces that stay in the nearest cache until they are
 * copied. */
#define PIECE_BYTES ((size_t)16 << 10)
/* With a one before them, these are a positive number. */
#define MOST_LEVELS 62u

/* What a block has, outside of strings but for the quotes. */
struct marks {
	uint64_t opens, closes; /* brackets */
	uint64_t squares;       /* those of arrays */
	uint64_t colons, commas, ends;
	uint64_t begins, quotes; /* the first and last quotes of strings */
	uint64_t inside;         /* strings, with their first quotes */
	uint64_t before_newline; /* the last byte, if one is behind it */
};

/* What is found where a block has bytes that are not ASCII. */
struct odd {
	uint64_t continued; /* bytes of the next block, of a character */
	uint64_t wrong;     /* bytes that break a rule */
};

/* What goes on from one block to the next: some of it as masks, whose last
 * bytes are the first ones of the next block. */
struct scan {
	uint64_t inside;      /* all bits: the block begins in a string */
	uint64_t is_name;     /* one: ... that names a member */
	uint64_t in_fraction; /* one: ... behind a point or a digit behind it */
	uint64_t names, lasts;
	uint64_t in_inner; /* all bits: ... in an object in a line's own */
	/* 0 if it can be in nothing else there; otherwise a one, and one bit
	 * for each open container, the innermost lowest; set for an object. */
	uint64_t objects;
	uint64_t escapes;   /* one: the first byte of the block is escaped */
	uint64_t continued; /* new bytes of a character that is an old one */
	uint64_t wrong;
};

/* ------------------------------------------------------------------- kinds */

/* What a byte outside of strings may be: the first one of a value, a digit or a
 * letter behind one of its like, the point of a number, a closing bracket, a
 * comma.  Masks tell where a colon, a blank or a newline stands, so that each
 * of them is all that may follow a whole token. */
#define F 1
#define DIGIT 2
#define LETTER 4
#define P 8
#define C 16
#define M 32
#define D (F | DIGIT)
#define L (F | LETTER)
#define W (F | C | M)
/* What needs a closer look, as all that is not ASCII does. */
#define O (-128)
/* In a string, what may stand behind a backslash. */
#define Z 64
#define Q (F | Z)
#define R (L | Z)

static const char kinds[128] = {
	O, O, O, O, O, O, O, O, O, O, W, O, O, O, O, O, O, O, O, O, O, O,
	O, O, O, O, O, O, O, O, O, O, W, 0, Q, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	M, F, P, Z, D, D, D, D, D, D, D, D, D, D, W, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, F, Z, C, 0, 0, 0, L, R, L, L, L, R, L, L, L, L, L, L, L,
	R, L, L, L, R, L, R, R, L, L, L, L, L, F, 0, C, 0, 0,
};

/* What may stand behind a byte; behind a quote, the last one of a string. */
#define E (C | M)
#define N (DIGIT | P | E)
#define X (LETTER | E)
#define B (F | C)
#define S DIGIT

static const char followers[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, E, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	F, S, S, 0, N, N, N, N, N, N, N, N, N, N, F, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, B, 0, E, 0, 0, 0, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, B, 0, E, 0, 0,
};

/* ------------------------------------------------------------------- masks */

/* Takes a mask to where the other ones are: compilers like to reckon with it
 * where it is made, and the ways there and back take longer than that. */
INLINE uint64_t take(uint64_t mask)
{
	__asm__("" : "+r"(mask));
	return mask;
}

INLINE uint64_t equal(__m512i block, char byte)
{
	return take(_mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte)));
}

INLINE uint64_t at_least(__m512i block, unsigned char byte)
{
	return _mm512_cmpge_epu8_mask(block, _mm512_set1_epi8((char)byte));
}

INLINE uint64_t has(__m512i block, __m512i bits)
{
	return take(_mm512_test_epi8_mask(block, bits));
}

/* The numbers from `first` on. */
INLINE __m512i numbered(char first)
{
	const __m512i places = _mm512_set_epi8(
		63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48,
		47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32,
		31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
		15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);

	return _mm512_add_epi8(places, _mm512_set1_epi8(first));
}

/* The first block of a text, whose old bytes are newlines. */
INLINE __m512i load_first(const unsigned char *bytes)
{
	return _mm512_mask_permutexvar_epi8(_mm512_set1_epi8('\n'), NEW,
	                                    numbered(-(char)OLD_BYTES),
	                                    _mm512_loadu_si512(bytes));
}

/* What blocks are compared with, kept in registers from block to block:
 * compilers make it anew each time, unless they do not know what it is. */
struct wanted {
	__m512i slash, hexadecimal, quote, newline, open, close, colon, comma,
		blank, point, zero;
	__m512i sixth, digit, letter, escaped; /* bits */
	__m512i kinds[2], followers[2], places;
};

INLINE __m512i keep(__m512i vector)
{
	__asm__("" : "+v"(vector));
	return vector;
}

INLINE __m512i keep_all(char byte)
{
	return keep(_mm512_set1_epi8(byte));
}

INLINE __m512i keep_half(const char table[64])
{
	return keep(_mm512_loadu_si512(table));
}

INLINE struct wanted make_wanted(void)
{
	return (struct wanted){
		.slash = keep_all('\\'),
		.hexadecimal = keep_all('u'),
		.quote = keep_all('"'),
		.newline = keep_all('\n'),
		.open = keep_all('{'),
		.close = keep_all('}'),
		.colon = keep_all(':'),
		.comma = keep_all(','),
		.blank = keep_all(' '),
		.point = keep_all('.'),
		.zero = keep_all('0'),
		.sixth = keep_all(0x20),
		.digit = keep_all(DIGIT),
		.letter = keep_all(LETTER),
		.escaped = keep_all(Z),
		.kinds = {keep_half(kinds), keep_half(kinds + 64)},
		.followers = {keep_half(followers), keep_half(followers + 64)},
		.places = keep(numbered(-1)),
	};
}

INLINE uint64_t match(__m512i block, __m512i wanted)
{
	return take(_mm512_cmpeq_epi8_mask(block, wanted));
}

/* Of each byte what the table has; of one beyond ASCII anything. */
INLINE __m512i look_up(const __m512i table[2], __m512i block)
{
	return _mm512_permutex2var_epi8(table[0], block, table[1]);
}

/* From each odd quote to before the next one. */
INLINE uint64_t fill(uint64_t quotes)
{
	__m128i all = _mm_set1_epi8((char)0xff);

	return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(
		_mm_set_epi64x(0, (long long)quotes), all, 0));
}

/* The bytes behind tokens, but for one blank those behind that. */
INLINE uint64_t follow(uint64_t tokens, uint64_t blanks)
{
	uint64_t next = tokens << 1;

	return blanks == 0 ? next : (next & ~blanks) | (next & blanks) << 1;
}

/* ----------------------------------------------------------------- strings */

INLINE bool is_hex(unsigned char byte)
{
	return (unsigned char)(byte - '0') < 10 ||
	       (unsigned char)((byte | 0x20) - 'a') < 6;
}

/* Finds the bytes behind a \\u that is no character. */
SELDOM uint64_t find_wrong_points(const unsigned char *bytes, size_t at,
                                  uint64_t points)
{
	uint64_t wrong = 0;

	for (; points != 0; points &= points - 1) {
		const unsigned char *digits = bytes +
		                              (at + _tzcnt_u64(points) + 1);

		if (!is_hex(digits[0]) || !is_hex(digits[1]) ||
		    !is_hex(digits[2]) || !is_hex(digits[3]))
			wrong |= points & -points;
	}
	return wrong;
}

/*
 * Finds the bytes that backslashes escape; a backslash outside of a string is
 * wrong anyway.  In a row of them every other one escapes: what is taken away
 * here turns the bits of rows around that begin at an even byte.
 */
INLINE uint64_t find_escaped(struct scan *scan, uint64_t slashes)
{
	const uint64_t odds = UINT64_C(0xaaaaaaaaaaaaaaaa);
	uint64_t open = slashes & ~scan->escapes;
	uint64_t escaping = ((open << 1 | odds) - open) ^ odds;
	uint64_t escaped = escaping ^ (slashes | scan->escapes);

	scan->escapes = escaped >> NEW_BYTES & 1;
	return escaped;
}

/* Checks the characters beyond ASCII.  Behind a few first bytes it matters
 * which ones follow. */
INLINE void check_wide(struct odd *odd, const unsigned char *bytes, size_t at,
                       __m512i block)
{
	uint64_t wide = at_least(block, 0x80), first = at_least(block, 0xc0);
	uint64_t three = at_least(block, 0xe0), four = at_least(block, 0xf0);
	uint64_t special = four | equal(block, (char)0xe0) |
	                   equal(block, (char)0xed);
	unsigned point;

	odd->wrong |= (first & ~at_least(block, 0xc2)) |
	              ((wide & ~first) ^
	               (odd->continued | first << 1 | three << 2 | four << 3));
	/* That begins before the next block, and ends in its new bytes. */
	odd->continued = (four >> (NEW_BYTES - 1) & 1) << OLD_BYTES;
	for (special &= NEW; special != 0; special &= special - 1) {
		size_t place = at + _tzcnt_u64(special);

		if (cli_utf8_decode(bytes + place, 4, &point) == 0)
			odd->wrong |= special & -special;
	}
}

/* Looks at what seldom is there. */
INLINE struct odd look_at_odd(const unsigned char *bytes, size_t at,
                              __m512i block, uint64_t continued)
{
	struct odd odd = {.continued = continued};

	odd.wrong = ~at_least(block, 0x20) & ~equal(block, '\n');
	check_wide(&odd, bytes, at, block);
	return odd;
}

/* ---------------------------------------------------------------- brackets */

/* Of each byte, whether the innermost container around it is an object; and the
 * closing brackets of outermost containers. */
struct levels {
	uint64_t object, lasts;
};

/* The same, and what the containers are behind it. */
struct walked {
	struct levels levels;
	uint64_t objects;
	uint64_t wrong;
};

/* Enters or leaves a container; false if that is wrong. */
INLINE bool pass_bracket(uint64_t *objects, bool open, uint64_t object)
{
	uint64_t outer = *objects;

	if (open) {
		*objects = outer << 1 | object;
		return outer >> MOST_LEVELS == 0;
	}
	*objects = outer >> 1;
	return outer > 1 && (outer & 1) == object;
}

/* Tells the brackets one by one.  Behind a wrong one the levels mean
 * nothing. */
SELDOM struct walked walk_brackets(uint64_t objects, uint64_t opens,
                                   uint64_t closes, uint64_t squares)
{
	uint64_t brackets = opens | closes, inner = objects & 1;
	struct walked walked = {.levels = {.object = -inner}};

	for (; brackets != 0; brackets &= brackets - 1) {
		uint64_t bracket = brackets & -brackets;

		if (!pass_bracket(&objects, (opens & bracket) != 0,
		                  (squares & bracket) == 0)) {
			walked.wrong |= bracket;
			break;
		}
		if (objects == 1)
			walked.levels.lasts |= bracket;
		if ((objects & 1) != inner) {
			inner = objects & 1;
			walked.levels.object ^= -(bracket << 1);
		}
	}
	walked.objects = objects;
	return walked;
}

/* What the containers are in a line that is an object, where those in it have
 * none in them. */
#define OUTSIDE UINT64_C(1)
#define IN_LINE UINT64_C(3)
#define IN_OBJECT UINT64_C(7)
#define IN_ARRAY UINT64_C(6)

/* The brackets that stand at the ends of lines. */
INLINE uint64_t find_outer(const struct marks *marks, uint64_t *lasts_out)
{
	*lasts_out = marks->closes & NEW &
	             (marks->ends >> 1 | marks->before_newline);
	return (marks->opens & NEW & marks->ends << 1) | *lasts_out;
}

/*
 * Tells the brackets of such lines, without a branch for each of them; false if
 * they are not like that.  The outer ones are the lines' own, the others open
 * and close by turns.
 */
INLINE bool pair_brackets(uint64_t *stack, const struct marks *marks,
                          struct levels *levels_out)
{
	uint64_t outer = find_outer(marks, &levels_out->lasts);
	uint64_t inner = (marks->opens | marks->closes) & ~outer & NEW;
	uint64_t braces = inner & ~marks->squares;
	uint64_t squares = inner & marks->squares;
	uint64_t objects = fill(braces) ^ -(uint64_t)(*stack == IN_OBJECT);
	uint64_t arrays = fill(squares) ^ -(uint64_t)(*stack == IN_ARRAY);
	uint64_t others = (braces & (objects ^ marks->opens)) |
	                  (squares & (arrays ^ marks->opens)) |
	                  (objects & arrays) | ((objects | arrays) & outer) |
	                  (outer & marks->squares);
	bool in_line = outer != 0 ? (outer & ~levels_out->lasts) >
	                                    levels_out->lasts
	                          : *stack != OUTSIDE;

	if (others != 0 || (*stack != OUTSIDE && *stack != IN_LINE &&
	                    *stack != IN_OBJECT && *stack != IN_ARRAY))
		return false;
	levels_out->object = ~arrays;
	*stack = !in_line             ? OUTSIDE
	         : arrays >> 63 != 0  ? IN_ARRAY
	         : objects >> 63 != 0 ? IN_OBJECT
	                              : IN_LINE;
	return true;
}

/* Tells brackets whatever they are. */
SELDOM struct walked tell_brackets(uint64_t objects, struct marks marks)
{
	struct walked walked = {.objects = objects};

	return pair_brackets(&walked.objects, &marks, &walked.levels)
	               ? walked
	               : walk_brackets(objects, marks.opens & NEW,
	                               marks.closes & NEW, marks.squares);
}

INLINE struct levels find_levels(struct scan *scan, const struct marks *marks)
{
	struct levels levels = {.object = UINT64_MAX};
	uint64_t outer = find_outer(marks, &levels.lasts);
	uint64_t brackets = (marks->opens | marks->closes) & NEW;
	uint64_t inner = brackets & ~outer;
	uint64_t objects = fill(inner) ^ scan->in_inner;
	uint64_t others = (inner & (objects ^ marks->opens)) |
	                  (objects & outer) | (brackets & marks->squares);

	if ((others | scan->objects) == 0) {
		scan->in_inner = (uint64_t)((int64_t)objects >> 63);
		return levels;
	}

	const uint64_t old = UINT64_C(1) << (OLD_BYTES - 1);
	struct walked walked = tell_brackets(
		scan->objects != 0    ? scan->objects
		: scan->in_inner != 0 ? IN_OBJECT
		: ((marks->ends | scan->lasts >> NEW_BYTES) & old) != 0
			? OUTSIDE
			: IN_LINE,
		*marks);

	scan->in_inner = -(uint64_t)(walked.objects == IN_OBJECT);
	/* That it is outside of a line shows next time, if that has ended. */
	if (walked.objects == IN_LINE || walked.objects == IN_OBJECT ||
	    (walked.objects == OUTSIDE &&
	     (marks->ends | walked.levels.lasts) >> (BLOCK_BYTES - 1) != 0))
		walked.objects = 0;
	scan->objects = walked.objects;
	scan->wrong |= walked.wrong;
	return walked.levels;
}

/* ----------------------------------------------------------------- scalars */

INLINE uint32_t load_four(const void *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Whether a word is here, and no letter behind it; 0 or 1. */
INLINE uint64_t is_word(const unsigned char *bytes)
{
	const uint32_t mark = UINT32_C(1) << 31;
	uint32_t is_false = *bytes == 'f';
	uint32_t word = load_four(bytes + is_false) | is_false << 31;
	/* As numbers: a branch for each would go now here, now there. */
	uint64_t is_true = take(word == load_four("true"));
	uint64_t is_null = take(word == load_four("null"));
	uint64_t is_rest = take(word == (load_four("alse") | mark));
	uint64_t ends = take((unsigned char)(bytes[4 + is_false] - 'a') > 25);

	return (is_true | is_null | is_rest) & ends;
}

INLINE uint64_t find_wrong_words(const unsigned char *bytes, size_t at,
                                 uint64_t starts)
{
	uint64_t wrong = 0;

	/* There is one at least, and mostly no other. */
	do {
		size_t place = at + _tzcnt_u64(starts);

		wrong |= starts & -starts & (is_word(bytes + place) - 1);
		starts &= starts - 1;
	} while (starts != 0);
	return wrong;
}

/* Finds digits behind a zero that is the first one, and a second point behind
 * the digits behind a point. */
INLINE uint64_t find_wrong_numbers(struct scan *scan, uint64_t digits,
                                   uint64_t points, uint64_t zeros)
{
	uint64_t sum = digits + ((points << 1 & digits) | scan->in_fraction);

	zeros &= ~((digits | points) << 1);
	/* A one that is added to the first digit of a fraction is carried
	 * behind the last. */
	scan->in_fraction = ((digits & ~sum) | points) >> (NEW_BYTES - 1) & 1;
	return (zeros << 1 & digits) | (sum & ~digits & points);
}

/* ----------------------------------------------------------------- grammar */

INLINE uint64_t find_strangers(const struct wanted *wanted, __m512i block,
                               __m512i kind, uint64_t blanks)
{
	__m512i allowed = look_up(wanted->followers, block);

	/* Behind one blank may stand what may before it, but no further byte
	 * of a number or of a word; behind two, nothing may. */
	if (blanks != 0) {
		__m512i passed = _mm512_and_si512(
			_mm512_permutexvar_epi8(wanted->places, allowed),
			_mm512_set1_epi8(W));

		allowed = _mm512_mask_mov_epi8(allowed, blanks, passed);
	}
	return take(_mm512_testn_epi8_mask(
		kind, _mm512_permutexvar_epi8(wanted->places, allowed)));
}

/* The last quotes of the strings whose first ones are `names`: a one that is
 * added to the first byte of a string is carried to there. */
INLINE uint64_t end_names(struct scan *scan, const struct marks *marks,
                          uint64_t names)
{
	uint64_t sum;

	names = (names & NEW) | scan->names >> NEW_BYTES;
	sum = names + marks->inside + scan->is_name;
	scan->names = names;
	scan->is_name = (marks->inside & ~sum) >> (NEW_BYTES - 1) & 1;
	return sum & ~marks->inside & marks->quotes;
}

/* Finds what is wrong but for what find_strangers() does. */
INLINE uint64_t find_wrong(struct scan *scan, const struct marks *marks,
                           const struct levels *levels, uint64_t blanks)
{
	uint64_t braces = marks->opens & ~marks->squares;
	uint64_t lasts = levels->lasts | scan->lasts >> NEW_BYTES;
	uint64_t name = follow(braces | (marks->commas & levels->object),
	                       blanks);
	uint64_t named = end_names(scan, marks, marks->begins & name);

	scan->lasts = lasts;
	return (name & ~(marks->begins | marks->closes | blanks)) |
	       (follow(named, blanks) ^ marks->colons) |
	       (follow(lasts, blanks) ^ marks->ends) |
	       (marks->ends << 1 & ~marks->opens) | (blanks & blanks << 1);
}

/* What is found out about a block while the one before is checked. */
struct ahead {
	__m512i block, kind;
	uint64_t quotes; /* those that no backslash escapes */
	uint64_t filled; /* from each odd one to before the next one */
	uint64_t odd, wrong;
};

INLINE struct ahead look_ahead(struct scan *scan, const struct wanted *wanted,
                               const unsigned char *bytes, size_t at,
                               __m512i block)
{
	__m512i kind = look_up(wanted->kinds, block);
	struct ahead ahead = {
		.block = block,
		.kind = kind,
		.quotes = match(block, wanted->quote),
		.odd = take(_mm512_movepi8_mask(_mm512_or_si512(block, kind))),
	};
	uint64_t slashes = match(block, wanted->slash), escaped, points;

	if ((slashes | scan->escapes) != 0) {
		escaped = find_escaped(scan, slashes);
		points = escaped & match(block, wanted->hexadecimal) & NEW;
		ahead.quotes &= ~escaped;
		/* Of what is not ASCII the table tells nothing. */
		ahead.wrong = escaped &
		              (ahead.odd | ~has(kind, wanted->escaped));
		if (points != 0)
			ahead.wrong |= find_wrong_points(bytes, at, points);
	}
	if ((ahead.odd | scan->continued) != 0) {
		struct odd found = look_at_odd(bytes, at, block,
		                               scan->continued);

		ahead.wrong |= found.wrong;
		scan->continued = found.continued;
	}
	ahead.filled = fill(ahead.quotes);
	return ahead;
}

/* A block whose strings are known. */
struct told {
	__m512i block, kind;
	uint64_t begins, quotes, inside; /* as in struct marks */
	uint64_t outside;                /* what is not in them */
	uint64_t ends, blanks;           /* outside */
	uint64_t before_newline;         /* as in struct marks */
};

/* Finds what is wrong outside of strings. */
INLINE uint64_t check_outside(struct scan *scan, const struct wanted *wanted,
                              const unsigned char *bytes, size_t at,
                              const struct told *told, uint64_t blanks)
{
	__m512i block = told->block, kind = told->kind;
	__m512i folded = _mm512_or_si512(block, wanted->sixth);
	uint64_t outside = told->outside, wrong, words;
	struct levels levels;
	struct marks marks = {
		.opens = match(folded, wanted->open) & outside,
		.closes = match(folded, wanted->close) & outside,
		.squares = ~has(block, wanted->sixth),
		.ends = told->ends,
		.begins = told->begins,
		.quotes = told->quotes,
		.inside = told->inside,
		.before_newline = told->before_newline,
	};

	levels = find_levels(scan, &marks);
	marks.colons = match(block, wanted->colon) & outside;
	marks.commas = match(block, wanted->comma) & outside;
	wrong = find_wrong(scan, &marks, &levels, blanks) |
	        (find_strangers(wanted, block, kind, blanks) &
	         (outside | marks.begins));
	wrong |= find_wrong_numbers(scan, has(kind, wanted->digit) & outside,
	                            match(block, wanted->point) & outside,
	                            match(block, wanted->zero) & outside);
	words = has(kind, wanted->letter) & outside;
	words &= ~(words << 1) & NEW;
	return words == 0 ? wrong : wrong | find_wrong_words(bytes, at, words);
}

/* Checks the new bytes of a block; returns the lines that end in them. */
INLINE uint64_t check_block(struct scan *scan, const struct wanted *wanted,
                            const unsigned char *bytes, size_t at,
                            const struct ahead *ahead)
{
	uint64_t quotes = ahead->quotes, wrong;
	uint64_t inside = ahead->filled ^ scan->inside;
	uint64_t outside = ~(inside | quotes);
	uint64_t ends = match(ahead->block, wanted->newline);
	struct told told = {
		.block = ahead->block,
		.kind = ahead->kind,
		.begins = quotes & inside,
		.quotes = quotes & ~inside,
		.inside = inside,
		.outside = outside,
		.ends = ends & outside,
		.blanks = match(ahead->block, wanted->blank) & outside,
		.before_newline = (uint64_t)(bytes[at + BLOCK_BYTES] == '\n')
	                          << (BLOCK_BYTES - 1),
	};

	scan->inside = (uint64_t)((int64_t)(inside << OLD_BYTES) >> 63);
	wrong = ahead->wrong | (inside & ends) | (outside & ahead->odd);
	/* Most blocks of most logs have no blanks. */
	wrong |= told.blanks == 0
	                 ? check_outside(scan, wanted, bytes, at, &told, 0)
	                 : check_outside(scan, wanted, bytes, at, &told,
	                                 told.blanks);
	scan->wrong |= wrong & NEW;
	ends = told.ends & NEW;
	/* Lines that end before the first wrong byte. */
	return scan->wrong == 0 ? ends : ends & _blsmsk_u64(scan->wrong) >> 1;
}

/* ------------------------------------------------------------------- lines */

/* Lines that have been counted, and the bytes that they are. */
struct counted {
	uint64_t count;
	size_t size_bytes;
};

/* Counts the lines whose newlines in a block are `ends`, at most so many, and
 * none from one on that is too long. */
SELDOM struct counted count_some(struct counted counted, size_t at,
                                 uint64_t ends, uint64_t most)
{
	for (; ends != 0 && counted.count < most; ends &= ends - 1) {
		size_t end = at + _tzcnt_u64(ends);

		if (end - counted.size_bytes > SHMLOG_PAYLOAD_MAX_BYTES)
			break;
		counted.size_bytes = end + 1;
		counted.count++;
	}
	return counted;
}

WIDEST size_t cli_in_json_pass_64(const unsigned char *bytes, size_t size_bytes,
                                  uint64_t most, uint64_t *count_out)
{
	struct counted counted = {.count = 0};
	const struct wanted wanted = make_wanted();
	struct scan scan = {.objects = 0};
	/* The old bytes of the first block are newlines. */
	size_t at = 0 - (size_t)OLD_BYTES;
	struct ahead ahead;

	*count_out = 0;
	if (size_bytes < LOADED_BYTES)
		return 0;
	ahead = look_ahead(&scan, &wanted, bytes, at, load_first(bytes));
	for (;;) {
		size_t next = at + NEW_BYTES;
		bool more = size_bytes - next >= LOADED_BYTES;
		/* The last block of all looks ahead for nothing. */
		struct ahead now = ahead;
		uint64_t ends, all;

		ahead = look_ahead(
			&scan, &wanted, bytes, more ? next : 0,
			_mm512_loadu_si512(bytes + (more ? next : 0)));
		ends = check_block(&scan, &wanted, bytes, at, &now);
		all = counted.count + (uint64_t)_mm_popcnt_u64(ends);

		/* Only the first line of a piece can be longer than that. */
		if (all > most ||
		    at + BLOCK_BYTES - counted.size_bytes > PIECE_BYTES) {
			counted = count_some(counted, at, ends, most);
			if (counted.count != all)
				break;
		} else {
			size_t end = at + BLOCK_BYTES -
			             (size_t)__builtin_clzll(ends | 1);

			counted.count = all;
			counted.size_bytes = ends != 0 ? end
			                               : counted.size_bytes;
		}
		at = next;
		if (scan.wrong != 0 || !more ||
		    (at > PIECE_BYTES && counted.count != 0))
			break;
	}
	*count_out = counted.count;
	return counted.size_bytes;
}

#endif
