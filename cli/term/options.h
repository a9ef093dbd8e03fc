/*
 * Arguments of a command.  options.c is the only user of argtable2.
 *
 * Long names are exact (no prefixes), options may stand before or after
 * operands whatever POSIXLY_CORRECT says, `--` ends them, and of a repeated
 * option that is not `repeatable` the last one counts.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "option.h"

#include <stdbool.h>
#include <stddef.h>

struct cli_command;
struct cli_args;

/*
 * Parses argv (argv[0] is the command's name).  On success *args_out is
 * released with cli_args_free(), also after a failure (it is NULL then).
 * Returns CLI_OK, or CLI_USAGE after a message that names the option and
 * says how to get help, or CLI_SYSTEM after one when there is no memory.  With
 * --help among the options nothing else is checked: cli_args_help() is true.
 */
int cli_args_parse(const struct cli_command *command, int argc, char **argv,
                   struct cli_args **args_out);
void cli_args_free(struct cli_args *args);

bool cli_args_help(const struct cli_args *args);

/* How often an option was given. */
size_t cli_args_count(const struct cli_args *args, size_t option);
/* The last value of an option; NULL if it was not given (or, for an optional
 * value, given without one). */
const char *cli_args_value(const struct cli_args *args, size_t option);
/* The nth value of a repeatable option, n < cli_args_count(). */
const char *cli_args_nth(const struct cli_args *args, size_t option, size_t n);

size_t cli_args_operand_count(const struct cli_args *args);
const char *cli_args_operand(const struct cli_args *args, size_t n);

/* The command that is being run, for its messages and its name. */
const struct cli_command *cli_args_command(const struct cli_args *args);

/* Prints the whole --help text of a command to stdout, or its one-line
 * "Usage: shmlog NAME ..." to stderr. */
void cli_args_print_help(const struct cli_command *command);
void cli_args_print_usage(const struct cli_command *command);

/* Prints to stdout the name and the summary of a command that mention a word,
 * or whose options do, and the lines of --help about those options.  False if
 * there is nothing to print. */
bool cli_args_print_mentions(const struct cli_command *command,
                             const char *word);

#endif
