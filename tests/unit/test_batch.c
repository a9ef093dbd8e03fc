/*
 * Batches: what is added makes the frames that shmlog_frame_encode() makes, in
 * each way to copy, and an append of them does what one of ready frames does.
 */
#include "support.h"

#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)3 * SHMLOG_FRAME_MAX_BYTES)

static struct shmlog_batch *open_batch(size_t room_bytes)
{
	struct shmlog_batch *batch;

	expect_status(shmlog_batch_open(room_bytes, &batch), 0);
	assert_int_equal(shmlog_batch_room(batch), room_bytes);
	return batch;
}

static void expect_frames(const struct shmlog_batch *batch, const void *frames,
                          size_t bytes, uint64_t count)
{
	size_t held;
	const unsigned char *found = shmlog_batch_frames(batch, &held);

	assert_int_equal(held, bytes);
	assert_memory_equal(found, frames, bytes);
	assert_int_equal(shmlog_batch_count(batch), count);
}

/* Takes records from a text one by one, byte by byte. */
struct plainly {
	unsigned char frames[ROOM];
	size_t bytes;
	uint64_t count;
	size_t taken;
};

static void take_plainly(struct plainly *plainly, const unsigned char *text,
                         size_t bytes, unsigned char delimiter, uint64_t most)
{
	plainly->bytes = plainly->taken = 0;
	plainly->count = 0;
	while (plainly->count < most &&
	       ROOM - plainly->bytes >= SHMLOG_FRAME_MAX_BYTES) {
		size_t length = 0;

		while (plainly->taken + length < bytes &&
		       text[plainly->taken + length] != delimiter)
			length++;
		if (plainly->taken + length == bytes ||
		    length > SHMLOG_PAYLOAD_MAX_BYTES)
			break;
		plainly->bytes += shmlog_frame_encode(
			plainly->frames + plainly->bytes, text + plainly->taken,
			length);
		plainly->count++;
		plainly->taken += length + 1;
	}
}

/* Adds the records of a text, which ends with its memory, in each way that this
 * processor has, and compares them with the plain one. */
static void compare(struct shmlog_batch *batch, const unsigned char *text,
                    size_t bytes, unsigned char delimiter, uint64_t most)
{
	static struct plainly plainly;
	const enum shmlog_copy_way fastest = batch->way;

	take_plainly(&plainly, text, bytes, delimiter, most);
	for (int way = 0; way < SHMLOG_COPY_WAYS; way++) {
		size_t taken = SIZE_MAX;

		if (!shmlog_copy_way_works((enum shmlog_copy_way)way))
			continue;
		batch->way = (enum shmlog_copy_way)way;
		shmlog_batch_clear(batch);
		assert_int_equal(shmlog_batch_add_records(batch, text, bytes,
		                                          delimiter, most,
		                                          &taken),
		                 plainly.count);
		assert_int_equal(taken, plainly.taken);
		expect_frames(batch, plainly.frames, plainly.bytes,
		              plainly.count);
	}
	batch->way = fastest;
}

TEST(test_records_make_the_same_frames_in_each_way)
{
	static unsigned char text[400];
	struct chance chance = chance_start("records", 17);
	struct shmlog_batch *batch = open_batch(ROOM);

	for (int round = 0; round < rounds_of(20000); round++) {
		size_t bytes = (size_t)chance_below(&chance, sizeof(text));
		/* Few delimiters make long records, many short ones. */
		uint64_t rare = 1 + chance_below(&chance, 90);
		unsigned char *from = text + sizeof(text) - bytes;

		for (size_t i = 0; i < bytes; i++)
			from[i] = chance_below(&chance, rare) == 0 ? '\n' : 'x';
		compare(batch, from, bytes, '\n',
		        round % 3 == 0 ? chance_below(&chance, 9) : UINT64_MAX);
	}
	shmlog_batch_close(batch);
}

TEST(test_records_of_every_length_at_every_alignment)
{
	struct shmlog_batch *batch = open_batch(ROOM);
	const size_t size = 64 + 300;
	unsigned char *memory = malloc(size);

	assert_non_null(memory);
	for (size_t length = 0; length < 140; length += step_of_all()) {
		for (size_t shift = 0; shift < 64; shift++) {
			unsigned char *text = memory + shift;

			memset(text, 'x', size - shift);
			text[length] = text[2 * length + 1] = '\0';
			compare(batch, text, size - shift, '\0', UINT64_MAX);
		}
	}
	free(memory);
	shmlog_batch_close(batch);
}

TEST(test_records_up_to_the_longest_payload)
{
	static unsigned char text[SHMLOG_PAYLOAD_MAX_BYTES + 8];
	struct shmlog_batch *batch = open_batch(ROOM);

	for (size_t length = SHMLOG_PAYLOAD_MAX_BYTES - 3;
	     length < SHMLOG_PAYLOAD_MAX_BYTES + 4; length++) {
		memset(text, 'y', sizeof(text));
		text[length] = '\n';
		compare(batch, text, sizeof(text), '\n', UINT64_MAX);
		compare(batch, text, length + 1, '\n', UINT64_MAX);
		compare(batch, text, length, '\n', UINT64_MAX);
		assert_int_equal(shmlog_batch_count(batch), 0);
	}
	shmlog_batch_close(batch);
}

/* The room that is left is told, and never overrun; a record that may not fit
 * is left alone. */
TEST(test_a_batch_takes_what_it_has_room_for)
{
	static unsigned char text[SHMLOG_PAYLOAD_MAX_BYTES + 1];
	struct shmlog_batch *batch = NULL;
	size_t taken;

	expect_status(shmlog_batch_open(SHMLOG_FRAME_MAX_BYTES - 1, &batch),
	              -EINVAL);
	assert_null(batch);
	batch = open_batch(SHMLOG_FRAME_MAX_BYTES + 5);
	memset(text, '\n', sizeof(text));
	assert_int_equal(shmlog_batch_add_records(batch, text, 100, '\n',
	                                          UINT64_MAX, &taken),
	                 2);
	assert_int_equal(taken, 2);
	assert_int_equal(shmlog_batch_room(batch), SHMLOG_FRAME_MAX_BYTES - 3);
	expect_status(
		shmlog_batch_add(batch, text, SHMLOG_PAYLOAD_MAX_BYTES - 2),
		SHMLOG_ERR_FULL);
	expect_status(
		shmlog_batch_add(batch, text, SHMLOG_PAYLOAD_MAX_BYTES + 1),
		SHMLOG_ERR_PAYLOAD_SIZE);
	assert_int_equal(shmlog_batch_count(batch), 2);
	expect_status(
		shmlog_batch_add(batch, text, SHMLOG_PAYLOAD_MAX_BYTES - 3), 0);
	assert_int_equal(shmlog_batch_room(batch), 0);
	expect_status(shmlog_batch_add(batch, NULL, 0), SHMLOG_ERR_FULL);
	assert_int_equal(shmlog_batch_add_frames(batch, "\4\0\4", 4, 1, &taken),
	                 0);
	assert_int_equal(taken, 0);
	shmlog_batch_clear(batch);
	expect_status(shmlog_batch_add(batch, NULL, 0), 0);
	expect_frames(batch, "\4\0\4", 4, 1);
	shmlog_batch_close(batch);
	shmlog_batch_close(NULL);
}

TEST(test_ready_frames_are_taken_up_to_a_broken_one)
{
	unsigned char bytes[400];
	struct chance chance = chance_start("ready frames", 18);
	struct shmlog_batch *batch = open_batch(ROOM);

	for (int round = 0; round < rounds_of(5000); round++) {
		size_t ends[41] = {0};
		size_t made = 0, used = 0, taken;
		size_t broken = (size_t)chance_below(&chance, 40);
		uint64_t most = round % 2 == 0 ? UINT64_MAX
		                               : chance_below(&chance, 40);
		size_t want;

		for (; made < 40 && sizeof(bytes) - used > 24; made++) {
			used += shmlog_frame_encode(
				bytes + used, "some payload bytes",
				(size_t)chance_below(&chance, 18));
			ends[made + 1] = used;
		}
		if (broken < made)
			bytes[ends[broken] + chance_below(&chance, 2)] ^= 64;
		want = broken < made ? broken : made;
		if (want > most)
			want = (size_t)most;
		shmlog_batch_clear(batch);
		assert_int_equal(shmlog_batch_add_frames(batch, bytes, used,
		                                         most, &taken),
		                 want);
		assert_int_equal(taken, ends[want]);
		expect_frames(batch, bytes, ends[want], want);
	}
	shmlog_batch_close(batch);
}

static void add_numbered(struct shmlog_batch *batch, unsigned from,
                         unsigned count)
{
	for (unsigned i = from; i < from + count; i++)
		expect_status(shmlog_batch_add(batch, numbered_text(i), 7), 0);
}

/* Expects the frames of these numbers and nothing else. */
static void expect_numbered(const struct shmlog_batch *batch, unsigned from,
                            unsigned count)
{
	unsigned char frames[110];
	size_t bytes = 0;

	for (unsigned i = from; i < from + count; i++)
		bytes += shmlog_frame_encode(frames + bytes, numbered_text(i),
		                             7);
	expect_frames(batch, frames, bytes, count);
}

TEST(test_frames_are_dropped_from_the_front)
{
	struct shmlog_batch *batch = open_batch(ROOM);

	add_numbered(batch, 0, 10);
	shmlog_batch_drop(batch, 0);
	expect_numbered(batch, 0, 10);
	shmlog_batch_drop(batch, 4);
	assert_int_equal(shmlog_batch_room(batch), ROOM - 110);
	expect_numbered(batch, 4, 6);
	shmlog_batch_drop(batch, 5);
	expect_numbered(batch, 9, 1);
	add_numbered(batch, 10, 1);
	shmlog_batch_drop(batch, 1);
	expect_frames(batch, "\13\0frame 1\13", 11, 1);
	shmlog_batch_drop(batch, 9);
	assert_int_equal(shmlog_batch_count(batch), 0);
	assert_int_equal(shmlog_batch_room(batch), ROOM);
	shmlog_batch_close(batch);
}

/* Appends a batch to a log of so many free bytes, and what is left of it to
 * another one, as ready frames are appended. */
static void append_in_two(size_t room)
{
	const char *path = scratch("full");
	struct shmlog_batch *batch = open_batch(ROOM);
	struct shmlog_append_options whole = {.flags = SHMLOG_APPEND_WHOLE};
	struct shmlog_append_result result;
	size_t fits = room / 11 < 10 ? room / 11 : 10;
	int status = fits < 10 ? SHMLOG_ERR_FULL : 0;
	struct raw_log raw;

	raw_init(&raw, 24 + room);
	raw_write(&raw, path);
	struct shmlog *log = open_log(path);

	add_numbered(batch, 0, 10);
	if (status != 0) {
		expect_status(shmlog_append_batch(log, batch, &whole, &result),
		              status);
		assert_int_equal(result.frames, 0);
		expect_file(path, raw.bytes, raw.capacity);
	}
	expect_status(shmlog_append_batch(log, batch, NULL, &result), status);
	assert_int_equal(result.frames, fits);
	assert_int_equal(result.bytes, fits * 11);
	assert_int_equal(result.end_cursor, fits * 11);
	assert_int_equal(result.free_bytes, room - fits * 11);
	for (unsigned i = 0; i < fits; i++)
		raw_append_text(&raw, numbered_text(i));
	expect_file(path, raw.bytes, raw.capacity);
	/* It is all there for another try. */
	assert_int_equal(shmlog_batch_count(batch), 10);
	shmlog_batch_drop(batch, result.frames);
	file_truncate(path, 24 + 110);
	expect_status(shmlog_append_batch(log, batch, NULL, &result), 0);
	assert_int_equal(result.frames, 10 - fits);
	assert_int_equal(file_get64(path, 16), 24 + 110);
	shmlog_close(log);
	shmlog_batch_close(batch);
	raw_free(&raw);
}

TEST(test_a_batch_is_committed_as_ready_frames_are)
{
	for (size_t room = 0; room <= 110; room++)
		append_in_two(room);
}

TEST(test_a_batch_goes_with_a_condition_metadata_and_a_session)
{
	const char *path = scratch("with");
	const struct shmlog_create_options making = {
		.capacity = 65536, .mode = 0600, .metadata_bytes = 8};
	struct shmlog_append_session *session;
	struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_EXPECT | SHMLOG_APPEND_WAKE,
		.expected_end_cursor = 11,
		.metadata = "told",
		.metadata_bytes = 4,
	};
	struct shmlog_append_result result;
	struct shmlog_batch *batch = open_batch(ROOM);
	char metadata[8] = "";

	expect_status(shmlog_create_with(path, &making), 0);
	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_session_open(log, &session), 0);
	options.session = session;
	add_numbered(batch, 0, 3);
	expect_status(shmlog_append_batch(log, batch, &options, &result),
	              SHMLOG_ERR_MOVED);
	assert_int_equal(result.end_cursor, 0);
	options.expected_end_cursor = 0;
	options.metadata_bytes = 9;
	expect_status(shmlog_append_batch(log, batch, &options, NULL),
	              SHMLOG_ERR_METADATA);
	options.metadata_bytes = 4;
	expect_status(shmlog_append_batch(log, batch, &options, &result), 0);
	assert_int_equal(result.end_cursor, 33);
	expect_status(shmlog_read_metadata(log, 0, metadata, 4), 0);
	assert_string_equal(metadata, "told");
	/* Nothing, too, is a commit. */
	shmlog_batch_clear(batch);
	size_t taken = SIZE_MAX;

	assert_int_equal(shmlog_batch_add_records(batch, NULL, 0, '\n',
	                                          UINT64_MAX, &taken),
	                 0);
	assert_int_equal(taken, 0);
	taken = SIZE_MAX;
	assert_int_equal(
		shmlog_batch_add_frames(batch, NULL, 0, UINT64_MAX, &taken), 0);
	assert_int_equal(taken, 0);
	options.expected_end_cursor = 33;
	expect_status(shmlog_append_batch(log, batch, &options, &result), 0);
	assert_int_equal(result.frames, 0);
	shmlog_append_session_close(session);
	shmlog_close(log);
	shmlog_batch_close(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_make_the_same_frames_in_each_way),
		cmocka_unit_test(
			test_records_of_every_length_at_every_alignment),
		cmocka_unit_test(test_records_up_to_the_longest_payload),
		cmocka_unit_test(test_a_batch_takes_what_it_has_room_for),
		cmocka_unit_test(
			test_ready_frames_are_taken_up_to_a_broken_one),
		cmocka_unit_test(test_frames_are_dropped_from_the_front),
		cmocka_unit_test(test_a_batch_is_committed_as_ready_frames_are),
		cmocka_unit_test(
			test_a_batch_goes_with_a_condition_metadata_and_a_session),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
