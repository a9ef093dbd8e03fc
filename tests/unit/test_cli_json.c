/* JSON that is read (envelopes, documents) and JSON that is built. */
#include "in_envelope.h"
#include "json_check.h"
#include "json_document.h"
#include "json_write.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------- envelopes */

static bool parse(const char *text, unsigned char *buffer,
                  struct cli_envelope *envelope, struct cli_json_error *error)
{
	memset(error, 0, sizeof(*error));
	memset(envelope, 0xff, sizeof(*envelope));
	return cli_envelope_parse(text, strlen(text), buffer, envelope, error);
}

struct good_envelope {
	const char *text;
	const char *payload;
	size_t size_bytes;
};

#define GOOD(text, payload)                        \
	{                                          \
		text, payload, sizeof(payload) - 1 \
	}

TEST(test_envelope_gives_back_the_payload)
{
	static const struct good_envelope cases[] = {
		GOOD("{\"payload\":\"\"}", ""),
		GOOD("{\"cursor\":96,\"next\":117,\"index\":4,\"size\":3,"
	             "\"encoding\":\"utf8\",\"payload\":\"abc\"}",
	             "abc"),
		GOOD(" {\t\"size\" : 3 , \"payload\" : \"abc\" } \n", "abc"),
		GOOD("{\"payload\":\"a\\u0000b\\u0000\"}", "a\0b\0"),
		GOOD("{\"payload\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
	             "\"\\/\b\f\n\r\t"),
		GOOD("{\"payload\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}",
	             "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		GOOD("{\"payload\":\"\\ue000\\u0000\xee\x80\x80\"}",
	             "\xee\x80\x80\0\xee\x80\x80"),
		GOOD("{\"payload\":\"aGkA\",\"encoding\":\"base64\"}", "hi\0"),
		GOOD("{\"encoding\":\"base64\",\"size\":2,"
	             "\"payload\":\"\\/\\u002f8=\"}",
	             "\xff\xff"),
		GOOD("{\"encoding\":\"base64\",\"payload\":\"\"}", ""),
		/* names may be escaped as well */
		GOOD("{\"pay\\u006coad\":\"x\",\"\\u0065ncoding\":"
	             "\"\\u0075tf8\"}",
	             "x"),
		/* of a repeated member the last one counts */
		GOOD("{\"payload\":\"first\",\"payload\":\"last\"}", "last"),
		/* strangers are passed over, whatever is in them */
		GOOD("{\"value\":{\"payload\":\"no\",\"x\":[\"}\",{\"y\":"
	             "\"\\\"\"}]},"
	             "\"n\":-1e999,\"payload\":\"yes\",\"t\":true,\"z\":[]}",
	             "yes"),
	};
	unsigned char buffer[512];
	struct cli_envelope envelope;
	struct cli_json_error error;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (!parse(cases[i].text, buffer, &envelope, &error))
			fail_with("%s: %zu: %s", cases[i].text, error.offset,
			          error.reason);
		assert_false(envelope.is_event);
		assert_ptr_equal(envelope.payload, buffer);
		assert_int_equal(envelope.size_bytes, cases[i].size_bytes);
		assert_memory_equal(buffer, cases[i].payload,
		                    cases[i].size_bytes);
	}
}

TEST(test_envelope_of_an_event_is_no_frame)
{
	unsigned char buffer[64];
	struct cli_envelope envelope;
	struct cli_json_error error;

	assert_true(parse("{\"event\":\"damage\",\"cursor\":12}", buffer,
	                  &envelope, &error));
	assert_true(envelope.is_event);
}

struct bad_envelope {
	const char *text;
	size_t offset;
	const char *reason;
};

TEST(test_envelope_is_refused_with_a_reason)
{
	static const struct bad_envelope cases[] = {
		{"", 0, "expected a value, found the end of the text"},
		{"[]", 0, "an envelope must be an object"},
		{" \"x\"", 1, "an envelope must be an object"},
		{"{}", 0, "the object has no \"payload\""},
		{"{\"data\":{\"payload\":\"x\"}}", 0,
	         "the object has no \"payload\""},
		{"{\"payload\":1}", 11, "\"payload\" must be a string"},
		{"{\"payload\":null}", 11, "\"payload\" must be a string"},
		{"{\"payload\":\"\",\"encoding\":\"latin1\"}", 25,
	         "\"encoding\" must be \"utf8\" or \"base64\""},
		{"{\"payload\":\"\",\"encoding\":null}", 25,
	         "\"encoding\" must be \"utf8\" or \"base64\""},
		{"{\"encoding\":\"base64\",\"payload\":\"aGk\"}", 31,
	         "\"payload\" is no valid base64"},
		{"{\"encoding\":\"base64\",\"payload\":\"aG\\u0000k\"}", 31,
	         "\"payload\" is no valid base64"},
		{"{\"payload\":\"ab\\ud800\"}", 14,
	         "\"payload\" has half a surrogate pair, which no UTF-8 can "
	         "hold; use the encoding \"base64\""},
		{"{\"payload\":\"\\udc00\\ud800\"}", 12,
	         "\"payload\" has half a surrogate pair, which no UTF-8 can "
	         "hold; use the encoding \"base64\""},
		{"{\"payload\":\"\\udc00\\udc00\"}", 12,
	         "\"payload\" has half a surrogate pair, which no UTF-8 can "
	         "hold; use the encoding \"base64\""},
		{"{\"payload\":\"\\ud800\\u0041\"}", 12,
	         "\"payload\" has half a surrogate pair, which no UTF-8 can "
	         "hold; use the encoding \"base64\""},
		{"{\"size\":2,\"payload\":\"abc\"}", 8,
	         "\"size\" is 2, but the payload has 3 bytes"},
		{"{\"size\":18446744073709551615,\"payload\":\"\"}", 8,
	         "\"size\" is 18446744073709551615, but the payload has 0 "
	         "bytes"},
		{"{\"size\":18446744073709551616,\"payload\":\"\"}", 8,
	         "\"size\" must be a count of bytes in digits"},
		{"{\"size\":\"3\",\"payload\":\"abc\"}", 8,
	         "\"size\" must be a count of bytes in digits"},
		{"{\"size\":-0,\"payload\":\"\"}", 8,
	         "\"size\" must be a count of bytes in digits"},
		{"{\"payload\":\"x\"} {}", 16,
	         "expected nothing after the value, found '{'"},
	};
	unsigned char buffer[512];
	struct cli_envelope envelope;
	struct cli_json_error error;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (parse(cases[i].text, buffer, &envelope, &error))
			fail_with("%s: accepted", cases[i].text);
		if (error.offset != cases[i].offset ||
		    strcmp(error.reason, cases[i].reason) != 0)
			fail_with("%s: %zu: %s", cases[i].text, error.offset,
			          error.reason);
	}
}

TEST(test_envelope_takes_members_of_any_depth)
{
	size_t depth = 100000;
	char *text = malloc(2 * depth + 64);
	unsigned char *buffer = malloc(2 * depth + 64);
	struct cli_envelope envelope;
	struct cli_json_error error;
	char *at;

	assert_non_null(text);
	assert_non_null(buffer);
	at = stpcpy(text, "{\"value\":");
	memset(at, '[', depth);
	memset(at + depth, ']', depth);
	strcpy(at + 2 * depth, ",\"payload\":\"deep\"}");
	assert_true(parse(text, buffer, &envelope, &error));
	assert_int_equal(envelope.size_bytes, 4);
	assert_memory_equal(buffer, "deep", 4);
	free(text);
	free(buffer);
}

/* -------------------------------------------------------------- documents */

static struct cli_document *document(const char *text)
{
	struct cli_json_error error;
	struct cli_document *parsed = cli_document_parse(text, strlen(text),
	                                                 &error);

	assert_non_null(parsed);
	return parsed;
}

TEST(test_document_integers_are_exact)
{
	struct cli_document *parsed = document(
		"{\"a\":18446744073709551615,\"b\":9007199254740993,\"c\":-"
		"9223372036854775808,\"d\":9223372036854775807,\"e\":0,"
		"\"f\":-0,\"g\":1,\"g\":2}");
	uint64_t u = 0;
	int64_t i = 0;

	assert_true(cli_document_u64(parsed, "a", &u));
	assert_true(u == UINT64_MAX);
	assert_true(cli_document_u64(parsed, "b", &u));
	assert_true(u == 9007199254740993u);
	assert_true(cli_document_i64(parsed, "c", &i));
	assert_true(i == INT64_MIN);
	assert_true(cli_document_i64(parsed, "d", &i));
	assert_true(i == INT64_MAX);
	assert_true(cli_document_u64(parsed, "e", &u));
	assert_true(u == 0);
	assert_true(cli_document_i64(parsed, "f", &i));
	assert_true(i == 0);
	assert_true(cli_document_u64(parsed, "g", &u));
	assert_true(u == 2);
	cli_document_free(parsed);
}

TEST(test_document_refuses_what_is_no_integer_in_range)
{
	struct cli_document *parsed = document(
		"{\"big\":18446744073709551616,\"i\":9223372036854775808,"
		"\"low\":-9223372036854775809,\"minus\":-1,\"float\":1.0,"
		"\"exp\":1e3,\"text\":\"1\",\"null\":null,\"in\":{\"x\":1}}");
	static const char *const u64_names[] = {
		"big", "minus", "float", "exp", "text", "null", "in", "x", "",
	};
	static const char *const i64_names[] = {
		"big", "i", "low", "float", "exp", "text", "null", "in", "x",
	};
	uint64_t u = 7;
	int64_t i = 7;

	for (size_t n = 0; n < COUNT_OF(u64_names); n++)
		assert_false(cli_document_u64(parsed, u64_names[n], &u));
	for (size_t n = 0; n < COUNT_OF(i64_names); n++)
		assert_false(cli_document_i64(parsed, i64_names[n], &i));
	assert_true(u == 7 && i == 7);
	cli_document_free(parsed);
}

TEST(test_document_must_be_one_object)
{
	static const char *const bad[] = {"", "[]", "1", "{\"a\":1", "{} x"};
	struct cli_json_error error;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		error.reason[0] = '\0';
		assert_null(cli_document_parse(bad[i], strlen(bad[i]), &error));
		assert_true(strlen(error.reason) > 0);
	}
	cli_document_free(NULL);
}

/* --------------------------------------------------------------- building */

static void expect_object(struct cli_object *object, const char *want)
{
	char *text = cli_object_print(object);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
	cli_object_free(object);
}

TEST(test_object_keeps_integers_exact_and_members_in_order)
{
	struct cli_object *object = cli_object_new();

	cli_object_u64(object, "z", UINT64_MAX);
	cli_object_u64(object, "a", 9007199254740993u);
	cli_object_i64(object, "m", INT64_MIN);
	cli_object_bool(object, "t", true);
	cli_object_bool(object, "f", false);
	cli_object_null(object, "n");
	expect_object(object,
	              "{\"z\":18446744073709551615,\"a\":9007199254740993,"
	              "\"m\":-9223372036854775808,\"t\":true,\"f\":false,"
	              "\"n\":null}");
}

TEST(test_object_decimals_are_short_and_finite)
{
	struct cli_object *object = cli_object_new();

	cli_object_decimal(object, "a", 1.5, 3);
	cli_object_decimal(object, "b", 2.0, 2);
	cli_object_decimal(object, "c", 0.126, 2);
	cli_object_decimal(object, "d", -0.001, 2);
	cli_object_decimal(object, "e", 100.0, 0);
	cli_object_decimal(object, "f", (double)NAN, 2);
	cli_object_decimal(object, "g", (double)INFINITY, 2);
	cli_object_decimal(object, "h", -12.25, 2);
	expect_object(object, "{\"a\":1.5,\"b\":2,\"c\":0.13,\"d\":0,\"e\":100,"
	                      "\"f\":null,\"g\":null,\"h\":-12.25}");
}

TEST(test_object_strings_are_safe_for_a_terminal)
{
	struct cli_object *object = cli_object_new();

	cli_object_string(object, "a", "\"\\\n\x1b[31m\x7f");
	cli_object_string(object, "b", "\xc2\x9b\xe2\x80\xae\xe2\x80\x8b");
	cli_object_string(object, "c",
	                  "\xff"
	                  "a\xe2\x82");
	cli_object_string(object, "d", "\xe6\x97\xa5");
	cli_object_string(object, "e", "");
	expect_object(object, "{\"a\":\"\\\"\\\\\\n\\u001b[31m\\u007f\","
	                      "\"b\":\"\\u009b\\u202e\\u200b\","
	                      "\"c\":\"\xef\xbf\xbd"
	                      "a\xef\xbf\xbd\xef\xbf\xbd\","
	                      "\"d\":\"\xe6\x97\xa5\",\"e\":\"\"}");
}

TEST(test_object_holds_children_and_arrays)
{
	struct cli_object *object = cli_object_new();
	struct cli_object *child = cli_object_child(object, "header");
	struct cli_object *array = cli_object_array(object, "bins");

	cli_object_u64(child, "size", 24);
	cli_object_u64(cli_array_object(array), "n", 1);
	cli_object_u64(cli_array_object(array), "n", 2);
	cli_object_array(object, "none");
	cli_object_u64(object, "last", 3);
	expect_object(object, "{\"header\":{\"size\":24},\"bins\":[{\"n\":1},"
	                      "{\"n\":2}],\"none\":[],\"last\":3}");
}

TEST(test_object_that_is_missing_is_harmless)
{
	cli_object_u64(NULL, "a", 1);
	cli_object_string(NULL, "a", "b");
	cli_object_decimal(NULL, "a", 1.5, 1);
	assert_null(cli_object_child(NULL, "a"));
	assert_null(cli_object_array(NULL, "a"));
	assert_null(cli_array_object(NULL));
	assert_null(cli_object_print(NULL));
	cli_object_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envelope_gives_back_the_payload),
		cmocka_unit_test(test_envelope_of_an_event_is_no_frame),
		cmocka_unit_test(test_envelope_is_refused_with_a_reason),
		cmocka_unit_test(test_envelope_takes_members_of_any_depth),
		cmocka_unit_test(test_document_integers_are_exact),
		cmocka_unit_test(
			test_document_refuses_what_is_no_integer_in_range),
		cmocka_unit_test(test_document_must_be_one_object),
		cmocka_unit_test(
			test_object_keeps_integers_exact_and_members_in_order),
		cmocka_unit_test(test_object_decimals_are_short_and_finite),
		cmocka_unit_test(test_object_strings_are_safe_for_a_terminal),
		cmocka_unit_test(test_object_holds_children_and_arrays),
		cmocka_unit_test(test_object_that_is_missing_is_harmless),
	};

	return cmocka_run_group_tests_name("cli_json", tests, NULL, NULL);
}
