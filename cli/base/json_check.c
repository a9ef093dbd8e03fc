/* Checks JSON strictly: RFC 8259, as JSON.parse accepts it. */
#include "json_check.h"

#include "json_quick.h"
#include "utf8.h"
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The levels of nesting that need no allocated memory. */
#define INLINE_LEVELS 512u

struct checker {
	const unsigned char *text;
	size_t size_bytes;
	size_t at;
	/* One bit per open container, set for an object.  `levels` is
	 * `inline_levels` until more are needed. */
	size_t depth;
	size_t capacity; /* bits */
	unsigned char *levels;
	unsigned char inline_levels[INLINE_LEVELS / 8];
	struct cli_json_error *error;
};

/* ----------------------------------------------------------------- reasons */

__attribute__((format(printf, 3, 4))) static bool
refuse(struct checker *checker, size_t offset, const char *format, ...)
{
	va_list arguments;

	checker->error->offset = offset;
	va_start(arguments, format);
	(void)vsnprintf(checker->error->reason, sizeof(checker->error->reason),
	                format, arguments);
	va_end(arguments);
	return false;
}

/* Refuses with "expected WHAT, found ..." at the current offset. */
static bool refuse_found(struct checker *checker, const char *expected)
{
	unsigned char byte;

	if (checker->at >= checker->size_bytes)
		return refuse(checker, checker->at,
		              "expected %s, found the end of the text",
		              expected);
	byte = checker->text[checker->at];
	if (byte == '\'')
		return refuse(checker, checker->at,
		              "expected %s, found a single quote", expected);
	if (byte >= 0x20 && byte < 0x7f)
		return refuse(checker, checker->at, "expected %s, found '%c'",
		              expected, byte);
	if (byte == 0xef && checker->size_bytes - checker->at >= 3 &&
	    memcmp(checker->text + checker->at, "\xef\xbb\xbf", 3) == 0)
		return refuse(checker, checker->at,
		              "expected %s, found a byte order mark", expected);
	return refuse(checker, checker->at, "expected %s, found byte 0x%02x",
	              expected, byte);
}

/* ----------------------------------------------------------------- nesting */

static bool grow_levels(struct checker *checker)
{
	bool first = checker->levels == checker->inline_levels;
	size_t bytes = checker->capacity / 8;
	unsigned char *levels = realloc(first ? NULL : checker->levels,
	                                bytes * 2);

	if (levels == NULL)
		return refuse(checker, checker->at,
		              "not enough memory for %zu levels of nesting",
		              checker->depth);
	if (first)
		memcpy(levels, checker->inline_levels, bytes);
	checker->levels = levels;
	checker->capacity = bytes * 2 * 8;
	return true;
}

static bool push(struct checker *checker, bool object)
{
	unsigned char bit = (unsigned char)(1u << checker->depth % 8);
	unsigned char *level;

	if (checker->depth == checker->capacity && !grow_levels(checker))
		return false;
	level = &checker->levels[checker->depth / 8];
	*level = (unsigned char)(object ? *level | bit : *level & ~bit);
	checker->depth++;
	return true;
}

static bool in_object(const struct checker *checker)
{
	size_t top = checker->depth - 1;

	return (checker->levels[top / 8] >> top % 8 & 1) != 0;
}

/* ------------------------------------------------------------------ tokens */

/* The byte at the current offset, or 0, which begins no token, at the end. */
static unsigned char peek(const struct checker *checker)
{
	return checker->at < checker->size_bytes ? checker->text[checker->at]
	                                         : 0;
}

static void skip_blanks(struct checker *checker)
{
	unsigned char byte = peek(checker);

	while (byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r') {
		checker->at++;
		byte = peek(checker);
	}
}

static bool is_digit(unsigned char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex_digit(unsigned char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') ||
	       (byte >= 'A' && byte <= 'F');
}

/* Checks the four digits of the \u at `start`. */
static bool check_unit(struct checker *checker, size_t start)
{
	int digits;

	for (digits = 0; digits < 4; digits++, checker->at++) {
		if (!is_hex_digit(peek(checker)))
			return refuse(checker, start,
			              "\\u must be followed by four "
			              "hexadecimal digits");
	}
	return true;
}

/* Checks an escape; its backslash is at the current offset. */
static bool check_escape(struct checker *checker)
{
	size_t start = checker->at++;

	switch (peek(checker)) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': checker->at++; return true;
	case 'u': checker->at++; return check_unit(checker, start);
	default:
		return refuse_found(checker, "one of \"\\/bfnrtu after a "
		                             "backslash");
	}
}

/* Skips plain bytes of a string, a word at a time. */
static void skip_plain(struct checker *checker)
{
	const unsigned char *text = checker->text;
	size_t at = checker->at;

	while (checker->size_bytes - at >= CLI_WORD_BYTES) {
		uint64_t word = cli_word_load(text + at);
		uint64_t hits = cli_word_below(word, 0x20) |
		                cli_word_equal(word, '"') |
		                cli_word_equal(word, '\\') |
		                cli_word_high(word);

		if (hits != 0) {
			at += cli_word_first(hits);
			break;
		}
		at += CLI_WORD_BYTES;
	}
	checker->at = at;
}

/* The number of a byte within its line, counted from 1, as messages show it: a
 * string that is not closed ends in the line in which it begins. */
static size_t count_in_line(const struct checker *checker, size_t at)
{
	size_t count = 1;

	while (at > 0 && checker->text[at - 1] != '\n') {
		at--;
		count++;
	}
	return count;
}

/* Checks a string; its opening quote is at the current offset. */
static bool check_string(struct checker *checker)
{
	size_t start = checker->at++;

	for (;;) {
		unsigned char byte;
		unsigned point;
		size_t length;

		skip_plain(checker);
		if (checker->at == checker->size_bytes)
			return refuse(checker, checker->at,
			              "the string that opens at byte %zu is "
			              "not closed",
			              count_in_line(checker, start));
		byte = checker->text[checker->at];
		if (byte == '"') {
			checker->at++;
			return true;
		}
		if (byte == '\\') {
			if (!check_escape(checker))
				return false;
			continue;
		}
		if (byte < 0x20)
			return refuse(checker, checker->at,
			              "control character 0x%02x in a string "
			              "must be escaped",
			              byte);
		length = cli_utf8_decode(checker->text + checker->at,
		                         checker->size_bytes - checker->at,
		                         &point);
		if (length == 0)
			return refuse(checker, checker->at,
			              "byte 0x%02x in a string is no valid "
			              "UTF-8",
			              byte);
		checker->at += length;
	}
}

static bool check_digits(struct checker *checker, const char *expected)
{
	if (!is_digit(peek(checker)))
		return refuse_found(checker, expected);
	while (is_digit(peek(checker)))
		checker->at++;
	return true;
}

static bool check_number(struct checker *checker)
{
	if (peek(checker) == '-')
		checker->at++;
	if (peek(checker) == '0') {
		checker->at++;
		if (is_digit(peek(checker)))
			return refuse(checker, checker->at - 1,
			              "a number must not begin with a zero "
			              "before other digits");
	} else if (!check_digits(checker, "a digit after '-'")) {
		return false;
	}
	if (peek(checker) == '.') {
		checker->at++;
		if (!check_digits(checker, "a digit after '.'"))
			return false;
	}
	if (peek(checker) == 'e' || peek(checker) == 'E') {
		checker->at++;
		if (peek(checker) == '+' || peek(checker) == '-')
			checker->at++;
		if (!check_digits(checker, "a digit in an exponent"))
			return false;
	}
	return true;
}

static bool check_word(struct checker *checker, const char *word)
{
	size_t length = strlen(word);

	if (checker->size_bytes - checker->at < length ||
	    memcmp(checker->text + checker->at, word, length) != 0)
		return refuse(checker, checker->at, "expected the word '%s'",
		              word);
	checker->at += length;
	return true;
}

/* ----------------------------------------------------------------- grammar */

/* Checks a member's name and the colon behind it. */
static bool check_name(struct checker *checker)
{
	skip_blanks(checker);
	if (peek(checker) != '"')
		return refuse_found(checker, "a member name in double quotes");
	if (!check_string(checker))
		return false;
	skip_blanks(checker);
	if (peek(checker) != ':')
		return refuse_found(checker, "':' after a member name");
	checker->at++;
	return true;
}

/* Opens a container.  *more_out tells whether a value must follow; otherwise
 * the container was empty and is closed again. */
static bool check_open(struct checker *checker, bool *more_out)
{
	bool object = peek(checker) == '{';

	if (!push(checker, object))
		return false;
	checker->at++;
	skip_blanks(checker);
	*more_out = peek(checker) != (object ? '}' : ']');
	if (*more_out)
		return !object || check_name(checker);
	checker->at++;
	checker->depth--;
	return true;
}

/* Checks a value, or the beginning of a container: then *more_out is true and a
 * value inside it must follow. */
static bool check_value(struct checker *checker, bool *more_out)
{
	skip_blanks(checker);
	*more_out = false;
	switch (peek(checker)) {
	case '{':
	case '[': return check_open(checker, more_out);
	case '"': return check_string(checker);
	case 't': return check_word(checker, "true");
	case 'f': return check_word(checker, "false");
	case 'n': return check_word(checker, "null");
	case '-': return check_number(checker);
	default:
		if (is_digit(peek(checker)))
			return check_number(checker);
		return refuse_found(checker, "a value");
	}
}

/* Checks the text after a value: closing brackets, then a comma and, in an
 * object, a name (*more_out is true), or the end of the outermost value. */
static bool check_after(struct checker *checker, bool *more_out)
{
	while (checker->depth > 0) {
		bool object = in_object(checker);

		skip_blanks(checker);
		if (peek(checker) == ',') {
			checker->at++;
			*more_out = true;
			return !object || check_name(checker);
		}
		if (peek(checker) != (object ? '}' : ']'))
			return refuse_found(checker,
			                    object ? "',' or '}' after a member"
			                           : "',' or ']' after an "
			                             "element");
		checker->at++;
		checker->depth--;
	}
	*more_out = false;
	return true;
}

static bool check_text(struct checker *checker)
{
	bool more = true;

	while (more) {
		if (!check_value(checker, &more))
			return false;
		if (!more && !check_after(checker, &more))
			return false;
	}
	skip_blanks(checker);
	if (checker->at < checker->size_bytes)
		return refuse_found(checker, "nothing after the value");
	return true;
}

bool cli_json_check(const char *text, size_t size_bytes,
                    struct cli_json_error *error_out)
{
	return cli_json_is_quick((const unsigned char *)text, size_bytes) ||
	       cli_json_check_slowly(text, size_bytes, error_out);
}

bool cli_json_check_slowly(const char *text, size_t size_bytes,
                           struct cli_json_error *error_out)
{
	struct checker checker = {
		.text = (const unsigned char *)text,
		.size_bytes = size_bytes,
		.capacity = INLINE_LEVELS,
		.error = error_out,
	};
	bool valid;

	checker.levels = checker.inline_levels;
	valid = check_text(&checker);
	if (checker.levels != checker.inline_levels)
		free(checker.levels);
	return valid;
}

bool cli_json_refuse(struct cli_json_error *error_out, size_t offset,
                     const char *format, ...)
{
	va_list arguments;

	error_out->offset = offset;
	va_start(arguments, format);
	(void)vsnprintf(error_out->reason, sizeof(error_out->reason), format,
	                arguments);
	va_end(arguments);
	return false;
}
