/*
 * One pass over a part of a log that is not followed: opening it, and reading
 * its frames in batches up to an end that was found before.
 */
#ifndef CLI_SCAN_H
#define CLI_SCAN_H

#include "range.h"

#include <shmlog.h>
#include <stddef.h>
#include <stdint.h>

/* Frames that a follow or a scan hands out at a time. */
#define CLI_BATCH_FRAMES 256u

struct cli_scan {
	const char *path;
	struct shmlog *log;
	struct shmlog_reader *reader;
	/* What is read: the frames that start at the cursor `begin` or later
	 * and before `end`, forwards from the reader's cursor, or backwards. */
	uint64_t begin;
	uint64_t end;
	bool reverse;
	struct shmlog_frame frames[CLI_BATCH_FRAMES];
};

/* Opens a log, which `path` must go on naming, to read all that is committed
 * from its start on.  CLI_OK, or an exit status after a message; then there is
 * nothing to close. */
int cli_scan_open(struct cli_scan *scan, const char *path);
void cli_scan_close(struct cli_scan *scan);

/* Bounds the scan by a range, as cli_range_find() finds it and with its
 * results. */
int cli_scan_set_range(struct cli_scan *scan, struct cli_range *range,
                       int *damage_out);

/*
 * Reads the next frames into scan->frames: at most `most` and a batch, and one
 * alone backwards.  Returns how many; 0 at the end of the range; or a negative
 * status of the library, with damage in shmlog_reader_fault().  Payloads stay
 * valid until the next call on the reader.
 */
int cli_scan_next(struct cli_scan *scan, uint64_t most);

#endif
