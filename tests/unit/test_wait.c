/*
 * Waiting for a log to grow and waking those who wait: at once where the
 * writer wakes, by polling where it only stores to memory, and never for
 * longer than allowed.
 */
#include "reader.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The kernel's headers are not to be had with every libc. */
#if defined(__linux__) && __has_include(<linux/seccomp.h>)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#define HAS_SANDBOX 1
#else
#define HAS_SANDBOX 0
#endif

/* Whether writers can wake readers, or all is polled. */
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
#include <sys/syscall.h>
#define WAKES_BY_FUTEX 1
#else
#define WAKES_BY_FUTEX 0
#endif
#define WAKES (WAKES_BY_FUTEX != 0)

/* futex_waitv(2), which is newer than some headers. */
#define NUMBER_OF_WAITV 449

/* Whether this kernel has it: without any word to wait for it says EINVAL. */
static bool sleeps_on_several(void)
{
#if WAKES_BY_FUTEX
	return syscall(NUMBER_OF_WAITV, NULL, 0, 0, NULL, 0) == -1 &&
	       errno == EINVAL;
#else
	return false;
#endif
}

/* Far more than a loaded machine needs, far less than the polling pauses in
 * these tests. */
#define SOON patience_ns(MILLISECONDS(400))
#define NEVER_POLL (MILLISECONDS(1000) * 3600)

/* ------------------------------------------------- what needs no waiting */

TEST(test_wait_returns_at_once_when_there_is_something_to_read)
{
	const char *path = scratch("ready");

	write_numbered_log(path, 4096, 2);

	struct shmlog *log = open_log(path);

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct shmlog_reader *reader = open_kind(log, kind);
		struct shmlog_frame frame;

		expect_status(shmlog_reader_wait(reader, -1, 0), 1);
		expect_status(shmlog_reader_wait(reader, 0, 0), 1);
		assert_int_equal(shmlog_reader_cursor(reader), 0);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_status(shmlog_reader_wait(reader, -1, 0), 1);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_status(shmlog_reader_wait(reader, 0, 0), 0);
		expect_status(shmlog_reader_prev(reader, &frame), 1);
		expect_status(shmlog_reader_wait(reader, -1, 0), 1);
		shmlog_reader_close(reader);
	}
	shmlog_close(log);
}

TEST(test_wait_ends_when_its_time_has_passed)
{
	const char *path = scratch("timeout");

	write_numbered_log(path, 4096, 0);

	struct shmlog *log = open_log(path);

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		static const int64_t polls[] = {0, 1, MILLISECONDS(5),
		                                NEVER_POLL};
		struct shmlog_reader *reader = open_kind(log, kind);

		for (size_t i = 0; i < COUNT_OF(polls); i++) {
			int64_t start = now_ns();
			int64_t taken;

			expect_status(shmlog_reader_wait(reader,
			                                 MILLISECONDS(20),
			                                 polls[i]),
			              0);
			taken = now_ns() - start;
			assert_true(taken >= MILLISECONDS(20));
			assert_true(taken < MILLISECONDS(20) + SOON);
		}
		expect_status(shmlog_reader_wait(reader, 1, 0), 0);
		shmlog_reader_close(reader);
	}
	shmlog_close(log);
}

TEST(test_wait_uses_no_processor_to_speak_of)
{
	const char *path = scratch("idle");
	struct rusage before;
	struct rusage after;
	struct shmlog_frame frame;

	write_numbered_log(path, 4096, 1);

	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);

	expect_status(shmlog_reader_next(reader, &frame), 1);
	getrusage(RUSAGE_SELF, &before);
	expect_status(shmlog_reader_wait(reader, MILLISECONDS(600), 0), 0);
	getrusage(RUSAGE_SELF, &after);

	int64_t used = ((int64_t)after.ru_utime.tv_sec -
	                before.ru_utime.tv_sec + after.ru_stime.tv_sec -
	                before.ru_stime.tv_sec) *
	                       1000000 +
	               after.ru_utime.tv_usec - before.ru_utime.tv_usec +
	               after.ru_stime.tv_usec - before.ru_stime.tv_usec;

	assert_true(used < 60000);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

/* ---------------------------------------------------- news while waiting */

/* What a child does to a log after a while. */
enum deed {
	APPEND_AND_WAKE,
	COMMIT_AND_WAKE,
	WAKE_FOR_NOTHING,
	STORE,   /* as the Node package does: to memory, waking nobody */
	GO_BACK, /* a smaller size, likewise */
	CUT,
	CUT_BELOW_SIZE, /* but not below the size word */
	INTERRUPT
};

struct later {
	char path[320];
	enum deed deed;
	int64_t delay_ns;
	int done[2];   /* a pipe that tells when it was done */
	int enough[2]; /* a pipe that is closed when its end was seen */
	pid_t waiter;
	pid_t pid;
};

static int append_and_wake(const char *path)
{
	struct shmlog *log;
	int status = shmlog_open(path, &log);

	if (status != 0)
		return status;
	status = append_payload(log, "late", 4, SHMLOG_APPEND_WAKE);
	shmlog_close(log);
	return status;
}

static int commit_and_wake(const char *path, bool commits)
{
	struct shmlog *log;
	struct shmlog_writer *writer = NULL;
	unsigned char *payload;
	int status = shmlog_open(path, &log);

	if (status != 0)
		return status;
	if (commits) {
		status = shmlog_writer_open(log, NULL, &writer);
		if (status == 0)
			status = shmlog_writer_allocate(writer, 4, &payload);
		if (status == 0)
			memcpy(payload, "late", 4);
		if (status == 0)
			status = shmlog_writer_commit(writer);
	}
	if (status == 0)
		status = shmlog_wake(log);
	shmlog_writer_close(writer);
	shmlog_close(log);
	return status;
}

static int store(const char *path, bool back)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char *base = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	                           MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		return -errno;

	_Atomic uint64_t *size = (_Atomic uint64_t *)(void *)(base + 16);
	uint64_t end = atomic_load(size);

	memcpy(base + end, "\x08\0late\x08\0", 8);
	atomic_store(size, back ? 24 : end + 8);
	munmap(base, 4096);
	close(fd);
	return 0;
}

/* Until it is enough: a signal that comes between two sleeps ends neither. */
static int interrupt_often(const struct later *later)
{
	struct pollfd enough = {.fd = later->enough[0], .events = POLLIN};

	close(later->enough[1]);
	do {
		if (kill(later->waiter, SIGUSR1) != 0)
			return -1;
	} while (poll(&enough, 1, 5) == 0);
	return 0;
}

static int do_deed(const struct later *later)
{
	switch (later->deed) {
	case APPEND_AND_WAKE: return append_and_wake(later->path);
	case COMMIT_AND_WAKE:
	case WAKE_FOR_NOTHING:
		return commit_and_wake(later->path,
		                       later->deed == COMMIT_AND_WAKE);
	case STORE:
	case GO_BACK: return store(later->path, later->deed == GO_BACK);
	case CUT: return truncate(later->path, 0);
	case CUT_BELOW_SIZE: return truncate(later->path, 30);
	case INTERRUPT: return interrupt_often(later);
	}
	return -1;
}

static int do_later(void *argument)
{
	const struct later *later = argument;

	sleep_ns(later->delay_ns);

	int status = do_deed(later);
	int64_t done_at = now_ns();

	if (write(later->done[1], &done_at, sizeof(done_at)) !=
	    (ssize_t)sizeof(done_at))
		return 2;
	return status == 0 ? 0 : 1;
}

static void later_start(struct later *later, const char *path, enum deed deed,
                        int64_t delay_ns)
{
	snprintf(later->path, sizeof(later->path), "%s", path);
	later->deed = deed;
	later->delay_ns = delay_ns;
	later->waiter = getpid();
	assert_int_equal(pipe(later->done), 0);
	assert_int_equal(pipe(later->enough), 0);
	later->pid = child_start(do_later, later);
}

/* How long ago it was done. */
static int64_t later_end(struct later *later)
{
	int64_t now = now_ns();
	int64_t done_at = 0;
	ssize_t got;

	close(later->enough[1]);
	do
		got = read(later->done[0], &done_at, sizeof(done_at));
	while (got < 0 && errno == EINTR);
	assert_int_equal(got, sizeof(done_at));
	assert_int_equal(child_wait(later->pid), 0);
	close(later->done[0]);
	close(later->done[1]);
	close(later->enough[0]);
	return now - done_at;
}

/* A log with two frames and a reader that has read them. */
struct bench {
	const char *path;
	struct shmlog *log;
	struct shmlog_reader *reader;
};

static void bench_open(struct bench *bench, size_t kind)
{
	struct shmlog_frame frame;

	bench->path = scratch("waiting");
	write_numbered_log(bench->path, 4096, 2);
	bench->log = open_log(bench->path);
	bench->reader = open_kind(bench->log, kind);
	while (shmlog_reader_next(bench->reader, &frame) == 1)
		;
}

static void bench_close(struct bench *bench)
{
	shmlog_reader_close(bench->reader);
	shmlog_close(bench->log);
}

static void expect_news(struct shmlog_reader *reader)
{
	struct shmlog_frame frame;

	expect_status(shmlog_reader_next(reader, &frame), 1);
	expect_frame(&frame, "late", 4, 22);
}

/* By the time of the deed polls are 50 ms apart, so that it cannot be their
 * doing to be quick nearly every time.  For how long others have the processors
 * is not theirs either. */
TEST(test_wait_is_ended_at_once_by_a_writer_that_wakes)
{
	static const enum deed deeds[] = {APPEND_AND_WAKE, COMMIT_AND_WAKE};

	if (!WAKES)
		skip();
	for (size_t i = 0; i < COUNT_OF(deeds); i++) {
		unsigned quick = 0;

		for (unsigned round = 0; round < 4; round++) {
			struct bench bench;
			struct later later;
			int64_t held_up = held_up_ns();

			bench_open(&bench, round % READER_KINDS);
			later_start(&later, bench.path, deeds[i],
			            MILLISECONDS(400));
			expect_status(shmlog_reader_wait(bench.reader, -1,
			                                 NEVER_POLL),
			              1);
			quick += later_end(&later) <
			         MILLISECONDS(8) + held_up_ns() - held_up;
			expect_news(bench.reader);
			bench_close(&bench);
		}
		assert_in_range(quick, 3, 4);
	}
}

TEST(test_wait_polls_for_a_writer_that_only_stores)
{
	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct bench bench;
		struct later later;

		bench_open(&bench, kind);
		later_start(&later, bench.path, STORE, MILLISECONDS(50));
		expect_status(
			shmlog_reader_wait(bench.reader, -1, MILLISECONDS(20)),
			1);
		assert_true(later_end(&later) < MILLISECONDS(20) + SOON);
		expect_news(bench.reader);
		bench_close(&bench);
	}
}

TEST(test_wait_finds_a_store_just_after_activity_within_milliseconds)
{
	int64_t best = NEVER_POLL;

	for (unsigned round = 0; round < 5; round++) {
		struct bench bench;
		struct later later;
		int64_t held_up = held_up_ns();
		int64_t late;

		bench_open(&bench, 1);
		later_start(&later, bench.path, STORE, MILLISECONDS(2));
		expect_status(shmlog_reader_wait(bench.reader, -1, 0), 1);
		late = later_end(&later) - (held_up_ns() - held_up);
		best = late < best ? late : best;
		bench_close(&bench);
	}
	assert_true(best < MILLISECONDS(5));
}

TEST(test_wait_sleeps_on_when_woken_for_nothing)
{
	struct bench bench;
	struct later later;
	int64_t start = now_ns();

	bench_open(&bench, 1);
	later_start(&later, bench.path, WAKE_FOR_NOTHING, MILLISECONDS(20));
	expect_status(
		shmlog_reader_wait(bench.reader, MILLISECONDS(80), NEVER_POLL),
		0);
	assert_true(now_ns() - start >= MILLISECONDS(80));
	later_end(&later);
	bench_close(&bench);
}

static void do_nothing(int number)
{
	(void)number;
}

TEST(test_wait_is_interrupted_by_a_signal)
{
	struct sigaction action = {.sa_handler = do_nothing};
	struct sigaction before;

	for (int restarts = 0; restarts < 2; restarts++) {
		struct bench bench;
		struct later later;

		action.sa_flags = restarts ? SA_RESTART : 0;
		sigaction(SIGUSR1, &action, &before);
		bench_open(&bench, 1);
		later_start(&later, bench.path, INTERRUPT, MILLISECONDS(50));
		expect_status(shmlog_reader_wait(bench.reader, -1, NEVER_POLL),
		              -EINTR);
		later_end(&later);
		assert_int_equal(shmlog_reader_cursor(bench.reader), 22);
		bench_close(&bench);
		sigaction(SIGUSR1, &before, NULL);
	}
}

TEST(test_wait_notices_that_size_went_back)
{
	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct bench bench;
		struct later later;

		bench_open(&bench, kind);
		later_start(&later, bench.path, GO_BACK, MILLISECONDS(20));
		expect_status(
			shmlog_reader_wait(bench.reader, -1, MILLISECONDS(20)),
			SHMLOG_ERR_WENT_BACK);
		later_end(&later);
		bench_close(&bench);
	}
}

TEST(test_wait_of_a_buffered_reader_notices_that_the_file_was_cut)
{
	static const enum deed deeds[] = {CUT, CUT_BELOW_SIZE};

	for (size_t i = 0; i < COUNT_OF(deeds); i++) {
		struct bench bench;
		struct later later;

		bench_open(&bench, 1);
		later_start(&later, bench.path, deeds[i], MILLISECONDS(30));
		expect_status(
			shmlog_reader_wait(bench.reader, -1, MILLISECONDS(20)),
			SHMLOG_ERR_MAPPING_GONE);
		assert_true(later_end(&later) < MILLISECONDS(20) + SOON);
		/* Again, with the page gone from the start. */
		expect_status(shmlog_reader_wait(bench.reader, -1, 0),
		              SHMLOG_ERR_MAPPING_GONE);
		bench_close(&bench);
	}
}

TEST(test_wait_on_a_log_too_large_to_map_works)
{
	struct bench bench;
	struct later later;

	bench_open(&bench, 1);
	if (truncate(bench.path, (off_t)1 << 50) != 0) {
		bench_close(&bench);
		skip();
	}
	expect_status(shmlog_reader_wait(bench.reader, MILLISECONDS(1), 0), 0);
	expect_status(shmlog_wake(bench.log), 0);
	later_start(&later, bench.path, APPEND_AND_WAKE, MILLISECONDS(10));
	expect_status(shmlog_reader_wait(bench.reader, -1, MILLISECONDS(20)),
	              1);
	later_end(&later);
	expect_news(bench.reader);
	bench_close(&bench);
}

TEST(test_wake_without_a_sleeper_is_harmless)
{
	struct bench bench;

	bench_open(&bench, 0);
	for (unsigned i = 0; i < 100; i++)
		expect_status(shmlog_wake(bench.log), 0);
	assert_int_equal(file_get64(bench.path, 16), 24 + 22);
	bench_close(&bench);
}

TEST(test_wake_of_a_log_that_was_cut_says_so)
{
	struct bench bench;

	if (!WAKES)
		skip();
	bench_open(&bench, 0);
	expect_status(shmlog_wake(bench.log), 0);
	file_truncate(bench.path, 0);
	expect_status(shmlog_wake(bench.log), SHMLOG_ERR_MAPPING_GONE);
	bench_close(&bench);
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

/* From here on the system refuses a call to this process. */
static int refuse_call(unsigned number, int error)
{
#if HAS_SANDBOX
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = COUNT_OF(filter), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
	               ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)
	               : -1;
#else
	(void)number;
	(void)error;
	return -1;
#endif
}

struct sandbox {
	const char *path;
	int error;
	int ready;
};

#define NO_SANDBOX 77

/* Waits for either of two logs where neither system call is to be had. */
static int wait_for_any_in_sandbox(void *context)
{
	const struct sandbox *sandbox = context;
	struct shmlog *logs[2];
	struct shmlog_reader *readers[2];
	size_t which;

	for (size_t i = 0; i < 2; i++) {
		if (shmlog_open(sandbox->path, &logs[i]) != 0 ||
		    shmlog_reader_open(logs[i], NULL, &readers[i]) != 0 ||
		    shmlog_reader_seek_end(readers[i]) != 0)
			return 1;
	}
	if (refuse_call(NUMBER_OF_WAITV, sandbox->error) != 0 ||
	    refuse_call(SYS_futex, sandbox->error) != 0)
		return NO_SANDBOX;
	if (shmlog_reader_wait_any(readers, 2, MILLISECONDS(100), 0, &which) !=
	    0)
		return 2;
	if (write(sandbox->ready, "r", 1) != 1)
		return 3;
	return shmlog_reader_wait_any(readers, 2, MILLISECONDS(60000),
	                              NEVER_POLL, &which) == 1
	               ? 0
	               : 4;
}

/* Wakes, waits in vain, and waits for what comes. */
static int wait_in_sandbox(void *context)
{
	const struct sandbox *sandbox = context;
	struct shmlog *log;
	struct shmlog_reader *reader;
	struct rusage usage;

	if (shmlog_open(sandbox->path, &log) != 0 ||
	    shmlog_reader_open(log, NULL, &reader) != 0 ||
	    shmlog_reader_seek_end(reader) != 0)
		return 1;
	if (refuse_call(SYS_futex, sandbox->error) != 0)
		return NO_SANDBOX;
	if (shmlog_wake(log) != 0)
		return 2;
	if (shmlog_reader_wait(reader, MILLISECONDS(100), 0) != 0)
		return 3;
	/* It slept, and did not spin. */
	getrusage(RUSAGE_SELF, &usage);
	if (usage.ru_nvcsw < 10)
		return 4;
	if (write(sandbox->ready, "r", 1) != 1)
		return 5;
	return shmlog_reader_wait(reader, MILLISECONDS(60000), 0) == 1 ? 0 : 6;
}

TEST(test_where_a_sandbox_refuses_to_sleep_and_wake_all_is_polled)
{
	static const int errors[] = {ENOSYS, EPERM, EACCES};
	const char *path = scratch("sandbox");
	int ready[2];
	char byte;

	if (runs_on_valgrind())
		skip();
	write_numbered_log(path, 4096, 1);
	for (size_t i = 0; i < 2 * COUNT_OF(errors); i++) {
		assert_int_equal(pipe(ready), 0);

		struct sandbox sandbox = {path, errors[i / 2], ready[1]};
		pid_t pid = child_start(i % 2 == 0 ? wait_in_sandbox
		                                   : wait_for_any_in_sandbox,
		                        &sandbox);

		close(ready[1]);
		if (read(ready[0], &byte, 1) == 1)
			expect_status(append_and_wake(path), 0);
		close(ready[0]);

		int result = child_wait(pid);

		if (result == NO_SANDBOX)
			skip();
		assert_int_equal(result, 0);
	}
}

#else

TEST(test_where_a_sandbox_refuses_to_sleep_and_wake_all_is_polled)
{
	skip();
}

#endif

/* Several sleepers, in processes of their own. */
struct sleepers {
	char path[320];
	int ready[2]; /* a pipe that takes a byte of each */
};

static int wait_in_child(void *argument)
{
	const struct sleepers *sleepers = argument;
	struct shmlog *log;
	struct shmlog_reader *reader;
	struct shmlog_reader_options options = {SHMLOG_READER_BUFFERED, 0};

	if (shmlog_open(sleepers->path, &log) != 0 ||
	    shmlog_reader_open(log, &options, &reader) != 0 ||
	    shmlog_reader_seek_end(reader) != 0 ||
	    write(sleepers->ready[1], "", 1) != 1)
		return 1;
	/* After an hour without news polls are minutes apart. */
	reader->schedule = (struct shmlog_poll_schedule){
		.begun = true, .since_ns = now_ns() - MILLISECONDS(3600000)};
	return shmlog_reader_wait(reader, 50 * SOON, NEVER_POLL) == 1 ? 0 : 2;
}

static void expect_all_woken(size_t count)
{
	struct sleepers sleepers;
	pid_t pids[100];
	int64_t start;
	char byte;

	snprintf(sleepers.path, sizeof(sleepers.path), "%s", scratch("many"));
	write_numbered_log(sleepers.path, 4096, 1);
	assert_int_equal(pipe(sleepers.ready), 0);
	for (size_t i = 0; i < count; i++)
		pids[i] = child_start(wait_in_child, &sleepers);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(read(sleepers.ready[0], &byte, 1), 1);
	sleep_ns(MILLISECONDS(200));
	start = now_ns();
	expect_status(append_and_wake(sleepers.path), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(child_wait(pids[i]), 0);
	assert_true(now_ns() - start < SOON);
	close(sleepers.ready[0]);
	close(sleepers.ready[1]);
}

TEST(test_wait_of_many_processes_is_ended_by_one_append)
{
	if (!WAKES)
		skip();
	expect_all_woken(5);
}

/* So many that not all of them are woken before the lock is released. */
TEST(test_wait_of_a_crowd_is_ended_by_one_append)
{
	if (!WAKES)
		skip();
	expect_all_woken(31);
	expect_all_woken(32);
	expect_all_woken(33);
	expect_all_woken(100);
}

/* A poll found what a wake is for, as that took a while: the next news are left
 * to wakes again. */
TEST(test_wait_learns_from_a_wake_that_comes_behind_a_poll)
{
	struct bench bench;
	struct later later;

	if (!WAKES)
		skip();
	bench_open(&bench, 0);
	bench.reader->schedule = (struct shmlog_poll_schedule){
		.begun = true, .polled = true, .since_ns = now_ns()};
	later_start(&later, bench.path, WAKE_FOR_NOTHING, MILLISECONDS(100));
	expect_status(shmlog_reader_wait(bench.reader, MILLISECONDS(400), 0),
	              0);
	(void)later_end(&later);
	assert_false(shmlog_poll_is_active(&bench.reader->schedule, now_ns()));
	assert_true(bench.reader->schedule.woken);
	bench_close(&bench);
}

/* ------------------------------------------------------- several readers */

/* Several logs, each with two frames, and readers that have read them. */
struct row {
	char paths[300][320];
	struct shmlog *logs[300];
	struct shmlog_reader *readers[300];
	size_t count;
};

static void row_open(struct row *row, size_t count, size_t kind)
{
	row->count = count;
	for (size_t i = 0; i < count; i++) {
		char name[32];
		struct shmlog_frame frame;

		snprintf(name, sizeof(name), "row%zu", i);
		snprintf(row->paths[i], sizeof(row->paths[i]), "%s",
		         scratch(name));
		write_numbered_log(row->paths[i], 4096, 2);
		row->logs[i] = open_log(row->paths[i]);
		row->readers[i] = open_kind(row->logs[i],
		                            (kind + i) % READER_KINDS);
		while (shmlog_reader_next(row->readers[i], &frame) == 1)
			;
	}
}

static void row_close(struct row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		shmlog_reader_close(row->readers[i]);
		shmlog_close(row->logs[i]);
	}
}

static int wait_row(struct row *row, int64_t timeout_ns, int64_t max_poll_ns,
                    size_t *which_out)
{
	return shmlog_reader_wait_any(row->readers, row->count, timeout_ns,
	                              max_poll_ns, which_out);
}

/* Polls are 50 ms apart by then, and further where nothing else is asked. */
TEST(test_wait_for_any_is_ended_at_once_by_a_writer_that_wakes)
{
	unsigned quick = 0;
	struct row row;
	size_t which;

	if (!WAKES)
		skip();
	for (unsigned round = 0; round < 4; round++) {
		struct later later;
		int64_t held_up = held_up_ns();

		row_open(&row, 3, round);
		later_start(&later, row.paths[round % 3], APPEND_AND_WAKE,
		            MILLISECONDS(400));
		expect_status(wait_row(&row, -1, NEVER_POLL, &which), 1);
		quick += later_end(&later) <
		         MILLISECONDS(8) + held_up_ns() - held_up;
		assert_int_equal(which, round % 3);
		expect_news(row.readers[which]);
		row_close(&row);
	}
	/* A kernel without the call, as under valgrind, polls. */
	if (quick < 3 && !sleeps_on_several())
		skip();
	assert_in_range(quick, 3, 4);
}

TEST(test_wait_for_any_polls_for_a_writer_that_only_stores)
{
	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct row row;
		struct later later;
		size_t which;

		row_open(&row, 5, kind);
		later_start(&later, row.paths[3], STORE, MILLISECONDS(50));
		expect_status(wait_row(&row, -1, MILLISECONDS(20), &which), 1);
		assert_true(later_end(&later) < MILLISECONDS(20) + SOON);
		assert_int_equal(which, 3);
		expect_news(row.readers[3]);
		row_close(&row);
	}
}

TEST(test_wait_for_any_finds_all_that_have_grown)
{
	struct row row;
	size_t which;

	row_open(&row, 4, 0);
	expect_status(append_and_wake(row.paths[1]), 0);
	expect_status(append_and_wake(row.paths[3]), 0);
	expect_status(wait_row(&row, -1, NEVER_POLL, &which), 1);
	assert_int_equal(which, 1);
	assert_int_equal(shmlog_reader_known_size(row.readers[3]), 30);
	/* What is known already is found without a sleep. */
	expect_news(row.readers[1]);
	expect_status(wait_row(&row, -1, NEVER_POLL, &which), 1);
	assert_int_equal(which, 3);
	expect_news(row.readers[3]);
	expect_status(wait_row(&row, 0, 0, &which), 0);
	row_close(&row);
}

TEST(test_wait_for_any_ends_when_its_time_has_passed)
{
	static const int64_t polls[] = {0, 1, MILLISECONDS(5), NEVER_POLL};

	for (size_t i = 0; i < COUNT_OF(polls); i++) {
		struct row row;
		size_t which;

		row_open(&row, 3, i);

		int64_t start = now_ns();

		expect_status(
			wait_row(&row, MILLISECONDS(20), polls[i], &which), 0);
		int64_t taken = now_ns() - start;

		assert_true(taken >= MILLISECONDS(20));
		assert_true(taken < MILLISECONDS(20) + SOON);
		expect_status(wait_row(&row, 0, polls[i], &which), 0);
		row_close(&row);
	}
}

TEST(test_wait_for_any_names_the_reader_that_is_refused)
{
	struct row row;
	struct later later;
	size_t which = 77;

	row_open(&row, 4, 1); /* the one that is cut is buffered */
	later_start(&later, row.paths[3], CUT, MILLISECONDS(20));
	expect_status(wait_row(&row, -1, MILLISECONDS(20), &which),
	              SHMLOG_ERR_MAPPING_GONE);
	later_end(&later);
	assert_int_equal(which, 3);
	/* Before news of another one. */
	expect_status(append_and_wake(row.paths[0]), 0);
	expect_status(wait_row(&row, -1, 0, &which), SHMLOG_ERR_MAPPING_GONE);
	assert_int_equal(which, 3);
	row.count = 3;
	expect_status(wait_row(&row, -1, 0, &which), 1);
	assert_int_equal(which, 0);
	row.count = 4;
	row_close(&row);
}

TEST(test_wait_for_any_refuses_what_would_have_no_end)
{
	struct row row;
	size_t which;

	row_open(&row, 2, 1);
	row.count = 0;
	expect_status(wait_row(&row, -1, 0, &which), -EINVAL);
	row.count = 2;
	expect_status(shmlog_reader_hold_end(row.readers[1]), 0);
	expect_status(wait_row(&row, -1, 0, &which), -EINVAL);
	expect_status(wait_row(&row, 0, 0, &which), 0);
	row_close(&row);
}

TEST(test_wait_for_any_is_interrupted_by_a_signal)
{
	struct sigaction action = {.sa_handler = do_nothing};
	struct sigaction before;
	struct row row;
	struct later later;
	size_t which;

	sigaction(SIGUSR1, &action, &before);
	row_open(&row, 3, 1);
	later_start(&later, row.paths[0], INTERRUPT, MILLISECONDS(50));
	expect_status(wait_row(&row, -1, NEVER_POLL, &which), -EINTR);
	later_end(&later);
	row_close(&row);
	sigaction(SIGUSR1, &before, NULL);
}

/* More than one sleep can be on. */
TEST(test_wait_for_any_is_ended_at_once_by_any_of_hundreds)
{
	static const size_t places[] = {0, 126, 127, 128, 200, 253, 254, 299};
	static struct row row;
	unsigned quick = 0;
	size_t which;

	if (!WAKES)
		skip();
	row_open(&row, 300, 1);
	for (size_t round = 0; round < COUNT_OF(places); round++) {
		struct later later;
		int64_t held_up = held_up_ns();

		/* After an hour without news polls are minutes apart. */
		for (size_t i = 0; i < row.count; i++)
			row.readers[i]
				->schedule = (struct shmlog_poll_schedule){
				.begun = true,
				.since_ns = now_ns() - MILLISECONDS(3600000)};
		later_start(&later, row.paths[places[round]], APPEND_AND_WAKE,
		            MILLISECONDS(80));
		expect_status(wait_row(&row, -1, NEVER_POLL, &which), 1);
		quick += later_end(&later) <
		         MILLISECONDS(8) + held_up_ns() - held_up;
		assert_int_equal(which, places[round]);
		expect_news(row.readers[which]);
	}
	row_close(&row);
	if (quick < 6 && !sleeps_on_several())
		skip();
	assert_in_range(quick, 6, COUNT_OF(places));
}

/* What comes between two calls, or before the first, is found by the next. */
TEST(test_wait_for_any_of_hundreds_misses_nothing_between_two_calls)
{
	static struct row row;
	static bool found[300];
	size_t which;

	row_open(&row, 300, 0);
	for (size_t round = 0; round < 3; round++) {
		memset(found, 0, sizeof(found));
		for (size_t i = round; i < row.count; i += 7)
			expect_status(append_and_wake(row.paths[i]), 0);
		for (size_t i = round; i < row.count; i += 7) {
			expect_status(wait_row(&row, -1, NEVER_POLL, &which),
			              1);
			assert_int_equal(which % 7, round);
			assert_false(found[which]);
			found[which] = true;
			expect_news(row.readers[which]);
		}
		expect_status(wait_row(&row, 0, 0, &which), 0);
		expect_status(wait_row(&row, MILLISECONDS(5), 0, &which), 0);
	}
	row_close(&row);
}

/* The threads sleep on words of logs that are closed by now, and know nothing
 * of those that have taken their places. */
TEST(test_wait_for_any_of_hundreds_knows_logs_that_take_others_places)
{
	static struct row row;
	unsigned quick = 0;
	size_t which;

	row_open(&row, 300, 1);
	expect_status(wait_row(&row, MILLISECONDS(5), 0, &which), 0);
	for (size_t place = 299; place > 100; place -= 66) {
		struct shmlog *log = row.logs[place];
		struct shmlog_frame frame;
		struct later later;
		int64_t held_up = held_up_ns();

		unlink(row.paths[place]);
		write_numbered_log(row.paths[place], 4096, 2);
		row.logs[place] = open_log(row.paths[place]);
		shmlog_reader_close(row.readers[place]);
		shmlog_close(log);
		row.readers[place] = open_kind(row.logs[place], place % 2);
		while (shmlog_reader_next(row.readers[place], &frame) == 1)
			;
		later_start(&later, row.paths[place], APPEND_AND_WAKE,
		            MILLISECONDS(80));
		expect_status(wait_row(&row, -1, NEVER_POLL, &which), 1);
		quick += later_end(&later) <
		         MILLISECONDS(8) + held_up_ns() - held_up;
		assert_int_equal(which, place);
		expect_news(row.readers[place]);
	}
	if (WAKES && sleeps_on_several())
		assert_in_range(quick, 3, 4);
	/* Fewer, and the first is another one. */
	struct row rest = row;

	memmove(rest.readers, rest.readers + 1, 150 * sizeof(rest.readers[0]));
	rest.count = 150;
	expect_status(append_and_wake(row.paths[150]), 0);
	expect_status(wait_row(&rest, -1, NEVER_POLL, &which), 1);
	assert_int_equal(which, 149);
	row_close(&row);
}

/* A log that is never quiet ends each call before the others' turn. */
TEST(test_wait_for_any_of_hundreds_is_not_kept_by_a_busy_log)
{
	static struct row row;
	size_t which = 0;

	row_open(&row, 300, 1);
	assert_int_equal(store(row.paths[299], false), 0);
	/* As many stores as there is room for. */
	for (size_t i = 0;
	     i < 200 && shmlog_reader_known_size(row.readers[299]) == 22; i++) {
		struct shmlog_frame frame;

		sleep_ns(MILLISECONDS(1));
		assert_int_equal(store(row.paths[0], false), 0);
		expect_status(wait_row(&row, -1, 0, &which), 1);
		while (shmlog_reader_next(row.readers[0], &frame) == 1)
			;
	}
	assert_int_equal(shmlog_reader_known_size(row.readers[299]), 30);
	row_close(&row);
}

/* Nobody wakes the reader but its own threads: it goes on with its polls. */
TEST(test_wait_for_any_of_hundreds_knows_a_thread_from_a_writer)
{
	static struct row row;
	size_t which;

	row_open(&row, 300, 1);
	/* As many stores as there is room for. */
	for (size_t i = 0; i < 400; i++) {
		const struct shmlog_reader *reader = row.readers[299];
		struct shmlog_frame frame;

		assert_int_equal(store(row.paths[299], false), 0);
		expect_status(wait_row(&row, -1, 0, &which), 1);
		assert_int_equal(which, 299);
		assert_false(reader->schedule.woken);
		while (shmlog_reader_next(row.readers[299], &frame) == 1)
			;
	}
	row_close(&row);
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

/* Where threads cannot be started, or could not sleep (0, 1), those that no sleep
 * is on are polled for. */
static int wait_for_hundreds_without_threads(void *context)
{
	const int *refused = context;
	static struct row row;
	size_t which;

	row_open(&row, 150, 1);
	if (*refused == 1 && refuse_call(NUMBER_OF_WAITV, ENOSYS) != 0)
		return NO_SANDBOX;
#ifdef SYS_clone3
	if (*refused == 0 && refuse_call(SYS_clone3, EAGAIN) != 0)
		return NO_SANDBOX;
#endif
#ifdef SYS_clone
	if (*refused == 0 && refuse_call(SYS_clone, EAGAIN) != 0)
		return NO_SANDBOX;
#endif
	if (store(row.paths[149], false) != 0 ||
	    store(row.paths[0], false) != 0)
		return 3;
	for (size_t round = 0; round < 2; round++) {
		if (wait_row(&row, -1, NEVER_POLL, &which) != 1)
			return 1;
		if (which != 0 && which != 149)
			return 2;
		expect_news(row.readers[which]);
	}
	return 0;
}

TEST(test_wait_for_any_of_hundreds_needs_no_threads)
{
	if (runs_on_valgrind())
		skip();
	for (int refused = 0; refused < 2; refused++) {
		int result = child_wait(child_start(
			wait_for_hundreds_without_threads, &refused));

		if (result == NO_SANDBOX)
			skip();
		assert_int_equal(result, 0);
	}
}

#else

TEST(test_wait_for_any_of_hundreds_needs_no_threads)
{
	skip();
}

#endif

/* ThreadSanitizer does not let a process that was forked start threads. */
#if defined(__SANITIZE_THREAD__)
#define THREADS_AFTER_FORK false
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS_AFTER_FORK false
#endif
#endif
#ifndef THREADS_AFTER_FORK
#define THREADS_AFTER_FORK true
#endif

/* A process that was forked has none of the threads. */
static int wait_in_fork(void *context)
{
	struct row *row = context;
	size_t which;

	if (append_and_wake(row->paths[299]) != 0)
		return 1;
	if (wait_row(row, -1, NEVER_POLL, &which) != 1 || which != 299)
		return 2;
	row_close(row);
	return 0;
}

TEST(test_wait_for_any_of_hundreds_works_in_a_process_that_was_forked)
{
	static struct row row;
	size_t which;

	if (!THREADS_AFTER_FORK)
		skip();
	row_open(&row, 300, 1);
	expect_status(wait_row(&row, MILLISECONDS(5), 0, &which), 0);
	assert_int_equal(child_wait(child_start(wait_in_fork, &row)), 0);
	expect_status(wait_row(&row, -1, NEVER_POLL, &which), 1);
	assert_int_equal(which, 299);
	row_close(&row);
}

TEST(test_wait_for_any_uses_no_processor_to_speak_of)
{
	static struct row row;
	struct rusage before, after;
	size_t which;

	row_open(&row, 64, 1);
	getrusage(RUSAGE_SELF, &before);
	expect_status(wait_row(&row, MILLISECONDS(600), 0, &which), 0);
	getrusage(RUSAGE_SELF, &after);
	/* Some forty polls, of which each looks at all logs at the worst. */
	assert_true(after.ru_nvcsw - before.ru_nvcsw < 200);
	row_close(&row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_wait_returns_at_once_when_there_is_something_to_read),
		cmocka_unit_test(test_wait_ends_when_its_time_has_passed),
		cmocka_unit_test(test_wait_uses_no_processor_to_speak_of),
		cmocka_unit_test(
			test_wait_is_ended_at_once_by_a_writer_that_wakes),
		cmocka_unit_test(test_wait_polls_for_a_writer_that_only_stores),
		cmocka_unit_test(
			test_wait_finds_a_store_just_after_activity_within_milliseconds),
		cmocka_unit_test(test_wait_sleeps_on_when_woken_for_nothing),
		cmocka_unit_test(test_wait_is_interrupted_by_a_signal),
		cmocka_unit_test(test_wait_notices_that_size_went_back),
		cmocka_unit_test(
			test_wait_of_a_buffered_reader_notices_that_the_file_was_cut),
		cmocka_unit_test(test_wait_on_a_log_too_large_to_map_works),
		cmocka_unit_test(test_wake_without_a_sleeper_is_harmless),
		cmocka_unit_test(test_wake_of_a_log_that_was_cut_says_so),
		cmocka_unit_test(
			test_where_a_sandbox_refuses_to_sleep_and_wake_all_is_polled),
		cmocka_unit_test(
			test_wait_of_many_processes_is_ended_by_one_append),
		cmocka_unit_test(test_wait_of_a_crowd_is_ended_by_one_append),
		cmocka_unit_test(
			test_wait_learns_from_a_wake_that_comes_behind_a_poll),
		cmocka_unit_test(
			test_wait_for_any_is_ended_at_once_by_a_writer_that_wakes),
		cmocka_unit_test(
			test_wait_for_any_polls_for_a_writer_that_only_stores),
		cmocka_unit_test(test_wait_for_any_finds_all_that_have_grown),
		cmocka_unit_test(
			test_wait_for_any_ends_when_its_time_has_passed),
		cmocka_unit_test(
			test_wait_for_any_names_the_reader_that_is_refused),
		cmocka_unit_test(
			test_wait_for_any_refuses_what_would_have_no_end),
		cmocka_unit_test(test_wait_for_any_is_interrupted_by_a_signal),
		cmocka_unit_test(
			test_wait_for_any_is_ended_at_once_by_any_of_hundreds),
		cmocka_unit_test(
			test_wait_for_any_of_hundreds_misses_nothing_between_two_calls),
		cmocka_unit_test(
			test_wait_for_any_of_hundreds_knows_logs_that_take_others_places),
		cmocka_unit_test(
			test_wait_for_any_of_hundreds_is_not_kept_by_a_busy_log),
		cmocka_unit_test(
			test_wait_for_any_of_hundreds_knows_a_thread_from_a_writer),
		cmocka_unit_test(
			test_wait_for_any_of_hundreds_needs_no_threads),
		cmocka_unit_test(
			test_wait_for_any_of_hundreds_works_in_a_process_that_was_forked),
		cmocka_unit_test(
			test_wait_for_any_uses_no_processor_to_speak_of),
	};

	return cmocka_run_group_tests_name("wait", tests, scratch_setup,
	                                   scratch_teardown);
}
