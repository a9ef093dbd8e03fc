/* The byte layout and its checks, byte by byte and at both ends of every
 * range.  No file is touched. */
#include "support.h"

#include "format.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- header */

TEST(test_header_bytes_are_three_little_endian_words)
{
	static const unsigned char expected[SHMLOG_HEADER_BYTES] = {
		0x18, 0,    0,    0,    0,    0,    0,    0, /* headerSize */
		0x1f, 0,    0,    0,    0,    0,    0,    0, /* dataOffset */
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 1, /* size */
	};
	struct shmlog_header header = {.header_size = 24,
	                               .data_offset = 31,
	                               .size = UINT64_C(0x0102030405060708)};
	struct shmlog_header again = {.capacity = 77};
	unsigned char bytes[SHMLOG_HEADER_BYTES];

	shmlog_format_store_header(bytes, &header);
	assert_memory_equal(bytes, expected, sizeof(expected));
	shmlog_format_load_header(&again, bytes);
	assert_int_equal(again.header_size, header.header_size);
	assert_int_equal(again.data_offset, header.data_offset);
	assert_int_equal(again.size, header.size);
	assert_int_equal(again.capacity, 77);
}

TEST(test_header_file_struct_is_frozen)
{
	assert_int_equal(sizeof(struct shmlog_file_header), 24);
	assert_int_equal(offsetof(struct shmlog_file_header, header_size), 0);
	assert_int_equal(offsetof(struct shmlog_file_header, data_offset), 8);
	assert_int_equal(offsetof(struct shmlog_file_header, size), 16);
	assert_int_equal(SHMLOG_SIZE_OFFSET, 16);
}

TEST(test_header_is_judged_at_both_ends_of_every_range)
{
	const uint64_t most = UINT64_MAX;
	const struct {
		struct shmlog_header header;
		int status;
	} cases[] = {
		/* headerSize, dataOffset, size, capacity */
		{{24, 24, 24, 24}, 0},
		{{24, 24, 24, 0}, SHMLOG_ERR_TOO_SHORT},
		{{24, 24, 24, 23}, SHMLOG_ERR_TOO_SHORT},
		{{0, 0, 0, 23}, SHMLOG_ERR_TOO_SHORT},
		{{0, 0, 0, 24}, SHMLOG_ERR_NO_HEADER},
		{{0, 0, 0, most}, SHMLOG_ERR_NO_HEADER},
		{{0, 0, 1, 100}, SHMLOG_ERR_HEADER_SIZE},
		{{0, 24, 24, 100}, SHMLOG_ERR_HEADER_SIZE},
		{{1, 24, 24, 100}, SHMLOG_ERR_HEADER_SIZE},
		{{23, 24, 24, 100}, SHMLOG_ERR_HEADER_SIZE},
		{{25, 25, 25, 100}, 0},
		{{100, 100, 100, 100}, 0},
		{{101, 24, 24, 100}, SHMLOG_ERR_HEADER_SIZE},
		{{most, 24, 24, 100}, SHMLOG_ERR_HEADER_SIZE},
		{{24, 0, 24, 100}, SHMLOG_ERR_DATA_OFFSET},
		{{24, 1, 24, 100}, SHMLOG_ERR_DATA_OFFSET},
		{{24, 23, 24, 100}, SHMLOG_ERR_DATA_OFFSET},
		{{24, 25, 25, 100}, 0},
		{{24, 100, 100, 100}, 0},
		{{24, 101, 101, 100}, SHMLOG_ERR_DATA_OFFSET},
		{{24, most, most, 100}, SHMLOG_ERR_DATA_OFFSET},
		{{24, 24, 0, 100}, SHMLOG_ERR_SIZE},
		{{24, 24, 23, 100}, SHMLOG_ERR_SIZE},
		{{24, 31, 30, 100}, SHMLOG_ERR_SIZE},
		{{24, 31, 31, 100}, 0},
		{{24, 24, 100, 100}, 0},
		{{24, 24, 101, 100}, SHMLOG_ERR_SIZE},
		{{24, 24, most, 100}, SHMLOG_ERR_SIZE},
		{{24, 24, most, most}, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int status = shmlog_format_check_header(&cases[i].header);

		if (status != cases[i].status)
			fail_with("case %zu: %d, not %d", i, status,
			          cases[i].status);
	}
}

/* ---------------------------------------------------------------- frames */

TEST(test_word_is_little_endian_at_any_alignment)
{
	unsigned char bytes[8] = {0};

	for (size_t at = 0; at < 4; at++) {
		memset(bytes, 0xee, sizeof(bytes));
		shmlog_store_word(bytes + at, 0x1234);
		assert_int_equal(bytes[at], 0x34);
		assert_int_equal(bytes[at + 1], 0x12);
		assert_int_equal(bytes[at + 2], 0xee);
		assert_int_equal(shmlog_load_word(bytes + at), 0x1234);
	}
	shmlog_store_word(bytes, 0xffff);
	assert_int_equal(shmlog_load_word(bytes), 0xffff);
}

TEST(test_frame_encode_puts_its_size_before_and_behind_the_payload)
{
	static const unsigned char expected[] = {7, 0, 'a', 'b', 'c', 7, 0};
	unsigned char frame[sizeof(expected) + 1];

	memset(frame, 0xee, sizeof(frame));
	assert_int_equal(shmlog_frame_encode(frame, "abc", 3), 7);
	assert_memory_equal(frame, expected, sizeof(expected));
	assert_int_equal(frame[7], 0xee);
}

TEST(test_frame_encode_takes_every_end_of_the_range)
{
	static const size_t sizes[] = {0, 1, 251, 252, 255, 256, 65530, 65531};

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		size_t size = sizes[i];
		unsigned char *payload = malloc(size + 1);
		unsigned char *frame = malloc(size + 4);

		memset(payload, 0xa5, size + 1);
		assert_int_equal(shmlog_frame_encode(frame, payload, size),
		                 size + 4);
		assert_int_equal(frame[0] | frame[1] << 8, size + 4);
		assert_int_equal(frame[size + 2] | frame[size + 3] << 8,
		                 size + 4);
		assert_memory_equal(frame + 2, payload, size);
		free(frame);
		free(payload);
	}
}

TEST(test_frame_encode_of_nothing_needs_no_payload)
{
	static const unsigned char expected[4] = {4, 0, 4, 0};
	unsigned char frame[4];

	assert_int_equal(shmlog_frame_encode(frame, NULL, 0), 4);
	assert_memory_equal(frame, expected, 4);
}

/* Bytes whose end is the end of their allocation, so that a sanitizer sees
 * one byte read too many. */
static unsigned char *exact_copy(const unsigned char *bytes, size_t length)
{
	unsigned char *copy = malloc(length > 0 ? length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	return copy;
}

TEST(test_frame_is_measured_within_what_is_available)
{
	unsigned char whole[9];

	shmlog_frame_encode(whole, "hello", 5);
	for (size_t available = 0; available <= 9; available++) {
		unsigned char *bytes = exact_copy(whole, available);
		uint32_t expected = available == 9 ? 9 : 0;

		assert_int_equal(shmlog_format_frame(bytes, available),
		                 expected);
		free(bytes);
		bytes = exact_copy(whole + 9 - available, available);
		assert_int_equal(shmlog_format_frame_before(bytes + available,
		                                            available),
		                 expected);
		free(bytes);
	}
}

TEST(test_frame_with_an_impossible_or_unequal_word_is_refused)
{
	for (unsigned word = 0; word < 4; word++) {
		unsigned char bytes[4] = {(unsigned char)word, 0,
		                          (unsigned char)word, 0};

		assert_int_equal(shmlog_format_frame(bytes, 4), 0);
		assert_int_equal(shmlog_format_frame_before(bytes + 4, 4), 0);
	}

	unsigned char frame[7];

	for (size_t bit = 0; bit < 16; bit++) {
		shmlog_frame_encode(frame, "abc", 3);
		frame[5 + bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_int_equal(shmlog_format_frame(frame, 7), 0);
		shmlog_frame_encode(frame, "abc", 3);
		frame[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_int_equal(shmlog_format_frame(frame, 7), 0);
	}
}

TEST(test_frame_of_the_largest_size_is_measured)
{
	unsigned char *payload = calloc(1, SHMLOG_PAYLOAD_MAX_BYTES);
	unsigned char *frame = malloc(SHMLOG_FRAME_MAX_BYTES);

	shmlog_frame_encode(frame, payload, SHMLOG_PAYLOAD_MAX_BYTES);
	assert_int_equal(shmlog_format_frame(frame, SHMLOG_FRAME_MAX_BYTES),
	                 65535);
	assert_int_equal(shmlog_format_frame_before(frame + 65535, 65535),
	                 65535);
	assert_int_equal(shmlog_format_frame(frame, 65534), 0);
	free(frame);
	free(payload);
}

/* --------------------------------------------------------------- reasons */

static struct shmlog_fault explained(const unsigned char *bytes,
                                     size_t available, bool backwards)
{
	struct shmlog_fault fault;
	unsigned char *copy = exact_copy(bytes, available);

	memset(&fault, 0xee, sizeof(fault));
	fault.backwards = backwards;
	shmlog_format_explain(&fault, backwards ? copy + available : copy,
	                      available);
	free(copy);
	return fault;
}

TEST(test_explain_names_an_impossible_word)
{
	for (unsigned word = 0; word < 4; word++) {
		unsigned char bytes[6] = {(unsigned char)word, 0, 9, 9,
		                          (unsigned char)word, 0};

		for (int backwards = 0; backwards < 2; backwards++) {
			struct shmlog_fault fault = explained(bytes, 6,
			                                      backwards);

			expect_status(fault.status, SHMLOG_ERR_CURSOR);
			assert_int_equal(fault.first_word, word);
			assert_int_equal(fault.second_word, 0);
			assert_int_equal(fault.available, 6);
		}
	}
}

TEST(test_explain_names_a_frame_cut_short)
{
	unsigned char whole[9];

	shmlog_frame_encode(whole, "hello", 5);
	for (size_t available = 0; available < 9; available++) {
		struct shmlog_fault fault = explained(whole, available, false);

		expect_status(fault.status, SHMLOG_ERR_TORN);
		assert_int_equal(fault.available, available);
		assert_int_equal(fault.first_word, available < 2 ? 0 : 9);
	}
}

TEST(test_explain_names_two_words_that_differ)
{
	unsigned char frame[7];

	shmlog_frame_encode(frame, "abc", 3);
	frame[5] = 8;

	struct shmlog_fault fault = explained(frame, 7, false);

	expect_status(fault.status, SHMLOG_ERR_FRAME_CORRUPT);
	assert_int_equal(fault.first_word, 7);
	assert_int_equal(fault.second_word, 8);
	shmlog_frame_encode(frame, "abc", 3);
	frame[0] = 6;
	fault = explained(frame, 7, true);
	expect_status(fault.status, SHMLOG_ERR_FRAME_CORRUPT);
	assert_int_equal(fault.first_word, 7);
	assert_int_equal(fault.second_word, 6);
}

TEST(test_explain_of_a_good_frame_finds_nothing)
{
	unsigned char frame[7];

	shmlog_frame_encode(frame, "abc", 3);
	expect_status(explained(frame, 7, false).status, 0);
	expect_status(explained(frame, 7, true).status, 0);
}

/* ---------------------------------------------------------------- chains */

/* Frames with payloads of 0, 1, 2, … bytes; returns their bytes. */
static size_t make_chain(unsigned char *bytes, unsigned count)
{
	size_t at = 0;

	for (unsigned i = 0; i < count; i++)
		at += shmlog_frame_encode(bytes + at, "0123456789", i);
	return at;
}

TEST(test_chain_of_whole_frames_is_counted)
{
	unsigned char bytes[64];
	size_t length = make_chain(bytes, 5);
	size_t fitting_bytes = 99;
	uint64_t fitting_frames = 99;

	assert_int_equal(length, 4 + 5 + 6 + 7 + 8);
	assert_true(shmlog_format_chain(bytes, length, length, &fitting_bytes,
	                                &fitting_frames));
	assert_int_equal(fitting_bytes, length);
	assert_int_equal(fitting_frames, 5);
	assert_true(shmlog_format_chain(bytes, 0, 100, &fitting_bytes,
	                                &fitting_frames));
	assert_int_equal(fitting_bytes, 0);
	assert_int_equal(fitting_frames, 0);
}

TEST(test_chain_tells_what_fits_at_every_limit)
{
	unsigned char bytes[64];
	size_t length = make_chain(bytes, 5);
	static const size_t ends[] = {4, 9, 15, 22, 30};

	for (uint64_t limit = 0; limit <= length + 1; limit++) {
		size_t fitting_bytes;
		uint64_t fitting_frames;
		uint64_t frames = 0;

		while (frames < 5 && ends[frames] <= limit)
			frames++;
		assert_true(shmlog_format_chain(
			bytes, length, limit, &fitting_bytes, &fitting_frames));
		assert_int_equal(fitting_frames, frames);
		assert_int_equal(fitting_bytes,
		                 frames > 0 ? ends[frames - 1] : 0);
	}
}

TEST(test_chain_cut_anywhere_is_refused)
{
	unsigned char bytes[64];
	size_t length = make_chain(bytes, 5);
	size_t fitting_bytes;
	uint64_t fitting_frames;

	for (size_t cut = 1; cut < length; cut++) {
		unsigned char *copy = exact_copy(bytes, cut);
		bool whole = cut == 4 || cut == 9 || cut == 15 || cut == 22;

		assert_int_equal(shmlog_format_chain(copy, cut, UINT64_MAX,
		                                     &fitting_bytes,
		                                     &fitting_frames),
		                 whole);
		free(copy);
	}
}

TEST(test_chain_with_a_flipped_size_bit_is_refused)
{
	unsigned char bytes[64];
	size_t length = make_chain(bytes, 5);
	static const size_t words[] = {0, 2, 4, 7, 9, 13, 15, 20, 22, 28};
	size_t fitting_bytes;
	uint64_t fitting_frames;

	for (size_t i = 0; i < COUNT_OF(words) * 16; i++) {
		size_t at = words[i / 16] + i % 16 / 8;
		unsigned char bit = (unsigned char)(1u << i % 8);

		bytes[at] ^= bit;
		assert_false(shmlog_format_chain(bytes, length, UINT64_MAX,
		                                 &fitting_bytes,
		                                 &fitting_frames));
		bytes[at] ^= bit;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_header_bytes_are_three_little_endian_words),
		cmocka_unit_test(test_header_file_struct_is_frozen),
		cmocka_unit_test(
			test_header_is_judged_at_both_ends_of_every_range),
		cmocka_unit_test(test_word_is_little_endian_at_any_alignment),
		cmocka_unit_test(
			test_frame_encode_puts_its_size_before_and_behind_the_payload),
		cmocka_unit_test(
			test_frame_encode_takes_every_end_of_the_range),
		cmocka_unit_test(test_frame_encode_of_nothing_needs_no_payload),
		cmocka_unit_test(
			test_frame_is_measured_within_what_is_available),
		cmocka_unit_test(
			test_frame_with_an_impossible_or_unequal_word_is_refused),
		cmocka_unit_test(test_frame_of_the_largest_size_is_measured),
		cmocka_unit_test(test_explain_names_an_impossible_word),
		cmocka_unit_test(test_explain_names_a_frame_cut_short),
		cmocka_unit_test(test_explain_names_two_words_that_differ),
		cmocka_unit_test(test_explain_of_a_good_frame_finds_nothing),
		cmocka_unit_test(test_chain_of_whole_frames_is_counted),
		cmocka_unit_test(test_chain_tells_what_fits_at_every_limit),
		cmocka_unit_test(test_chain_cut_anywhere_is_refused),
		cmocka_unit_test(test_chain_with_a_flipped_size_bit_is_refused),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
