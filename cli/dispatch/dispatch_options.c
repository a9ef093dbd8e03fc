/* Reads the options of dispatch. */
#include "dispatch_options.h"

#include "command.h"
#include "distinct.h"
#include "log_arguments.h"
#include "message.h"
#include "numbers.h"
#include "option_values.h"
#include "replacement.h"
#include "shared_options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_CONCURRENCY 1024u
#define DEFAULT_BASE_URL "https://api.anthropic.com"
#define DEFAULT_API_VERSION "2026-10-21"

static const struct cli_argument_kind order_words = CLI_ONE_OF("completion",
                                                               "prompt");
static const struct cli_argument_kind auth_words = CLI_ONE_OF("x-api-key",
                                                              "bearer");
/* A server may know more of these. */
static const struct cli_argument_kind thinking_words = CLI_ONE_OF(
	"adaptive", "between_tools", "disabled");
static const struct cli_argument_kind effort_words = CLI_ONE_OF("low", "medium",
                                                                "high");

const struct cli_option dispatch_option_table[DISPATCH_OPTION_COUNT] = {
	[DISPATCH_EXEC] = {.name = "exec",
                           .value = "CMD",
                           .kind = &cli_takes_shell_command,
                           .help = "answer each prompt by a run of CMD"},
	[DISPATCH_WORKER] = {.name = "worker",
                             .value = "CMD",
                             .kind = &cli_takes_shell_command,
                             .help = "answer by processes of CMD that stay"},
	[DISPATCH_FOLLOW] = {.letter = 'f',
                             .name = "follow",
                             .value = "HOW",
                             .kind = &cli_takes_follow,
                             .value_optional = true,
                             .help = "go on with new frames; HOW: name "
                                     "(as -F)"},
	[DISPATCH_FOLLOW_NAME] =
		{.letter = 'F',
                 .name = "follow-name",
                 .help = "follow the name: wait for the log, re-open it"},
	[DISPATCH_FROM] = {.name = "from",
                           .value = "POS",
                           .kind = &cli_takes_position,
                           .help = "begin with the frame at this position"},
	[DISPATCH_CONCURRENCY] = {.name = "concurrency",
                                  .value = "N",
                                  .kind = &cli_takes_number,
                                  .help = "calls or processes at a time (8)"},
	[DISPATCH_ORDER] = {.name = "order",
                            .value = "HOW",
                            .kind = &order_words,
                            .help = "of replies: completion (default), or "
                                    "prompt"},
	[DISPATCH_RETRIES] = {.name = "retries",
                              .value = "N",
                              .kind = &cli_takes_number,
                              .help = "how often a call is made again (4)"},
	[DISPATCH_CALL_TIMEOUT] =
		{.name = "call-timeout",
                 .value = "DURATION",
                 .kind = &cli_takes_duration,
                 .help = "the longest time for one attempt (10m)"},
	[DISPATCH_TTL] = {.name = "ttl",
                          .value = "DURATION",
                          .kind = &cli_takes_duration,
                          .help = "a prompt not sent after this expires"},
	[DISPATCH_RATE] = {.name = "rate",
                           .value = "RATE",
                           .kind = &cli_takes_text,
                           .help = "begin at most N/s, N/m or N/h calls"},
	[DISPATCH_METRICS] = {.name = "metrics",
                              .value = "FILE",
                              .kind = &cli_takes_file,
                              .help = "keep metrics for Prometheus in FILE"},
	CLI_REPORT_FORMAT_OPTION(DISPATCH_OUTPUT),
	[DISPATCH_MODEL] = {.name = "model",
                            .value = "ID",
                            .kind = &cli_takes_text,
                            .help = "the model (claude-sonnet-5-5)"},
	[DISPATCH_SYSTEM] = {.name = "system",
                             .value = "FILE",
                             .kind = &cli_takes_file,
                             .help = "the system prompt, from FILE"},
	[DISPATCH_MAX_TOKENS] = {.name = "max-tokens",
                                 .value = "N",
                                 .kind = &cli_takes_number,
                                 .help = "the longest reply (4096)"},
	[DISPATCH_THINKING] = {.name = "thinking",
                               .value = "TYPE",
                               .kind = &thinking_words,
                               .help = "adaptive, between_tools, disabled, "
                                       "..."},
	[DISPATCH_EFFORT] = {.name = "effort",
                             .value = "LEVEL",
                             .kind = &effort_words,
                             .help = "low, medium, high, ..."},
	[DISPATCH_BODY] = {.name = "body",
                           .value = "FILE",
                           .kind = &cli_takes_file,
                           .help = "a JSON object: more of each request"},
	[DISPATCH_PARAM] = {.name = "param",
                            .value = "MEMBER",
                            .kind = &cli_takes_text,
                            .repeatable = true,
                            .help = "NAME=JSON: one more member of requests"},
	[DISPATCH_STREAM] = {.name = "stream",
                             .help = "append text as it comes (delta frames)"},
	[DISPATCH_BATCH] = {.name = "batch",
                            .value = "N",
                            .kind = &cli_takes_number,
                            .help = "send up to N prompts in one request"},
	[DISPATCH_BATCH_BYTES] = {.name = "batch-bytes",
                                  .value = "SIZE",
                                  .kind = &cli_takes_size,
                                  .help = "... and no more bytes (64K)"},
	[DISPATCH_BATCH_WAIT] =
		{.name = "batch-wait",
                 .value = "DURATION",
                 .kind = &cli_takes_duration,
                 .help = "... and wait no longer for others (10ms)"},
	[DISPATCH_CONNECT_TIMEOUT] =
		{.name = "connect-timeout",
                 .value = "DURATION",
                 .kind = &cli_takes_duration,
                 .help = "the longest time to connect (10s)"},
	[DISPATCH_IDLE_TIMEOUT] =
		{.name = "idle-timeout",
                 .value = "DURATION",
                 .kind = &cli_takes_duration,
                 .help = "the longest time without a byte (90s)"},
	[DISPATCH_BASE_URL] = {.name = "base-url",
                               .value = "URL",
                               .kind = &cli_takes_text,
                               .help = "of the server (api.anthropic.com)"},
	[DISPATCH_API_VERSION] = {.name = "api-version",
                                  .value = "DATE",
                                  .kind = &cli_takes_text,
                                  .help = "of the interface (2026-10-21)"},
	[DISPATCH_AUTH] = {.name = "auth",
                           .value = "HOW",
                           .kind = &auth_words,
                           .help = "x-api-key or bearer"},
	[DISPATCH_KEY_FD] = {.name = "key-fd",
                             .value = "N",
                             .kind = &cli_takes_number,
                             .help = "read the key from this descriptor"},
	[DISPATCH_PRICE] = {.name = "price",
                            .value = "PRICES",
                            .kind = &cli_takes_text,
                            .help = "IN,OUT: of a million tokens"},
	[DISPATCH_MAX_COST] = {.name = "max-cost",
                               .value = "AMOUNT",
                               .kind = &cli_takes_text,
                               .help = "end before more is spent than this"},
	[DISPATCH_MAX_TOKENS_TOTAL] =
		{.name = "max-tokens-total",
                 .value = "N",
                 .kind = &cli_takes_number,
                 .help = "end once so many tokens were used"},
};

/* ------------------------------------------------------------------- values */

static int parse_duration(const struct cli_args *args, size_t option,
                          int64_t *ns_out)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "--%s",
	               dispatch_option_table[option].name);
	return cli_option_duration(name, cli_args_value(args, option), ns_out);
}

static int parse_number(const struct cli_args *args, size_t option,
                        uint64_t least, uint64_t most, uint64_t *number_out)
{
	const char *text = cli_args_value(args, option);
	struct cli_quoted quoted;
	uint64_t number;

	if (text == NULL)
		return CLI_OK;
	if (!cli_parse_u64(text, &number) || number < least || number > most)
		return cli_usage_error("--%s %s is no number from %llu to %llu",
		                       dispatch_option_table[option].name,
		                       cli_quote(&quoted, text),
		                       (unsigned long long)least,
		                       (unsigned long long)most);
	*number_out = number;
	return CLI_OK;
}

/* Reads a decimal number that is not negative; *end_out is behind it. */
static bool read_decimal(const char *text, double *value_out,
                         const char **end_out)
{
	size_t length = strspn(text, "0123456789.");
	char *end;

	if (length == 0 || length > 30)
		return false;
	*value_out = strtod(text, &end);
	*end_out = text + length;
	return end == text + length;
}

static int parse_rate(const struct cli_args *args,
                      struct dispatch_options *options)
{
	const char *text = cli_args_value(args, DISPATCH_RATE);
	struct cli_quoted quoted;
	const char *end;
	double seconds = 1;

	if (text == NULL)
		return CLI_OK;
	if (!read_decimal(text, &options->rate_per_s, &end))
		end = "?";
	if (strcmp(end, "/m") == 0)
		seconds = 60;
	else if (strcmp(end, "/h") == 0)
		seconds = 3600;
	else if (strcmp(end, "/s") != 0)
		options->rate_per_s = 0;
	options->rate_per_s /= seconds;
	if (options->rate_per_s <= 0)
		return cli_usage_error("--rate %s is no N/s, N/m or N/h",
		                       cli_quote(&quoted, text));
	return CLI_OK;
}

static int parse_price(const struct cli_args *args,
                       struct dispatch_options *options)
{
	const char *text = cli_args_value(args, DISPATCH_PRICE);
	struct cli_quoted quoted;
	const char *end;

	if (text == NULL)
		return CLI_OK;
	options->has_price = true;
	if (!read_decimal(text, &options->price_in, &end) || *end != ',' ||
	    !read_decimal(end + 1, &options->price_out, &end) || *end != '\0')
		return cli_usage_error("--price %s is no IN,OUT: two prices of "
		                       "a million tokens",
		                       cli_quote(&quoted, text));
	return CLI_OK;
}

static int parse_limits(const struct cli_args *args,
                        struct dispatch_options *options)
{
	const char *text = cli_args_value(args, DISPATCH_MAX_COST);
	struct cli_quoted quoted;
	const char *end = "";

	if (text != NULL && (!read_decimal(text, &options->max_cost, &end) ||
	                     *end != '\0' || options->max_cost <= 0))
		return cli_usage_error("--max-cost %s is no amount",
		                       cli_quote(&quoted, text));
	if (text != NULL && !options->has_price)
		return cli_usage_error("--max-cost goes with --price");
	return parse_number(args, DISPATCH_MAX_TOKENS_TOTAL, 1, UINT64_MAX,
	                    &options->max_tokens_total);
}

/* ----------------------------------------------------------------- what for */

static int parse_follow(const struct cli_args *args,
                        struct dispatch_options *options)
{
	const char *how = cli_args_value(args, DISPATCH_FOLLOW);
	const char *from = cli_args_value(args, DISPATCH_FROM);
	bool by_name = how != NULL && strcmp(how, "name") == 0;
	struct cli_quoted quoted;

	if (how != NULL && !by_name && strcmp(how, "descriptor") != 0)
		return cli_usage_error("--follow=%s is neither name nor "
		                       "descriptor",
		                       cli_quote(&quoted, how));
	options->by_name = by_name ||
	                   cli_args_count(args, DISPATCH_FOLLOW_NAME) > 0;
	options->follow = options->by_name ||
	                  cli_args_count(args, DISPATCH_FOLLOW) > 0;
	options->has_from = from != NULL;
	return from != NULL ? cli_position_parse(from, &options->from) : CLI_OK;
}

/* Options of a model mean nothing to a command. */
static int parse_way(const struct cli_args *args,
                     struct dispatch_options *options)
{
	const char *exec = cli_args_value(args, DISPATCH_EXEC);
	const char *worker = cli_args_value(args, DISPATCH_WORKER);

	if (exec != NULL && worker != NULL)
		return cli_usage_error("--exec and --worker exclude each "
		                       "other");
	if (exec == NULL && worker == NULL)
		return CLI_OK;
	options->way = exec != NULL ? DISPATCH_BY_EXEC : DISPATCH_BY_WORKER;
	options->command = exec != NULL ? exec : worker;
	for (size_t i = DISPATCH_FIRST_OF_MODEL; i < DISPATCH_OPTION_COUNT;
	     i++) {
		if (cli_args_count(args, i) > 0)
			return cli_usage_error(
				"--%s is about a model, and goes with neither "
				"--exec nor --worker",
				dispatch_option_table[i].name);
	}
	return CLI_OK;
}

/* What takes its place is a file. */
static int parse_metrics(const struct cli_args *args,
                         struct dispatch_options *options)
{
	const char *path = cli_args_value(args, DISPATCH_METRICS);
	struct cli_quoted quoted;
	struct stat file;

	if (path != NULL && stat(path, &file) == 0 && !S_ISREG(file.st_mode))
		return cli_usage_error("--metrics %s is no regular file, which "
		                       "could be replaced",
		                       cli_quote(&quoted, path));
	options->metrics = path;
	if (path == NULL)
		return CLI_OK;
	/* Of the prompts there may be no log yet. */
	if (cli_is_same_path(path, options->prompts) ||
	    cli_is_same_path(path, options->replies)) {
		cli_message(path, "is the log itself; nothing was changed");
		return CLI_USAGE;
	}
	return cli_check_replaced(path);
}

static int parse_policies(const struct cli_args *args,
                          struct dispatch_options *options)
{
	const char *order = cli_args_value(args, DISPATCH_ORDER);
	struct cli_quoted quoted;
	int status;

	if (order != NULL && strcmp(order, "completion") != 0 &&
	    strcmp(order, "prompt") != 0)
		return cli_usage_error("--order %s is neither completion nor "
		                       "prompt",
		                       cli_quote(&quoted, order));
	options->in_order = order != NULL && strcmp(order, "prompt") == 0;
	status = parse_number(args, DISPATCH_CONCURRENCY, 1, MOST_CONCURRENCY,
	                      &options->concurrency);
	if (status == CLI_OK)
		status = parse_number(args, DISPATCH_RETRIES, 0, 1000,
		                      &options->retries);
	if (status == CLI_OK)
		status = parse_duration(args, DISPATCH_CALL_TIMEOUT,
		                        &options->call_timeout_ns);
	if (status == CLI_OK)
		status = parse_duration(args, DISPATCH_TTL, &options->ttl_ns);
	if (status == CLI_OK && cli_args_count(args, DISPATCH_TTL) > 0 &&
	    options->ttl_ns == 0)
		return cli_usage_error("--ttl must be longer than 0");
	if (status == CLI_OK)
		status = parse_rate(args, options);
	if (status == CLI_OK)
		status = cli_report_format(args, DISPATCH_OUTPUT,
		                           &options->tells_account);
	return status;
}

static int parse_batch(const struct cli_args *args,
                       struct dispatch_options *options)
{
	const char *bytes = cli_args_value(args, DISPATCH_BATCH_BYTES);
	struct cli_quoted quoted;
	int status = parse_number(args, DISPATCH_BATCH, 1, 1024,
	                          &options->batch);

	if (status == CLI_OK && bytes != NULL &&
	    !cli_parse_size(bytes, &options->batch_bytes))
		return cli_usage_error("--batch-bytes %s is no size",
		                       cli_quote(&quoted, bytes));
	if (status == CLI_OK)
		status = parse_duration(args, DISPATCH_BATCH_WAIT,
		                        &options->batch_wait_ns);
	if (status == CLI_OK && cli_args_count(args, DISPATCH_BATCH) == 0 &&
	    cli_args_count(args, DISPATCH_BATCH_BYTES) +
	                    cli_args_count(args, DISPATCH_BATCH_WAIT) >
	            0)
		return cli_usage_error("--batch-bytes and --batch-wait go with "
		                       "--batch");
	return status;
}

/* What may stand in a line of a header. */
static bool is_word(const char *text)
{
	const char *at = text;

	while (*at > ' ' && *at <= '~')
		at++;
	return at > text && *at == '\0';
}

static int parse_server(const struct cli_args *args,
                        struct dispatch_options *options)
{
	const char *auth = cli_args_value(args, DISPATCH_AUTH);
	const char *url = cli_args_value(args, DISPATCH_BASE_URL);
	const char *version = cli_args_value(args, DISPATCH_API_VERSION);
	struct cli_quoted quoted;
	uint64_t fd = 0;
	int status;

	if (url == NULL)
		url = getenv("ANTHROPIC_BASE_URL");
	options->base_url = url != NULL ? url : DEFAULT_BASE_URL;
	if (strncmp(options->base_url, "http://", 7) != 0 &&
	    strncmp(options->base_url, "https://", 8) != 0)
		return cli_usage_error("--base-url %s begins with neither "
		                       "https:// nor http://",
		                       cli_quote(&quoted, options->base_url));
	options->api_version = version != NULL ? version : DEFAULT_API_VERSION;
	if (!is_word(options->api_version))
		return cli_usage_error(
			"--api-version %s is no version",
			cli_quote(&quoted, options->api_version));
	if (auth != NULL && strcmp(auth, "x-api-key") != 0 &&
	    strcmp(auth, "bearer") != 0)
		return cli_usage_error("--auth %s is neither x-api-key nor "
		                       "bearer",
		                       cli_quote(&quoted, auth));
	if (auth != NULL)
		options->auth = strcmp(auth, "bearer") == 0
		                        ? DISPATCH_AUTH_BEARER
		                        : DISPATCH_AUTH_X_API_KEY;
	options->key_fd = -1;
	status = parse_number(args, DISPATCH_KEY_FD, 0, INT_MAX, &fd);
	if (status == CLI_OK && cli_args_count(args, DISPATCH_KEY_FD) > 0)
		options->key_fd = (int)fd;
	return status;
}

static int parse_model(const struct cli_args *args,
                       struct dispatch_options *options)
{
	int status = parse_batch(args, options);

	options->stream = cli_args_count(args, DISPATCH_STREAM) > 0;
	if (status == CLI_OK)
		status = parse_server(args, options);
	if (status == CLI_OK)
		status = parse_duration(args, DISPATCH_CONNECT_TIMEOUT,
		                        &options->connect_timeout_ns);
	if (status == CLI_OK)
		status = parse_duration(args, DISPATCH_IDLE_TIMEOUT,
		                        &options->idle_timeout_ns);
	if (status == CLI_OK)
		status = parse_price(args, options);
	return status == CLI_OK ? parse_limits(args, options) : status;
}

int dispatch_options_read(const struct cli_args *args,
                          struct dispatch_options *options_out)
{
	int status;

	*options_out = (struct dispatch_options){
		.args = args,
		.prompts = cli_args_operand(args, 0),
		.replies = cli_args_operand(args, 1),
		.concurrency = 8,
		.retries = 4,
		.call_timeout_ns = INT64_C(600000000000),
		.batch = 1,
		.batch_bytes = (uint64_t)64 << 10,
		.batch_wait_ns = INT64_C(10000000),
		.connect_timeout_ns = INT64_C(10000000000),
		.idle_timeout_ns = INT64_C(90000000000),
		.key_fd = -1,
	};
	status = parse_way(args, options_out);
	if (status == CLI_OK)
		status = parse_metrics(args, options_out);
	if (status == CLI_OK)
		status = parse_follow(args, options_out);
	if (status == CLI_OK)
		status = parse_policies(args, options_out);
	if (status == CLI_OK && options_out->way == DISPATCH_BY_MODEL)
		status = parse_model(args, options_out);
	return status;
}
