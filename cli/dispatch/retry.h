/* Which failures of a server are worth another attempt, and when. */
#ifndef DISPATCH_RETRY_H
#define DISPATCH_RETRY_H

#include "call.h"

#include <stdbool.h>
#include <stdint.h>

/* What a failed attempt has told. */
struct server_failure {
	long status;            /* of HTTP; 200 where the error came in a
	                         * stream */
	const char *error_type; /* of the error, "" if there is none */
	const char *error_code;
	bool has_advice; /* there is a header x-should-retry: */
	bool should_retry;
};

/* CALL_RETRY, CALL_FAILED or CALL_END. */
enum call_outcome retry_judge(const struct server_failure *failure);

/* Reads retry-after-ms, in milliseconds.  False unless it is more than 0. */
bool retry_read_ms(const char *value, int64_t *wait_ns_out);

/* Reads retry-after: seconds, or the date of HTTP; `now_s` is the time since
 * the epoch.  False unless it is a time to come. */
bool retry_read_after(const char *value, int64_t now_s, int64_t *wait_ns_out);

#endif
