/* The input formats: their list, and framing many records against taking them
 * one by one. */
#include "support.h"

#include "input_format.h"

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
