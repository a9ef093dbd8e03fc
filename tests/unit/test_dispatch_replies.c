/* The frames of replies, long texts in parts, and the place that is found in
 * them again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <shmlog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_check.h"
#include "reply_frame.h"
#include "reply_place.h"

static struct cli_json_span span(const char *text)
{
	return (struct cli_json_span){(const unsigned char *)text,
	                              strlen(text)};
}

static void test_cuts(void **state)
{
	(void)state;
	assert_int_equal(reply_cut(span("abc"), 9), 3);
	assert_int_equal(reply_cut(span("abc"), 2), 2);
	assert_int_equal(reply_cut(span("a\\nb"), 2), 1);
	assert_int_equal(reply_cut(span("a\\u0041b"), 6), 1);
	assert_int_equal(reply_cut(span("a\\u0041b"), 7), 7);
	assert_int_equal(reply_cut(span("a\\ud83d\\ude00b"), 12), 1);
	assert_int_equal(reply_cut(span("a\\ud83d\\ude00b"), 13), 13);
	/* Half a pair stands by itself. */
	assert_int_equal(reply_cut(span("\\ud83d\\ud83d\\ude00"), 8), 6);
	assert_int_equal(reply_cut(span("\xe2\x82\xac\xe2\x82\xac"), 5), 3);
}

static void test_showable(void **state)
{
	(void)state;
	assert_int_equal(reply_showable(span("")), 0);
	assert_int_equal(reply_showable(span("a\\ud83d")), 1);
	assert_int_equal(reply_showable(span("a\\\\ud83d")), 8);
	assert_int_equal(reply_showable(span("\\ud83d\\ude00")), 12);
	assert_int_equal(reply_showable(span("\\u00e9")), 6);
}

/* All frames are JSON, none is too large, and their texts are the text. */
static void check_parts(size_t text_bytes)
{
	static const char piece[] = "a\\n\xc3\xa9\\ud83d\\ude00";
	char *text = malloc(text_bytes + sizeof(piece)), *seen;
	struct bytes frames = {0};
	uint64_t prompt = UINT64_MAX;
	struct reply reply = {.prompts = &prompt,
	                      .count = 1,
	                      .type = "done",
	                      .first_us = -1,
	                      .log = "l"};
	size_t used = 0, at = 0, joined = 0;

	assert_non_null(text);
	while (used < text_bytes) {
		memcpy(text + used, piece, sizeof(piece) - 1);
		used += sizeof(piece) - 1;
	}
	reply.text = (struct cli_json_span){(unsigned char *)text, used};
	assert_true(reply_encode(&frames, &reply));
	seen = malloc(used + 1);
	while (at < frames.used) {
		const unsigned char *frame = (unsigned char *)frames.at + at;
		size_t total = (size_t)(frame[0] | frame[1] << 8);
		struct cli_json_member member;
		struct cli_json_error error;
		struct cli_json_scan scan;

		assert_true(cli_json_check((const char *)frame + 2, total - 4,
		                           &error));
		(void)cli_json_begin_object(&scan, (const char *)frame + 2,
		                            total - 4);
		while (cli_json_take_member(&scan, &member)) {
			struct cli_json_span value = member.value;

			if (!cli_json_string_is(member.name, "text"))
				continue;
			value = cli_json_inside(value);
			memcpy(seen + joined, value.bytes, value.size_bytes);
			joined += value.size_bytes;
		}
		at += total;
	}
	assert_int_equal(at, frames.used);
	assert_int_equal(joined, used);
	assert_memory_equal(seen, text, used);
	free(seen);
	free(text);
	bytes_free(&frames);
}

static void test_parts(void **state)
{
	(void)state;
	check_parts(0);
	for (size_t size = 65000; size < 65600; size += 7)
		check_parts(size);
	check_parts(1000000);
}

static void test_members_too_large(void **state)
{
	struct bytes frames = {0}, members = {0};
	uint64_t prompt = 0;
	struct reply reply = {
		.prompts = &prompt, .count = 1, .type = "done", .log = "l"};

	(void)state;
	bytes_string(&members, "\"a\":\"");
	while (members.used < 65600)
		bytes_string(&members, "x");
	bytes_string(&members, "\"");
	reply.members = (struct cli_json_span){(unsigned char *)members.at,
	                                       members.used};
	assert_false(reply_encode(&frames, &reply));
	assert_int_equal(frames.used, 0);
	bytes_free(&members);
	bytes_free(&frames);
}

/* ----------------------------------------------------------------- the place */

static char path[] = "/tmp/shmlog-dispatch.XXXXXX";

static struct shmlog *make_log(void)
{
	struct shmlog *log;

	(void)unlink(path);
	assert_int_equal(shmlog_create(path, 1 << 20, 0600, 0), 0);
	assert_int_equal(shmlog_open(path, &log), 0);
	return log;
}

static void append(struct shmlog *log, const char *payload)
{
	unsigned char frame[1024];
	size_t size = shmlog_frame_encode(frame, payload, strlen(payload));

	assert_int_equal(shmlog_append_frames(log, frame, size, NULL, NULL), 0);
}

static void append_reply(struct shmlog *log, uint64_t prompt, uint64_t low,
                         uint64_t high)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	               "{\"prompt\":%llu,\"type\":\"done\",\"text\":\"\","
	               "\"low\":%llu,\"high\":%llu,\"log\":\"l\"}",
	               (unsigned long long)prompt, (unsigned long long)low,
	               (unsigned long long)high);
	append(log, text);
}

static bool is_answered(const struct reply_place *place, uint64_t cursor)
{
	const struct place_prompt *prompt = reply_place_of(place, cursor);

	return prompt != NULL && prompt->answered;
}

static void test_empty_place(void **state)
{
	struct shmlog *log = make_log();
	struct reply_place place;

	(void)state;
	assert_int_equal(reply_place_find(&place, path, log), 0);
	assert_false(place.known);
	append(log, "foreign");
	append(log, "{\"prompt\":5}");
	append(log, "{\"prompt\":5,\"type\":\"delta\",\"attempt\":2,"
	            "\"text\":\"x\"}");
	assert_int_equal(reply_place_find(&place, path, log), 0);
	assert_false(place.known);
	assert_int_equal(reply_place_of(&place, 5)->attempts, 2);
	assert_int_equal(place.high, 5);
	assert_false(is_answered(&place, 5));
	reply_place_release(&place);
	shmlog_close(log);
}

static void test_place(void **state)
{
	struct shmlog *log = make_log();
	struct reply_place place;

	(void)state;
	append_reply(log, 0, 10, 0);
	append_reply(log, 10, 20, 10);
	append_reply(log, 30, 20, 40);
	append_reply(log, 40, 20, 40);
	append(log, "foreign");
	append(log, "{\"prompt\":50,\"prompts\":[50,60],\"type\":\"error\","
	            "\"low\":20,\"high\":60,\"log\":\"l\"}");
	append(log, "{\"prompt\":20,\"type\":\"delta\",\"attempt\":3,"
	            "\"text\":\"x\"}");
	assert_int_equal(reply_place_find(&place, path, log), 0);
	assert_true(place.known);
	assert_string_equal(place.log, "l");
	assert_int_equal(place.low, 20);
	assert_int_equal(place.high, 60);
	assert_false(is_answered(&place, 10));
	assert_false(is_answered(&place, 20));
	assert_int_equal(reply_place_of(&place, 20)->attempts, 3);
	for (uint64_t cursor = 30; cursor <= 60; cursor += 10)
		assert_true(is_answered(&place, cursor));
	assert_null(reply_place_of(&place, 70));
	reply_place_release(&place);
	shmlog_close(log);
}

/* Deltas of a prompt that was sent behind the last reply are still found once
 * replies of a later run, which begins with earlier prompts, are behind them. */
static void test_deltas_behind_the_last_reply(void **state)
{
	struct shmlog *log = make_log();
	struct reply_place place;

	(void)state;
	append_reply(log, 0, 10, 20);
	append(log, "{\"prompt\":40,\"type\":\"delta\",\"attempt\":1,"
	            "\"text\":\"x\"}");
	assert_int_equal(reply_place_find(&place, path, log), 0);
	assert_int_equal(place.high, 40);
	append_reply(log, 10, 20, place.high);
	append_reply(log, 20, 30, place.high);
	reply_place_release(&place);
	assert_int_equal(reply_place_find(&place, path, log), 0);
	assert_int_equal(place.low, 30);
	assert_int_equal(reply_place_of(&place, 40)->attempts, 1);
	reply_place_release(&place);
	shmlog_close(log);
}

/* Replies about another log say nothing. */
static void test_other_log(void **state)
{
	struct shmlog *log = make_log();
	struct reply_place place;

	(void)state;
	append(log, "{\"prompt\":900,\"type\":\"done\",\"low\":0,"
	            "\"high\":900,\"log\":\"other\"}");
	append_reply(log, 10, 0, 10);
	assert_int_equal(reply_place_find(&place, path, log), 0);
	assert_int_equal(place.low, 0);
	assert_true(is_answered(&place, 10));
	assert_null(reply_place_of(&place, 900));
	reply_place_release(&place);
	shmlog_close(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_showable),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_members_too_large),
		cmocka_unit_test(test_empty_place),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_deltas_behind_the_last_reply),
		cmocka_unit_test(test_other_log),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
