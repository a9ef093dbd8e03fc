/* The options of dispatch. */
#ifndef DISPATCH_OPTIONS_H
#define DISPATCH_OPTIONS_H

#include "options.h"
#include "position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DISPATCH_EXEC,
	DISPATCH_WORKER,
	DISPATCH_FOLLOW,
	DISPATCH_FOLLOW_NAME,
	DISPATCH_FROM,
	DISPATCH_CONCURRENCY,
	DISPATCH_ORDER,
	DISPATCH_RETRIES,
	DISPATCH_CALL_TIMEOUT,
	DISPATCH_TTL,
	DISPATCH_RATE,
	DISPATCH_METRICS,
	DISPATCH_OUTPUT,
	DISPATCH_FIRST_OF_MODEL,
	DISPATCH_MODEL = DISPATCH_FIRST_OF_MODEL,
	DISPATCH_SYSTEM,
	DISPATCH_MAX_TOKENS,
	DISPATCH_THINKING,
	DISPATCH_EFFORT,
	DISPATCH_BODY,
	DISPATCH_PARAM,
	DISPATCH_STREAM,
	DISPATCH_BATCH,
	DISPATCH_BATCH_BYTES,
	DISPATCH_BATCH_WAIT,
	DISPATCH_CONNECT_TIMEOUT,
	DISPATCH_IDLE_TIMEOUT,
	DISPATCH_BASE_URL,
	DISPATCH_API_VERSION,
	DISPATCH_AUTH,
	DISPATCH_KEY_FD,
	DISPATCH_PRICE,
	DISPATCH_MAX_COST,
	DISPATCH_MAX_TOKENS_TOTAL,
	DISPATCH_OPTION_COUNT
};

extern const struct cli_option dispatch_option_table[DISPATCH_OPTION_COUNT];

enum dispatch_way {
	DISPATCH_BY_MODEL,
	DISPATCH_BY_EXEC,
	DISPATCH_BY_WORKER,
};

enum dispatch_auth {
	DISPATCH_AUTH_BY_KEY, /* as the kind of the key asks */
	DISPATCH_AUTH_X_API_KEY,
	DISPATCH_AUTH_BEARER,
};

struct dispatch_options {
	const struct cli_args *args;
	const char *prompts;
	const char *replies;
	enum dispatch_way way;
	const char *command; /* of --exec or --worker */
	bool follow;
	bool by_name;
	bool has_from;
	struct cli_position from;
	uint64_t concurrency;
	bool in_order;
	uint64_t retries;
	int64_t call_timeout_ns;
	int64_t ttl_ns;      /* 0: none */
	double rate_per_s;   /* 0: no limit */
	const char *metrics; /* a path, or NULL */
	bool tells_account;  /* -o json */

	/* Of a model. */
	bool stream;
	uint64_t batch; /* prompts in one request */
	uint64_t batch_bytes;
	int64_t batch_wait_ns;
	int64_t connect_timeout_ns;
	int64_t idle_timeout_ns;
	const char *base_url;
	const char *api_version;
	enum dispatch_auth auth;
	int key_fd; /* -1: the environment */
	bool has_price;
	double price_in; /* of a million tokens */
	double price_out;
	double max_cost;           /* 0: none */
	uint64_t max_tokens_total; /* 0: none */
};

/* CLI_OK, or CLI_USAGE after a message. */
int dispatch_options_read(const struct cli_args *args,
                          struct dispatch_options *options_out);

#endif
