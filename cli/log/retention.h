/*
 * What becomes of the logs that rotations have left: the oldest are removed,
 * the others archived, but never one that another process holds.  A follower
 * reads the logs in the order of their rotations, so nothing behind the one
 * that it holds is touched, either.
 */
#ifndef CLI_RETENTION_H
#define CLI_RETENTION_H

#include "options.h"

#include <stdbool.h>
#include <stdint.h>

struct cli_retention {
	bool limited;  /* to so many old logs: */
	uint64_t keep; /* archives counted */
	bool compress;
};

#define CLI_RETENTION_OPTIONS(keep_place, compress_place)                      \
	[keep_place] = {.name = "keep",                                        \
	                .value = "N",                                          \
	                .kind = &cli_takes_number,                             \
	                .help = "keep N rotated logs, and remove older ones"}, \
	[compress_place] = {.name = "compress",                                \
	                    .help = "archive rotated logs with zstd"}

/* Reads them.  CLI_OK, or an exit status after a message: wrong usage, or a
 * build without zstd. */
int cli_retention_read(struct cli_retention *retention,
                       const struct cli_args *args, size_t keep_place,
                       size_t compress_place);

/* What is told of each log that is removed or archived; either may be NULL. */
struct cli_retention_visitor {
	void (*removed)(void *context, const char *path);
	void (*archived)(void *context, const char *path);
	void *context;
};

/* Removes and archives the old logs of the log at `path`.  CLI_OK, also after a
 * signal was caught, or an exit status after a message. */
int cli_retention_apply(const struct cli_retention *retention, const char *path,
                        const struct cli_retention_visitor *visitor);

#endif
