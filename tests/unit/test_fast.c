/*
 * The fast paths as a part of the binary interface: where their members are,
 * what a shut one does, and that the inlined functions and the calls move one
 * and the same cursor.  That both give the same answers is what
 * test_reader_fast.c and test_writer_fast.c are about.
 */
#include "support.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if UINTPTR_MAX == UINT64_MAX
/* A program that was compiled with an older header finds them here. */
#define EXPECT_AT(type, member, offset)                           \
	_Static_assert(offsetof(struct type, member) == (offset), \
	               "the layout of " #type " is frozen")
EXPECT_AT(shmlog_fast_reader, first, 0);
EXPECT_AT(shmlog_fast_reader, end, 8);
EXPECT_AT(shmlog_fast_reader, cursor, 16);
EXPECT_AT(shmlog_fast_reader, index, 24);
EXPECT_AT(shmlog_fast_reader, reader, 32);
EXPECT_AT(shmlog_fast_writer, base, 0);
EXPECT_AT(shmlog_fast_writer, limit, 8);
EXPECT_AT(shmlog_fast_writer, reserved, 16);
EXPECT_AT(shmlog_fast_writer, size, 24);
EXPECT_AT(shmlog_fast_writer, last_address, 32);
EXPECT_AT(shmlog_fast_writer, size_word, 40);
EXPECT_AT(shmlog_fast_writer, writer, 48);
#endif

static void store_text(struct shmlog_fast_writer *fast, const char *text)
{
	unsigned char *payload = NULL;

	expect_status(shmlog_fast_allocate(fast, strlen(text), &payload), 0);
	memcpy(payload, text, strlen(text));
}

/* ---------------------------------------------------------------- readers */

TEST(test_fast_reader_is_open_for_mapped_readers_and_shut_for_others)
{
	struct shmlog_frame frame;
	const char *path = scratch("kinds");

	write_numbered_log(path, 4096, 3);

	struct shmlog *log = open_log(path);

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct shmlog_reader *reader = open_kind(log, kind);
		struct shmlog_fast_reader *fast = shmlog_reader_fast(reader);
		bool mapped = (reader_kinds[kind].flags &
		               SHMLOG_READER_BUFFERED) == 0;

		assert_ptr_equal(shmlog_reader_fast(reader), fast);
		assert_ptr_equal(fast->reader, reader);
		/* Nothing was looked at yet, so nothing is at hand. */
		assert_int_equal(fast->end, 0);
		expect_status(shmlog_fast_next(fast, &frame), 1);
		assert_int_equal(fast->end, mapped ? 33 : 0);
		assert_int_equal(fast->cursor, 11);
		assert_int_equal(fast->index, 1);
		if (mapped)
			assert_ptr_equal(fast->first + 2, frame.payload);
		shmlog_reader_close(reader);
	}
	shmlog_close(log);
}

/* A library that keeps its readers in another way leaves `end` at 0. */
TEST(test_fast_reader_that_is_shut_is_read_by_calls)
{
	struct shmlog_frame frame;
	const char *path = scratch("shut");

	write_numbered_log(path, 4096, 5);

	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, 0, 0);
	struct shmlog_fast_reader *fast = shmlog_reader_fast(reader);

	for (unsigned i = 0; i < 5; i++) {
		fast->end = 0;
		expect_status(shmlog_fast_next(fast, &frame), 1);
		expect_frame(&frame, numbered_text(i), 7, i * 11);
		assert_int_equal(frame.index, i);
	}
	fast->end = 0;
	expect_status(shmlog_fast_next(fast, &frame), 0);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

/* The committed data may end with the last byte that can be read. */
TEST(test_fast_reader_reads_nothing_behind_what_is_at_hand)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct shmlog_frame frame;
	const char *path = scratch("behind");
	unsigned char *room = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(room, MAP_FAILED);
	assert_int_equal(mprotect(room + page, page, PROT_NONE), 0);
	write_numbered_log(path, 4096, 0);

	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, 0, 0);

	/* Every word that leads further than that, or is cut off itself. */
	for (size_t left = 1; left < 16; left++) {
		struct shmlog_fast_reader own = *shmlog_reader_fast(reader);

		own.first = room + page - left;
		own.end = left;
		for (unsigned word = 0; word < 256; word++) {
			memset(room + page - left, 0, left);
			room[page - left] = (unsigned char)word;
			/* No frame: the reader is asked, and has none. */
			expect_status(shmlog_fast_next(&own, &frame), 0);
			assert_int_equal(own.cursor, 0);
		}
	}
	shmlog_reader_close(reader);
	shmlog_close(log);
	munmap(room, 2 * page);
}

/* Two readers make the same random moves, one of them by calls alone. */
TEST(test_fast_reader_and_calls_move_the_same_cursor)
{
	const char *path = scratch("mixed");
	struct chance chance = chance_start("mixed", 11);
	struct shmlog_frame want[3], got[3];
	struct raw_log raw;

	raw_init(&raw, 1 << 16);
	for (unsigned i = 0; i < 200; i++)
		raw_append_fill(&raw, (unsigned char)i,
		                (size_t)chance_below(&chance, 300));
	/* Damage near the end: to be met from both sides. */
	raw_put16(&raw, raw.data_offset + raw.size / 8 * 7, 3);
	raw_write(&raw, path);

	struct shmlog *log = open_log(path);
	struct shmlog_reader *calls = open_reader(log, 0, 0);
	struct shmlog_reader *mixed = open_reader(log, 0, 0);
	struct shmlog_fast_reader *fast = shmlog_reader_fast(mixed);

	for (int i = rounds_of(20000); i > 0; i--) {
		uint64_t dice = chance_below(&chance, 16);
		uint64_t place = chance_below(&chance, raw.size);
		int expected, status;

		memset(want, 0, sizeof(want));
		memset(got, 0, sizeof(got));
		switch (dice) {
		case 0:
			expected = shmlog_reader_seek(calls, place, NULL);
			status = shmlog_reader_seek(mixed, place, NULL);
			break;
		case 1:
			expected = shmlog_reader_seek_end(calls);
			status = shmlog_reader_seek_end(mixed);
			break;
		case 2:
			expected = shmlog_reader_seek_known(calls, 0, 0);
			status = shmlog_reader_seek_known(mixed, 0, 0);
			break;
		case 3:
		case 4:
			expected = shmlog_reader_next_batch(calls, 3, 0, want);
			status = shmlog_reader_next_batch(mixed, 3, 0, got);
			break;
		case 5:
		case 6:
			expected = shmlog_reader_prev(calls, want);
			status = shmlog_reader_prev(mixed, got);
			break;
		default:
			expected = shmlog_reader_next(calls, want);
			status = shmlog_fast_next(fast, got);
			break;
		}
		expect_status(status, expected);
		assert_memory_equal(got, want, sizeof(want));
		assert_int_equal(shmlog_reader_cursor(mixed),
		                 shmlog_reader_cursor(calls));
		assert_int_equal(shmlog_reader_index(mixed),
		                 shmlog_reader_index(calls));
		if (status < 0)
			assert_memory_equal(shmlog_reader_fault(mixed),
			                    shmlog_reader_fault(calls),
			                    sizeof(struct shmlog_fault));
	}
	shmlog_reader_close(mixed);
	shmlog_reader_close(calls);
	shmlog_close(log);
	raw_free(&raw);
}

/* ----------------------------------------------------------------- writers */

TEST(test_fast_writer_is_shut_where_a_commit_is_more_than_a_store)
{
	const char *path = scratch("debug");

	write_numbered_log(path, 4096, 0);

	struct shmlog *log = open_log(path);
	struct shmlog_writer *writer = open_writer(log, 0);
	struct shmlog_fast_writer *fast = shmlog_writer_fast(writer);

	assert_ptr_equal(shmlog_writer_fast(writer), fast);
	assert_ptr_equal(fast->writer, writer);
	assert_ptr_equal(fast->size_word, fast->base + 16);
	assert_int_equal(fast->limit, 4096);
	shmlog_writer_close(writer);
	writer = open_writer(log, SHMLOG_WRITER_DEBUG_CHECKS);
	fast = shmlog_writer_fast(writer);
	assert_null(fast->size_word);
	store_text(fast, "text");
	/* An overrun: the commit looks, and refuses. */
	fast->base[fast->reserved - 1] = 0xff;
	expect_status(shmlog_fast_commit(fast), SHMLOG_ERR_FRAME_CORRUPT);
	assert_int_equal(file_get64(path, 16), 24);
	shmlog_writer_close(writer);
	shmlog_close(log);
}

TEST(test_fast_writer_that_was_interfered_with_is_shut_for_good)
{
	const char *path = scratch("interfered");

	write_numbered_log(path, 4096, 1);

	struct shmlog *log = open_log(path);
	struct shmlog_writer *writer = open_writer(log, 0);
	struct shmlog_fast_writer *fast = shmlog_writer_fast(writer);

	file_put64(path, 16, 24 + 22);
	/* Who commits nothing is told nothing, as by the call. */
	expect_status(shmlog_fast_commit(fast), 0);
	expect_status(shmlog_writer_commit(writer), 0);
	store_text(fast, "ours");
	expect_status(shmlog_fast_commit(fast), SHMLOG_ERR_INTERFERED);
	assert_null(fast->size_word);
	/* Not even once `size` is what it was, or the file has grown. */
	file_put64(path, 16, 24 + 11);
	file_truncate(path, 1 << 20);
	memset(fast->base + fast->reserved, 0, 4);
	while (fast->limit == 4096)
		store_text(fast, "many");
	assert_null(fast->size_word);
	expect_status(shmlog_fast_commit(fast), SHMLOG_ERR_INTERFERED);
	expect_status(shmlog_writer_commit(writer), SHMLOG_ERR_INTERFERED);
	assert_int_equal(file_get64(path, 16), 24 + 11);
	shmlog_writer_close(writer);
	shmlog_close(log);
}

/* A library that keeps its writers in another way leaves no room and no word. */
TEST(test_fast_writer_that_is_shut_writes_by_calls)
{
	const char *path = scratch("shut-writer");
	struct raw_log raw;

	raw_init(&raw, 4096);
	write_numbered_log(path, 4096, 0);

	struct shmlog *log = open_log(path);
	struct shmlog_writer *writer = open_writer(log, 0);
	struct shmlog_fast_writer own = *shmlog_writer_fast(writer);

	own.limit = own.reserved;
	own.size_word = NULL;
	store_text(&own, "by calls");
	expect_status(shmlog_fast_commit(&own), 0);
	raw_append_text(&raw, "by calls");
	expect_file(path, raw.bytes, raw.capacity);
	shmlog_writer_close(writer);
	shmlog_close(log);
	raw_free(&raw);
}

/* Two writers do the same at random, one of them by calls alone. */
TEST(test_fast_writer_and_calls_leave_the_same_bytes)
{
	struct chance chance = chance_start("writers", 12);
	const char *paths[2] = {scratch("by-calls"), scratch("mixed-writer")};
	struct shmlog_writer *writers[2];
	struct shmlog *logs[2];

	for (int i = 0; i < 2; i++) {
		write_numbered_log(paths[i], 1 << 18, 0);
		logs[i] = open_log(paths[i]);
		writers[i] = open_writer(logs[i], 0);
	}

	struct shmlog_fast_writer *fast = shmlog_writer_fast(writers[1]);

	for (int i = rounds_of(3000); i > 0; i--) {
		uint64_t dice = chance_below(&chance, 16);
		size_t size = (size_t)chance_below(&chance,
		                                   dice == 15 ? 70000 : 300);
		unsigned char *want = NULL, *got = NULL;
		int expected, status;

		if (dice == 0) {
			shmlog_writer_rollback(writers[0]);
			shmlog_writer_rollback(writers[1]);
			expected = status = 0;
		} else if (dice < 4) {
			expected = shmlog_writer_commit(writers[0]);
			status = dice == 1 ? shmlog_writer_commit(writers[1])
			                   : shmlog_fast_commit(fast);
		} else {
			expected = shmlog_writer_allocate(writers[0], size,
			                                  &want);
			status = dice == 4 ? shmlog_writer_allocate(writers[1],
			                                            size, &got)
			                   : shmlog_fast_allocate(fast, size,
			                                          &got);
		}
		expect_status(status, expected);
		assert_int_equal(got != NULL, want != NULL);
		if (want != NULL) {
			memset(want, (int)size, size);
			memset(got, (int)size, size);
		}
		assert_int_equal(shmlog_writer_cursor(writers[1]),
		                 shmlog_writer_cursor(writers[0]));
		assert_int_equal(shmlog_writer_free_bytes(writers[1]),
		                 shmlog_writer_free_bytes(writers[0]));
		assert_int_equal(
			shmlog_writer_last_allocated_address(writers[1]),
			shmlog_writer_last_allocated_address(writers[0]));
	}
	size_t length;
	unsigned char *bytes = file_bytes(paths[0], &length);

	expect_file(paths[1], bytes, length);
	free(bytes);
	for (int i = 0; i < 2; i++) {
		shmlog_writer_close(writers[i]);
		shmlog_close(logs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_fast_reader_is_open_for_mapped_readers_and_shut_for_others),
		cmocka_unit_test(
			test_fast_reader_that_is_shut_is_read_by_calls),
		cmocka_unit_test(
			test_fast_reader_reads_nothing_behind_what_is_at_hand),
		cmocka_unit_test(
			test_fast_reader_and_calls_move_the_same_cursor),
		cmocka_unit_test(
			test_fast_writer_is_shut_where_a_commit_is_more_than_a_store),
		cmocka_unit_test(
			test_fast_writer_that_was_interfered_with_is_shut_for_good),
		cmocka_unit_test(test_fast_writer_that_is_shut_writes_by_calls),
		cmocka_unit_test(
			test_fast_writer_and_calls_leave_the_same_bytes),
	};

	return cmocka_run_group_tests_name("fast", tests, scratch_setup,
	                                   scratch_teardown);
}
