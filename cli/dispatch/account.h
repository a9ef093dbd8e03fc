/* What a run has done so far: counts, tokens, cost and times; for the account
 * on stderr and for the metrics. */
#ifndef DISPATCH_ACCOUNT_H
#define DISPATCH_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_BUCKETS 14u /* of a histogram, without the last, +Inf */
#define ACCOUNT_KINDS 24u   /* of errors that are told apart */

struct histogram {
	uint64_t counts[ACCOUNT_BUCKETS + 1];
	uint64_t sum_us;
};

struct account {
	uint64_t prompts; /* that were read */
	uint64_t replies; /* "done" */
	uint64_t errors;
	uint64_t retries;
	uint64_t input_tokens;
	uint64_t output_tokens;
	uint64_t waiting; /* for their reply */
	bool has_price;
	double price_in; /* of a million tokens */
	double price_out;
	struct account_kind {
		char name[40];
		uint64_t count;
	} kinds[ACCOUNT_KINDS];
	size_t kind_count;
	struct histogram first; /* to the first text */
	struct histogram whole; /* to the reply */
};

/* The upper limit of a bucket, in microseconds. */
uint64_t account_bucket_us(size_t bucket);

void account_time(struct histogram *histogram, int64_t us);
/* Counts an error; kinds beyond those that there is room for count as
 * "other". */
void account_error(struct account *account, const char *kind);

double account_cost(const struct account *account);

/* Prints the account as a line of JSON to stderr. */
void account_print(const struct account *account);

/* Writes the metrics, in the text format of Prometheus, and gives them their
 * name once they are whole.  CLI_OK, or an exit status after a message. */
int account_write_metrics(const struct account *account, const char *path);

#endif
