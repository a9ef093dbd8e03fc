/*
 * Where in the input the frames that wait for a commit came from: a run for
 * frames whose records follow each other and differ from them by a fixed
 * number of bytes, as lines do, so that most of an input is one run a read.
 */
#ifndef CLI_ORIGINS_H
#define CLI_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in an input: between two records, or at its end. */
struct cli_place {
	uint64_t at;     /* bytes of the input before it */
	uint64_t number; /* of the record there, from 1 */
};

/* Frames that wait, counted from the first one that does. */
struct cli_extent {
	uint64_t frames;
	uint64_t bytes;
};

struct cli_origin {
	struct cli_extent before; /* what waits before the run */
	struct cli_place from;    /* the record of its first frame */
	unsigned surplus;         /* bytes that a frame has more than its
	                           * record */
};

struct cli_origins {
	struct cli_origin *runs;
	size_t count;
	size_t allocated;
};

/* Makes room for one more run; false without the memory. */
bool cli_origins_reserve(struct cli_origins *origins);
void cli_origins_release(struct cli_origins *origins);

/* Notes that the frames behind `before` come from the records at `from` on.
 * There is room. */
void cli_origins_add(struct cli_origins *origins, struct cli_extent before,
                     struct cli_place from, unsigned surplus);

/* Nothing waits any more. */
void cli_origins_clear(struct cli_origins *origins);

/* Where the frame behind `before` came from.  Something waits. */
struct cli_place cli_origins_find(const struct cli_origins *origins,
                                  struct cli_extent before);

#endif
