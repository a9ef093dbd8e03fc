/* Memory that is given back at once. */
#include "arena.h"

#include <stdlib.h>

#define BLOCK_BYTES ((size_t)128 << 10)

struct cli_arena_block {
	struct cli_arena_block *before;
	size_t size_bytes;
	size_t used;
	_Alignas(max_align_t) unsigned char bytes[];
};

static bool add_block(struct cli_arena *arena, size_t size_bytes)
{
	struct cli_arena_block *block;

	if (size_bytes < BLOCK_BYTES)
		size_bytes = BLOCK_BYTES;
	block = malloc(sizeof(*block) + size_bytes);
	if (block == NULL) {
		arena->failed = true;
		return false;
	}
	block->before = arena->blocks;
	block->size_bytes = size_bytes;
	block->used = 0;
	arena->blocks = block;
	return true;
}

void *cli_arena_take(struct cli_arena *arena, size_t size_bytes)
{
	const size_t unit = _Alignof(max_align_t);
	struct cli_arena_block *block;
	void *taken;

	size_bytes = (size_bytes + unit - 1) / unit * unit;
	block = arena->blocks;
	if (block == NULL || size_bytes > block->size_bytes - block->used) {
		if (!add_block(arena, size_bytes))
			return NULL;
		block = arena->blocks;
	}
	taken = block->bytes + block->used;
	block->used += size_bytes;
	return taken;
}

struct cli_arena_mark cli_arena_mark(const struct cli_arena *arena)
{
	return (struct cli_arena_mark){
		arena->blocks, arena->blocks != NULL ? arena->blocks->used : 0};
}

/* The oldest block stays, so that most frames need no memory of their own. */
void cli_arena_reset(struct cli_arena *arena, struct cli_arena_mark mark)
{
	while (arena->blocks != mark.block && arena->blocks != NULL &&
	       arena->blocks->before != NULL) {
		struct cli_arena_block *block = arena->blocks;

		arena->blocks = block->before;
		free(block);
	}
	if (arena->blocks != NULL)
		arena->blocks->used = mark.block != NULL ? mark.used : 0;
}

void cli_arena_free(struct cli_arena *arena)
{
	while (arena->blocks != NULL) {
		struct cli_arena_block *block = arena->blocks;

		arena->blocks = block->before;
		free(block);
	}
}
