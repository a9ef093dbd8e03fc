/* The records of how far a log has come in its stream. */
#include "ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SOURCE 77u

static const struct ledger_record first = {.stream_created = 5};

/* Reads the bytes of a ledger anew, as another process does. */
static enum ledger_state reread(const struct ledger *from, uint64_t end_cursor,
                                struct ledger *into)
{
	*into = (struct ledger){0};
	memcpy(into->bytes, from->bytes, LEDGER_BYTES);
	return ledger_read(into, SOURCE, end_cursor);
}

static void record_is_true_where_the_log_ends(void **state)
{
	const struct ledger_record next = {100, 9, 5};
	struct ledger ledger, seen;

	(void)state;
	ledger_make(&ledger, SOURCE, &first);
	assert_int_equal(reread(&ledger, 0, &seen), LEDGER_GOOD);
	assert_int_equal(seen.now.sequence, 0);
	/* Killed before the commit, and behind it. */
	assert_int_equal(ledger_stage(&ledger, &next), 72);
	assert_int_equal(reread(&ledger, 0, &seen), LEDGER_GOOD);
	assert_int_equal(seen.now.sequence, 0);
	assert_int_equal(reread(&ledger, 100, &seen), LEDGER_GOOD);
	assert_int_equal(seen.now.sequence, 9);
	assert_int_equal(seen.now.stream_created, 5);
	assert_int_equal(reread(&ledger, 50, &seen), LEDGER_STRANGE);
	/* The next one goes in the place of the first. */
	ledger_turn(&ledger, &next);
	assert_int_equal(ledger_stage(&ledger, &next), 40);
}

static void of_two_that_fit_the_later_is_true(void **state)
{
	const struct ledger_record passed = {0, 4, 5};
	struct ledger ledger, seen;

	(void)state;
	ledger_make(&ledger, SOURCE, &first);
	(void)ledger_stage(&ledger, &passed);
	assert_int_equal(reread(&ledger, 0, &seen), LEDGER_GOOD);
	assert_int_equal(seen.now.sequence, 4);
	assert_int_equal(seen.true_one, 1);
}

static void half_a_record_counts_for_nothing(void **state)
{
	const struct ledger_record next = {100, 9, 5};
	struct ledger ledger, seen;

	(void)state;
	ledger_make(&ledger, SOURCE, &first);
	for (size_t at = 72; at < LEDGER_BYTES; at++) {
		(void)ledger_stage(&ledger, &next);
		ledger.bytes[at] ^= 1;
		assert_int_equal(reread(&ledger, 100, &seen), LEDGER_STRANGE);
		assert_int_equal(reread(&ledger, 0, &seen), LEDGER_GOOD);
	}
}

static void label_tells_whose_it_is(void **state)
{
	struct ledger ledger, seen;

	(void)state;
	ledger_make(&ledger, SOURCE + 1, &first);
	assert_int_equal(reread(&ledger, 0, &seen), LEDGER_OTHER);
	for (size_t at = 0; at < LEDGER_LABEL_BYTES; at++) {
		ledger_make(&ledger, SOURCE, &first);
		ledger.bytes[at] ^= 1;
		assert_int_equal(reread(&ledger, 0, &seen), LEDGER_NONE);
	}
	memset(ledger.bytes, 0, LEDGER_BYTES);
	assert_int_equal(reread(&ledger, 0, &seen), LEDGER_NONE);
}

static void sources_differ_by_stream_and_topic(void **state)
{
	(void)state;
	assert_int_not_equal(ledger_source("a", NULL),
	                     ledger_source("b", NULL));
	assert_int_not_equal(ledger_source("a", NULL), ledger_source("a", ""));
	assert_int_not_equal(ledger_source("a", "bc"),
	                     ledger_source("ab", "c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_is_true_where_the_log_ends),
		cmocka_unit_test(of_two_that_fit_the_later_is_true),
		cmocka_unit_test(half_a_record_counts_for_nothing),
		cmocka_unit_test(label_tells_whose_it_is),
		cmocka_unit_test(sources_differ_by_stream_and_topic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
