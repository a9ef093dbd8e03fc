/* UTF-8, escaping, base64 and JSON strings: bytes to safe text. */
#include "text.h"

#include "words.h"

#include <string.h>

static const char HEX[] = "0123456789abcdef";

/* ---------------------------------------------------------------- numbers */

static const char DIGIT_PAIRS[] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

static size_t count_digits(uint64_t value)
{
	size_t digits = 1;

	for (; value >= 10000; value /= 10000)
		digits += 4;
	return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t cli_put_u64(unsigned char *out, uint64_t value)
{
	size_t digits = count_digits(value);
	unsigned char *at = out + digits;

	for (; value >= 100; value /= 100) {
		at -= 2;
		memcpy(at, DIGIT_PAIRS + value % 100 * 2, 2);
	}
	if (value >= 10)
		memcpy(out, DIGIT_PAIRS + value * 2, 2);
	else
		*out = (unsigned char)('0' + value);
	return digits;
}

/* ------------------------------------------------------------------ UTF-8 */

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* A sequence whose first byte is 0xe0 to 0xef. */
static size_t decode_three(const unsigned char *bytes, size_t size_bytes,
                           unsigned *code_point_out)
{
	unsigned point;

	if (size_bytes < 3 || !is_continuation(bytes[1]) ||
	    !is_continuation(bytes[2]))
		return 0;
	point = (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 |
	        (bytes[2] & 0x3fu);
	if (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*code_point_out = point;
	return 3;
}

/* A sequence whose first byte is 0xf0 to 0xf7. */
static size_t decode_four(const unsigned char *bytes, size_t size_bytes,
                          unsigned *code_point_out)
{
	unsigned point;

	if (size_bytes < 4 || !is_continuation(bytes[1]) ||
	    !is_continuation(bytes[2]) || !is_continuation(bytes[3]))
		return 0;
	point = (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3fu) << 12 |
	        (bytes[2] & 0x3fu) << 6 | (bytes[3] & 0x3fu);
	if (point < 0x10000 || point > 0x10ffff)
		return 0;
	*code_point_out = point;
	return 4;
}

size_t cli_utf8_decode(const unsigned char *bytes, size_t size_bytes,
                       unsigned *code_point_out)
{
	unsigned char first;

	if (size_bytes == 0)
		return 0;
	first = bytes[0];
	if (first < 0x80) {
		*code_point_out = first;
		return 1;
	}
	if (first < 0xc2) /* a continuation, or an overlong form */
		return 0;
	if (first < 0xe0) {
		if (size_bytes < 2 || !is_continuation(bytes[1]))
			return 0;
		*code_point_out = (first & 0x1fu) << 6 | (bytes[1] & 0x3fu);
		return 2;
	}
	if (first < 0xf0)
		return decode_three(bytes, size_bytes, code_point_out);
	if (first < 0xf8)
		return decode_four(bytes, size_bytes, code_point_out);
	return 0;
}

bool cli_utf8_is_valid(const unsigned char *bytes, size_t size_bytes)
{
	const unsigned char *end = bytes + size_bytes;
	unsigned point;
	size_t length;

	for (;;) {
		while ((size_t)(end - bytes) >= CLI_WORD_BYTES &&
		       cli_word_high(cli_word_load(bytes)) == 0)
			bytes += CLI_WORD_BYTES;
		while (bytes < end && *bytes < 0x80)
			bytes++;
		if (bytes == end)
			return true;
		do {
			length = cli_utf8_decode(bytes, (size_t)(end - bytes),
			                         &point);
			if (length == 0)
				return false;
			bytes += length;
		} while (bytes < end && *bytes >= 0x80);
	}
}

/* ------------------------------------------------------ unsafe characters */

/*
 * Unicode's control and format characters (Cc, Cf), its line and paragraph
 * separators, its noncharacters, and everything that it says may be ignored
 * in display (Default_Ignorable_Code_Point, fillers, joiners and variation
 * selectors among it): what acts on a terminal, or is there and not seen.
 * Ascending.  The noncharacters at the end of each plane are not listed.
 */
static const struct {
	unsigned first;
	unsigned last;
} unsafe_ranges[] = {
	{0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},
	{0x034f, 0x034f},   {0x0600, 0x0605},   {0x061c, 0x061c},
	{0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},
	{0x08e2, 0x08e2},   {0x115f, 0x1160},   {0x17b4, 0x17b5},
	{0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f},   {0x3164, 0x3164},   {0xfdd0, 0xfdef},
	{0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
	{0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
	{0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xe0000, 0xe0fff},
};

bool cli_code_point_is_unsafe(unsigned code_point)
{
	size_t low = 0;
	size_t high = sizeof(unsafe_ranges) / sizeof(unsafe_ranges[0]);

	/* Most of what is written lies here: Latin, and the scripts of the
	 * Far East. */
	if (code_point >= 0xa0 && code_point < 0x300)
		return code_point == 0xad;
	if (code_point >= 0x2070 && code_point <= 0xd7ff)
		return code_point == 0x3164;
	if ((code_point & 0xfffe) == 0xfffe)
		return true;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (code_point > unsafe_ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof(unsafe_ranges) / sizeof(unsafe_ranges[0]) &&
	       code_point >= unsafe_ranges[low].first;
}

/* --------------------------------------------------------- for a terminal */

static unsigned char *put_hex_byte(unsigned char *out, unsigned char byte)
{
	*out++ = '\\';
	*out++ = 'x';
	*out++ = (unsigned char)HEX[byte >> 4];
	*out++ = (unsigned char)HEX[byte & 15];
	return out;
}

/* \u{202e}: as many digits as it takes. */
static unsigned char *put_braced(unsigned char *out, unsigned point)
{
	unsigned shift = 20;

	*out++ = '\\';
	*out++ = 'u';
	*out++ = '{';
	while (point >> shift == 0)
		shift -= 4;
	for (;;) {
		*out++ = (unsigned char)HEX[point >> shift & 15];
		if (shift == 0)
			break;
		shift -= 4;
	}
	*out++ = '}';
	return out;
}

static unsigned char *put_control(unsigned char *out, unsigned char byte)
{
	char letter = byte == '\n'   ? 'n'
	              : byte == '\t' ? 't'
	              : byte == '\r' ? 'r'
	                             : '\0';

	if (letter == '\0')
		return put_hex_byte(out, byte);
	*out++ = '\\';
	*out++ = (unsigned char)letter;
	return out;
}

size_t cli_escape_terminal(unsigned char *out, const unsigned char *bytes,
                           size_t size_bytes)
{
	const unsigned char *end = bytes + size_bytes;
	unsigned char *start = out;

	while (bytes < end) {
		const unsigned char *run = bytes;
		unsigned point;
		size_t length;

		while (bytes < end && *bytes >= 0x20 && *bytes < 0x7f)
			bytes++;
		memcpy(out, run, (size_t)(bytes - run));
		out += bytes - run;
		if (bytes == end)
			break;
		length = cli_utf8_decode(bytes, (size_t)(end - bytes), &point);
		if (length == 0) {
			out = put_hex_byte(out, *bytes++);
			continue;
		}
		if (length == 1) {
			out = put_control(out, *bytes);
		} else if (cli_code_point_is_unsafe(point)) {
			out = put_braced(out, point);
		} else {
			memcpy(out, bytes, length);
			out += length;
		}
		bytes += length;
	}
	return (size_t)(out - start);
}

/* --------------------------------------------------------- a JSON string */

static unsigned char *put_unit(unsigned char *out, unsigned unit)
{
	*out++ = '\\';
	*out++ = 'u';
	*out++ = (unsigned char)HEX[unit >> 12 & 15];
	*out++ = (unsigned char)HEX[unit >> 8 & 15];
	*out++ = (unsigned char)HEX[unit >> 4 & 15];
	*out++ = (unsigned char)HEX[unit & 15];
	return out;
}

static unsigned char *put_json_ascii(unsigned char *out, unsigned char byte)
{
	unsigned char letter;

	switch (byte) {
	case '"':
	case '\\': letter = byte; break;
	case '\b': letter = 'b'; break;
	case '\f': letter = 'f'; break;
	case '\n': letter = 'n'; break;
	case '\r': letter = 'r'; break;
	case '\t': letter = 't'; break;
	default:
		if (byte < 0x20 || byte == 0x7f)
			return put_unit(out, byte);
		*out++ = byte;
		return out;
	}
	*out++ = '\\';
	*out++ = letter;
	return out;
}

/* One character of several bytes; *length_out says how many. */
static unsigned char *put_json_wide(unsigned char *out,
                                    const unsigned char *bytes,
                                    size_t size_bytes, size_t *length_out)
{
	unsigned point;
	size_t length = cli_utf8_decode(bytes, size_bytes, &point);

	*length_out = length;
	if (length == 0) {
		*length_out = 1;
		return put_unit(out, 0xdc00u + bytes[0]);
	}
	if (!cli_code_point_is_unsafe(point)) {
		memcpy(out, bytes, length);
		return out + length;
	}
	if (point <= 0xffff)
		return put_unit(out, point);
	point -= 0x10000;
	out = put_unit(out, 0xd800u + (point >> 10));
	return put_unit(out, 0xdc00u + (point & 0x3ff));
}

/* Whether a word is all printable ASCII.  (A carry can only come out of a
 * byte that is outside of ASCII itself.) */
static bool is_printable(uint64_t word)
{
	uint64_t from_space = word + CLI_WORD_ONES * (0x80 - 0x20);
	uint64_t delete = word + CLI_WORD_ONES;

	return ((word | delete | ~from_space) & CLI_WORD_TOPS) == 0;
}

/* The bytes of an ASCII word that equal `byte`, all of them exactly. */
static uint64_t ascii_equal(uint64_t word, unsigned char byte)
{
	return (CLI_WORD_TOPS - (word ^ CLI_WORD_ONES * byte)) & CLI_WORD_TOPS;
}

/* Copies a word of printable ASCII, with a backslash before each quote and
 * backslash.  For each one the rest of the word is stored again, a byte
 * further on: up to 24 bytes are written. */
static unsigned char *put_json_word(unsigned char *out, uint64_t word)
{
	uint64_t hits = ascii_equal(word, '"') | ascii_equal(word, '\\');

	cli_word_store(out, word);
	for (; hits != 0; hits &= hits - 1) {
		unsigned place = cli_word_first(hits);

		out[place] = '\\';
		cli_word_store(out + place + 1, word >> (8 * place));
		out++;
	}
	return out + CLI_WORD_BYTES;
}

size_t cli_escape_json(unsigned char *out, const unsigned char *bytes,
                       size_t size_bytes)
{
	const unsigned char *end = bytes + size_bytes;
	unsigned char *start = out;
	size_t length;

	while (bytes < end) {
		/* `out` has room for six times what is left: for 48 bytes. */
		while ((size_t)(end - bytes) >= CLI_WORD_BYTES) {
			uint64_t word = cli_word_load(bytes);

			if (!is_printable(word))
				break;
			out = put_json_word(out, word);
			bytes += CLI_WORD_BYTES;
		}
		while (bytes < end && *bytes < 0x80) {
			unsigned char byte = *bytes++;

			out = put_json_ascii(out, byte);
			/* What made the word special may be behind it. */
			if (byte < 0x20 || byte == 0x7f)
				break;
		}
		while (bytes < end && *bytes >= 0x80) {
			out = put_json_wide(out, bytes, (size_t)(end - bytes),
			                    &length);
			bytes += length;
		}
	}
	return (size_t)(out - start);
}

/* ----------------------------------------------------------------- base64 */

static const char BASE64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t cli_base64_size(size_t size_bytes)
{
	return (size_bytes + 2) / 3 * 4;
}

size_t cli_base64_encode(char *out, const unsigned char *bytes,
                         size_t size_bytes)
{
	char *start = out;
	unsigned bits;

	for (; size_bytes >= 3; size_bytes -= 3, bytes += 3) {
		bits = (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 |
		       bytes[2];
		*out++ = BASE64[bits >> 18];
		*out++ = BASE64[bits >> 12 & 63];
		*out++ = BASE64[bits >> 6 & 63];
		*out++ = BASE64[bits & 63];
	}
	if (size_bytes > 0) {
		bits = (unsigned)bytes[0] << 16 |
		       (size_bytes == 2 ? (unsigned)bytes[1] << 8 : 0);
		*out++ = BASE64[bits >> 18];
		*out++ = BASE64[bits >> 12 & 63];
		*out++ = size_bytes == 2 ? BASE64[bits >> 6 & 63] : '=';
		*out++ = '=';
	}
	return (size_t)(out - start);
}

/* The six bits of each character from '+' to 'z', or FOREIGN. */
#define FOREIGN 64u
static const unsigned char base64_values[] = {
	62, 64, 64, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64,
	64, 64, 64, 64, 64, 64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
	10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
	64, 64, 64, 64, 64, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
	36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
};

static unsigned base64_value(char character)
{
	unsigned place = (unsigned char)character - (unsigned)'+';

	return place < sizeof(base64_values) ? base64_values[place] : FOREIGN;
}

/* `digits` characters (2 to 4) to digits - 1 bytes.  False for a foreign
 * character and for bits that belong to no byte. */
static bool decode_group(unsigned char *out, const char *text, size_t digits)
{
	unsigned bits = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		unsigned value = i < digits ? base64_value(text[i]) : 0;

		if (value == FOREIGN)
			return false;
		bits = bits << 6 | value;
	}
	if ((digits == 2 && (bits & 0xffff) != 0) ||
	    (digits == 3 && (bits & 0xff) != 0))
		return false;
	out[0] = (unsigned char)(bits >> 16);
	if (digits > 2)
		out[1] = (unsigned char)(bits >> 8);
	if (digits > 3)
		out[2] = (unsigned char)bits;
	return true;
}

bool cli_base64_decode(unsigned char *out, size_t *size_out, const char *text,
                       size_t text_bytes)
{
	unsigned char *start = out;
	size_t digits = 4;

	if (text_bytes % 4 != 0)
		return false;
	for (; text_bytes > 0; text_bytes -= 4, text += 4) {
		if (text_bytes == 4 && text[3] == '=')
			digits = text[2] == '=' ? 2 : 3;
		if (!decode_group(out, text, digits))
			return false;
		out += digits - 1;
	}
	*size_out = (size_t)(out - start);
	return true;
}
