/* The places in an output at which batches of frames begin. */
#include "support.h"

#include "delivery.h"

static struct cli_delivery delivery;

TEST(test_delivery_counts_the_batches_that_begin_within_what_was_written)
{
	delivery.count = 0;
	assert_int_equal(cli_delivery_count(&delivery, 1000), 0);
	for (uint64_t i = 0; i < 500; i++) {
		const struct cli_mark mark = {.bytes = 10 + i * 10, .index = i};

		cli_delivery_note(&delivery, &mark);
	}
	assert_int_equal(cli_delivery_count(&delivery, 9), 0);
	assert_int_equal(cli_delivery_count(&delivery, 10), 1);
	assert_int_equal(cli_delivery_count(&delivery, 1009), 100);
	assert_int_equal(cli_delivery_count(&delivery, 1010), 101);
	assert_int_equal(cli_delivery_count(&delivery, UINT64_MAX), 500);
	assert_int_equal(delivery.marks[100].index, 100);
}

/* Batches that make no output begin at one place, and all but the last of them
 * have left it. */
TEST(test_delivery_counts_batches_at_one_place)
{
	delivery.count = 0;
	for (uint64_t i = 0; i < 5; i++)
		cli_delivery_note(&delivery, &(struct cli_mark){.bytes = 7});
	assert_int_equal(cli_delivery_count(&delivery, 6), 0);
	assert_int_equal(cli_delivery_count(&delivery, 7), 5);
}

TEST(test_delivery_is_full_before_it_overflows)
{
	uint64_t noted = 0;

	delivery.count = 0;
	while (!cli_delivery_is_full(&delivery)) {
		const struct cli_mark mark = {.bytes = noted++};

		cli_delivery_note(&delivery, &mark);
	}
	assert_int_equal(noted, CLI_DELIVERY_MARKS);
	assert_int_equal(delivery.count, CLI_DELIVERY_MARKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_delivery_counts_the_batches_that_begin_within_what_was_written),
		cmocka_unit_test(test_delivery_counts_batches_at_one_place),
		cmocka_unit_test(test_delivery_is_full_before_it_overflows),
	};

	return cmocka_run_group_tests_name("cli_delivery", tests, NULL, NULL);
}
