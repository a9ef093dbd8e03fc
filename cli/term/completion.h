/*
 * Completion: what the word at the cursor of a command line can become.
 *
 * Scripts for bash, zsh and fish ask the program itself, by `PROGRAM
 * --complete=SHELL LINE`, and it answers from the tables by which it reads its
 * arguments: the commands, their options and operands, and what the value of
 * each can be, a struct cli_argument_kind.  So a new option needs no more than
 * its kind of value, and all shells offer the same.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

struct cli_command;
struct cli_completion;

/* What the value of an option, or an operand, can be. */
struct cli_argument_kind {
	/* All that it can be, ended by NULL; or NULL. */
	const char *const *words;
	/* Offers what depends on the line or on the machine; or NULL. */
	void (*offer)(struct cli_completion *completion);
};

/* Makes a kind of these words. */
#define CLI_ONE_OF(...)                        \
	{                                      \
		.words = (const char *const[]) \
		{                              \
			__VA_ARGS__, NULL      \
		}                              \
	}

/* The kinds of a command's operands, for its descriptor; the last one is that
 * of all that follow. */
#define CLI_OPERAND_KINDS(...)                    \
	(const struct cli_argument_kind *const[]) \
	{                                         \
		__VA_ARGS__, NULL                 \
	}

/* ------------------------------------------------------- for the main files */

/* Whether the arguments of a program ask for a completion. */
bool cli_completion_asked(int argc, char **argv);

/*
 * Reads what is asked, lets `answer` offer what there is, and prints it.
 * Returns an exit status: CLI_USAGE after a message for a question that makes
 * no sense, or what `answer` returned.
 */
int cli_completion_answer(int argc, char **argv,
                          int (*answer)(struct cli_completion *completion));

/* The next of the words before the cursor; NULL if that comes next. */
const char *cli_completion_next(struct cli_completion *completion);

/* The words of the question, for a program that is to answer in the place of
 * this one: argv of `PROGRAM NAME ...` as `shmlog-NAME` takes it. */
#define CLI_COMPLETION_ARGUMENTS 6
void cli_completion_hand_over(const struct cli_completion *completion,
                              char *argv[CLI_COMPLETION_ARGUMENTS]);

/* Offers the options and operands of a command whose name was the last of
 * cli_completion_next(). */
void cli_complete_command(struct cli_completion *completion,
                          const struct cli_command *command);

/* Offers what a kind of value can be. */
void cli_complete_value(struct cli_completion *completion,
                        const struct cli_argument_kind *kind);

/* -------------------------------------------------- for the kinds of values */

/* The value at the cursor, as far as it is typed, without quotes. */
const char *cli_completion_value(const struct cli_completion *completion);

/* What stands before the cursor: the nth value of an option, by its long name,
 * and the nth operand.  NULL behind the last one. */
const char *cli_completion_option(const struct cli_completion *completion,
                                  const char *name, size_t n);
const char *cli_completion_operand(const struct cli_completion *completion,
                                   size_t n);

/* Whether anything was offered. */
bool cli_completion_found(const struct cli_completion *completion);

/*
 * Offers a value, or one that goes on (`frame:`): no blank is to stand behind
 * it.  What does not begin as the value at the cursor does is left out.  A
 * description may be NULL; it is escaped.
 */
void cli_offer(struct cli_completion *completion, const char *value,
               const char *description);
void cli_offer_part(struct cli_completion *completion, const char *value,
                    const char *description);

/* Offers a file, or a folder whose path ends with a slash. */
void cli_offer_file(struct cli_completion *completion, const char *path);
void cli_offer_folder(struct cli_completion *completion, const char *path);

/* Lets the shell offer files by itself if nothing else is found. */
void cli_offer_native(struct cli_completion *completion);

/* Where the folder of the path at the cursor is, "~/a" being in the home
 * folder.  NULL if only the shell can tell; freed by the caller. */
char *cli_completion_folder(const struct cli_completion *completion);

/* The path of a value given before the cursor, likewise. */
char *cli_completion_path(const char *value);

#endif
