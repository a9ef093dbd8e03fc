/* Progress of long work: what the line and the JSON say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "span.h"

#define SECOND INT64_C(1000000000)
#define MIB (UINT64_C(1) << 20)

/* Work on 100 MiB that began at 10 s. */
static struct cli_progress work(void)
{
	return (struct cli_progress){
		.subject = "/dev/shm/x.shm",
		.total = 100 * MIB,
		.start_ns = 10 * SECOND,
		.seen_ns = 10 * SECOND,
	};
}

static void expect(const struct cli_progress *progress, int64_t now_ns,
                   size_t columns, const char *wanted)
{
	struct cli_progress_text text;

	assert_string_equal(
		cli_progress_describe(&text, progress, now_ns, columns),
		wanted);
}

static void test_line_has_share_rate_and_time_left(void **state)
{
	struct cli_progress progress = work();

	(void)state;
	progress.done = 25 * MIB;
	cli_progress_look(&progress, 15 * SECOND);
	expect(&progress, 15 * SECOND, 80,
	       "/dev/shm/x.shm: 25 %, 25.0 MiB of 100.0 MiB, 5.0 MiB/s, "
	       "15 s left");
	/* All is 100 %, and a bit less is not. */
	progress.done = 100 * MIB - 1;
	expect(&progress, 15 * SECOND, 80,
	       "/dev/shm/x.shm: 99 %, 100.0 MiB of 100.0 MiB, 5.0 MiB/s, "
	       "under 1 s left");
}

static void test_line_of_unknown_length_has_the_time_so_far(void **state)
{
	struct cli_progress progress = work();

	(void)state;
	progress.total = 0;
	progress.done = 10 * MIB;
	cli_progress_look(&progress, 75 * SECOND);
	expect(&progress, 75 * SECOND, 80,
	       "/dev/shm/x.shm: 10.0 MiB, 157.5 KiB/s, 1 min 5 s so far");
}

static void test_line_says_what_is_done_apart_from_the_rule(void **state)
{
	struct cli_progress progress = work();

	(void)state;
	progress.note = "looking for frames behind damage";
	expect(&progress, 12 * SECOND, 100,
	       "/dev/shm/x.shm: 0 %, 0 B of 100.0 MiB, 0 B/s, looking for "
	       "frames behind damage, 2 s so far");
}

static void test_rate_follows_what_was_done_of_late(void **state)
{
	struct cli_progress progress = work();

	(void)state;
	progress.done = 10 * MIB;
	cli_progress_look(&progress, 11 * SECOND);
	assert_float_equal(progress.rate, 10.0 * MIB, 1);
	/* A second with nothing takes a quarter away. */
	cli_progress_look(&progress, 12 * SECOND);
	assert_float_equal(progress.rate, 7.5 * MIB, 1);
	/* No time, no change. */
	cli_progress_look(&progress, 12 * SECOND);
	assert_float_equal(progress.rate, 7.5 * MIB, 1);
}

static void test_a_long_name_loses_its_beginning(void **state)
{
	struct cli_progress progress = work();
	struct cli_progress_text text;

	(void)state;
	progress.subject = "/dev/shm/a/very/long/path/to/a/log.shm";
	expect(&progress, 11 * SECOND, 60,
	       "...th/to/a/log.shm: 0 %, 0 B of 100.0 MiB, 0 B/s, 1 s so far");
	for (size_t columns = 1; columns < 100; columns++) {
		(void)cli_progress_describe(&text, &progress, 11 * SECOND,
		                            columns);
		assert_true(strlen(text.text) <= columns);
	}
	/* Wide characters count twice, and are not cut in two. */
	progress.subject = "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97"
			   "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97";
	expect(&progress, 11 * SECOND, 56,
	       "...\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97"
	       ": 0 %, 0 B of 100.0 MiB, 0 B/s, 1 s so far");
}

static void test_a_hostile_name_is_escaped(void **state)
{
	struct cli_progress progress = work();

	(void)state;
	progress.subject = "x\x1b[2J\n";
	expect(&progress, 11 * SECOND, 80,
	       "x\\x1b[2J\\n: 0 %, 0 B of 100.0 MiB, 0 B/s, 1 s so far");
}

static void expect_json(const struct cli_progress *progress, bool finished,
                        const char *wanted)
{
	char *text = cli_progress_json(progress, 14 * SECOND, finished);

	assert_string_equal(text, wanted);
	free(text);
}

static void test_json_is_exact_and_null_where_nothing_is_known(void **state)
{
	struct cli_progress progress = work();

	(void)state;
	progress.done = 20 * MIB;
	cli_progress_look(&progress, 14 * SECOND);
	expect_json(&progress, false,
	            "{\"event\":\"progress\",\"path\":\"/dev/shm/x.shm\","
	            "\"done_bytes\":20971520,\"total_bytes\":104857600,"
	            "\"share\":0.2,\"bytes_per_second\":5242880,\"seconds\":4,"
	            "\"seconds_left\":16,\"note\":null,\"finished\":false}");
	progress.total = 0;
	progress.subject = NULL;
	progress.note = "a \"note\"";
	expect_json(&progress, true,
	            "{\"event\":\"progress\",\"path\":null,"
	            "\"done_bytes\":20971520,\"total_bytes\":null,"
	            "\"share\":null,\"bytes_per_second\":5242880,\"seconds\":4,"
	            "\"seconds_left\":null,\"note\":\"a \\\"note\\\"\","
	            "\"finished\":true}");
}

static void test_spans_have_two_units(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{0, "under 1 s"},
		{1, "1 s"},
		{59.9, "59 s"},
		{60, "1 min 0 s"},
		{3599, "59 min 59 s"},
		{4800, "1 h 20 min"},
		{90000, "1 d 1 h"},
		{86400.0 * 999, "999 d 0 h"},
		{86400.0 * 1000, "over 1000 d"},
	};
	struct cli_span_text text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(cli_span_describe(&text, cases[i].seconds),
		                    cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_has_share_rate_and_time_left),
		cmocka_unit_test(
			test_line_of_unknown_length_has_the_time_so_far),
		cmocka_unit_test(
			test_line_says_what_is_done_apart_from_the_rule),
		cmocka_unit_test(test_rate_follows_what_was_done_of_late),
		cmocka_unit_test(test_a_long_name_loses_its_beginning),
		cmocka_unit_test(test_a_hostile_name_is_escaped),
		cmocka_unit_test(
			test_json_is_exact_and_null_where_nothing_is_known),
		cmocka_unit_test(test_spans_have_two_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
