/* When the next call may begin: the rate that was asked for, and what the
 * server has said. */
#ifndef DISPATCH_PACER_H
#define DISPATCH_PACER_H

#include <stdint.h>

struct pacer {
	int64_t interval_ns; /* between two calls; 0: no limit */
	int64_t next_ns;
	int64_t paused_ns; /* none before this, as the server asks */
};

void pacer_init(struct pacer *pacer, double rate_per_s);

/* When a call may begin; a time that has passed: now. */
int64_t pacer_due_ns(const struct pacer *pacer);

/* Notes that one begins. */
void pacer_begin(struct pacer *pacer, int64_t now_ns);

void pacer_pause(struct pacer *pacer, int64_t until_ns);

#endif
