/*
 * Regular expressions over bytes; regex.c is the only user of PCRE2.  Without
 * that library nothing compiles, and the reason names the package.
 */
#ifndef CLI_REGEX_H
#define CLI_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct cli_regex;

enum cli_regex_flags {
	CLI_REGEX_IGNORE_CASE = 1u << 0,
	/* Pattern and subject are UTF-8: a character is a code point, and what
	 * of a subject is not valid matches nothing.  Else a byte is one. */
	CLI_REGEX_UTF = 1u << 1,
	/* Every subject is valid UTF-8, and nobody changes it meanwhile. */
	CLI_REGEX_TRUSTED = 1u << 2,
};

enum cli_regex_failure {
	CLI_REGEX_BAD,       /* the pattern is none */
	CLI_REGEX_NO_MEMORY, /* there is not enough */
	CLI_REGEX_NOT_BUILT, /* this program was built without PCRE2 */
};

struct cli_regex_error {
	enum cli_regex_failure failure;
	size_t offset; /* where in the pattern, in bytes */
	char reason[160];
};

/* Compiles a pattern, to machine code where the system allows that.  NULL
 * after an error. */
struct cli_regex *cli_regex_compile(const char *pattern, size_t size_bytes,
                                    unsigned flags,
                                    struct cli_regex_error *error_out);
void cli_regex_free(struct cli_regex *regex);

/* Whether it refers to groups of its own by number or name, which change where
 * patterns are joined. */
bool cli_regex_refers_to_groups(const struct cli_regex *regex);
/* Whether it runs as machine code. */
bool cli_regex_is_compiled(const struct cli_regex *regex);

enum cli_regex_match {
	CLI_REGEX_NO_MATCH,
	CLI_REGEX_MATCH,
	CLI_REGEX_OVER_LIMIT,  /* the search would take too long */
	CLI_REGEX_MATCH_FAILED /* not enough memory */
};

/* Looks for the first match at `start` or behind it.  Where one is found, its
 * bounds are stored; NULL where nobody wants them. */
struct cli_regex_bounds {
	size_t begin;
	size_t end;
};
enum cli_regex_match cli_regex_search(const struct cli_regex *regex,
                                      const unsigned char *bytes,
                                      size_t size_bytes, size_t start,
                                      struct cli_regex_bounds *bounds_out);

#endif
