/*
 * The distribution of payload sizes: a table with a count for each possible
 * size, so that the median is exact and the memory is the same for any log.
 */
#ifndef CLI_SIZES_H
#define CLI_SIZES_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_sizes {
	uint64_t *counts;     /* as shmlog_count() fills them */
	uint64_t frames;      /* in all, */
	uint64_t total_bytes; /* and their payloads */
};

/* 0 or -ENOMEM. */
int cli_sizes_init(struct cli_sizes *sizes);
void cli_sizes_release(struct cli_sizes *sizes);

struct cli_sizes_summary {
	uint64_t min;
	uint64_t max;
	double mean;
	double median; /* between the two in the middle, if there are two */
};

/* False if there are no frames. */
bool cli_sizes_summarise(const struct cli_sizes *sizes,
                         struct cli_sizes_summary *summary_out);

/* Sizes from `min` to `max`: 0, 1, 2 to 3, 4 to 7, and so on. */
struct cli_sizes_bucket {
	uint64_t min;
	uint64_t max;
	uint64_t count;
};
#define CLI_SIZES_BUCKETS 17u

/* Fills the buckets from the smallest size that there is to the largest.
 * Returns how many. */
size_t cli_sizes_buckets(const struct cli_sizes *sizes,
                         struct cli_sizes_bucket *buckets_out);

#endif
