/*
 * Memory that is taken piece by piece, and given back all at once or back to a
 * mark: for what is worked out about one frame, or lives as long as a schema.
 */
#ifndef CLI_ARENA_H
#define CLI_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct cli_arena_block;

/* All zeros is an arena that has nothing yet. */
struct cli_arena {
	struct cli_arena_block *blocks; /* the newest first */
	bool failed;                    /* memory was short */
};

struct cli_arena_mark {
	struct cli_arena_block *block;
	size_t used;
};

/* Memory that is aligned for anything; NULL, with `failed` set, if there is
 * not enough. */
void *cli_arena_take(struct cli_arena *arena, size_t size_bytes);

struct cli_arena_mark cli_arena_mark(const struct cli_arena *arena);
/* Gives back all that was taken since. */
void cli_arena_reset(struct cli_arena *arena, struct cli_arena_mark mark);
void cli_arena_free(struct cli_arena *arena);

#endif
