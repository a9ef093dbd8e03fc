/* Words the refusal of an expression, wherever an option takes one. */
#ifndef CLI_WHERE_REFUSAL_H
#define CLI_WHERE_REFUSAL_H

#include "where.h"

/* How an expression is used, so that the refusal can name the pipeline with jq
 * that takes all of jq's language: `FEED | jq BEFORE...AFTER`, where the
 * expression stands within single quotes. */
struct cli_where_use {
	const char *option; /* as "--where" */
	const char *feed;   /* the command that prints what is judged */
	const char *before; /* the words of jq up to the expression */
	const char *after;
};

/* Says why an expression is refused.  An exit status. */
int cli_where_refuse(const struct cli_where_use *use, const char *text,
                     const struct cli_where_error *error);

#endif
