/* Walks a text that is known to be JSON. */
#include "json_scan.h"

#include "words.h"

#include <string.h>

/* ----------------------------------------------------------------- walking */

static inline void skip_blanks(struct cli_json_scan *scan)
{
	if (*scan->at > ' ')
		return; /* as almost always */
	while (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' ||
	       *scan->at == '\r')
		scan->at++;
}

/* Moves to the next quote or backslash of a string. */
static void skip_plain(struct cli_json_scan *scan)
{
	while ((size_t)(scan->end - scan->at) >= CLI_WORD_BYTES) {
		uint64_t word = cli_word_load(scan->at);
		uint64_t hits = cli_word_equal(word, '"') |
		                cli_word_equal(word, '\\');

		if (hits != 0) {
			scan->at += cli_word_first(hits);
			return;
		}
		scan->at += CLI_WORD_BYTES;
	}
	while (*scan->at != '"' && *scan->at != '\\')
		scan->at++;
}

struct cli_json_span cli_json_take_string(struct cli_json_scan *scan)
{
	struct cli_json_span span = {++scan->at, 0};

	for (skip_plain(scan); *scan->at != '"'; skip_plain(scan))
		scan->at += 2;
	span.size_bytes = (size_t)(scan->at++ - span.bytes);
	return span;
}

static void skip_container(struct cli_json_scan *scan)
{
	size_t depth = 0;

	do {
		switch (*scan->at) {
		case '"': (void)cli_json_take_string(scan); continue;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']': depth--; break;
		default: break;
		}
		scan->at++;
	} while (depth > 0);
}

/* Whether a byte belongs to a number, true, false or null rather than to what
 * follows one. */
static bool is_in_word(unsigned char byte)
{
	return (byte > ',' && byte != ']' && byte != '}') || byte == '+';
}

struct cli_json_span cli_json_take_value(struct cli_json_scan *scan)
{
	struct cli_json_span span = {scan->at, 0};

	switch (*scan->at) {
	case '"': (void)cli_json_take_string(scan); break;
	case '{':
	case '[': skip_container(scan); break;
	default:
		while (is_in_word(*scan->at))
			scan->at++;
	}
	span.size_bytes = (size_t)(scan->at - span.bytes);
	return span;
}

void cli_json_begin(struct cli_json_scan *scan, const char *text,
                    size_t size_bytes)
{
	scan->at = (const unsigned char *)text;
	scan->end = scan->at + size_bytes;
	skip_blanks(scan);
}

enum cli_json_kind cli_json_kind(const struct cli_json_scan *scan)
{
	switch (*scan->at) {
	case '{': return CLI_JSON_OBJECT;
	case '[': return CLI_JSON_ARRAY;
	case '"': return CLI_JSON_STRING;
	case 't':
	case 'f': return CLI_JSON_BOOL;
	case 'n': return CLI_JSON_NULL;
	default: return CLI_JSON_NUMBER;
	}
}

const char *cli_json_kind_name(enum cli_json_kind kind)
{
	static const char *const names[] = {
		[CLI_JSON_OBJECT] = "an object",
		[CLI_JSON_ARRAY] = "an array",
		[CLI_JSON_STRING] = "a string",
		[CLI_JSON_NUMBER] = "a number",
		[CLI_JSON_BOOL] = "true or false",
		[CLI_JSON_NULL] = "null",
	};

	return names[kind];
}

void cli_json_enter(struct cli_json_scan *scan)
{
	scan->at++;
}

/* Moves before the next item of a container; at the closing bracket, moves
 * behind it and returns false. */
static bool next_item(struct cli_json_scan *scan)
{
	skip_blanks(scan);
	if (*scan->at == ',') {
		scan->at++;
		skip_blanks(scan);
	}
	if (*scan->at != '}' && *scan->at != ']')
		return true;
	scan->at++;
	return false;
}

bool cli_json_next_member(struct cli_json_scan *scan,
                          struct cli_json_span *name_out)
{
	if (!next_item(scan))
		return false;
	*name_out = cli_json_take_string(scan);
	skip_blanks(scan);
	scan->at++; /* the colon */
	skip_blanks(scan);
	return true;
}

bool cli_json_next_element(struct cli_json_scan *scan)
{
	return next_item(scan);
}

/* -------------------------------------------------------------- unescaping */

/* The value of the four hexadecimal digits behind \u. */
static unsigned hex_unit(const unsigned char *digits)
{
	unsigned unit = 0;
	int i;

	for (i = 0; i < 4; i++) {
		unsigned char digit = digits[i];

		unit = unit << 4 | (digit <= '9' ? digit - (unsigned)'0'
		                                 : (digit | 0x20u) - 'a' + 10);
	}
	return unit;
}

static unsigned char *put_utf8(unsigned char *out, unsigned point)
{
	if (point < 0x80) {
		*out++ = (unsigned char)point;
		return out;
	}
	if (point < 0x800) {
		*out++ = (unsigned char)(0xc0 | point >> 6);
	} else {
		if (point < 0x10000) {
			*out++ = (unsigned char)(0xe0 | point >> 12);
		} else {
			*out++ = (unsigned char)(0xf0 | point >> 18);
			*out++ = (unsigned char)(0x80 | (point >> 12 & 0x3f));
		}
		*out++ = (unsigned char)(0x80 | (point >> 6 & 0x3f));
	}
	*out++ = (unsigned char)(0x80 | (point & 0x3f));
	return out;
}

/* Decodes the \uXXXX at `escape`, or the two of a surrogate pair.  Returns the
 * length of the escape, 0 for half a pair. */
static size_t decode_unit(const unsigned char *escape, size_t left_bytes,
                          unsigned *point_out)
{
	unsigned high = hex_unit(escape + 2);
	unsigned low;

	*point_out = high;
	if (high < 0xd800 || high > 0xdfff)
		return 6;
	if (high > 0xdbff || left_bytes < 12 || escape[6] != '\\' ||
	    escape[7] != 'u')
		return 0;
	low = hex_unit(escape + 8);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*point_out = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 12;
}

/* Decodes one escape; returns its length in the text, or 0 for half a pair. */
static size_t unescape_one(unsigned char **out, const unsigned char *escape,
                           size_t left_bytes)
{
	unsigned char byte = escape[1];
	unsigned point;
	size_t length;

	switch (byte) {
	case 'b': byte = '\b'; break;
	case 'f': byte = '\f'; break;
	case 'n': byte = '\n'; break;
	case 'r': byte = '\r'; break;
	case 't': byte = '\t'; break;
	case 'u':
		length = decode_unit(escape, left_bytes, &point);
		if (length > 0)
			*out = put_utf8(*out, point);
		return length;
	default: break; /* stands for itself */
	}
	*(*out)++ = byte;
	return 2;
}

bool cli_json_unescape(unsigned char *out, struct cli_json_span span,
                       size_t *size_out)
{
	const unsigned char *at = span.bytes;
	const unsigned char *end = at + span.size_bytes;
	unsigned char *start = out;

	while (at < end) {
		size_t length = 1;

		if ((size_t)(end - at) >= CLI_WORD_BYTES) {
			uint64_t hits = cli_word_equal(cli_word_load(at), '\\');

			memcpy(out, at, CLI_WORD_BYTES);
			length = hits == 0 ? CLI_WORD_BYTES
			                   : cli_word_first(hits);
			out += length;
			at += length;
			if (hits == 0)
				continue;
		}
		if (*at != '\\') {
			*out++ = *at++;
			continue;
		}
		length = unescape_one(&out, at, (size_t)(end - at));
		if (length == 0) {
			*size_out = (size_t)(at - span.bytes);
			return false;
		}
		at += length;
	}
	*size_out = (size_t)(out - start);
	return true;
}

bool cli_json_string_is(struct cli_json_span span, const char *text)
{
	size_t length = strlen(text);
	unsigned char plain[96];
	size_t size_bytes;

	/* A byte takes up to six bytes as an escape: room for the 16 characters
	 * that callers may ask for. */
	if (span.size_bytes == length)
		return memcmp(span.bytes, text, length) == 0;
	if (span.size_bytes < length || span.size_bytes > sizeof(plain) ||
	    memchr(span.bytes, '\\', span.size_bytes) == NULL)
		return false;
	return cli_json_unescape(plain, span, &size_bytes) &&
	       size_bytes == length && memcmp(plain, text, length) == 0;
}

/* ----------------------------------------------------------------- numbers */

bool cli_json_span_u64(struct cli_json_span span, uint64_t *value_out)
{
	uint64_t value = 0;
	size_t i;

	if (span.size_bytes == 0)
		return false;
	for (i = 0; i < span.size_bytes; i++) {
		unsigned digit = span.bytes[i] - (unsigned)'0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_out = value;
	return true;
}

bool cli_json_span_i64(struct cli_json_span span, int64_t *value_out)
{
	bool negative = span.size_bytes > 0 && span.bytes[0] == '-';
	uint64_t value;

	if (negative) {
		span.bytes++;
		span.size_bytes--;
	}
	if (!cli_json_span_u64(span, &value) ||
	    value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	if (negative && value > 0)
		*value_out = -(int64_t)(value - 1) - 1;
	else
		*value_out = (int64_t)value;
	return true;
}

/* Significant digits being read: zeros are counted only once a digit behind
 * them shows that they are not trailing ones. */
struct digits {
	uint64_t value;
	long zeros;
	bool too_large;
};

static void shift(struct digits *digits, unsigned digit)
{
	if (digits->value > (UINT64_MAX - digit) / 10)
		digits->too_large = true;
	else
		digits->value = digits->value * 10 + digit;
}

static void take_digit(struct digits *digits, unsigned digit)
{
	if (digit == 0) {
		digits->zeros += digits->value > 0;
		return;
	}
	for (; digits->zeros > 0 && !digits->too_large; digits->zeros--)
		shift(digits, 0);
	digits->zeros = 0;
	shift(digits, digit);
}

/* The exponent behind an e, limited to a value beyond any exponent that
 * matters. */
static long take_exponent(struct cli_json_span text)
{
	const long most = 1000000;
	bool negative = text.size_bytes > 0 && text.bytes[0] == '-';
	long exponent = 0;
	size_t i;

	for (i = 0; i < text.size_bytes; i++) {
		if (text.bytes[i] >= '0' && exponent < most)
			exponent = exponent * 10 + (text.bytes[i] - '0');
	}
	return negative ? -exponent : exponent;
}

enum cli_json_whole cli_json_integer(struct cli_json_span number,
                                     struct cli_json_integer *integer_out)
{
	struct digits digits = {0, 0, false};
	bool negative = number.bytes[0] == '-';
	bool fraction = false;
	long exponent = 0;
	size_t i;

	for (i = negative; i < number.size_bytes; i++) {
		unsigned char byte = number.bytes[i];

		if (byte == '.') {
			fraction = true;
		} else if (byte >= '0' && byte <= '9') {
			take_digit(&digits, byte - (unsigned)'0');
			exponent -= fraction;
		} else {
			exponent += take_exponent((struct cli_json_span){
				number.bytes + i + 1,
				number.size_bytes - i - 1});
			break;
		}
	}
	exponent += digits.zeros;
	if (digits.value > 0 && exponent < 0)
		return CLI_JSON_FRACTION;
	for (; digits.value > 0 && exponent > 0 && !digits.too_large;
	     exponent--)
		shift(&digits, 0);
	*integer_out = (struct cli_json_integer){.negative = negative &&
	                                                     digits.value > 0,
	                                         .magnitude = digits.value};
	return digits.too_large ? CLI_JSON_TOO_LARGE : CLI_JSON_WHOLE;
}

bool cli_json_is_string(struct cli_json_span value)
{
	return value.bytes[0] == '"';
}

struct cli_json_span cli_json_inside(struct cli_json_span value)
{
	return (struct cli_json_span){value.bytes + 1, value.size_bytes - 2};
}

bool cli_json_begin_object(struct cli_json_scan *scan, const char *text,
                           size_t size_bytes)
{
	cli_json_begin(scan, text, size_bytes);
	if (cli_json_kind(scan) != CLI_JSON_OBJECT)
		return false;
	cli_json_enter(scan);
	return true;
}

bool cli_json_take_member(struct cli_json_scan *scan,
                          struct cli_json_member *member_out)
{
	if (!cli_json_next_member(scan, &member_out->name))
		return false;
	member_out->value = cli_json_take_value(scan);
	return true;
}
