/* Finding the name that the user may have meant. */
#ifndef CLI_SPELLING_H
#define CLI_SPELLING_H

#include <stddef.h>

/* The search for a name; `best` is NULL as long as no offered name was near. */
struct cli_spelling {
	const char *given;
	size_t given_bytes;
	const char *best;
	size_t best_distance;
};

void cli_spelling_init(struct cli_spelling *nearest, const char *given,
                       size_t given_bytes);

/* Keeps `name` if it is near the given text, and nearer than the name kept so
 * far.  A name is near if the text is a prefix of it, or if the two differ by
 * typing errors, at most one for three characters. */
void cli_spelling_offer(struct cli_spelling *nearest, const char *name);

#endif
