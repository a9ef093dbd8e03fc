/* Both limits of a range, found on one snapshot of the end. */
#ifndef CLI_RANGE_H
#define CLI_RANGE_H

#include "position.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

struct cli_range {
	/* What is asked for. */
	struct cli_position from;
	struct cli_position to;
	bool reverse; /* the frames are wanted last to first */
	/* What is found: the frames that start at `begin` or later and before
	 * `end`, which are cursors. */
	uint64_t begin;
	uint64_t end;
};

/*
 * Loads the end of the log once, finds both positions in the log as it was at
 * that moment, and leaves the reader at the side of the range where reading
 * begins.  The reader holds that end from then on, so that what is committed
 * meanwhile is not in the range.
 *
 * If damage hides `to`, the range ends at the damage.  Forwards, `end` then has
 * no limit: the caller reads the good frames from `begin` on, meets the damage
 * and reports it.
 *
 * Returns CLI_OK, or another status after a message.  There is no message about
 * damage: *damage_out is the library's status of it then, otherwise 0, and
 * shmlog_reader_fault() has the details.
 */
int cli_range_find(struct cli_range *range, const struct shmlog *log,
                   struct shmlog_reader *reader, const char *subject,
                   int *damage_out);

#endif
