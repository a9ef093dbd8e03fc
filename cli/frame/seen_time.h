/*
 * When frames were seen: the time of day at which they are printed, for %t and
 * %T of templates and "seen" of JSON.  A log has no times of its own.
 */
#ifndef CLI_SEEN_TIME_H
#define CLI_SEEN_TIME_H

#include <stdint.h>

/* All zeros is a time that nobody asked for. */
struct cli_seen_time {
	int64_t second; /* that `local` is for */
	long offset;    /* seconds east of UTC then */
	char local[24]; /* 2026-11-27T04:00:00 */
	/* As %t and "seen" have it, 2026-11-27T04:00:00.123+01:00; and as %T
	 * has it, 1795748400.123456. */
	char iso[64];
	char epoch[32];
};

/* Takes the time of day. */
void cli_seen_now(struct cli_seen_time *seen);
/* The same for a time since the epoch. */
void cli_seen_set(struct cli_seen_time *seen, int64_t second, long nanosecond);

#endif
