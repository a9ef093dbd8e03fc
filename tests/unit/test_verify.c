/*
 * Verification: no false alarm on what is sound, every damage found where it
 * is and no wider than it is, and what can be saved.
 */
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_RANGES 64

/* What a visitor was told. */
struct told {
	const struct raw_log *raw;
	struct shmlog_damage ranges[MOST_RANGES];
	size_t range_count;
	uint64_t frames;
	uint64_t payload_bytes;
	uint64_t last_cursor; /* where the last thing told of ended */
	bool sizes_only;      /* payloads were not asked for */
};

static int note_frames(void *context, const struct shmlog_frame *frames,
                       size_t count)
{
	struct told *told = context;

	for (size_t i = 0; i < count; i++) {
		assert_true(frames[i].cursor >= told->last_cursor);
		if (!told->sizes_only)
			assert_memory_equal(frames[i].payload,
			                    told->raw->bytes +
			                            told->raw->data_offset +
			                            frames[i].cursor + 2,
			                    frames[i].size_bytes);
		if (frames[i].index != SHMLOG_INDEX_UNKNOWN)
			assert_int_equal(frames[i].index, told->frames);
		told->frames++;
		told->payload_bytes += frames[i].size_bytes;
		told->last_cursor = frames[i].next_cursor;
	}
	return 0;
}

static int note_damage(void *context, const struct shmlog_damage *damage)
{
	struct told *told = context;

	assert_true(damage->fault.cursor >= told->last_cursor);
	assert_true(damage->end_cursor > damage->fault.cursor);
	assert_false(damage->fault.backwards);
	assert_true(told->range_count < MOST_RANGES);
	told->ranges[told->range_count++] = *damage;
	told->last_cursor = damage->end_cursor;
	return 0;
}

/* A walk that passes large frames by their words must find what one finds
 * that reads them whole. */
static void expect_same_by_sizes(struct shmlog *log, int found,
                                 const struct told *whole,
                                 const struct shmlog_verify_report *report)
{
	struct told told = {.raw = whole->raw, .sizes_only = true};
	struct shmlog_verify_visitor visitor = {
		.frames = note_frames,
		.damage = note_damage,
		.context = &told,
		.sizes_only = true,
	};
	struct shmlog_verify_report again;

	memset(&again, 0xee, sizeof(again));
	expect_status(shmlog_verify(log, &visitor, &again), found);
	assert_memory_equal(&again, report, sizeof(again));
	assert_int_equal(told.frames, whole->frames);
	assert_int_equal(told.payload_bytes, whole->payload_bytes);
	assert_int_equal(told.range_count, whole->range_count);
	for (size_t i = 0; i < told.range_count; i++) {
		const struct shmlog_damage *one = &told.ranges[i];
		const struct shmlog_damage *other = &whole->ranges[i];

		assert_int_equal(one->fault.status, other->fault.status);
		assert_int_equal(one->fault.cursor, other->fault.cursor);
		assert_int_equal(one->end_cursor, other->end_cursor);
		assert_int_equal(one->good_before, other->good_before);
	}
}

/* So must one that is asked for no frames, and begins at both ends of a long log.
 * A short one is walked over in the same way, and tried now and then. */
static void
expect_same_without_frames(struct shmlog *log, int found,
                           const struct told *whole,
                           const struct shmlog_verify_report *report)
{
	static uint64_t counts[SHMLOG_PAYLOAD_MAX_BYTES + 1];
	static unsigned calls;
	struct told told = {.raw = whole->raw};
	struct shmlog_counter counter = {
		.damage = note_damage,
		.context = &told,
		/* The table is long beside most of the logs. */
		.size_counts = calls % 16 == 0 ? counts : NULL,
	};
	struct shmlog_verify_report again;

	if (calls++ % 16 != 0 && report->header.size < 1 << 20)
		return;
	memset(&again, 0xee, sizeof(again));
	expect_status(shmlog_count(log, &counter, &again), found);
	assert_memory_equal(&again, report, sizeof(again));
	assert_int_equal(told.range_count, whole->range_count);
	if (counter.size_counts == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		told.frames += counts[i];
		told.payload_bytes += counts[i] * i;
	}
	assert_int_equal(told.frames, whole->frames);
	assert_int_equal(told.payload_bytes, whole->payload_bytes);
	memset(counts, 0, sizeof(counts));
}

/* Verifies a raw log, checks what must hold of any report, and that the file
 * is untouched.  Returns the number of ranges. */
static int verify_raw(const struct raw_log *raw, struct told *told,
                      struct shmlog_verify_report *report)
{
	const char *path = scratch("verify");
	struct shmlog_verify_visitor visitor = {
		.frames = note_frames, .damage = note_damage, .context = told};
	uint64_t damaged_bytes = 0;

	raw_write(raw, path);

	struct shmlog *log = open_log(path);

	memset(told, 0, sizeof(*told));
	memset(report, 0xee, sizeof(*report));
	told->raw = raw;

	int found = shmlog_verify(log, &visitor, report);

	expect_same_by_sizes(log, found, told, report);
	expect_same_without_frames(log, found, told, report);
	shmlog_close(log);
	expect_file(path, raw->bytes, raw->capacity);
	assert_true(found >= 0);
	for (size_t i = 0; i < told->range_count; i++)
		damaged_bytes += told->ranges[i].end_cursor -
		                 told->ranges[i].fault.cursor;
	assert_int_equal(report->header.size, raw->size);
	assert_int_equal(report->header.capacity, raw->capacity);
	assert_int_equal(report->frames, told->frames);
	assert_int_equal(report->payload_bytes, told->payload_bytes);
	assert_int_equal(report->damaged_ranges, told->range_count);
	assert_int_equal(report->damaged_bytes, damaged_bytes);
	/* Not one committed byte is left out. */
	assert_int_equal(report->payload_bytes + 4 * report->frames +
	                         damaged_bytes,
	                 raw->size - raw->data_offset);
	return found;
}

static void expect_range(const struct told *told, size_t number, uint64_t start,
                         uint64_t end, uint64_t good_before)
{
	const struct shmlog_damage *damage = &told->ranges[number];

	assert_true(number < told->range_count);
	if (damage->fault.cursor != start || damage->end_cursor != end)
		fail_with("damage %zu is %" PRIu64 "..%" PRIu64 ", not %" PRIu64
		          "..%" PRIu64,
		          number, damage->fault.cursor, damage->end_cursor,
		          start, end);
	assert_int_equal(damage->good_before, good_before);
}

/* ------------------------------------------------------------------ sound */

TEST(test_verify_finds_nothing_wrong_with_sound_logs)
{
	struct chance chance = chance_start("sound logs", 11);
	struct shmlog_verify_report report;
	struct told told;

	for (unsigned round = 0; round < 60; round++) {
		size_t capacity = 24 + (size_t)chance_below(&chance, 300000);
		uint64_t offset = 24;
		unsigned frames = (unsigned)chance_below(&chance, 200);
		unsigned written = 0;
		struct raw_log raw;

		if (chance_below(&chance, 4) == 0)
			offset += chance_below(&chance, capacity - 23);
		raw_init_at(&raw, capacity, offset);
		for (unsigned i = 0; i < frames; i++) {
			size_t size = (size_t)chance_below(
				&chance, i % 50 == 0 ? 65532 : 200);

			if (size + 4 > raw.capacity - raw.size)
				continue;
			raw_append_fill(&raw,
			                (unsigned char)chance_next(&chance),
			                size);
			written++;
		}
		expect_status(verify_raw(&raw, &told, &report), 0);
		assert_int_equal(report.frames, written);
		assert_int_equal(report.frames_after_damage, 0);
		assert_int_equal(report.frames_in_gap, 0);
		assert_int_equal(report.leftover_frames, 0);
		assert_false(report.leftover_bytes);
		assert_false(report.torn);
		raw_free(&raw);
	}
}

TEST(test_verify_of_the_smallest_and_of_a_full_log)
{
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	raw_init(&raw, 24);
	expect_status(verify_raw(&raw, &told, &report), 0);
	assert_int_equal(report.frames, 0);
	raw_free(&raw);
	raw_init(&raw, 24 + 4 + 65535);
	raw_append_fill(&raw, 'x', 0);
	raw_append_fill(&raw, 'x', 65531);
	expect_status(verify_raw(&raw, &told, &report), 0);
	assert_int_equal(report.frames, 2);
	assert_int_equal(report.payload_bytes, 65531);
	raw_free(&raw);
}

TEST(test_verify_needs_no_visitor)
{
	const char *path = scratch("no-visitor");
	struct shmlog_verify_visitor visitor = {0};
	struct shmlog_verify_report report;

	write_numbered_log(path, 4096, 5);
	file_put(path, 24 + 11, "\0", 1);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_verify(log, NULL, &report), 1);
	assert_int_equal(report.frames, 4);
	expect_status(shmlog_verify(log, &visitor, &report), 1);
	assert_int_equal(report.frames, 4);
	shmlog_close(log);
}

/* ------------------------------------------------------- single damages */

#define FRAMES 24

static size_t size_of(unsigned frame)
{
	return 3 + frame * 5 % 31;
}

/* Frames of text whose bytes make no size word that fits anywhere. */
static void make_log(struct raw_log *raw, uint64_t *starts)
{
	raw_init(raw, 2000);
	for (unsigned i = 0; i < FRAMES; i++)
		starts[i] = raw_append_fill(raw, 'x', size_of(i));
	starts[FRAMES] = raw->size - raw->data_offset;
}

TEST(test_verify_brackets_a_frame_with_any_flipped_size_bit_exactly)
{
	const unsigned step = step_of_all();
	uint64_t starts[FRAMES + 1];
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	make_log(&raw, starts);
	for (unsigned i = 0; i < FRAMES * 32; i += step) {
		unsigned frame = i / 32;
		uint64_t at = raw.data_offset +
		              (i % 32 < 16 ? starts[frame]
		                           : starts[frame + 1] - 2) +
		              i % 16 / 8;
		unsigned char bit = (unsigned char)(1u << i % 8);

		raw.bytes[at] ^= bit;
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, starts[frame], starts[frame + 1], frame);
		assert_int_equal(report.frames, FRAMES - 1);
		assert_int_equal(report.frames_after_damage,
		                 FRAMES - 1 - frame);
		raw.bytes[at] ^= bit;
	}
	expect_status(verify_raw(&raw, &told, &report), 0);
	raw_free(&raw);
}

TEST(test_verify_brackets_a_frame_that_lost_both_size_words)
{
	uint64_t starts[FRAMES + 1];
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	for (unsigned frame = 0; frame < FRAMES; frame++) {
		make_log(&raw, starts);
		raw_put16(&raw, 24 + starts[frame], 0);
		raw_put16(&raw, 24 + starts[frame + 1] - 2, 0);
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, starts[frame], starts[frame + 1], frame);
		raw_free(&raw);
	}
}

/* The first and the last frame with a word that isn't its size; whether there
 * is any. */
static bool find_hit(const struct raw_log *raw, const uint64_t *starts,
                     unsigned *first, unsigned *last)
{
	bool hit = false;

	for (unsigned i = 0; i < FRAMES; i++) {
		if (raw_get16(raw, 24 + starts[i]) == size_of(i) + 4 &&
		    raw_get16(raw, 24 + starts[i + 1] - 2) == size_of(i) + 4)
			continue;
		if (!hit)
			*first = i;
		*last = i;
		hit = true;
	}
	return hit;
}

TEST(test_verify_brackets_a_zeroed_block_by_the_frames_whose_words_it_hit)
{
	const unsigned step = step_of_all();
	uint64_t starts[FRAMES + 1];
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	for (unsigned i = 0; i < 43 * 15; i += step) {
		unsigned first = 0;
		unsigned last = 0;

		make_log(&raw, starts);
		memset(raw.bytes + 24 + i / 15 * 7, 0, 1 + i % 15 * 13);

		bool hit = find_hit(&raw, starts, &first, &last);

		/* Where only a payload was hit, nobody can see it. */
		expect_status(verify_raw(&raw, &told, &report), hit);
		if (hit)
			expect_range(&told, 0, starts[first], starts[last + 1],
			             first);
		raw_free(&raw);
	}
}

TEST(test_verify_calls_a_tail_torn_wherever_it_is_cut)
{
	const unsigned step = step_of_all();
	uint64_t starts[FRAMES + 1];
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	make_log(&raw, starts);
	for (uint64_t end = 1; end < starts[FRAMES]; end += step) {
		unsigned frame = 0;

		while (starts[frame + 1] <= end)
			frame++;
		raw_set_size(&raw, raw.data_offset + end);
		if (starts[frame] == end) {
			/* Cut between frames: that is just a shorter log. */
			expect_status(verify_raw(&raw, &told, &report), 0);
			assert_int_equal(report.leftover_frames,
			                 FRAMES - frame);
			continue;
		}
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, starts[frame], end, frame);
		expect_status(told.ranges[0].fault.status, SHMLOG_ERR_TORN);
		assert_true(report.torn);
		assert_int_equal(report.frames, frame);
		assert_int_equal(report.frames_after_damage, 0);
	}
	raw_free(&raw);
}

TEST(test_verify_says_what_was_expected_and_found)
{
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	raw_init(&raw, 200);
	raw_append_text(&raw, "good");
	raw_append_text(&raw, "bad");
	raw_append_text(&raw, "good");
	raw_append_text(&raw, "good");
	raw_put16(&raw, 24 + 8, 2);
	expect_status(verify_raw(&raw, &told, &report), 1);
	expect_status(told.ranges[0].fault.status, SHMLOG_ERR_CURSOR);
	assert_int_equal(told.ranges[0].fault.first_word, 2);
	raw_put16(&raw, 24 + 8, 7);
	raw_put16(&raw, 24 + 13, 9);
	expect_status(verify_raw(&raw, &told, &report), 1);
	expect_status(told.ranges[0].fault.status, SHMLOG_ERR_FRAME_CORRUPT);
	assert_int_equal(told.ranges[0].fault.first_word, 7);
	assert_int_equal(told.ranges[0].fault.second_word, 9);
	assert_int_equal(told.ranges[0].fault.available, 7 + 16);
	assert_false(report.torn);
	raw_free(&raw);
}

TEST(test_verify_brackets_a_wrapped_payload_exactly)
{
	static const size_t sizes[] = {65532, 65533,  65534, 65535,
	                               70000, 131067, 200000};

	for (size_t i = 0; i < COUNT_OF(sizes) * 3; i++) {
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		unsigned behind = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 5;

		raw_init(&raw, 300000);
		raw_append_text(&raw, "before");

		uint64_t start = raw_append_fill(&raw, 'A', sizes[i / 3]);
		uint64_t end = raw.size - raw.data_offset;

		for (unsigned j = 0; j < behind; j++)
			raw_append_text(&raw, "behind");
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, start, end, 1);
		assert_int_equal(told.ranges[0].fault.wrapped_payload_bytes,
		                 sizes[i / 3]);
		assert_int_equal(report.frames_after_damage, behind);
		raw_free(&raw);
	}
}

/* --------------------------------- what payloads cannot make it believe */

/* Payloads that are more or less likely to look like frames. */
enum bytes_kind {
	NOISE,
	WORDS, /* text of few words */
	BLANKS,
	ZEROS,
	NUMBERS, /* small ones of 32 bits: their last byte is 0 */
	FRAMED,  /* frames in a frame */
	BYTES_KINDS
};

static void fill_payload(struct chance *chance, enum bytes_kind kind,
                         unsigned char *payload, size_t size_bytes)
{
	static const char *const words[] = {"error ", "info ", "connected ",
	                                    "timeout ", "the "};

	memset(payload, kind == BLANKS ? ' ' : 0, size_bytes);
	for (size_t i = 0; kind == FRAMED && i + 64 < size_bytes;)
		i += shmlog_frame_encode(payload + i, "a frame in a frame",
		                         (size_t)chance_below(chance, 18));
	for (size_t i = 0; kind != FRAMED && i < size_bytes; i++) {
		const char *word = words[chance_below(chance, COUNT_OF(words))];

		if (kind == NOISE)
			payload[i] = (unsigned char)chance_next(chance);
		else if (kind == NUMBERS && i % 4 == 0)
			payload[i] = (unsigned char)chance_next(chance);
		for (; kind == WORDS && *word != '\0' && i < size_bytes; i++)
			payload[i] = (unsigned char)*word++;
	}
}

#define MOST_FRAMES 3000u
#define DAMAGES 3u

/* A log of many frames, all of one kind of bytes. */
static unsigned make_random_log(struct chance *chance, enum bytes_kind kind,
                                struct raw_log *raw, uint64_t *starts)
{
	static unsigned char payload[65531];
	static const size_t sizes[] = {0, 200, 3000, 40000};
	uint64_t most = sizes[chance_below(chance, COUNT_OF(sizes))];
	unsigned count;

	raw_init(raw, 400000);
	for (count = 0; count < MOST_FRAMES; count++) {
		size_t size = most == 0 ? 100
		                        : (size_t)chance_below(chance, most);

		starts[count] = raw->size - 24;
		if (size + 4 > raw->capacity - raw->size)
			break;
		fill_payload(chance, kind, payload, size);
		raw_append(raw, payload, size);
	}
	return count;
}

/* Spoils the words of three frames with some between them: one of each, or,
 * where that can be told from frames in a frame, both. */
static void spoil(struct chance *chance, enum bytes_kind kind,
                  struct raw_log *raw, const uint64_t *starts, unsigned count,
                  unsigned *bad)
{
	for (unsigned i = 0; i < DAMAGES; i++) {
		unsigned ways = 1 + (unsigned)chance_below(
					    chance, kind == FRAMED ? 2 : 3);

		bad[i] = count * i / DAMAGES +
		         (unsigned)chance_below(chance, count / DAMAGES - 3);
		for (unsigned side = 0; side < 2; side++) {
			uint64_t at = 24 + (side == 0 ? starts[bad[i]]
			                              : starts[bad[i] + 1] - 2);

			if ((ways >> side & 1) != 0)
				raw_put16(raw, at, raw_get16(raw, at) ^ 0x8001);
		}
	}
}

TEST(test_verify_loses_no_frame_to_what_payloads_look_like)
{
	const int rounds = rounds_of(36);
	struct chance chance = chance_start("payloads", 5);
	static uint64_t starts[MOST_FRAMES + 1];

	for (int round = 0; round < rounds; round++) {
		enum bytes_kind kind = (enum bytes_kind)round % BYTES_KINDS;
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		unsigned bad[DAMAGES];
		unsigned count = make_random_log(&chance, kind, &raw, starts);

		spoil(&chance, kind, &raw, starts, count, bad);
		if (verify_raw(&raw, &told, &report) != DAMAGES)
			fail_with("round %d: %zu ranges", round,
			          told.range_count);
		for (unsigned i = 0; i < DAMAGES; i++)
			expect_range(&told, i, starts[bad[i]],
			             starts[bad[i] + 1], bad[i] - i);
		assert_int_equal(report.frames, count - DAMAGES);
		raw_free(&raw);
	}
}

/* A frame of frames whose one word is spoiled is lost as a whole: what is in
 * it are no frames of the log. */
TEST(test_verify_takes_no_frame_out_of_a_payload)
{
	for (unsigned side = 0; side < 2; side++) {
		for (size_t inner = 10; inner < 20000; inner *= 9) {
			static unsigned char payload[65531];
			struct shmlog_verify_report report;
			struct told told;
			struct raw_log raw;
			uint64_t starts[21];
			size_t bytes = 0;

			while (bytes + inner + 4 <= sizeof(payload))
				bytes += shmlog_frame_encode(payload + bytes,
				                             "frame in a frame",
				                             inner % 13);
			raw_init(&raw, 2 << 20);
			for (unsigned i = 0; i < 20; i++)
				starts[i] = raw_append(&raw, payload,
				                       bytes - i % 2);
			starts[20] = raw.size - 24;
			raw_put16(&raw,
			          24 + (side == 0 ? starts[9] : starts[10] - 2),
			          3);
			expect_status(verify_raw(&raw, &told, &report), 1);
			expect_range(&told, 0, starts[9], starts[10], 9);
			assert_int_equal(report.frames, 19);
			raw_free(&raw);
		}
	}
}

/* Where all payloads end in a byte 0, the size words that begin there, one byte
 * too early, lead on and on: 104 is 0x68, and 0x6800 is 256 times that. */
TEST(test_verify_takes_no_chain_that_is_off_by_one)
{
	struct chance chance = chance_start("off by one", 7);
	struct shmlog_verify_report report;
	static uint64_t starts[3001];
	struct told told;
	struct raw_log raw;

	raw_init(&raw, 400000);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned char payload[100];

		for (size_t j = 0; j < sizeof(payload); j++)
			payload[j] = (unsigned char)chance_next(&chance);
		payload[sizeof(payload) - 1] = 0;
		starts[i] = raw_append(&raw, payload, sizeof(payload));
	}
	raw_put16(&raw, 24 + starts[10], 1);
	raw_put16(&raw, 24 + starts[11] - 2, 1);
	raw_put16(&raw, 24 + starts[2900], 1);
	expect_status(verify_raw(&raw, &told, &report), 2);
	expect_range(&told, 0, starts[10], starts[11], 10);
	expect_range(&told, 1, starts[2900], starts[2901], 2899);
	raw_free(&raw);
}

/* A spoiled word that by chance names the distance to its like. */
TEST(test_verify_lets_no_frame_reach_over_those_that_lead_to_the_end)
{
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;
	uint64_t starts[31];

	raw_init(&raw, 4096);
	for (unsigned i = 0; i < 30; i++)
		starts[i] = raw_append_fill(&raw, (unsigned char)i, 50 + i);
	starts[30] = raw.size - 24;
	raw_put16(&raw, 24 + starts[3], 1);
	raw_put16(&raw, 24 + starts[10], 200);
	raw_put16(&raw, 24 + starts[10] + 198, 200);
	expect_status(verify_raw(&raw, &told, &report), 2);
	expect_range(&told, 0, starts[3], starts[4], 3);
	expect_range(&told, 1, starts[10], starts[11], 9);
	assert_int_equal(report.frames, 28);
	raw_free(&raw);
}

TEST(test_verify_takes_no_blanks_for_frames_at_a_torn_end)
{
	for (unsigned cut = 1; cut < 40000; cut += 3333) {
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		uint64_t last;

		raw_init(&raw, 200000);
		raw_append_fill(&raw, ' ', 40000);
		last = raw_append_fill(&raw, ' ', 40000);
		raw_set_size(&raw, raw.size - cut);
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, last, raw.size - 24, 1);
		assert_true(report.torn);
		assert_int_equal(report.frames_after_damage, 0);
		raw_free(&raw);
	}
}

/* Damage so long that what follows is found near the end of what is searched
 * together, where a large frame is not seen whole. */
TEST(test_verify_takes_no_frame_out_of_a_payload_far_behind_damage)
{
	for (unsigned lost = 2; lost < 9; lost += 3) {
		static unsigned char payload[60000];
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		uint64_t starts[21];

		for (size_t at = 0; at + 20 <= sizeof(payload);)
			at += shmlog_frame_encode(payload + at,
			                          "frame in a frame", 16);
		raw_init(&raw, 2 << 20);
		for (unsigned i = 0; i < 20; i++)
			starts[i] = raw_append(&raw, payload,
			                       sizeof(payload) - i % 3);
		memset(raw.bytes + 24 + starts[1], 0,
		       starts[1 + lost] - starts[1]);
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, starts[1], starts[1 + lost], 1);
		raw_free(&raw);
	}
}

static int end_at_once(void *context)
{
	++*(unsigned *)context;
	return -EINTR;
}

TEST(test_verify_asks_whether_to_go_on_while_it_searches)
{
	const char *path = scratch("pulse");
	struct shmlog_verify_report report;
	unsigned calls = 0;
	const struct shmlog_verify_visitor visitor = {
		.context = &calls, .keep_going = end_at_once};

	write_numbered_log(path, 4096, 10);
	if (truncate(path, (off_t)1 << 42) != 0)
		skip();
	file_put64(path, 16, UINT64_C(1) << 41);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_verify(log, &visitor, &report), -EINTR);
	assert_int_equal(calls, 1);
	/* The last of the ten is bad or good as the search will have it. */
	assert_int_equal(report.frames, 9);
	shmlog_close(log);
	unlink(path);
}

/* ------------------------------------------------------ what chance makes */

/* Frames of noise with payloads of `least` bytes and up to `range` more. */
static unsigned make_noise_log(struct chance *chance, struct raw_log *raw,
                               uint64_t *starts, unsigned count, size_t least,
                               size_t range)
{
	static unsigned char payload[3000];

	raw_init(raw, 24 + count * (least + range + 4));
	for (unsigned i = 0; i < count; i++) {
		size_t size = least + (size_t)chance_below(chance, range);

		fill_payload(chance, NOISE, payload, size);
		starts[i] = raw_append(raw, payload, size);
	}
	starts[count] = raw->size - raw->data_offset;
	return count;
}

/* All frames have one size, so a word that says so stands 65,536 bytes further
 * on, or a multiple of it, as if it ended a payload whose size wrapped. */
TEST(test_verify_takes_no_distant_word_for_that_of_a_wrapped_size)
{
	static const unsigned totals[] = {37, 32, 64};

	for (size_t i = 0; i < COUNT_OF(totals); i++) {
		unsigned total = totals[i];
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;

		raw_init(&raw, 24 + 100000 * total);
		for (unsigned j = 0; j < 100000; j++)
			raw_append_fill(&raw, 'x', total - 4);
		raw_put16(&raw, 24 + 101 * total - 2, total ^ 4);
		raw_put16(&raw, 24 + 99001 * total - 2, total ^ 128);
		expect_status(verify_raw(&raw, &told, &report), 2);
		expect_range(&told, 0, 100 * total, 101 * total, 100);
		expect_range(&told, 1, 99000 * total, 99001 * total, 98999);
		assert_int_equal(told.ranges[0].fault.wrapped_payload_bytes, 0);
		assert_int_equal(report.frames, 99998);
		raw_free(&raw);
	}
}

TEST(test_verify_keeps_what_lies_between_frames_without_words)
{
	struct chance chance = chance_start("every third frame", 29);
	static uint64_t starts[6001];
	struct shmlog_verify_visitor none = {0};
	struct shmlog_verify_report report;
	struct raw_log raw;
	const char *path = scratch("every-third");

	make_noise_log(&chance, &raw, starts, 6000, 20, 101);
	for (unsigned i = 1; i < 6000; i += 3) {
		raw_put16(&raw, 24 + starts[i],
		          raw_get16(&raw, 24 + starts[i]) ^ 0x0355);
		raw_put16(&raw, 24 + starts[i + 1] - 2,
		          raw_get16(&raw, 24 + starts[i + 1] - 2) ^ 0x052a);
	}
	raw_write(&raw, path);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_verify(log, &none, &report), 2000);
	assert_int_equal(report.frames, 4000);
	shmlog_close(log);
	raw_free(&raw);
}

/* A bad size word that leads to its like: what follows shows that it is bad,
 * be it the first damage or not. */
TEST(test_verify_believes_no_frame_that_good_ones_cross)
{
	struct chance chance = chance_start("a false frame", 31);
	static uint64_t starts[401];

	for (unsigned total = 300; total < 9000; total += 700) {
		for (unsigned damages = 1; damages < 3; damages++) {
			struct shmlog_verify_report report;
			struct told told;
			struct raw_log raw;
			uint64_t at;

			make_noise_log(&chance, &raw, starts, 400, 20, 101);
			if (damages == 2)
				raw_put16(&raw, 24 + starts[5], 1);
			at = 24 + starts[10];
			raw_put16(&raw, at, total);
			raw_put16(&raw, at + total - 2, total);
			(void)verify_raw(&raw, &told, &report);
			expect_range(&told, damages - 1, starts[10], starts[11],
			             10 - (damages - 1));
			/* The second word may have hit one of theirs. */
			assert_in_range(report.frames, 400 - damages - 2,
			                400 - damages);
			raw_free(&raw);
		}
	}
}

TEST(test_verify_raises_no_alarm_about_frames_that_look_like_fills)
{
	static const size_t sizes[] = {65531, 8220,  253,   65531, 65530,
	                               12,    25695, 65531, 65531};

	for (unsigned byte = 0; byte < 256; byte += 17) {
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;

		raw_init(&raw, 1 << 20);
		for (unsigned i = 0; i < 2 * COUNT_OF(sizes); i++) {
			size_t size = sizes[i % COUNT_OF(sizes)];

			raw_append_fill(
				&raw, (unsigned char)(i % 2 == 0 ? byte : 255),
				size);
			raw_append_fill(&raw, ' ', 8220);
		}
		expect_status(verify_raw(&raw, &told, &report), 0);
		raw_free(&raw);
	}
}

TEST(test_verify_takes_no_fill_for_frames)
{
	static const unsigned char bytes[] = {0, 0xff, ' ', 1, 0x80};
	struct chance chance = chance_start("fills", 37);
	static uint64_t starts[4001];

	for (unsigned i = 0; i < COUNT_OF(bytes); i++) {
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		unsigned last = 3000;

		make_noise_log(&chance, &raw, starts, 4000, 100, 100);
		/* From one boundary to the middle of a frame. */
		memset(raw.bytes + 24 + starts[100], bytes[i],
		       starts[last] + 50 - starts[100]);
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, starts[100], starts[last + 1], 100);
		raw_free(&raw);
	}
}

/* A payload of over 64 KiB that holds a log, as a writer that lets sizes wrap
 * puts it into one. */
TEST(test_verify_takes_no_frame_out_of_a_wrapped_payload)
{
	static const size_t sizes[] = {65532, 70000, 131068, 200000};

	for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
		static unsigned char payload[200000];
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		uint64_t start;
		uint64_t end;

		memset(payload, 0, sizeof(payload));
		payload[0] = payload[8] = 24;
		for (size_t at = 24; at + 40 <= sizes[i];)
			at += shmlog_frame_encode(payload + at,
			                          "a frame in a log", at % 16);
		raw_init(&raw, 400000);
		for (unsigned j = 0; j < 20; j++)
			raw_append_fill(&raw, 'b', 100 + j);
		start = raw_append(&raw, payload, sizes[i]);
		end = raw.size - raw.data_offset;
		for (unsigned j = 0; j < 20; j++)
			raw_append_fill(&raw, 'a', 100 + j);
		expect_status(verify_raw(&raw, &told, &report), 1);
		expect_range(&told, 0, start, end, 20);
		assert_int_equal(told.ranges[0].fault.wrapped_payload_bytes,
		                 sizes[i]);
		raw_free(&raw);
	}
}

/* Bytes are lost, or others are inserted, so that all that follows moves. */
TEST(test_verify_finds_frames_that_moved)
{
	struct chance chance = chance_start("moved", 41);
	const int rounds = rounds_of(60);
	static uint64_t starts[301];

	for (int round = 0; round < rounds; round++) {
		size_t cut = 1 + (size_t)chance_below(&chance, 19);
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		unsigned char *at;
		size_t behind;

		make_noise_log(&chance, &raw, starts, 300, 20, 101);
		at = raw.bytes + 24 + starts[100] + 1 +
		     chance_below(&chance, 2);
		behind = raw.size - (size_t)(at - raw.bytes);
		if (round % 2 == 0)
			memmove(at, at + cut, behind - cut);
		else
			memmove(at + cut, at, behind - cut);
		if (round % 2 == 0)
			raw_set_size(&raw, raw.size - cut);
		expect_status(verify_raw(&raw, &told, &report),
		              round % 2 == 0 ? 1 : 2);
		assert_int_equal(told.ranges[0].fault.cursor, starts[100]);
		assert_int_equal(told.ranges[0].end_cursor,
		                 round % 2 == 0 ? starts[101] - cut
		                                : starts[101] + cut);
		raw_free(&raw);
	}
}

/* ------------------------------------------------------ several damages */

TEST(test_verify_brackets_several_damages_each_by_itself)
{
	static const unsigned bad[] = {2, 8, 15, 21};
	uint64_t starts[FRAMES + 1];
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	/* Of each of these frames the first word or the last. */
	for (unsigned i = 0; i < 16; i++) {
		make_log(&raw, starts);
		for (unsigned j = 0; j < COUNT_OF(bad); j++)
			raw_put16(&raw,
			          24 + ((i >> j & 1) != 0
			                        ? starts[bad[j] + 1] - 2
			                        : starts[bad[j]]),
			          j % 2 == 0 ? 0 : 60000);
		expect_status(verify_raw(&raw, &told, &report), 4);
		for (unsigned j = 0; j < COUNT_OF(bad); j++)
			expect_range(&told, j, starts[bad[j]],
			             starts[bad[j] + 1], bad[j] - j);
		assert_int_equal(report.frames, FRAMES - 4);
		assert_int_equal(report.frames_after_damage, FRAMES - 4 - 2);
		raw_free(&raw);
	}
}

TEST(test_verify_brackets_damages_far_apart_in_a_large_log)
{
	struct chance chance = chance_start("large log", 3);
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;
	static uint64_t starts[1001];
	static unsigned char payload[3000];

	raw_init(&raw, 3 << 20);
	for (unsigned i = 0; i < 1000; i++) {
		for (size_t j = 0; j < sizeof(payload); j++)
			payload[j] = (unsigned char)chance_next(&chance);
		starts[i] = raw_append(&raw, payload,
		                       (size_t)chance_below(&chance, 3000));
	}
	starts[1000] = raw.size - 24;
	for (unsigned i = 100; i < 1000; i += 100)
		raw_put16(&raw, 24 + starts[i], 3);
	expect_status(verify_raw(&raw, &told, &report), 9);
	for (unsigned i = 0; i < 9; i++)
		expect_range(&told, i, starts[100 * (i + 1)],
		             starts[100 * (i + 1) + 1], 100 * (i + 1) - i);
	raw_free(&raw);
}

/* Chains of large frames with small ones between them, sound and with a size
 * word of any of them changed; verify_raw() compares the two ways to walk. */
TEST(test_verify_by_sizes_alone_finds_the_same_in_large_frames)
{
	const int rounds = rounds_of(60);
	struct chance chance = chance_start("large frames", 23);
	uint64_t cursors[400];
	struct raw_log raw;

	for (int i = 0; i < rounds; i++) {
		struct shmlog_verify_report report;
		struct told told;
		size_t count = (size_t)chance_below(&chance, 40);

		/* More than a batch, once. */
		if (i == 0)
			count = COUNT_OF(cursors);
		raw_init(&raw,
		         24 + count * 65535 + (size_t)chance_below(&chance, 5));
		for (size_t j = 0; j < count; j++) {
			uint64_t most = chance_below(&chance, 4) == 0 ? 100
			                                              : 65532;

			if (i == 0)
				most = 17000;
			cursors[j] = raw.size - raw.data_offset;
			raw_append_fill(
				&raw, (unsigned char)chance_next(&chance),
				i == 0 ? most : chance_below(&chance, most));
		}
		expect_status(verify_raw(&raw, &told, &report), 0);
		assert_int_equal(report.frames, count);
		for (int j = 0; j < 3 && count > 0; j++) {
			uint64_t at = 24 +
			              cursors[chance_below(&chance, count)];

			if (chance_below(&chance, 2) == 0)
				at += raw_get16(&raw, at) - 2u;
			if (at + 2 <= raw.size)
				raw_put16(
					&raw, at,
					(unsigned)chance_below(&chance, 65536));
			(void)verify_raw(&raw, &told, &report);
		}
		if (count > 0)
			raw_set_size(&raw,
			             raw.size - 1 - chance_below(&chance, 3));
		(void)verify_raw(&raw, &told, &report);
		raw_free(&raw);
	}
}

TEST(test_verify_of_nothing_but_damage_accounts_for_every_byte)
{
	struct chance chance = chance_start("noise", 17);

	for (unsigned round = 0; round < 40; round++) {
		struct shmlog_verify_report report;
		struct told told;
		struct raw_log raw;
		size_t length = 1 + (size_t)chance_below(&chance, 3000);
		unsigned kind = round % 4;

		raw_init(&raw, 24 + length);
		raw_set_size(&raw, raw.capacity);
		for (size_t i = 0; kind != 0 && i < length; i++)
			raw.bytes[24 + i] =
				(unsigned char)(kind == 1 ? chance_next(&chance)
			                        : kind == 2
			                                ? chance_below(&chance,
			                                               5)
			                                : 0x41);
		assert_true(verify_raw(&raw, &told, &report) > 0);
		raw_free(&raw);
	}
}

/* ----------------------------------------------------- every single bit */

/* Marks the bytes whose every change must be found. */
static void mark_words(const struct raw_log *raw, const uint64_t *starts,
                       unsigned char *is_word)
{
	memset(is_word, 1, 24);
	for (unsigned i = 0; i < FRAMES; i++) {
		/* No flip of one bit of `size` must make it another end of
		 * a frame, or nobody could tell. */
		uint64_t flipped = (24 + starts[i]) ^ raw->size;

		assert_true((flipped & (flipped - 1)) != 0);
		memset(is_word + 24 + starts[i], 1, 2);
		memset(is_word + 24 + starts[i + 1] - 2, 1, 2);
	}
}

TEST(test_verify_finds_every_flipped_bit_of_header_and_size_words)
{
	const unsigned step = step_of_all();
	uint64_t starts[FRAMES + 1];
	const char *path = scratch("flips");
	unsigned char is_word[2000] = {0};
	struct raw_log raw;

	make_log(&raw, starts);
	mark_words(&raw, starts, is_word);
	raw_write(&raw, path);
	for (size_t i = 0; i < raw.size * 8; i += step) {
		unsigned char byte = (unsigned char)(raw.bytes[i / 8] ^
		                                     1u << i % 8);
		struct shmlog_verify_report report;
		struct shmlog *log = NULL;

		file_put(path, i / 8, &byte, 1);

		int result = shmlog_open(path, &log);

		if (result == 0)
			result = shmlog_verify(log, NULL, &report);
		if ((result != 0) != is_word[i / 8])
			fail_with("bit %zu of byte %zu: %d", i % 8, i / 8,
			          result);
		shmlog_close(log);
		file_put(path, i / 8, raw.bytes + i / 8, 1);
	}
	expect_file(path, raw.bytes, raw.capacity);
	raw_free(&raw);
}

/* ------------------------------------------------- outside of the commit */

TEST(test_verify_suspects_a_data_offset_behind_whole_frames)
{
	uint64_t starts[FRAMES + 1];
	struct raw_log raw;

	make_log(&raw, starts);
	for (unsigned frame = 0; frame < FRAMES; frame++) {
		struct shmlog_verify_report report;
		struct told told;

		raw.data_offset = 24 + starts[frame];
		raw_put64(&raw, 8, raw.data_offset);
		expect_status(verify_raw(&raw, &told, &report), frame > 0);
		assert_int_equal(report.frames_in_gap, frame);
		assert_int_equal(report.damaged_ranges, 0);
		assert_int_equal(report.frames, FRAMES - frame);
	}
	raw_free(&raw);
}

TEST(test_verify_takes_other_bytes_before_the_data_for_metadata)
{
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	raw_init_at(&raw, 4096, 1000);
	raw_append_text(&raw, "first");
	for (unsigned kind = 0; kind < 3; kind++) {
		memset(raw.bytes + 24,
		       kind == 0   ? 0
		       : kind == 1 ? 4
		                   : 0xff,
		       1000 - 24);
		expect_status(verify_raw(&raw, &told, &report), 0);
		assert_int_equal(report.frames_in_gap, 0);
	}
	for (unsigned at = 24; at < 1000; at += 4) {
		raw_put16(&raw, at, 4);
		raw_put16(&raw, at + 2, 4);
	}
	expect_status(verify_raw(&raw, &told, &report), 1);
	assert_int_equal(report.frames_in_gap, (1000 - 24) / 4);
	/* Within a longer header it is metadata, frames or not. */
	raw_put64(&raw, 0, 1000);
	expect_status(verify_raw(&raw, &told, &report), 0);
	raw_put64(&raw, 0, 1001);
	expect_status(verify_raw(&raw, &told, &report), 1);
	assert_int_equal(report.damaged_ranges, 0);
	raw_free(&raw);
}

TEST(test_verify_counts_what_was_left_behind_the_commit)
{
	struct shmlog_verify_report report;
	struct told told;
	struct raw_log raw;

	raw_init(&raw, 4096);
	raw_append_text(&raw, "committed");

	uint64_t size = raw.size;

	for (unsigned i = 0; i < 3; i++)
		raw_append_text(&raw, "leftover");

	uint64_t end = raw.size;

	raw_set_size(&raw, size);
	expect_status(verify_raw(&raw, &told, &report), 0);
	assert_int_equal(report.frames, 1);
	assert_int_equal(report.leftover_frames, 3);
	assert_true(report.leftover_bytes);
	memset(raw.bytes + size, 0, end - size);
	raw.bytes[4095] = 1;
	expect_status(verify_raw(&raw, &told, &report), 0);
	assert_int_equal(report.leftover_frames, 0);
	assert_true(report.leftover_bytes);
	raw_free(&raw);
}

/* -------------------------------------------------------------- refusals */

static int stop_at_once(void *context, const struct shmlog_frame *frames,
                        size_t count)
{
	(void)context;
	(void)frames;
	(void)count;
	return 42;
}

static int stop_at_damage(void *context, const struct shmlog_damage *damage)
{
	(void)context;
	(void)damage;
	return -43;
}

TEST(test_verify_ends_when_a_visitor_says_so)
{
	const char *path = scratch("stop");
	struct shmlog_verify_visitor visitor = {.frames = stop_at_once};
	struct shmlog_verify_report report;

	write_numbered_log(path, 4096, 10);
	file_put(path, 24 + 33, "\0", 1);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_verify(log, &visitor, &report), 42);
	assert_int_equal(report.header.size, 24 + 110);
	visitor.frames = NULL;
	visitor.damage = stop_at_damage;
	expect_status(shmlog_verify(log, &visitor, &report), -43);
	assert_int_equal(report.frames, 3);
	shmlog_close(log);
}

TEST(test_verify_says_that_the_log_shrank)
{
	const char *path = scratch("shrank");
	static const uint64_t lengths[] = {0, 23, 24, 100, 24 + 109};
	struct shmlog_verify_report report;

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		write_numbered_log(path, 4096, 10);

		struct shmlog *log = open_log(path);

		file_truncate(path, lengths[i]);
		expect_status(shmlog_verify(log, NULL, &report),
		              SHMLOG_ERR_MAPPING_GONE);
		shmlog_close(log);
	}
}

TEST(test_verify_of_huge_holes_is_quick_and_allocates_nothing)
{
	const char *path = scratch("hole");
	struct shmlog_verify_report report;
	int64_t before;

	write_numbered_log(path, 4096, 10);
	if (truncate(path, (off_t)1 << 42) != 0)
		skip();
	/* First a hole behind the commit, then one within it. */
	uint64_t blocks = file_blocks(path);
	struct shmlog *log = open_log(path);

	before = processor_ns();
	expect_status(shmlog_verify(log, NULL, &report), 0);
	assert_true(processor_ns() - before < MILLISECONDS(1000));
	file_put64(path, 16, UINT64_C(1) << 26);
	before = processor_ns();
	expect_status(shmlog_verify(log, NULL, &report), 1);
	assert_true(processor_ns() - before < MILLISECONDS(10000));
	assert_int_equal(report.frames, 10);
	assert_int_equal(file_blocks(path), blocks);
	shmlog_close(log);
	unlink(path);
}

/* --------------------------------------------------------------- salvage */

TEST(test_salvage_copies_the_good_frames_on_both_sides_of_damage)
{
	uint64_t starts[FRAMES + 1];
	const char *path = scratch("damaged");
	const char *copy = scratch("salvaged");
	struct shmlog_verify_report report;
	struct raw_log raw;
	struct raw_log expected;
	struct stat file;

	make_log(&raw, starts);
	raw_put16(&raw, 24 + starts[3], 0);
	raw_put16(&raw, 24 + starts[10] - 2, 60000);
	raw_write(&raw, path);
	raw_init(&expected, raw.capacity);
	for (unsigned i = 0; i < FRAMES; i++) {
		if (i != 3 && i != 9)
			raw_append_fill(&expected, 'x', size_of(i));
	}

	struct shmlog *log = open_log(path);
	mode_t mask = umask(022);
	int lost = shmlog_salvage(log, copy, 0664, NULL, &report);

	umask(mask);
	expect_status(lost, 2);
	assert_int_equal(report.frames, FRAMES - 2);
	expect_file(copy, expected.bytes, expected.capacity);
	expect_file(path, raw.bytes, raw.capacity);
	assert_int_equal(stat(copy, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0644);
	shmlog_close(log);
	raw_free(&expected);
	raw_free(&raw);
}

TEST(test_salvage_of_a_sound_log_loses_nothing)
{
	const char *path = scratch("sound");
	const char *copy = scratch("copy");
	struct shmlog_verify_report report;

	write_numbered_log(path, 4096, 100);

	size_t length;
	unsigned char *bytes = file_bytes(path, &length);
	struct shmlog *log = open_log(path);

	expect_status(shmlog_salvage(log, copy, 0600, NULL, &report), 0);
	expect_file(copy, bytes, length);
	shmlog_close(log);
	free(bytes);
}

TEST(test_salvage_leaves_nothing_behind_when_it_fails)
{
	const char *path = scratch("salvage-fails");
	const char *copy = scratch("salvage-none");
	struct shmlog_verify_visitor visitor = {.frames = stop_at_once};
	struct shmlog_verify_report report;

	write_numbered_log(path, 4096, 10);
	write_numbered_log(copy, 100, 1);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_salvage(log, copy, 0600, NULL, &report), -EEXIST);
	assert_int_equal(file_length(copy), 100);
	assert_int_equal(unlink(copy), 0);
	expect_status(shmlog_salvage(log, copy, 0600, &visitor, &report), 42);
	assert_int_not_equal(access(copy, F_OK), 0);
	file_truncate(path, 60);
	expect_status(shmlog_salvage(log, copy, 0600, NULL, &report),
	              SHMLOG_ERR_MAPPING_GONE);
	assert_int_not_equal(access(copy, F_OK), 0);
	shmlog_close(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_verify_finds_nothing_wrong_with_sound_logs),
		cmocka_unit_test(test_verify_of_the_smallest_and_of_a_full_log),
		cmocka_unit_test(test_verify_needs_no_visitor),
		cmocka_unit_test(
			test_verify_brackets_a_frame_with_any_flipped_size_bit_exactly),
		cmocka_unit_test(
			test_verify_brackets_a_frame_that_lost_both_size_words),
		cmocka_unit_test(
			test_verify_brackets_a_zeroed_block_by_the_frames_whose_words_it_hit),
		cmocka_unit_test(
			test_verify_calls_a_tail_torn_wherever_it_is_cut),
		cmocka_unit_test(test_verify_says_what_was_expected_and_found),
		cmocka_unit_test(
			test_verify_brackets_a_wrapped_payload_exactly),
		cmocka_unit_test(
			test_verify_loses_no_frame_to_what_payloads_look_like),
		cmocka_unit_test(test_verify_takes_no_frame_out_of_a_payload),
		cmocka_unit_test(test_verify_takes_no_chain_that_is_off_by_one),
		cmocka_unit_test(
			test_verify_lets_no_frame_reach_over_those_that_lead_to_the_end),
		cmocka_unit_test(
			test_verify_takes_no_blanks_for_frames_at_a_torn_end),
		cmocka_unit_test(
			test_verify_takes_no_frame_out_of_a_payload_far_behind_damage),
		cmocka_unit_test(
			test_verify_asks_whether_to_go_on_while_it_searches),
		cmocka_unit_test(
			test_verify_takes_no_distant_word_for_that_of_a_wrapped_size),
		cmocka_unit_test(
			test_verify_keeps_what_lies_between_frames_without_words),
		cmocka_unit_test(
			test_verify_believes_no_frame_that_good_ones_cross),
		cmocka_unit_test(
			test_verify_raises_no_alarm_about_frames_that_look_like_fills),
		cmocka_unit_test(test_verify_takes_no_fill_for_frames),
		cmocka_unit_test(
			test_verify_takes_no_frame_out_of_a_wrapped_payload),
		cmocka_unit_test(test_verify_finds_frames_that_moved),
		cmocka_unit_test(
			test_verify_brackets_several_damages_each_by_itself),
		cmocka_unit_test(
			test_verify_brackets_damages_far_apart_in_a_large_log),
		cmocka_unit_test(
			test_verify_by_sizes_alone_finds_the_same_in_large_frames),
		cmocka_unit_test(
			test_verify_of_nothing_but_damage_accounts_for_every_byte),
		cmocka_unit_test(
			test_verify_finds_every_flipped_bit_of_header_and_size_words),
		cmocka_unit_test(
			test_verify_suspects_a_data_offset_behind_whole_frames),
		cmocka_unit_test(
			test_verify_takes_other_bytes_before_the_data_for_metadata),
		cmocka_unit_test(
			test_verify_counts_what_was_left_behind_the_commit),
		cmocka_unit_test(test_verify_ends_when_a_visitor_says_so),
		cmocka_unit_test(test_verify_says_that_the_log_shrank),
		cmocka_unit_test(
			test_verify_of_huge_holes_is_quick_and_allocates_nothing),
		cmocka_unit_test(
			test_salvage_copies_the_good_frames_on_both_sides_of_damage),
		cmocka_unit_test(test_salvage_of_a_sound_log_loses_nothing),
		cmocka_unit_test(
			test_salvage_leaves_nothing_behind_when_it_fails),
	};

	return cmocka_run_group_tests_name("verify", tests, scratch_setup,
	                                   scratch_teardown);
}
