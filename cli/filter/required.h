/* Which literals a match of a regular expression must contain. */
#ifndef CLI_REQUIRED_H
#define CLI_REQUIRED_H

#include "literals.h"
#include "regex.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Adds the literals of a pattern that PCRE2 has accepted, one for each of its
 * alternatives; one that is all of its alternative decides.  The flags are
 * those that it was compiled with.  What is not plainly seen is not claimed.
 * False where nothing can be said; the set is left as it was then.
 */
bool cli_required_literals(const char *pattern, size_t size_bytes,
                           unsigned flags, struct cli_literals *literals);

#endif
