/*
 * What lasts beyond a power cut: the order in which an append and shmlog_sync()
 * write and sync, what a failure ends, and which file systems can keep
 * nothing.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

/* ------------------------------------------ calls that the library makes */

/* What the calls of this program did to the log that is watched, in order: the
 * letter of each, and what `size` said then. */
static struct watch {
	ino_t inode;
	char calls[256];
	uint64_t sizes[256];
	size_t count;
	size_t failing; /* the sync that fails, counted from 1; 0: none */
	size_t syncs;
	bool in_memory; /* what fstatfs(2) says */
} watch;

static bool is_watched(int fd)
{
	struct stat file;

	return watch.inode != 0 && fstat(fd, &file) == 0 &&
	       file.st_ino == watch.inode;
}

static void note(int fd, char call)
{
	uint64_t size = 0;

	if (watch.count + 1 == COUNT_OF(watch.sizes))
		return;
	(void)pread(fd, &size, sizeof(size), 16);
	watch.calls[watch.count] = call;
	watch.sizes[watch.count++] = size;
	watch.calls[watch.count] = '\0';
}

/* The C library's functions, replaced in this program. */
int fdatasync(int fd)
{
	if (!is_watched(fd))
		return (int)syscall(SYS_fdatasync, fd);
	note(fd, 's');
	if (++watch.syncs == watch.failing) {
		errno = EIO;
		return -1;
	}
	return 0;
}

ssize_t pwrite(int fd, const void *bytes, size_t size_bytes, off_t offset)
{
	if (is_watched(fd))
		note(fd, 'w');
	return syscall(SYS_pwrite64, fd, bytes, size_bytes, offset);
}

/* The logs of the tests are in memory, which a log that can last is not. */
int fstatfs(int fd, struct statfs *system_out)
{
	int status = (int)syscall(SYS_fstatfs, fd, system_out);

	if (status == 0 && is_watched(fd) && !watch.in_memory)
		system_out->f_type = 0xef53;
	return status;
}

/* Opens a log of numbered frames whose calls are watched from now on. */
static struct shmlog *watched_log(const char *name, uint64_t capacity,
                                  unsigned frames)
{
	const char *path = scratch(name);
	struct stat file;

	write_numbered_log(path, capacity, frames);
	struct shmlog *log = open_log(path);

	assert_int_equal(stat(path, &file), 0);
	watch = (struct watch){.inode = file.st_ino};
	return log;
}

static int append_synced(struct shmlog *log, const char *text,
                         struct shmlog_append_result *result_out)
{
	const struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_SYNC, .lock_timeout_ns = -1};
	unsigned char frame[64];
	size_t bytes = shmlog_frame_encode(frame, text, strlen(text));

	return shmlog_append_frames(log, frame, bytes, &options, result_out);
}

static uint64_t size_of(struct shmlog *log)
{
	struct shmlog_header header;

	expect_status(shmlog_read_header(log, &header), 0);
	return header.size;
}

/* ------------------------------------------------------------------- tests */

TEST(test_append_syncs_its_data_before_it_moves_size)
{
	struct shmlog *log = watched_log("order", 4096, 3);
	uint64_t before = size_of(log);

	expect_status(append_synced(log, "one", NULL), 0);
	assert_string_equal(watch.calls, "ws");
	assert_int_equal(watch.sizes[0], before);
	assert_int_equal(watch.sizes[1], before);
	assert_int_equal(size_of(log), before + 7);

	/* The next sync, of either kind, finds `size` moved. */
	expect_status(append_synced(log, "two", NULL), 0);
	assert_string_equal(watch.calls, "wsws");
	assert_int_equal(watch.sizes[3], before + 7);
	expect_status(shmlog_sync(log), 0);
	assert_string_equal(watch.calls, "wswss");
	assert_int_equal(watch.sizes[4], before + 14);
	shmlog_close(log);
}

TEST(test_append_without_the_flag_does_not_sync)
{
	struct shmlog *log = watched_log("plain", 4096, 0);

	expect_status(append_payload(log, "x", 1, 0), 0);
	assert_string_equal(watch.calls, "w");
	shmlog_close(log);
}

TEST(test_sync_takes_an_empty_log_and_a_full_one)
{
	struct shmlog *log = watched_log("empty", SHMLOG_HEADER_BYTES, 0);
	struct shmlog_append_result result;

	expect_status(shmlog_sync(log), 0);
	assert_string_equal(watch.calls, "s");
	/* What does not fit is neither written nor synced. */
	expect_status(append_synced(log, "x", &result), SHMLOG_ERR_FULL);
	assert_string_equal(watch.calls, "s");
	shmlog_close(log);

	log = watched_log("full", SHMLOG_HEADER_BYTES + 5, 0);
	expect_status(append_synced(log, "x", &result), 0);
	assert_int_equal(result.free_bytes, 0);
	expect_status(append_synced(log, "y", &result), SHMLOG_ERR_FULL);
	expect_status(shmlog_sync(log), 0);
	assert_string_equal(watch.calls, "wss");
	shmlog_close(log);
}

TEST(test_append_whose_sync_fails_commits_nothing)
{
	struct shmlog *log = watched_log("fails", 4096, 2);
	uint64_t before = size_of(log);
	struct shmlog_append_result result;

	watch.failing = 1;
	expect_status(append_synced(log, "lost", &result), -EIO);
	assert_int_equal(result.frames, 0);
	assert_int_equal(result.doubtful_frames, 0);
	assert_int_equal(size_of(log), before);
	/* Nothing is tried again in its place. */
	assert_int_equal(watch.syncs, 1);
	shmlog_close(log);
}

TEST(test_sync_returns_a_failure_and_does_not_repeat_itself)
{
	struct shmlog *log = watched_log("eio", 4096, 2);

	watch.failing = 1;
	expect_status(shmlog_sync(log), -EIO);
	assert_int_equal(watch.syncs, 1);
	shmlog_close(log);
}

TEST(test_sync_refuses_a_log_in_memory)
{
	struct shmlog *log = watched_log("memory", 4096, 2);

	watch.in_memory = true;
	expect_status(shmlog_sync(log), -EOPNOTSUPP);
	assert_int_equal(watch.syncs, 0);
	shmlog_close(log);
}

/* ------------------------------------------------------------- writing ahead */

#define PAYLOAD_BYTES 20000u
#define FRAMES_AHEAD 4u

/* Frames of one commit, each with its own letter. */
static size_t letters(unsigned char *frames)
{
	static unsigned char payload[PAYLOAD_BYTES];
	size_t used = 0;

	for (unsigned i = 0; i < FRAMES_AHEAD; i++) {
		memset(payload, 'a' + (int)i, sizeof(payload));
		used += shmlog_frame_encode(frames + used, payload,
		                            sizeof(payload));
	}
	return used;
}

static struct shmlog_append_options
synced_with(struct shmlog_append_session *session)
{
	return (struct shmlog_append_options){
		.flags = SHMLOG_APPEND_SYNC,
		.lock_timeout_ns = -1,
		.session = session,
	};
}

/* Appends until the session keeps access, or skips the test. */
static void keep(struct shmlog *log, struct shmlog_append_session *session)
{
	const struct shmlog_append_options options = synced_with(session);
	int64_t started = now_ns();
	unsigned char frame[8];
	size_t bytes = shmlog_frame_encode(frame, "k", 1);

	while (shmlog_append_session_fd(session) < 0 &&
	       now_ns() - started < patience_ns(MILLISECONDS(1000))) {
		expect_status(
			shmlog_append_frames(log, frame, bytes, &options, NULL),
			0);
		sleep_ns(MILLISECONDS(10));
	}
	if (shmlog_append_session_fd(session) >= 0)
		return;
	shmlog_append_session_close(session);
	shmlog_close(log);
	print_message("skipped: no watch on this system\n");
	skip();
}

/* The last frames of a log are those of letters(), and the log is sound. */
static void expect_letters(struct shmlog *log)
{
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);
	struct shmlog_frame frame;
	unsigned found = 0;

	while (shmlog_reader_next(reader, &frame) == 1) {
		const unsigned char *payload = frame.payload;

		if (frame.size_bytes != PAYLOAD_BYTES)
			continue;
		assert_int_equal(payload[0], 'a' + found);
		assert_int_equal(payload[PAYLOAD_BYTES - 1], 'a' + found);
		found++;
	}
	assert_int_equal(found, FRAMES_AHEAD);
	assert_int_equal(shmlog_reader_cursor(reader),
	                 size_of(log) - SHMLOG_HEADER_BYTES);
	shmlog_reader_close(reader);
}

TEST(test_session_writes_ahead_and_the_commit_writes_only_the_rest)
{
	struct shmlog *log = watched_log("ahead", 1 << 20, 0);
	static unsigned char frames[FRAMES_AHEAD * (PAYLOAD_BYTES + 4)];
	struct shmlog_append_session *session;
	size_t bytes = letters(frames);

	expect_status(shmlog_append_session_open(log, &session), 0);
	keep(log, session);

	const struct shmlog_append_options options = synced_with(session);
	uint64_t before = size_of(log);

	watch.count = 0;
	watch.calls[0] = '\0';
	shmlog_append_session_write_ahead(session, frames, 30000);
	shmlog_append_session_write_ahead(session, frames, 30000);
	shmlog_append_session_write_ahead(session, frames, 50001);
	assert_string_equal(watch.calls, "ww");
	assert_int_equal(size_of(log), before);
	expect_status(shmlog_append_frames(log, frames, bytes, &options, NULL),
	              0);
	assert_string_equal(watch.calls, "wwws");
	expect_letters(log);

	/* The next commit starts behind this one. */
	expect_status(shmlog_append_frames(log, frames, 20004, &options, NULL),
	              0);
	assert_string_equal(watch.calls, "wwwsws");
	shmlog_append_session_close(session);
	shmlog_close(log);
}

TEST(test_session_that_was_released_has_written_nothing_ahead)
{
	struct shmlog *log = watched_log("released", 1 << 20, 0);
	static unsigned char frames[FRAMES_AHEAD * (PAYLOAD_BYTES + 4)];
	static unsigned char others[FRAMES_AHEAD * (PAYLOAD_BYTES + 4)];
	struct shmlog_append_session *session;
	size_t bytes = letters(frames);

	memset(others, 'z', sizeof(others));
	expect_status(shmlog_append_session_open(log, &session), 0);
	/* Nothing is kept yet. */
	shmlog_append_session_write_ahead(session, others, bytes);
	keep(log, session);
	shmlog_append_session_write_ahead(session, others, bytes);
	shmlog_append_session_release(session);

	const struct shmlog_append_options options = synced_with(session);

	expect_status(shmlog_append_frames(log, frames, bytes, &options, NULL),
	              0);
	expect_letters(log);
	shmlog_append_session_close(session);
	shmlog_close(log);
}

static int open_for_reading(void *path)
{
	return open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1;
}

TEST(test_session_writes_nothing_ahead_once_another_came)
{
	struct shmlog *log = watched_log("another", 1 << 20, 0);
	char *path = strdup(scratch_keep("another"));
	static unsigned char frames[FRAMES_AHEAD * (PAYLOAD_BYTES + 4)];
	struct shmlog_append_session *session;
	size_t bytes = letters(frames);

	expect_status(shmlog_append_session_open(log, &session), 0);
	keep(log, session);
	shmlog_append_session_write_ahead(session, frames, 20004);
	assert_int_equal(child_wait(child_start(open_for_reading, path)), 0);
	shmlog_append_session_write_ahead(session, frames, bytes);
	assert_true(shmlog_append_session_fd(session) < 0);
	free(path);

	const struct shmlog_append_options options = synced_with(session);

	expect_status(shmlog_append_frames(log, frames, bytes, &options, NULL),
	              0);
	expect_letters(log);
	shmlog_append_session_close(session);
	shmlog_close(log);
}

TEST(test_session_writes_no_more_ahead_than_there_is_room_for)
{
	struct shmlog *log = watched_log("room", 60000, 0);
	static unsigned char frames[FRAMES_AHEAD * (PAYLOAD_BYTES + 4)];
	struct shmlog_append_session *session;
	struct shmlog_append_result result;
	size_t bytes = letters(frames);

	expect_status(shmlog_append_session_open(log, &session), 0);
	keep(log, session);

	const struct shmlog_append_options options = synced_with(session);

	shmlog_append_session_write_ahead(session, frames, 50000);
	shmlog_append_session_write_ahead(session, frames, bytes);
	expect_status(
		shmlog_append_frames(log, frames, bytes, &options, &result),
		SHMLOG_ERR_FULL);
	assert_int_equal(result.frames, 2);
	assert_int_equal(file_length(scratch_keep("room")), 60000);
	shmlog_append_session_close(session);
	shmlog_close(log);
}

#else

TEST(test_sync_takes_any_log)
{
	const char *path = scratch("any");

	write_numbered_log(path, 4096, 2);
	struct shmlog *log = open_log(path);

	expect_status(shmlog_sync(log), 0);
	shmlog_close(log);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
		cmocka_unit_test(
			test_append_syncs_its_data_before_it_moves_size),
		cmocka_unit_test(test_append_without_the_flag_does_not_sync),
		cmocka_unit_test(test_sync_takes_an_empty_log_and_a_full_one),
		cmocka_unit_test(test_append_whose_sync_fails_commits_nothing),
		cmocka_unit_test(
			test_sync_returns_a_failure_and_does_not_repeat_itself),
		cmocka_unit_test(test_sync_refuses_a_log_in_memory),
		cmocka_unit_test(
			test_session_writes_ahead_and_the_commit_writes_only_the_rest),
		cmocka_unit_test(
			test_session_that_was_released_has_written_nothing_ahead),
		cmocka_unit_test(
			test_session_writes_nothing_ahead_once_another_came),
		cmocka_unit_test(
			test_session_writes_no_more_ahead_than_there_is_room_for),
#else
		cmocka_unit_test(test_sync_takes_any_log),
#endif
	};

	return cmocka_run_group_tests_name("sync", tests, scratch_setup,
	                                   scratch_teardown);
}
