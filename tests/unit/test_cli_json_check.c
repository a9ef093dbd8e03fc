/* The strict checker of JSON: what JSON.parse accepts, and nothing else. */
#include "json_check.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks a copy of exactly that size, so that a look beyond it is seen, with
 * and without the instructions that only some processors have. */
static bool check(const char *text, size_t size_bytes,
                  struct cli_json_error *error)
{
	char *copy = malloc(size_bytes + (size_bytes == 0));
	bool valid;

	assert_non_null(copy);
	memcpy(copy, text, size_bytes);
	memset(error, 0, sizeof(*error));
	valid = cli_json_check_slowly(copy, size_bytes, error);
	if (cli_json_check(copy, size_bytes, error) != valid)
		fail_with("%.*s: %s, but not quickly", (int)size_bytes, copy,
		          valid ? "accepted" : "refused");
	free(copy);
	return valid;
}

TEST(test_json_check_accepts_what_json_parse_accepts)
{
	static const char *const good[] = {
		"0",
		"-0",
		"1",
		"-1",
		"0.0",
		"12.5e+3",
		"1E5",
		"1e-5",
		"1e999",
		"-1e-999",
		"123456789012345678901234567890",
		"true",
		"false",
		"null",
		"\"\"",
		"[]",
		"{}",
		"[[]]",
		"[{}]",
		"{\"a\":{}}",
		" \t\r\n1 \t\r\n",
		"[ 1 , 2 ]",
		"{ \"a\" : 1 , \"b\" : [ ] }",
		"{\"a\":1,\"a\":2}",
		"{\"\":0}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\udc00\\ud800\"",
		"\"\\uD83D\\uDE00\"",
		"\"\\uabCD\"",
		"\"\x7f\"",
		"\"\xe2\x80\xa8\xe2\x80\xa9\"",
		"\"\xf4\x8f\xbf\xbf\"",
		"\"\xef\xbb\xbf\"",
		"\"\xc2\x80\"",
		"\"/\"",
		"\"a string that is longer than a few words of eight\"",
		"[1,[2,[3,[4,{\"five\":[6,{\"seven\":8}]}]]],null,true]",
	};
	struct cli_json_error error;

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (!check(good[i], strlen(good[i]), &error))
			fail_with("%s: refused at %zu: %s", good[i],
			          error.offset, error.reason);
	}
}

struct bad {
	const char *text;
	size_t size_bytes;
	size_t offset;
	const char *reason;
};

#define BAD(literal, offset, reason)                         \
	{                                                    \
		literal, sizeof(literal) - 1, offset, reason \
	}

static const struct bad bad_values[] = {
	BAD("", 0, "expected a value, found the end of the text"),
	BAD("  ", 2, "expected a value, found the end of the text"),
	BAD("\xef\xbb\xbf{}", 0, "expected a value, found a byte order mark"),
	BAD("\xff", 0, "expected a value, found byte 0xff"),
	BAD("\0", 0, "expected a value, found byte 0x00"),
	BAD("\f1", 0, "expected a value, found byte 0x0c"),
	BAD("\xc2\xa0"
            "1",
            0, "expected a value, found byte 0xc2"),
	BAD("NaN", 0, "expected a value, found 'N'"),
	BAD("Infinity", 0, "expected a value, found 'I'"),
	BAD("undefined", 0, "expected a value, found 'u'"),
	BAD("'a'", 0, "expected a value, found a single quote"),
	BAD("//x\n1", 0, "expected a value, found '/'"),
	BAD("tru", 0, "expected the word 'true'"),
	BAD("False", 0, "expected a value, found 'F'"),
	BAD("falsy", 0, "expected the word 'false'"),
	BAD("nul", 0, "expected the word 'null'"),
	BAD("nulll", 4, "expected nothing after the value, found 'l'"),
	BAD("1 2", 2, "expected nothing after the value, found '2'"),
	BAD("{}{}", 2, "expected nothing after the value, found '{'"),
	BAD("1\0", 1, "expected nothing after the value, found byte 0x00"),
	BAD("1 // x", 2, "expected nothing after the value, found '/'"),
};

static const struct bad bad_numbers[] = {
	BAD("01", 0, "a number must not begin with a zero before other digits"),
	BAD("-01", 1,
            "a number must not begin with a zero before other digits"),
	BAD("00", 0, "a number must not begin with a zero before other digits"),
	BAD("+1", 0, "expected a value, found '+'"),
	BAD(".5", 0, "expected a value, found '.'"),
	BAD("-", 1, "expected a digit after '-', found the end of the text"),
	BAD("-.5", 1, "expected a digit after '-', found '.'"),
	BAD("-Infinity", 1, "expected a digit after '-', found 'I'"),
	BAD("1.", 2, "expected a digit after '.', found the end of the text"),
	BAD("1.e1", 2, "expected a digit after '.', found 'e'"),
	BAD("1e", 2,
            "expected a digit in an exponent, found the end of the "
            "text"),
	BAD("1e+", 3,
            "expected a digit in an exponent, found the end of the "
            "text"),
	BAD("0x10", 1, "expected nothing after the value, found 'x'"),
	BAD("1_000", 1, "expected nothing after the value, found '_'"),
	BAD("1n", 1, "expected nothing after the value, found 'n'"),
};

static const struct bad bad_strings[] = {
	BAD("\"", 1, "the string that opens at byte 1 is not closed"),
	BAD("[\"abcdefghijk", 13,
            "the string that opens at byte 2 is not closed"),
	BAD("\"\\\"", 3, "the string that opens at byte 1 is not closed"),
	BAD("\"\\", 2,
            "expected one of \"\\/bfnrtu after a backslash, found "
            "the end of the text"),
	BAD("\"\\x41\"", 2,
            "expected one of \"\\/bfnrtu after a "
            "backslash, found 'x'"),
	BAD("\"\\\0\"", 2,
            "expected one of \"\\/bfnrtu after a "
            "backslash, found byte 0x00"),
	BAD("\"\\u12\"", 1, "\\u must be followed by four hexadecimal digits"),
	BAD("\"\\u123\"", 1, "\\u must be followed by four hexadecimal digits"),
	BAD("\"\\u12g4\"", 1,
            "\\u must be followed by four hexadecimal digits"),
	BAD("\"\\u", 1, "\\u must be followed by four hexadecimal digits"),
	BAD("\"a\nb\"", 2,
            "control character 0x0a in a string must be escaped"),
	BAD("\"\t\"", 1, "control character 0x09 in a string must be escaped"),
	BAD("\"\0\"", 1, "control character 0x00 in a string must be escaped"),
	BAD("\"aaaaaaaaaaaa\x1f\"", 13,
            "control character 0x1f in a string must be escaped"),
	BAD("\"\x80\"", 1, "byte 0x80 in a string is no valid UTF-8"),
	BAD("\"\xc0\x80\"", 1, "byte 0xc0 in a string is no valid UTF-8"),
	BAD("\"\xed\xa0\x80\"", 1, "byte 0xed in a string is no valid UTF-8"),
	BAD("\"\xf4\x90\x80\x80\"", 1,
            "byte 0xf4 in a string is no valid "
            "UTF-8"),
	BAD("\"\xe2\x82\"", 1, "byte 0xe2 in a string is no valid UTF-8"),
	BAD("\"\xe2\x82", 1, "byte 0xe2 in a string is no valid UTF-8"),
	BAD("{\"\xff\":1}", 2, "byte 0xff in a string is no valid UTF-8"),
};

static const struct bad bad_containers[] = {
	BAD("[", 1, "expected a value, found the end of the text"),
	BAD("]", 0, "expected a value, found ']'"),
	BAD("[1", 2,
            "expected ',' or ']' after an element, found the end of "
            "the text"),
	BAD("[1,", 3, "expected a value, found the end of the text"),
	BAD("[1,]", 3, "expected a value, found ']'"),
	BAD("[,1]", 1, "expected a value, found ','"),
	BAD("[1,,2]", 3, "expected a value, found ','"),
	BAD("[1 2]", 3, "expected ',' or ']' after an element, found '2'"),
	BAD("[1}", 2, "expected ',' or ']' after an element, found '}'"),
	BAD("[[1]", 4,
            "expected ',' or ']' after an element, found the end of "
            "the text"),
	BAD("[1]]", 3, "expected nothing after the value, found ']'"),
	BAD("{", 1,
            "expected a member name in double quotes, found the end of "
            "the text"),
	BAD("{,}", 1, "expected a member name in double quotes, found ','"),
	BAD("{\"a\"}", 4, "expected ':' after a member name, found '}'"),
	BAD("{\"a\":}", 5, "expected a value, found '}'"),
	BAD("{\"a\":1,}", 7,
            "expected a member name in double quotes, found "
            "'}'"),
	BAD("{\"a\":1]", 6, "expected ',' or '}' after a member, found ']'"),
	BAD("{\"a\":1 \"b\":2}", 7,
            "expected ',' or '}' after a member, found '\"'"),
	BAD("{a:1}", 1, "expected a member name in double quotes, found 'a'"),
	BAD("{'a':1}", 1,
            "expected a member name in double quotes, found a "
            "single quote"),
	BAD("{1:1}", 1, "expected a member name in double quotes, found '1'"),
	BAD("{\"a\":[1,{\"b\":2]}", 14,
            "expected ',' or '}' after a member, found ']'"),
};

static void expect_bad(const struct bad *bad, size_t count)
{
	struct cli_json_error error;

	for (size_t i = 0; i < count; i++) {
		if (check(bad[i].text, bad[i].size_bytes, &error))
			fail_with("%s: accepted", bad[i].text);
		if (strcmp(error.reason, bad[i].reason) != 0 ||
		    error.offset != bad[i].offset)
			fail_with("%s: %zu: %s", bad[i].text, error.offset,
			          error.reason);
	}
}

TEST(test_json_check_names_what_stands_for_a_value)
{
	expect_bad(bad_values, COUNT_OF(bad_values));
}

TEST(test_json_check_names_what_is_wrong_with_a_number)
{
	expect_bad(bad_numbers, COUNT_OF(bad_numbers));
}

TEST(test_json_check_names_what_is_wrong_with_a_string)
{
	expect_bad(bad_strings, COUNT_OF(bad_strings));
}

TEST(test_json_check_finds_a_bad_byte_at_every_place_of_a_string)
{
	static const char bad[] = {'\0', '\n', '\x1f', '\x80', '\xff'};
	struct cli_json_error error;
	char text[42];

	for (size_t i = 0; i < COUNT_OF(bad) * 40; i++) {
		size_t at = 1 + i % 40;

		memset(text, ' ', sizeof(text));
		text[0] = text[sizeof(text) - 1] = '"';
		assert_true(check(text, sizeof(text), &error));
		text[at] = bad[i / 40];
		assert_false(check(text, sizeof(text), &error));
		assert_int_equal(error.offset, at);
	}
}

TEST(test_json_check_names_what_is_wrong_with_a_container)
{
	expect_bad(bad_containers, COUNT_OF(bad_containers));
}

/* `opening` and then `closing`, `depth` times each. */
static char *nest(const char *opening, const char *middle, const char *closing,
                  size_t depth, size_t *size_out)
{
	size_t size = depth * (strlen(opening) + strlen(closing)) +
	              strlen(middle);
	char *text = malloc(size + 1);
	char *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < depth; i++)
		at = stpcpy(at, opening);
	at = stpcpy(at, middle);
	for (size_t i = 0; i < depth; i++)
		at = stpcpy(at, closing);
	*size_out = size;
	return text;
}

TEST(test_json_check_takes_any_depth)
{
	static const size_t depths[] = {1,   7,    8,    9,      511,    512,
	                                513, 1024, 1025, 100000, 1000000};
	struct cli_json_error error;
	size_t size;

	for (size_t i = 0; i < COUNT_OF(depths); i++) {
		char *text = nest("[", "", "]", depths[i], &size);

		assert_true(check(text, size, &error));
		assert_false(check(text, size - 1, &error));
		assert_int_equal(error.offset, size - 1);
		text[size - 1] = '}';
		assert_false(check(text, size, &error));
		assert_int_equal(error.offset, size - 1);
		free(text);
		text = nest("[{\"a\":", "1", "}]", depths[i], &size);
		assert_true(check(text, size, &error));
		free(text);
	}
}

TEST(test_json_check_refuses_every_proper_beginning)
{
	static const char text[] =
		"{\"key\":[true,false,null,-1.5e+7,\"\\u00e9\xc3\xa9\\n\"],"
		"\"another key, a little longer\":{\"a\":{}}}";
	struct cli_json_error error;

	assert_true(check(text, sizeof(text) - 1, &error));
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		assert_false(check(text, size, &error));
		assert_true(error.offset <= size);
	}
}

/* A text with everything that the grammar has, a few bytes longer each time, so
 * that its tokens lie across the ends of the blocks that are looked at. */
TEST(test_json_check_judges_every_change_of_a_byte_as_it_does_slowly)
{
	static const char pieces[] =
		"{}[]:,\"\\ /0e.-+tfnu\n\x1f\x7f\x80\xc3\xa9";
	struct cli_json_error error;
	char text[256];

	for (int longer = 0; longer < 70; longer += 3) {
		int size = snprintf(
			text, sizeof(text),
			"{\"%0*d\":[true,false, null,-1.5e+70,{\"\\u00e9"
			"\xc3\xa9\\n\":[[],{}]}],\"time\":17000000000370000}",
			longer + 1, 0);

		assert_true(check(text, (size_t)size, &error));
		for (int at = 0; at < size; at++) {
			char byte = text[at];

			for (size_t i = 0; i < sizeof(pieces); i++) {
				text[at] = pieces[i];
				(void)check(text, (size_t)size, &error);
			}
			text[at] = byte;
		}
	}
}

/* Strings and numbers that are longer than what is looked at at once. */
TEST(test_json_check_passes_over_long_tokens)
{
	struct cli_json_error error;
	char text[1024];

	for (int size = 1; size < 300; size++) {
		int length = snprintf(text, sizeof(text),
		                      "[\"%0*d\",1%0*d,0.%0*d]", size, 0, size,
		                      0, size % 7 + 1, 0);

		assert_true(check(text, (size_t)length, &error));
		text[size] = '\x1f';
		assert_false(check(text, (size_t)length, &error));
		text[size] = '0';
		text[length - 1] = '0';
		assert_false(check(text, (size_t)length, &error));
		text[size + 1] = '0';
		assert_false(check(text, (size_t)length, &error));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_json_check_accepts_what_json_parse_accepts),
		cmocka_unit_test(test_json_check_names_what_stands_for_a_value),
		cmocka_unit_test(
			test_json_check_names_what_is_wrong_with_a_number),
		cmocka_unit_test(
			test_json_check_names_what_is_wrong_with_a_string),
		cmocka_unit_test(
			test_json_check_finds_a_bad_byte_at_every_place_of_a_string),
		cmocka_unit_test(
			test_json_check_names_what_is_wrong_with_a_container),
		cmocka_unit_test(test_json_check_takes_any_depth),
		cmocka_unit_test(
			test_json_check_refuses_every_proper_beginning),
		cmocka_unit_test(
			test_json_check_judges_every_change_of_a_byte_as_it_does_slowly),
		cmocka_unit_test(test_json_check_passes_over_long_tokens),
	};

	return cmocka_run_group_tests_name("cli_json_check", tests, NULL, NULL);
}
