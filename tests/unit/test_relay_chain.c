/* Messages on their way: the window, receipts, and what a failure leaves.  The
 * server is one of the test. */
#include "message_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* A stream in memory that answers when it is told to. */
struct fake {
	struct engine engine;
	uint64_t published; /* the last number */
	uint64_t asked[64]; /* numbers that a receipt is wanted for */
	size_t asked_count;
	size_t answered; /* of these */
	bool answers;
	enum engine_status answer;
	uint64_t last; /* in the stream */
};

static enum engine_status publish(struct engine *engine,
                                  const struct engine_message *message,
                                  bool wants_receipt)
{
	struct fake *fake = (struct fake *)engine;

	assert_int_equal(message->sequence, fake->published + 1);
	fake->published = message->sequence;
	if (wants_receipt) {
		assert_true(fake->asked_count < 64);
		fake->asked[fake->asked_count++] = message->sequence;
	}
	return ENGINE_OK;
}

static enum engine_status receipt(struct engine *engine, int64_t most_ns,
                                  uint64_t *sequence_out)
{
	struct fake *fake = (struct fake *)engine;

	(void)most_ns;
	if (!fake->answers || fake->answered == fake->asked_count)
		return ENGINE_NONE;
	*sequence_out = fake->asked[fake->answered++];
	return fake->answer;
}

static enum engine_status flush(struct engine *engine)
{
	(void)engine;
	return ENGINE_OK;
}

static void forget(struct engine *engine)
{
	struct fake *fake = (struct fake *)engine;

	fake->answered = fake->asked_count = 0;
}

static enum engine_status describe(struct engine *engine,
                                   struct engine_stream *stream_out)
{
	struct fake *fake = (struct fake *)engine;

	*stream_out = (struct engine_stream){.last_sequence = fake->last};
	return ENGINE_OK;
}

static const struct engine_kind kind = {
	.publish = publish,
	.receipt = receipt,
	.flush = flush,
	.forget = forget,
	.describe = describe,
};

static struct fake fake;
static struct relay_link work;
static struct chain chain;

static int begin(void **state)
{
	(void)state;
	fake = (struct fake){.engine.kind = &kind, .published = 10};
	relay_link_begin(&work, &fake.engine, NULL, "s");
	chain = (struct chain){
		.engine = &fake.engine, .link = &work, .window = 100};
	chain_begin(&chain, 10, 1000);
	return 0;
}

static enum engine_status send(size_t bytes, bool last)
{
	struct engine_message message = {.size_bytes = bytes};

	return chain_send(&chain, &message, chain.sent.end_cursor + bytes,
	                  last);
}

static void receipt_is_for_all_before_it(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_equal(send(10, i == 29), ENGINE_OK);
	/* One in a quarter of the window, and the last one. */
	assert_int_equal(fake.asked_count, 2);
	assert_int_equal(fake.asked[0], 35);
	assert_int_equal(fake.asked[1], 40);
	assert_int_equal(chain_collect(&chain), ENGINE_OK);
	assert_false(chain_is_settled(&chain));
	fake.answers = true;
	assert_int_equal(chain_collect(&chain), ENGINE_OK);
	assert_true(chain_is_settled(&chain));
	assert_int_equal(chain.stored.sequence, 40);
	assert_int_equal(chain.stored.end_cursor, 1300);
}

static void window_bounds_what_is_on_its_way(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(send(1, false), ENGINE_OK);
	/* The time is over, so that the wait ends. */
	work.ends.timeout_ns = 0;
	assert_int_equal(send(1, false), ENGINE_NONE);
	assert_int_equal(fake.published, 110);
	work.ends.timeout_ns = -1;
	fake.answers = true;
	assert_int_equal(send(1, false), ENGINE_OK);
	assert_int_equal(fake.published, 111);
}

static void bytes_bound_what_is_on_its_way(void **state)
{
	(void)state;
	work.ends.timeout_ns = 0;
	for (int i = 0; i < 8; i++)
		assert_int_equal(send(1 << 20, false), ENGINE_OK);
	assert_int_equal(send(1, false), ENGINE_NONE);
	assert_int_equal(fake.asked_count, 8);
}

static void message_of_any_size_goes_alone(void **state)
{
	(void)state;
	work.ends.timeout_ns = 0;
	assert_int_equal(send(9 << 20, true), ENGINE_OK);
	assert_int_equal(send(1, false), ENGINE_NONE);
}

static void refusal_is_told(void **state)
{
	(void)state;
	assert_int_equal(send(1, true), ENGINE_OK);
	fake.answers = true;
	fake.answer = ENGINE_MISPLACED;
	assert_int_equal(chain_collect(&chain), ENGINE_MISPLACED);
	assert_int_equal(chain.stored.sequence, 10);
}

static void last_message_without_a_receipt_is_looked_for(void **state)
{
	(void)state;
	assert_int_equal(send(7, false), ENGINE_OK);
	assert_int_equal(fake.asked_count, 0);
	assert_int_equal(chain_settle(&chain, 20000000), ENGINE_NONE);
	fake.last = 11;
	assert_int_equal(chain_settle(&chain, 20000000), ENGINE_OK);
	assert_true(chain_is_settled(&chain));
	assert_int_equal(chain.stored.end_cursor, 1007);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(receipt_is_for_all_before_it, begin),
		cmocka_unit_test_setup(window_bounds_what_is_on_its_way, begin),
		cmocka_unit_test_setup(bytes_bound_what_is_on_its_way, begin),
		cmocka_unit_test_setup(message_of_any_size_goes_alone, begin),
		cmocka_unit_test_setup(refusal_is_told, begin),
		cmocka_unit_test_setup(
			last_message_without_a_receipt_is_looked_for, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
