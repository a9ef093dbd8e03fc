/* Top without a screen: for scripts. */
#ifndef TOP_BATCH_H
#define TOP_BATCH_H

#include "top_sample.h"

#include <stdbool.h>
#include <stdint.h>

struct top_batch {
	struct top_sampler sampler;
	struct top_model model;
	bool json;
	uint64_t count; /* intervals that are printed */
	int64_t interval_ns;
};

/* Prints a table, or a line of JSON for each log, at the end of each interval.
 * An exit status, or the end by a signal. */
int top_batch_run(struct top_batch *batch);

#endif
