/* Prints frames in hexadecimal, as hexdump -C does. */
#include "out_formats.h"

#include "output_format.h"
#include <string.h>

#define PUT(out, text) \
	(memcpy((out), (text), sizeof(text) - 1), (out) + sizeof(text) - 1)

#define HEX_ROW_BYTES 16u
/* "00000000  " + 16 times "00 " + " " + " |" + 16 + "|\n" */
#define HEX_LINE_BYTES 80u

static unsigned char *put_hex(unsigned char *out, uint32_t value, int digits)
{
	static const char hex[] = "0123456789abcdef";

	while (digits > 0)
		*out++ = (unsigned char)hex[value >> (4 * --digits) & 15];
	return out;
}

/* One line of `count` (1 to 16) bytes, as hexdump -C prints it. */
static unsigned char *put_hex_line(unsigned char *out, uint32_t offset,
                                   const unsigned char *bytes, size_t count)
{
	size_t i;

	out = put_hex(out, offset, 8);
	out = PUT(out, "  ");
	for (i = 0; i < HEX_ROW_BYTES; i++) {
		if (i == HEX_ROW_BYTES / 2)
			*out++ = ' ';
		if (i < count)
			out = put_hex(out, bytes[i], 2);
		else
			out = PUT(out, "  ");
		*out++ = ' ';
	}
	out = PUT(out, " |");
	for (i = 0; i < count; i++)
		*out++ = bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.';
	return PUT(out, "|\n");
}

/* Whole rows that repeat the one before them are shown by one asterisk; the
 * last line is the offset of the end, unless there was nothing. */
static unsigned char *put_hex_lines(unsigned char *out,
                                    const unsigned char *bytes, uint32_t size)
{
	bool squeezing = false;
	uint32_t at;

	for (at = 0; at < size; at += HEX_ROW_BYTES) {
		uint32_t left = size - at;

		if (at > 0 && left >= HEX_ROW_BYTES &&
		    memcmp(bytes + at, bytes + at - HEX_ROW_BYTES,
		           HEX_ROW_BYTES) == 0) {
			if (!squeezing)
				out = PUT(out, "*\n");
			squeezing = true;
			continue;
		}
		squeezing = false;
		out = put_hex_line(out, at, bytes + at,
		                   left < HEX_ROW_BYTES ? left : HEX_ROW_BYTES);
	}
	if (size > 0) {
		out = put_hex(out, size, 8);
		*out++ = '\n';
	}
	return out;
}

void cli_out_hex(const struct cli_renderer *renderer, struct cli_output *output,
                 const struct shmlog_frame *frame)
{
	size_t rows = frame->size_bytes / HEX_ROW_BYTES + 2;
	unsigned char *room;
	unsigned char *out;

	cli_output_string(output, "cursor ");
	cli_output_u64(output, frame->cursor);
	cli_output_string(output, " size ");
	cli_output_u64(output, frame->size_bytes);
	cli_output_string(output, renderer->late ? " late\n" : "\n");
	room = cli_output_reserve(output, rows * HEX_LINE_BYTES);
	if (room == NULL)
		return;
	out = put_hex_lines(room, frame->payload, frame->size_bytes);
	cli_output_advance(output, (size_t)(out - room));
}
