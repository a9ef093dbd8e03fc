/*
 * When to look at a log again: a writer that only stores to memory wakes
 * nobody.  The reader that waits notes when it sees news and how it came to see
 * them; from that follows how long it may sleep.  Nothing here reads a clock.
 */
#ifndef SHMLOG_POLL_SCHEDULE_H
#define SHMLOG_POLL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* How a reader came to see news. */
enum shmlog_poll_found {
	SHMLOG_FOUND_AT_ONCE,   /* they were there before it could sleep */
	SHMLOG_FOUND_BY_A_WAKE, /* the writer ended its sleep */
	SHMLOG_FOUND_BY_A_POLL, /* it slept on while they came */
};

/* How many spans are remembered. */
#define SHMLOG_POLL_SPANS 16u

/* All zeros at first. */
struct shmlog_poll_schedule {
	bool begun;
	bool polled;      /* the last writer woke nobody */
	bool woken;       /* ... did; neither: none is known */
	int64_t since_ns; /* when there were news last, or it began */
	int64_t late_ns;  /* how late sleeps have ended: shmlog_poll_slept() */
	int64_t last_late_ns; /* how late the last one has */
	unsigned doubts;      /* news that polls found of a writer that wakes */
	/* From news to news of such a writer: the last ones, of which the
	 * newest stands before `next`. */
	int64_t spans_ns[SHMLOG_POLL_SPANS];
	unsigned spans; /* how many are known */
	unsigned next;
};

/* For so long after news from a writer that stores, pauses are no longer than
 * SHMLOG_POLL_MOST_NS; or than SHMLOG_POLL_EARLY_NS while it is not expected
 * yet. */
#define SHMLOG_POLL_ACTIVE_NS 3000000000
#define SHMLOG_POLL_LEAST_NS 100000
#define SHMLOG_POLL_MOST_NS 1500000
#define SHMLOG_POLL_EARLY_NS 20000000

/* Begins, unless it has begun.  All times are of the monotonic clock. */
void shmlog_poll_begin(struct shmlog_poll_schedule *schedule, int64_t now_ns);

/* Notes news. */
void shmlog_poll_note(struct shmlog_poll_schedule *schedule, int64_t now_ns,
                      enum shmlog_poll_found found);

/* Notes a wake that brought no news: its writer wakes, and a poll has found
 * what the wake was for, as it takes a while to wake many readers. */
void shmlog_poll_woken(struct shmlog_poll_schedule *schedule);

/*
 * Notes how much later than asked for a sleep ended that nothing cut short.
 * Where two in a row are 2 ms late or more, the processors are busy, maybe with
 * the looks of many readers of the same log; so polls that are a mere safeguard
 * get rarer, for the next hundred news or so.
 */
void shmlog_poll_slept(struct shmlog_poll_schedule *schedule, int64_t late_ns);

/* Whether its writer stores and was active within SHMLOG_POLL_ACTIVE_NS. */
bool shmlog_poll_is_active(const struct shmlog_poll_schedule *schedule,
                           int64_t now_ns);

/* How long to sleep now, more than 0. */
int64_t shmlog_poll_pause(const struct shmlog_poll_schedule *schedule,
                          int64_t now_ns);

#endif
