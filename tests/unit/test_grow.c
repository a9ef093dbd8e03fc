/* Making a log longer, while readers, appenders and writers use it. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int append_number(struct shmlog *log, unsigned number)
{
	const char *text = numbered_text(number);

	return append_payload(log, text, strlen(text), 0);
}

/* Appends numbered frames until the log is full; how many there are then. */
static unsigned fill(struct shmlog *log, unsigned first)
{
	int status;

	while ((status = append_number(log, first)) == 0)
		first++;
	expect_status(status, SHMLOG_ERR_FULL);
	return first;
}

static void expect_numbers(struct shmlog_reader *reader, unsigned from,
                           unsigned count)
{
	struct shmlog_frame frame;

	for (unsigned i = from; i < count; i++) {
		const char *text = numbered_text(i);

		expect_status(shmlog_reader_next(reader, &frame), 1);
		assert_int_equal(frame.size_bytes, strlen(text));
		assert_memory_equal(frame.payload, text, frame.size_bytes);
	}
	expect_status(shmlog_reader_next(reader, &frame), 0);
}

TEST(test_grow_makes_room_and_reserves_it)
{
	const char *path = scratch("room");

	write_numbered_log(path, 1 << 16, 0);
	struct shmlog *log = open_log(path);
	unsigned count = fill(log, 0);
	uint64_t size = file_get64(path, 16);

	expect_status(shmlog_grow(log, 1 << 20, NULL), 0);
	assert_int_equal(file_length(path), 1 << 20);
	assert_true(file_blocks(path) * 512 >= (1 << 20) - (1 << 16));
	assert_int_equal(file_get64(path, 16), size);
	assert_true(fill(log, count) > 13 * count);
	shmlog_close(log);
}

TEST(test_grow_refuses_less_and_leaves_as_much_as_it_is)
{
	const char *path = scratch("less");
	size_t length;

	write_numbered_log(path, 5000, 3);
	unsigned char *before = file_bytes(path, &length);
	struct shmlog *log = open_log(path);

	expect_status(shmlog_grow(log, 4999, NULL), SHMLOG_ERR_CAPACITY);
	expect_status(shmlog_grow(log, 0, NULL), SHMLOG_ERR_CAPACITY);
	expect_status(shmlog_grow(log, (uint64_t)INT64_MAX + 1, NULL),
	              SHMLOG_ERR_CAPACITY);
	expect_status(shmlog_grow(log, 5000, NULL), 0);
	expect_file(path, before, length);
	free(before);
	shmlog_close(log);
}

TEST(test_grow_by_a_byte_leaves_all_bytes_before_it)
{
	const char *path = scratch("byte");
	size_t length;

	write_numbered_log(path, 5000, 3);
	unsigned char *before = file_bytes(path, &length);
	struct shmlog *log = open_log(path);

	expect_status(shmlog_grow(log, 5001, NULL), 0);
	assert_int_equal(file_length(path), 5001);
	unsigned char *after = file_bytes(path, &length);

	assert_memory_equal(before, after, 5000);
	free(before);
	free(after);
	shmlog_close(log);
}

TEST(test_grow_leaves_a_log_as_it_is_where_there_is_no_space)
{
	const char *path = scratch("space");
	const struct rlimit tight = {.rlim_cur = 8192,
	                             .rlim_max = RLIM_INFINITY};
	struct rlimit before;
	size_t length;

	write_numbered_log(path, 4096, 3);
	unsigned char *bytes = file_bytes(path, &length);
	struct shmlog *log = open_log(path);

	/* Beyond what any file system has. */
	int status = shmlog_grow(log, INT64_MAX, NULL);

	assert_true(status == -ENOSPC || status == -EFBIG);
	expect_file(path, bytes, length);
	/* And beyond what this process may have. */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	status = shmlog_grow(log, 1 << 20, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	expect_status(status, -EFBIG);
	expect_file(path, bytes, length);
	free(bytes);
	shmlog_close(log);
}

TEST(test_grow_is_followed_by_readers_that_were_there_before)
{
	const char *path = scratch("readers");
	struct shmlog_reader *readers[READER_KINDS];
	struct shmlog_frame first;

	write_numbered_log(path, 4096, 0);
	struct shmlog *log = open_log(path);
	struct shmlog *other = open_log(path);
	unsigned count = fill(other, 0);
	struct shmlog_reader *held = open_reader(log, 0, 0);

	expect_status(shmlog_reader_next(held, &first), 1);
	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		readers[kind] = open_kind(log, kind);
		expect_numbers(readers[kind], 0, count);
	}
	expect_status(shmlog_grow(other, 1 << 16, NULL), 0);
	unsigned more = fill(other, count);

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		expect_status(shmlog_reader_wait(readers[kind], 0, 0), 1);
		expect_numbers(readers[kind], count, more);
		shmlog_reader_close(readers[kind]);
	}
	/* What was handed out of the shorter mapping is still there. */
	assert_memory_equal(first.payload, numbered_text(0), first.size_bytes);
	expect_numbers(held, 1, more);
	shmlog_reader_close(held);
	shmlog_close(other);
	shmlog_close(log);
}

TEST(test_grow_is_used_by_appenders_and_keepers_that_were_there_before)
{
	const char *path = scratch("appenders");
	struct shmlog_append_session *session;
	struct shmlog_append_result result;
	unsigned char frame[16];
	size_t bytes = shmlog_frame_encode(frame, "kept", 4);
	int64_t began = now_ns();
	int status;

	write_numbered_log(path, 1 << 20, 0);
	struct shmlog *log = open_log(path);
	struct shmlog *other = open_log(path);

	expect_status(shmlog_append_session_open(log, &session), 0);
	const struct shmlog_append_options options = {.lock_timeout_ns = -1,
	                                              .session = session};

	/* Until something is kept, where the system can. */
	do {
		expect_status(shmlog_append_frames(log, frame, bytes, &options,
		                                   &result),
		              0);
		sleep_ns(MILLISECONDS(5));
	} while (shmlog_append_session_fd(session) < 0 &&
	         now_ns() - began < MILLISECONDS(600));
	/* Its lock is in the way until it is released. */
	if (shmlog_append_session_fd(session) >= 0) {
		expect_status(shmlog_grow(other, 2 << 20, NULL),
		              SHMLOG_ERR_LOCK_TIMEOUT);
		assert_int_equal(file_length(path), 1 << 20);
		shmlog_append_session_release(session);
	}
	expect_status(shmlog_grow(other, 2 << 20, NULL), 0);
	do
		status = shmlog_append_frames(log, frame, bytes, &options,
		                              &result);
	while (status == 0 && result.end_cursor < (3 << 19));
	expect_status(status, 0);
	/* By the same handle, while it keeps something. */
	expect_status(shmlog_grow(log, 3 << 20, NULL), 0);
	expect_status(
		shmlog_append_frames(log, frame, bytes, &options, &result), 0);
	assert_int_equal(result.free_bytes, (3 << 20) - 24 - result.end_cursor);
	shmlog_append_session_close(session);
	shmlog_close(other);
	shmlog_close(log);
}

TEST(test_grow_refuses_beside_a_writer_unless_it_is_forced)
{
	const struct shmlog_change_options force = {
		.flags = SHMLOG_CHANGE_FORCE};
	const char *path = scratch("writers");
	struct plain_writer plain;

	write_numbered_log(path, 4096, 1);
	struct shmlog *log = open_log(path);
	struct shmlog *other = open_log(path);

	if (plain_writers_are_visible()) {
		plain_writer_start(&plain, path);
		expect_status(shmlog_grow(log, 8192, NULL),
		              SHMLOG_ERR_WRITER_ACTIVE);
		assert_int_equal(file_length(path), 4096);
		expect_status(shmlog_grow(log, 8192, &force), 0);
		plain_writer_append(&plain, 10);
		plain_writer_stop(&plain);
	} else {
		expect_status(shmlog_grow(log, 8192, &force), 0);
	}
	assert_int_equal(file_length(path), 8192);

	struct shmlog_writer *writer = open_writer(other, 0);
	int status = shmlog_grow(log, 16384, NULL);

	/* Where it is not seen it has the lock. */
	assert_true(status == SHMLOG_ERR_WRITER_ACTIVE ||
	            status == SHMLOG_ERR_LOCK_TIMEOUT);
	expect_status(shmlog_grow(other, 16384, &force),
	              SHMLOG_ERR_WRITER_ACTIVE);
	assert_int_equal(file_length(path), 8192);
	if (status == SHMLOG_ERR_WRITER_ACTIVE) {
		char payload[10000] = {0};

		expect_status(shmlog_grow(log, 16384, &force), 0);
		write_frame(writer, payload, sizeof(payload));
	}
	shmlog_writer_close(writer);
	shmlog_close(other);
	shmlog_close(log);
}

TEST(test_grow_refuses_a_log_that_was_replaced_and_grows_one_that_is_damaged)
{
	const char *path = scratch("replaced");
	char moved[512];

	write_numbered_log(path, 4096, 3);
	/* The last frame is torn. */
	file_put64(path, 16, file_get64(path, 16) - 1);
	struct shmlog *log = open_log(path);

	expect_status(append_number(log, 3), SHMLOG_ERR_TORN);
	expect_status(shmlog_grow(log, 8192, NULL), 0);
	snprintf(moved, sizeof(moved), "%s.old", path);
	assert_int_equal(rename(path, moved), 0);
	expect_status(shmlog_grow(log, 16384, NULL), -ENOENT);
	write_numbered_log(path, 4096, 1);
	expect_status(shmlog_grow(log, 16384, NULL), SHMLOG_ERR_REPLACED);
	assert_int_equal(file_length(path), 4096);
	assert_int_equal(file_length(moved), 8192);
	shmlog_close(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow_makes_room_and_reserves_it),
		cmocka_unit_test(
			test_grow_refuses_less_and_leaves_as_much_as_it_is),
		cmocka_unit_test(
			test_grow_by_a_byte_leaves_all_bytes_before_it),
		cmocka_unit_test(
			test_grow_leaves_a_log_as_it_is_where_there_is_no_space),
		cmocka_unit_test(
			test_grow_is_followed_by_readers_that_were_there_before),
		cmocka_unit_test(
			test_grow_is_used_by_appenders_and_keepers_that_were_there_before),
		cmocka_unit_test(
			test_grow_refuses_beside_a_writer_unless_it_is_forced),
		cmocka_unit_test(
			test_grow_refuses_a_log_that_was_replaced_and_grows_one_that_is_damaged),
	};

	return cmocka_run_group_tests_name("grow", tests, scratch_setup,
	                                   scratch_teardown);
}
