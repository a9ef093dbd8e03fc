/* The name somebody may have meant. */
#ifndef CLI_SPELLING_H
#define CLI_SPELLING_H

#include <stddef.h>

/* Filled by offers; `best` is NULL as long as none of them was near. */
struct cli_spelling {
	const char *given;
	size_t given_bytes;
	const char *best;
	size_t best_distance;
};

void cli_spelling_init(struct cli_spelling *nearest, const char *given,
                       size_t given_bytes);

/* Keeps `name` if it is near what was given, and nearer than the one kept:
 * what was given begins it, or slips of the finger lie between, one in three
 * characters at most. */
void cli_spelling_offer(struct cli_spelling *nearest, const char *name);

#endif
