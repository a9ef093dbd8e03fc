/* Remembering where in the input waiting frames came from. */
#include "origins.h"

#include <stdlib.h>

#define FIRST_RUNS 64u

bool cli_origins_reserve(struct cli_origins *origins)
{
	size_t more = origins->allocated > 0 ? 2 * origins->allocated
	                                     : FIRST_RUNS;

	if (origins->count < origins->allocated)
		return true;
	void *runs = realloc(origins->runs, more * sizeof(*origins->runs));

	if (runs == NULL)
		return false;
	origins->runs = runs;
	origins->allocated = more;
	return true;
}

void cli_origins_release(struct cli_origins *origins)
{
	free(origins->runs);
	*origins = (struct cli_origins){.runs = NULL};
}

void cli_origins_clear(struct cli_origins *origins)
{
	origins->count = 0;
}

/* Where a run says that the frame behind `before` came from. */
static struct cli_place place_in(const struct cli_origin *run,
                                 struct cli_extent before)
{
	uint64_t frames = before.frames - run->before.frames;
	uint64_t bytes = before.bytes - run->before.bytes;

	return (struct cli_place){
		.at = run->from.at + bytes - frames * run->surplus,
		.number = run->from.number + frames,
	};
}

void cli_origins_add(struct cli_origins *origins, struct cli_extent before,
                     struct cli_place from, unsigned surplus)
{
	if (origins->count > 0) {
		const struct cli_origin *last =
			&origins->runs[origins->count - 1];
		struct cli_place next = place_in(last, before);

		if (last->surplus == surplus && next.at == from.at &&
		    next.number == from.number)
			return;
	}
	origins->runs[origins->count++] = (struct cli_origin){
		.before = before,
		.from = from,
		.surplus = surplus,
	};
}

struct cli_place cli_origins_find(const struct cli_origins *origins,
                                  struct cli_extent before)
{
	size_t first = 0;
	size_t end = origins->count;

	/* The last run that does not begin behind the frame. */
	while (end - first > 1) {
		size_t middle = first + (end - first) / 2;

		if (origins->runs[middle].before.frames <= before.frames)
			first = middle;
		else
			end = middle;
	}
	return place_in(&origins->runs[first], before);
}
