/* Which literals a match of a regular expression must contain. */
#ifndef CLI_REQUIRED_H
#define CLI_REQUIRED_H

#include "literals.h"

#include <stdbool.h>
#include <stddef.h>

enum cli_required {
	CLI_REQUIRED_NOTHING, /* nothing can be said */
	CLI_REQUIRED_SOME,    /* a match contains one of them */
	CLI_REQUIRED_ALL,     /* ... and each of them is a match */
};

/*
 * Adds the literals of a pattern that PCRE2 has accepted, one for each of its
 * alternatives.  What is not plainly seen is not claimed.  With NOTHING the
 * set is left as it was.
 */
enum cli_required cli_required_literals(const char *pattern, size_t size_bytes,
                                        bool utf,
                                        struct cli_literals *literals);

#endif
