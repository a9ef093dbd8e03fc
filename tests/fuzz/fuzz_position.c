/* Positions, sizes, durations, modes and numbers: any text means what another
 * reading of the grammar says.  INPUT: the text. */
#include "fuzz.h"

#include "command.h"
#include "numbers.h"
#include "position.h"

#include <inttypes.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_TEXT 256u

/* ------------------------------------------------------------------ numbers */

/* The number of a text of digits alone, or more than a u64 if that is what it
 * is.  False if it is no such text. */
static bool read_wide(const char *text, size_t length, unsigned base,
                      unsigned __int128 *value_out)
{
	unsigned __int128 value = 0;

	for (size_t i = 0; i < length; i++) {
		const char *digits = "0123456789abcdefABCDEF";
		const char *digit = strchr(digits, text[i]);
		unsigned number = digit == NULL || text[i] == '\0'
		                          ? 99
		                          : (unsigned)(digit - digits);

		if (number >= 16 && number != 99)
			number -= 6;
		if (number >= base)
			return false;
		if (value <= UINT64_MAX)
			value = value * base + number;
	}
	*value_out = value;
	return length > 0;
}

static bool read_u64(const char *text, unsigned base, uint64_t *value_out)
{
	unsigned __int128 value;

	if (!read_wide(text, strlen(text), base, &value) || value > UINT64_MAX)
		return false;
	*value_out = (uint64_t)value;
	return true;
}

static void check_u64(const char *text)
{
	uint64_t value = 1, expected = 1;
	bool valid = read_u64(text, 10, &expected);

	require(cli_parse_u64(text, &value) == valid && value == expected);
}

static void check_mode(const char *text)
{
	uint64_t expected = 1;
	bool valid = read_u64(text, 8, &expected) && expected <= 07777;
	unsigned mode = 1;

	require(cli_parse_mode(text, &mode) == valid);
	require(mode == (valid ? expected : 1));
}

static void check_size(const char *text)
{
	static const char *const units[] = {"",    "",  "k",   "kib", "m",
	                                    "mib", "g", "gib", "t",   "tib"};
	size_t length = strcspn(text, "KMGTkmgt");
	unsigned __int128 expected = 0;
	uint64_t bytes = 1;
	size_t unit = 0;
	enum cli_number result;
	bool valid = read_wide(text, length, 10, &expected);

	while (unit < 10 && strcasecmp(text + length, units[unit]) != 0)
		unit++;
	valid = valid && unit < 10;
	if (valid && expected <= UINT64_MAX)
		expected <<= 10 * (unit / 2);
	result = !valid                   ? CLI_NUMBER_MALFORMED
	         : expected <= UINT64_MAX ? CLI_NUMBER_OK
	                                  : CLI_NUMBER_TOO_LARGE;
	require(cli_read_size(text, &bytes) == result);
	require(bytes == (result == CLI_NUMBER_OK ? (uint64_t)expected : 1));
}

/* Nanoseconds in the unit that a text ends with; *length_out is what stands
 * before it. */
static uint64_t split_unit(const char *text, size_t *length_out)
{
	size_t length = strcspn(text, "abcdefghijklmnopqrstuvwxyz");
	const char *unit = text + length;

	*length_out = length;
	return unit[0] == '\0'           ? 1000000000
	       : strcmp(unit, "ns") == 0 ? 1
	       : strcmp(unit, "us") == 0 ? 1000
	       : strcmp(unit, "ms") == 0 ? 1000000
	       : strcmp(unit, "s") == 0  ? 1000000000
	       : strcmp(unit, "m") == 0  ? 60 * UINT64_C(1000000000)
	       : strcmp(unit, "h") == 0  ? 3600 * UINT64_C(1000000000)
	                                 : 0;
}

static void check_duration(const char *text)
{
	size_t length, whole_digits, decimals;
	uint64_t unit = split_unit(text, &length);
	const char *point = memchr(text, '.', length);
	unsigned __int128 whole = 0, part = 0, scale = 1;
	int64_t ns = -1;
	bool valid, got = cli_parse_duration(text, &ns);

	require(!got || ns >= 0);
	whole_digits = point != NULL ? (size_t)(point - text) : length;
	decimals = point != NULL ? length - whole_digits - 1 : 0;
	/* ".5" is 0.5. */
	valid = unit > 0 &&
	        (point == text || read_wide(text, whole_digits, 10, &whole)) &&
	        whole <= UINT64_MAX;
	/* More decimals than this do not fit here; then any answer will do. */
	if (decimals > 20)
		return;
	for (size_t i = 0; i < decimals; i++) {
		valid = valid && point[1 + i] >= '0' && point[1 + i] <= '9';
		part = part * 10 + (unsigned)(point[1 + i] - '0');
		scale *= 10;
	}
	valid = valid && (point == NULL || decimals > 0);
	if (valid)
		whole = whole * unit + part * unit / scale;
	valid = valid && whole <= INT64_MAX;
	require(got == valid);
	require(ns == (valid ? (int64_t)whole : -1));
}

/* ---------------------------------------------------------------- positions */

/* The log that positions are looked for in: payloads of 0 to 9 bytes. */
#define FRAMES 10u
#define CAPACITY 4096u
#define DATA_OFFSET 40u

static uint64_t starts[FRAMES + 1]; /* cursors; the last is the end */

static struct shmlog *open_log(void)
{
	uint8_t bytes[CAPACITY] = {24};
	uint64_t cursor = 0;
	struct shmlog *log;
	char path[64];
	int fd = memfd_create("fuzz", 0);

	bytes[8] = DATA_OFFSET;
	for (unsigned i = 0; i < FRAMES; i++) {
		starts[i] = cursor;
		cursor += shmlog_frame_encode(bytes + DATA_OFFSET + cursor,
		                              "nine bytes", i);
	}
	starts[FRAMES] = cursor;
	bytes[16] = (uint8_t)(DATA_OFFSET + cursor);
	require(fd >= 0 && pwrite(fd, bytes, CAPACITY, 0) == CAPACITY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	require(shmlog_open(path, &log) == 0);
	close(fd);
	return log;
}

/* Another reading of the grammar. */
static bool read_position(const char *text, struct cli_position *position)
{
	bool frame = strncmp(text, "frame:", 6) == 0;
	bool offset = strncmp(text, "offset:", 7) == 0;
	bool hex = strncmp(text, "offset:0x", 9) == 0;
	const char *rest = frame    ? text + 6
	                   : offset ? text + (hex ? 9 : 7)
	                            : text;
	bool minus = !offset && *rest == '-';

	position->number = 0;
	if (strcmp(text, "start") == 0 || strcmp(text, "end") == 0) {
		position->kind = *text == 's' ? CLI_POSITION_START
		                              : CLI_POSITION_END;
		return true;
	}
	position->kind = minus    ? CLI_POSITION_FROM_END
	                 : frame  ? CLI_POSITION_INDEX
	                 : offset ? CLI_POSITION_OFFSET
	                          : CLI_POSITION_CURSOR;
	return read_u64(rest + minus, hex ? 16 : 10, &position->number) &&
	       !(frame && minus && position->number == 0);
}

/* The frame start at a cursor, or with `nearest` the one at or below. */
static uint64_t start_at(uint64_t cursor, bool nearest)
{
	for (unsigned i = 0; i <= FRAMES; i++) {
		if (starts[i] == cursor)
			return cursor;
		if (nearest && i < FRAMES && cursor > starts[i] &&
		    cursor < starts[i + 1])
			return starts[i];
	}
	return UINT64_MAX;
}

/* The cursor that a position stands for; UINT64_MAX if there is none. */
static uint64_t find(const struct cli_position *position, bool nearest)
{
	uint64_t number = position->number;

	switch (position->kind) {
	case CLI_POSITION_START: return 0;
	case CLI_POSITION_END: return starts[FRAMES];
	case CLI_POSITION_CURSOR: return start_at(number, nearest);
	case CLI_POSITION_OFFSET:
		return number < DATA_OFFSET
		               ? UINT64_MAX
		               : start_at(number - DATA_OFFSET, nearest);
	case CLI_POSITION_FROM_END:
		return number > FRAMES ? UINT64_MAX : starts[FRAMES - number];
	default: return number < FRAMES ? starts[number] : UINT64_MAX;
	}
}

static void check_seek(const struct cli_position *position, bool nearest,
                       unsigned flags)
{
	static struct shmlog *log;
	struct shmlog_reader_options options = {.flags = flags};
	uint64_t expected;
	struct shmlog_reader *reader;
	int status;

	if (log == NULL)
		log = open_log();
	expected = find(position, nearest);
	require(shmlog_reader_open(log, &options, &reader) == 0);
	status = cli_position_seek(log, reader, position, nearest, "a\nlog");
	require(status == (expected == UINT64_MAX ? CLI_NO : CLI_OK));
	require((fuzz_take_messages().size_bytes > 0) == (status != CLI_OK));
	if (status == CLI_OK)
		require(shmlog_reader_cursor(reader) == expected);
	else
		require(start_at(shmlog_reader_cursor(reader), false) !=
		        UINT64_MAX);
	shmlog_reader_close(reader);
}

static void check_position(const char *text)
{
	struct cli_position position, expected;
	bool valid = read_position(text, &expected);
	int status = cli_position_parse(text, &position);

	require(status == (valid ? CLI_OK : CLI_USAGE));
	require((fuzz_take_messages().size_bytes > 0) == !valid);
	if (!valid)
		return;
	require(position.kind == expected.kind &&
	        position.number == expected.number && position.text == text);
	check_seek(&position, false, 0);
	check_seek(&position, true, SHMLOG_READER_BUFFERED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes < MOST_TEXT ? size_bytes
	                                                        : MOST_TEXT};
	char *text = fuzz_take_text(&input);

	check_u64(text);
	check_size(text);
	check_duration(text);
	check_mode(text);
	check_position(text);
	free(text);
	return 0;
}
