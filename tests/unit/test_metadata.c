/*
 * Appends on condition that the log ends in a certain place, and metadata in
 * the header, which is written together with an append.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 40u

/* A log with room for metadata, all of it filled with `fill`. */
static void create_log(const char *path, uint64_t capacity, char fill)
{
	char metadata[ROOM];
	const struct shmlog_create_options options = {
		.capacity = capacity,
		.mode = 0600,
		.metadata_bytes = ROOM,
		.metadata = metadata,
	};

	memset(metadata, fill, ROOM);
	expect_status(shmlog_create_with(path, &options), 0);
}

static void expect_metadata(const struct shmlog *log, uint64_t at,
                            const char *text)
{
	char found[ROOM];

	expect_status(shmlog_read_metadata(log, at, found, strlen(text)), 0);
	assert_memory_equal(found, text, strlen(text));
}

/* Appends one frame, with metadata if there is a text of that. */
static int append_with(struct shmlog *log, const char *payload,
                       uint64_t metadata_at, const char *metadata,
                       struct shmlog_append_result *result)
{
	const struct shmlog_append_options options = {
		.metadata_at = metadata_at,
		.metadata = metadata,
		.metadata_bytes = strlen(metadata),
	};
	unsigned char frame[256];
	size_t bytes = shmlog_frame_encode(frame, payload, strlen(payload));

	return shmlog_append_frames(log, frame, bytes, &options, result);
}

static int append_expecting(struct shmlog *log, const char *payload,
                            uint64_t end_cursor,
                            struct shmlog_append_result *result)
{
	const struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_EXPECT,
		.expected_end_cursor = end_cursor,
	};
	unsigned char frame[256];
	size_t bytes = shmlog_frame_encode(frame, payload, strlen(payload));

	return shmlog_append_frames(log, frame, bytes, &options, result);
}

/* -------------------------------------------------------------- creation */

TEST(test_metadata_is_in_the_header_of_a_new_log)
{
	const char *path = scratch("created");
	struct shmlog_header header;

	create_log(path, 4096, 'm');
	expect_status(shmlog_inspect(path, &header), 0);
	assert_int_equal(header.header_size, SHMLOG_HEADER_BYTES + ROOM);
	assert_int_equal(header.data_offset, SHMLOG_HEADER_BYTES + ROOM);
	assert_int_equal(header.size, SHMLOG_HEADER_BYTES + ROOM);
	assert_int_equal(header.capacity, 4096);

	struct shmlog *log = open_log(path);

	assert_int_equal(shmlog_metadata_size(log), ROOM);
	expect_metadata(log, 0, "mmmmmmmm");
	expect_metadata(log, ROOM - 2, "mm");
	expect_status(append_payload(log, "one", 3, 0), 0);
	expect_metadata(log, 0, "mmmmmmmm");
	shmlog_close(log);
}

TEST(test_metadata_of_a_new_log_is_zeros_unless_it_is_given)
{
	const struct shmlog_create_options options = {
		.capacity = 64, .mode = 0600, .metadata_bytes = ROOM};
	const char *path = scratch("zeros");
	char found[ROOM];

	expect_status(shmlog_create_with(path, &options), 0);
	struct shmlog *log = open_log(path);

	expect_status(shmlog_read_metadata(log, 0, found, ROOM), 0);
	for (size_t i = 0; i < ROOM; i++)
		assert_int_equal(found[i], 0);
	/* The header fills the log. */
	expect_status(append_payload(log, "", 0, 0), SHMLOG_ERR_FULL);
	shmlog_close(log);
}

TEST(test_metadata_must_fit_into_the_log)
{
	struct shmlog_create_options options = {
		.capacity = 64, .mode = 0600, .metadata_bytes = ROOM + 1};
	const char *path = scratch("small");

	expect_status(shmlog_create_with(path, &options), SHMLOG_ERR_CAPACITY);
	options.metadata_bytes = UINT64_MAX;
	expect_status(shmlog_create_with(path, &options), SHMLOG_ERR_CAPACITY);
	options.capacity = 23;
	options.metadata_bytes = 0;
	expect_status(shmlog_create_with(path, &options), SHMLOG_ERR_CAPACITY);
	expect_status(shmlog_create_with(path, &options), SHMLOG_ERR_CAPACITY);
	options.capacity = 24;
	expect_status(shmlog_create_with(path, &options), 0);
	expect_status(shmlog_create_with(path, &options), -EEXIST);
}

/* --------------------------------------------------------------- reading */

TEST(test_metadata_ends_where_the_header_does_or_the_frames_begin)
{
	static const struct {
		uint64_t header_size, data_offset, size;
	} cases[] = {{24, 24, 0},
	             {24, 100, 0},
	             {80, 100, 56},
	             {100, 80, 56},
	             {64, 64, 40}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *path = scratch("words");
		struct raw_log raw;
		char byte;

		raw_init_at(&raw, 4096, cases[i].data_offset);
		raw_put64(&raw, 0, cases[i].header_size);
		raw_write(&raw, path);
		raw_free(&raw);
		struct shmlog *log = open_log(path);

		assert_int_equal(shmlog_metadata_size(log), cases[i].size);
		expect_status(
			shmlog_read_metadata(log, cases[i].size, &byte, 1),
			SHMLOG_ERR_METADATA);
		expect_status(shmlog_read_metadata(log, UINT64_MAX, &byte, 1),
		              SHMLOG_ERR_METADATA);
		expect_status(
			shmlog_read_metadata(log, cases[i].size, &byte, 0), 0);
		shmlog_close(log);
	}
}

/* ------------------------------------------------------------- appending */

TEST(test_metadata_is_written_with_an_append)
{
	const char *path = scratch("written");
	struct shmlog_append_result result;

	create_log(path, 4096, '.');
	struct shmlog *log = open_log(path);

	expect_status(append_with(log, "one", 4, "first", &result), 0);
	assert_int_equal(result.frames, 1);
	expect_metadata(log, 0, "....first.");
	expect_status(append_with(log, "two", 5, "next", &result), 0);
	expect_metadata(log, 0, "....fnext.");
	/* The last byte, and none behind it. */
	expect_status(append_with(log, "x", ROOM - 1, "!", &result), 0);
	expect_metadata(log, ROOM - 2, ".!");
	expect_status(append_with(log, "x", ROOM - 1, "!!", &result),
	              SHMLOG_ERR_METADATA);
	expect_status(append_with(log, "x", UINT64_MAX, "!!", &result),
	              SHMLOG_ERR_METADATA);
	assert_int_equal(result.frames, 0);
	expect_metadata(log, ROOM - 2, ".!");
	struct shmlog_header header;

	expect_status(shmlog_read_header(log, &header), 0);
	assert_int_equal(header.size, 64 + 7 + 7 + 5);
	shmlog_close(log);
}

TEST(test_metadata_is_written_alone_by_an_append_of_nothing)
{
	const struct shmlog_append_options options = {.metadata = "alone",
	                                              .metadata_bytes = 5};
	const char *path = scratch("alone");
	struct shmlog_append_result result;

	create_log(path, 4096, '.');
	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_frames(log, NULL, 0, &options, &result), 0);
	assert_int_equal(result.frames, 0);
	assert_int_equal(result.end_cursor, 0);
	expect_metadata(log, 0, "alone.");
	shmlog_close(log);
}

TEST(test_metadata_is_not_written_where_the_frames_do_not_fit)
{
	const char *path = scratch("full");
	struct shmlog_append_result result;
	const struct shmlog_append_options options = {.metadata = "full",
	                                              .metadata_bytes = 4};
	unsigned char frames[64];
	size_t bytes = shmlog_frame_encode(frames, "1234", 4);

	/* Room for one frame of the two. */
	bytes += shmlog_frame_encode(frames + bytes, "5678", 4);
	create_log(path, 64 + 12, '.');
	struct shmlog *log = open_log(path);

	expect_status(
		shmlog_append_frames(log, frames, bytes, &options, &result),
		SHMLOG_ERR_FULL);
	assert_int_equal(result.frames, 0);
	assert_int_equal(result.end_cursor, 0);
	expect_metadata(log, 0, "....");
	shmlog_close(log);
}

TEST(test_metadata_of_frames_from_a_file_is_written)
{
	const struct shmlog_append_options options = {.metadata = "from",
	                                              .metadata_bytes = 4};
	const struct shmlog_append_options beyond = {
		.metadata = "from", .metadata_bytes = 4, .metadata_at = ROOM};
	const char *path = scratch("from");
	struct shmlog_append_result result;
	FILE *file = fopen(scratch("frames"), "w+");
	unsigned char frame[16];
	size_t bytes = shmlog_frame_encode(frame, "abc", 3);

	assert_non_null(file);
	assert_int_equal(fwrite(frame, 1, bytes, file), bytes);
	assert_int_equal(fflush(file), 0);
	create_log(path, 4096, '.');
	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_frames_from(log, fileno(file), bytes,
	                                        &beyond, &result),
	              SHMLOG_ERR_METADATA);
	expect_status(shmlog_append_frames_from(log, fileno(file), bytes,
	                                        &options, &result),
	              0);
	assert_int_equal(result.frames, 1);
	expect_metadata(log, 0, "from.");
	shmlog_close(log);
	fclose(file);
}

TEST(test_metadata_does_not_lengthen_a_log_that_was_cut)
{
	const struct shmlog_append_options options = {.metadata = "cut",
	                                              .metadata_bytes = 3};
	const char *path = scratch("cut");

	create_log(path, 4096, '.');
	struct shmlog *log = open_log(path);

	file_truncate(path, 30);
	expect_status(shmlog_append_frames(log, NULL, 0, &options, NULL),
	              SHMLOG_ERR_MAPPING_GONE);
	assert_int_equal(file_length(path), 30);
	shmlog_close(log);
}

TEST(test_metadata_survives_salvage)
{
	const char *path = scratch("damaged");
	const char *copy = scratch("salvaged");
	struct shmlog_verify_report report;
	struct shmlog_append_result result;

	create_log(path, 4096, 's');
	struct shmlog *log = open_log(path);

	expect_status(append_with(log, "one", 0, "kept", &result), 0);
	expect_status(shmlog_salvage(log, copy, 0600, NULL, &report), 0);
	shmlog_close(log);
	log = open_log(copy);
	assert_int_equal(shmlog_metadata_size(log), ROOM);
	expect_metadata(log, 0, "keptss");
	expect_status(append_expecting(log, "two", 7, &result), 0);
	shmlog_close(log);
}

/* ------------------------------------------------------ compare and append */

TEST(test_append_with_an_expectation_is_refused_where_the_log_ends_elsewhere)
{
	const char *path = scratch("expected");
	struct shmlog_append_result result;
	size_t length;

	write_numbered_log(path, 4096, 0);
	struct shmlog *log = open_log(path);

	expect_status(append_expecting(log, "one", 0, &result), 0);
	assert_int_equal(result.end_cursor, 7);
	unsigned char *before = file_bytes(path, &length);

	expect_status(append_expecting(log, "two", 0, &result),
	              SHMLOG_ERR_MOVED);
	assert_int_equal(result.end_cursor, 7);
	assert_int_equal(result.frames, 0);
	expect_status(append_expecting(log, "two", 6, &result),
	              SHMLOG_ERR_MOVED);
	expect_status(append_expecting(log, "two", UINT64_MAX - 16, &result),
	              SHMLOG_ERR_MOVED);
	expect_file(path, before, length);
	free(before);
	expect_status(append_expecting(log, "two", result.end_cursor, &result),
	              0);
	shmlog_close(log);
}

TEST(test_append_with_an_expectation_writes_no_metadata_where_it_is_refused)
{
	struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_EXPECT,
		.expected_end_cursor = 1,
		.metadata = "no",
		.metadata_bytes = 2,
	};
	const char *path = scratch("refused");

	create_log(path, 4096, '.');
	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_frames(log, NULL, 0, &options, NULL),
	              SHMLOG_ERR_MOVED);
	expect_metadata(log, 0, "..");
	options.expected_end_cursor = 0;
	expect_status(shmlog_append_frames(log, NULL, 0, &options, NULL), 0);
	expect_metadata(log, 0, "no");
	shmlog_close(log);
}

TEST(test_append_with_an_expectation_works_with_a_keeper)
{
	const char *path = scratch("session");
	struct shmlog_append_session *session;
	struct shmlog_append_result result = {0};
	unsigned char frame[16];
	size_t bytes = shmlog_frame_encode(frame, "k", 1);
	int64_t began = now_ns();

	write_numbered_log(path, 1 << 20, 0);
	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_session_open(log, &session), 0);
	struct shmlog_append_options options = {.flags = SHMLOG_APPEND_EXPECT,
	                                        .session = session};

	do {
		options.expected_end_cursor = result.end_cursor;
		expect_status(shmlog_append_frames(log, frame, bytes, &options,
		                                   &result),
		              0);
		options.expected_end_cursor = result.end_cursor + 1;
		if (result.frames % 7 == 0)
			expect_status(shmlog_append_frames(log, frame, bytes,
			                                   &options, NULL),
			              SHMLOG_ERR_MOVED);
		sleep_ns(MILLISECONDS(1));
	} while (shmlog_append_session_fd(session) < 0 &&
	         now_ns() - began < MILLISECONDS(600));
	options.expected_end_cursor = result.end_cursor + 1;
	expect_status(shmlog_append_frames(log, frame, bytes, &options, NULL),
	              SHMLOG_ERR_MOVED);
	options.expected_end_cursor = result.end_cursor;
	expect_status(
		shmlog_append_frames(log, frame, bytes, &options, &result), 0);
	shmlog_append_session_close(session);
	shmlog_close(log);
}

/* Several processes that each append the number that follows the last one. */
#define COUNTERS 4
#define LAST_NUMBER 400u

static int count_up(void *context)
{
	const char *path = context;
	struct shmlog *log;

	if (shmlog_open(path, &log) != 0)
		return 1;
	for (uint32_t next = 0; next < LAST_NUMBER;) {
		const struct shmlog_append_options options = {
			.flags = SHMLOG_APPEND_EXPECT,
			.lock_timeout_ns = -1,
			.expected_end_cursor = next * 8,
			.metadata = &next,
			.metadata_bytes = sizeof(next),
		};
		struct shmlog_append_result result;
		unsigned char frame[8];
		size_t bytes = shmlog_frame_encode(frame, &next, sizeof(next));
		int status = shmlog_append_frames(log, frame, bytes, &options,
		                                  &result);

		if (status != 0 && status != SHMLOG_ERR_MOVED)
			return 2;
		next = (uint32_t)(result.end_cursor / 8);
	}
	return 0;
}

TEST(test_appends_with_expectations_never_repeat_and_never_skip)
{
	const char *path = scratch("counted");
	pid_t pids[COUNTERS];
	char copy[512];
	uint32_t number;

	snprintf(copy, sizeof(copy), "%s", path);
	create_log(path, 1 << 16, 0);
	for (size_t i = 0; i < COUNTERS; i++)
		pids[i] = child_start(count_up, copy);
	for (size_t i = 0; i < COUNTERS; i++)
		assert_int_equal(child_wait(pids[i]), 0);

	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, 0, 0);
	struct shmlog_frame frame;

	for (uint32_t i = 0; i < LAST_NUMBER; i++) {
		expect_status(shmlog_reader_next(reader, &frame), 1);
		memcpy(&number, frame.payload, sizeof(number));
		assert_int_equal(number, i);
	}
	expect_status(shmlog_reader_next(reader, &frame), 0);
	expect_status(shmlog_read_metadata(log, 0, &number, sizeof(number)), 0);
	assert_int_equal(number, LAST_NUMBER - 1);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata_is_in_the_header_of_a_new_log),
		cmocka_unit_test(
			test_metadata_of_a_new_log_is_zeros_unless_it_is_given),
		cmocka_unit_test(test_metadata_must_fit_into_the_log),
		cmocka_unit_test(
			test_metadata_ends_where_the_header_does_or_the_frames_begin),
		cmocka_unit_test(test_metadata_is_written_with_an_append),
		cmocka_unit_test(
			test_metadata_is_written_alone_by_an_append_of_nothing),
		cmocka_unit_test(
			test_metadata_is_not_written_where_the_frames_do_not_fit),
		cmocka_unit_test(
			test_metadata_of_frames_from_a_file_is_written),
		cmocka_unit_test(
			test_metadata_does_not_lengthen_a_log_that_was_cut),
		cmocka_unit_test(test_metadata_survives_salvage),
		cmocka_unit_test(
			test_append_with_an_expectation_is_refused_where_the_log_ends_elsewhere),
		cmocka_unit_test(
			test_append_with_an_expectation_writes_no_metadata_where_it_is_refused),
		cmocka_unit_test(
			test_append_with_an_expectation_works_with_a_keeper),
		cmocka_unit_test(
			test_appends_with_expectations_never_repeat_and_never_skip),
	};

	return cmocka_run_group_tests_name("metadata", tests, scratch_setup,
	                                   scratch_teardown);
}
