/*
 * Output: what every format prints of a payload can be read back, and what may
 * reach a terminal is harmless.  INPUT: FLAGS CURSOR INDEX REPEAT COUNT PAYLOAD
 */
#include "base64.h"
#include "escape.h"
#include "fuzz.h"
#include "json_check.h"
#include "json_write.h"
#include "numbers.h"

#include "input_format.h"
#include "message.h"
#include "output_format.h"
#include "stdout_buffer.h"

#include <inttypes.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Payloads up to this size meet every check; of larger ones, FLAGS chooses. */
#define MODERATE_BYTES 1024u

/* A block of `times` times the payload's size for an encoder that promises to
 * write no more. */
static uint8_t *room_for(size_t size_bytes, size_t times)
{
	uint8_t *room = malloc(size_bytes * times + 1);

	require(room != NULL);
	room = realloc(room, size_bytes * times > 0 ? size_bytes * times : 1);
	require(room != NULL);
	return room;
}

/* ---------------------------------------------------------------- encoders */

static void check_escape_terminal(const uint8_t *bytes, size_t size_bytes)
{
	uint8_t *once = room_for(size_bytes, CLI_ESCAPE_TERMINAL_MAX);
	size_t used = cli_escape_terminal(once, bytes, size_bytes);
	uint8_t *twice = room_for(used, CLI_ESCAPE_TERMINAL_MAX);

	require(used <= size_bytes * CLI_ESCAPE_TERMINAL_MAX);
	require(fuzz_is_harmless(once, used));
	/* What is harmless stays as it is. */
	require(cli_escape_terminal(twice, once, used) == used);
	require(memcmp(once, twice, used) == 0);
	free(once);
	free(twice);
}

FUZZ_JUDGE static unsigned hex_digits(const uint8_t *digits, int count)
{
	unsigned value = 0;

	for (int i = 0; i < count; i++) {
		unsigned digit = digits[i] <= '9' ? digits[i] - '0' + 0u
		                                  : digits[i] - 'a' + 10u;

		require(digit < 16);
		value = value * 16 + digit;
	}
	return value;
}

FUZZ_JUDGE static size_t put_point(uint8_t *out, unsigned point)
{
	if (point < 0x80) {
		out[0] = (uint8_t)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (uint8_t)(0xc0 | point >> 6);
		out[1] = (uint8_t)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (uint8_t)(0xe0 | point >> 12);
		out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | point >> 18);
	out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (point & 0x3f));
	return 4;
}

/* Undoes one escape of cli_escape_json(); returns its length. */
FUZZ_JUDGE static size_t undo_escape(uint8_t *out, size_t *used,
                                     const uint8_t *escape)
{
	static const char names[] = "\"\\bfnrt", stands[] = "\"\\\b\f\n\r\t";
	const char *name = strchr(names, escape[1]);
	unsigned unit, low;

	if (escape[1] != 'u') {
		require(name != NULL && *name != '\0');
		out[(*used)++] = (uint8_t)stands[name - names];
		return 2;
	}
	unit = hex_digits(escape + 2, 4);
	if (unit >= 0xdc00 && unit < 0xe000) {
		/* A byte that is no text. */
		require(unit >= 0xdc80 && unit <= 0xdcff);
		out[(*used)++] = (uint8_t)unit;
		return 6;
	}
	if (unit < 0xd800 || unit > 0xdfff) {
		*used += put_point(out + *used, unit);
		return 6;
	}
	require(escape[6] == '\\' && escape[7] == 'u');
	low = hex_digits(escape + 8, 4);
	require(low >= 0xdc00 && low < 0xe000);
	unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	*used += put_point(out + *used, unit);
	return 12;
}

FUZZ_JUDGE static void check_escape_json(const uint8_t *bytes,
                                         size_t size_bytes)
{
	uint8_t *escaped = room_for(size_bytes, CLI_ESCAPE_JSON_MAX);
	size_t used = cli_escape_json(escaped, bytes, size_bytes);
	uint8_t *slowly = room_for(size_bytes, CLI_ESCAPE_JSON_MAX);
	uint8_t *quoted = malloc(used + 2);
	uint8_t *plain = malloc(used + 4);
	struct cli_json_error error;
	size_t plain_bytes = 0;

	require(quoted != NULL && plain != NULL);
	require(used <= size_bytes * CLI_ESCAPE_JSON_MAX);
	require(cli_escape_json_slowly(slowly, bytes, size_bytes) == used &&
	        (used == 0 || memcmp(slowly, escaped, used) == 0));
	free(slowly);
	require(fuzz_is_harmless(escaped, used));
	quoted[0] = '"';
	memcpy(quoted + 1, escaped, used);
	quoted[used + 1] = '"';
	require(cli_json_check((char *)quoted, used + 2, &error));
	for (size_t at = 0; at < used;) {
		if (escaped[at] == '\\')
			at += undo_escape(plain, &plain_bytes, quoted + 1 + at);
		else
			plain[plain_bytes++] = escaped[at++];
	}
	require(plain_bytes == size_bytes &&
	        memcmp(plain, bytes, size_bytes) == 0);
	free(escaped);
	free(quoted);
	free(plain);
}

FUZZ_JUDGE static void check_base64(const uint8_t *bytes, size_t size_bytes)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk"
				       "lmnopqrstuvwxyz0123456789+/=";
	size_t text_bytes = cli_base64_size(size_bytes), used;
	uint8_t *text = room_for(text_bytes, 1);
	uint8_t *back = room_for(text_bytes / 4, 3);

	require(text_bytes == (size_bytes + 2) / 3 * 4);
	require(cli_base64_encode((char *)text, bytes, size_bytes) ==
	        text_bytes);
	for (size_t i = 0; i < text_bytes; i++)
		require(text[i] != '\0' && strchr(alphabet, text[i]) != NULL);
	require(cli_base64_decode(back, &used, (char *)text, text_bytes));
	require(used == size_bytes && memcmp(back, bytes, used) == 0);
	free(text);
	free(back);
}

/* What is taken for base64 is the one way to write it. */
static void check_base64_decode(const uint8_t *text, size_t text_bytes)
{
	uint8_t *bytes = room_for(text_bytes / 4, 3);
	uint8_t *back = room_for(text_bytes, 1);
	size_t used;

	if (cli_base64_decode(bytes, &used, (const char *)text, text_bytes)) {
		require(cli_base64_size(used) == text_bytes);
		require(cli_base64_encode((char *)back, bytes, used) ==
		        text_bytes);
		require(memcmp(back, text, text_bytes) == 0);
	}
	free(bytes);
	free(back);
}

static void check_quote(const uint8_t *bytes, size_t size_bytes)
{
	struct cli_quoted quoted;
	const char *text = cli_quote_bytes(&quoted, bytes, size_bytes);
	size_t length = strnlen(text, sizeof(quoted.text));

	require(length >= 2 && length < sizeof(quoted.text));
	require(fuzz_is_harmless((const uint8_t *)text, length));
	/* Its end may be cut off, and then says so. */
	require(text[0] == '\'' && (text[length - 1] == '\'' ||
	                            strcmp(text + length - 3, "...") == 0));
}

static void check_object(const uint8_t *bytes, size_t size_bytes,
                         uint64_t number)
{
	struct fuzz_input input = {bytes, size_bytes};
	char *text = fuzz_take_text(&input);
	struct cli_object *object = cli_object_new();
	struct cli_json_error error;
	char *printed, expected[64];

	cli_object_u64(object, "number", number);
	cli_object_i64(object, "integer", (int64_t)number);
	cli_object_string(cli_object_child(object, "child"), "text", text);
	cli_object_decimal(cli_array_object(cli_object_array(object, "list")),
	                   "part", (double)number / 1000.0, 3);
	printed = cli_object_print(object);
	require(printed != NULL);
	require(cli_json_check(printed, strlen(printed), &error));
	require(fuzz_is_harmless((uint8_t *)printed, strlen(printed)));
	snprintf(expected, sizeof(expected), "{\"number\":%" PRIu64 ",",
	         number);
	require(strncmp(printed, expected, strlen(expected)) == 0);
	free(printed);
	free(text);
	cli_object_free(object);
}

/* ----------------------------------------------------------------- formats */

/* The one column of csv: the payload. */
static const struct cli_cell *find_payload(struct cli_column_source *source,
                                           const struct shmlog_frame *frame)
{
	static struct cli_cell cell;

	(void)source;
	cell = (struct cli_cell){frame->payload, frame->size_bytes};
	return &cell;
}

static struct fuzz_written render(const char *format, bool escape,
                                  const struct shmlog_frame *frames,
                                  size_t count)
{
	struct cli_column_source columns = {.count = 1, .find = find_payload};
	struct cli_renderer renderer = {
		.format = cli_output_format_find(format),
		.columns = &columns,
		.escape = escape};
	struct cli_output *output = fuzz_output();

	cli_render_frames(&renderer, output, frames, count);
	cli_renderer_release(&renderer);
	require(cli_output_flush(output) == 0);
	return fuzz_take_output();
}

/* The output is one record of an input format, and stands for the payload. */
static void check_input(const char *output, const char *input,
                        const struct shmlog_frame *frame)
{
	static unsigned char scratch[CLI_RECORD_MAX_BYTES];
	const struct cli_input_format *format = cli_input_format_find(input);
	struct fuzz_written written = render(output, false, frame, 1);
	uint8_t *bytes = fuzz_copy(written.bytes, written.size_bytes);
	struct cli_record record;
	struct cli_payload payload;

	require(written.size_bytes > 0);
	require(cli_record_split(format, bytes, written.size_bytes, true,
	                         &record) == CLI_SPLIT_RECORD);
	require(record.consumed == written.size_bytes);
	require(cli_record_convert(format, &record, scratch, &payload) ==
	        CLI_CONVERT_PAYLOAD);
	require(payload.size_bytes == frame->size_bytes);
	require(memcmp(payload.bytes, frame->payload, frame->size_bytes) == 0);
	free(bytes);
}

static void check_json(const struct shmlog_frame *frame)
{
	struct fuzz_written written = render("json", false, frame, 1);
	struct cli_json_error error;
	char expected[128];
	int length;

	require(written.bytes[written.size_bytes - 1] == '\n');
	require(cli_json_check((char *)written.bytes, written.size_bytes,
	                       &error));
	require(fuzz_is_harmless(written.bytes, written.size_bytes - 1));
	length = snprintf(expected, sizeof(expected),
	                  "{\"cursor\":%" PRIu64 ",\"next\":%" PRIu64
	                  ",\"index\":",
	                  frame->cursor, frame->next_cursor);
	require(memcmp(written.bytes, expected, (size_t)length) == 0);
	check_input("json", "envelope", frame);
}

/* Reads the bytes of a row; *at moves behind the line. */
FUZZ_JUDGE static size_t read_hex_row(const char **at, uint8_t *row_out)
{
	const char *bar = strchr(*at, '|');
	size_t count = 0;

	for (const char *digit = *at + 8; digit < bar; digit++) {
		if (*digit == ' ')
			continue;
		row_out[count++] = (uint8_t)hex_digits((const uint8_t *)digit++,
		                                       2);
		require(count <= 16);
	}
	require(strnlen(bar, count + 3) > count + 2 && bar[count + 1] == '|' &&
	        bar[count + 2] == '\n');
	*at = bar + count + 3;
	return count;
}

/* A hex dump is read back: an asterisk repeats the row before it. */
FUZZ_JUDGE static void check_hex(const struct shmlog_frame *frame)
{
	struct fuzz_written written = render("hex", false, frame, 1);
	char *text = (char *)fuzz_copy(written.bytes, written.size_bytes + 1);
	const char *at = strchr(text, '\n') + 1;
	uint8_t row[16] = {0};
	size_t done = 0;
	bool repeats = false;

	text[written.size_bytes] = '\0';
	for (size_t i = 0; i < written.size_bytes; i++)
		require(text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f));
	while (*at != '\0') {
		size_t place, count;

		if (*at == '*') {
			repeats = true;
			at += 2;
			continue;
		}
		place = hex_digits((const uint8_t *)at, 8);
		require(repeats ? place > done : place == done);
		for (; done < place; done += 16)
			require(memcmp(frame->payload + done, row, 16) == 0);
		repeats = false;
		if (at[8] == '\n') {
			require(done == frame->size_bytes && at[9] == '\0');
			break;
		}
		count = read_hex_row(&at, row);
		require(done + count <= frame->size_bytes &&
		        memcmp(frame->payload + done, row, count) == 0);
		done += count;
	}
	require(done == frame->size_bytes);
	free(text);
}

static void check_raw(const struct shmlog_frame *frame)
{
	struct fuzz_written written = render("raw", false, frame, 1);

	require(written.size_bytes == frame->size_bytes);
	require(frame->size_bytes == 0 ||
	        memcmp(written.bytes, frame->payload, frame->size_bytes) == 0);
}

/* A cell is read back: what is in quotes, or all up to the end of the line. */
FUZZ_JUDGE static void check_csv(const struct shmlog_frame *frame)
{
	struct fuzz_written written = render("csv", false, frame, 1);
	uint8_t *plain = room_for(written.size_bytes, 1);
	size_t end = written.size_bytes - 1, used = 0;
	bool quoted = written.bytes[0] == '"';

	require(written.size_bytes > 1 && written.bytes[end] == '\n');
	require(!quoted || (end > 1 && written.bytes[end - 1] == '"'));
	for (size_t at = quoted; at < end - quoted; at++) {
		uint8_t byte = written.bytes[at];

		if (quoted && byte == '"')
			require(written.bytes[++at] == '"' && at < end - 1);
		require(quoted || strchr(",\"\r\n", byte) == NULL ||
		        byte == '\0');
		plain[used++] = byte;
	}
	require(used == frame->size_bytes &&
	        (used == 0 || memcmp(plain, frame->payload, used) == 0));
	free(plain);
}

/* On a terminal every format is harmless but for its own line ends. */
static void check_terminal(const struct shmlog_frame *frame)
{
	for (size_t i = 0; cli_output_formats[i].name != NULL; i++) {
		const struct cli_output_format *format = &cli_output_formats[i];
		struct fuzz_written written = render(format->name, true, frame,
		                                     1);
		bool ended = format->end != CLI_NO_END;

		/* Hex and JSON have lines of their own. */
		if (format->safe_on_terminal)
			require(memchr(written.bytes, 0x1b,
			               written.size_bytes) == NULL);
		else
			require(fuzz_is_harmless(written.bytes,
			                         written.size_bytes - ended));
	}
}

/* Many frames at once are printed as one after the other. */
FUZZ_JUDGE static void check_batch(const struct shmlog_frame *frame)
{
	struct shmlog_frame frames[2] = {*frame, *frame};

	frames[0].size_bytes = frame->size_bytes / 2;
	frames[0].next_cursor = frame->cursor + frames[0].size_bytes + 4;
	frames[1].cursor = frames[0].next_cursor;
	frames[1].next_cursor = frames[1].cursor + frame->size_bytes + 4;
	for (size_t i = 0; cli_output_formats[i].name != NULL; i++) {
		const char *format = cli_output_formats[i].name;
		struct fuzz_written written = render(format, false, frames, 2);
		size_t size_bytes = written.size_bytes, first;
		uint8_t *both = fuzz_copy(written.bytes, size_bytes);

		written = render(format, false, frames, 1);
		first = written.size_bytes;
		require(first <= size_bytes &&
		        (first == 0 ||
		         memcmp(both, written.bytes, first) == 0));
		written = render(format, false, frames + 1, 1);
		require(first + written.size_bytes == size_bytes);
		require(written.size_bytes == 0 ||
		        memcmp(both + first, written.bytes,
		               written.size_bytes) == 0);
		free(both);
	}
}

/* Finds a byte of a payload, and thereby parts of characters. */
static bool find_byte(void *context, const unsigned char *bytes,
                      size_t size_bytes, size_t start, size_t *begin_out,
                      size_t *end_out)
{
	const unsigned char *at = memchr(bytes + start,
	                                 *(const unsigned char *)context,
	                                 size_bytes - start);

	if (at == NULL)
		return false;
	*begin_out = (size_t)(at - bytes);
	*end_out = *begin_out + 1;
	return true;
}

/* Takes the sequences of colours out; others are none of this output. */
static size_t strip_color(uint8_t *bytes, size_t size_bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < size_bytes; i++) {
		if (bytes[i] != 0x1b) {
			bytes[kept++] = bytes[i];
			continue;
		}
		require(bytes[++i] == '[');
		while (bytes[++i] != 'm')
			require(bytes[i] == ';' ||
			        (bytes[i] >= '0' && bytes[i] <= '9'));
	}
	return kept;
}

/* On a terminal, output with colour is what it is without, and sequences. */
FUZZ_JUDGE static void check_color(const struct shmlog_frame *frame)
{
	struct cli_color color = {.on = true};
	struct cli_column_source columns = {.count = 1, .find = find_payload};
	unsigned char wanted = frame->size_bytes > 0 ? frame->payload[0] : 'x';

	for (size_t i = 0; cli_output_formats[i].name != NULL; i++) {
		struct cli_renderer renderer = {
			.format = &cli_output_formats[i],
			.columns = &columns,
			.escape = true,
			.matches = {find_byte, &wanted}};
		struct fuzz_written written = render(cli_output_formats[i].name,
		                                     true, frame, 1);
		size_t size_bytes = written.size_bytes;
		uint8_t *plain = fuzz_copy(written.bytes, size_bytes);
		struct cli_output *output = fuzz_output();

		cli_renderer_set_color(&renderer, &color);
		cli_render_frame(&renderer, output, frame);
		cli_renderer_release(&renderer);
		require(cli_output_flush(output) == 0);
		written = fuzz_take_output();
		uint8_t *kept = fuzz_copy(written.bytes, written.size_bytes);

		require(strip_color(kept, written.size_bytes) == size_bytes);
		require(size_bytes == 0 ||
		        memcmp(kept, plain, size_bytes) == 0);
		free(kept);
		free(plain);
	}
}

static void check_damage(uint8_t flags, uint64_t number)
{
	static const int statuses[] = {SHMLOG_ERR_CURSOR,
	                               SHMLOG_ERR_FRAME_CORRUPT,
	                               SHMLOG_ERR_TORN, 0};
	struct cli_renderer renderer = {
		.format = cli_output_format_find("json")};
	struct shmlog_fault fault = {
		.status = statuses[flags % 4],
		.cursor = number,
		.backwards = (flags & 4) != 0,
		.available = number >> 3,
		.first_word = (uint16_t)number,
		.second_word = (uint16_t)(number >> 16),
		.wrapped_payload_bytes = (flags & 8) != 0 ? number >> 40 : 0,
	};
	struct cli_json_error error;
	struct cli_output *output = fuzz_output();
	struct fuzz_written written;

	cli_render_damage(&renderer, output, &fault);
	require(cli_output_flush(output) == 0);
	written = fuzz_take_output();
	require(cli_json_check((char *)written.bytes, written.size_bytes,
	                       &error));
}

static void check_number(uint64_t number)
{
	unsigned char digits[CLI_U64_MAX];
	char expected[32];
	size_t length = cli_put_u64(digits, number);

	require((size_t)snprintf(expected, sizeof(expected), "%" PRIu64,
	                         number) == length);
	require(memcmp(digits, expected, length) == 0);
}

/* The formats that leave the payload's bytes as they are. */
static void check_delimited(const struct shmlog_frame *frame)
{
	check_raw(frame);
	check_input("frames", "frames", frame);
	if (memchr(frame->payload, '\0', frame->size_bytes) == NULL)
		check_input("nul", "nul", frame);
	if (memchr(frame->payload, '\n', frame->size_bytes) == NULL)
		check_input("text", "lines", frame);
}

static void check_encoders(const struct shmlog_frame *frame)
{
	check_base64(frame->payload, frame->size_bytes);
	check_base64_decode(frame->payload, frame->size_bytes);
	check_quote(frame->payload, frame->size_bytes);
	check_object(frame->payload, frame->size_bytes, frame->cursor);
}

static void check_escapes(const struct shmlog_frame *frame)
{
	check_escape_terminal(frame->payload, frame->size_bytes);
	check_escape_json(frame->payload, frame->size_bytes);
}

/* All of them together take milliseconds for a payload of 64 KiB. */
static void check_payload(const struct shmlog_frame *frame, uint8_t flags)
{
	static void (*const checks[])(const struct shmlog_frame *) = {
		check_json,    check_hex,      check_delimited, check_terminal,
		check_escapes, check_encoders, check_csv};
	const size_t count = sizeof(checks) / sizeof(checks[0]);

	if (frame->size_bytes > MODERATE_BYTES) {
		checks[(flags >> 4) % count](frame);
		return;
	}
	for (size_t i = 0; i < count; i++)
		checks[i](frame);
	check_batch(frame);
	check_color(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	uint8_t flags = fuzz_take_byte(&input);
	struct shmlog_frame frame = {.cursor = fuzz_take_u64(&input),
	                             .index = fuzz_take_u64(&input)};
	uint8_t *payload = fuzz_take_long(&input, SHMLOG_PAYLOAD_MAX_BYTES,
	                                  &size_bytes);

	frame.payload = payload;
	frame.size_bytes = (uint32_t)size_bytes;
	frame.next_cursor = frame.cursor + frame.size_bytes + 4;
	check_number(frame.cursor);
	check_damage(flags, frame.cursor);
	check_payload(&frame, flags);
	free(payload);
	return 0;
}
