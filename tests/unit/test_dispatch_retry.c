/* Which failures of a server are tried again, and when; what its headers
 * say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "pacer.h"
#include "retry.h"
#include "server_headers.h"

static enum call_outcome judge(long status, const char *type, const char *code)
{
	struct server_failure failure = {
		.status = status, .error_type = type, .error_code = code};

	return retry_judge(&failure);
}

static void test_statuses(void **state)
{
	static const long again[] = {408, 409, 429, 500, 502, 503, 504, 529};
	static const long final[] = {400, 404, 413, 422};
	static const long end[] = {401, 402, 403};

	(void)state;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		assert_int_equal(judge(again[i], "", ""), CALL_RETRY);
	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
		assert_int_equal(judge(final[i], "", ""), CALL_FAILED);
	for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++)
		assert_int_equal(judge(end[i], "", ""), CALL_END);
}

static void test_errors_in_a_stream(void **state)
{
	(void)state;
	assert_int_equal(judge(200, "overloaded_error", ""), CALL_RETRY);
	assert_int_equal(judge(200, "api_error", ""), CALL_RETRY);
	assert_int_equal(judge(200, "rate_limit_error", ""), CALL_RETRY);
	assert_int_equal(judge(200, "invalid_request_error", ""), CALL_FAILED);
	assert_int_equal(judge(200, "authentication_error", ""), CALL_END);
}

static void test_spent_limits(void **state)
{
	(void)state;
	assert_int_equal(
		judge(429, "rate_limit_error", "enforced_spend_limit_reached"),
		CALL_END);
	assert_int_equal(
		judge(429, "rate_limit_error", "contract_spend_limit_reached"),
		CALL_END);
	assert_int_equal(judge(429, "rate_limit_error", "ramp_limit_exceeded"),
	                 CALL_RETRY);
}

static void test_advice(void **state)
{
	struct server_failure failure = {.status = 400,
	                                 .error_type = "",
	                                 .error_code = "",
	                                 .has_advice = true,
	                                 .should_retry = true};

	(void)state;
	assert_int_equal(retry_judge(&failure), CALL_RETRY);
	failure.status = 529;
	failure.should_retry = false;
	assert_int_equal(retry_judge(&failure), CALL_FAILED);
}

/* 784111777 is Sun, 06 Nov 1994 08:49:37 GMT. */
static void test_times(void **state)
{
	int64_t wait_ns = -1;

	(void)state;
	assert_true(retry_read_ms("1500.5", &wait_ns));
	assert_int_equal(wait_ns, 1500500000);
	assert_true(retry_read_after("2", 0, &wait_ns));
	assert_int_equal(wait_ns, 2000000000);
	assert_true(retry_read_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111770,
	                             &wait_ns));
	assert_int_equal(wait_ns, 7000000000);
	assert_false(retry_read_after("Sun, 06 Nov 1994 08:49:37 GMT",
	                              784111777, &wait_ns));
	assert_true(retry_read_after("Thu, 29 Feb 2024 00:00:00 GMT",
	                             1709164799, &wait_ns));
	assert_int_equal(wait_ns, 1000000000);
	assert_false(retry_read_after("0", 0, &wait_ns));
	assert_false(retry_read_after("-1", 0, &wait_ns));
	assert_false(retry_read_after("soon", 0, &wait_ns));
	assert_false(retry_read_after("1e3", 0, &wait_ns));
	assert_false(retry_read_ms("", &wait_ns));
	assert_true(retry_read_after("99999999999", 0, &wait_ns));
	assert_int_equal(wait_ns, INT64_C(86400000000000));
}

static void take(struct server_headers *headers, const char *line)
{
	server_headers_take(headers, line, strlen(line), 0);
}

static void test_headers(void **state)
{
	struct server_headers headers;

	(void)state;
	server_headers_clear(&headers);
	take(&headers, "HTTP/1.1 200 OK\r\n");
	take(&headers, "Content-Type: text/event-stream; charset=utf-8\r\n");
	take(&headers, "Request-Id:  req_\"1\\\r\n");
	take(&headers, "retry-after-ms: 20\r\n");
	take(&headers, "retry-after: 1\r\n");
	take(&headers, "x-should-retry: false\r\n");
	take(&headers, "anthropic-ratelimit-requests-remaining: 0\r\n");
	take(&headers,
	     "anthropic-ratelimit-requests-reset: 1970-01-01T00:00:02Z\r\n");
	take(&headers, "no colon\r\n");
	take(&headers, "\r\n");
	assert_true(headers.is_stream);
	assert_string_equal(headers.request_id, "req_1");
	assert_int_equal(headers.wait_ns, 20000000);
	assert_true(headers.has_advice);
	assert_false(headers.should_retry);
	assert_true(headers.is_spent);
	assert_int_equal(headers.reset_ns, 2000000000);
	/* Another reply on the connection. */
	take(&headers, "HTTP/1.1 200 OK\r\n");
	assert_false(headers.is_stream);
	assert_int_equal(headers.wait_ns, -1);
}

static void test_pace(void **state)
{
	struct pacer pacer;
	int64_t now_ns = 1000000000;

	(void)state;
	pacer_init(&pacer, 0);
	pacer_begin(&pacer, now_ns);
	assert_true(pacer_due_ns(&pacer) <= now_ns);
	pacer_pause(&pacer, now_ns + 5);
	assert_int_equal(pacer_due_ns(&pacer), now_ns + 5);
	pacer_init(&pacer, 10);
	pacer_begin(&pacer, now_ns);
	assert_int_equal(pacer_due_ns(&pacer), now_ns + 100000000);
	/* A thousand a second, of which some came late. */
	pacer_init(&pacer, 1000);
	for (int i = 0; i < 20; i++) {
		assert_true(pacer_due_ns(&pacer) <= now_ns);
		pacer_begin(&pacer, now_ns);
	}
	pacer_begin(&pacer, now_ns);
	assert_true(pacer_due_ns(&pacer) > now_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_errors_in_a_stream),
		cmocka_unit_test(test_spent_limits),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
