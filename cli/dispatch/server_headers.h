/* What the headers of a server say. */
#ifndef DISPATCH_SERVER_HEADERS_H
#define DISPATCH_SERVER_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_headers {
	bool is_stream; /* the body is a stream of events */
	bool has_advice;
	bool should_retry;
	int64_t wait_ns;    /* before another attempt; negative: not said */
	bool wait_is_in_ms; /* retry-after-ms, which is more exact */
	bool is_spent;      /* no request is left... */
	int64_t reset_ns;   /* ... until then, since the epoch; 0: not said */
	char request_id[128];
};

/* Nothing is known: at the start of a reply. */
void server_headers_clear(struct server_headers *headers);

/* Takes a line, with or without its end; `now_ns` is the time since the
 * epoch. */
void server_headers_take(struct server_headers *headers, const char *line,
                         size_t size_bytes, int64_t now_ns);

#endif
