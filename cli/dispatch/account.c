/* Keeps the account of a run, and shows it. */
#include "account.h"

#include "bytes.h"
#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "replacement.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const uint64_t limits_us[ACCOUNT_BUCKETS] = {
	250,    500,     1000,    2500,    5000,     10000,    50000,
	250000, 1000000, 2500000, 5000000, 15000000, 60000000, 300000000};

uint64_t account_bucket_us(size_t bucket)
{
	return limits_us[bucket];
}

void account_time(struct histogram *histogram, int64_t us)
{
	size_t bucket = 0;

	if (us < 0)
		return;
	while (bucket < ACCOUNT_BUCKETS && (uint64_t)us > limits_us[bucket])
		bucket++;
	histogram->counts[bucket]++;
	histogram->sum_us += (uint64_t)us;
}

void account_error(struct account *account, const char *kind)
{
	struct account_kind *found = NULL;

	account->errors++;
	for (size_t i = 0; i < account->kind_count; i++) {
		if (strcmp(account->kinds[i].name, kind) == 0)
			found = &account->kinds[i];
	}
	if (found == NULL && account->kind_count == ACCOUNT_KINDS)
		found = &account->kinds[ACCOUNT_KINDS - 1];
	if (found == NULL) {
		found = &account->kinds[account->kind_count++];
		(void)snprintf(found->name, sizeof(found->name), "%s",
		               account->kind_count == ACCOUNT_KINDS ? "other"
		                                                    : kind);
	}
	found->count++;
}

double account_cost(const struct account *account)
{
	return ((double)account->input_tokens * account->price_in +
	        (double)account->output_tokens * account->price_out) /
	       1e6;
}

/* ----------------------------------------------------------------- printing */

static void add_u64(struct bytes *bytes, const char *name, uint64_t value)
{
	bytes_string(bytes, name);
	bytes_u64(bytes, value);
}

/* The locale is "C": nothing in this program sets another. */
static void add_decimal(struct bytes *bytes, const char *name, double value)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%.6f", value);
	bytes_string(bytes, name);
	bytes_string(bytes, text);
}

void account_print(const struct account *account)
{
	struct bytes line = {0};

	add_u64(&line, "{\"prompts\":", account->prompts);
	add_u64(&line, ",\"replies\":", account->replies);
	add_u64(&line, ",\"errors\":", account->errors);
	add_u64(&line, ",\"retries\":", account->retries);
	add_u64(&line, ",\"waiting\":", account->waiting);
	add_u64(&line, ",\"input_tokens\":", account->input_tokens);
	add_u64(&line, ",\"output_tokens\":", account->output_tokens);
	if (account->has_price)
		add_decimal(&line, ",\"cost\":", account_cost(account));
	bytes_string(&line, "}\n");
	(void)fwrite(line.at, 1, line.used, stderr);
	bytes_free(&line);
}

/* ------------------------------------------------------------------ metrics */

static void add_head(struct bytes *out, const char *name, const char *type,
                     const char *help)
{
	bytes_string(out, "# HELP shmlog_dispatch_");
	bytes_string(out, name);
	bytes_string(out, " ");
	bytes_string(out, help);
	bytes_string(out, "\n# TYPE shmlog_dispatch_");
	bytes_string(out, name);
	bytes_string(out, " ");
	bytes_string(out, type);
	bytes_string(out, "\n");
}

static void add_metric(struct bytes *out, const char *name, const char *type,
                       const char *help, uint64_t value)
{
	add_head(out, name, type, help);
	bytes_string(out, "shmlog_dispatch_");
	bytes_string(out, name);
	add_u64(out, " ", value);
	bytes_string(out, "\n");
}

static void add_errors(struct bytes *out, const struct account *account)
{
	add_head(out, "errors_total", "counter",
	         "Prompts that got an error, by its type.");
	for (size_t i = 0; i < account->kind_count; i++) {
		bytes_string(out, "shmlog_dispatch_errors_total{type=\"");
		for (const char *at = account->kinds[i].name; *at != '\0';
		     at++) {
			if (*at == '"' || *at == '\\' || *at == '\n')
				bytes_string(out, "_");
			else
				bytes_add(out, at, 1);
		}
		add_u64(out, "\"} ", account->kinds[i].count);
		bytes_string(out, "\n");
	}
}

static void add_histogram(struct bytes *out, const char *name, const char *help,
                          const struct histogram *times)
{
	uint64_t count = 0;
	char text[128];

	add_head(out, name, "histogram", help);
	for (size_t i = 0; i <= ACCOUNT_BUCKETS; i++) {
		count += times->counts[i];
		if (i < ACCOUNT_BUCKETS)
			(void)snprintf(text, sizeof(text),
			               "_bucket{le=\"%g\"} %" PRIu64 "\n",
			               (double)limits_us[i] / 1e6, count);
		else
			(void)snprintf(text, sizeof(text),
			               "_bucket{le=\"+Inf\"} %" PRIu64 "\n",
			               count);
		bytes_string(out, "shmlog_dispatch_");
		bytes_string(out, name);
		bytes_string(out, text);
	}
	(void)snprintf(text, sizeof(text),
	               "shmlog_dispatch_%s_sum %.6f\n"
	               "shmlog_dispatch_%s_count %" PRIu64 "\n",
	               name, (double)times->sum_us / 1e6, name, count);
	bytes_string(out, text);
}

static void add_metrics(struct bytes *out, const struct account *account)
{
	add_metric(out, "prompts_total", "counter", "Prompts that were read.",
	           account->prompts);
	add_metric(out, "replies_total", "counter",
	           "Prompts that were answered.", account->replies);
	add_errors(out, account);
	add_metric(out, "retries_total", "counter",
	           "Attempts that failed and were made again.",
	           account->retries);
	add_metric(out, "input_tokens_total", "counter",
	           "Tokens of requests, cached ones included.",
	           account->input_tokens);
	add_metric(out, "output_tokens_total", "counter",
	           "Tokens of replies, those of thinking included.",
	           account->output_tokens);
	if (account->has_price) {
		add_head(out, "cost_total", "counter",
		         "What the tokens cost by --price.");
		add_decimal(out, "shmlog_dispatch_cost_total ",
		            account_cost(account));
		bytes_string(out, "\n");
	}
	add_metric(out, "prompts_waiting", "gauge",
	           "Prompts that were read and have no reply yet.",
	           account->waiting);
	add_histogram(out, "first_seconds",
	              "From the prompt to the first text of its reply.",
	              &account->first);
	add_histogram(out, "reply_seconds",
	              "From the prompt to the whole reply.", &account->whole);
}

int account_write_metrics(const struct account *account, const char *path)
{
	struct bytes out = {0};
	/* A log may have got that name meanwhile. */
	int status = cli_check_replaced(path);

	if (status != CLI_OK)
		return status;
	add_metrics(&out, account);
	status = out.failed ? -ENOMEM : cli_replace(path, out.at, out.used);
	bytes_free(&out);
	return status == 0 ? CLI_OK : cli_fail(path, "cannot write", status);
}
