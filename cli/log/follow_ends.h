/* What ends a follow: a time limit, a time without frames, the end of a
 * process. */
#ifndef CLI_FOLLOW_ENDS_H
#define CLI_FOLLOW_ENDS_H

#include "awaited_process.h"

#include <stdbool.h>
#include <stdint.h>

struct cli_follow_ends {
	/* Set by the caller. */
	int64_t timeout_ns;         /* since the start; negative: no limit */
	int64_t idle_ns;            /* without a frame; negative: no limit */
	struct cli_process process; /* pid 0: none */
	/* Kept here. */
	int64_t started_ns;
	int64_t frame_ns;  /* when the last frame came */
	bool process_gone; /* as the last check has seen it */
};

/* No end is asked for. */
void cli_ends_init(struct cli_follow_ends *ends);

/* The times count from now. */
void cli_ends_begin(struct cli_follow_ends *ends);

bool cli_ends_is_timed_out(const struct cli_follow_ends *ends);
bool cli_ends_is_idle(const struct cli_follow_ends *ends);

/*
 * Whether the process is gone and all that it wrote can have been read since:
 * the first check that misses it still returns false, so that the caller reads
 * on once more.
 */
bool cli_ends_check_writer_gone(struct cli_follow_ends *ends);

/* How long a sleep of `most_ns` may last so that no time limit is missed. */
int64_t cli_ends_limit(const struct cli_follow_ends *ends, int64_t most_ns);

#endif
