/* Pauses between two looks at a log, from when there were news of it. */
#include "poll_schedule.h"

/* After news from a writer that wakes, polls are a mere safeguard: they begin
 * as if that much time had passed, 0.6 ms apart.  Much later would do, at half
 * the processor time of a follow at 20 lines a second (0.3 % for 0.8), but they
 * keep the processor's sleep shallow: what comes 1 to 5 ms after the last news
 * is through 5 to 10 % sooner. */
#define WOKEN_IDLE_NS 4000000
/* Price of a look against a delay: frames that come at random are found with
 * the least of both together by looks that are apart by the geometric mean of
 * their period and of this. */
#define LOOK_PRICE_NS 36000
/* What the clock of a regular writer and the sleep of a reader add to its
 * deviation. */
#define CLOCK_SLACK_NS 200000

void shmlog_poll_begin(struct shmlog_poll_schedule *schedule, int64_t now_ns)
{
	if (schedule->begun)
		return;
	schedule->begun = true;
	schedule->since_ns = now_ns;
}

/* The averages as TCP takes them of round trips (RFC 6298): an eighth of a new
 * error goes into the mean, a quarter into the deviation. */
static void learn(struct shmlog_poll_schedule *schedule, int64_t span_ns)
{
	int64_t error = span_ns - schedule->period_ns;

	if (span_ns > SHMLOG_POLL_ACTIVE_NS) {
		/* A pause, not a period. */
		schedule->period_ns = 0;
	} else if (schedule->period_ns == 0) {
		schedule->period_ns = span_ns;
		schedule->deviation_ns = span_ns / 2;
	} else {
		schedule->period_ns += error / 8;
		error = error < 0 ? -error : error;
		schedule->deviation_ns += (error - schedule->deviation_ns) / 4;
	}
}

void shmlog_poll_note(struct shmlog_poll_schedule *schedule, int64_t now_ns,
                      enum shmlog_poll_found found)
{
	bool was_polled = schedule->polled;

	if (found != SHMLOG_FOUND_AT_ONCE) {
		schedule->polled = found == SHMLOG_FOUND_BY_A_POLL;
		schedule->woken = !schedule->polled;
	}
	if (schedule->polled && was_polled)
		learn(schedule, now_ns - schedule->since_ns);
	else
		schedule->period_ns = 0;
	schedule->since_ns = now_ns;
}

/* The square root, rounded down. */
static int64_t root(int64_t of)
{
	int64_t result = 0;

	for (int64_t bit = (int64_t)1 << 30; bit > 0; bit >>= 1) {
		if ((result + bit) * (result + bit) <= of)
			result += bit;
	}
	return result;
}

static int64_t limit(int64_t pause, int64_t most)
{
	return pause < SHMLOG_POLL_LEAST_NS ? SHMLOG_POLL_LEAST_NS
	       : pause > most               ? most
	                                    : pause;
}

/* An eighth of the time that has passed: a poll is late by at most that much,
 * and the looks of a silent hour are few. */
static int64_t back_off(int64_t idle_ns)
{
	return SHMLOG_POLL_LEAST_NS + idle_ns / 8;
}

/* While frames that come at random, `period_ns` apart on average, are awaited:
 * the chance that one comes is always the same. */
static int64_t even_pause(int64_t period_ns)
{
	return limit(root(period_ns * LOOK_PRICE_NS), SHMLOG_POLL_MOST_NS);
}

/* For a writer that was active a moment ago. */
static int64_t active_pause(const struct shmlog_poll_schedule *schedule,
                            int64_t idle_ns)
{
	int64_t period = schedule->period_ns;
	int64_t lead = 4 * schedule->deviation_ns + CLOCK_SLACK_NS;

	if (period == 0)
		return limit(back_off(idle_ns), SHMLOG_POLL_MOST_NS);
	/* It is regular if there is a time when nothing is to be expected. */
	if (lead > period / 2 || idle_ns >= period + lead)
		return even_pause(period);
	if (idle_ns < period - lead)
		return limit(period - lead - idle_ns,
		             lead < period / 16 ? SHMLOG_POLL_SURE_NS
		                                : SHMLOG_POLL_EARLY_NS);
	return even_pause(2 * lead);
}

bool shmlog_poll_is_active(const struct shmlog_poll_schedule *schedule,
                           int64_t now_ns)
{
	return schedule->polled &&
	       now_ns - schedule->since_ns < SHMLOG_POLL_ACTIVE_NS;
}

int64_t shmlog_poll_pause(const struct shmlog_poll_schedule *schedule,
                          int64_t now_ns)
{
	int64_t idle_ns = now_ns - schedule->since_ns;

	if (schedule->woken)
		return back_off(WOKEN_IDLE_NS + idle_ns);
	if (!schedule->polled)
		return back_off(idle_ns);
	if (shmlog_poll_is_active(schedule, now_ns))
		return active_pause(schedule, idle_ns);
	return SHMLOG_POLL_MOST_NS + (idle_ns - SHMLOG_POLL_ACTIVE_NS) / 64;
}
