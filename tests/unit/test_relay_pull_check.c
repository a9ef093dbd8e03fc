/* What is judged of messages before their frames are appended. */
#include "pull_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct pull_check nothing = {0};
static const unsigned char two_frames[] = {5, 0, 'x', 5, 0, 4, 0, 4, 0};

static struct engine_message plain(uint64_t sequence, uint64_t cursor)
{
	struct engine_message message = {.sequence = sequence,
	                                 .bytes = "abc",
	                                 .size_bytes = 3,
	                                 .stamped = true,
	                                 .cursor = cursor};

	memcpy(message.log, "one", 4);
	return message;
}

static enum pull_verdict judge_packed(size_t size_bytes, uint64_t frames)
{
	struct engine_message message = plain(1, 0);

	message.bytes = two_frames;
	message.size_bytes = size_bytes;
	message.frames = frames;
	return pull_check_judge(&nothing, &message, 0, 0, false);
}

static void sequence_has_no_gap(void **state)
{
	struct engine_message message = plain(5, 0);

	(void)state;
	assert_int_equal(pull_check_judge(&nothing, &message, 4, 0, false),
	                 PULL_GOOD);
	assert_int_equal(pull_check_judge(&nothing, &message, 3, 0, false),
	                 PULL_GAP);
	assert_int_equal(pull_check_judge(&nothing, &message, 3, 0, true),
	                 PULL_GOOD);
}

static void cursors_go_on(void **state)
{
	struct engine_message message = plain(1, 70);
	struct pull_check check = {0};

	(void)state;
	/* The first frame of all is that of its log. */
	assert_int_equal(pull_check_judge(&check, &message, 0, 0, false),
	                 PULL_SHIFTED);
	pull_check_take(&check, &message, 100);
	message = plain(2, 77);
	assert_int_equal(pull_check_judge(&check, &message, 1, 107, false),
	                 PULL_GOOD);
	message.cursor = 78;
	assert_int_equal(pull_check_judge(&check, &message, 1, 107, false),
	                 PULL_SHIFTED);
	assert_int_equal(pull_check_expected(&check, 107), 77);
	memcpy(message.log, "two", 4);
	assert_int_equal(pull_check_judge(&check, &message, 1, 107, false),
	                 PULL_REPLACED);
	message.stamped = false;
	assert_int_equal(pull_check_judge(&check, &message, 1, 107, false),
	                 PULL_GOOD);
}

static void packed_messages_are_whole_frames(void **state)
{
	(void)state;
	assert_int_equal(judge_packed(9, 2), PULL_GOOD);
	assert_int_equal(judge_packed(9, 1), PULL_BAD);
	assert_int_equal(judge_packed(9, 3), PULL_BAD);
	assert_int_equal(judge_packed(8, 2), PULL_BAD);
	assert_int_equal(judge_packed(5, 1), PULL_GOOD);
	assert_int_equal(judge_packed(0, 1), PULL_BAD);
}

static void frame_has_a_largest_size(void **state)
{
	struct engine_message message = plain(1, 0);

	(void)state;
	message.size_bytes = 65531;
	assert_int_equal(pull_check_judge(&nothing, &message, 0, 0, false),
	                 PULL_GOOD);
	assert_int_equal(pull_check_frame_bytes(&message), 65535);
	message.size_bytes = 65532;
	assert_int_equal(pull_check_judge(&nothing, &message, 0, 0, false),
	                 PULL_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequence_has_no_gap),
		cmocka_unit_test(cursors_go_on),
		cmocka_unit_test(packed_messages_are_whole_frames),
		cmocka_unit_test(frame_has_a_largest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
