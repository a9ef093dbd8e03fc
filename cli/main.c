/* Finds the command, runs it, and checks that its output has arrived. */
#include "commands.h"
#include "programs.h"

#include "completion.h"
#include "hints.h"
#include "message.h"
#include "options.h"
#include "spelling.h"
#include "standalone.h"

#include <shmlog.h>
#include <stdio.h>
#include <string.h>

#define LIST_COMMAND(name) &cmd_##name,

static const struct cli_command *const commands[] = {
	CLI_COMMANDS(LIST_COMMAND)};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))
#define HELP_COMMAND "help"
#define HELP_SUMMARY \
	"print what a command does and takes, or where a word stands"

static void print_overview(FILE *stream)
{
	fputs("Usage: shmlog COMMAND [OPTIONS] LOG ...\n"
	      "       shmlog help [COMMAND | WORD]\n"
	      "       shmlog --help | --version\n"
	      "\n"
	      "memory-mapped append-only logs, shared with the Node package "
	      "shmio\n"
	      "\n"
	      "Commands:\n",
	      stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-*s  %s\n", CLI_NAME_COLUMN,
		        commands[i]->name, commands[i]->summary);
	fprintf(stream, "  %-*s  %s\n", CLI_NAME_COLUMN, HELP_COMMAND,
	        HELP_SUMMARY);
	cli_programs_list(stream);
	fputs("\nThe exit statuses are listed in shmlog(1).\n", stream);
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int refuse_command(const char *name)
{
	const char *instead = cli_hint_command(name);
	struct cli_spelling nearest;
	struct cli_quoted quoted;

	cli_quote(&quoted, name);
	if (instead != NULL)
		return cli_usage_error("unknown command %s; use 'shmlog %s'",
		                       quoted.text, instead);
	if (name[0] == '-') {
		cli_spelling_init(&nearest, name, strlen(name));
		cli_spelling_offer(&nearest, "--help");
		cli_spelling_offer(&nearest, "--version");
		return cli_usage_error(
			"unknown option %s before the command%s%s%s",
			quoted.text, nearest.best ? "; did you mean '" : "",
			nearest.best ? nearest.best : "",
			nearest.best ? "'?" : "");
	}
	cli_spelling_init(&nearest, name, strlen(name));
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		cli_spelling_offer(&nearest, commands[i]->name);
	cli_spelling_offer(&nearest, HELP_COMMAND);
	for (size_t i = 0; cli_program_known(i) != NULL; i++)
		cli_spelling_offer(&nearest, cli_program_known(i));
	if (nearest.best)
		return cli_usage_error("unknown command %s; did you mean '%s'?",
		                       quoted.text, nearest.best);
	return cli_usage_error("unknown command %s", quoted.text);
}

/* Runs a program of its own in the place of this process, or says why not. */
static int run_program(const char *name, char **argv)
{
	bool unknown;
	int status = cli_program_run(name, argv, &unknown);

	return unknown ? refuse_command(name) : status;
}

/* Prints the commands and options that mention a word.  False if none does. */
static bool print_mentions(const char *word)
{
	bool found = false;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		found = cli_args_print_mentions(commands[i], word) || found;
	return cli_programs_print_mentions(word) || found;
}

/* Runs the help of a program of its own; or looks for a word. */
static int help_of_word(const char *word, char **program_argv)
{
	bool unknown;
	int status = cli_program_run(word, program_argv, &unknown);

	if (!unknown)
		return status;
	return print_mentions(word) ? CLI_OK : refuse_command(word);
}

/* argv[0] is "help". */
static int run_help(int argc, char **argv)
{
	const struct cli_command *command;
	struct cli_quoted quoted;

	/* Nothing but help can come of it, so "help --help" and "help --" need
	 * no rules of their own. */
	if (argc < 2 || argv[1][0] == '-' ||
	    strcmp(argv[1], HELP_COMMAND) == 0) {
		print_overview(stdout);
		return CLI_OK;
	}
	command = find_command(argv[1]);
	if (argc > 2)
		return cli_usage_error("too many operands: %s",
		                       cli_quote(&quoted, argv[2]));
	if (!command) {
		char *program_argv[] = {argv[1], "--help", NULL};

		return help_of_word(argv[1], program_argv);
	}
	cli_args_print_help(command);
	return CLI_OK;
}

static int dispatch(int argc, char **argv)
{
	const struct cli_command *command;
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		print_overview(stderr);
		return CLI_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_overview(stdout);
		return CLI_OK;
	}
	if (strcmp(name, "--version") == 0) {
		cli_print_version("shmlog", shmlog_version(), NULL);
		return CLI_OK;
	}
	if (strcmp(name, HELP_COMMAND) == 0)
		return run_help(argc - 1, argv + 1);
	command = find_command(name);
	if (!command)
		return run_program(name, argv + 1);
	return cli_run_command(command, argc - 1, argv + 1);
}

static void offer_commands(struct cli_completion *completion, bool helps)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		cli_offer(completion, commands[i]->name, commands[i]->summary);
	for (size_t i = 0; cli_program_known(i) != NULL; i++)
		cli_offer(completion, cli_program_known(i),
		          cli_program_summary(i));
	if (!helps)
		return;
	cli_offer(completion, HELP_COMMAND, HELP_SUMMARY);
	if (cli_completion_value(completion)[0] == '-') {
		cli_offer(completion, "--help", "list the commands");
		cli_offer(completion, "--version", "print the version");
	}
}

/* A program of this project answers for itself; what another one takes is not
 * known. */
static int hand_over_completion(struct cli_completion *completion,
                                const char *name)
{
	char *argv[CLI_COMPLETION_ARGUMENTS];
	bool unknown;

	for (size_t i = 0; cli_program_known(i) != NULL; i++) {
		if (strcmp(cli_program_known(i), name) == 0) {
			cli_completion_hand_over(completion, argv);
			return cli_program_run(name, argv, &unknown);
		}
	}
	cli_complete_value(completion, &cli_takes_file);
	return CLI_OK;
}

static int complete(struct cli_completion *completion)
{
	const char *name = cli_completion_next(completion);
	const struct cli_command *command;

	if (name == NULL) {
		offer_commands(completion, true);
		return CLI_OK;
	}
	if (strcmp(name, HELP_COMMAND) == 0) {
		if (cli_completion_next(completion) == NULL)
			offer_commands(completion, false);
		return CLI_OK;
	}
	command = find_command(name);
	if (command == NULL)
		return hand_over_completion(completion, name);
	cli_complete_command(completion, command);
	return CLI_OK;
}

int main(int argc, char **argv)
{
	int status = cli_begin_process();

	if (status != CLI_OK)
		return status;
	return cli_end_process(
		cli_completion_asked(argc, argv)
			? cli_completion_answer(argc, argv, complete)
			: dispatch(argc, argv));
}
