/* Finds the command, runs it, and checks that its output has arrived. */
#include "commands.h"
#include "programs.h"

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

static void print_overview(FILE *stream)
{
	fputs("Usage: shmlog COMMAND [OPTIONS] LOG ...\n"
	      "       shmlog help [COMMAND]\n"
	      "       shmlog --help | --version\n"
	      "\n"
	      "memory-mapped append-only logs, shared with the Node package "
	      "shmio\n"
	      "\n"
	      "Commands:\n",
	      stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-8s  %s\n", commands[i]->name,
		        commands[i]->summary);
	fprintf(stream, "  %-8s  print what a command does and takes\n",
	        HELP_COMMAND);
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
	struct cli_spelling nearest;
	struct cli_quoted quoted;

	cli_quote(&quoted, name);
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

		return run_program(argv[1], program_argv);
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
		printf("shmlog %s\n", shmlog_version());
		return CLI_OK;
	}
	if (strcmp(name, HELP_COMMAND) == 0)
		return run_help(argc - 1, argv + 1);
	command = find_command(name);
	if (!command)
		return run_program(name, argv + 1);
	return cli_run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status = cli_begin_process();

	return status == CLI_OK ? cli_end_process(dispatch(argc, argv))
	                        : status;
}
