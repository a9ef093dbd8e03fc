/* Escapes bytes for a terminal and for JSON strings. */
#include "escape.h"

#include "utf8.h"
#include "words.h"

#include <stdbool.h>
#include <string.h>

static const char HEX[] = "0123456789abcdef";

/* --------------------------------------------------------- for a terminal */

static unsigned char *put_hex_byte(unsigned char *out, unsigned char byte)
{
	*out++ = '\\';
	*out++ = 'x';
	*out++ = (unsigned char)HEX[byte >> 4];
	*out++ = (unsigned char)HEX[byte & 15];
	return out;
}

/* Writes \u{202e}, with as many digits as the code point has. */
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

/* Writes one character of several bytes; stores its length, or 0 for a byte
 * that is no part of one. */
static unsigned char *put_json_wide(unsigned char *out,
                                    const unsigned char *bytes,
                                    size_t size_bytes, size_t *length_out)
{
	unsigned point;
	size_t length = cli_utf8_decode(bytes, size_bytes, &point);

	*length_out = length;
	if (length == 0)
		return put_unit(out, 0xdc00u + bytes[0]);
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

/* What is still to be escaped, and where it goes. */
struct escaping {
	unsigned char *out;
	const unsigned char *at;
	const unsigned char *end;
};

/* Puts ASCII up to a byte that needs more than a backslash, and this one; false
 * before a NUL, if the bytes are to be text. */
static inline bool put_ascii(struct escaping *escaping, bool text)
{
	/* `out` has room for six times what is left: for 48 bytes. */
	while ((size_t)(escaping->end - escaping->at) >= CLI_WORD_BYTES) {
		uint64_t word = cli_word_load(escaping->at);

		if (!is_printable(word))
			break;
		escaping->out = put_json_word(escaping->out, word);
		escaping->at += CLI_WORD_BYTES;
	}
	while (escaping->at < escaping->end && *escaping->at < 0x80) {
		unsigned char byte = *escaping->at;

		if (text && byte == '\0')
			return false;
		escaping->at++;
		escaping->out = put_json_ascii(escaping->out, byte);
		/* The byte that needs an escape may be further on in the
		 * word. */
		if (byte < 0x20 || byte == 0x7f)
			break;
	}
	return true;
}

/* Puts what is not ASCII; false after an invalid byte, if the bytes are to be
 * text. */
static inline bool put_wide(struct escaping *escaping, bool text)
{
	size_t length;

	while (escaping->at < escaping->end && *escaping->at >= 0x80) {
		escaping->out = put_json_wide(
			escaping->out, escaping->at,
			(size_t)(escaping->end - escaping->at), &length);
		if (text && length == 0)
			return false;
		escaping->at += length + (length == 0);
	}
	return true;
}

/* ----------------------------------------------- a JSON string of any bytes */

/* How many bytes can be escaped quickly where there is no room beyond what they
 * may become: whole blocks, or so many of one that they may become as much as
 * is written. */
static size_t most_without_room(size_t size_bytes)
{
	size_t part = size_bytes % CLI_ESCAPE_BLOCK;

	return part * CLI_ESCAPE_JSON_MAX < CLI_ESCAPE_BEYOND
	               ? size_bytes - part
	               : size_bytes;
}

static inline size_t escape_bytes(unsigned char *out,
                                  const unsigned char *bytes, size_t size_bytes,
                                  bool quickly)
{
	struct escaping escaping = {out, bytes, bytes + size_bytes};

	while (escaping.at < escaping.end) {
		size_t left = (size_t)(escaping.end - escaping.at);

		if (quickly)
			escaping.at += cli_escape_quickly(
				&escaping.out, escaping.at,
				most_without_room(left), left);
		(void)put_ascii(&escaping, false);
		(void)put_wide(&escaping, false);
	}
	return (size_t)(escaping.out - out);
}

size_t cli_escape_json(unsigned char *out, const unsigned char *bytes,
                       size_t size_bytes)
{
	return escape_bytes(out, bytes, size_bytes, true);
}

size_t cli_escape_json_slowly(unsigned char *out, const unsigned char *bytes,
                              size_t size_bytes)
{
	return escape_bytes(out, bytes, size_bytes, false);
}

/* ---------------------------------------------------- a JSON string of text */

static inline bool escape_text(unsigned char **out, const unsigned char *bytes,
                               size_t size_bytes, size_t readable_bytes,
                               bool quickly)
{
	struct escaping escaping = {*out, bytes, bytes + size_bytes};
	const unsigned char *readable_end = bytes + readable_bytes;

	for (;;) {
		if (quickly)
			escaping.at += cli_escape_quickly(
				&escaping.out, escaping.at,
				(size_t)(escaping.end - escaping.at),
				(size_t)(readable_end - escaping.at));
		if (escaping.at == escaping.end)
			break;
		if (!put_ascii(&escaping, true) || !put_wide(&escaping, true))
			return false;
	}
	*out = escaping.out;
	return true;
}

bool cli_escape_json_text(unsigned char **out, const unsigned char *bytes,
                          size_t size_bytes, size_t readable_bytes)
{
	return escape_text(out, bytes, size_bytes, readable_bytes, true);
}

bool cli_escape_json_text_slowly(unsigned char **out,
                                 const unsigned char *bytes, size_t size_bytes)
{
	return escape_text(out, bytes, size_bytes, size_bytes, false);
}
