/* The program shmlog-relay, which `shmlog relay` runs: finds the command that
 * its first argument names. */
#include "relay_commands.h"

#include "message.h"
#include "standalone.h"

#include <shmlog.h>
#include <stdio.h>
#include <string.h>

static const struct cli_command *const commands[] = {
	&cmd_relay_push, &cmd_relay_pull, &cmd_relay_status};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

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
		fprintf(stream, "  %-6s  %s\n",
		        commands[i]->name + strlen("relay "),
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
		printf("shmlog-relay %s\n", shmlog_version());
		return CLI_OK;
	}
	return cli_usage_error("%s is neither push nor pull nor status",
	                       cli_quote(&quoted, argument));
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	for (size_t i = 0; i < COMMAND_COUNT && name != NULL; i++) {
		if (strcmp(commands[i]->name + strlen("relay "), name) == 0)
			return cli_standalone(commands[i], argc - 1, argv + 1);
	}
	int status = cli_begin_process();

	return status == CLI_OK ? cli_end_process(run_without(name)) : status;
}
