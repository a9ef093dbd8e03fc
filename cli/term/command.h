/* The descriptor of a command, and the exit statuses that all commands
 * share. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

struct cli_args;
struct cli_option;
struct cli_argument_kind;

enum cli_status {
	CLI_OK = 0,
	CLI_NO = 1,        /* damage found, no such frame */
	CLI_USAGE = 2,     /* wrong usage */
	CLI_LOSS = 3,      /* done with losses that were asked for */
	CLI_SYSTEM = 4,    /* the system refused */
	CLI_NOT_LOG = 5,   /* not a log, or no longer one */
	CLI_FULL = 6,      /* the log is full */
	CLI_WRITER = 7,    /* another writer is active, or interfered */
	CLI_OTHER_LOG = 8, /* the cursor file belongs to another log */
	CLI_INPUT = 9,     /* bad input */
	CLI_NO_MATCH = 10, /* no frame passed the filter, and nothing else */
	CLI_TIMEOUT = 124, /* the time allowed by --timeout ran out */
};

/* Each cmd_NAME.c ends in one of these; main knows nothing else of it. */
struct cli_command {
	const char *name;
	const char *summary;  /* one line, lower case, no full stop */
	const char *operands; /* as in the synopsis: "LOG [FILE...]"; "" */
	/* What the operands can be, ended by NULL, the last one for all that
	 * follow: CLI_OPERAND_KINDS(); NULL if there are none. */
	const struct cli_argument_kind *const *operand_kinds;
	const struct cli_option *options; /* option_count of them, without
	                                   * --help, which all have */
	size_t option_count;
	size_t min_operands;
	size_t max_operands; /* SIZE_MAX for any number */
	const char *notes; /* more text below the options in --help, or NULL */
	int (*run)(const struct cli_args *args); /* an enum cli_status */
	/* The long name of the option that -N, a number, is the value of; NULL
	 * where there is none. */
	const char *number_option;
};

#endif
