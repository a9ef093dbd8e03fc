/*
 * Expressions of --where: a part of jq's language, with jq's answers.  A frame
 * passes where `jq -c 'select((EXPR)?)'` keeps it, but for whole numbers,
 * which are exact here.  value.h says which jq counts where versions differ.
 */
#ifndef CLI_WHERE_H
#define CLI_WHERE_H

#include "literals.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>

struct cli_where;

enum cli_where_failure {
	CLI_WHERE_SYNTAX,  /* it is no expression, for jq neither */
	CLI_WHERE_OUTSIDE, /* jq may take it, this part of it does not */
	CLI_WHERE_NO_MEMORY,
	CLI_WHERE_NO_REGEX, /* this program was built without PCRE2 */
};

struct cli_where_error {
	enum cli_where_failure failure;
	size_t column; /* of characters, from 1 */
	char reason[224];
};

/* NULL after an error. */
struct cli_where *cli_where_parse(const char *text,
                                  struct cli_where_error *error_out);
/* A path alone, as .a.b[0], which need not be all of the text: *length_out
 * bytes of it are, with the blanks behind it.  NULL after an error. */
struct cli_where *cli_where_parse_path(const char *text, size_t *length_out,
                                       struct cli_where_error *error_out);
void cli_where_free(struct cli_where *where);

enum cli_where_answer {
	CLI_WHERE_NO,
	CLI_WHERE_YES,
	CLI_WHERE_OVER_LIMIT, /* of a test() */
	CLI_WHERE_FAILED,     /* memory is short */
};

/* Whether bytes pass; those that are no JSON do not.  Nobody may change them
 * meanwhile. */
enum cli_where_answer cli_where_judge(struct cli_where *where,
                                      const unsigned char *bytes,
                                      size_t size_bytes);

/* Finds what a path leads to in a document: CLI_WHERE_YES; CLI_WHERE_NO, where
 * there is nothing of the kind; or CLI_WHERE_FAILED.  The value stands in the
 * document's text. */
enum cli_where_answer cli_where_find(struct cli_where *where,
                                     const struct cli_value *document,
                                     struct cli_value *found_out);

/*
 * Bytes of which a payload that passes holds at least one, unless it holds a
 * backslash, behind which anything may hide.
 */
const struct cli_literals *cli_where_literals(const struct cli_where *where);

#endif
