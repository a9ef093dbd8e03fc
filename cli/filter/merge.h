/*
 * Frames of several logs in the order of a field: of the first frames that the
 * logs still have, the one that comes first is the next.  Frames stay in their
 * logs until it is their turn, so that a log which waits for another one takes
 * no memory, however fast it grows.
 */
#ifndef CLI_MERGE_H
#define CLI_MERGE_H

#include "options.h"
#include "scan.h"
#include "type_arguments.h"
#include "typed.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The option, for a command's table: its place in its enum. */
#define CLI_MERGE_OPTION(place)           \
	[place] = {                       \
		.name = "merge",          \
		.value = "PATH",          \
		.kind = &cli_takes_field, \
		.help = "logs as one, in the order of a field of their JSON"}

struct cli_merge;

/* One of the logs. */
struct cli_merge_source;

/* What cli_merge_next() has. */
enum cli_merge_news {
	CLI_MERGE_NOTHING, /* no frame may go out yet */
	CLI_MERGE_FRAME,
	CLI_MERGE_FAILED, /* a log cannot be read any further */
	CLI_MERGE_NO_MEMORY,
};

struct cli_merged {
	void *user;                       /* of the log that it is about */
	struct cli_scan *scan;            /* ... from which its frames come */
	const struct shmlog_frame *frame; /* valid until the next call */
	bool late;  /* one that comes behind it in the order went out before */
	int status; /* CLI_MERGE_FAILED: what its reader has returned */
};

/*
 * Reads the option.  *merge_out is NULL where it is not given.  `typed`, which
 * must stay, is the type of frames.  CLI_OK, or an exit status after a message.
 */
int cli_merge_init(struct cli_merge **merge_out, const struct cli_args *args,
                   size_t place, const struct cli_typed *typed);
void cli_merge_free(struct cli_merge *merge);

/* The last frames come first: all logs are read backwards. */
void cli_merge_reverse(struct cli_merge *merge);

/* A frame waits so long, since it was found, for logs of which no frame is
 * known. */
void cli_merge_set_wait(struct cli_merge *merge, int64_t wait_ns);

/* Adds a log, behind all others that have the same value.  NULL when memory is
 * short. */
struct cli_merge_source *cli_merge_add(struct cli_merge *merge, void *user);
/* Removes a log of which no frame is left. */
void cli_merge_remove(struct cli_merge *merge, struct cli_merge_source *source);

/* Where the frames of a log come from: the caller opens it, and closes it. */
struct cli_scan *cli_merge_scan(struct cli_merge_source *source);

/* A log was opened, first or in place of another one: its scan has a reader. */
void cli_merge_begin(struct cli_merge *merge, struct cli_merge_source *source);

/* Frames of a log are known to be there up to a cursor. */
void cli_merge_offer(struct cli_merge *merge, struct cli_merge_source *source,
                     uint64_t end);

/* Nothing comes behind what the scan still has.  Unless `status` is 0, it says
 * why, for when the scan finds no reason itself. */
void cli_merge_end(struct cli_merge *merge, struct cli_merge_source *source,
                   int status);

/* Closes the scans of all logs. */
void cli_merge_close(struct cli_merge *merge);

/* No more frames are wanted of the log whose frame was handed out last. */
void cli_merge_stop(struct cli_merge *merge);

/* Whether a log has frames that have not gone out. */
bool cli_merge_has_frames(const struct cli_merge_source *source);

/* The next frame; with `all`, without waiting for any log. */
enum cli_merge_news cli_merge_next(struct cli_merge *merge, bool all,
                                   struct cli_merged *merged_out);

/* How long until a frame need not wait any longer, behind CLI_MERGE_NOTHING;
 * `most_ns` at most. */
int64_t cli_merge_limit(const struct cli_merge *merge, int64_t most_ns);

#endif
