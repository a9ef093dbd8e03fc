/* Hints for habits from other tools: what stands here for an option or a
 * command that GNU tail, grep, jq, journalctl, kcat and others have. */
#ifndef CLI_HINTS_H
#define CLI_HINTS_H

#include <stddef.h>

/*
 * What to use instead of an option that `command` has not: a text that follows
 * "unknown option '--bytes'; ".  `spelling` is the option with its dashes, of
 * which the first `bytes` bytes count.  NULL where nothing is known of it.
 */
const char *cli_hint_option(const char *command, const char *spelling,
                            size_t bytes);

/* The arguments of shmlog that do what a command of another tool does, as
 * "dump LOG" for "cat"; NULL where nothing is known of it. */
const char *cli_hint_command(const char *name);

/* The tables, for tests: false behind the last row. */
struct cli_option_hint {
	const char *commands;  /* with commas between them */
	const char *spellings; /* with blanks between them */
	const char *text;
};
struct cli_command_hint {
	const char *names; /* with blanks between them */
	const char *instead;
};
const struct cli_option_hint *cli_hint_option_row(size_t n);
const struct cli_command_hint *cli_hint_command_row(size_t n);

#endif
