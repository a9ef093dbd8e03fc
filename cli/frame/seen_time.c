/* Tells the time of day at which frames are printed. */
#include "seen_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Sets what stays the same for a second: the local time takes much longer than
 * the clock itself. */
static void set_second(struct cli_seen_time *seen, int64_t second)
{
	time_t when = (time_t)second;
	struct tm local;

	seen->second = second;
	tzset();
	if (localtime_r(&when, &local) == NULL) {
		local = (struct tm){.tm_mday = 1, .tm_year = 70};
	}
	seen->offset = local.tm_gmtoff;
	if (strftime(seen->local, sizeof(seen->local), "%Y-%m-%dT%H:%M:%S",
	             &local) == 0)
		seen->local[0] = '\0';
}

void cli_seen_set(struct cli_seen_time *seen, int64_t second, long nanosecond)
{
	long minutes;

	if (seen->local[0] == '\0' || seen->second != second)
		set_second(seen, second);
	minutes = labs(seen->offset) / 60;
	(void)snprintf(seen->iso, sizeof(seen->iso), "%s.%03ld%c%02ld:%02ld",
	               seen->local, nanosecond / 1000000,
	               seen->offset < 0 ? '-' : '+', minutes / 60 % 100,
	               minutes % 60);
	(void)snprintf(seen->epoch, sizeof(seen->epoch), "%" PRId64 ".%06ld",
	               second, nanosecond / 1000);
}

void cli_seen_now(struct cli_seen_time *seen)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	cli_seen_set(seen, (int64_t)now.tv_sec, now.tv_nsec);
}
