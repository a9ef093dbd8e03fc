/* Encodes and decodes base64. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

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

/* Decodes `digits` characters (2 to 4) to digits - 1 bytes.  False for a
 * character that is not in the alphabet, and for unused bits that are not
 * zero. */
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
