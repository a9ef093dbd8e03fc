/* Logs that are opened without a name: by a descriptor, and in memory. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
#define CAN_REOPEN true
#else
#define CAN_REOPEN false
#endif

#define FRAMES 5u

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Checks the numbered frames in each way of reading, and by verifying. */
static void expect_numbered(struct shmlog *log, unsigned count)
{
	struct shmlog_verify_report report;

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct shmlog_reader *reader = open_kind(log, kind);
		struct shmlog_frame frame;

		for (unsigned i = 0; i < count; i++) {
			expect_status(shmlog_reader_next(reader, &frame), 1);
			assert_memory_equal(frame.payload, numbered_text(i),
			                    frame.size_bytes);
		}
		expect_status(shmlog_reader_next(reader, &frame), 0);
		expect_status(shmlog_reader_wait(reader, 0, 0), 0);
		shmlog_reader_close(reader);
	}
	expect_status(shmlog_verify(log, NULL, &report), 0);
	assert_int_equal(report.frames, count);
	expect_status(shmlog_check_name(log), 0);
}

static void expect_read_only(struct shmlog *log, uint64_t capacity)
{
	struct shmlog_writer *writer;

	expect_status(append_payload(log, "x", 1, 0), -EROFS);
	expect_status(append_payload(log, "x", 1, SHMLOG_APPEND_FORCE), -EROFS);
	expect_status(shmlog_writer_open(log, NULL, &writer), -EROFS);
	expect_status(shmlog_grow(log, capacity + 1, NULL), -EROFS);
	expect_status(shmlog_rotate(log, NULL, NULL), -ENOENT);
}

/* ----------------------------------------------------------- descriptors */

TEST(test_open_by_a_descriptor_reads_a_file_that_has_no_name_any_more)
{
	const char *path = scratch("unlinked");
	struct shmlog *log;

	write_numbered_log(path, 4096, FRAMES);
	int fd = open_file(path, O_RDONLY);

	assert_int_equal(unlink(path), 0);
	expect_status(shmlog_open_fd(fd, &log), 0);
	/* Its own descriptor is another one. */
	assert_int_equal(close(fd), 0);
	expect_numbered(log, FRAMES);
	expect_read_only(log, 4096);
	shmlog_close(log);
}

TEST(test_open_by_a_descriptor_appends_where_that_is_open_for_writing)
{
	const char *path = scratch("appended");
	struct shmlog *log;

	write_numbered_log(path, 4096, FRAMES);
	int fd = open_file(path, O_RDWR);

	assert_int_equal(unlink(path), 0);
	expect_status(shmlog_open_fd(fd, &log), 0);
	if (!CAN_REOPEN) {
		expect_read_only(log, 4096);
		close(fd);
		shmlog_close(log);
		skip();
	}
	/* The caller's descriptor is open for writing all the while. */
	expect_status(append_payload(log, numbered_text(FRAMES),
	                             strlen(numbered_text(FRAMES)), 0),
	              0);
	expect_status(shmlog_grow(log, 8192, NULL), 0);
	expect_numbered(log, FRAMES + 1);
	assert_int_equal(close(fd), 0);
	expect_status(append_payload(log, numbered_text(FRAMES + 1),
	                             strlen(numbered_text(FRAMES + 1)), 0),
	              0);
	expect_numbered(log, FRAMES + 2);

	struct shmlog_writer *writer = open_writer(log, 0);

	write_frame(writer, numbered_text(FRAMES + 2),
	            strlen(numbered_text(FRAMES + 2)));
	expect_status(append_payload(log, "x", 1, 0), SHMLOG_ERR_WRITER_ACTIVE);
	shmlog_writer_close(writer);
	expect_numbered(log, FRAMES + 3);
	expect_status(shmlog_rotate(log, NULL, NULL), -ENOENT);
	shmlog_close(log);
}

/* A process that was passed a descriptor and appends by it. */
#define ROUNDS 200u

static int append_by_descriptor(void *context)
{
	const int *fd = context;
	struct shmlog *log;

	if (shmlog_open_fd(*fd, &log) != 0)
		return 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (append_payload(log, "passed", 6, 0) != 0)
			return 2;
	}
	shmlog_close(log);
	return 0;
}

TEST(test_open_by_a_descriptor_shares_a_log_among_those_it_was_passed_to)
{
	const char *path = scratch("passed");
	pid_t pids[3];
	struct shmlog_verify_report report;
	struct shmlog *log;

	if (!CAN_REOPEN)
		skip();
	write_numbered_log(path, 65536, 0);
	int fd = open_file(path, O_RDWR);

	assert_int_equal(unlink(path), 0);
	for (size_t i = 0; i < COUNT_OF(pids); i++)
		pids[i] = child_start(append_by_descriptor, &fd);
	for (size_t i = 0; i < COUNT_OF(pids); i++)
		assert_int_equal(child_wait(pids[i]), 0);
	expect_status(shmlog_open_fd(fd, &log), 0);
	expect_status(shmlog_verify(log, NULL, &report), 0);
	assert_int_equal(report.frames, COUNT_OF(pids) * ROUNDS);
	shmlog_close(log);
	close(fd);
}

TEST(test_open_by_a_descriptor_refuses_beside_a_plain_writer_that_is_seen)
{
	const char *path = scratch("plain");
	struct plain_writer writer;
	struct shmlog *log;

	if (!plain_writers_are_visible())
		skip();
	write_numbered_log(path, 4096, FRAMES);
	int fd = open_file(path, O_RDWR);

	expect_status(shmlog_open_fd(fd, &log), 0);
	plain_writer_start(&writer, path);
	expect_status(append_payload(log, "x", 1, 0), SHMLOG_ERR_WRITER_ACTIVE);
	expect_status(shmlog_grow(log, 8192, NULL), SHMLOG_ERR_WRITER_ACTIVE);
	plain_writer_stop(&writer);
	expect_status(append_payload(log, "x", 1, 0), 0);
	shmlog_close(log);
	close(fd);
}

TEST(test_open_by_a_descriptor_leaves_its_position_alone)
{
	const char *path = scratch("position");
	struct shmlog *log;

	write_numbered_log(path, 4096, FRAMES);
	int fd = open_file(path, O_RDWR);

	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	expect_status(shmlog_open_fd(fd, &log), 0);
	expect_numbered(log, FRAMES);
	if (CAN_REOPEN)
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	shmlog_close(log);
	close(fd);
}

TEST(test_open_by_a_descriptor_refuses_what_is_no_log)
{
	struct shmlog *log = NULL;
	int ends[2];
	const char *path = scratch("short");

	expect_status(shmlog_open_fd(-1, &log), -EBADF);
	assert_int_equal(pipe(ends), 0);
	expect_status(shmlog_open_fd(ends[0], &log), SHMLOG_ERR_NOT_REGULAR);
	close(ends[0]);
	close(ends[1]);
	int fd = open_file(".", O_RDONLY);

	expect_status(shmlog_open_fd(fd, &log), SHMLOG_ERR_NOT_REGULAR);
	close(fd);
	write_numbered_log(path, 4096, FRAMES);
	fd = open_file(path, O_WRONLY);
	expect_status(shmlog_open_fd(fd, &log), -EBADF);
	close(fd);
	file_truncate(path, 10);
	fd = open_file(path, O_RDWR);
	expect_status(shmlog_open_fd(fd, &log), SHMLOG_ERR_TOO_SHORT);
	file_truncate(path, 0);
	file_truncate(path, 100);
	expect_status(shmlog_open_fd(fd, &log), SHMLOG_ERR_NO_HEADER);
	assert_null(log);
	/* It is still the caller's. */
	assert_int_equal(close(fd), 0);
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

TEST(test_open_by_a_descriptor_takes_a_file_that_never_had_a_name)
{
	struct shmlog *log;
	struct raw_log raw;
	int fd = memfd_create("unit", MFD_CLOEXEC);

	if (fd < 0)
		skip();
	raw_init(&raw, 4096);
	for (unsigned i = 0; i < FRAMES; i++)
		raw_append_text(&raw, numbered_text(i));
	assert_int_equal(write(fd, raw.bytes, raw.capacity), raw.capacity);
	raw_free(&raw);
	expect_status(shmlog_open_fd(fd, &log), 0);
	expect_numbered(log, FRAMES);
	expect_status(append_payload(log, numbered_text(FRAMES),
	                             strlen(numbered_text(FRAMES)), 0),
	              0);
	expect_numbered(log, FRAMES + 1);
	shmlog_close(log);
	close(fd);
}

#endif

/* ---------------------------------------------------------------- memory */

TEST(test_open_in_memory_reads_a_copy)
{
	struct shmlog_header header;
	struct raw_log raw;
	struct shmlog *log;

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < FRAMES; i++)
		raw_append_text(&raw, numbered_text(i));
	expect_status(shmlog_open_memory(raw.bytes, raw.capacity, &log), 0);
	memset(raw.bytes, 'x', raw.capacity);
	raw_free(&raw);
	expect_numbered(log, FRAMES);
	expect_read_only(log, 4096);
	expect_status(shmlog_read_header(log, &header), 0);
	assert_int_equal(header.capacity, 4096);
	shmlog_close(log);
}

TEST(test_open_in_memory_takes_a_log_that_is_cut_to_its_committed_size)
{
	struct raw_log raw;
	struct shmlog *log;

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < FRAMES; i++)
		raw_append_text(&raw, numbered_text(i));
	expect_status(shmlog_open_memory(raw.bytes, (size_t)raw.size, &log), 0);
	expect_numbered(log, FRAMES);
	shmlog_close(log);
	expect_status(shmlog_open_memory(raw.bytes, (size_t)raw.size - 1, &log),
	              SHMLOG_ERR_SIZE);
	raw_free(&raw);
}

TEST(test_open_in_memory_refuses_what_is_no_log)
{
	static const unsigned char zeros[64];
	struct shmlog *log;

	expect_status(shmlog_open_memory(NULL, 0, &log), SHMLOG_ERR_TOO_SHORT);
	expect_status(shmlog_open_memory(zeros, 23, &log),
	              SHMLOG_ERR_TOO_SHORT);
	expect_status(shmlog_open_memory(zeros, 24, &log),
	              SHMLOG_ERR_NO_HEADER);
	expect_status(shmlog_open_memory(zeros, 64, &log),
	              SHMLOG_ERR_NO_HEADER);
}

int main(void)
{
	const struct CMUnitTest tests[] =
	{ cmocka_unit_test(
		  test_open_by_a_descriptor_reads_a_file_that_has_no_name_any_more),
	  cmocka_unit_test(
		  test_open_by_a_descriptor_appends_where_that_is_open_for_writing),
	  cmocka_unit_test(
		  test_open_by_a_descriptor_shares_a_log_among_those_it_was_passed_to),
	  cmocka_unit_test(
		  test_open_by_a_descriptor_refuses_beside_a_plain_writer_that_is_seen),
	  cmocka_unit_test(test_open_by_a_descriptor_leaves_its_position_alone),
	  cmocka_unit_test(test_open_by_a_descriptor_refuses_what_is_no_log),
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
	  cmocka_unit_test(
		  test_open_by_a_descriptor_takes_a_file_that_never_had_a_name),
#endif
	  cmocka_unit_test(test_open_in_memory_reads_a_copy),
	  cmocka_unit_test(
		  test_open_in_memory_takes_a_log_that_is_cut_to_its_committed_size),
	  cmocka_unit_test(test_open_in_memory_refuses_what_is_no_log),
	};

	return cmocka_run_group_tests_name("open", tests, scratch_setup,
	                                   scratch_teardown);
}
