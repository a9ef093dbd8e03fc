/* Which prompts a window counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "prompt_window.h"

static struct prompt *add(struct window *window, uint64_t cursor,
                          enum prompt_state state)
{
	struct prompt *prompt = calloc(1, sizeof(*prompt));

	assert_non_null(prompt);
	prompt->cursor = cursor;
	prompt->next_cursor = cursor + 5;
	prompt->state = state;
	window_add(window, prompt);
	return prompt;
}

/* What has its reply stays behind one that has none, and counts no more. */
static void test_unanswered(void **state)
{
	struct window window = {.most = 8};
	struct prompt *first = add(&window, 0, PROMPT_WAITING);
	struct prompt *second = add(&window, 5, PROMPT_WAITING);

	(void)state;
	(void)add(&window, 10, PROMPT_ANSWERED);
	assert_int_equal(window.unanswered_count, 2);
	window_send(&window, first);
	window_send(&window, second);
	assert_int_equal(window.unanswered_count, 2);
	assert_int_equal(window.waiting_count, 0);
	window_answer(&window, second);
	assert_int_equal(window.count, 3);
	assert_int_equal(window.unanswered_count, 1);
	window_answer(&window, first);
	assert_int_equal(window.count, 0);
	assert_int_equal(window.unanswered_count, 0);
	(void)add(&window, 15, PROMPT_WAITING);
	window_release(&window);
	assert_int_equal(window.unanswered_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unanswered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
