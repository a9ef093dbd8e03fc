/* Prints the scripts by which bash, zsh and fish complete. */
#include "completion.h"

#include "command.h"
#include "message.h"
#include "options.h"
#include "scripts.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *script;
} shells[] = {
	{"bash", cli_script_bash},
	{"zsh", cli_script_zsh},
	{"fish", cli_script_fish},
};

static const struct cli_argument_kind shell_names = CLI_ONE_OF("bash", "zsh",
                                                               "fish");

static int completion_run(const struct cli_args *args)
{
	const char *name = cli_args_operand(args, 0);
	struct cli_quoted quoted;

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, name) == 0) {
			fputs(shells[i].script, stdout);
			return CLI_OK;
		}
	}
	return cli_usage_error("there is no completion for the shell %s; "
	                       "known are bash, zsh and fish",
	                       cli_quote(&quoted, name));
}

const struct cli_command cmd_completion = {
	.name = "completion",
	.summary = "print what lets a shell complete commands",
	.operands = "SHELL",
	.operand_kinds = CLI_OPERAND_KINDS(&shell_names),
	.min_operands = 1,
	.max_operands = 1,
	.notes = "SHELL is bash, zsh or fish.  shmlog-completion(1) says where "
		 "each looks for it.",
	.run = completion_run,
};
