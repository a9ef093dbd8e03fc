/* Streams of events, cut at every byte, with every kind of line end: what comes
 * out is the same, and nothing counts as whole before its last event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_reply.h"
#include "sse.h"

/* A stream with all that may be in one; each line ends in '\n' here. */
static const char stream[] =
	": a comment\n"
	"event: message_start\n"
	"data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","
	"\"model\":\"m\",\"stop_reason\":null,"
	"\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n"
	"\n"
	"event: ping\n"
	"data: {\"type\":\"ping\"}\n"
	"\n"
	"event: content_block_start\n"
	"data: {\"type\":\"content_block_start\",\"index\":0,"
	"\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n"
	"\n"
	"event: novelty\n"
	"data: {\"type\":\"novelty\",\n"
	"data: \"text\":\"two lines\"}\n"
	"\n"
	"event: content_block_delta\n"
	"data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
	"{\"type\":\"text_delta\",\"text\":\"\xc3\xa9\\ud83d\"}}\n"
	"\n"
	"id: 5\n"
	"retry\n"
	"event:content_block_delta\n"
	"data:{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
	"{\"type\":\"text_delta\",\"text\":\"\\ude00 end\"}}\n"
	"\n"
	"event: content_block_delta\n"
	"data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
	"{\"type\":\"novel_delta\",\"text\":\"no\"}}\n"
	"\n"
	"event: message_delta\n"
	"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	"\"end_turn\"},\"usage\":{\"output_tokens\":9,\"input_tokens\":null}}\n"
	"\n"
	"event: message_stop\n"
	"data: {\"type\":\"message_stop\"}\n"
	"\n";

#define TEXT "\xc3\xa9\\ud83d\\ude00 end"
#define MEMBERS                                                          \
	"\"id\":\"msg_1\",\"model\":\"m\",\"stop_reason\":\"end_turn\"," \
	"\"usage\":{\"input_tokens\":7,\"output_tokens\":9}"

/* The stream with other line ends.  Freed by the caller. */
static char *with_ends(const char *end, size_t *size_out)
{
	char *text = malloc(2 * sizeof(stream));
	size_t used = 0;

	assert_non_null(text);
	for (const char *at = stream; *at != '\0'; at++) {
		if (*at == '\n') {
			memcpy(text + used, end, strlen(end));
			used += strlen(end);
		} else {
			text[used++] = *at;
		}
	}
	*size_out = used;
	return text;
}

static bool take_event(void *context, struct cli_json_span name,
                       struct cli_json_span data)
{
	return model_reply_take_event(context, name, data);
}

/* Decodes the pieces [0, cut), [cut, size). */
static bool decode(struct model_reply *reply, const char *text, size_t cut,
                   size_t size)
{
	struct sse_sink sink = {take_event, reply};
	struct sse sse = {0};
	bool goes_on = sse_feed(&sse, text, cut, &sink) &&
	               sse_feed(&sse, text + cut, size - cut, &sink);

	sse_free(&sse);
	return goes_on;
}

static void check_whole(struct model_reply *reply)
{
	struct bytes members = {0};

	assert_true(reply->stopped);
	assert_false(reply->failed);
	assert_int_equal(reply->text.used, strlen(TEXT));
	assert_memory_equal(reply->text.at, TEXT, strlen(TEXT));
	assert_int_equal(model_reply_input_tokens(reply), 7);
	assert_int_equal(model_reply_output_tokens(reply), 9);
	model_reply_print(reply, &members);
	assert_int_equal(members.used, strlen(MEMBERS));
	assert_memory_equal(members.at, MEMBERS, strlen(MEMBERS));
	bytes_free(&members);
}

static const char *const ends[] = {"\n", "\r\n", "\r"};

static void test_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t size;
		char *text = with_ends(ends[i], &size);

		for (size_t cut = 0; cut <= size; cut++) {
			struct model_reply reply = {0};

			assert_true(decode(&reply, text, cut, size));
			check_whole(&reply);
			model_reply_free(&reply);
		}
		free(text);
	}
}

static void test_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct model_reply reply = {0};
		struct sse_sink sink = {take_event, &reply};
		struct sse sse = {0};
		size_t size;
		char *text = with_ends(ends[i], &size);

		for (size_t at = 0; at < size; at++)
			assert_true(sse_feed(&sse, text + at, 1, &sink));
		check_whole(&reply);
		model_reply_free(&reply);
		sse_free(&sse);
		free(text);
	}
}

/* A stream that ends early is never taken for a whole one, wherever it ends. */
static void test_ends_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t size;
		char *text = with_ends(ends[i], &size);

		for (size_t end = 0; end < size; end++) {
			struct model_reply reply = {0};

			(void)decode(&reply, text, 0, end);
			/* Only the second half of the last CR LF may lack. */
			assert_true(!reply.stopped ||
			            (i == 1 && end == size - 1));
			model_reply_free(&reply);
		}
		free(text);
	}
}

static struct cli_json_span span_of(const char *text)
{
	return (struct cli_json_span){(const unsigned char *)text,
	                              strlen(text)};
}

static void feed(struct model_reply *reply, const char *data, bool taken)
{
	static const char name[] = "message_start";

	assert_int_equal(
		model_reply_take_event(reply, span_of(name), span_of(data)),
		taken);
}

static void test_wrong_events(void **state)
{
	struct model_reply reply = {0};

	(void)state;
	feed(&reply, "{\"type\":\"message_stop\"}", false);
	assert_false(reply.stopped);
	feed(&reply, "{\"type\":\"message_start\"}", false);
	feed(&reply, "{\"type\":", false);
	feed(&reply, "[]", true);
	assert_true(model_reply_take_event(&reply, span_of("novelty"),
	                                   span_of("{\"type\":")));
	feed(&reply, "{\"type\":\"message_start\",\"message\":{}}", true);
	feed(&reply, "{\"type\":\"message_start\",\"message\":{}}", false);
	feed(&reply,
	     "{\"type\":\"content_block_delta\",\"delta\":{\"type\":"
	     "\"text_delta\",\"text\":5}}",
	     false);
	feed(&reply,
	     "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
	     "\"message\":\"M\",\"details\":{\"error_code\":\"c\"}}}",
	     true);
	assert_true(reply.failed);
	assert_string_equal(reply.error_type, "overloaded_error");
	assert_string_equal(reply.error_code, "c");
	feed(&reply, "{\"type\":\"message_stop\"}", true);
	assert_false(reply.stopped);
	model_reply_free(&reply);
}

/* The content of a message with one block, whose input came in pieces. */
static void check_input(const char *first, const char *second,
                        const char *content)
{
	struct model_reply reply = {0};
	struct bytes members = {0};
	char event[256];
	const char *pieces[] = {first, second};

	feed(&reply, "{\"type\":\"message_start\",\"message\":{}}", true);
	feed(&reply,
	     "{\"type\":\"content_block_start\",\"content_block\":{\"type\":"
	     "\"tool_use\",\"id\":\"t\",\"input\":{}}}",
	     true);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(event, sizeof(event),
		               "{\"type\":\"content_block_delta\",\"delta\":{"
		               "\"type\":\"input_json_delta\","
		               "\"partial_json\":\"%s\"}}",
		               pieces[i]);
		feed(&reply, event, true);
	}
	feed(&reply, "{\"type\":\"content_block_stop\"}", true);
	model_reply_print(&reply, &members);
	bytes_add(&members, "", 1);
	assert_non_null(strstr(members.at, content));
	bytes_free(&members);
	model_reply_free(&reply);
}

static void test_tool_use(void **state)
{
	(void)state;
	check_input("{\\\"a\\\":", "[1]}",
	            "\"content\":[{\"type\":\"tool_use\",\"id\":\"t\","
	            "\"input\":{\"a\":[1]}}]");
	check_input("", "",
	            "\"content\":[{\"type\":\"tool_use\",\"id\":\"t\","
	            "\"input\":{}}]");
	/* Half of it, and half a pair of surrogates. */
	check_input("{\\\"a\\\":", "[1",
	            "\"content\":[{\"type\":\"tool_use\",\"id\":\"t\","
	            "\"partial_json\":\"{\\\"a\\\":[1\"}]");
	check_input("[\\\"\\ud83d", "\\ude00\\\"]",
	            "\"input\":[\"\xf0\x9f\x98\x80\"]");
	check_input("[\\\"\\ud83d", "\\\"]",
	            "\"partial_json\":\"[\\\"\\ud83d\\\"]\"");
}

static void test_bodies(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} bodies[] = {
		{"{\"content\":[{\"type\":\"text\",\"text\":\"t\"}]}", true},
		{"{\"content\":[]}", true},
		{"{\"content\":[{\"type\":\"text\",\"text\":5}]}", false},
		{"{\"content\":[{\"type\":\"text\"}]}", false},
		{"{\"content\":\"t\"}", false},
		{"{\"content\":[", false},
		{"[]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct model_reply reply = {0};

		assert_int_equal(
			model_reply_take_body(&reply, span_of(bodies[i].text)),
			bodies[i].is_good);
		assert_int_equal(reply.stopped, bodies[i].is_good);
		model_reply_free(&reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_ends_at_every_byte),
		cmocka_unit_test(test_wrong_events),
		cmocka_unit_test(test_tool_use),
		cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
