/*
 * The places in an output at which batches of frames begin.  They tell which
 * frames have left an output that was given up in the middle.
 */
#ifndef CLI_DELIVERY_H
#define CLI_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tail_log;

/* A batch of frames of one log. */
struct cli_mark {
	uint64_t bytes;       /* of output in front of it */
	struct tail_log *log; /* the frames are from it */
	uint64_t cursor;      /* of its first frame */
	uint64_t index;       /* of its first frame */
	uint64_t end;         /* the cursor behind its last frame */
	bool late;            /* its frames are marked as late */
};

/* More marks than the batches that an output's buffer holds, unless they are
 * very small. */
#define CLI_DELIVERY_MARKS 512u

/* Empty with a count of 0. */
struct cli_delivery {
	struct cli_mark marks[CLI_DELIVERY_MARKS]; /* ascending */
	size_t count;
};

/* Whether the output must be let out, and the marks forgotten, before the next
 * batch. */
bool cli_delivery_is_full(const struct cli_delivery *delivery);

/* Notes a batch, behind all others. */
void cli_delivery_note(struct cli_delivery *delivery,
                       const struct cli_mark *mark);

/* How many batches begin within `written` bytes: all but the last of these have
 * left the output as a whole. */
size_t cli_delivery_count(const struct cli_delivery *delivery,
                          uint64_t written);

#endif
