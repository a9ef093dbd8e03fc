/*
 * The one writer of a log: the exact bytes it leaves, what readers see and
 * when, its refusals, and how it keeps other writers out.
 */
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* An empty log of `capacity` bytes, made byte by byte, and its writer. */
struct bench {
	const char *path;
	struct shmlog *log;
	struct shmlog_writer *writer;
};

static void bench_open(struct bench *bench, const char *name, size_t capacity,
                       unsigned flags)
{
	bench->path = scratch(name);
	write_numbered_log(bench->path, capacity, 0);
	bench->log = open_log(bench->path);
	bench->writer = open_writer(bench->log, flags);
}

static void bench_close(struct bench *bench)
{
	shmlog_writer_close(bench->writer);
	shmlog_close(bench->log);
}

static unsigned char *allocate(struct shmlog_writer *writer, size_t size_bytes)
{
	unsigned char *payload = NULL;

	expect_status(shmlog_writer_allocate(writer, size_bytes, &payload), 0);
	assert_non_null(payload);
	return payload;
}

/* How many frames a fresh reader finds; they must all be good. */
static unsigned count_frames(struct shmlog *log)
{
	struct shmlog_reader *reader = open_reader(log, 0, 0);
	struct shmlog_frame frame;
	unsigned count = 0;
	int result;

	while ((result = shmlog_reader_next(reader, &frame)) == 1)
		count++;
	expect_status(result, 0);
	shmlog_reader_close(reader);
	return count;
}

/* ----------------------------------------------------------------- bytes */

TEST(test_writer_leaves_exactly_the_bytes_of_the_format)
{
	struct raw_log raw;
	struct bench bench;

	raw_init(&raw, 100);
	bench_open(&bench, "bytes", 100, 0);
	expect_file(bench.path, raw.bytes, 100);
	write_frame(bench.writer, "", 0);
	raw_append_text(&raw, "");
	expect_file(bench.path, raw.bytes, 100);
	write_frame(bench.writer, "x", 1);
	raw_append_text(&raw, "x");
	expect_file(bench.path, raw.bytes, 100);
	write_frame(bench.writer, "\0\xff\n", 3);
	raw_append(&raw, "\0\xff\n", 3);
	expect_file(bench.path, raw.bytes, 100);
	bench_close(&bench);
	expect_file(bench.path, raw.bytes, 100);
	raw_free(&raw);
}

TEST(test_writer_takes_every_end_of_the_range_and_refuses_beyond)
{
	static const size_t sizes[] = {0, 1, 65530, 65531};
	static const size_t too_large[] = {65532,    65533,    65535,
	                                   65536,    70000,    131068,
	                                   1u << 31, SIZE_MAX, SIZE_MAX - 3};
	struct raw_log raw;
	struct bench bench;
	unsigned char *payload = NULL;

	raw_init(&raw, 200000);
	bench_open(&bench, "range", 200000, 0);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		memset(allocate(bench.writer, sizes[i]), 'r', sizes[i]);
		expect_status(shmlog_writer_commit(bench.writer), 0);
		raw_append_fill(&raw, 'r', sizes[i]);
		expect_file(bench.path, raw.bytes, raw.capacity);
	}
	for (size_t i = 0; i < COUNT_OF(too_large); i++) {
		expect_status(shmlog_writer_allocate(bench.writer, too_large[i],
		                                     &payload),
		              SHMLOG_ERR_PAYLOAD_SIZE);
		assert_null(payload);
	}
	expect_status(shmlog_writer_commit(bench.writer), 0);
	expect_file(bench.path, raw.bytes, raw.capacity);
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_writer_honours_every_data_offset)
{
	static const uint64_t offsets[] = {24, 25, 31, 4095, 4096, 4097};

	for (size_t i = 0; i < COUNT_OF(offsets); i++) {
		const char *path = scratch("offset");
		struct raw_log raw;

		raw_init_at(&raw, 8192, offsets[i]);
		raw_write(&raw, path);

		struct shmlog *log = open_log(path);
		struct shmlog_writer *writer = open_writer(log, 0);

		write_frame(writer, "first", 5);
		raw_append_text(&raw, "first");
		assert_int_equal(shmlog_writer_cursor(writer), 9);
		assert_int_equal(shmlog_writer_last_allocated_address(writer),
		                 offsets[i] + 2);
		shmlog_writer_close(writer);
		shmlog_close(log);
		expect_file(path, raw.bytes, raw.capacity);
		raw_free(&raw);
	}
}

TEST(test_writer_goes_on_behind_what_is_committed)
{
	struct raw_log raw;
	const char *path = scratch("goes-on");

	raw_init(&raw, 4096);
	raw_append_text(&raw, "before");
	/* Leftovers of a writer that was killed mean nothing. */
	memset(raw.bytes + raw.size, 0xee, 100);
	raw_write(&raw, path);

	struct shmlog *log = open_log(path);
	struct shmlog_writer *writer = open_writer(log, 0);

	assert_int_equal(shmlog_writer_cursor(writer), 10);
	write_frame(writer, "after", 5);
	raw_append_text(&raw, "after");
	assert_int_equal(shmlog_writer_cursor(writer), 19);
	expect_file(path, raw.bytes, raw.capacity);
	shmlog_writer_close(writer);
	shmlog_close(log);
	raw_free(&raw);
}

/* ------------------------------------------------------ commit, rollback */

TEST(test_writer_publishes_all_frames_of_a_commit_or_none)
{
	struct bench bench;
	struct shmlog_reader *reader;
	struct shmlog_frame frame;

	bench_open(&bench, "commit", 1 << 16, 0);
	reader = open_reader(bench.log, 0, 0);
	for (unsigned i = 0; i < 1000; i++) {
		const char *text = numbered_text(i);

		memcpy(allocate(bench.writer, strlen(text)), text,
		       strlen(text));
		expect_status(shmlog_reader_next(reader, &frame), 0);
		assert_int_equal(file_get64(bench.path, 16), 24);
	}
	assert_int_equal(shmlog_writer_cursor(bench.writer), 0);
	expect_status(shmlog_writer_commit(bench.writer), 0);
	for (unsigned i = 0; i < 1000; i++) {
		const char *text = numbered_text(i);

		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, text, strlen(text),
		             shmlog_reader_cursor(reader) - strlen(text) - 4);
	}
	expect_status(shmlog_reader_next(reader, &frame), 0);
	assert_int_equal(shmlog_writer_cursor(bench.writer),
	                 shmlog_reader_cursor(reader));
	expect_status(shmlog_writer_commit(bench.writer), 0);
	shmlog_reader_close(reader);
	bench_close(&bench);
}

TEST(test_writer_rollback_drops_what_was_reserved)
{
	struct raw_log raw;
	struct bench bench;

	raw_init(&raw, 4096);
	bench_open(&bench, "rollback", 4096, 0);
	write_frame(bench.writer, "kept", 4);

	uint64_t room = shmlog_writer_free_bytes(bench.writer);

	memset(allocate(bench.writer, 100), 'd', 100);
	memset(allocate(bench.writer, 200), 'd', 200);
	assert_int_equal(shmlog_writer_free_bytes(bench.writer), room - 308);
	shmlog_writer_rollback(bench.writer);
	assert_int_equal(shmlog_writer_free_bytes(bench.writer), room);
	expect_status(shmlog_writer_commit(bench.writer), 0);
	assert_int_equal(count_frames(bench.log), 1);
	write_frame(bench.writer, "next", 4);
	shmlog_writer_rollback(bench.writer);
	assert_int_equal(count_frames(bench.log), 2);

	size_t length;
	unsigned char *bytes = file_bytes(bench.path, &length);

	raw_append_text(&raw, "kept");
	raw_append_text(&raw, "next");
	assert_memory_equal(bytes, raw.bytes, raw.size);
	free(bytes);
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_writer_close_drops_what_was_not_committed)
{
	struct bench bench;

	bench_open(&bench, "close", 4096, 0);
	write_frame(bench.writer, "kept", 4);
	memset(allocate(bench.writer, 50), 'd', 50);
	bench_close(&bench);
	assert_int_equal(file_get64(bench.path, 16), 24 + 8);
}

/* ------------------------------------------------------------------ full */

TEST(test_writer_fills_a_log_to_its_last_byte)
{
	static const size_t capacities[] = {24,   25,   27,   28,  29,
	                                    1000, 4095, 4096, 4097};

	for (size_t i = 0; i < COUNT_OF(capacities); i++) {
		struct bench bench;
		unsigned char *payload;
		size_t room = capacities[i] - 24;

		bench_open(&bench, "full", capacities[i], 0);
		assert_int_equal(shmlog_writer_free_bytes(bench.writer), room);
		if (room >= 3)
			expect_status(shmlog_writer_allocate(
					      bench.writer, room - 3, &payload),
			              SHMLOG_ERR_FULL);
		if (room < 4) {
			expect_status(shmlog_writer_allocate(bench.writer, 0,
			                                     &payload),
			              SHMLOG_ERR_FULL);
			bench_close(&bench);
			continue;
		}
		memset(allocate(bench.writer, room - 4), 'f', room - 4);
		assert_int_equal(shmlog_writer_free_bytes(bench.writer), 0);
		expect_status(shmlog_writer_allocate(bench.writer, 0, &payload),
		              SHMLOG_ERR_FULL);
		/* The refusal leaves the reservation alone. */
		expect_status(shmlog_writer_commit(bench.writer), 0);
		assert_int_equal(count_frames(bench.log), 1);
		assert_int_equal(file_get64(bench.path, 16), capacities[i]);
		bench_close(&bench);
	}
}

TEST(test_writer_follows_a_file_that_grows)
{
	struct bench bench;
	unsigned char *payload;

	bench_open(&bench, "grows", 24 + 9, 0);

	unsigned char *first = allocate(bench.writer, 5);

	expect_status(shmlog_writer_allocate(bench.writer, 5, &payload),
	              SHMLOG_ERR_FULL);
	file_truncate(bench.path, 1 << 20);
	memcpy(allocate(bench.writer, 5), "grown", 5);
	/* What was handed out before is still the frame's payload. */
	memcpy(first, "first", 5);
	expect_status(shmlog_writer_commit(bench.writer), 0);
	assert_int_equal(count_frames(bench.log), 2);
	bench_close(&bench);

	size_t length;
	unsigned char *bytes = file_bytes(bench.path, &length);

	assert_memory_equal(bytes + 24, "\x09\0first\x09\0\x09\0grown\x09\0",
	                    18);
	free(bytes);
}

/* --------------------------------------------------------------- in place */

TEST(test_writer_last_allocated_address_is_the_payloads_offset)
{
	struct bench bench;

	bench_open(&bench, "address", 4096, 0);
	assert_int_equal(shmlog_writer_last_allocated_address(bench.writer), 0);
	allocate(bench.writer, 10);
	assert_int_equal(shmlog_writer_last_allocated_address(bench.writer),
	                 26);
	allocate(bench.writer, 0);
	assert_int_equal(shmlog_writer_last_allocated_address(bench.writer),
	                 40);
	allocate(bench.writer, 1);
	assert_int_equal(shmlog_writer_last_allocated_address(bench.writer),
	                 44);
	bench_close(&bench);
}

TEST(test_writer_buffer_at_address_changes_a_committed_payload)
{
	struct bench bench;
	struct shmlog_reader *reader;
	struct shmlog_frame frame;
	unsigned char *payload = NULL;

	bench_open(&bench, "in-place", 4096, 0);
	write_frame(bench.writer, "before", 6);

	uint64_t address = shmlog_writer_last_allocated_address(bench.writer);

	write_frame(bench.writer, "other", 5);
	expect_status(shmlog_writer_buffer_at_address(bench.writer, address, 6,
	                                              &payload),
	              0);
	memcpy(payload, "behind", 6);
	expect_status(shmlog_writer_buffer_at_address(bench.writer, address, 1,
	                                              &payload),
	              0);
	reader = open_reader(bench.log, 0, 0);
	expect_status(shmlog_reader_next(reader, &frame), 1);
	expect_frame(&frame, "behind", 6, 0);
	shmlog_reader_close(reader);
	bench_close(&bench);
}

TEST(test_writer_buffer_at_address_refuses_all_that_is_no_payload)
{
	struct bench bench;
	unsigned char *payload = NULL;
	/* Payloads of 0, 1, 2, … bytes 'q', then one that is not committed;
	 * no two of their bytes look like a size word that fits. */
	uint64_t addresses[9];

	bench_open(&bench, "outside", 4096, 0);
	for (size_t i = 0; i < 8; i++) {
		memset(allocate(bench.writer, i), 'q', i);
		addresses[i] = shmlog_writer_last_allocated_address(
			bench.writer);
	}
	expect_status(shmlog_writer_commit(bench.writer), 0);
	memset(allocate(bench.writer, 8), 'q', 8);
	addresses[8] = shmlog_writer_last_allocated_address(bench.writer);

	uint64_t end = addresses[8] + 10;
	size_t found = 0;

	for (uint64_t at = 0; at < end + 40; at++) {
		bool is_payload = found < 9 && addresses[found] == at;

		for (size_t size = 0; size < 12; size++)
			expect_status(shmlog_writer_buffer_at_address(
					      bench.writer, at, size, &payload),
			              is_payload && size <= found
			                      ? 0
			                      : SHMLOG_ERR_CURSOR);
		found += is_payload;
	}
	assert_int_equal(found, 9);
	expect_status(shmlog_writer_buffer_at_address(
			      bench.writer, addresses[8], SIZE_MAX, &payload),
	              SHMLOG_ERR_CURSOR);
	expect_status(shmlog_writer_buffer_at_address(bench.writer, UINT64_MAX,
	                                              1, &payload),
	              SHMLOG_ERR_CURSOR);
	expect_status(shmlog_writer_buffer_at_address(
			      bench.writer, UINT64_MAX - 1, SIZE_MAX, &payload),
	              SHMLOG_ERR_CURSOR);
	shmlog_writer_rollback(bench.writer);
	expect_status(shmlog_writer_buffer_at_address(
			      bench.writer, addresses[8], 1, &payload),
	              SHMLOG_ERR_CURSOR);
	bench_close(&bench);
}

/* ---------------------------------------------------------- debug checks */

TEST(test_writer_debug_checks_catch_bytes_written_beyond_a_payload)
{
	/* Behind each end: into the suffix, into the prefix. */
	static const int places[] = {10, 11, -1, -2};

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct bench bench;
		unsigned char *payload;
		unsigned char before;

		bench_open(&bench, "overrun", 4096, SHMLOG_WRITER_DEBUG_CHECKS);
		write_frame(bench.writer, "good", 4);
		allocate(bench.writer, 3);
		payload = allocate(bench.writer, 10);
		allocate(bench.writer, 3);
		before = payload[places[i]];
		payload[places[i]] ^= 0x55;
		for (int again = 0; again < 2; again++) {
			expect_status(shmlog_writer_commit(bench.writer),
			              SHMLOG_ERR_FRAME_CORRUPT);
			assert_int_equal(file_get64(bench.path, 16), 24 + 8);
		}
		/* The reservations stand: mended, they can be published. */
		payload[places[i]] = before;
		expect_status(shmlog_writer_commit(bench.writer), 0);
		assert_int_equal(count_frames(bench.log), 4);
		bench_close(&bench);
	}
}

TEST(test_writer_debug_checks_let_a_rollback_drop_the_overrun)
{
	struct bench bench;

	bench_open(&bench, "overrun-rollback", 4096,
	           SHMLOG_WRITER_DEBUG_CHECKS);
	allocate(bench.writer, 10)[10] ^= 0x55;
	expect_status(shmlog_writer_commit(bench.writer),
	              SHMLOG_ERR_FRAME_CORRUPT);
	shmlog_writer_rollback(bench.writer);
	write_frame(bench.writer, "good", 4);
	assert_int_equal(count_frames(bench.log), 1);
	bench_close(&bench);
}

/* --------------------------------------------------------- bad tails, cuts */

TEST(test_writer_open_refuses_a_log_whose_last_frame_is_not_whole)
{
	const char *path = scratch("torn");
	struct raw_log raw;

	raw_init(&raw, 4096);
	raw_append_text(&raw, "good");
	raw_append_text(&raw, "last frame");

	uint64_t whole = raw.size;

	for (uint64_t missing = 1; missing < 14; missing++) {
		struct shmlog_writer *writer = NULL;

		raw_set_size(&raw, whole - missing);
		raw_write(&raw, path);

		struct shmlog *log = open_log(path);
		int status = shmlog_writer_open(log, NULL, &writer);

		assert_true(status == SHMLOG_ERR_TORN ||
		            status == SHMLOG_ERR_FRAME_CORRUPT);
		assert_null(writer);
		shmlog_close(log);
		expect_file(path, raw.bytes, raw.capacity);
	}
	raw_free(&raw);
}

TEST(test_writer_open_refuses_a_last_frame_with_any_flipped_size_bit)
{
	const char *path = scratch("bad-tail");

	for (unsigned bit = 0; bit < 32; bit++) {
		struct shmlog_writer *writer = NULL;
		struct raw_log raw;
		uint64_t last;

		raw_init(&raw, 4096);
		for (unsigned i = 0; i < 100; i++)
			last = raw_append_text(&raw, "a frame");
		last += raw.data_offset + (bit < 16 ? 0 : 9);
		raw_put16(&raw, last, raw_get16(&raw, last) ^ 1u << bit % 16);
		raw_write(&raw, path);

		struct shmlog *log = open_log(path);
		int status = shmlog_writer_open(log, NULL, &writer);

		assert_true(status == SHMLOG_ERR_TORN ||
		            status == SHMLOG_ERR_FRAME_CORRUPT);
		shmlog_close(log);
		expect_file(path, raw.bytes, raw.capacity);
		raw_free(&raw);
	}
}

static void patch_page(int number, siginfo_t *info, void *context)
{
	uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t page = (uintptr_t)info->si_addr & ~(page_bytes - 1);

	(void)number;
	(void)context;
	if (mmap((void *)page, page_bytes, PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(90);
}

TEST(test_writer_survives_a_cut_if_sigbus_is_handled)
{
	static const uint64_t lengths[] = {0, 16, 24, 4096, 8192};
	struct sigaction action = {.sa_sigaction = patch_page,
	                           .sa_flags = SA_SIGINFO};
	struct sigaction before;

	if (runs_on_valgrind())
		skip();
	sigaction(SIGBUS, &action, &before);
	for (size_t i = 0; i < COUNT_OF(lengths) * 2; i++) {
		struct shmlog_header header;
		struct bench bench;
		bool checks = i % 2 != 0;

		bench_open(&bench, "cut", 1 << 16,
		           checks ? SHMLOG_WRITER_DEBUG_CHECKS : 0);
		for (unsigned j = 0; j < 3; j++)
			memset(allocate(bench.writer, 5000), 'c', 5000);
		expect_status(shmlog_writer_commit(bench.writer), 0);
		file_truncate(bench.path, lengths[i / 2]);
		memset(allocate(bench.writer, 5000), 'd', 5000);
		/* Behind the header a cut shows in the file's length alone,
		 * which a plain commit does not pay to look at. */
		expect_status(shmlog_writer_commit(bench.writer),
		              checks || lengths[i / 2] < 24
		                      ? SHMLOG_ERR_MAPPING_GONE
		                      : 0);
		expect_status(shmlog_read_header(bench.log, &header),
		              SHMLOG_ERR_MAPPING_GONE);
		assert_int_equal(file_length(bench.path), lengths[i / 2]);
		bench_close(&bench);
	}
	sigaction(SIGBUS, &before, NULL);
}

/* --------------------------------------------------------- other writers */

/* What a second writer of the log is told. */
static void expect_refused(const char *path, bool in_child);

static int try_writer(void *path)
{
	struct shmlog *log = NULL;
	struct shmlog_writer *writer = NULL;
	int status = shmlog_open(path, &log);

	if (status == 0)
		status = shmlog_writer_open(log, NULL, &writer);
	shmlog_writer_close(writer);
	shmlog_close(log);
	switch (status) {
	case 0: return 0;
	case SHMLOG_ERR_LOCK_TIMEOUT:
	case SHMLOG_ERR_WRITER_ACTIVE: return 1;
	default: return 2;
	}
}

static int try_append(void *path)
{
	struct shmlog_append_options options = {.lock_timeout_ns = 0};
	unsigned char frame[8];
	size_t bytes = shmlog_frame_encode(frame, "data", 4);
	struct shmlog *log = NULL;
	int status = shmlog_open(path, &log);

	if (status == 0)
		status = shmlog_append_frames(log, frame, bytes, &options,
		                              NULL);
	shmlog_close(log);
	switch (status) {
	case 0: return 0;
	case SHMLOG_ERR_LOCK_TIMEOUT:
	case SHMLOG_ERR_WRITER_ACTIVE: return 1;
	default: return 2;
	}
}

static void expect_refused(const char *path, bool in_child)
{
	char name[320];

	snprintf(name, sizeof(name), "%s", path);
	if (in_child) {
		assert_int_equal(child_wait(child_start(try_writer, name)), 1);
		assert_int_equal(child_wait(child_start(try_append, name)), 1);
	} else {
		assert_int_equal(try_writer(name), 1);
		assert_int_equal(try_append(name), 1);
	}
}

TEST(test_writer_keeps_every_other_writer_out_until_it_is_closed)
{
	struct bench bench;
	struct shmlog_writer *second = NULL;
	char name[320];

	bench_open(&bench, "exclusive", 4096, 0);
	snprintf(name, sizeof(name), "%s", bench.path);
	write_frame(bench.writer, "first", 5);
	expect_refused(bench.path, false);
	expect_refused(bench.path, true);
	/* Nor through the handle that the writer was made from. */
	int status = shmlog_writer_open(bench.log, NULL, &second);

	assert_true(status == SHMLOG_ERR_LOCK_TIMEOUT ||
	            status == SHMLOG_ERR_WRITER_ACTIVE);
	assert_null(second);
	status = append_payload(bench.log, "x", 1, 0);
	assert_true(status == SHMLOG_ERR_LOCK_TIMEOUT ||
	            status == SHMLOG_ERR_WRITER_ACTIVE);
	/* The refusals have broken nothing. */
	write_frame(bench.writer, "second", 6);
	expect_refused(bench.path, false);
	shmlog_writer_close(bench.writer);
	assert_int_equal(try_writer(name), 0);
	assert_int_equal(child_wait(child_start(try_writer, name)), 0);
	assert_int_equal(child_wait(child_start(try_append, name)), 0);
	bench.writer = open_writer(bench.log, 0);
	assert_int_equal(count_frames(bench.log), 3);
	bench_close(&bench);
}

/* A reader that was opened beside a writer must not go on as a writer. */
TEST(test_writer_close_lets_others_in_though_readers_stay)
{
	struct bench bench;
	struct shmlog_reader *readers[2];
	struct shmlog_frame frame;
	char name[320];

	bench_open(&bench, "readers-stay", 24 + 9, 0);
	snprintf(name, sizeof(name), "%s", bench.path);
	write_frame(bench.writer, "first", 5);
	readers[0] = open_reader(bench.log, 0, 0);
	file_truncate(name, 4096);
	write_frame(bench.writer, "second", 6);
	readers[1] = open_reader(bench.log, 0, 0);
	expect_status(shmlog_reader_next(readers[0], &frame), 1);
	shmlog_writer_close(bench.writer);
	assert_memory_equal(frame.payload, "first", 5);
	assert_int_equal(child_wait(child_start(try_append, name)), 0);
	for (size_t i = 0; i < 2; i++) {
		while (shmlog_reader_next(readers[i], &frame) == 1)
			;
		assert_int_equal(shmlog_reader_cursor(readers[i]), 27);
		shmlog_reader_close(readers[i]);
	}
	shmlog_close(bench.log);
}

static int hold_writer(void *argument)
{
	const int *ready = argument;
	struct shmlog *log = NULL;
	struct shmlog_writer *writer = NULL;
	unsigned char *payload;

	if (shmlog_open(scratch_keep("held"), &log) != 0 ||
	    shmlog_writer_open(log, NULL, &writer) != 0 ||
	    shmlog_writer_allocate(writer, 100, &payload) != 0)
		return 1;
	memset(payload, 'k', 100);
	if (write(ready[1], "", 1) != 1)
		return 2;
	for (;;)
		pause();
}

TEST(test_writer_that_is_killed_leaves_nothing_to_clean_up)
{
	const char *path = scratch("held");
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	for (unsigned round = 0; round < 20; round++) {
		write_numbered_log(path, 4096, 1);

		pid_t holder = child_start(hold_writer, ready);

		assert_int_equal(read(ready[0], &byte, 1), 1);
		if (round == 0)
			expect_refused(path, false);
		child_kill(holder);

		struct shmlog *log = open_log(path);
		struct shmlog_writer *writer = open_writer(log, 0);

		write_frame(writer, "after", 5);
		assert_int_equal(count_frames(log), 2);
		shmlog_writer_close(writer);
		shmlog_close(log);
	}
	close(ready[0]);
	close(ready[1]);
}

static int append_as_nobody(void *path)
{
	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 3;
	return try_append(path);
}

TEST(test_writer_keeps_out_a_writer_of_another_user)
{
	struct bench bench;
	char name[320];

	if (geteuid() != 0)
		skip();
	bench_open(&bench, "other-user", 4096, 0);
	snprintf(name, sizeof(name), "%s", bench.path);
	assert_int_equal(chmod(name, 0666), 0);
	assert_int_equal(child_wait(child_start(append_as_nobody, name)), 1);
	write_frame(bench.writer, "mine", 4);
	bench_close(&bench);
	/* Who cannot ask for a lease is not shut out for that. */
	assert_int_equal(child_wait(child_start(append_as_nobody, name)), 0);
}

static int open_as_nobody(void *path)
{
	struct shmlog *log = NULL;
	struct shmlog_writer *writer = NULL;

	if (setgid(65534) != 0 || setuid(65534) != 0 ||
	    shmlog_open(path, &log) != 0)
		return 3;

	int status = shmlog_writer_open(log, NULL, &writer);
	int appended = append_payload(log, "x", 1, 0);

	shmlog_writer_close(writer);
	shmlog_close(log);
	return status == -EACCES && appended == -EACCES ? 0 : 4;
}

TEST(test_writer_open_of_a_read_only_log_is_refused_by_the_system)
{
	char name[320];

	if (geteuid() != 0)
		skip();
	snprintf(name, sizeof(name), "%s", scratch("read-only"));
	write_numbered_log(name, 4096, 1);
	assert_int_equal(chmod(name, 0444), 0);
	assert_int_equal(child_wait(child_start(open_as_nobody, name)), 0);
	assert_int_equal(file_get64(name, 16), 24 + 11);
}

TEST(test_writer_open_waits_for_the_lock_no_longer_than_allowed)
{
	struct bench bench;
	struct shmlog_writer *second = NULL;
	struct shmlog_writer_options options = {
		.lock_timeout_ns = MILLISECONDS(30)};
	struct shmlog *log;
	int64_t start;

	bench_open(&bench, "patience", 4096, 0);
	log = open_log(bench.path);
	start = now_ns();

	int status = shmlog_writer_open(log, &options, &second);

	assert_true(status == SHMLOG_ERR_LOCK_TIMEOUT ||
	            status == SHMLOG_ERR_WRITER_ACTIVE);
	assert_true(now_ns() - start >= MILLISECONDS(30));
	assert_true(now_ns() - start < patience_ns(MILLISECONDS(2000)));
	shmlog_writer_close(bench.writer);
	expect_status(shmlog_writer_open(log, &options, &second), 0);
	shmlog_writer_close(second);
	shmlog_close(log);
	shmlog_close(bench.log);
}

static void open_beside(const char *path, bool reads_only, int expected)
{
	struct plain_writer other;
	struct shmlog_writer *writer = NULL;
	int64_t start;

	if (reads_only)
		plain_reader_start(&other, path);
	else
		plain_writer_start(&other, path);

	struct shmlog *log = open_log(path);

	start = now_ns();
	expect_status(shmlog_writer_open(log, NULL, &writer), expected);
	assert_true(now_ns() - start < patience_ns(MILLISECONDS(1000)));
	if (expected != 0)
		assert_null(writer);
	shmlog_writer_close(writer);
	plain_writer_kill(&other);
	/* It is gone without a farewell: the way is free. */
	expect_status(shmlog_writer_open(log, NULL, &writer), 0);
	shmlog_writer_close(writer);
	shmlog_close(log);
}

TEST(test_writer_open_refuses_beside_a_plain_writer_until_its_death)
{
	const char *path = scratch("beside-writer");

	if (!plain_writers_are_visible())
		skip();
	write_numbered_log(path, 4096, 1);
	open_beside(path, false, SHMLOG_ERR_WRITER_ACTIVE);
}

TEST(test_writer_open_never_refuses_beside_a_plain_reader)
{
	const char *path = scratch("beside-reader");

	write_numbered_log(path, 4096, 1);
	open_beside(path, true, 0);
}

TEST(test_writer_commit_notices_that_somebody_moved_size)
{
	static const uint64_t sizes[] = {24, 24 + 11, 24 + 31, 4096};

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct plain_writer other;
		const char *path = scratch("interfered");

		write_numbered_log(path, 4096, 2);
		plain_writer_start(&other, path);

		struct shmlog *log = open_log(path);
		struct shmlog_writer *writer = open_writer(log,
		                                           SHMLOG_WRITER_FORCE);

		allocate(writer, 10);
		plain_writer_store_size(&other, sizes[i]);
		for (int again = 0; again < 2; again++) {
			expect_status(shmlog_writer_commit(writer),
			              SHMLOG_ERR_INTERFERED);
			assert_int_equal(file_get64(path, 16), sizes[i]);
		}
		/* Nor later, should size come back. */
		plain_writer_store_size(&other, 24 + 22);
		expect_status(shmlog_writer_commit(writer),
		              SHMLOG_ERR_INTERFERED);
		assert_int_equal(file_get64(path, 16), 24 + 22);
		shmlog_writer_close(writer);
		shmlog_close(log);
		plain_writer_stop(&other);
	}
}

TEST(test_writer_forced_beside_a_plain_writer_keeps_what_that_committed)
{
	struct plain_writer other;
	const char *path = scratch("forced");

	write_numbered_log(path, 4096, 1);
	plain_writer_start(&other, path);

	struct shmlog *log = open_log(path);
	struct shmlog_writer *writer = open_writer(log, SHMLOG_WRITER_FORCE);

	write_frame(writer, "ours", 4);
	shmlog_writer_close(writer);
	/* Its cursor is cached: its next frame lands on ours, as ever. */
	plain_writer_append(&other, 4);
	assert_int_equal(count_frames(log), 2);
	writer = open_writer(log, SHMLOG_WRITER_FORCE);
	allocate(writer, 1);
	plain_writer_append(&other, 4);
	expect_status(shmlog_writer_commit(writer), SHMLOG_ERR_INTERFERED);
	assert_int_equal(count_frames(log), 3);
	shmlog_writer_close(writer);
	shmlog_close(log);
	plain_writer_stop(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_writer_leaves_exactly_the_bytes_of_the_format),
		cmocka_unit_test(
			test_writer_takes_every_end_of_the_range_and_refuses_beyond),
		cmocka_unit_test(test_writer_honours_every_data_offset),
		cmocka_unit_test(test_writer_goes_on_behind_what_is_committed),
		cmocka_unit_test(
			test_writer_publishes_all_frames_of_a_commit_or_none),
		cmocka_unit_test(test_writer_rollback_drops_what_was_reserved),
		cmocka_unit_test(
			test_writer_close_drops_what_was_not_committed),
		cmocka_unit_test(test_writer_fills_a_log_to_its_last_byte),
		cmocka_unit_test(test_writer_follows_a_file_that_grows),
		cmocka_unit_test(
			test_writer_last_allocated_address_is_the_payloads_offset),
		cmocka_unit_test(
			test_writer_buffer_at_address_changes_a_committed_payload),
		cmocka_unit_test(
			test_writer_buffer_at_address_refuses_all_that_is_no_payload),
		cmocka_unit_test(
			test_writer_debug_checks_catch_bytes_written_beyond_a_payload),
		cmocka_unit_test(
			test_writer_debug_checks_let_a_rollback_drop_the_overrun),
		cmocka_unit_test(
			test_writer_open_refuses_a_log_whose_last_frame_is_not_whole),
		cmocka_unit_test(
			test_writer_open_refuses_a_last_frame_with_any_flipped_size_bit),
		cmocka_unit_test(
			test_writer_survives_a_cut_if_sigbus_is_handled),
		cmocka_unit_test(
			test_writer_keeps_every_other_writer_out_until_it_is_closed),
		cmocka_unit_test(
			test_writer_close_lets_others_in_though_readers_stay),
		cmocka_unit_test(
			test_writer_that_is_killed_leaves_nothing_to_clean_up),
		cmocka_unit_test(
			test_writer_keeps_out_a_writer_of_another_user),
		cmocka_unit_test(
			test_writer_open_of_a_read_only_log_is_refused_by_the_system),
		cmocka_unit_test(
			test_writer_open_waits_for_the_lock_no_longer_than_allowed),
		cmocka_unit_test(
			test_writer_open_refuses_beside_a_plain_writer_until_its_death),
		cmocka_unit_test(
			test_writer_open_never_refuses_beside_a_plain_reader),
		cmocka_unit_test(
			test_writer_commit_notices_that_somebody_moved_size),
		cmocka_unit_test(
			test_writer_forced_beside_a_plain_writer_keeps_what_that_committed),
	};

	return cmocka_run_group_tests_name("writer", tests, scratch_setup,
	                                   scratch_teardown);
}
