/* One option of a command, as its table has it. */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "argument_kinds.h"

#include <stdbool.h>

/* An option is known to its command by its place in the table (an enum). */
struct cli_option {
	char letter;       /* '\0' for none */
	const char *name;  /* long name without dashes */
	const char *value; /* what the value is called in --help ("SIZE");
	                       * NULL for a flag */
	const struct cli_argument_kind *kind; /* what the value can be */
	bool value_optional; /* only --name=VALUE gives one, --name none */
	bool repeatable;     /* every value counts, in order */
	bool required;       /* leaving it out is wrong usage */
	const char *help;    /* one line */
};

#endif
