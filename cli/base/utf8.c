/* Decodes UTF-8, and knows the characters that must not be shown. */
#include "utf8.h"

#include "words.h"

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

/*
 * Characters that act on a terminal, or that are there without being seen:
 * Unicode's control and format characters (Cc, Cf), its line and paragraph
 * separators, its noncharacters, and all characters that it allows to ignore in
 * display (Default_Ignorable_Code_Point, with fillers, joiners and variation
 * selectors).  In ascending order.  The noncharacters at the end of each plane
 * are not listed.
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

	/* The most frequent characters are in these ranges: Latin, and the
	 * scripts of East Asia. */
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
