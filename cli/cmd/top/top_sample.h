/* Looking at the logs: which there are, how far each is, and who holds them. */
#ifndef TOP_SAMPLE_H
#define TOP_SAMPLE_H

#include "top_model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct top_sampler {
	const char *const *paths;
	size_t path_count;
	int64_t holders_due_ns; /* when /proc is to be looked at again */
	uint64_t active;        /* logs that grew in the last interval */
	bool reports; /* the next look has messages about what it cannot read */
	int status;   /* of that look: an exit status */
};

/*
 * Looks at all logs and updates the model.  Frames are counted in what has been
 * committed since the last look alone, and only so many of them that a look
 * costs little: where there are more, the rest is estimated.  /proc is looked
 * at as often as it costs a hundredth of the time.  False when memory is short.
 */
bool top_sample(struct top_sampler *sampler, struct top_model *model);

#endif
