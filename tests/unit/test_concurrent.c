/*
 * One open log shared by threads: a writer, readers of every kind, sleepers,
 * verifiers and appenders at once.  Meant for ThreadSanitizer as well.
 */
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 20000u
#define CAPACITY (4u << 20)

/* Threads cannot use cmocka's assertions: they say what was wrong here. */
struct shared {
	struct shmlog *log;
	uint32_t frames;
	atomic_bool writing;
	atomic_bool done; /* the writers are */
	_Atomic(const char *) wrong;
};

static void *note_wrong(struct shared *shared, const char *what)
{
	const char *nothing = NULL;

	atomic_compare_exchange_strong(&shared->wrong, &nothing, what);
	return NULL;
}

#define REQUIRE(shared, condition)                             \
	do {                                                   \
		if (!(condition))                              \
			return note_wrong(shared, #condition); \
	} while (0)

/* Frame n: its number, then n % 61 bytes that follow from it. */
static size_t make_payload(unsigned char *payload, uint32_t number)
{
	size_t filler = number % 61;

	memcpy(payload, &number, sizeof(number));
	for (size_t i = 0; i < filler; i++)
		payload[sizeof(number) + i] = (unsigned char)(number * 31 + i);
	return sizeof(number) + filler;
}

static bool is_payload(const struct shmlog_frame *frame, uint32_t number)
{
	unsigned char payload[80];
	size_t size = make_payload(payload, number);

	return frame->size_bytes == size &&
	       memcmp(frame->payload, payload, size) == 0;
}

/* --------------------------------------------------------------- writers */

/* Commits of one to nineteen frames, some rolled back first; by calls and by
 * the inlined functions. */
static void *write_all(void *argument)
{
	struct shared *shared = argument;
	struct shmlog_writer *writer = NULL;
	uint32_t number = 0;
	unsigned char *payload;

	REQUIRE(shared, shmlog_writer_open(shared->log, NULL, &writer) == 0);

	struct shmlog_fast_writer *fast = shmlog_writer_fast(writer);

	atomic_store(&shared->writing, true);
	while (number < shared->frames) {
		uint32_t batch = 1 + number % 19;
		unsigned char bytes[80];

		if (number % 7 == 0) {
			REQUIRE(shared, shmlog_writer_allocate(writer, 30,
			                                       &payload) == 0);
			memset(payload, 0xee, 30);
			shmlog_writer_rollback(writer);
		}
		for (uint32_t i = 0; i < batch; i++, number++) {
			size_t size = make_payload(bytes, number);

			REQUIRE(shared,
			        (batch % 2 == 0
			                 ? shmlog_fast_allocate(fast, size,
			                                        &payload)
			                 : shmlog_writer_allocate(writer, size,
			                                          &payload)) ==
			                0);
			memcpy(payload, bytes, size);
		}
		REQUIRE(shared,
		        (batch % 4 < 2 ? shmlog_fast_commit(fast)
		                       : shmlog_writer_commit(writer)) == 0);
		if (number % 16 == 0)
			REQUIRE(shared, shmlog_wake(shared->log) == 0);
	}
	shmlog_writer_close(writer);
	shared->frames = number;
	atomic_store(&shared->done, true);
	return NULL;
}

/* --------------------------------------------------------------- readers */

struct reader_job {
	struct shared *shared;
	size_t kind;
	bool sleeps;  /* or spins */
	bool batches; /* or reads frame by frame */
	pthread_t thread;
};

static void *read_all(void *argument)
{
	struct reader_job *job = argument;
	struct shared *shared = job->shared;
	struct shmlog_reader_options options = {
		.flags = reader_kinds[job->kind].flags |
	                 SHMLOG_READER_DEBUG_CHECKS,
		.window_bytes = reader_kinds[job->kind].window_bytes,
	};
	struct shmlog_reader *reader = NULL;
	struct shmlog_frame frames[32];
	uint32_t number = 0;

	REQUIRE(shared,
	        shmlog_reader_open(shared->log, &options, &reader) == 0);

	struct shmlog_fast_reader *fast = shmlog_reader_fast(reader);

	for (;;) {
		/* Looked at before the read that finds nothing. */
		bool done = atomic_load(&shared->done);
		int got = job->batches ? shmlog_reader_next_batch(reader, 32, 0,
		                                                  frames)
		                       : shmlog_fast_next(fast, frames);

		REQUIRE(shared, got >= 0);
		for (int i = 0; i < got; i++, number++) {
			REQUIRE(shared, frames[i].index == number);
			REQUIRE(shared, is_payload(&frames[i], number));
		}
		if (got == 0 && done)
			break;
		if (got == 0 && job->sleeps)
			REQUIRE(shared,
			        shmlog_reader_wait(reader, MILLISECONDS(50),
			                           0) >= 0);
	}
	REQUIRE(shared, number == shared->frames);
	while (shmlog_reader_prev(reader, frames) == 1)
		number--;
	REQUIRE(shared, number == 0);
	shmlog_reader_close(reader);
	return NULL;
}

/* Proves the log over and over while it is being written. */
static void *verify_all(void *argument)
{
	struct shared *shared = argument;
	uint64_t frames = 0;

	while (!atomic_load(&shared->done)) {
		struct shmlog_verify_report report;
		int result = shmlog_verify(shared->log, NULL, &report);

		REQUIRE(shared, result == 0);
		REQUIRE(shared, report.damaged_ranges == 0);
		REQUIRE(shared, report.frames >= frames);
		frames = report.frames;
	}
	return NULL;
}

/* Looks at the other functions of a handle that may be shared. */
static void *ask_all(void *argument)
{
	struct shared *shared = argument;
	struct shmlog_identity identity = shmlog_identity(shared->log);

	while (!atomic_load(&shared->done)) {
		struct shmlog_header header;
		struct shmlog_reader *reader = NULL;
		struct shmlog_frame frame;

		REQUIRE(shared, shmlog_read_header(shared->log, &header) == 0);
		REQUIRE(shared, shmlog_check_name(shared->log) == 0);
		REQUIRE(shared,
		        shmlog_identity(shared->log).inode == identity.inode);
		REQUIRE(shared, shmlog_data_offset(shared->log) == 24);
		REQUIRE(shared,
		        shmlog_reader_open(shared->log, NULL, &reader) == 0);
		REQUIRE(shared, shmlog_reader_seek_end(reader) == 0);
		REQUIRE(shared, shmlog_reader_prev(reader, &frame) >= 0);
		shmlog_reader_close(reader);
	}
	return NULL;
}

static void expect_nothing_wrong(struct shared *shared)
{
	const char *wrong = atomic_load(&shared->wrong);

	if (wrong != NULL)
		fail_with("not so: %s", wrong);
}

TEST(test_one_log_is_shared_by_a_writer_and_readers_of_every_kind)
{
	const char *path = scratch("shared");
	struct reader_job jobs[2 * READER_KINDS];
	struct shared shared = {.frames = FRAMES};
	pthread_t writer;
	pthread_t verifier;
	pthread_t asker;

	write_numbered_log(path, CAPACITY, 0);
	shared.log = open_log(path);
	for (size_t i = 0; i < COUNT_OF(jobs); i++) {
		jobs[i] = (struct reader_job){
			.shared = &shared,
			.kind = i % READER_KINDS,
			.sleeps = i != 0,
			.batches = i >= READER_KINDS,
		};
		assert_int_equal(pthread_create(&jobs[i].thread, NULL, read_all,
		                                &jobs[i]),
		                 0);
	}
	assert_int_equal(pthread_create(&verifier, NULL, verify_all, &shared),
	                 0);
	assert_int_equal(pthread_create(&asker, NULL, ask_all, &shared), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_all, &shared), 0);
	pthread_join(writer, NULL);
	/* A writer that gave up must not leave the others waiting. */
	atomic_store(&shared.done, true);
	for (size_t i = 0; i < COUNT_OF(jobs); i++)
		pthread_join(jobs[i].thread, NULL);
	pthread_join(verifier, NULL);
	pthread_join(asker, NULL);
	expect_nothing_wrong(&shared);
	shmlog_close(shared.log);
}

/* -------------------------------------------------------------- appenders */

#define APPENDERS 4u
#define APPENDS 300u

struct append_job {
	struct shared *shared;
	uint32_t number;
	pthread_t thread;
};

static void *append_all(void *argument)
{
	struct append_job *job = argument;

	for (uint32_t i = 0; i < APPENDS; i++) {
		uint32_t payload[2] = {job->number, i};

		REQUIRE(job->shared,
		        append_payload(
				job->shared->log, payload, sizeof(payload),
				i % 8 == 0 ? SHMLOG_APPEND_WAKE : 0) == 0);
	}
	return NULL;
}

TEST(test_one_log_is_appended_to_by_many_threads)
{
	const char *path = scratch("appenders");
	struct shared shared = {.frames = 0};
	struct append_job jobs[APPENDERS];
	uint32_t counts[APPENDERS] = {0};
	struct shmlog_frame frame;
	pthread_t verifier;
	int result;

	write_numbered_log(path, CAPACITY, 0);
	shared.log = open_log(path);
	for (uint32_t i = 0; i < APPENDERS; i++) {
		jobs[i] = (struct append_job){&shared, i, 0};
		assert_int_equal(pthread_create(&jobs[i].thread, NULL,
		                                append_all, &jobs[i]),
		                 0);
	}
	assert_int_equal(pthread_create(&verifier, NULL, verify_all, &shared),
	                 0);
	for (uint32_t i = 0; i < APPENDERS; i++)
		pthread_join(jobs[i].thread, NULL);
	atomic_store(&shared.done, true);
	pthread_join(verifier, NULL);
	expect_nothing_wrong(&shared);

	struct shmlog_reader *reader = open_reader(shared.log, 0, 0);

	while ((result = shmlog_reader_next(reader, &frame)) == 1) {
		uint32_t payload[2];

		assert_int_equal(frame.size_bytes, sizeof(payload));
		memcpy(payload, frame.payload, sizeof(payload));
		assert_true(payload[0] < APPENDERS);
		assert_int_equal(payload[1], counts[payload[0]]);
		counts[payload[0]]++;
	}
	expect_status(result, 0);
	for (uint32_t i = 0; i < APPENDERS; i++)
		assert_int_equal(counts[i], APPENDS);
	shmlog_reader_close(reader);
	shmlog_close(shared.log);
}

/* ---------------------------------------------------------- one mapping */

/* While the writer is open, a reader shares its mapping: both touch the same
 * addresses, so that a sanitizer sees an order that is not there. */
TEST(test_payload_is_ordered_before_size_in_one_mapping)
{
	const char *path = scratch("order");
	struct shared shared = {.frames = FRAMES};
	struct reader_job job = {.shared = &shared};
	pthread_t writer;

	write_numbered_log(path, CAPACITY, 0);
	shared.log = open_log(path);
	assert_int_equal(pthread_create(&writer, NULL, write_all, &shared), 0);
	while (!atomic_load(&shared.writing) && !atomic_load(&shared.wrong))
		;
	assert_int_equal(pthread_create(&job.thread, NULL, read_all, &job), 0);
	pthread_join(writer, NULL);
	atomic_store(&shared.done, true);
	pthread_join(job.thread, NULL);
	expect_nothing_wrong(&shared);
	shmlog_close(shared.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_one_log_is_shared_by_a_writer_and_readers_of_every_kind),
		cmocka_unit_test(test_one_log_is_appended_to_by_many_threads),
		cmocka_unit_test(
			test_payload_is_ordered_before_size_in_one_mapping),
	};

	return cmocka_run_group_tests_name("concurrent", tests, scratch_setup,
	                                   scratch_teardown);
}
