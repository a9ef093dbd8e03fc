/* Spaces calls evenly. */
#include "pacer.h"

/* Calls that came too late for their turn may follow closely, but not more than
 * these of them. */
#define MOST_LATE_NS INT64_C(20000000)

void pacer_init(struct pacer *pacer, double rate_per_s)
{
	*pacer = (struct pacer){0};
	if (rate_per_s > 0 && rate_per_s < 1e9)
		pacer->interval_ns = (int64_t)(1e9 / rate_per_s);
}

int64_t pacer_due_ns(const struct pacer *pacer)
{
	int64_t due_ns = pacer->interval_ns > 0 ? pacer->next_ns : 0;

	return pacer->paused_ns > due_ns ? pacer->paused_ns : due_ns;
}

void pacer_begin(struct pacer *pacer, int64_t now_ns)
{
	if (pacer->next_ns < now_ns - MOST_LATE_NS)
		pacer->next_ns = now_ns - MOST_LATE_NS;
	if (pacer->interval_ns > MOST_LATE_NS && pacer->next_ns < now_ns)
		pacer->next_ns = now_ns;
	pacer->next_ns += pacer->interval_ns;
}

void pacer_pause(struct pacer *pacer, int64_t until_ns)
{
	if (until_ns > pacer->paused_ns)
		pacer->paused_ns = until_ns;
}
