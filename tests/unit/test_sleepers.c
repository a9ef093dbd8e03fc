/* Threads that sleep on words for others: what they report, and when. */
#include "support.h"

#include "sleepers.h"

#include <errno.h>
#include <stdatomic.h>

#define WORDS 3
#define LONG_NS (INT64_C(60) * 1000000000)

static _Atomic uint64_t words[2][WORDS];

static struct shmlog_sleepers *open_sleepers(void)
{
	struct shmlog_sleepers *sleepers = shmlog_sleepers_open(2);

	/* A kernel that cannot sleep on several words. */
	if (sleepers == NULL)
		skip();
	assert_int_equal(shmlog_sleepers_count(sleepers), 2);
	assert_true(shmlog_sleepers_fit(sleepers, 2));
	assert_false(shmlog_sleepers_fit(sleepers, 3));
	for (size_t group = 0; group < 2; group++) {
		struct shmlog_group *to = shmlog_sleepers_group(sleepers,
		                                                group);

		for (size_t i = 0; i < WORDS; i++)
			to->words[i].word = &words[group][i];
		to->count = WORDS;
	}
	return sleepers;
}

/* Lets a thread sleep on its words as they are now. */
static void let_sleep(struct shmlog_sleepers *sleepers, size_t group,
                      int64_t poll_ns)
{
	struct shmlog_group *to = shmlog_sleepers_group(sleepers, group);

	assert_true(shmlog_sleepers_rests(sleepers, group));
	for (size_t i = 0; i < WORDS; i++)
		to->words[i].expected = atomic_load(&words[group][i]);
	shmlog_sleepers_sleep(sleepers, group, poll_ns);
	assert_false(shmlog_sleepers_rests(sleepers, group));
}

/* Waits for the bell until a thread has a report. */
static struct shmlog_report wait_for_report(struct shmlog_sleepers *sleepers,
                                            size_t group)
{
	struct shmlog_report report;

	for (;;) {
		struct shmlog_awaited bell = shmlog_sleepers_bell(sleepers);

		if (shmlog_sleepers_take_report(sleepers, group, &report))
			break;
		(void)shmlog_sys_wait(bell.word, bell.expected, LONG_NS);
	}
	/* It is taken once. */
	assert_false(shmlog_sleepers_take_report(sleepers, group, &report));
	assert_true(shmlog_sleepers_rests(sleepers, group));
	return report;
}

TEST(test_report_of_a_wake_names_the_word)
{
	struct shmlog_sleepers *sleepers = open_sleepers();
	struct shmlog_report report;

	for (int round = 0; round < 300; round++) {
		size_t group = (size_t)round % 2;
		size_t which = (size_t)round % WORDS;

		let_sleep(sleepers, group, LONG_NS);
		/* One that sleeps is woken; one that has yet to is told by the
		 * value. */
		atomic_fetch_add(&words[group][which], 1);
		(void)shmlog_sys_wake(&words[group][which]);
		report = wait_for_report(sleepers, group);
		if (report.status == 1)
			assert_int_equal(report.which, which);
		else
			assert_int_equal(report.status, -EAGAIN);
	}
	shmlog_sleepers_close(sleepers);
}

TEST(test_report_of_a_store_comes_with_a_poll)
{
	struct shmlog_sleepers *sleepers = open_sleepers();
	struct shmlog_report report;
	bool polled = false;

	for (int round = 0; round < 1000 && !polled; round++) {
		let_sleep(sleepers, 1, MILLISECONDS(1));
		sleep_ns(MILLISECONDS(5));
		atomic_fetch_add(&words[1][2], 1);
		report = wait_for_report(sleepers, 1);
		polled = report.status == 0;
		if (!polled) /* it had yet to sleep */
			assert_int_equal(report.status, -EAGAIN);
	}
	assert_true(polled);
	shmlog_sleepers_close(sleepers);
}

/* What is recalled leaves no report, and sleeps again at once: the wake of an
 * order that comes late is no wake of a word. */
TEST(test_orders_are_no_news)
{
	struct shmlog_sleepers *sleepers = open_sleepers();
	struct shmlog_report report;

	for (int round = 0; round < 2000; round++) {
		let_sleep(sleepers, 0, LONG_NS);
		assert_false(shmlog_sleepers_take_report(sleepers, 0, &report));
		shmlog_sleepers_recall(sleepers, 0);
		assert_true(shmlog_sleepers_rests(sleepers, 0));
		assert_false(shmlog_sleepers_take_report(sleepers, 0, &report));
	}
	let_sleep(sleepers, 0, LONG_NS);
	sleep_ns(MILLISECONDS(20));
	assert_false(shmlog_sleepers_take_report(sleepers, 0, &report));
	shmlog_sleepers_close(sleepers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_of_a_wake_names_the_word),
		cmocka_unit_test(test_report_of_a_store_comes_with_a_poll),
		cmocka_unit_test(test_orders_are_no_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
