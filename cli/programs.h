/*
 * Commands that are programs of their own: `shmlog NAME` runs `shmlog-NAME`.
 *
 * A program is looked for in three places, in this order: beside the running
 * executable (so that a tree that was only built works as well), in
 * ../libexec/shmlog as seen from there, and in the folders of PATH.  git(1)
 * finds its own commands in this way.
 */
#ifndef CLI_PROGRAMS_H
#define CLI_PROGRAMS_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Runs `shmlog-NAME` with argv[1] and what follows, in the place of this
 * process.  Returns only where that cannot be: CLI_SYSTEM after a message for
 * a program that cannot be run, and for one that is known but not installed;
 * with *unknown_out set, and no message, for a name that nothing is known of.
 */
int cli_program_run(const char *name, char **argv, bool *unknown_out);

/* The nth program that this project has, installed or not; NULL behind the
 * last one.  For suggestions. */
const char *cli_program_known(size_t n);
/* What it does, in one line. */
const char *cli_program_summary(size_t n);

/* How wide the names are in the list of commands, built in or not. */
#define CLI_NAME_COLUMN 10

/* Prints the name and the summary of each program of this project that mention
 * a word.  False if none does. */
bool cli_programs_print_mentions(const char *word);

/* Prints a heading, and a line for each program that can be run and for each
 * that this project has but that is not installed. */
void cli_programs_list(FILE *stream);

#endif
