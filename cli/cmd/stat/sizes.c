/* Counts payload sizes. */
#include "sizes.h"

#include <errno.h>
#include <stdlib.h>

#define SIZES_COUNT ((size_t)SHMLOG_PAYLOAD_MAX_BYTES + 1)

int cli_sizes_init(struct cli_sizes *sizes)
{
	*sizes = (struct cli_sizes){.frames = 0};
	sizes->counts = calloc(SIZES_COUNT, sizeof(*sizes->counts));
	return sizes->counts ? 0 : -ENOMEM;
}

void cli_sizes_release(struct cli_sizes *sizes)
{
	free(sizes->counts);
	sizes->counts = NULL;
}

/* The size of the frame that would be the nth, counted from 0, if they were
 * sorted by size; there is one. */
static uint64_t nth_smallest(const struct cli_sizes *sizes, uint64_t n)
{
	uint64_t size = 0;

	for (; n >= sizes->counts[size]; size++)
		n -= sizes->counts[size];
	return size;
}

bool cli_sizes_summarise(const struct cli_sizes *sizes,
                         struct cli_sizes_summary *summary_out)
{
	uint64_t frames = sizes->frames;
	uint64_t middle;

	if (frames == 0)
		return false;
	middle = nth_smallest(sizes, (frames - 1) / 2) +
	         nth_smallest(sizes, frames / 2);
	summary_out->min = nth_smallest(sizes, 0);
	summary_out->max = nth_smallest(sizes, frames - 1);
	summary_out->mean = (double)sizes->total_bytes / (double)frames;
	summary_out->median = (double)middle / 2;
	return true;
}

/* Which sizes the nth bucket holds. */
static struct cli_sizes_bucket nth_bucket(const struct cli_sizes *sizes,
                                          size_t n)
{
	struct cli_sizes_bucket bucket = {.count = 0};

	if (n > 0) {
		bucket.min = UINT64_C(1) << (n - 1);
		bucket.max = bucket.min * 2 - 1;
	}
	if (bucket.max > SHMLOG_PAYLOAD_MAX_BYTES)
		bucket.max = SHMLOG_PAYLOAD_MAX_BYTES;
	for (uint64_t size = bucket.min; size <= bucket.max; size++)
		bucket.count += sizes->counts[size];
	return bucket;
}

size_t cli_sizes_buckets(const struct cli_sizes *sizes,
                         struct cli_sizes_bucket *buckets_out)
{
	size_t used = 0, count = 0;

	for (size_t n = 0; n < CLI_SIZES_BUCKETS; n++) {
		struct cli_sizes_bucket bucket = nth_bucket(sizes, n);

		if (bucket.count > 0)
			used = count + 1;
		/* Empty ones count between others only. */
		if (bucket.count > 0 || used > 0)
			buckets_out[count++] = bucket;
	}
	return used;
}
