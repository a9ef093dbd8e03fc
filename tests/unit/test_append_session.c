/*
 * Keeping the lock and the write access from one append to the next: that it
 * happens, that everybody else ends it, and that nothing is less safe for it.
 */
#include "support.h"

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#endif

/* A log with a session that has been kept. */
struct kept {
	const char *path;
	struct shmlog *log;
	struct shmlog_append_session *session;
	unsigned appended;
};

static int append_with(struct kept *kept, unsigned flags)
{
	const struct shmlog_append_options options = {
		.flags = flags,
		.lock_timeout_ns = -1,
		.session = kept->session,
	};
	unsigned char frame[64];
	const char *text = numbered_text(kept->appended);
	size_t bytes = shmlog_frame_encode(frame, text, strlen(text));
	int status = shmlog_append_frames(kept->log, frame, bytes, &options,
	                                  NULL);

	kept->appended += status == 0;
	return status;
}

static bool is_kept(const struct kept *kept)
{
	return shmlog_append_session_fd(kept->session) >= 0;
}

/* How long it may take until something is kept, which it never is where the
 * system has no watch. */
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
#define UNTIL_KEPT_NS patience_ns(MILLISECONDS(2000))
#else
#define UNTIL_KEPT_NS MILLISECONDS(500)
#endif

/* Opens a log and appends until something is kept, or there is no point in
 * going on. */
static void keep_log(struct kept *kept)
{
	int64_t started = now_ns();

	kept->log = open_log(kept->path);
	expect_status(shmlog_append_session_open(kept->log, &kept->session), 0);
	while (!is_kept(kept) && kept->appended < 2000 &&
	       now_ns() - started < UNTIL_KEPT_NS) {
		expect_status(append_with(kept, 0), 0);
		sleep_ns(MILLISECONDS(10));
	}
}

static bool start(struct kept *kept, const char *name)
{
	*kept = (struct kept){.path = scratch_keep(name)};
	write_numbered_log(kept->path, 65536, 0);
	keep_log(kept);
	return is_kept(kept);
}

static void end(struct kept *kept)
{
	shmlog_append_session_close(kept->session);
	shmlog_close(kept->log);
}

/* Counts the numbered frames, which must be in order, with nothing else. */
static void expect_numbers(const char *path, unsigned count)
{
	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);
	struct shmlog_frame frame;

	for (unsigned i = 0; i < count; i++) {
		const char *text = numbered_text(i);

		expect_status(shmlog_reader_next(reader, &frame), 1);
		assert_int_equal(frame.size_bytes, strlen(text));
		assert_memory_equal(frame.payload, text, frame.size_bytes);
	}
	expect_status(shmlog_reader_next(reader, &frame), 0);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

/* The rest is about systems that have a watch. */
#define START_OR_SKIP(kept, name)                                            \
	do {                                                                 \
		if (!start((kept), (name))) {                                \
			end(kept);                                           \
			print_message("skipped: no watch on this system\n"); \
			skip();                                              \
		}                                                            \
	} while (0)

/* Whether the descriptor to poll says, now or soon, that somebody else is
 * there. */
static bool is_wanted(const struct kept *kept, bool soon)
{
	int timeout_ms = soon ? (int)(patience_ns(MILLISECONDS(5000)) / 1000000)
	                      : 0;
	struct pollfd request = {.fd = shmlog_append_session_fd(kept->session),
	                         .events = POLLIN};

	assert_true(request.fd >= 0);
	return poll(&request, 1, timeout_ms) > 0;
}

static int open_for_reading(void *context)
{
	return open(context, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1;
}

TEST(test_keep_begins_after_a_while_and_commits_every_frame)
{
	struct kept kept;

	START_OR_SKIP(&kept, "kept");
	for (unsigned i = 0; i < 1000; i++)
		expect_status(append_with(&kept, SHMLOG_APPEND_WAKE), 0);
	assert_true(is_kept(&kept));
	assert_false(is_wanted(&kept, false));
	expect_numbers(kept.path, kept.appended);
	end(&kept);
}

TEST(test_keep_does_not_begin_for_a_process_that_ends_soon)
{
	struct kept kept = {.path = scratch_keep("soon")};
	int64_t began = now_ns();

	write_numbered_log(kept.path, 65536, 0);
	kept.log = open_log(kept.path);
	expect_status(shmlog_append_session_open(kept.log, &kept.session), 0);
	/* A quarter of a second is no longer soon. */
	for (unsigned i = 0; i < 20; i++)
		expect_status(append_with(&kept, 0), 0);
	assert_false(is_kept(&kept) && now_ns() - began < MILLISECONDS(250));
	end(&kept);
}

TEST(test_keep_begins_sooner_for_a_session_that_commits_much)
{
	static unsigned char frames[(2u << 20) + SHMLOG_FRAME_MAX_BYTES];
	static const unsigned char payload[SHMLOG_PAYLOAD_MAX_BYTES];
	struct shmlog_append_options options = {.lock_timeout_ns = -1};
	struct kept kept;
	size_t bytes = 0;

	START_OR_SKIP(&kept, "little");
	end(&kept);
	kept = (struct kept){.path = scratch_keep("much")};
	write_numbered_log(kept.path, 4u << 20, 0);
	kept.log = open_log(kept.path);
	expect_status(shmlog_append_session_open(kept.log, &kept.session), 0);
	options.session = kept.session;
	while (bytes < 2u << 20)
		bytes += shmlog_frame_encode(frames + bytes, payload,
		                             sizeof(payload));
	expect_status(
		shmlog_append_frames(kept.log, frames, bytes, &options, NULL),
		0);
	expect_status(append_with(&kept, 0), 0);
	assert_true(is_kept(&kept));
	end(&kept);
}

TEST(test_keep_ends_when_somebody_opens_the_log)
{
	struct kept kept;

	START_OR_SKIP(&kept, "opened");
	char *path = strdup(kept.path);

	assert_int_equal(child_wait(child_start(open_for_reading, path)), 0);
	assert_true(is_wanted(&kept, true));
	int64_t ended = now_ns();

	expect_status(append_with(&kept, 0), 0);
	assert_false(is_kept(&kept));
	/* And is not begun again at once, which is a tenth of a second. */
	expect_status(append_with(&kept, 0), 0);
	assert_false(is_kept(&kept) && now_ns() - ended < MILLISECONDS(100));
	expect_numbers(kept.path, kept.appended);
	free(path);
	end(&kept);
}

/* Another process that appends when it is told; begun before anything is
 * kept, as a fork would inherit that. */
struct other {
	char path[512];
	bool opens_early; /* so that only its wait can be seen, no opening */
	int go[2];
	pid_t pid;
};

static int append_when_told(void *context)
{
	struct other *other = context;
	struct shmlog *log = NULL;
	char go;

	if (other->opens_early && shmlog_open(other->path, &log) != 0)
		return 1;
	if (read(other->go[0], &go, 1) != 1)
		return 2;
	if (!other->opens_early && shmlog_open(other->path, &log) != 0)
		return 3;
	return append_payload(log, "other", 5, 0) == 0 ? 0 : 4;
}

static void expect_to_let_go(bool opens_early, bool releases)
{
	struct other other = {.opens_early = opens_early};
	struct kept kept = {.path = scratch_keep("awaited")};

	snprintf(other.path, sizeof(other.path), "%s", kept.path);
	write_numbered_log(kept.path, 65536, 0);
	assert_int_equal(pipe(other.go), 0);
	other.pid = child_start(append_when_told, &other);
	keep_log(&kept);
	if (!is_kept(&kept)) {
		child_kill(other.pid);
		end(&kept);
		skip();
	}
	assert_int_equal(write(other.go[1], "g", 1), 1);
	assert_true(is_wanted(&kept, true));
	if (releases)
		shmlog_append_session_release(kept.session);
	else
		expect_status(append_with(&kept, 0), 0);
	assert_false(is_kept(&kept));
	assert_int_equal(child_wait(other.pid), 0);
	close(other.go[0]);
	close(other.go[1]);
	end(&kept);
}

TEST(test_keep_lets_go_for_another_that_comes)
{
	expect_to_let_go(false, true);
	expect_to_let_go(false, false);
}

TEST(test_keep_lets_go_for_one_that_had_the_log_open_before)
{
	expect_to_let_go(true, true);
	expect_to_let_go(true, false);
}

TEST(test_keep_does_not_begin_while_another_is_marked_as_waiting)
{
	/* The mark alone, as of one whose opening came before the watch: a
	 * shared lock on the last byte but two that a file could have. */
	struct flock mark = {.l_type = F_RDLCK,
	                     .l_whence = SEEK_SET,
	                     .l_start = INT64_MAX - 2,
	                     .l_len = 1};
	struct kept kept;

	START_OR_SKIP(&kept, "marked");
	int fd = open(kept.path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &mark), 0);
	for (unsigned i = 0; i < 30; i++) {
		expect_status(append_with(&kept, 0), 0);
		assert_false(is_kept(&kept));
		sleep_ns(MILLISECONDS(10));
	}
	close(fd);
	sleep_ns(MILLISECONDS(110));
	expect_status(append_with(&kept, 0), 0);
	assert_true(is_kept(&kept));
	end(&kept);
}

TEST(test_keep_refuses_beside_a_plain_writer_that_comes)
{
	struct kept kept;
	struct plain_writer writer;

	START_OR_SKIP(&kept, "plain");
	plain_writer_start(&writer, kept.path);
	expect_status(append_with(&kept, 0), SHMLOG_ERR_WRITER_ACTIVE);
	assert_false(is_kept(&kept));
	plain_writer_kill(&writer);
	expect_status(append_with(&kept, 0), 0);
	expect_numbers(kept.path, kept.appended);
	end(&kept);
}

TEST(test_keep_ends_when_the_name_leads_elsewhere)
{
	struct kept kept;
	char moved[512];

	START_OR_SKIP(&kept, "named");
	snprintf(moved, sizeof(moved), "%s.old", kept.path);
	assert_int_equal(rename(kept.path, moved), 0);
	assert_true(is_wanted(&kept, true));
	expect_status(append_with(&kept, 0), -ENOENT);
	assert_false(is_kept(&kept));
	write_numbered_log(kept.path, 65536, 0);
	expect_status(append_with(&kept, 0), SHMLOG_ERR_REPLACED);
	expect_numbers(kept.path, 0);
	expect_numbers(moved, kept.appended);
	end(&kept);
}

TEST(test_keep_ends_when_another_log_takes_the_name)
{
	struct kept kept;
	char other[512];

	START_OR_SKIP(&kept, "taken");
	snprintf(other, sizeof(other), "%s.new", kept.path);
	write_numbered_log(other, 65536, 0);
	assert_int_equal(rename(other, kept.path), 0);
	expect_status(append_with(&kept, 0), SHMLOG_ERR_REPLACED);
	expect_numbers(kept.path, 0);
	end(&kept);
}

TEST(test_keep_ends_when_a_folder_above_was_renamed)
{
	struct kept kept;
	char folder[512], moved[600], path[600];

	snprintf(folder, sizeof(folder), "%s", scratch("folder"));
	assert_int_equal(mkdir(folder, 0700), 0);
	if (!start(&kept, "folder/log")) {
		end(&kept);
		skip();
	}
	snprintf(path, sizeof(path), "%s", kept.path);
	snprintf(moved, sizeof(moved), "%s.old", folder);
	assert_int_equal(rename(folder, moved), 0);
	/* No event tells of this one: it is seen behind the next commit. */
	expect_status(append_with(&kept, 0), 0);
	assert_false(is_kept(&kept));
	expect_status(append_with(&kept, 0), -ENOENT);
	end(&kept);
}

TEST(test_keep_refuses_a_log_that_was_cut_and_leaves_it_so)
{
	/* Behind and before the end of the committed data. */
	static const uint64_t lengths[] = {4096, 100};

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct kept kept;

		START_OR_SKIP(&kept, "cut");
		/* truncate(2) opens nothing that a watch would tell of. */
		file_truncate(kept.path, lengths[i]);
		int status = append_with(&kept, 0);

		assert_true(lengths[i] == 100
		                    ? status == SHMLOG_ERR_MAPPING_GONE
		                    : status == 0);
		assert_int_equal(file_length(kept.path), lengths[i]);
		end(&kept);
	}
}

TEST(test_keep_uses_the_room_of_a_log_that_was_made_longer)
{
	struct kept kept;
	int status = 0;

	START_OR_SKIP(&kept, "longer");
	while (status == 0)
		status = append_with(&kept, 0);
	expect_status(status, SHMLOG_ERR_FULL);
	end(&kept);

	/* And while it is kept: truncate(2) opens nothing. */
	START_OR_SKIP(&kept, "longer");
	file_truncate(kept.path, 1 << 20);
	for (unsigned i = 0; i < 10000; i++)
		expect_status(append_with(&kept, 0), 0);
	assert_true(is_kept(&kept));
	expect_numbers(kept.path, kept.appended);
	end(&kept);
}

TEST(test_keep_is_ended_by_any_other_use_of_the_handle)
{
	struct kept kept;
	struct shmlog_writer *writer;

	START_OR_SKIP(&kept, "used");
	expect_status(append_payload(kept.log, numbered_text(kept.appended),
	                             strlen(numbered_text(kept.appended)), 0),
	              0);
	kept.appended++;
	assert_false(is_kept(&kept));
	writer = open_writer(kept.log, 0);
	expect_status(append_with(&kept, 0), SHMLOG_ERR_WRITER_ACTIVE);
	shmlog_writer_close(writer);
	expect_status(append_with(&kept, 0), 0);
	expect_numbers(kept.path, kept.appended);
	end(&kept);
}

#endif

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

/* linux/futex.h is not to be had with every libc. */
#define FUTEX_WAIT 0

/* One that is woken does not need all of it, one that is not does. */
#define LONG_SLEEP patience_ns(MILLISECONDS(400))
#define SHORT_SLEEP MILLISECONDS(400)

struct sleeper {
	const char *path;
	int64_t limit_ns;
};

/* Sleeps on the size word as it is now, for a while at most; 0 if woken. */
static int sleep_on_size(void *argument)
{
	const struct sleeper *sleeper = argument;
	const struct timespec limit = {
		.tv_sec = (time_t)(sleeper->limit_ns / 1000000000),
		.tv_nsec = (long)(sleeper->limit_ns % 1000000000)};
	int fd = open(sleeper->path, O_RDONLY | O_CLOEXEC);
	const uint32_t *words = mmap(NULL, 24, PROT_READ, MAP_SHARED, fd, 0);

	if (words == MAP_FAILED)
		return 2;
	return syscall(SYS_futex, words + 4, FUTEX_WAIT, words[4], &limit, NULL,
	               0) == 0
	               ? 0
	               : 1;
}

/* Announces until the child that sleeps has ended; its exit status. */
static int announce_to_sleeper(const struct kept *kept, int64_t limit_ns)
{
	struct sleeper sleeper = {kept->path, limit_ns};
	pid_t pid = child_start(sleep_on_size, &sleeper);
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		shmlog_append_session_wake_early(kept->session);
		sleep_ns(MILLISECONDS(1));
	}
	return WEXITSTATUS(status);
}

TEST(test_session_wakes_early_those_who_sleep)
{
	struct kept kept;
	unsigned before;

	if (shmlog_sys_processors() < 2)
		skip();
	START_OR_SKIP(&kept, "announce");
	before = kept.appended;
	/* Opening the log, the sleeper ends nothing until the next commit. */
	assert_int_equal(announce_to_sleeper(&kept, LONG_SLEEP), 0);
	assert_true(is_kept(&kept));
	assert_int_equal(kept.appended, before);
	expect_status(append_with(&kept, SHMLOG_APPEND_WAKE), 0);
	expect_numbers(kept.path, kept.appended);
	shmlog_append_session_release(kept.session);
	assert_int_equal(announce_to_sleeper(&kept, SHORT_SLEEP), 1);
	end(&kept);
}

TEST(test_session_does_not_wake_early_where_there_is_one_processor)
{
	struct kept kept;
	cpu_set_t before;
	cpu_set_t one;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
		if (CPU_ISSET(cpu, &before))
			CPU_SET(cpu, &one);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);

	bool started = start(&kept, "announce-one");

	if (started)
		assert_int_equal(announce_to_sleeper(&kept, SHORT_SLEEP), 1);
	end(&kept);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	if (!started)
		skip();
}

#endif

TEST(test_session_is_harmless_where_nothing_can_be_kept)
{
	struct kept kept;

	(void)start(&kept, "harmless");
	for (unsigned i = 0; i < 10; i++)
		expect_status(append_with(&kept, SHMLOG_APPEND_FORCE), 0);
	shmlog_append_session_wake_early(kept.session);
	shmlog_append_session_release(kept.session);
	assert_false(is_kept(&kept));
	shmlog_append_session_wake_early(kept.session);
	shmlog_append_session_release(kept.session);
	expect_numbers(kept.path, kept.appended);
	end(&kept);
	shmlog_append_session_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
		cmocka_unit_test(
			test_keep_begins_after_a_while_and_commits_every_frame),
		cmocka_unit_test(
			test_keep_does_not_begin_for_a_process_that_ends_soon),
		cmocka_unit_test(
			test_keep_begins_sooner_for_a_session_that_commits_much),
		cmocka_unit_test(test_keep_ends_when_somebody_opens_the_log),
		cmocka_unit_test(test_keep_lets_go_for_another_that_comes),
		cmocka_unit_test(
			test_keep_lets_go_for_one_that_had_the_log_open_before),
		cmocka_unit_test(
			test_keep_does_not_begin_while_another_is_marked_as_waiting),
		cmocka_unit_test(
			test_keep_refuses_beside_a_plain_writer_that_comes),
		cmocka_unit_test(test_keep_ends_when_the_name_leads_elsewhere),
		cmocka_unit_test(
			test_keep_ends_when_another_log_takes_the_name),
		cmocka_unit_test(
			test_keep_ends_when_a_folder_above_was_renamed),
		cmocka_unit_test(
			test_keep_refuses_a_log_that_was_cut_and_leaves_it_so),
		cmocka_unit_test(
			test_keep_uses_the_room_of_a_log_that_was_made_longer),
		cmocka_unit_test(
			test_keep_is_ended_by_any_other_use_of_the_handle),
		cmocka_unit_test(test_session_wakes_early_those_who_sleep),
		cmocka_unit_test(
			test_session_does_not_wake_early_where_there_is_one_processor),
#endif
		cmocka_unit_test(
			test_session_is_harmless_where_nothing_can_be_kept),
	};

	return cmocka_run_group_tests_name("append_session", tests,
	                                   scratch_setup, scratch_teardown);
}
