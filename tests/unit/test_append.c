/*
 * Appending ready frames: the exact bytes, all or part of them when the log
 * is full, every refusal without a trace in the file, and many processes at
 * once.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Frames ready to be appended. */
struct frames {
	unsigned char *bytes;
	size_t length;
};

static void frames_add(struct frames *frames, const void *payload,
                       size_t size_bytes)
{
	frames->bytes = realloc(frames->bytes, frames->length + size_bytes + 4);
	assert_non_null(frames->bytes);
	frames->length += shmlog_frame_encode(frames->bytes + frames->length,
	                                      payload, size_bytes);
}

static struct frames numbered_frames(unsigned from, unsigned count)
{
	struct frames frames = {0};

	for (unsigned i = from; i < from + count; i++)
		frames_add(&frames, numbered_text(i), strlen(numbered_text(i)));
	return frames;
}

static int append(struct shmlog *log, const struct frames *frames,
                  unsigned flags, struct shmlog_append_result *result)
{
	struct shmlog_append_options options = {.flags = flags};

	memset(result, 0xee, sizeof(*result));
	return shmlog_append_frames(log, frames->bytes, frames->length,
	                            &options, result);
}

static void expect_result(const struct shmlog_append_result *result,
                          uint64_t frames, size_t bytes, uint64_t cursor,
                          uint64_t free_bytes)
{
	assert_int_equal(result->frames, frames);
	assert_int_equal(result->bytes, bytes);
	assert_int_equal(result->cursor, cursor);
	assert_int_equal(result->end_cursor, cursor + bytes);
	assert_int_equal(result->free_bytes, free_bytes);
}

/* How many frames a fresh reader finds; they must all be good. */
static unsigned count_frames(const char *path)
{
	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);
	struct shmlog_frame frame;
	unsigned count = 0;
	int result;

	while ((result = shmlog_reader_next(reader, &frame)) == 1)
		count++;
	expect_status(result, 0);
	shmlog_reader_close(reader);
	shmlog_close(log);
	return count;
}

/* ----------------------------------------------------------------- bytes */

TEST(test_append_leaves_exactly_the_bytes_of_the_format)
{
	const char *path = scratch("bytes");
	struct frames frames = numbered_frames(0, 12);
	struct shmlog_append_result result;
	struct raw_log raw;

	write_numbered_log(path, 4096, 0);
	raw_init(&raw, 4096);

	struct shmlog *log = open_log(path);

	expect_status(append(log, &frames, 0, &result), 0);
	expect_result(&result, 12, frames.length, 0, 4096 - 24 - frames.length);
	for (unsigned i = 0; i < 12; i++)
		raw_append_text(&raw, numbered_text(i));
	expect_file(path, raw.bytes, raw.capacity);
	frames_add(&frames, "", 0);
	frames_add(&frames, "\0\xff", 2);

	uint64_t end = result.end_cursor;

	expect_status(append(log, &frames, 0, &result), 0);
	expect_result(&result, 14, frames.length, end,
	              4096 - 24 - end - frames.length);
	for (unsigned i = 0; i < 12; i++)
		raw_append_text(&raw, numbered_text(i));
	raw_append_text(&raw, "");
	raw_append(&raw, "\0\xff", 2);
	expect_file(path, raw.bytes, raw.capacity);
	shmlog_close(log);
	raw_free(&raw);
	free(frames.bytes);
}

TEST(test_append_of_nothing_checks_the_log_and_commits_nothing)
{
	const char *path = scratch("nothing");
	struct frames none = {0};
	struct shmlog_append_result result;

	write_numbered_log(path, 4096, 3);

	size_t length;
	unsigned char *before = file_bytes(path, &length);
	struct shmlog *log = open_log(path);

	expect_status(append(log, &none, 0, &result), 0);
	expect_result(&result, 0, 0, 33, 4096 - 24 - 33);
	expect_status(append(log, &none, SHMLOG_APPEND_WHOLE, &result), 0);
	expect_status(shmlog_append_frames(log, NULL, 0, NULL, NULL), 0);
	expect_file(path, before, length);
	file_put64(path, 16, 24 + 32);
	expect_status(append(log, &none, 0, &result), SHMLOG_ERR_TORN);
	shmlog_close(log);
	free(before);
}

TEST(test_append_honours_every_data_offset)
{
	static const uint64_t offsets[] = {24, 25, 31, 4095, 4096, 4097};

	for (size_t i = 0; i < COUNT_OF(offsets); i++) {
		const char *path = scratch("offset");
		struct frames frames = numbered_frames(0, 2);
		struct shmlog_append_result result;
		struct raw_log raw;

		raw_init_at(&raw, 8192, offsets[i]);
		raw_write(&raw, path);

		struct shmlog *log = open_log(path);

		expect_status(append(log, &frames, 0, &result), 0);
		assert_int_equal(result.cursor, 0);
		raw_append_text(&raw, numbered_text(0));
		raw_append_text(&raw, numbered_text(1));
		expect_file(path, raw.bytes, raw.capacity);
		shmlog_close(log);
		raw_free(&raw);
		free(frames.bytes);
	}
}

TEST(test_append_refuses_bytes_that_are_no_chain_of_frames)
{
	const char *path = scratch("bad-frames");
	struct frames frames = numbered_frames(0, 5);
	struct shmlog_append_result result;

	write_numbered_log(path, 4096, 2);

	size_t length;
	unsigned char *before = file_bytes(path, &length);
	struct shmlog *log = open_log(path);

	for (size_t cut = 1; cut < frames.length; cut++) {
		struct frames part = {malloc(cut), cut};

		memcpy(part.bytes, frames.bytes, cut);
		if (cut % 11 != 0) {
			expect_status(append(log, &part, 0, &result),
			              SHMLOG_ERR_BAD_FRAMES);
			expect_result(&result, 0, 0, 0, 0);
		}
		free(part.bytes);
	}
	for (size_t word = 0; word < frames.length; word += 11) {
		for (unsigned bit = 0; bit < 16; bit++) {
			unsigned char *at = frames.bytes + word + bit / 8;

			*at ^= (unsigned char)(1u << bit % 8);
			expect_status(append(log, &frames, SHMLOG_APPEND_FORCE,
			                     &result),
			              SHMLOG_ERR_BAD_FRAMES);
			*at ^= (unsigned char)(1u << bit % 8);
		}
	}
	expect_file(path, before, length);
	shmlog_close(log);
	free(before);
	free(frames.bytes);
}

/* ------------------------------------------------------------------ full */

TEST(test_append_commits_the_frames_that_fit_unless_all_are_wanted)
{
	struct frames frames = numbered_frames(0, 10);

	for (size_t room = 0; room <= 11 * 10 + 1; room++) {
		const char *path = scratch("full");
		struct shmlog_append_result result;
		struct raw_log raw;
		unsigned fitting = (unsigned)(room / 11);
		int status = fitting < 10 ? SHMLOG_ERR_FULL : 0;

		if (fitting > 10)
			fitting = 10;
		raw_init(&raw, 24 + room);
		raw_write(&raw, path);

		struct shmlog *log = open_log(path);

		if (status != 0) {
			expect_status(append(log, &frames, SHMLOG_APPEND_WHOLE,
			                     &result),
			              status);
			expect_result(&result, 0, 0, 0, room);
			expect_file(path, raw.bytes, raw.capacity);
		}
		expect_status(append(log, &frames, 0, &result), status);
		expect_result(&result, fitting, fitting * 11, 0,
		              room - fitting * 11);
		for (unsigned i = 0; i < fitting; i++)
			raw_append_text(&raw, numbered_text(i));
		expect_file(path, raw.bytes, raw.capacity);
		shmlog_close(log);
		raw_free(&raw);
	}
	free(frames.bytes);
}

TEST(test_append_whole_of_what_fits_exactly_fills_the_log)
{
	const char *path = scratch("exactly");
	struct frames frames = numbered_frames(0, 10);
	struct shmlog_append_result result;

	write_numbered_log(path, 24 + 110, 0);

	struct shmlog *log = open_log(path);

	expect_status(append(log, &frames, SHMLOG_APPEND_WHOLE, &result), 0);
	expect_result(&result, 10, 110, 0, 0);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_FULL);
	expect_result(&result, 0, 0, 110, 0);
	assert_int_equal(count_frames(path), 10);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_follows_a_file_that_grows)
{
	const char *path = scratch("grows");
	struct frames frames = numbered_frames(0, 10);
	struct shmlog_append_result result;

	write_numbered_log(path, 24, 0);

	struct shmlog *log = open_log(path);

	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_FULL);
	file_truncate(path, 4096);
	expect_status(append(log, &frames, 0, &result), 0);
	assert_int_equal(count_frames(path), 10);
	shmlog_close(log);
	free(frames.bytes);
}

/* ------------------------------------------------------------- from a file */

#define FILE_FRAMES 40

static int file_of(const char *name, const void *bytes, size_t length)
{
	int fd = open(scratch(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
	              0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	return fd;
}

/* Frames of all sizes, so that they straddle whatever is copied at a time. */
static struct frames many_frames(struct chance *chance)
{
	static unsigned char payload[65531];
	struct frames frames = {0};

	for (unsigned i = 0; i < FILE_FRAMES; i++) {
		size_t size = (size_t)chance_below(chance, 65532);

		memset(payload, (int)chance_below(chance, 256), size);
		frames_add(&frames, payload, size);
	}
	return frames;
}

TEST(test_append_from_a_file_is_one_commit_of_exactly_its_frames)
{
	struct chance chance = chance_start("append from a file", 99);
	const char *path = scratch("from");
	struct frames frames = many_frames(&chance);
	struct shmlog_append_result result;
	size_t capacity = 24 + 11 + frames.length;
	int fd = file_of("spool", frames.bytes, frames.length);

	write_numbered_log(path, capacity, 1);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_frames_from(log, fd, frames.length, NULL,
	                                        &result),
	              0);
	expect_result(&result, FILE_FRAMES, frames.length, 11, 0);
	assert_int_equal(count_frames(path), 1 + FILE_FRAMES);

	size_t length;
	unsigned char *bytes = file_bytes(path, &length);

	assert_int_equal(length, capacity);
	assert_memory_equal(bytes + 24 + 11, frames.bytes, frames.length);
	free(bytes);
	close(fd);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_from_a_file_takes_all_of_it_or_nothing)
{
	struct chance chance = chance_start("append from a file", 100);
	const char *path = scratch("from-whole");
	struct frames frames = many_frames(&chance);
	struct shmlog_append_result result;
	int fd = file_of("spool", frames.bytes, frames.length);

	write_numbered_log(path, 24 + frames.length - 1, 0);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_frames_from(log, fd, frames.length, NULL,
	                                        &result),
	              SHMLOG_ERR_FULL);
	expect_result(&result, 0, 0, 0, frames.length - 1);
	assert_int_equal(file_get64(path, 16), 24);
	/* One byte short, at the very end of the last frame. */
	expect_status(shmlog_append_frames_from(log, fd, frames.length - 1,
	                                        NULL, &result),
	              SHMLOG_ERR_BAD_FRAMES);
	assert_int_equal(file_get64(path, 16), 24);
	expect_status(shmlog_append_frames_from(log, fd, 0, NULL, &result), 0);
	expect_result(&result, 0, 0, 0, frames.length - 1);
	close(fd);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_from_a_file_that_ends_early_commits_nothing)
{
	const char *path = scratch("from-short");
	struct frames frames = numbered_frames(0, 10);
	struct shmlog_append_result result;
	int fd = file_of("spool", frames.bytes, frames.length - 11);

	write_numbered_log(path, 4096, 0);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_append_frames_from(log, fd, frames.length, NULL,
	                                        &result),
	              SHMLOG_ERR_BAD_FRAMES);
	expect_result(&result, 0, 0, 0, 0);
	assert_int_equal(file_get64(path, 16), 24);
	close(fd);
	shmlog_close(log);
	free(frames.bytes);
}

static const struct shmlog_append_options patient = {.lock_timeout_ns = -1};

/* Sleeps until somebody waits for the lock: a shared lock on the last byte but
 * two that a file could have says so; for a while where there is none. */
static void wait_for_waiter(int log)
{
	struct timespec moment = {.tv_nsec = 10000000};

	for (unsigned i = 0; i < 50; i++) {
		nanosleep(&moment, NULL);
#ifdef F_OFD_GETLK
		struct flock mark = {.l_type = F_WRLCK,
		                     .l_whence = SEEK_SET,
		                     .l_start = INT64_MAX - 2,
		                     .l_len = 1};

		if (fcntl(log, F_OFD_GETLK, &mark) == 0 &&
		    mark.l_type == F_RDLCK)
			return;
#endif
	}
}

/*
 * In a child: takes the lock on the log, tells that, and once somebody waits
 * for it writes `bytes` over the file of frames from `offset` on.
 */
static pid_t change_under_lock(const char *path, int fd, uint64_t offset,
                               const void *bytes, size_t length)
{
	int locked[2];
	char byte;

	assert_int_equal(pipe(locked), 0);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		int log = open(path, O_RDONLY | O_CLOEXEC);
		bool ready = flock(log, LOCK_EX) == 0 &&
		             write(locked[1], "", 1) == 1;

		wait_for_waiter(log);
		_exit(ready && pwrite(fd, bytes, length, (off_t)offset) ==
		                              (ssize_t)length
		              ? 0
		              : 1);
	}
	assert_int_equal(read(locked[0], &byte, 1), 1);
	close(locked[0]);
	close(locked[1]);
	return child;
}

TEST(test_append_from_a_file_that_changes_commits_what_was_checked)
{
	struct chance chance = chance_start("append from a file", 101);
	const char *path = scratch("from-changed");
	struct frames frames = many_frames(&chance);
	struct shmlog_append_result result;
	int fd = file_of("spool", frames.bytes, frames.length);
	int ended;

	write_numbered_log(path, 24 + frames.length, 0);

	struct shmlog *log = open_log(path);
	/* Far behind what is held of the file: a word that is none. */
	pid_t child = change_under_lock(path, fd, frames.length - 1, "\xff", 1);
	int status = shmlog_append_frames_from(log, fd, frames.length, &patient,
	                                       &result);

	assert_int_equal(waitpid(child, &ended, 0), child);
	assert_int_equal(ended, 0);
	expect_status(status, SHMLOG_ERR_BAD_FRAMES);
	expect_result(&result, 0, 0, 0, frames.length);
	assert_int_equal(file_get64(path, 16), 24);

	free(frames.bytes);
	close(fd);
	shmlog_close(log);
}

TEST(test_append_from_a_file_that_changes_counts_what_was_committed)
{
	enum {
		MANY = 4000,
		FEW = 2000
	};
	static const unsigned char payload[196];
	const char *path = scratch("from-recounted");
	struct frames many = {0};
	struct frames few = {0};
	struct shmlog_append_result result;
	int ended;

	/* As many bytes, in fewer frames. */
	for (unsigned i = 0; i < MANY; i++)
		frames_add(&many, payload, 96);
	for (unsigned i = 0; i < FEW; i++)
		frames_add(&few, payload, 196);
	assert_int_equal(many.length, few.length);
	write_numbered_log(path, 24 + many.length, 0);

	int fd = file_of("spool", many.bytes, many.length);
	struct shmlog *log = open_log(path);
	pid_t child = change_under_lock(path, fd, 0, few.bytes, few.length);
	int status = shmlog_append_frames_from(log, fd, many.length, &patient,
	                                       &result);

	assert_int_equal(waitpid(child, &ended, 0), child);
	assert_int_equal(ended, 0);
	expect_status(status, 0);
	expect_result(&result, FEW, few.length, 0, 0);
	assert_int_equal(count_frames(path), FEW);
	close(fd);
	shmlog_close(log);
	free(many.bytes);
	free(few.bytes);
}

/* -------------------------------------------------------------- refusals */

TEST(test_append_refuses_a_log_whose_last_frame_is_not_whole)
{
	const char *path = scratch("torn");
	struct frames frames = numbered_frames(0, 1);
	struct shmlog_append_result result;
	struct raw_log raw;

	raw_init(&raw, 4096);
	raw_append_text(&raw, "good");
	raw_append_text(&raw, "last frame");

	uint64_t whole = raw.size;

	for (uint64_t missing = 1; missing < 14; missing++) {
		raw_set_size(&raw, whole - missing);
		raw_write(&raw, path);

		struct shmlog *log = open_log(path);
		int status = append(log, &frames, SHMLOG_APPEND_FORCE, &result);

		assert_true(status == SHMLOG_ERR_TORN ||
		            status == SHMLOG_ERR_FRAME_CORRUPT);
		assert_int_equal(result.frames, 0);
		assert_int_equal(result.bytes, 0);
		shmlog_close(log);
		expect_file(path, raw.bytes, raw.capacity);
	}
	raw_free(&raw);
	free(frames.bytes);
}

TEST(test_append_refuses_a_tail_that_was_damaged_between_two_appends)
{
	const char *path = scratch("damaged-later");
	struct frames frames = numbered_frames(0, 3);
	struct shmlog_append_result result;
	struct plain_writer other;

	write_numbered_log(path, 4096, 1);

	struct shmlog *log = open_log(path);

	expect_status(append(log, &frames, 0, &result), 0);
	plain_writer_start(&other, path);
	plain_writer_store_size(&other, 24 + 44 + 3);
	plain_writer_stop(&other);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_TORN);
	shmlog_close(log);
	free(frames.bytes);
}

/* Breaks frame `number` of 11 bytes each; those behind it are as they were. */
static void break_frame(const char *path, unsigned number)
{
	file_put(path, 24 + 11 * (uint64_t)number, "\x0c", 1);
}

TEST(test_append_builds_upon_no_chain_that_broke_since_its_last_one)
{
	const char *path = scratch("broken-since");
	struct frames frames = numbered_frames(1, 3);
	struct shmlog_append_result result;

	write_numbered_log(path, 1 << 20, 1);

	struct shmlog *log = open_log(path);
	struct shmlog *other = open_log(path);

	expect_status(append(log, &frames, 0, &result), 0);
	/* More than the look at a log that was just opened goes back. */
	for (unsigned i = 0; i < 4000; i++)
		expect_status(append(other, &frames, 0, &result), 0);
	expect_status(append(log, &frames, 0, &result), 0);
	for (unsigned i = 0; i < 4000; i++)
		expect_status(append(other, &frames, 0, &result), 0);
	break_frame(path, 1 + 3 * 4002 + 2);
	expect_status(append(log, &frames, 0, &result),
	              SHMLOG_ERR_FRAME_CORRUPT);
	assert_int_equal(result.frames, 0);
	shmlog_close(other);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_tells_that_what_was_there_is_there_no_more)
{
	const char *path = scratch("went-back");
	struct frames frames = numbered_frames(1, 3);
	struct shmlog_append_result result;

	write_numbered_log(path, 4096, 1);

	struct shmlog *log = open_log(path);

	expect_status(append(log, &frames, 0, &result), 0);
	file_put64(path, 16, 24 + 22);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_WENT_BACK);
	assert_int_equal(file_get64(path, 16), 24 + 22);
	/* Who forces it may go on. */
	expect_status(append(log, &frames, SHMLOG_APPEND_FORCE, &result), 0);
	assert_int_equal(count_frames(path), 5);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_to_a_log_just_opened_looks_at_its_last_frames)
{
	/* 65,536 bytes hold 5957 whole frames of 11. */
	static const struct {
		unsigned broken;
		int status;
	} cases[] = {
		{9999, SHMLOG_ERR_TORN},
		{9998, SHMLOG_ERR_FRAME_CORRUPT},
		{10000 - 5957, SHMLOG_ERR_FRAME_CORRUPT},
		{10000 - 5959, 0},
	};
	struct frames frames = numbered_frames(1, 3);
	struct frames many = {0};
	struct shmlog_append_result result;

	for (unsigned i = 0; i < 10000; i++)
		frames_add(&many, "payload", 7);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *path = scratch("just-opened");

		write_numbered_log(path, 1 << 20, 0);
		struct shmlog *log = open_log(path);

		expect_status(append(log, &many, 0, &result), 0);
		shmlog_close(log);
		break_frame(path, cases[i].broken);
		log = open_log(path);
		expect_status(append(log, &frames, 0, &result),
		              cases[i].status);
		shmlog_close(log);
	}
	free(many.bytes);
	free(frames.bytes);
}

TEST(test_append_refuses_a_header_that_became_impossible)
{
	const char *path = scratch("header");
	struct frames frames = numbered_frames(0, 1);
	struct shmlog_append_result result;

	write_numbered_log(path, 4096, 2);

	struct shmlog *log = open_log(path);

	file_put64(path, 16, 23);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_SIZE);
	file_put64(path, 16, 4097);
	expect_status(append(log, &frames, 0, &result),
	              SHMLOG_ERR_MAPPING_GONE);
	file_put64(path, 16, 24 + 22);
	file_put64(path, 8, 35);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_DATA_OFFSET);
	file_put64(path, 8, 0);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_DATA_OFFSET);
	file_put64(path, 8, 24);
	file_put64(path, 0, 5000);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_HEADER_SIZE);
	file_put64(path, 0, 24);
	expect_status(append(log, &frames, 0, &result), 0);
	assert_int_equal(count_frames(path), 3);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_refuses_a_log_that_was_cut)
{
	static const uint64_t lengths[] = {0, 1, 23, 24, 25, 24 + 21};
	struct frames frames = numbered_frames(0, 1);
	struct shmlog_append_result result;

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		const char *path = scratch("cut");

		write_numbered_log(path, 4096, 2);

		struct shmlog *log = open_log(path);

		file_truncate(path, lengths[i]);
		expect_status(append(log, &frames, 0, &result),
		              SHMLOG_ERR_MAPPING_GONE);
		assert_int_equal(file_length(path), lengths[i]);
		shmlog_close(log);
	}
	free(frames.bytes);
}

TEST(test_append_refuses_a_log_whose_name_leads_elsewhere)
{
	const char *path = scratch("replaced");
	const char *newer = scratch("newer");
	struct frames frames = numbered_frames(0, 1);
	struct shmlog_append_result result;

	write_numbered_log(path, 4096, 1);
	write_numbered_log(newer, 4096, 2);

	struct shmlog *log = open_log(path);

	assert_int_equal(rename(newer, path), 0);
	expect_status(append(log, &frames, 0, &result), SHMLOG_ERR_REPLACED);
	assert_int_equal(count_frames(path), 2);
	assert_int_equal(unlink(path), 0);

	int status = append(log, &frames, 0, &result);

	assert_true(status == -ENOENT || status == SHMLOG_ERR_REPLACED);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_to_a_log_too_large_to_map_works)
{
	const char *path = scratch("huge");
	struct frames frames = numbered_frames(0, 10);
	struct shmlog_append_result result;

	write_numbered_log(path, 4096, 0);
	if (truncate(path, (off_t)1 << 50) != 0) {
		free(frames.bytes);
		skip();
	}

	struct shmlog *log = open_log(path);

	expect_status(append(log, &frames, SHMLOG_APPEND_WAKE, &result), 0);
	expect_result(&result, 10, 110, 0, (UINT64_C(1) << 50) - 24 - 110);
	assert_int_equal(count_frames(path), 10);
	shmlog_close(log);
	unlink(path);
	free(frames.bytes);
}

/* --------------------------------------------------------- other writers */

TEST(test_append_refuses_beside_a_plain_writer_until_its_death)
{
	const char *path = scratch("beside-writer");
	struct shmlog_append_result result;
	struct plain_writer other;

	if (!plain_writers_are_visible())
		skip();

	struct frames frames = numbered_frames(1, 1);

	for (int killed = 0; killed < 2; killed++) {
		write_numbered_log(path, 4096, 1);
		plain_writer_start(&other, path);

		struct shmlog *log = open_log(path);
		int64_t start = now_ns();

		expect_status(append(log, &frames, 0, &result),
		              SHMLOG_ERR_WRITER_ACTIVE);
		assert_true(now_ns() - start < patience_ns(MILLISECONDS(1000)));
		assert_int_equal(result.frames, 0);
		assert_int_equal(file_get64(path, 16), 24 + 11);
		/* What it does meanwhile is its own affair. */
		plain_writer_append(&other, 7);
		assert_int_equal(count_frames(path), 2);
		expect_status(
			append(log, &frames, SHMLOG_APPEND_FORCE, &result), 0);
		assert_int_equal(count_frames(path), 3);
		if (killed)
			plain_writer_kill(&other);
		else
			plain_writer_stop(&other);
		expect_status(append(log, &frames, 0, &result), 0);
		assert_int_equal(count_frames(path), 4);
		shmlog_close(log);
	}
	free(frames.bytes);
}

struct patience {
	unsigned waits;
	unsigned most;
};

static int wait_on(void *context, int status)
{
	struct patience *patience = context;

	return status != SHMLOG_ERR_WRITER_ACTIVE ||
	       ++patience->waits > patience->most;
}

TEST(test_append_waits_for_a_plain_writer_as_long_as_it_is_told)
{
	const char *path = scratch("patient");
	struct frames frames = numbered_frames(0, 1);
	struct shmlog_append_result result;
	struct patience patience = {.most = 3};
	struct shmlog_append_options options = {
		.writer_timeout_ns = MILLISECONDS(10),
	};
	struct plain_writer other;

	if (!plain_writers_are_visible())
		skip();
	write_numbered_log(path, 4096, 1);
	struct shmlog *log = open_log(path);

	plain_writer_start(&other, path);
	expect_status(shmlog_append_frames(log, frames.bytes, frames.length,
	                                   &options, &result),
	              SHMLOG_ERR_WRITER_ACTIVE);
	assert_int_equal(result.doubtful_frames, 0);
	/* Who waits is asked, and may have enough of it. */
	options.writer_timeout_ns = -1;
	options.waiting = wait_on;
	options.context = &patience;
	expect_status(shmlog_append_frames(log, frames.bytes, frames.length,
	                                   &options, &result),
	              SHMLOG_ERR_WRITER_ACTIVE);
	assert_int_equal(patience.waits, 4);
	plain_writer_append(&other, 7);
	plain_writer_stop(&other);
	expect_status(shmlog_append_frames(log, frames.bytes, frames.length,
	                                   &options, &result),
	              0);
	assert_int_equal(count_frames(path), 3);
	shmlog_close(log);
	free(frames.bytes);
}

TEST(test_append_never_refuses_beside_readers)
{
	const char *path = scratch("beside-reader");
	struct frames frames = numbered_frames(1, 1);
	struct shmlog_append_result result;
	struct plain_writer other;

	write_numbered_log(path, 4096, 1);
	plain_reader_start(&other, path);

	struct shmlog *log = open_log(path);
	struct shmlog_reader *mapped = open_reader(log, 0, 0);
	struct shmlog_reader *buffered = open_reader(log,
	                                             SHMLOG_READER_BUFFERED, 0);

	expect_status(shmlog_reader_wait(buffered, 1, 0), 1);
	expect_status(append(log, &frames, 0, &result), 0);
	assert_int_equal(count_frames(path), 2);
	shmlog_reader_close(buffered);
	shmlog_reader_close(mapped);
	shmlog_close(log);
	plain_writer_stop(&other);
	free(frames.bytes);
}

/* Moves `size` as soon as an append has begun to write behind it. */
static int interfere(void *argument)
{
	const char *path = argument;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char *base = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	                           MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		return 1;

	_Atomic uint64_t *size = (_Atomic uint64_t *)(void *)(base + 16);
	volatile unsigned char *first = base + 24;
	uint64_t expected = 24;

	/* The parent waits for this before it appends. */
	base[4095] = 1;
	while (*first == 0)
		;
	/* 0: moved before the append could publish. */
	return atomic_compare_exchange_strong(size, &expected, 24 + 11) ? 0 : 2;
}

TEST(test_append_notices_that_somebody_moved_size_meanwhile)
{
	const char *path = scratch("interfered");
	static unsigned char payload[65531];
	struct frames frames = {0};
	struct shmlog_append_result result;
	/* On a busy machine the other one often comes too late. */
	const int64_t patience = now_ns() + patience_ns(MILLISECONDS(10000));
	unsigned interfered = 0;
	char name[320];

	snprintf(name, sizeof(name), "%s", path);
	for (unsigned i = 0; i < 100; i++)
		frames_add(&frames, payload, sizeof(payload));
	for (unsigned round = 0;
	     interfered < 2 && (round < 50 || interfered == 0) &&
	     now_ns() < patience;
	     round++) {
		write_numbered_log(path, frames.length + 100, 0);
		file_put(path, 4095, "", 1);

		pid_t other = child_start(interfere, name);
		unsigned char started = 0;

		while (started == 0) {
			int fd = open(path, O_RDONLY | O_CLOEXEC);

			assert_int_equal(pread(fd, &started, 1, 4095), 1);
			close(fd);
		}

		struct shmlog *log = open_log(path);
		int status = append(log, &frames, SHMLOG_APPEND_FORCE, &result);

		if (child_wait(other) == 0) {
			interfered++;
			expect_status(status, SHMLOG_ERR_INTERFERED);
			assert_int_equal(result.frames, 0);
			assert_int_equal(file_get64(path, 16), 24 + 11);
		} else {
			expect_status(status, 0);
		}
		shmlog_close(log);
	}
	assert_true(interfered > 0);
	free(frames.bytes);
}

static int hold_lock(void *argument)
{
	const int *ends = argument;
	struct shmlog *log = NULL;
	struct shmlog_writer *writer = NULL;
	char byte;

	if (shmlog_open(scratch_keep("busy"), &log) != 0 ||
	    shmlog_writer_open(log, NULL, &writer) != 0 ||
	    write(ends[1], "", 1) != 1)
		return 1;
	return read(ends[2], &byte, 1) < 0;
}

TEST(test_append_waits_for_the_lock_no_longer_than_allowed)
{
	const char *path = scratch("busy");
	struct frames frames = numbered_frames(0, 1);
	struct shmlog_append_options options = {.lock_timeout_ns = 0};
	int ends[4];
	char byte;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(ends + 2), 0);
	write_numbered_log(path, 4096, 0);

	pid_t holder = child_start(hold_lock, ends);

	assert_int_equal(read(ends[0], &byte, 1), 1);

	struct shmlog *log = open_log(path);

	for (unsigned i = 0; i < 2; i++) {
		options.lock_timeout_ns = i == 0 ? 0 : MILLISECONDS(60);

		int64_t start = now_ns();
		int status = shmlog_append_frames(
			log, frames.bytes, frames.length, &options, NULL);
		int64_t taken = now_ns() - start;

		assert_true(status == SHMLOG_ERR_LOCK_TIMEOUT ||
		            status == SHMLOG_ERR_WRITER_ACTIVE);
		assert_true(taken < patience_ns(MILLISECONDS(2000)));
	}
	assert_int_equal(write(ends[3], "", 1), 1);
	assert_int_equal(child_wait(holder), 0);
	expect_status(shmlog_append_frames(log, frames.bytes, frames.length,
	                                   &options, NULL),
	              0);
	for (unsigned i = 0; i < 4; i++)
		close(ends[i]);
	shmlog_close(log);
	free(frames.bytes);
}

/* -------------------------------------------------------- many processes */

#define APPENDERS 4
#define ROUNDS 150

struct appender {
	const char *path;
	unsigned number;
	unsigned rounds;
	int acknowledge; /* where to tell what was appended, or -1 */
};

/* What one process says in its n-th frame. */
struct message {
	uint32_t appender;
	uint32_t sequence;
	unsigned char filler[40];
};

static size_t make_message(struct message *message, unsigned appender,
                           unsigned sequence)
{
	message->appender = appender;
	message->sequence = sequence;
	memset(message->filler, (int)(appender + sequence) & 0xff,
	       sizeof(message->filler));
	return sizeof(*message) - sequence % 40;
}

static int append_body(void *argument)
{
	const struct appender *self = argument;
	struct shmlog *log = NULL;

	if (shmlog_open(self->path, &log) != 0)
		return 1;
	for (uint32_t i = 0; i < self->rounds; i++) {
		struct message message;
		size_t size = make_message(&message, self->number, i);

		if (append_payload(log, &message, size, 0) != 0)
			return 2;
		if (self->acknowledge >= 0 &&
		    write(self->acknowledge, &i, sizeof(i)) != sizeof(i))
			return 3;
	}
	shmlog_close(log);
	return 0;
}

/* Every frame is some process's next one; returns how many each has. */
static void check_messages(const char *path, unsigned *counts)
{
	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, 0, 0);
	struct shmlog_verify_report report;
	struct shmlog_frame frame;
	int result;

	expect_status(shmlog_verify(log, NULL, &report), 0);
	while ((result = shmlog_reader_next(reader, &frame)) == 1) {
		struct message expected;
		uint32_t number;

		memcpy(&number, frame.payload, sizeof(number));
		assert_true(number < APPENDERS);

		size_t size = make_message(&expected, number, counts[number]++);

		assert_int_equal(frame.size_bytes, size);
		assert_memory_equal(frame.payload, &expected, size);
	}
	expect_status(result, 0);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

TEST(test_append_by_many_processes_loses_nothing_and_keeps_every_order)
{
	char path[320];
	struct appender appenders[APPENDERS];
	unsigned counts[APPENDERS] = {0};
	pid_t pids[APPENDERS];

	snprintf(path, sizeof(path), "%s", scratch("many"));
	write_numbered_log(path, 1 << 20, 0);
	for (unsigned i = 0; i < APPENDERS; i++) {
		appenders[i] = (struct appender){path, i, ROUNDS, -1};
		pids[i] = child_start(append_body, &appenders[i]);
	}
	for (unsigned i = 0; i < APPENDERS; i++)
		assert_int_equal(child_wait(pids[i]), 0);
	check_messages(path, counts);
	for (unsigned i = 0; i < APPENDERS; i++)
		assert_int_equal(counts[i], ROUNDS);
}

/* The highest sequence number that was acknowledged, plus one. */
static unsigned drain(int fd)
{
	uint32_t sequence;
	unsigned count = 0;

	while (read(fd, &sequence, sizeof(sequence)) == sizeof(sequence))
		count = sequence + 1;
	return count;
}

TEST(test_append_that_is_killed_keeps_all_that_was_acknowledged)
{
	const int rounds = rounds_of(25);
	struct chance chance = chance_start("killed appends", 31);
	char path[320];

	snprintf(path, sizeof(path), "%s", scratch("killed"));
	for (int round = 0; round < rounds; round++) {
		struct appender appenders[2];
		unsigned counts[APPENDERS] = {0};
		pid_t pids[2];
		int ends[2][2];

		write_numbered_log(path, 1 << 22, 0);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(pipe(ends[i]), 0);
			appenders[i] = (struct appender){path, i, 50000,
			                                 ends[i][1]};
			pids[i] = child_start(append_body, &appenders[i]);
			close(ends[i][1]);
		}
		sleep_ns((int64_t)chance_below(&chance, 12000000));
		for (unsigned i = 0; i < 2; i++)
			child_kill(pids[i]);
		check_messages(path, counts);
		for (unsigned i = 0; i < 2; i++) {
			unsigned acknowledged = drain(ends[i][0]);

			close(ends[i][0]);
			/* One more may be in than it came to say. */
			assert_in_range(counts[i], acknowledged,
			                acknowledged + 1);
		}
		/* Nothing is left to clean up. */
		struct shmlog *log = open_log(path);
		struct message message;
		size_t size = make_message(&message, 0, counts[0]);

		expect_status(append_payload(log, &message, size, 0), 0);
		shmlog_close(log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_append_leaves_exactly_the_bytes_of_the_format),
		cmocka_unit_test(
			test_append_of_nothing_checks_the_log_and_commits_nothing),
		cmocka_unit_test(test_append_honours_every_data_offset),
		cmocka_unit_test(
			test_append_refuses_bytes_that_are_no_chain_of_frames),
		cmocka_unit_test(
			test_append_commits_the_frames_that_fit_unless_all_are_wanted),
		cmocka_unit_test(
			test_append_whole_of_what_fits_exactly_fills_the_log),
		cmocka_unit_test(test_append_follows_a_file_that_grows),
		cmocka_unit_test(
			test_append_from_a_file_is_one_commit_of_exactly_its_frames),
		cmocka_unit_test(
			test_append_from_a_file_takes_all_of_it_or_nothing),
		cmocka_unit_test(
			test_append_from_a_file_that_ends_early_commits_nothing),
		cmocka_unit_test(
			test_append_from_a_file_that_changes_commits_what_was_checked),
		cmocka_unit_test(
			test_append_from_a_file_that_changes_counts_what_was_committed),
		cmocka_unit_test(
			test_append_refuses_a_log_whose_last_frame_is_not_whole),
		cmocka_unit_test(
			test_append_refuses_a_tail_that_was_damaged_between_two_appends),
		cmocka_unit_test(
			test_append_builds_upon_no_chain_that_broke_since_its_last_one),
		cmocka_unit_test(
			test_append_tells_that_what_was_there_is_there_no_more),
		cmocka_unit_test(
			test_append_to_a_log_just_opened_looks_at_its_last_frames),
		cmocka_unit_test(
			test_append_waits_for_a_plain_writer_as_long_as_it_is_told),
		cmocka_unit_test(
			test_append_refuses_a_header_that_became_impossible),
		cmocka_unit_test(test_append_refuses_a_log_that_was_cut),
		cmocka_unit_test(
			test_append_refuses_a_log_whose_name_leads_elsewhere),
		cmocka_unit_test(test_append_to_a_log_too_large_to_map_works),
		cmocka_unit_test(
			test_append_refuses_beside_a_plain_writer_until_its_death),
		cmocka_unit_test(test_append_never_refuses_beside_readers),
		cmocka_unit_test(
			test_append_notices_that_somebody_moved_size_meanwhile),
		cmocka_unit_test(
			test_append_waits_for_the_lock_no_longer_than_allowed),
		cmocka_unit_test(
			test_append_by_many_processes_loses_nothing_and_keeps_every_order),
		cmocka_unit_test(
			test_append_that_is_killed_keeps_all_that_was_acknowledged),
	};

	return cmocka_run_group_tests_name("append", tests, scratch_setup,
	                                   scratch_teardown);
}
