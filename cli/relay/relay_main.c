/* The program shmlog-relay, which `shmlog relay` runs: finds the command that
 * its first argument names. */
#include "relay_commands.h"

#include "completion.h"
#include "message.h"
#include "standalone.h"

#include <shmlog.h>
#include <stdio.h>
#include <string.h>

static const struct cli_command *const commands[] = {
	&cmd_relay_push, &cmd_relay_pull, &cmd_relay_status};

/* With its version, from feature.mk. */
#ifndef RELAY_LIBRARY
#define RELAY_LIBRARY "libnats"
#endif

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* Without the name of the program before it. */
static const char *short_name(const struct cli_command *command)
{
	return command->name + strlen("relay ");
}

static void print_overview(FILE *stream)
{
	fputs("Usage: shmlog relay COMMAND [OPTIONS] LOG URL\n"
	      "       shmlog relay --help | --version\n"
	      "\n"
	      "carry a log to and from NATS JetStream\n"
	      "\n"
	      "Commands:\n",
	      stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-6s  %s\n", short_name(commands[i]),
		        commands[i]->summary);
	fputs("\nEach has a --help of its own.  URL is nats://HOST[:PORT] or "
	      "tls://HOST[:PORT],\nor several of them with commas.\n",
	      stream);
}

/* What is asked for without a command. */
static int run_without(const char *argument)
{
	struct cli_quoted quoted;

	cli_message_command("relay");
	if (argument == NULL) {
		print_overview(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
		print_overview(stdout);
		return CLI_OK;
	}
	if (strcmp(argument, "--version") == 0) {
		cli_print_version("shmlog-relay", shmlog_version(),
		                  RELAY_LIBRARY);
		return CLI_OK;
	}
	return cli_usage_error("%s is neither push nor pull nor status",
	                       cli_quote(&quoted, argument));
}

/* The command of a name; NULL if there is none. */
static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT && name != NULL; i++) {
		if (strcmp(short_name(commands[i]), name) == 0)
			return commands[i];
	}
	return NULL;
}

static int complete(struct cli_completion *completion)
{
	const char *name = cli_completion_next(completion);
	const struct cli_command *command = find_command(name);

	if (command != NULL)
		cli_complete_command(completion, command);
	for (size_t i = 0; i < COMMAND_COUNT && name == NULL; i++)
		cli_offer(completion, short_name(commands[i]),
		          commands[i]->summary);
	if (name == NULL && cli_completion_value(completion)[0] == '-') {
		cli_offer(completion, "--help", "list the commands");
		cli_offer(completion, "--version", "print the version");
	}
	return CLI_OK;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct cli_command *command = find_command(name);

	if (cli_completion_asked(argc, argv))
		return cli_standalone_completion(argc, argv, complete);
	if (command != NULL)
		return cli_standalone(command, argc - 1, argv + 1);
	int status = cli_begin_process();

	return status == CLI_OK ? cli_end_process(run_without(name)) : status;
}
