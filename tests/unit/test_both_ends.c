/*
 * Walks from both ends: whatever a log holds, they say what one plain walk
 * from the start says.
 */
#include "support.h"

#include "both_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SIZES_COUNT ((size_t)SHMLOG_PAYLOAD_MAX_BYTES + 1)

/* Bytes to be walked over, and the file that holds them. */
static unsigned char *bytes;
static size_t length;
static int file;
static uint64_t seed;
/* What is counted, and what is expected. */
static uint64_t counted[SIZES_COUNT];
static uint64_t expected[SIZES_COUNT];

#define MOST_BYTES ((size_t)12 << 20)
#define OFFSET 40  /* of the bytes in the file */
#define BEYOND 256 /* bytes behind them */

static int set_up(void **state)
{
	if (scratch_setup(state) != 0)
		return -1;
	bytes = calloc(MOST_BYTES, 1);
	file = open(scratch("bytes"), O_RDWR | O_CREAT, 0600);
	return bytes != NULL && file >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	free(bytes);
	close(file);
	return scratch_teardown(state);
}

/* The same numbers every time. */
static uint32_t pick(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void put_word(size_t at, unsigned word)
{
	bytes[at] = (unsigned char)word;
	bytes[at + 1] = (unsigned char)(word >> 8);
}

static unsigned word_at(size_t at)
{
	return bytes[at] | (unsigned)bytes[at + 1] << 8;
}

/* Adds a frame; its payload stays what is there. */
static void put_frame(uint32_t payload_bytes)
{
	unsigned total = payload_bytes + 4;

	put_word(length, total);
	put_word(length + total - 2, total);
	length += total;
}

/* The plain walk: whether frames lead to the end, and how many there are. */
static bool walk_plainly(bool counts_sizes, uint64_t *frames_out)
{
	*frames_out = 0;
	for (size_t at = 0; at < length; (*frames_out)++) {
		size_t left = length - at;
		unsigned total = left < 4 ? 0 : word_at(at);

		if (total < 4 || total > left ||
		    word_at(at + total - 2) != total)
			return false;
		if (counts_sizes)
			expected[total - 4]++;
		at += total;
	}
	return true;
}

/* Writes them and, as a log is longer than what is committed, some more: those
 * that a cut has left. */
static void write_bytes(void)
{
	size_t count = length + BEYOND;

	assert_int_equal(ftruncate(file, OFFSET + (off_t)count), 0);
	assert_int_equal(pwrite(file, bytes, count, OFFSET), count);
}

/* Compares the walks, in each way and with chunks of this size, with the plain
 * one. */
static void expect_as_plainly(size_t chunk_bytes, bool with_thread)
{
	uint64_t frames;
	/* The tables are long beside most of the logs. */
	bool counts_sizes = seed++ % 16 == 0;
	bool is_chain = walk_plainly(counts_sizes, &frames);

	for (int way = SHMLOG_SECOND_WHERE_IT_PAYS; way <= SHMLOG_SECOND_THREAD;
	     way++) {
		const struct shmlog_walk_request request = {
			.fd = file,
			.offset = OFFSET,
			.length = length,
			.chunk_bytes = chunk_bytes,
			.second = (enum shmlog_second_walk)way,
		};
		struct shmlog_chain_count count = {
			.size_counts = counts_sizes ? counted : NULL};
		bool found = !is_chain;

		if (way == SHMLOG_SECOND_THREAD && !with_thread)
			continue;
		expect_status(shmlog_count_chain(&request, &count, &found), 0);
		if (found != is_chain)
			fail_with("%d for %d: way %d, %zu bytes in chunks of "
			          "%zu",
			          found, is_chain, way, length, chunk_bytes);
		assert_int_equal(count.frames, is_chain ? frames : 0);
		if (counts_sizes && is_chain)
			assert_memory_equal(counted, expected, sizeof(counted));
		memset(counted, 0, counts_sizes ? sizeof(counted) : 0);
	}
	memset(expected, 0, counts_sizes ? sizeof(expected) : 0);
}

/* Fills the bytes with small numbers, so that anything may look like a word. */
static void fill_bytes(size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (unsigned char)(pick(3) == 0 ? pick(24) : 0);
}

/* Damages a log in one of the ways that logs are damaged in, or leaves it. */
static void damage(void)
{
	switch (pick(6)) {
	case 0:
		bytes[pick((uint32_t)length)] ^= (unsigned char)(1 + pick(255));
		break;
	case 1: bytes[pick((uint32_t)length)] = (unsigned char)pick(24); break;
	case 2: length -= pick((uint32_t)length); break;
	case 3: /* bytes too many in the middle */
		memmove(bytes + length / 2 + 3, bytes + length / 2,
		        length - length / 2);
		length += 3;
		break;
	default: break;
	}
}

TEST(test_both_ends_say_what_one_walk_says)
{
	for (int round = 0; round < rounds_of(2000); round++) {
		seed = (uint64_t)round;
		length = 0;
		fill_bytes(2048);
		for (uint32_t left = 1 + pick(40); left > 0; left--)
			put_frame(pick(24));
		damage();
		write_bytes();
		expect_as_plainly(1 + pick(90), round % 8 == 0);
	}
}

TEST(test_both_ends_pass_frames_of_all_sizes)
{
	static const uint32_t sizes[] = {0,     1,     12,    4096,  16379,
	                                 16380, 16381, 40000, 65530, 65531};

	for (int round = 0; round < rounds_of(30); round++) {
		static const size_t chunks[] = {0, 1, 100, 16384, 70000};

		seed = (uint64_t)round;
		length = 0;
		for (uint32_t left = 1 + pick(60); left > 0; left--) {
			/* In runs of one size, too. */
			uint32_t size = sizes[pick(COUNT_OF(sizes))];

			for (uint32_t times = 1 + pick(3); times > 0; times--)
				put_frame(size);
		}
		if (round % 3 == 1)
			damage();
		write_bytes();
		expect_as_plainly(chunks[round % (int)COUNT_OF(chunks)], true);
	}
	memset(bytes, 0, MOST_BYTES);
}

/* Where frames are passed by their words alone, both of them count. */
TEST(test_both_ends_see_each_word_of_large_frames)
{
	for (size_t frame = 0; frame < 12; frame++) {
		for (size_t word = 0; word < 2; word++) {
			size_t at = frame * 40004 + word * 40002;

			length = 0;
			while (length < 12 * 40004)
				put_frame(40000);
			bytes[at] ^= 1;
			write_bytes();
			expect_as_plainly(70000, false);
			bytes[at] ^= 1;
		}
	}
	memset(bytes, 0, 12 * 40004);
}

TEST(test_both_ends_of_next_to_nothing)
{
	memset(bytes, 0, 64);
	for (length = 0; length < 12; length++) {
		for (unsigned word = 0; word < 14; word++) {
			for (size_t at = 0; at < length; at += 2)
				put_word(at, word);
			write_bytes();
			expect_as_plainly(1 + word % 5, length % 5 == 0);
		}
	}
}

/*
 * Frames in the payload of a frame, which ends with the last of them: a walk
 * from the end sees these, one from the start the frame around them.
 */
static void put_nested(unsigned count, unsigned size)
{
	size_t start = length;
	unsigned total = 2 + count * (size + 4);

	length += 2;
	for (unsigned i = 0; i < count; i++)
		put_frame(size);
	put_word(start, total);
}

TEST(test_both_ends_meet_nowhere_if_they_see_other_frames)
{
	for (unsigned nested = 1; nested < 20; nested++) {
		for (unsigned behind = 0; behind < 3; behind++) {
			length = 0;
			for (unsigned i = 0; i < 10; i++)
				put_frame(7);
			put_nested(nested, 9);
			for (unsigned i = 0; i < behind; i++)
				put_frame(5);
			write_bytes();
			expect_as_plainly(1 + nested * 3, true);
			/* And now the frame around them is good. */
			if (behind > 0)
				continue;
			put_word(length - 2, 2 + nested * 13);
			write_bytes();
			expect_as_plainly(1 + nested * 3, true);
		}
	}
}

/* Chains that both are good and run past each other's boundaries: one frame in
 * the middle belongs to neither. */
TEST(test_both_ends_miss_each_other_by_a_few_bytes)
{
	for (unsigned gap = 1; gap < 12; gap++) {
		for (size_t chunk = 1; chunk < 60; chunk += 7) {
			length = 0;
			for (unsigned i = 0; i < 15; i++)
				put_frame(i);
			memset(bytes + length, 4, gap);
			length += gap;
			for (unsigned i = 0; i < 15; i++)
				put_frame(i);
			write_bytes();
			expect_as_plainly(chunk, true);
		}
	}
}

TEST(test_both_ends_of_a_file_that_was_cut)
{
	length = 0;
	for (unsigned i = 0; i < 1000; i++)
		put_frame(20);
	write_bytes();
	assert_int_equal(ftruncate(file, OFFSET + (off_t)length / 2), 0);
	for (int way = SHMLOG_SECOND_WHERE_IT_PAYS; way <= SHMLOG_SECOND_THREAD;
	     way++) {
		const struct shmlog_walk_request request = {
			.fd = file,
			.offset = OFFSET,
			.length = length,
			.chunk_bytes = 512,
			.second = (enum shmlog_second_walk)way,
		};
		struct shmlog_chain_count count = {.frames = 0};
		bool is_chain = true;

		expect_status(shmlog_count_chain(&request, &count, &is_chain),
		              0);
		assert_false(is_chain);
		assert_int_equal(count.frames, 0);
	}
}

/* A long log, of which the walk chooses by itself how to do it. */
static void make_long_log(void)
{
	length = 0;
	while (length < MOST_BYTES - 70000)
		put_frame(100 + (uint32_t)(length % 7));
	write_bytes();
}

struct watcher {
	uint64_t told; /* bytes */
	unsigned calls;
	unsigned end_at; /* this call ends the walk; 0: none */
};

static int watch(void *context, uint64_t passed)
{
	struct watcher *watcher = context;

	assert_true(passed > watcher->told);
	assert_true(passed <= length);
	watcher->told = passed;
	return ++watcher->calls == watcher->end_at ? 42 : 0;
}

TEST(test_both_ends_that_were_ended_at_last_have_counted_nothing)
{
	struct watcher watcher = {.end_at = 1};
	const struct shmlog_walk_request request = {
		.fd = file,
		.offset = OFFSET,
		.length = 24,
		.passed = watch,
		.context = &watcher,
	};
	struct shmlog_chain_count count = {.frames = 0};
	bool is_chain = true;

	length = 0;
	put_frame(20);
	write_bytes();
	expect_status(shmlog_count_chain(&request, &count, &is_chain), 42);
	assert_false(is_chain);
	assert_int_equal(count.frames, 0);
}

TEST(test_both_ends_tell_how_far_they_are_and_can_be_ended)
{
	make_long_log();
	for (unsigned end_at = 0; end_at < 4; end_at++) {
		struct watcher watcher = {.end_at = end_at};
		const struct shmlog_walk_request request = {
			.fd = file,
			.offset = OFFSET,
			.length = length,
			/* A thread may have nearly all, before this one has
			 * come that far. */
			.second = end_at > 0 ? SHMLOG_SECOND_IN_TURN
		                             : SHMLOG_SECOND_WHERE_IT_PAYS,
			.passed = watch,
			.context = &watcher,
		};
		struct shmlog_chain_count count = {.frames = 0};
		bool is_chain = end_at > 0;

		expect_status(shmlog_count_chain(&request, &count, &is_chain),
		              end_at > 0 ? 42 : 0);
		assert_int_equal(is_chain, end_at == 0);
		assert_true(end_at == 0 || watcher.calls == end_at);
	}
}

static void *do_nothing(void *context)
{
	return context;
}

/* The system lets this user have no thread any more. */
static int walk_without_a_thread(void *context)
{
	const struct rlimit none = {0, 0};
	const struct shmlog_walk_request request = {
		.fd = file,
		.offset = OFFSET,
		.length = length,
		.second = SHMLOG_SECOND_THREAD,
	};
	struct shmlog_chain_count count = {.frames = 0};
	bool is_chain = false;
	pthread_t thread;

	(void)context;
	if ((geteuid() == 0 && setuid(65534) != 0) ||
	    setrlimit(RLIMIT_NPROC, &none) != 0 ||
	    pthread_create(&thread, NULL, do_nothing, NULL) == 0)
		return 77;
	return shmlog_count_chain(&request, &count, &is_chain) == 0 &&
	                       is_chain && count.frames > 0
	               ? 0
	               : 1;
}

TEST(test_both_ends_are_walked_from_without_a_thread)
{
	make_long_log();
	int status = child_wait(child_start(walk_without_a_thread, NULL));

	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_say_what_one_walk_says),
		cmocka_unit_test(test_both_ends_pass_frames_of_all_sizes),
		cmocka_unit_test(test_both_ends_see_each_word_of_large_frames),
		cmocka_unit_test(test_both_ends_of_next_to_nothing),
		cmocka_unit_test(
			test_both_ends_meet_nowhere_if_they_see_other_frames),
		cmocka_unit_test(test_both_ends_miss_each_other_by_a_few_bytes),
		cmocka_unit_test(test_both_ends_of_a_file_that_was_cut),
		cmocka_unit_test(
			test_both_ends_that_were_ended_at_last_have_counted_nothing),
		cmocka_unit_test(
			test_both_ends_tell_how_far_they_are_and_can_be_ended),
		cmocka_unit_test(
			test_both_ends_are_walked_from_without_a_thread),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
