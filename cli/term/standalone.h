/* What the main function of any program of this project does: it secures the
 * standard descriptors, and checks that its output has arrived. */
#ifndef CLI_STANDALONE_H
#define CLI_STANDALONE_H

struct cli_command;
struct cli_completion;

/* Takes standard descriptors that the caller closed, ignores SIGXFSZ, and lets
 * stdio keep all that is printed.  CLI_OK, or an exit status after a
 * message. */
int cli_begin_process(void);

/* Flushes stdio.  `status`, or CLI_SYSTEM after a message where the output did
 * not arrive; a closed pipe ends the process by SIGPIPE. */
int cli_end_process(int status);

/* Names the command in messages, parses its arguments, and runs it or prints
 * its help.  Returns its exit status. */
int cli_run_command(const struct cli_command *command, int argc, char **argv);

/* Prints what --version does: "NAME VERSION", and below it with which libraries
 * the program was built, first the one that it alone has, if any (NULL), and
 * without which. */
void cli_print_version(const char *name, const char *version,
                       const char *own_library);

/* Runs a command that is a program of its own.  Returns its exit status. */
int cli_standalone(const struct cli_command *command, int argc, char **argv);

/* Answers a question of a shell, as cli_completion_answer() does.  Returns the
 * exit status of the process. */
int cli_standalone_completion(int argc, char **argv,
                              int (*answer)(struct cli_completion *completion));

#endif
