/*
 * The second half of a tally: where it is worth something, the number is that
 * of a plain walk, whatever the log holds.
 */
#include "support.h"

#include "command.h"
#include "open_log.h"
#include "regex.h"
#include "second_half.h"
#include "typed.h"

#include <string.h>
#include <unistd.h>

static const struct cli_typed untyped = {.type = NULL};

/* Frames with a seven.  The pattern is interpreted: machine code looks at whole
 * blocks, and so at bytes behind the payloads, which valgrind reports. */
static struct cli_filter *make_filter(void)
{
	struct cli_filter *filter;
	struct cli_regex_error error;
	struct cli_regex *any = cli_regex_compile(".", 1, 0, &error);

	if (any == NULL && error.failure == CLI_REGEX_NOT_BUILT)
		skip();
	cli_regex_free(any);
	assert_int_equal(cli_filter_of_pattern(&filter, "(*NO_JIT)7", &untyped),
	                 CLI_OK);
	return filter;
}

/* What a walk has found. */
struct found {
	uint64_t frames; /* that pass */
	bool whole;      /* it came to the end */
	bool halved;     /* a part was counted apart */
};

static uint64_t count_passing(struct cli_filter *filter,
                              const struct shmlog_frame *frames, size_t count)
{
	bool passes[64];
	size_t judged;
	uint64_t passed = 0;

	assert_int_equal(
		cli_filter_judge(filter, frames, count, passes, &judged),
		CLI_OK);
	for (size_t i = 0; i < count; i++)
		passed += passes[i];
	return passed;
}

/* Goes over the frames before the cursor `end`, with the second half counted
 * apart, if there is one. */
static struct found tally(struct shmlog *log, uint64_t end,
                          struct cli_filter *filter,
                          struct cli_second_half *half)
{
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);
	struct shmlog_frame frames[64];
	struct found found = {.whole = false};
	int count = 0;

	while (!found.whole && shmlog_reader_cursor(reader) < end &&
	       (count = shmlog_reader_next_batch(reader, 64, 0, frames)) > 0) {
		enum cli_meeting meeting = CLI_MEETING_AHEAD;
		size_t all = cli_frames_before(frames, (size_t)count, end);
		size_t before = all;
		uint64_t more;

		if (half != NULL)
			meeting = cli_second_half_meet(half, frames, all,
			                               &before);
		found.frames += count_passing(filter, frames, before);
		if (meeting == CLI_MEETING_AHEAD)
			continue;
		if (meeting == CLI_MEETING_REACHED &&
		    cli_second_half_result(half, &more)) {
			found.frames += more;
			found.halved = found.whole = true;
		} else {
			found.frames += count_passing(filter, frames + before,
			                              all - before);
		}
		cli_second_half_end(half);
		half = NULL;
	}
	cli_second_half_end(half);
	found.whole |= count >= 0;
	shmlog_reader_close(reader);
	return found;
}

/* Compares the two ways to count; whether a half was worth something. */
static bool compare(const char *path, uint64_t end)
{
	struct cli_filter *filter = make_filter();
	struct cli_filter *twin = make_filter();
	struct shmlog *log = open_log(path);
	struct found plain = tally(log, end, filter, NULL);
	struct found halves = tally(
		log, end, filter, cli_second_half_begin(log, 0, end, twin, 0));

	assert_int_equal(halves.whole, plain.whole);
	assert_int_equal(halves.frames, plain.frames);
	shmlog_close(log);
	cli_filter_free(twin);
	cli_filter_free(filter);
	return halves.halved;
}

/* Frames of numbers; some hold frames themselves. */
static void fill(struct raw_log *raw, struct chance *chance, size_t count,
                 uint64_t *end_out)
{
	unsigned char payload[64];
	size_t last = (size_t)chance_below(chance, count + 1);

	*end_out = 0;

	for (size_t i = 0; i < count; i++) {
		size_t size = (size_t)chance_below(chance, 40);

		for (size_t at = 0; at < size; at++)
			payload[at] = (unsigned char)('0' +
			                              chance_below(chance, 10));
		if (size > 12 && chance_below(chance, 4) == 0)
			memcpy(payload, "\5\0007\5\0\6\00077\6", 11);
		(void)raw_append(raw, payload, size);
		if (i + 1 == last)
			*end_out = raw->size - raw->data_offset;
	}
}

TEST(test_halves_of_random_logs_count_what_a_walk_counts)
{
	struct chance chance = chance_start("halves", 5);
	const char *path = scratch("halves");
	int halved = 0, rounds = rounds_of(300);

	for (int round = 0; round < rounds; round++) {
		struct raw_log raw;
		uint64_t end;

		raw_init(&raw, 65536);
		fill(&raw, &chance, (size_t)chance_below(&chance, 900), &end);
		/* Damage in two of three. */
		for (int i = round % 3; i > 0 && raw.size > 24; i--)
			raw.bytes[24 + chance_below(&chance, raw.size - 24)] ^=
				(unsigned char)(1 + chance_below(&chance, 255));
		raw_write(&raw, path);
		halved += compare(path, raw.size - raw.data_offset);
		/* What was committed later does not count. */
		(void)compare(path, end);
		raw_free(&raw);
	}
	/* One of three has no damage. */
	assert_true(halved > rounds / 4 || sysconf(_SC_NPROCESSORS_ONLN) < 2);
}

static enum cli_meeting meet(const struct cli_second_half *half, uint64_t from,
                             uint64_t to, size_t *before_out)
{
	struct shmlog_frame frame = {.cursor = from, .next_cursor = to};

	return cli_second_half_meet(half, &frame, 1, before_out);
}

/* Frames that lead past the place where the half begins, as one inside a payload
 * would be. */
TEST(test_half_is_met_at_its_first_byte_alone)
{
	const char *path = scratch("met");
	struct cli_filter *filter = make_filter();
	uint64_t start = 0;
	size_t before;

	write_numbered_log(path, 65536, 1000);
	struct shmlog *log = open_log(path);
	struct cli_second_half *half = cli_second_half_begin(log, 0, 10000,
	                                                     filter, 0);

	if (half == NULL) /* one processor */
		skip();
	while (meet(half, start, start + 1, &before) == CLI_MEETING_AHEAD)
		start++;
	start++;
	assert_int_equal(meet(half, start - 9, start - 1, &before),
	                 CLI_MEETING_AHEAD);
	assert_int_equal(before, 1);
	assert_int_equal(meet(half, start - 9, start, &before),
	                 CLI_MEETING_REACHED);
	assert_int_equal(before, 1);
	assert_int_equal(meet(half, start, start + 9, &before),
	                 CLI_MEETING_REACHED);
	assert_int_equal(before, 0);
	assert_int_equal(meet(half, start - 1, start + 1, &before),
	                 CLI_MEETING_MISSED);
	assert_int_equal(before, 1);
	assert_int_equal(meet(half, start + 1, start + 9, &before),
	                 CLI_MEETING_MISSED);
	assert_int_equal(before, 0);
	cli_second_half_end(half);
	shmlog_close(log);
	cli_filter_free(filter);
}

TEST(test_half_of_little_is_not_begun)
{
	const char *path = scratch("little");
	struct cli_filter *filter = make_filter();

	write_numbered_log(path, 65536, 100);
	struct shmlog *log = open_log(path);

	assert_null(cli_second_half_begin(log, 0, 1100, filter, 1101));
	assert_null(cli_second_half_begin(log, 0, 0, filter, 0));
	assert_null(cli_second_half_begin(log, 1100, 0, filter, 0));
	/* One that nobody waits for is ended. */
	cli_second_half_end(cli_second_half_begin(log, 0, 1100, filter, 1100));
	cli_second_half_end(NULL);
	shmlog_close(log);
	cli_filter_free(filter);
	(void)compare(path, 1100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_halves_of_random_logs_count_what_a_walk_counts),
		cmocka_unit_test(test_half_is_met_at_its_first_byte_alone),
		cmocka_unit_test(test_half_of_little_is_not_begun),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
