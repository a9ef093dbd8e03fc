/*
 * The patterns of --grep or of --not-grep: a payload matches where any of them
 * does.  They are run as one, and where each of them holds a literal, only
 * over payloads that hold one of these.
 */
#ifndef CLI_PATTERN_H
#define CLI_PATTERN_H

#include "literals.h"
#include "regex.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>

struct cli_pattern;

/* A pattern of several is refused: which, and why. */
struct cli_pattern_error {
	size_t nth;
	struct cli_regex_error regex;
};

/*
 * Compiles patterns, at least one.  A character is a code point where a
 * pattern needs that (it is not ASCII, or names a property of characters),
 * else a byte.  NULL after an error.
 */
struct cli_pattern *cli_pattern_compile(const char *const *texts, size_t count,
                                        bool ignore_case,
                                        struct cli_pattern_error *error_out);
void cli_pattern_free(struct cli_pattern *pattern);

/* Whether characters are code points: then a payload that somebody may change
 * meanwhile has to be copied first. */
bool cli_pattern_is_utf(const struct cli_pattern *pattern);

/* What a payload has to hold before cli_pattern_search() is worth a call; one
 * that decides is a match. */
const struct cli_literals *
cli_pattern_literals(const struct cli_pattern *pattern);

/* The first match from `start` on, of any of them. */
enum cli_regex_match cli_pattern_search(const struct cli_pattern *pattern,
                                        const unsigned char *bytes,
                                        size_t size_bytes, size_t start,
                                        struct cli_regex_bounds *bounds_out);

#endif
