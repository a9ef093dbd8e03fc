/* The input formats: their list, and framing many records against taking them
 * one by one. */
#include "support.h"

#include "in_json_quick.h"
#include "input_format.h"
#include "json_check.h"

#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 200000u

struct format_case {
	const char *name;
	const char *alphabet; /* of random inputs, the delimiter among it */
	size_t alphabet_bytes;
};

static const struct format_case formats[] = {
	{"lines", "ab\n\0\xff", 5},
	{"nul", "ab\n\0\xff", 5},
	{"json", "1\n \"\x01[]", 7},
	{"frames", "\x04\x05\x00\x01", 4},
};

static const struct cli_input_format *named(const char *name)
{
	const struct cli_input_format *format = cli_input_format_find(name);

	assert_non_null(format);
	return format;
}

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)seed * limit >> 32);
}

/* The plain way, for one record: the bytes of its frame, or 0 where it is not
 * simply a payload. */
static size_t frame_plainly(const struct cli_input_format *format,
                            const unsigned char *bytes, size_t size_bytes,
                            unsigned char *frame_out, size_t *consumed_out)
{
	static unsigned char scratch[CLI_RECORD_MAX_BYTES];
	struct cli_record record;
	struct cli_payload payload;

	if (size_bytes == 0 ||
	    cli_record_split(format, bytes, size_bytes, false, &record) !=
	            CLI_SPLIT_RECORD ||
	    cli_record_convert(format, &record, scratch, &payload) !=
	            CLI_CONVERT_PAYLOAD)
		return 0;
	*consumed_out = record.consumed;
	return shmlog_frame_encode(frame_out, payload.bytes,
	                           payload.size_bytes);
}

/* Frames an input from `bytes` on, into a batch of exactly that size, and
 * compares it with the plain way, record by record. */
static struct cli_framing compare(const struct cli_input_format *format,
                                  const unsigned char *bytes, size_t size_bytes,
                                  size_t room_bytes, uint64_t most)
{
	static unsigned char frame[SHMLOG_FRAME_MAX_BYTES + 1];
	struct cli_framing framing = {.most = most};
	const unsigned char *frames;
	size_t consumed = 0;
	size_t used = 0;
	size_t taken = 0;
	size_t end;
	size_t size;

	assert_int_equal(shmlog_batch_open(room_bytes, &framing.batch), 0);
	cli_records_frame(format, bytes, size_bytes, &framing);
	frames = shmlog_batch_frames(framing.batch, &end);
	for (uint64_t i = 0; i < framing.count; i++) {
		size = frame_plainly(format, bytes + consumed,
		                     size_bytes - consumed, frame, &taken);
		assert_int_not_equal(size, 0);
		assert_true(size <= end - used);
		assert_memory_equal(frames + used, frame, size);
		used += size;
		consumed += taken;
	}
	assert_int_equal(end, used);
	assert_int_equal(shmlog_batch_count(framing.batch), framing.count);
	assert_int_equal(framing.consumed, consumed);
	/* It goes on for as long as it can. */
	size = frame_plainly(format, bytes + consumed, size_bytes - consumed,
	                     frame, &taken);
	assert_true(size == 0 || framing.count == most ||
	            room_bytes - used < SHMLOG_FRAME_MAX_BYTES);
	assert_true(framing.count <= most);
	shmlog_batch_close(framing.batch);
	return framing;
}

/* The same for a copy that begins `shift` bytes into its memory and ends with
 * it, so that a look beyond it is seen. */
static struct cli_framing compare_shifted(const struct cli_input_format *format,
                                          const void *bytes, size_t size_bytes,
                                          size_t shift)
{
	unsigned char *memory = malloc(shift + size_bytes + (shift == 0));
	struct cli_framing framing;

	assert_non_null(memory);
	memcpy(memory + shift, bytes, size_bytes);
	framing = compare(format, memory + shift, size_bytes,
	                  4 * size_bytes + SHMLOG_FRAME_MAX_BYTES, UINT64_MAX);
	free(memory);
	return framing;
}

TEST(test_random_records_make_the_frames_of_the_plain_way)
{
	unsigned char bytes[256];

	for (size_t i = 0; i < 40000; i++) {
		const struct format_case *format = &formats[i % 4];
		size_t size_bytes = random_below(sizeof(bytes));
		/* Few delimiters make long records, many short ones. */
		uint32_t rare = 1 + random_below(60);

		for (size_t j = 0; j < size_bytes; j++) {
			uint32_t most = random_below(rare) == 0
			                        ? (uint32_t)
			                                  format->alphabet_bytes
			                        : 1;

			bytes[j] = (unsigned char)
			                   format->alphabet[random_below(most)];
		}
		(void)compare_shifted(named(format->name), bytes, size_bytes,
		                      i % 67);
	}
}

/* Text that is put together from pieces. */
struct text {
	unsigned char bytes[60000];
	size_t used;
};

static void put(struct text *text, const char *piece)
{
	size_t length = strlen(piece);

	assert_true(length <= sizeof(text->bytes) - text->used);
	memcpy(text->bytes + text->used, piece, length);
	text->used += length;
}

/* One of the pieces, the first ones of which are the usual ones. */
static void put_any(struct text *text, const char *const *pieces, size_t count,
                    bool usual)
{
	put(text, pieces[random_below((uint32_t)(usual ? 3 : count))]);
}

static void put_blanks(struct text *text, unsigned style)
{
	static const char *const blanks[] = {" ", "", " ", "   ", "\t", ""};

	if (style & 1)
		put_any(text, blanks, COUNT_OF(blanks), (style & 8) == 0);
}

static void put_json_string(struct text *text, unsigned style)
{
	static const char *const pieces[] = {
		"a",       "name",        "0123456789abcdef0123456789",
		"\\\"",    "\\\\",        "\\n",
		"\\u00e9", "caf\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac",
		"{",       "}",           ":",
		",",       "[1]",         " ",
		"true",    "\\/",         "\xf0\x9f\x98\x80"};

	put(text, "\"");
	for (uint32_t n = random_below(6); n > 0; n--)
		put_any(text, pieces, COUNT_OF(pieces), (style & 2) == 0);
	put(text, "\"");
}

static void put_json(struct text *text, unsigned style, unsigned levels)
{
	static const char *const scalars[] = {"17",
	                                      "false",
	                                      "-20.25",
	                                      "true",
	                                      "null",
	                                      "0",
	                                      "-0.5",
	                                      "017",
	                                      "-00",
	                                      "1e5",
	                                      "0.0001",
	                                      "-1",
	                                      "12345678901234567890",
	                                      "1E+20",
	                                      "900"};
	uint32_t kind = random_below(levels > 0 ? 6 : 3);
	bool object = kind == 5;

	if (kind == 0)
		put_json_string(text, style);
	else if (kind < 4)
		put_any(text, scalars, COUNT_OF(scalars), (style & 4) == 0);
	if (kind < 4)
		return;
	put(text, object ? "{" : "[");
	put_blanks(text, style);
	for (uint32_t left = random_below(5); left > 0; left--) {
		if (object) {
			put_json_string(text, style);
			put_blanks(text, style);
			put(text, ":");
			put_blanks(text, style);
		}
		put_json(text, style, levels - 1);
		put_blanks(text, style);
		put(text, left > 1 ? "," : "");
		put_blanks(text, style);
	}
	put(text, object ? "}" : "]");
}

/* A byte that is another one, or is not there any more. */
static void spoil(struct text *text)
{
	static const char others[] =
		"{}[]:,\"\\ \n\t01.-eE+tfnu\x80\xc3\xff\x1f";
	size_t at = random_below((uint32_t)text->used);

	if (random_below(2) > 0) {
		/* Another kind of bracket; a digit after the others. */
		while (at > 0 && strchr("[]{}0", text->bytes[at]) == NULL)
			at--;
		text->bytes[at] ^= text->bytes[at] == '0' ? 1 : 0x20;
	} else if (random_below(3) > 0) {
		text->bytes[at] = (unsigned char)
			others[random_below(sizeof(others))];
	} else {
		text->used--;
		memmove(text->bytes + at, text->bytes + at + 1,
		        text->used - at);
	}
}

/* Makes a text of up to twelve lines; one in so many of those that are no
 * container is kept, none for 0. */
static void put_lines(struct text *text, unsigned style, uint32_t kept)
{
	text->used = 0;
	for (uint32_t lines = 1 + random_below(12); lines > 0; lines--) {
		size_t start = text->used;

		put_json(text, style, 4);
		if ((kept == 0 || random_below(kept) > 0) &&
		    text->bytes[start] != '{' && text->bytes[start] != '[')
			text->used = start;
		else
			put(text, "\n");
	}
}

TEST(test_lines_of_json_are_framed_as_they_are_checked_one_by_one)
{
	const struct cli_input_format *json = named("json");
	struct text *text = malloc(sizeof(*text));

	assert_non_null(text);
	for (unsigned round = 0; round < 4000; round++) {
		unsigned style = random_below(16);
		size_t at = 0;

		put_lines(text, style, 20);
		for (uint32_t n = random_below(4); n > 0 && text->used > 1; n--)
			spoil(text);
		/* What is behind a line that is refused, too. */
		while (at < text->used) {
			const unsigned char *next;
			at += compare_shifted(json, text->bytes + at,
			                      text->used - at, 1)
			              .consumed;
			next = memchr(text->bytes + at, '\n', text->used - at);
			if (next == NULL)
				break;
			at = (size_t)(next - text->bytes) + 1;
		}
	}
	free(text);
}

/* The lines that a way finds in a copy of exactly that size, and no others than
 * those that are containers by the plain check. */
static uint64_t pass_by(enum cli_json_way way, const struct text *text,
                        uint64_t most)
{
	unsigned char *copy = malloc(text->used + (text->used == 0));
	uint64_t count, left;
	size_t passed, at = 0;

	assert_non_null(copy);
	memcpy(copy, text->bytes, text->used);
	passed = cli_in_json_pass_by(way, copy, text->used, most, &count);
	assert_true(passed <= text->used && count <= most);
	for (left = count; left > 0; left--) {
		const unsigned char *line = copy + at;
		const unsigned char *end = memchr(line, '\n', passed - at);
		struct cli_json_error error;

		assert_non_null(end);
		if (!cli_json_check_slowly((const char *)line,
		                           (size_t)(end - line), &error) ||
		    (*line != '{' && *line != '['))
			fail_with("way %d takes %.*s", (int)way,
			          (int)(end - line), line);
		at += (size_t)(end - line) + 1;
	}
	assert_int_equal(at, passed);
	free(copy);
	return count;
}

TEST(test_no_way_to_check_lines_of_json_quickly_takes_others)
{
	struct text *text = malloc(sizeof(*text));

	assert_non_null(text);
	for (unsigned round = 0; round < 20000; round++) {
		uint64_t most = random_below(4) > 0 ? UINT64_MAX
		                                    : random_below(4);

		put_lines(text, random_below(16), 20);
		for (uint32_t n = random_below(4); n > 0 && text->used > 1; n--)
			spoil(text);
		/* Behind it is what can be looked at. */
		for (uint32_t n = random_below(20); n > 0; n--)
			put(text, "{\"a\":1}\n");
		for (enum cli_json_way way = 0; way < CLI_JSON_WAYS; way++) {
			if (cli_in_json_way_works(way))
				(void)pass_by(way, text, most);
		}
	}
	free(text);
}

/* The most bytes before the end of a text where no line is found. */
#define NOT_LOOKED_AT 128u

TEST(test_each_way_to_check_lines_of_json_quickly_takes_usual_ones)
{
	struct text *text = malloc(sizeof(*text));

	assert_non_null(text);
	for (unsigned round = 0; round < 4000; round++) {
		uint64_t lines = 0;

		put_lines(text, round % 2 * 2, 0);
		for (size_t i = 0; i < text->used; i++)
			lines += text->bytes[i] == '\n';
		for (size_t end = text->used + NOT_LOOKED_AT; text->used < end;)
			put(text, "x");
		for (enum cli_json_way way = 1; way < CLI_JSON_WAYS; way++) {
			if (cli_in_json_way_works(way))
				assert_int_equal(pass_by(way, text, UINT64_MAX),
				                 lines);
		}
	}
	free(text);
}

TEST(test_no_way_to_check_lines_of_json_quickly_takes_any_byte_anywhere)
{
	static const char *const lines[] = {
		"{\"a\\n\":[1.5,-0,{\"b\":\"x\xe6\x97\xa5\\u00e9\"}],"
		"\"c\":{\"d\":true, \"\\\\\":null}, \"e\" : 10}\n",
		"{\"a\":{\"b\":0.25,\"\\\"\xf0\x9f\x98\x80\":\"\"},\"c\":[],"
		"\"d\":false,\"e\":{\"f\":{\"g\":[[1],{}]}}}\n"};
	struct text *text = malloc(sizeof(*text));

	assert_non_null(text);
	for (size_t i = 0; i < 256 * 256; i++) {
		size_t first = i % 2, at = i / 256 % 128;

		/* Both in a row, at any place of a block. */
		text->used = 0;
		for (size_t n = i / 256 / 128 * 7; n > 0; n--)
			put(text, "[ ]\n");
		at += text->used;
		put(text, lines[first]);
		put(text, lines[1 - first]);
		for (size_t n = 0; n < NOT_LOOKED_AT / 4; n++)
			put(text, "[ ]\n");
		text->bytes[at] = (unsigned char)i;
		for (enum cli_json_way way = 0; way < CLI_JSON_WAYS; way++) {
			if (cli_in_json_way_works(way))
				(void)pass_by(way, text, UINT64_MAX);
		}
	}
	free(text);
}

TEST(test_no_way_to_check_lines_of_json_quickly_takes_what_is_behind_a_line)
{
	static const char *const others[] = {"}", "]", "{}", ",", "1", "\"\""};
	static const char *const inner[] = {"{\"c\":1}", "[1]", "[[{}]]", "1"};
	struct text *text = malloc(sizeof(*text));

	assert_non_null(text);
	for (size_t i = 0; i < 64 * 70; i++) {
		size_t blanks = i / 64, which = i % COUNT_OF(inner);

		/* The line ends at any place of a block, and blanks in a row
		 * are behind it. */
		text->used = 0;
		put(text, "{\"");
		for (size_t n = i % 64; n > 0; n--)
			put(text, "a");
		put(text, "\":");
		put(text, inner[which]);
		put(text, "}");
		for (size_t n = blanks; n > 0; n--)
			put(text, n % 2 == 0 ? " " : "\t");
		put(text, others[i % COUNT_OF(others)]);
		put(text, "\n");
		for (size_t n = 0; n < NOT_LOOKED_AT / 4; n++)
			put(text, "[ ]\n");
		for (enum cli_json_way way = 0; way < CLI_JSON_WAYS; way++) {
			if (cli_in_json_way_works(way))
				assert_int_equal(pass_by(way, text, UINT64_MAX),
				                 0);
		}
	}
	free(text);
}

TEST(test_framing_takes_frames_up_to_the_first_broken_one)
{
	unsigned char bytes[512];

	for (size_t i = 0; i < 10000; i++) {
		size_t used = 0;
		uint64_t count = 0;
		struct cli_framing framing;

		while (used < sizeof(bytes) - 40) {
			used += shmlog_frame_encode(bytes + used,
			                            "some payload bytes",
			                            random_below(18));
			count++;
		}
		framing = compare_shifted(named("frames"), bytes, used, i % 67);
		assert_int_equal(framing.count, count);
		assert_int_equal(framing.consumed, used);
		bytes[random_below((uint32_t)used)] ^=
			(unsigned char)(1 + random_below(255));
		(void)compare_shifted(named("frames"), bytes,
		                      used - random_below(5), i % 67);
	}
}

TEST(test_frames_of_every_length_and_alignment_are_whole)
{
	unsigned char bytes[300];
	struct cli_framing framing;

	for (size_t length = 0; length <= 140; length++) {
		for (size_t shift = 0; shift < 64; shift++) {
			memset(bytes, 'x', sizeof(bytes));
			bytes[length] = '\n';
			bytes[2 * length + 1] = '\n';
			framing = compare_shifted(named("lines"), bytes,
			                          2 * length + 5, shift);
			assert_int_equal(framing.count, 2);
			assert_int_equal(framing.consumed, 2 * length + 2);
		}
	}
}

TEST(test_framing_stops_at_what_is_too_long_and_not_before)
{
	static unsigned char bytes[INPUT_MAX];
	struct cli_framing framing;

	for (size_t length = SHMLOG_PAYLOAD_MAX_BYTES - 2;
	     length <= SHMLOG_PAYLOAD_MAX_BYTES + 2; length++) {
		memset(bytes, '1', sizeof(bytes));
		bytes[0] = '\n';
		bytes[length + 1] = '\n';
		bytes[length + 3] = '\n';
		framing = compare(named("lines"), bytes, length + 4, INPUT_MAX,
		                  UINT64_MAX);
		assert_int_equal(framing.count,
		                 length <= SHMLOG_PAYLOAD_MAX_BYTES ? 3 : 1);
		framing = compare(named("json"), bytes + 1, length + 3,
		                  INPUT_MAX, UINT64_MAX);
		assert_int_equal(framing.count,
		                 length <= SHMLOG_PAYLOAD_MAX_BYTES ? 2 : 0);
	}
}

TEST(test_framing_keeps_to_its_room_and_its_number)
{
	unsigned char bytes[4000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 5 == 4 ? '\n' : '1';
	for (size_t room = SHMLOG_FRAME_MAX_BYTES;
	     room < SHMLOG_FRAME_MAX_BYTES + 64; room++) {
		/* A frame of 8 bytes is made where one of any size fits. */
		size_t fit = (room - SHMLOG_FRAME_MAX_BYTES) / 8 + 1;
		struct cli_framing framing = compare(
			named("lines"), bytes, sizeof(bytes), room, UINT64_MAX);

		assert_int_equal(framing.count, fit);
	}
	for (uint64_t most = 0; most < 20; most++)
		assert_int_equal(compare(named("json"), bytes, sizeof(bytes),
		                         INPUT_MAX, most)
		                         .count,
		                 most);
}

TEST(test_envelopes_and_wholes_are_left_to_the_plain_way)
{
	static const char line[] = "{\"payload\":\"x\"}\n";
	struct cli_framing framing = {.most = 1};

	cli_records_frame(named("envelope"), (const unsigned char *)line,
	                  sizeof(line) - 1, &framing);
	cli_records_frame(named("whole"), (const unsigned char *)line,
	                  sizeof(line) - 1, &framing);
	assert_int_equal(framing.count, 0);
	assert_int_equal(framing.consumed, 0);
}

TEST(test_every_row_is_whole_and_found_by_its_name)
{
	struct cli_input_names names;
	size_t count = 0;

	for (; cli_input_formats[count].name != NULL; count++) {
		const struct cli_input_format *format =
			&cli_input_formats[count];

		assert_ptr_equal(cli_input_format_find(format->name), format);
		assert_non_null(format->noun);
		assert_non_null(format->split);
		assert_in_range(format->longest, SHMLOG_PAYLOAD_MAX_BYTES,
		                CLI_RECORD_MAX_BYTES);
		/* Only the one record of a whole input ends without it. */
		if (format->delimiter != CLI_NO_DELIMITER)
			assert_int_equal(format->surplus, 3);
	}
	assert_true(count > 0);
	assert_null(cli_input_format_find("line"));
	assert_null(cli_input_format_find(""));
	/* The help of -i, which must stand in the code as it is. */
	assert_string_equal(cli_input_format_names(&names),
	                    CLI_INPUT_FORMAT_HELP);
}

TEST(test_a_record_ends_behind_its_delimiter)
{
	static const unsigned char bytes[] = {'a', '\n', 'b', '\0', 'c'};
	size_t found = 0;

	assert_true(cli_record_find_end(named("lines"), bytes, 5, &found));
	assert_int_equal(found, 2);
	assert_true(cli_record_find_end(named("nul"), bytes, 5, &found));
	assert_int_equal(found, 4);
	assert_true(cli_record_find_end(&cli_input_messages, bytes, 5, &found));
	assert_int_equal(found, 4);
	assert_false(cli_record_find_end(named("lines"), bytes + 2, 3, &found));
	assert_int_equal(found, 3);
	assert_false(cli_record_find_end(named("whole"), bytes, 5, &found));
	assert_int_equal(found, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_whole_and_found_by_its_name),
		cmocka_unit_test(test_a_record_ends_behind_its_delimiter),
		cmocka_unit_test(
			test_random_records_make_the_frames_of_the_plain_way),
		cmocka_unit_test(
			test_lines_of_json_are_framed_as_they_are_checked_one_by_one),
		cmocka_unit_test(
			test_no_way_to_check_lines_of_json_quickly_takes_others),
		cmocka_unit_test(
			test_each_way_to_check_lines_of_json_quickly_takes_usual_ones),
		cmocka_unit_test(
			test_no_way_to_check_lines_of_json_quickly_takes_any_byte_anywhere),
		cmocka_unit_test(
			test_no_way_to_check_lines_of_json_quickly_takes_what_is_behind_a_line),
		cmocka_unit_test(
			test_framing_takes_frames_up_to_the_first_broken_one),
		cmocka_unit_test(
			test_frames_of_every_length_and_alignment_are_whole),
		cmocka_unit_test(
			test_framing_stops_at_what_is_too_long_and_not_before),
		cmocka_unit_test(test_framing_keeps_to_its_room_and_its_number),
		cmocka_unit_test(
			test_envelopes_and_wholes_are_left_to_the_plain_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
