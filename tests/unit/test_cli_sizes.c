/* What is told about payload sizes: exact, at both ends of the range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sizes.h"

static struct cli_sizes sizes;

static int set_up(void **state)
{
	(void)state;
	return cli_sizes_init(&sizes);
}

static int tear_down(void **state)
{
	(void)state;
	cli_sizes_release(&sizes);
	return 0;
}

static void add(uint32_t size_bytes, size_t times)
{
	sizes.counts[size_bytes] += times;
	sizes.frames += times;
	sizes.total_bytes += times * size_bytes;
}

static void expect_summary(uint64_t min, uint64_t max, double mean,
                           double median)
{
	struct cli_sizes_summary summary;

	assert_true(cli_sizes_summarise(&sizes, &summary));
	assert_int_equal(summary.min, min);
	assert_int_equal(summary.max, max);
	assert_float_equal(summary.mean, mean, 1e-9);
	assert_float_equal(summary.median, median, 1e-9);
}

static void test_sizes_of_no_frames_have_no_summary(void **state)
{
	struct cli_sizes_bucket buckets[CLI_SIZES_BUCKETS];
	struct cli_sizes_summary summary;

	(void)state;
	assert_false(cli_sizes_summarise(&sizes, &summary));
	assert_int_equal(cli_sizes_buckets(&sizes, buckets), 0);
}

static void test_sizes_median_is_the_middle(void **state)
{
	(void)state;
	add(7, 1);
	expect_summary(7, 7, 7, 7);
	add(10, 1);
	expect_summary(7, 10, 8.5, 8.5);
	add(100, 1);
	expect_summary(7, 100, 39, 10);
	add(10, 3);
	expect_summary(7, 100, 147.0 / 6, 10);
}

static void test_sizes_reach_from_empty_to_largest_payload(void **state)
{
	(void)state;
	add(0, 1);
	add(SHMLOG_PAYLOAD_MAX_BYTES, 1);
	expect_summary(0, 65531, 32765.5, 32765.5);
	assert_int_equal(sizes.total_bytes, 65531);
	assert_int_equal(sizes.frames, 2);
}

static void expect_bucket(const struct cli_sizes_bucket *bucket, uint64_t min,
                          uint64_t max, uint64_t count)
{
	assert_int_equal(bucket->min, min);
	assert_int_equal(bucket->max, max);
	assert_int_equal(bucket->count, count);
}

static void test_buckets_hold_both_of_their_ends(void **state)
{
	struct cli_sizes_bucket buckets[CLI_SIZES_BUCKETS];

	(void)state;
	for (uint32_t size = 0; size <= SHMLOG_PAYLOAD_MAX_BYTES; size++)
		add(size, 1);
	assert_int_equal(cli_sizes_buckets(&sizes, buckets), 17);
	expect_bucket(&buckets[0], 0, 0, 1);
	expect_bucket(&buckets[1], 1, 1, 1);
	expect_bucket(&buckets[2], 2, 3, 2);
	expect_bucket(&buckets[3], 4, 7, 4);
	expect_bucket(&buckets[15], 16384, 32767, 16384);
	expect_bucket(&buckets[16], 32768, 65531, 32764);
}

static void test_buckets_begin_and_end_where_there_is_something(void **state)
{
	struct cli_sizes_bucket buckets[CLI_SIZES_BUCKETS];

	(void)state;
	add(5, 2);
	add(40, 9);
	assert_int_equal(cli_sizes_buckets(&sizes, buckets), 4);
	expect_bucket(&buckets[0], 4, 7, 2);
	expect_bucket(&buckets[1], 8, 15, 0);
	expect_bucket(&buckets[2], 16, 31, 0);
	expect_bucket(&buckets[3], 32, 63, 9);
}

#define SIZES_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIZES_TEST(test_sizes_of_no_frames_have_no_summary),
		SIZES_TEST(test_sizes_median_is_the_middle),
		SIZES_TEST(test_sizes_reach_from_empty_to_largest_payload),
		SIZES_TEST(test_buckets_hold_both_of_their_ends),
		SIZES_TEST(test_buckets_begin_and_end_where_there_is_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
