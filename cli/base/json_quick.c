/*
 * Accepts JSON quickly.  This is the grammar of json_check.c without its
 * reasons: what is refused here, or is too deep, is checked again there.
 *
 * Where strings and numbers end is found 64 bytes at a time.  A window of text
 * becomes masks with one bit for each byte, the first byte lowest, which serve
 * all the tokens in it: an end is the lowest bit that is left of a mask.
 */
#include "json_quick.h"

#include "utf8.h"
#include "wide.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* As deep as one word of bits can tell objects from arrays. */
#define MOST_LEVELS 64u
#define WINDOW_BYTES 64u

/* What is inlined has to be for the same processor. */
#define AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define INLINE AVX2 static inline __attribute__((always_inline))

/* A text whose last byte is a closing bracket.  Every token but that one ends
 * before it, so that only strings have to be kept from going on behind. */
struct walk {
	const unsigned char *at;
	const unsigned char *end;
	/* One bit for each open container, the innermost lowest; set for an
	 * object. */
	uint64_t objects;
	unsigned depth;
	/* The window, and its bytes that end a plain part of a string, and that
	 * are digits. */
	const unsigned char *window;
	uint64_t stops;
	uint64_t digits;
};

/* --------------------------------------------------------- finding the ends */

#define EQUAL(vector, byte) \
	_mm256_cmpeq_epi8(vector, _mm256_set1_epi8((char)(byte)))
#define AT_MOST(vector, byte)                                            \
	_mm256_cmpeq_epi8(                                               \
		_mm256_min_epu8(vector, _mm256_set1_epi8((char)(byte))), \
		vector)

INLINE uint64_t stops_of(__m256i bytes)
{
	__m256i stops = _mm256_or_si256(
		_mm256_or_si256(EQUAL(bytes, '"'), EQUAL(bytes, '\\')),
		_mm256_or_si256(AT_MOST(bytes, 0x1f), bytes));

	return (uint32_t)_mm256_movemask_epi8(stops);
}

INLINE uint64_t digits_of(__m256i bytes)
{
	bytes = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
	return (uint32_t)_mm256_movemask_epi8(AT_MOST(bytes, 9));
}

/* Moves the window to where the walk is.  Its bytes may be behind the end of
 * the text by then, but none behind it is read. */
INLINE void move_window(struct walk *walk)
{
	const unsigned char *from = walk->at;
	size_t left = (size_t)(walk->end - from);
	unsigned skip = 0;

	if (left < WINDOW_BYTES) {
		skip = WINDOW_BYTES - (unsigned)left;
		from -= skip;
	}

	__m256i one = _mm256_loadu_si256((const __m256i *)(const void *)from);
	__m256i two = _mm256_loadu_si256(
		(const __m256i *)(const void *)(from + 32));

	walk->window = walk->at;
	walk->stops = (stops_of(one) | stops_of(two) << 32) >> skip;
	walk->digits = (digits_of(one) | digits_of(two) << 32) >> skip;
}

INLINE void skip_plain(struct walk *walk)
{
	size_t place = (size_t)(walk->at - walk->window);
	uint64_t stops = place < WINDOW_BYTES ? walk->stops >> place : 0;

	while (stops == 0) {
		move_window(walk);
		stops = walk->stops;
		if (stops == 0 &&
		    (size_t)(walk->end - walk->at) <= WINDOW_BYTES) {
			walk->at = walk->end;
			return;
		}
		if (stops == 0)
			walk->at += WINDOW_BYTES;
	}
	walk->at += __builtin_ctzll(stops);
}

/* The last byte of the text is no digit. */
INLINE void skip_digits(struct walk *walk)
{
	size_t place = (size_t)(walk->at - walk->window);
	uint64_t others = place < WINDOW_BYTES ? ~walk->digits >> place : 0;

	while (others == 0) {
		move_window(walk);
		others = ~walk->digits;
		if (others == 0)
			walk->at += WINDOW_BYTES;
	}
	walk->at += __builtin_ctzll(others);
}

/* ------------------------------------------------------------------ tokens */

INLINE bool is_digit(unsigned char byte)
{
	return (unsigned char)(byte - '0') < 10;
}

INLINE bool is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

INLINE void skip_blanks(struct walk *walk)
{
	while (*walk->at <= ' ' && is_blank(*walk->at))
		walk->at++;
}

AVX2 static bool is_hex_digit(unsigned char byte)
{
	return is_digit(byte) || (unsigned char)((byte | 0x20) - 'a') < 6;
}

/* The length of what is not plain in a string, an escape or a character beyond
 * ASCII; 0 if it is wrong. */
AVX2 static size_t special_bytes(const unsigned char *at,
                                 const unsigned char *end)
{
	unsigned point;

	if (*at >= 0x80)
		return cli_utf8_decode(at, (size_t)(end - at), &point);
	if (*at != '\\')
		return 0;
	switch (at[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return 2;
	case 'u': break;
	default: return 0;
	}
	return is_hex_digit(at[2]) && is_hex_digit(at[3]) &&
	                       is_hex_digit(at[4]) && is_hex_digit(at[5])
	               ? 6
	               : 0;
}

/* Takes a string; the walk is behind its opening quote. */
INLINE bool take_string(struct walk *walk)
{
	size_t length;

	for (;;) {
		skip_plain(walk);
		if (walk->at == walk->end)
			return false;
		if (*walk->at == '"')
			break;
		length = special_bytes(walk->at, walk->end);
		if (length == 0)
			return false;
		walk->at += length;
	}
	walk->at++;
	return true;
}

INLINE bool take_digits(struct walk *walk)
{
	if (!is_digit(*walk->at))
		return false;
	skip_digits(walk);
	return true;
}

INLINE bool take_number(struct walk *walk)
{
	walk->at += *walk->at == '-';
	/* Nothing that may stand behind a number begins with a digit. */
	if (*walk->at == '0')
		walk->at++;
	else if (!take_digits(walk))
		return false;
	if (*walk->at == '.') {
		walk->at++;
		if (!take_digits(walk))
			return false;
	}
	if ((*walk->at | 0x20) == 'e') {
		walk->at++;
		walk->at += *walk->at == '+' || *walk->at == '-';
		return take_digits(walk);
	}
	return true;
}

/* Takes true, false or null, without a branch for each of them. */
INLINE bool take_word(struct walk *walk)
{
	bool is_true, is_null, is_false;

	/* A closing bracket follows at the latest. */
	if (walk->end - walk->at < 5)
		return false;
	is_true = memcmp(walk->at, "true", 4) == 0;
	is_null = memcmp(walk->at, "null", 4) == 0;
	is_false = memcmp(walk->at, "fals", 4) == 0;
	is_false &= walk->at[4] == 'e';
	walk->at += 4 + is_false;
	return (is_true | is_null | is_false) && walk->at < walk->end;
}

/* ----------------------------------------------------------------- grammar */

INLINE bool take_name(struct walk *walk)
{
	skip_blanks(walk);
	if (*walk->at != '"')
		return false;
	walk->at++;
	if (!take_string(walk))
		return false;
	skip_blanks(walk);
	return *walk->at++ == ':';
}

/* Takes an opening bracket; *more_out tells whether a value follows. */
INLINE bool take_open(struct walk *walk, bool *more_out)
{
	bool object = *walk->at == '{';

	if (walk->depth == MOST_LEVELS)
		return false;
	walk->objects = walk->objects << 1 | object;
	walk->depth++;
	walk->at++;
	if (walk->at == walk->end)
		return false;
	skip_blanks(walk);
	*more_out = *walk->at != (object ? '}' : ']');
	return !*more_out || !object || take_name(walk);
}

/* Takes a value, or the beginning of a container: then *more_out is true and a
 * value inside it follows. */
INLINE bool take_value(struct walk *walk, bool *more_out)
{
	skip_blanks(walk);
	*more_out = false;
	switch (*walk->at) {
	case '"': walk->at++; return take_string(walk);
	case '{':
	case '[': return take_open(walk, more_out);
	case 't':
	case 'f':
	case 'n': return take_word(walk);
	default: return take_number(walk);
	}
}

/* Takes what follows a value: closing brackets, and then a comma and, in an
 * object, a name, or nothing behind the outermost value. */
INLINE bool take_after(struct walk *walk, bool *more_out)
{
	for (;;) {
		bool object = walk->objects & 1;

		skip_blanks(walk);
		if (*walk->at == ',') {
			walk->at++;
			*more_out = true;
			return !object || take_name(walk);
		}
		if (*walk->at++ != (object ? '}' : ']'))
			return false;
		walk->objects >>= 1;
		*more_out = --walk->depth > 0;
		if (walk->at == walk->end)
			return !*more_out;
		if (!*more_out)
			return false;
	}
}

INLINE bool take_text(struct walk *walk)
{
	bool more = true;

	while (more) {
		if (!take_value(walk, &more) ||
		    (!more && !take_after(walk, &more)))
			return false;
	}
	return true;
}

AVX2 static bool is_quick(const unsigned char *text, size_t size_bytes)
{
	unsigned char copy[2 * WINDOW_BYTES];
	struct walk walk = {.at = text};

	while (size_bytes > 0 && is_blank(text[size_bytes - 1]))
		size_bytes--;
	if (size_bytes < 2 || (*text != '{' && *text != '[') ||
	    (text[size_bytes - 1] | 0x20) != '}')
		return false;
	if (size_bytes < WINDOW_BYTES) {
		memset(copy, 0, WINDOW_BYTES);
		walk.at = memcpy(copy + WINDOW_BYTES, text, size_bytes);
	}
	walk.end = walk.at + size_bytes;
	move_window(&walk);
	return take_text(&walk);
}

bool cli_json_is_quick(const unsigned char *text, size_t size_bytes)
{
	return cli_is_wide() && is_quick(text, size_bytes);
}

#else

bool cli_json_is_quick(const unsigned char *text, size_t size_bytes)
{
	(void)text;
	(void)size_bytes;
	return false;
}

#endif
