/* The places in an output that frames begin at. */
#include "support.h"

#include "delivery.h"

TEST(test_delivery_knows_the_last_place_that_was_reached)
{
	struct cli_delivery delivery = {0};

	assert_null(cli_delivery_find(&delivery, 1000));
	for (uint64_t i = 0; i < 500; i++) {
		const struct cli_mark mark = {10 + i * 10, i * 7, i};

		cli_delivery_note(&delivery, &mark, 0);
	}
	assert_null(cli_delivery_find(&delivery, 9));
	assert_int_equal(cli_delivery_find(&delivery, 10)->cursor, 0);
	assert_int_equal(cli_delivery_find(&delivery, 1009)->index, 99);
	assert_int_equal(cli_delivery_find(&delivery, 1010)->index, 100);
	assert_int_equal(cli_delivery_find(&delivery, UINT64_MAX)->index, 499);
	cli_delivery_release(&delivery);
}

/* However much passes, what waits is all that is held. */
TEST(test_delivery_drops_what_has_left)
{
	struct cli_delivery delivery = {0};

	for (uint64_t i = 0; i < 100000; i++) {
		const struct cli_mark mark = {i * 10, i, i};
		uint64_t written = i < 20 ? 0 : (i - 20) * 10;

		cli_delivery_note(&delivery, &mark, written);
		assert_int_equal(cli_delivery_find(&delivery, written)->cursor,
		                 i < 20 ? 0 : i - 20);
	}
	assert_in_range(delivery.capacity, 20, 1000);
	cli_delivery_release(&delivery);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_delivery_knows_the_last_place_that_was_reached),
		cmocka_unit_test(test_delivery_drops_what_has_left),
	};

	return cmocka_run_group_tests_name("cli_delivery", tests, NULL, NULL);
}
