/*
 * Readers: every frame at its place in both directions, batches, seeks,
 * faults with the cursor where the header says, and a file that changes
 * under the reader.  Every test that can runs on each kind of reader.
 */
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A log and one reader of each kind on it. */
struct bench {
	struct shmlog *log;
	struct shmlog_reader *readers[READER_KINDS];
};

static void bench_open(struct bench *bench, const char *path)
{
	bench->log = open_log(path);
	for (size_t i = 0; i < READER_KINDS; i++)
		bench->readers[i] = open_kind(bench->log, i);
}

static void bench_close(struct bench *bench)
{
	for (size_t i = 0; i < READER_KINDS; i++)
		shmlog_reader_close(bench->readers[i]);
	shmlog_close(bench->log);
}

static void bench_open_raw(struct bench *bench, const struct raw_log *raw,
                           const char *name)
{
	const char *path = scratch(name);

	raw_write(raw, path);
	bench_open(bench, path);
}

#define FOR_EACH_READER(bench, reader)                                      \
	for (size_t kind_ = 0; kind_ < READER_KINDS; kind_++)               \
		for (struct shmlog_reader *reader = (bench).readers[kind_]; \
		     reader != NULL; reader = NULL)

/* ------------------------------------------------------------- next, prev */

TEST(test_reader_of_an_empty_log_finds_nothing)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;
	uint64_t committed = 99;

	raw_init(&raw, 24);
	bench_open_raw(&bench, &raw, "empty");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 0);
		expect_status(shmlog_reader_prev(reader, &frame), 0);
		expect_status(shmlog_reader_next_batch(reader, 0, 0, &frame),
		              0);
		expect_status(shmlog_reader_seek(reader, 0, NULL), 0);
		expect_status(shmlog_reader_seek_end(reader), 0);
		expect_status(shmlog_reader_committed_size(reader, &committed),
		              0);
		assert_int_equal(committed, 0);
		assert_int_equal(shmlog_reader_cursor(reader), 0);
		assert_int_equal(shmlog_reader_index(reader), 0);
		assert_non_null(shmlog_reader_fault(reader));
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_next_hands_out_every_size_at_both_ends_of_the_range)
{
	static const size_t sizes[] = {0,   1,   2,     3,     251,   252,
	                               255, 256, 65530, 65531, 65531, 0};
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;
	unsigned char *payload = malloc(65532);

	raw_init(&raw, 300000);
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		raw_append_fill(&raw, (unsigned char)('a' + i), sizes[i]);
	bench_open_raw(&bench, &raw, "sizes");
	FOR_EACH_READER(bench, reader)
	{
		uint64_t cursor = 0;

		for (size_t i = 0; i < COUNT_OF(sizes); i++) {
			memset(payload, (int)('a' + i), 65532);
			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_frame(&frame, payload, sizes[i], cursor);
			assert_int_equal(frame.index, i);
			cursor += sizes[i] + 4;
			assert_int_equal(shmlog_reader_cursor(reader), cursor);
		}
		expect_status(shmlog_reader_next(reader, &frame), 0);
		for (size_t i = COUNT_OF(sizes); i-- > 0;) {
			memset(payload, (int)('a' + i), 65532);
			cursor -= sizes[i] + 4;
			expect_status(shmlog_reader_prev(reader, &frame), 1);
			expect_frame(&frame, payload, sizes[i], cursor);
			assert_int_equal(frame.index, i);
			assert_int_equal(shmlog_reader_cursor(reader), cursor);
		}
		expect_status(shmlog_reader_prev(reader, &frame), 0);
	}
	bench_close(&bench);
	raw_free(&raw);
	free(payload);
}

TEST(test_reader_honours_every_data_offset)
{
	static const uint64_t offsets[] = {24, 25, 31, 32, 4095, 4096, 4097};
	struct shmlog_frame frame;

	for (size_t i = 0; i < COUNT_OF(offsets); i++) {
		struct raw_log raw;
		struct bench bench;

		raw_init_at(&raw, 8192, offsets[i]);
		raw_append_text(&raw, "first");
		raw_append_text(&raw, "second");
		bench_open_raw(&bench, &raw, "offset");
		assert_int_equal(shmlog_data_offset(bench.log), offsets[i]);
		FOR_EACH_READER(bench, reader)
		{
			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_frame(&frame, "first", 5, 0);
			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_frame(&frame, "second", 6, 9);
			expect_status(shmlog_reader_next(reader, &frame), 0);
			expect_status(shmlog_reader_prev(reader, &frame), 1);
			expect_frame(&frame, "second", 6, 9);
		}
		bench_close(&bench);
		raw_free(&raw);
	}
}

TEST(test_reader_of_a_log_whose_data_starts_at_its_end_finds_nothing)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init_at(&raw, 100, 100);
	bench_open_raw(&bench, &raw, "no-room");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 0);
		expect_status(shmlog_reader_prev(reader, &frame), 0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_next_sees_an_exactly_full_log_to_its_last_byte)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init(&raw, 24 + 9 + 4096);
	raw_append_text(&raw, "start");
	raw_append_fill(&raw, 'z', 4092);
	assert_int_equal(raw.size, raw.capacity);
	bench_open_raw(&bench, &raw, "full");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		assert_int_equal(frame.size_bytes, 4092);
		expect_status(shmlog_reader_next(reader, &frame), 0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_next_ignores_whatever_stands_behind_the_commit)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init(&raw, 4096);
	raw_append_text(&raw, "seen");

	uint64_t size = raw.size;

	raw_append_text(&raw, "not committed");
	raw_set_size(&raw, size);
	bench_open_raw(&bench, &raw, "uncommitted");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, "seen", 4, 0);
		expect_status(shmlog_reader_next(reader, &frame), 0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_next_goes_on_where_it_stopped_after_a_commit)
{
	const char *path = scratch("goes-on");
	struct bench bench;
	struct shmlog_frame frame;

	write_numbered_log(path, 4096, 1);
	bench_open(&bench, path);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_status(shmlog_reader_next(reader, &frame), 0);
	}
	write_numbered_log(path, 4096, 3);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, numbered_text(1), 7, 11);
		assert_int_equal(frame.index, 1);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, numbered_text(2), 7, 22);
		expect_status(shmlog_reader_next(reader, &frame), 0);
	}
	bench_close(&bench);
}

/* ---------------------------------------------------------------- faults */

/* The frame at the cursor is refused, twice alike, and nothing moves. */
static void expect_refusal(struct shmlog_reader *reader, int status,
                           uint64_t cursor, bool backwards)
{
	struct shmlog_frame frames[4];
	struct shmlog_frame frame = {.cursor = 4711};

	for (int again = 0; again < 2; again++) {
		int got = backwards ? shmlog_reader_prev(reader, &frame)
		                    : shmlog_reader_next(reader, &frame);
		const struct shmlog_fault *fault = shmlog_reader_fault(reader);

		expect_status(got, status);
		expect_status(fault->status, status);
		assert_int_equal(fault->cursor, cursor);
		assert_int_equal(fault->backwards, backwards);
		assert_int_equal(shmlog_reader_cursor(reader), cursor);
		assert_int_equal(frame.cursor, 4711);
	}
	if (backwards)
		return;
	expect_status(shmlog_reader_next_batch(reader, 4, 0, frames), status);
	assert_int_equal(shmlog_reader_fault(reader)->cursor, cursor);
	assert_int_equal(shmlog_reader_cursor(reader), cursor);
}

TEST(test_reader_next_rejects_torn_frame_wherever_it_is_cut)
{
	struct raw_log raw;
	struct shmlog_frame frame;

	raw_init(&raw, 4096);
	raw_append_text(&raw, "good");

	uint64_t torn = raw_append_text(&raw, "torn frame");
	uint64_t whole = raw.size;

	for (uint64_t missing = 1; missing < 14; missing++) {
		struct bench bench;

		raw_set_size(&raw, whole - missing);
		bench_open_raw(&bench, &raw, "torn");
		FOR_EACH_READER(bench, reader)
		{
			const struct shmlog_fault *fault;

			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_refusal(reader, SHMLOG_ERR_TORN, torn, false);
			fault = shmlog_reader_fault(reader);
			assert_int_equal(fault->available, 14 - missing);
			assert_int_equal(fault->first_word,
			                 missing <= 12 ? 14 : 0);
		}
		bench_close(&bench);
	}
	raw_free(&raw);
}

TEST(test_reader_next_rejects_size_words_below_four_after_the_good_frames)
{
	struct shmlog_frame frame;

	for (unsigned word = 0; word < 4; word++) {
		struct raw_log raw;
		struct bench bench;

		raw_init(&raw, 4096);
		raw_append_text(&raw, "good");

		uint64_t bad = raw_append_text(&raw, "bad");

		raw_append_text(&raw, "beyond");
		raw_put16(&raw, raw.data_offset + bad, word);
		bench_open_raw(&bench, &raw, "small-word");
		FOR_EACH_READER(bench, reader)
		{
			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_frame(&frame, "good", 4, 0);
			expect_refusal(reader, SHMLOG_ERR_CURSOR, bad, false);
			assert_int_equal(
				shmlog_reader_fault(reader)->first_word, word);
			assert_int_equal(shmlog_reader_fault(reader)->available,
			                 17);
		}
		bench_close(&bench);
		raw_free(&raw);
	}
}

TEST(test_reader_prev_rejects_size_words_below_four)
{
	struct shmlog_frame frame;

	for (unsigned word = 0; word < 4; word++) {
		struct raw_log raw;
		struct bench bench;

		raw_init(&raw, 4096);
		raw_append_text(&raw, "bad");

		uint64_t good = raw_append_text(&raw, "good");

		raw_put16(&raw, raw.data_offset + good - 2, word);
		bench_open_raw(&bench, &raw, "small-suffix");
		FOR_EACH_READER(bench, reader)
		{
			expect_status(shmlog_reader_seek_end(reader), 0);
			expect_status(shmlog_reader_prev(reader, &frame), 1);
			expect_frame(&frame, "good", 4, good);
			expect_refusal(reader, SHMLOG_ERR_CURSOR, good, true);
			assert_int_equal(
				shmlog_reader_fault(reader)->first_word, word);
		}
		bench_close(&bench);
		raw_free(&raw);
	}
}

TEST(test_reader_rejects_words_that_differ_in_either_direction)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init(&raw, 4096);
	raw_append_text(&raw, "good");

	uint64_t bad = raw_append_text(&raw, "differs");
	uint64_t behind = raw_append_text(&raw, "behind");

	raw_put16(&raw, raw.data_offset + behind - 2, 10);
	bench_open_raw(&bench, &raw, "differs");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_refusal(reader, SHMLOG_ERR_FRAME_CORRUPT, bad, false);
		assert_int_equal(shmlog_reader_fault(reader)->first_word, 11);
		assert_int_equal(shmlog_reader_fault(reader)->second_word, 10);
		expect_status(shmlog_reader_seek_end(reader), 0);
		expect_status(shmlog_reader_prev(reader, &frame), 1);
		expect_frame(&frame, "behind", 6, behind);
		expect_refusal(reader, SHMLOG_ERR_FRAME_CORRUPT, behind, true);
		assert_int_equal(shmlog_reader_fault(reader)->first_word, 10);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_prev_rejects_a_suffix_that_reaches_before_the_log)
{
	struct raw_log raw;
	struct bench bench;

	raw_init_at(&raw, 8192, 4096);
	raw_append_text(&raw, "only");
	raw_put16(&raw, raw.size - 2, 9);
	/* What stands before dataOffset must not make it good. */
	raw_put16(&raw, 4095, 9);
	bench_open_raw(&bench, &raw, "before-the-log");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_seek_end(reader), 0);
		expect_refusal(reader, SHMLOG_ERR_CURSOR, 8, true);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_suspects_a_wrapped_size)
{
	static const size_t sizes[] = {65532, 65533,  65534, 65535,
	                               70000, 131067, 200000};
	struct shmlog_frame frame;

	for (size_t i = 0; i < COUNT_OF(sizes) * 2; i++) {
		size_t size = sizes[i / 2];
		bool is_small = ((size + 4) & 0xffff) < 4;
		struct raw_log raw;
		struct bench bench;

		raw_init(&raw, 300000);
		raw_append_text(&raw, "good");

		uint64_t bad = raw_append_fill(&raw, 'A', size);

		if (i % 2 == 0)
			raw_append_text(&raw, "behind");
		bench_open_raw(&bench, &raw, "wrapped");
		FOR_EACH_READER(bench, reader)
		{
			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_refusal(reader,
			               is_small ? SHMLOG_ERR_CURSOR
			                        : SHMLOG_ERR_FRAME_CORRUPT,
			               bad, false);
			assert_int_equal(shmlog_reader_fault(reader)
			                         ->wrapped_payload_bytes,
			                 size);
		}
		bench_close(&bench);
		raw_free(&raw);
	}
}

/* All frames have 32 bytes, so a word that says so stands 65,536 bytes further
 * on, as if it ended a payload whose size wrapped. */
TEST(test_reader_suspects_no_wrap_for_a_distant_word)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init(&raw, 24 + 9000 * 32);
	for (unsigned i = 0; i < 9000; i++)
		raw_append_fill(&raw, 'x', 28);
	raw_put16(&raw, raw.data_offset + 2 * 32 - 2, 33);
	bench_open_raw(&bench, &raw, "distant");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_refusal(reader, SHMLOG_ERR_FRAME_CORRUPT, 32, false);
		assert_int_equal(
			shmlog_reader_fault(reader)->wrapped_payload_bytes, 0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_suspects_no_wrap_in_plain_damage)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init(&raw, 300000);
	raw_append_text(&raw, "good");

	uint64_t bad = raw_append_fill(&raw, 0, 1000);

	for (unsigned i = 0; i < 4; i++)
		raw_append_fill(&raw, 0, 60000);
	raw_put16(&raw, raw.data_offset + bad, 0);
	bench_open_raw(&bench, &raw, "not-wrapped");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_refusal(reader, SHMLOG_ERR_CURSOR, bad, false);
		assert_int_equal(
			shmlog_reader_fault(reader)->wrapped_payload_bytes, 0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

/* --------------------------------------------------------------- batches */

/* Ten frames of 100 bytes, size words counted. */
static void write_even_log(const char *path)
{
	struct raw_log raw;

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < 10; i++)
		raw_append_fill(&raw, (unsigned char)('0' + i), 96);
	raw_write(&raw, path);
	raw_free(&raw);
}

TEST(test_reader_next_batch_stops_at_either_limit)
{
	static const struct {
		size_t max_messages;
		size_t max_bytes;
		int count;
	} cases[] = {
		{1, 0, 1},          {3, 0, 3},     {10, 0, 10},  {11, 0, 10},
		{0, 0, 10},         {0, 1, 1},     {0, 99, 1},   {0, 100, 1},
		{0, 101, 1},        {0, 199, 1},   {0, 200, 2},  {0, 201, 2},
		{0, 999, 9},        {0, 1000, 10}, {2, 1000, 2}, {5, 400, 4},
		{64, SIZE_MAX, 10},
	};
	const char *path = scratch("batch");
	struct shmlog_frame frames[64];
	struct bench bench;

	write_even_log(path);
	bench_open(&bench, path);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		FOR_EACH_READER(bench, reader)
		{
			expect_status(shmlog_reader_seek(reader, 0, NULL), 0);
			expect_status(shmlog_reader_next_batch(
					      reader, cases[i].max_messages,
					      cases[i].max_bytes, frames),
			              cases[i].count);
			assert_int_equal(shmlog_reader_cursor(reader),
			                 100 * cases[i].count);
		}
	}
	bench_close(&bench);
}

TEST(test_reader_next_batch_defaults_are_the_packages)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frames[SHMLOG_DEFAULT_MAX_MESSAGES];

	raw_init(&raw, 1 << 20);
	for (unsigned i = 0; i < 70; i++)
		raw_append_text(&raw, "x");
	for (unsigned i = 0; i < 10; i++)
		raw_append_fill(&raw, 'y', 65531);
	bench_open_raw(&bench, &raw, "defaults");
	expect_status(shmlog_reader_next_batch(bench.readers[0], 0, 0, frames),
	              64);
	/* 6 small frames have 30 bytes; 4 large ones would have 262,140. */
	expect_status(shmlog_reader_next_batch(bench.readers[0], 0, 0, frames),
	              6 + 3);
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_next_batch_always_makes_progress)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frames[8];

	raw_init(&raw, 300000);
	raw_append_fill(&raw, 'a', 65531);
	raw_append_fill(&raw, 'b', 0);
	raw_append_fill(&raw, 'c', 65530);
	bench_open_raw(&bench, &raw, "progress");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next_batch(reader, 8, 1, frames),
		              1);
		assert_int_equal(frames[0].size_bytes, 65531);
		expect_status(shmlog_reader_next_batch(reader, 8, 4, frames),
		              1);
		assert_int_equal(frames[0].size_bytes, 0);
		expect_status(shmlog_reader_next_batch(reader, 8, 4, frames),
		              1);
		assert_int_equal(frames[0].size_bytes, 65530);
		expect_status(shmlog_reader_next_batch(reader, 8, 1, frames),
		              0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_next_batch_hands_out_good_frames_before_a_fault)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frames[8];

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < 5; i++)
		raw_append_text(&raw, numbered_text(i));
	raw_put16(&raw, raw.data_offset + 33, 2);
	bench_open_raw(&bench, &raw, "batch-fault");
	FOR_EACH_READER(bench, reader)
	{
		int got = 0;

		while (got < 3) {
			int count = shmlog_reader_next_batch(reader, 8, 0,
			                                     frames);

			assert_in_range(count, 1, 3 - got);
			for (int i = 0; i < count; i++)
				expect_frame(&frames[i],
				             numbered_text((unsigned)(got + i)),
				             7, (uint64_t)(got + i) * 11);
			got += count;
		}
		expect_refusal(reader, SHMLOG_ERR_CURSOR, 33, false);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_batches_are_valid_together_with_windows_below_the_batch)
{
	static const size_t windows[] = {1, 65535, 65536, 65537, 100000, 0};
	struct raw_log raw;
	struct shmlog_frame frames[64];
	const char *path = scratch("windows");
	struct chance chance = chance_start("windows", 7);

	raw_init(&raw, 1 << 20);
	for (unsigned i = 0; i < 60; i++)
		raw_append_fill(&raw, (unsigned char)i,
		                (size_t)chance_below(&chance, 17000));
	raw_write(&raw, path);

	struct shmlog *log = open_log(path);

	for (size_t i = 0; i < COUNT_OF(windows); i++) {
		struct shmlog_reader *reader = open_reader(
			log, SHMLOG_READER_BUFFERED, windows[i]);
		unsigned number = 0;
		uint64_t cursor = 0;
		int count;

		while ((count = shmlog_reader_next_batch(reader, 64, 300000,
		                                         frames)) > 0) {
			for (int j = 0; j < count; j++, number++) {
				assert_int_equal(frames[j].cursor, cursor);
				assert_int_equal(frames[j].index, number);
				assert_memory_equal(frames[j].payload,
				                    raw.bytes + 26 + cursor,
				                    frames[j].size_bytes);
				cursor = frames[j].next_cursor;
			}
		}
		expect_status(count, 0);
		assert_int_equal(number, 60);
		shmlog_reader_close(reader);
	}
	shmlog_close(log);
	raw_free(&raw);
}

/* ------------------------------------------------------------------ seek */

#define SEEK_FRAMES 12

/* Frames of 4, 5, 6, … bytes; fills in where they start and the end. */
static void make_stairs(struct raw_log *raw, uint64_t *starts)
{
	raw_init(raw, 1024);
	for (unsigned i = 0; i < SEEK_FRAMES; i++)
		starts[i] = raw_append_fill(raw, '?', i);
	starts[SEEK_FRAMES] = raw->size - raw->data_offset;
}

static void check_seek(struct shmlog_reader *reader, const uint64_t *starts,
                       unsigned from, uint64_t target)
{
	struct shmlog_neighbours around = {1, 1};
	struct shmlog_frame frame;
	unsigned below = 0;

	while (below < SEEK_FRAMES && starts[below + 1] <= target)
		below++;

	bool is_start = starts[below] == target;
	unsigned above = below < SEEK_FRAMES ? below + 1 : below;
	unsigned now = is_start ? below : from;

	expect_status(shmlog_reader_seek(reader, target, &around),
	              is_start ? 0 : SHMLOG_ERR_CURSOR);
	if (!is_start) {
		assert_int_equal(around.before, starts[below]);
		assert_int_equal(around.after, starts[above]);
	}
	assert_int_equal(shmlog_reader_cursor(reader), starts[now]);

	uint64_t index = shmlog_reader_index(reader);

	if (index != SHMLOG_INDEX_UNKNOWN)
		assert_int_equal(index, now);

	int result = shmlog_reader_next(reader, &frame);

	expect_status(result, now < SEEK_FRAMES);
	if (result == 1)
		assert_int_equal(frame.cursor, starts[now]);
	expect_status(shmlog_reader_seek(reader, starts[now], NULL), 0);
	result = shmlog_reader_prev(reader, &frame);
	expect_status(result, now > 0);
	if (result == 1)
		assert_int_equal(frame.next_cursor, starts[now]);
}

TEST(test_reader_seek_takes_exactly_the_places_a_chain_reaches)
{
	uint64_t starts[SEEK_FRAMES + 1];
	struct raw_log raw;
	struct bench bench;

	make_stairs(&raw, starts);
	bench_open_raw(&bench, &raw, "stairs");
	FOR_EACH_READER(bench, reader)
	{
		uint64_t end = starts[SEEK_FRAMES];

		for (unsigned from = 0; from <= SEEK_FRAMES; from++) {
			for (uint64_t at = 0; at <= end + 5; at++) {
				expect_status(shmlog_reader_seek(reader,
				                                 starts[from],
				                                 NULL),
				              0);
				check_seek(reader, starts, from, at);
			}
			expect_status(
				shmlog_reader_seek(reader, starts[from], NULL),
				0);
			check_seek(reader, starts, from, UINT64_MAX);
			expect_status(
				shmlog_reader_seek(reader, starts[from], NULL),
				0);
			check_seek(reader, starts, from, UINT64_MAX - 23);
		}
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_seek_near_the_start_knows_every_index)
{
	uint64_t starts[SEEK_FRAMES + 1];
	struct raw_log raw;
	struct bench bench;

	make_stairs(&raw, starts);
	bench_open_raw(&bench, &raw, "index");
	FOR_EACH_READER(bench, reader)
	{
		struct shmlog_frame frame;

		/* Places nearer to the end are reached from there. */
		for (unsigned i = 0; i <= SEEK_FRAMES / 2; i++) {
			expect_status(
				shmlog_reader_seek(reader, starts[i], NULL), 0);
			assert_int_equal(shmlog_reader_index(reader), i);
		}
		expect_status(shmlog_reader_seek(reader, 0, NULL), 0);
		assert_int_equal(shmlog_reader_index(reader), 0);
		expect_status(shmlog_reader_seek_end(reader), 0);
		assert_true(shmlog_reader_index(reader) ==
		            SHMLOG_INDEX_UNKNOWN);
		expect_status(shmlog_reader_prev(reader, &frame), 1);
		assert_true(frame.index == SHMLOG_INDEX_UNKNOWN);
	}
	bench_close(&bench);
	raw_free(&raw);
}

/* What a seek says and where it leaves the reader. */
struct landing {
	struct shmlog_neighbours around;
	uint64_t cursor;
	uint64_t index;
	uint64_t fault;
	int status;
};

static struct landing land(struct shmlog_reader *reader, uint64_t from,
                           uint64_t cursor)
{
	struct landing landing;

	memset(&landing, 0, sizeof(landing));
	expect_status(shmlog_reader_seek(reader, from, NULL), 0);
	landing.status = shmlog_reader_seek(reader, cursor, &landing.around);
	landing.cursor = shmlog_reader_cursor(reader);
	landing.index = shmlog_reader_index(reader);
	if (landing.status != 0)
		landing.fault = shmlog_reader_fault(reader)->cursor;
	return landing;
}

/* A buffered reader walks a long way from both of its ends. */
TEST(test_reader_seek_a_long_way_lands_where_short_steps_do)
{
	const uint64_t size = 1016; /* of a frame */
	const uint64_t frames = 16000;
	struct raw_log raw;
	struct bench bench;

	raw_init(&raw, frames * size + 24);
	for (uint64_t i = 0; i < frames; i++)
		raw_append_fill(&raw, (unsigned char)i, size - 4);
	for (unsigned round = 0; round < 3; round++) {
		/* Then one of two frames in the way has a bad word. */
		if (round > 0)
			raw_put16(&raw, 24 + size * (round == 1 ? 3000 : 12000),
			          9);
		bench_open_raw(&bench, &raw, "long");
		for (uint64_t at = 100; at < frames; at += 1777) {
			for (uint64_t to = at * size; to < at * size + 2;
			     to++) {
				uint64_t start = at % 2 * frames * size;
				struct landing first = land(bench.readers[0],
				                            start, to);

				FOR_EACH_READER(bench, reader)
				{
					struct landing other = land(reader,
					                            start, to);

					assert_memory_equal(&other, &first,
					                    sizeof(first));
				}
			}
		}
		bench_close(&bench);
	}
	raw_free(&raw);
}

TEST(test_reader_seek_sees_what_was_committed_meanwhile)
{
	const char *path = scratch("seek-meanwhile");
	struct bench bench;

	write_numbered_log(path, 4096, 2);
	bench_open(&bench, path);
	FOR_EACH_READER(bench, reader)
	expect_status(shmlog_reader_seek(reader, 33, NULL), SHMLOG_ERR_CURSOR);
	write_numbered_log(path, 4096, 4);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_seek(reader, 33, NULL), 0);
		expect_status(shmlog_reader_seek_end(reader), 0);
		assert_int_equal(shmlog_reader_cursor(reader), 44);
	}
	bench_close(&bench);
}

TEST(test_reader_seek_reaches_places_on_either_side_of_damage)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;
	struct shmlog_neighbours around;

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < 10; i++)
		raw_append_text(&raw, numbered_text(i));
	raw_put16(&raw, raw.data_offset + 55, 1);
	bench_open_raw(&bench, &raw, "seek-damage");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_seek(reader, 33, NULL), 0);
		expect_status(shmlog_reader_seek(reader, 99, NULL), 0);
		assert_int_equal(shmlog_reader_cursor(reader), 99);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, numbered_text(9), 7, 99);
		expect_status(shmlog_reader_seek(reader, 88, NULL), 0);
		/* Behind the damage but nearest to the start. */
		expect_status(shmlog_reader_seek(reader, 0, NULL), 0);
		expect_status(shmlog_reader_seek(reader, 60, &around),
		              SHMLOG_ERR_CURSOR);
		assert_int_equal(shmlog_reader_fault(reader)->cursor, 55);
		assert_int_equal(shmlog_reader_cursor(reader), 0);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, numbered_text(0), 7, 0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_seek_known_takes_the_callers_word)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < 10; i++)
		raw_append_text(&raw, numbered_text(i));
	bench_open_raw(&bench, &raw, "seek-known");
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_seek_known(reader, 33, 3), 0);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, numbered_text(3), 7, 33);
		assert_int_equal(frame.index, 3);
		expect_status(shmlog_reader_seek_known(reader, 99,
		                                       SHMLOG_INDEX_UNKNOWN),
		              0);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		assert_int_equal(frame.index, SHMLOG_INDEX_UNKNOWN);
		expect_status(shmlog_reader_seek_known(reader, 110, 10), 0);
		expect_status(shmlog_reader_next(reader, &frame), 0);
		expect_status(shmlog_reader_prev(reader, &frame), 1);
		assert_int_equal(frame.index, 9);
		/* Beyond the end, and where no frame starts. */
		expect_status(shmlog_reader_seek_known(reader, 111, 0),
		              SHMLOG_ERR_CURSOR);
		assert_int_equal(shmlog_reader_cursor(reader), 99);
		expect_status(shmlog_reader_seek_known(reader, 34, 0), 0);
		assert_true(shmlog_reader_next(reader, &frame) < 0);
		assert_int_equal(shmlog_reader_cursor(reader), 34);
	}
	bench_close(&bench);
	raw_free(&raw);
}

TEST(test_reader_seek_near_finds_the_next_frame_without_a_walk)
{
	struct raw_log raw;
	struct bench bench;
	struct shmlog_frame frame;

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < 10; i++)
		raw_append_text(&raw, numbered_text(i));
	raw_put16(&raw, raw.data_offset + 33, 1);
	bench_open_raw(&bench, &raw, "seek-near");
	FOR_EACH_READER(bench, reader)
	{
		/* At a frame, inside one, and inside one that is damaged. */
		for (uint64_t at = 34; at <= 99; at++) {
			expect_status(shmlog_reader_seek_near(reader, at), 0);
			assert_int_equal(shmlog_reader_cursor(reader),
			                 (at + 10) / 11 * 11);
			expect_status(shmlog_reader_next(reader, &frame), 1);
		}
		/* No frame starts behind these, but one may begin at the end. */
		for (uint64_t at = 100; at < 110; at++)
			expect_status(shmlog_reader_seek_near(reader, at),
			              SHMLOG_ERR_CURSOR);
		expect_status(shmlog_reader_seek_near(reader, 110), 0);
		assert_int_equal(shmlog_reader_cursor(reader), 110);
		expect_status(shmlog_reader_seek_near(reader, 0), 0);
		assert_int_equal(shmlog_reader_cursor(reader), 0);
		expect_status(shmlog_reader_seek_near(reader, 111),
		              SHMLOG_ERR_CURSOR);
		assert_int_equal(shmlog_reader_cursor(reader), 0);
	}
	bench_close(&bench);
	raw_free(&raw);
}

/* ---------------------------------------------------------- differential */

/* A walk over a raw log that shares no line with the library. */
struct walk {
	uint64_t starts[4096];
	size_t count;
	int end_status; /* 0, or why the walk stopped */
	uint64_t end;
};

static void walk_forwards(const struct raw_log *raw, struct walk *walk)
{
	uint64_t at = raw->data_offset;

	walk->count = 0;
	walk->end_status = 0;
	while (at != raw->size && walk->end_status == 0) {
		uint64_t left = raw->size - at;
		unsigned total = left >= 2 ? raw_get16(raw, at) : 4;

		if (total < 4)
			walk->end_status = SHMLOG_ERR_CURSOR;
		else if (total > left)
			walk->end_status = SHMLOG_ERR_TORN;
		else if (raw_get16(raw, at + total - 2) != total)
			walk->end_status = SHMLOG_ERR_FRAME_CORRUPT;
		else {
			walk->starts[walk->count++] = at - raw->data_offset;
			at += total;
		}
	}
	walk->end = at - raw->data_offset;
}

static void walk_backwards(const struct raw_log *raw, struct walk *walk)
{
	uint64_t at = raw->size;

	walk->count = 0;
	walk->end_status = 0;
	while (at != raw->data_offset && walk->end_status == 0) {
		uint64_t left = at - raw->data_offset;
		unsigned total = left >= 2 ? raw_get16(raw, at - 2) : 0;

		if (left < 2)
			walk->end_status = SHMLOG_ERR_TORN;
		else if (total < 4 || total > left)
			walk->end_status = SHMLOG_ERR_CURSOR;
		else if (raw_get16(raw, at - total) != total)
			walk->end_status = SHMLOG_ERR_FRAME_CORRUPT;
		else {
			at -= total;
			walk->starts[walk->count++] = at - raw->data_offset;
		}
	}
	walk->end = at - raw->data_offset;
}

static void expect_bytes_of(const struct raw_log *raw,
                            const struct shmlog_frame *frame, uint64_t start)
{
	unsigned total = raw_get16(raw, raw->data_offset + start);

	expect_frame(frame, raw->bytes + raw->data_offset + start + 2,
	             total - 4u, start);
}

static void compare_next(struct shmlog_reader *reader,
                         const struct raw_log *raw, const struct walk *walk)
{
	struct shmlog_frame frame;

	for (size_t i = 0; i < walk->count; i++) {
		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_bytes_of(raw, &frame, walk->starts[i]);
		assert_int_equal(frame.index, i);
	}
	expect_status(shmlog_reader_next(reader, &frame), walk->end_status);
	assert_int_equal(shmlog_reader_cursor(reader), walk->end);
}

static void compare_prev(struct shmlog_reader *reader,
                         const struct raw_log *raw, const struct walk *walk)
{
	struct shmlog_frame frame;

	expect_status(shmlog_reader_seek_end(reader), 0);
	for (size_t i = 0; i < walk->count; i++) {
		expect_status(shmlog_reader_prev(reader, &frame), 1);
		expect_bytes_of(raw, &frame, walk->starts[i]);
	}
	expect_status(shmlog_reader_prev(reader, &frame), walk->end_status);
	assert_int_equal(shmlog_reader_cursor(reader), walk->end);
}

static void compare_batches(struct shmlog_reader *reader,
                            const struct raw_log *raw, const struct walk *walk,
                            struct chance *chance)
{
	struct shmlog_frame frames[16];
	size_t done = 0;
	int got;

	for (;;) {
		size_t most = 1 + (size_t)chance_below(chance, 16);
		size_t most_bytes = 1 + (size_t)chance_below(chance, 5000);
		uint64_t bytes = 0;

		got = shmlog_reader_next_batch(reader, most, most_bytes,
		                               frames);
		if (got <= 0)
			break;
		assert_in_range(got, 1, most);
		for (int i = 0; i < got; i++, done++) {
			assert_true(done < walk->count);
			expect_bytes_of(raw, &frames[i], walk->starts[done]);
			bytes += frames[i].size_bytes + 4;
		}
		assert_true(got == 1 || bytes <= most_bytes);
	}
	assert_int_equal(done, walk->count);
	expect_status(got, walk->end_status);
	assert_int_equal(shmlog_reader_cursor(reader), walk->end);
}

/* All kinds of readers against the walk, and their faults with each other. */
static void compare_log(const struct raw_log *raw, struct chance *chance)
{
	static struct walk walk;
	const char *path = scratch("differential");

	raw_write(raw, path);

	struct shmlog *log = open_log(path);
	struct shmlog_fault faults[2 * READER_KINDS];

	for (size_t i = 0; i < READER_KINDS; i++) {
		struct shmlog_reader *reader = open_kind(log, i);

		walk_forwards(raw, &walk);
		compare_next(reader, raw, &walk);
		faults[2 * i] = *shmlog_reader_fault(reader);
		expect_status(shmlog_reader_seek(reader, 0, NULL), 0);
		compare_batches(reader, raw, &walk, chance);
		walk_backwards(raw, &walk);
		compare_prev(reader, raw, &walk);
		faults[2 * i + 1] = *shmlog_reader_fault(reader);
		shmlog_reader_close(reader);
		for (size_t way = 0; way < 2; way++) {
			const struct shmlog_fault *fault = &faults[2 * i + way];

			assert_int_equal(fault->status, faults[way].status);
			assert_int_equal(fault->cursor, faults[way].cursor);
			assert_int_equal(fault->available,
			                 faults[way].available);
			assert_int_equal(fault->first_word,
			                 faults[way].first_word);
			assert_int_equal(fault->second_word,
			                 faults[way].second_word);
			assert_int_equal(fault->wrapped_payload_bytes,
			                 faults[way].wrapped_payload_bytes);
		}
	}
	shmlog_close(log);
}

static size_t random_size(struct chance *chance)
{
	switch (chance_below(chance, 20)) {
	case 0: return 0;
	case 1: return (size_t)chance_below(chance, 65532);
	case 2: return 65531 - (size_t)chance_below(chance, 3);
	case 3:
	case 4: return (size_t)chance_below(chance, 4096);
	default: return (size_t)chance_below(chance, 120);
	}
}

static void make_random_log(struct raw_log *raw, struct chance *chance)
{
	size_t capacity = 24 + (size_t)chance_below(chance, 400000);
	uint64_t offset = 24;
	unsigned frames = (unsigned)chance_below(chance, 300);

	if (chance_below(chance, 3) == 0)
		offset += chance_below(chance, capacity - 23);
	raw_init_at(raw, capacity, offset);
	for (unsigned i = 0; i < frames; i++) {
		size_t size = random_size(chance);

		if (size + 4 <= raw->capacity - raw->size)
			raw_append_fill(raw, (unsigned char)chance_next(chance),
			                size);
	}
}

TEST(test_readers_agree_with_a_plain_walk_on_random_logs)
{
	struct chance chance = chance_start("random logs", 20240607);

	for (unsigned round = 0; round < 60; round++) {
		struct raw_log raw;

		make_random_log(&raw, &chance);
		compare_log(&raw, &chance);
		raw_free(&raw);
	}
}

static void damage(struct raw_log *raw, struct chance *chance)
{
	uint64_t committed = raw->size - raw->data_offset;

	for (uint64_t n = 1 + chance_below(chance, 4); n > 0; n--) {
		uint64_t at;

		if (committed == 0)
			return;
		at = raw->data_offset + chance_below(chance, committed);
		switch (chance_below(chance, 4)) {
		case 0:
			raw->bytes[at] ^= (unsigned char)(1u << chance_below(
								  chance, 8));
			break;
		case 1:
			memset(raw->bytes + at, (int)chance_below(chance, 5),
			       (size_t)chance_below(chance,
			                            raw->size - at + 1));
			break;
		case 2:
			raw_put16(raw, at < raw->capacity - 1 ? at : at - 1,
			          (unsigned)chance_below(chance, 65536));
			break;
		default:
			raw_set_size(raw, at);
			committed = at - raw->data_offset;
		}
	}
}

TEST(test_readers_agree_with_a_plain_walk_on_damaged_logs)
{
	struct chance chance = chance_start("damaged logs", 1234567);

	for (unsigned round = 0; round < 120; round++) {
		struct raw_log raw;

		make_random_log(&raw, &chance);
		damage(&raw, &chance);
		compare_log(&raw, &chance);
		raw_free(&raw);
	}
}

/* ------------------------------------------------- a file that changes */

TEST(test_readers_follow_a_file_that_grows)
{
	const char *path = scratch("grows");
	struct bench bench;
	struct shmlog_frame frame;
	const unsigned char *first[READER_KINDS];
	unsigned char payload[3000];

	write_numbered_log(path, 24 + 11, 1);
	bench_open(&bench, path);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame), 1);
		first[kind_] = frame.payload;
		expect_status(shmlog_reader_next(reader, &frame), 0);
	}
	memset(payload, 'g', sizeof(payload));
	for (unsigned round = 1; round <= 50; round++) {
		file_truncate(path, 24 + 11 + round * 3004);
		expect_status(append_payload(bench.log, payload, 3000, 0), 0);
		FOR_EACH_READER(bench, reader)
		{
			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_frame(&frame, payload, 3000,
			             11 + (round - 1) * 3004);
			expect_status(shmlog_reader_next(reader, &frame), 0);
		}
	}
	/* A mapped reader's payloads stay valid until it is closed. */
	assert_memory_equal(first[0], numbered_text(0), 7);
	bench_close(&bench);
}

TEST(test_reader_refuses_a_size_beyond_the_file)
{
	const char *path = scratch("beyond");
	struct bench bench;
	struct shmlog_frame frame;
	uint64_t committed;

	write_numbered_log(path, 100, 3);
	bench_open(&bench, path);
	FOR_EACH_READER(bench, reader)
	expect_status(shmlog_reader_next(reader, &frame), 1);
	file_put64(path, 16, 101);
	FOR_EACH_READER(bench, reader)
	{
		uint64_t before = shmlog_reader_cursor(reader);

		expect_status(shmlog_reader_committed_size(reader, &committed),
		              SHMLOG_ERR_MAPPING_GONE);
		expect_status(shmlog_reader_seek_end(reader),
		              SHMLOG_ERR_MAPPING_GONE);
		assert_int_equal(shmlog_reader_cursor(reader), before);
	}
	file_put64(path, 16, UINT64_MAX);
	FOR_EACH_READER(bench, reader)
	expect_status(shmlog_reader_committed_size(reader, &committed),
	              SHMLOG_ERR_MAPPING_GONE);
	file_put64(path, 16, 24 + 33);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_committed_size(reader, &committed),
		              0);
		assert_int_equal(committed, 33);
	}
	bench_close(&bench);
}

TEST(test_reader_knows_the_size_that_it_last_looked_at)
{
	const char *path = scratch("known");
	struct bench bench;
	struct shmlog_frame frame;
	uint64_t committed;

	write_numbered_log(path, 100, 3);
	file_put64(path, 16, 24 + 22);
	bench_open(&bench, path);
	FOR_EACH_READER(bench, reader)
	{
		assert_int_equal(shmlog_reader_known_size(reader), 0);
		expect_status(shmlog_reader_next(reader, &frame), 1);
		assert_int_equal(shmlog_reader_known_size(reader), 22);
	}
	file_put64(path, 16, 24 + 33);
	FOR_EACH_READER(bench, reader)
	{
		assert_int_equal(shmlog_reader_known_size(reader), 22);
		expect_status(shmlog_reader_committed_size(reader, &committed),
		              0);
		assert_int_equal(shmlog_reader_known_size(reader), 33);
	}
	bench_close(&bench);
}

TEST(test_reader_that_holds_an_end_sees_nothing_behind_it)
{
	const char *path = scratch("held");
	struct bench bench;
	struct shmlog_frame frames[4];
	uint64_t committed;

	write_numbered_log(path, 100, 4);
	file_put64(path, 16, 24 + 22);
	bench_open(&bench, path);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_hold_end(reader), 0);
		assert_int_equal(shmlog_reader_known_size(reader), 22);
	}
	file_put64(path, 16, 24 + 44);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next_batch(reader, 4, 0, frames),
		              2);
		expect_status(shmlog_reader_next(reader, frames), 0);
		expect_status(shmlog_reader_seek(reader, 33, NULL),
		              SHMLOG_ERR_CURSOR);
		expect_status(shmlog_reader_seek(reader, 0, NULL), 0);
		expect_status(shmlog_reader_seek_end(reader), 0);
		assert_int_equal(shmlog_reader_cursor(reader), 22);
		expect_status(shmlog_reader_committed_size(reader, &committed),
		              0);
		assert_int_equal(committed, 22);
		/* What would end no wait is not waited for. */
		expect_status(shmlog_reader_wait(reader, 0, 0), 0);
		expect_status(shmlog_reader_wait(reader, -1, 0), -EINVAL);
		expect_status(shmlog_reader_wait(reader, 1000000000, 0),
		              -EINVAL);
		expect_status(shmlog_reader_prev(reader, frames), 1);
		expect_status(shmlog_reader_wait(reader, -1, 0), 1);
		/* Another end can be held, and none. */
		expect_status(shmlog_reader_hold_end(reader), 0);
		for (int left = 3; left > 0; left--)
			expect_status(shmlog_reader_next(reader, frames), 1);
	}
	file_put64(path, 16, 24 + 33);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, frames), 0);
		shmlog_reader_release_end(reader);
		expect_status(shmlog_reader_next(reader, frames),
		              SHMLOG_ERR_WENT_BACK);
		/* An end that makes no sense is not held. */
		expect_status(shmlog_reader_hold_end(reader),
		              SHMLOG_ERR_WENT_BACK);
		expect_status(shmlog_reader_next(reader, frames),
		              SHMLOG_ERR_WENT_BACK);
	}
	bench_close(&bench);
}

TEST(test_reader_notices_that_size_went_back)
{
	const char *path = scratch("went-back");
	struct bench bench;
	struct shmlog_frame frame;
	uint64_t committed;

	write_numbered_log(path, 4096, 3);
	bench_open(&bench, path);
	FOR_EACH_READER(bench, reader)
	while (shmlog_reader_next(reader, &frame) == 1)
		;
	file_put64(path, 16, 24 + 22);
	FOR_EACH_READER(bench, reader)
	{
		expect_status(shmlog_reader_next(reader, &frame),
		              SHMLOG_ERR_WENT_BACK);
		expect_status(shmlog_reader_next_batch(reader, 1, 0, &frame),
		              SHMLOG_ERR_WENT_BACK);
		expect_status(shmlog_reader_committed_size(reader, &committed),
		              SHMLOG_ERR_WENT_BACK);
		expect_status(shmlog_reader_seek(reader, 0, NULL),
		              SHMLOG_ERR_WENT_BACK);
		expect_status(shmlog_reader_seek_end(reader),
		              SHMLOG_ERR_WENT_BACK);
		expect_status(shmlog_reader_wait(reader, 0, 0),
		              SHMLOG_ERR_WENT_BACK);
		assert_int_equal(shmlog_reader_cursor(reader), 33);
	}
	file_put64(path, 16, 24 + 33);
	FOR_EACH_READER(bench, reader)
	expect_status(shmlog_reader_next(reader, &frame), 0);
	/* Below dataOffset is what a file has that was cut and regrown. */
	file_put64(path, 16, 0);
	FOR_EACH_READER(bench, reader)
	expect_status(shmlog_reader_next(reader, &frame),
	              SHMLOG_ERR_MAPPING_GONE);
	bench_close(&bench);
}

TEST(test_reader_debug_checks_notice_a_changed_header)
{
	const char *path = scratch("debug-header");
	struct shmlog_frame frame;

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		write_numbered_log(path, 4096, 1);

		struct shmlog *log = open_log(path);
		struct shmlog_reader *plain = open_kind(log, kind);
		struct shmlog_reader *checked = open_reader(
			log,
			reader_kinds[kind].flags | SHMLOG_READER_DEBUG_CHECKS,
			reader_kinds[kind].window_bytes);

		expect_status(shmlog_reader_next(checked, &frame), 1);
		expect_status(shmlog_reader_next(plain, &frame), 1);
		file_put64(path, 0, 32);
		expect_status(shmlog_reader_next(checked, &frame),
		              SHMLOG_ERR_HEADER_SIZE);
		expect_status(shmlog_reader_next(plain, &frame), 0);
		file_put64(path, 0, 24);
		expect_status(shmlog_reader_next(checked, &frame), 0);
		file_put64(path, 8, 25);
		expect_status(shmlog_reader_next(checked, &frame),
		              SHMLOG_ERR_DATA_OFFSET);
		expect_status(shmlog_reader_next(plain, &frame), 0);
		assert_int_equal(shmlog_reader_cursor(checked), 11);
		shmlog_reader_close(checked);
		shmlog_reader_close(plain);
		shmlog_close(log);
	}
}

/* Reads frames 0, 1, 2, … of a numbered log until something is refused. */
static int read_numbered(struct shmlog_reader *reader, unsigned *number)
{
	struct shmlog_frame frame;
	int result;

	while ((result = shmlog_reader_next(reader, &frame)) == 1) {
		const char *text = numbered_text((*number)++);

		assert_int_equal(frame.size_bytes, strlen(text));
		assert_memory_equal(frame.payload, text, strlen(text));
	}
	return result;
}

TEST(test_reader_buffered_survives_truncation_at_every_place)
{
	const char *path = scratch("truncated");
	uint64_t lengths[] = {0,    1,    8,    16,    23,    24,    25, 4095,
	                      4096, 4097, 8192, 12288, 65536, 99999, 100};

	for (size_t i = 0; i < COUNT_OF(lengths) * 3; i++) {
		size_t window = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 1 << 20;
		unsigned number = 0;
		unsigned start = (unsigned)(i * 37 % 2000);
		struct shmlog_frame frame;

		write_numbered_log(path, 1 << 18, 12000);

		struct shmlog *log = open_log(path);
		struct shmlog_reader *reader = open_reader(
			log, SHMLOG_READER_BUFFERED, window);

		while (number < start) {
			expect_status(shmlog_reader_next(reader, &frame), 1);
			number++;
		}
		file_truncate(path, lengths[i / 3]);
		expect_status(read_numbered(reader, &number),
		              SHMLOG_ERR_MAPPING_GONE);

		uint64_t cursor = shmlog_reader_cursor(reader);

		expect_status(shmlog_reader_next(reader, &frame),
		              SHMLOG_ERR_MAPPING_GONE);
		expect_status(shmlog_reader_next_batch(reader, 1, 0, &frame),
		              SHMLOG_ERR_MAPPING_GONE);
		assert_int_equal(shmlog_reader_cursor(reader), cursor);
		shmlog_reader_close(reader);
		shmlog_close(log);
	}
}

TEST(test_reader_buffered_at_the_end_notices_truncation)
{
	const char *path = scratch("truncated-at-end");
	static const uint64_t lengths[] = {0, 23, 24, 1000};
	struct shmlog_frame frame;
	uint64_t committed;

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		write_numbered_log(path, 4096, 100);

		struct shmlog *log = open_log(path);
		struct shmlog_reader *reader = open_reader(
			log, SHMLOG_READER_BUFFERED, 0);
		unsigned number = 0;

		expect_status(read_numbered(reader, &number), 0);
		assert_int_equal(number, 100);
		file_truncate(path, lengths[i]);
		expect_status(shmlog_reader_next(reader, &frame),
		              SHMLOG_ERR_MAPPING_GONE);
		expect_status(shmlog_reader_committed_size(reader, &committed),
		              SHMLOG_ERR_MAPPING_GONE);
		expect_status(shmlog_reader_wait(reader, 0, 0),
		              SHMLOG_ERR_MAPPING_GONE);
		shmlog_reader_close(reader);
		shmlog_close(log);
	}
}

TEST(test_reader_buffered_allocates_no_page_for_a_hole)
{
	const char *path = scratch("hole");
	struct shmlog_frame frame;
	struct raw_log raw;

	raw_init(&raw, 64);
	raw_append_text(&raw, "before");
	raw_write(&raw, path);
	raw_free(&raw);
	file_truncate(path, UINT64_C(1) << 40);
	file_put64(path, 16, UINT64_C(1) << 39);

	uint64_t blocks = file_blocks(path);
	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);

	expect_status(shmlog_reader_next(reader, &frame), 1);
	expect_status(shmlog_reader_next(reader, &frame), SHMLOG_ERR_CURSOR);
	expect_status(shmlog_reader_seek_end(reader), 0);
	expect_status(shmlog_reader_prev(reader, &frame), SHMLOG_ERR_CURSOR);
	expect_status(shmlog_reader_wait(reader, MILLISECONDS(1), 0), 0);
	assert_int_equal(file_blocks(path), blocks);
	shmlog_reader_close(reader);
	shmlog_close(log);
	unlink(path);
}

/* A program's own answer to SIGBUS, as the header's TRUNCATION chapter has
 * it: a private page in place of the one that is missing. */
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

TEST(test_reader_mapped_says_that_the_file_was_cut_if_sigbus_is_handled)
{
	const char *path = scratch("cut-mapped");
	struct sigaction action = {.sa_sigaction = patch_page,
	                           .sa_flags = SA_SIGINFO};
	struct sigaction before;
	unsigned number = 0;

	if (runs_on_valgrind())
		skip();
	write_numbered_log(path, 1 << 18, 12000);

	struct shmlog *log = open_log(path);
	struct shmlog_reader *reader = open_reader(log, 0, 0);
	struct shmlog_frame frame;

	expect_status(shmlog_reader_next(reader, &frame), 1);
	number++;
	sigaction(SIGBUS, &action, &before);
	file_truncate(path, 8192);
	expect_status(read_numbered(reader, &number), SHMLOG_ERR_MAPPING_GONE);
	sigaction(SIGBUS, &before, NULL);
	assert_true(number < 800);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

TEST(test_reader_close_of_null_is_harmless)
{
	shmlog_reader_close(NULL);
	shmlog_writer_close(NULL);
	shmlog_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_of_an_empty_log_finds_nothing),
		cmocka_unit_test(
			test_reader_next_hands_out_every_size_at_both_ends_of_the_range),
		cmocka_unit_test(test_reader_honours_every_data_offset),
		cmocka_unit_test(
			test_reader_of_a_log_whose_data_starts_at_its_end_finds_nothing),
		cmocka_unit_test(
			test_reader_next_sees_an_exactly_full_log_to_its_last_byte),
		cmocka_unit_test(
			test_reader_next_ignores_whatever_stands_behind_the_commit),
		cmocka_unit_test(
			test_reader_next_goes_on_where_it_stopped_after_a_commit),
		cmocka_unit_test(
			test_reader_next_rejects_torn_frame_wherever_it_is_cut),
		cmocka_unit_test(
			test_reader_next_rejects_size_words_below_four_after_the_good_frames),
		cmocka_unit_test(
			test_reader_prev_rejects_size_words_below_four),
		cmocka_unit_test(
			test_reader_rejects_words_that_differ_in_either_direction),
		cmocka_unit_test(
			test_reader_prev_rejects_a_suffix_that_reaches_before_the_log),
		cmocka_unit_test(test_reader_suspects_a_wrapped_size),
		cmocka_unit_test(
			test_reader_suspects_no_wrap_for_a_distant_word),
		cmocka_unit_test(test_reader_suspects_no_wrap_in_plain_damage),
		cmocka_unit_test(test_reader_next_batch_stops_at_either_limit),
		cmocka_unit_test(
			test_reader_next_batch_defaults_are_the_packages),
		cmocka_unit_test(test_reader_next_batch_always_makes_progress),
		cmocka_unit_test(
			test_reader_next_batch_hands_out_good_frames_before_a_fault),
		cmocka_unit_test(
			test_reader_batches_are_valid_together_with_windows_below_the_batch),
		cmocka_unit_test(
			test_reader_seek_takes_exactly_the_places_a_chain_reaches),
		cmocka_unit_test(
			test_reader_seek_near_the_start_knows_every_index),
		cmocka_unit_test(
			test_reader_seek_a_long_way_lands_where_short_steps_do),
		cmocka_unit_test(
			test_reader_seek_sees_what_was_committed_meanwhile),
		cmocka_unit_test(
			test_reader_seek_reaches_places_on_either_side_of_damage),
		cmocka_unit_test(
			test_readers_agree_with_a_plain_walk_on_random_logs),
		cmocka_unit_test(
			test_readers_agree_with_a_plain_walk_on_damaged_logs),
		cmocka_unit_test(test_readers_follow_a_file_that_grows),
		cmocka_unit_test(test_reader_refuses_a_size_beyond_the_file),
		cmocka_unit_test(
			test_reader_knows_the_size_that_it_last_looked_at),
		cmocka_unit_test(
			test_reader_that_holds_an_end_sees_nothing_behind_it),
		cmocka_unit_test(test_reader_notices_that_size_went_back),
		cmocka_unit_test(
			test_reader_debug_checks_notice_a_changed_header),
		cmocka_unit_test(
			test_reader_buffered_survives_truncation_at_every_place),
		cmocka_unit_test(
			test_reader_buffered_at_the_end_notices_truncation),
		cmocka_unit_test(
			test_reader_buffered_allocates_no_page_for_a_hole),
		cmocka_unit_test(
			test_reader_mapped_says_that_the_file_was_cut_if_sigbus_is_handled),
		cmocka_unit_test(test_reader_seek_known_takes_the_callers_word),
		cmocka_unit_test(
			test_reader_seek_near_finds_the_next_frame_without_a_walk),
		cmocka_unit_test(test_reader_close_of_null_is_harmless),
	};

	return cmocka_run_group_tests_name("reader", tests, scratch_setup,
	                                   scratch_teardown);
}
