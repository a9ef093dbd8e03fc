/* The key is taken from where it was, and found in texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"

static void test_taken_from_the_environment(void **state)
{
	struct secret secret;
	const char *value;

	(void)state;
	assert_int_equal(setenv("ANTHROPIC_AUTH_TOKEN", "the-token", 1), 0);
	assert_int_equal(setenv("ANTHROPIC_API_KEY", "the-key", 1), 0);
	value = getenv("ANTHROPIC_API_KEY");
	assert_int_equal(secret_take(&secret, -1), 0);
	assert_string_equal(secret.key, "the-key");
	assert_false(secret.is_token);
	assert_null(getenv("ANTHROPIC_API_KEY"));
	assert_null(getenv("ANTHROPIC_AUTH_TOKEN"));
	assert_string_equal(value, "");
	secret_release(&secret);
}

static void test_taken_from_a_descriptor(void **state)
{
	struct secret secret;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "from-a-pipe\r\n", 13), 13);
	close(ends[1]);
	assert_int_equal(setenv("ANTHROPIC_API_KEY", "another", 1), 0);
	assert_int_equal(secret_take(&secret, ends[0]), 0);
	assert_string_equal(secret.key, "from-a-pipe");
	assert_null(getenv("ANTHROPIC_API_KEY"));
	secret_release(&secret);
}

/* Passes a text on in two pieces, divided at each place in turn, as one that
 * is streamed. */
static void test_no_piece_has_the_key(void **state)
{
	static const char said[] = "a sk-sk-sk-key sk-sk-key sk-";
	static const char left[] = "a sk-********* ********* sk-";
	char key[] = "sk-sk-key";
	struct secret secret = {.key = key, .room_bytes = sizeof(key)};

	(void)state;
	for (size_t at = 0; at < sizeof(said); at++) {
		struct bytes text = {0}, passed = {0};
		size_t begun;

		bytes_add(&text, said, at);
		secret_wipe_from(&secret, &text);
		begun = secret_begun(&secret, &text);
		bytes_add(&passed, text.at, text.used - begun);
		bytes_clear(&text);
		bytes_add(&text, said + at - begun, sizeof(said) - at + begun);
		secret_wipe_from(&secret, &text);
		bytes_add(&passed, text.at, text.used);
		assert_string_equal(passed.at, left);
		bytes_free(&text);
		bytes_free(&passed);
	}
}

static void test_without_a_key(void **state)
{
	char key[] = "short";
	struct secret secret = {.key = key}, none = {0};
	struct bytes text = {0};

	(void)state;
	bytes_string(&text, "short sho");
	secret_wipe_from(&secret, &text);
	secret_wipe_from(&none, &text);
	assert_int_equal(secret_begun(&secret, &text), 0);
	assert_int_equal(secret_begun(&none, &text), 0);
	assert_memory_equal(text.at, "short sho", 9);
	bytes_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_from_the_environment),
		cmocka_unit_test(test_taken_from_a_descriptor),
		cmocka_unit_test(test_no_piece_has_the_key),
		cmocka_unit_test(test_without_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
