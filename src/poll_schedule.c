/* Pauses between two looks at a log, from when there were news of it. */
#include "poll_schedule.h"

/* After news from a writer that wakes, polls are a mere safeguard: they begin
 * as if that much time had passed, 0.6 ms apart.  Much later would do, at half
 * the processor time of a follow at 20 lines a second (0.3 % for 0.8), but they
 * keep the processor's sleep shallow: what comes 1 to 5 ms after the last news
 * is through 5 to 10 % sooner. */
#define WOKEN_IDLE_NS 4000000
/* The same where sleeps end late: a thousand readers whose polls begin 0.6 ms
 * after the news keep the processors from those who have yet to wake up.  They
 * begin 32 times as much later as sleeps were late, or 200 ms. */
#define LATE_LEAST_NS 2000000
#define LATE_MOST_NS 6250000
#define LATE_TO_IDLE 256
/* Each news lets this part of the lateness be forgotten: slowly, as it cannot
 * be seen while there are no polls. */
#define LATE_FORGOTTEN 128
/* So many news in a row must have been found by polls before a writer that was
 * seen to wake counts as one that does not, where sleeps end late: a poll may
 * be sooner than the wake then. */
#define DOUBTS_MOST 8u
/* Price of a look against a delay: frames that come at random are found with
 * the least of both together by looks that are apart by the geometric mean of
 * their period and of this. */
#define LOOK_PRICE_NS 36000
/* What a regular writer's clock and the sleep of a reader add to a span. */
#define CLOCK_SLACK_NS 200000
/* How many spans tell whether a writer is regular. */
#define SPANS_LEAST 5u

void shmlog_poll_begin(struct shmlog_poll_schedule *schedule, int64_t now_ns)
{
	if (schedule->begun)
		return;
	schedule->begun = true;
	schedule->since_ns = now_ns;
}

static void forget_spans(struct shmlog_poll_schedule *schedule)
{
	schedule->spans = schedule->next = 0;
}

static void learn(struct shmlog_poll_schedule *schedule, int64_t span_ns)
{
	if (span_ns > SHMLOG_POLL_ACTIVE_NS) {
		/* A pause, not a period. */
		forget_spans(schedule);
		return;
	}
	schedule->spans_ns[schedule->next] = span_ns;
	schedule->next = (schedule->next + 1) % SHMLOG_POLL_SPANS;
	if (schedule->spans < SHMLOG_POLL_SPANS)
		schedule->spans++;
}

void shmlog_poll_note(struct shmlog_poll_schedule *schedule, int64_t now_ns,
                      enum shmlog_poll_found found)
{
	bool was_polled = schedule->polled;

	if (found == SHMLOG_FOUND_BY_A_WAKE)
		schedule->doubts = 0;
	if (found == SHMLOG_FOUND_BY_A_POLL && schedule->woken &&
	    schedule->late_ns >= LATE_LEAST_NS &&
	    schedule->doubts++ < DOUBTS_MOST)
		found = SHMLOG_FOUND_AT_ONCE;
	if (found != SHMLOG_FOUND_AT_ONCE) {
		schedule->polled = found == SHMLOG_FOUND_BY_A_POLL;
		schedule->woken = !schedule->polled;
	}
	if (schedule->polled && was_polled)
		learn(schedule, now_ns - schedule->since_ns);
	else
		forget_spans(schedule);
	schedule->since_ns = now_ns;
	schedule->late_ns -= schedule->late_ns / LATE_FORGOTTEN;
}

void shmlog_poll_woken(struct shmlog_poll_schedule *schedule)
{
	schedule->polled = false;
	schedule->woken = true;
	schedule->doubts = 0;
	forget_spans(schedule);
}

void shmlog_poll_slept(struct shmlog_poll_schedule *schedule, int64_t late_ns)
{
	int64_t both_ns = late_ns < schedule->last_late_ns
	                          ? late_ns
	                          : schedule->last_late_ns;

	/* One alone may be any process's doing. */
	schedule->last_late_ns = late_ns;
	if (both_ns > LATE_MOST_NS)
		both_ns = LATE_MOST_NS;
	if (both_ns > schedule->late_ns)
		schedule->late_ns = both_ns;
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

/* When the next frame is expected, and how far frames are apart on average. */
struct forecast {
	int64_t earliest_ns;
	int64_t latest_ns;
	int64_t period_ns;
};

/*
 * From the shortest and the longest of the last spans.  The next one may lie
 * beyond them, the farther the fewer are known: of N that are spread evenly,
 * by an Nth of their range on average; six times as much is allowed for, as
 * the first few may be close by chance.
 */
static struct forecast
make_forecast(const struct shmlog_poll_schedule *schedule)
{
	int64_t shortest = INT64_MAX, longest = 0, sum = 0;
	int64_t spans = schedule->spans;

	for (int64_t i = 0; i < spans; i++) {
		int64_t span = schedule->spans_ns[i];

		shortest = span < shortest ? span : shortest;
		longest = span > longest ? span : longest;
		sum += span;
	}
	int64_t margin = (longest - shortest) * 6 / (spans + 4) +
	                 CLOCK_SLACK_NS;

	return (struct forecast){.earliest_ns = shortest - margin,
	                         .latest_ns = longest + margin,
	                         .period_ns = sum / spans};
}

/* For a writer that was active a moment ago. */
static int64_t active_pause(const struct shmlog_poll_schedule *schedule,
                            int64_t idle_ns)
{
	if (schedule->spans == 0)
		return limit(back_off(idle_ns), SHMLOG_POLL_MOST_NS);
	struct forecast next = make_forecast(schedule);

	/* It is regular if nothing is to be expected for half of its period. */
	if (schedule->spans < SPANS_LEAST ||
	    next.earliest_ns < next.period_ns / 2 || idle_ns >= next.latest_ns)
		return even_pause(next.period_ns);
	if (idle_ns < next.earliest_ns)
		return limit(next.earliest_ns - idle_ns, SHMLOG_POLL_EARLY_NS);
	return even_pause(next.latest_ns - next.earliest_ns);
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

	if (schedule->woken && schedule->late_ns >= LATE_LEAST_NS)
		return back_off(schedule->late_ns * LATE_TO_IDLE + idle_ns);
	if (schedule->woken)
		return back_off(WOKEN_IDLE_NS + idle_ns);
	if (!schedule->polled)
		return back_off(idle_ns);
	if (shmlog_poll_is_active(schedule, now_ns))
		return active_pause(schedule, idle_ns);
	return SHMLOG_POLL_MOST_NS + (idle_ns - SHMLOG_POLL_ACTIVE_NS) / 64;
}
