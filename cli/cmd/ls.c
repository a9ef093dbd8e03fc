/* Lists logs, and who holds them. */
#include "color.h"
#include "command.h"
#include "log_arguments.h"
#include "log_list.h"
#include "options.h"
#include "shared_options.h"

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

enum {
	OPTION_ALL,
	OPTION_OUTPUT,
	OPTION_COLOR,
};

static const struct cli_option ls_options[] = {
	[OPTION_ALL] = {.letter = 'a',
                        .name = "all",
                        .help = "also logs without a name that processes hold"},
	CLI_REPORT_FORMAT_OPTION(OPTION_OUTPUT),
	CLI_COLOR_OPTION(OPTION_COLOR),
};

static int ls_run(const struct cli_args *args)
{
	struct cli_log_list_options options = {
		.deleted = cli_args_count(args, OPTION_ALL) > 0,
	};

	if (cli_report_format(args, OPTION_OUTPUT, &options.json) != CLI_OK)
		return CLI_USAGE;

	struct cli_color color;

	if (cli_color_init(&color, cli_args_value(args, OPTION_COLOR),
	                   STDOUT_FILENO) != CLI_OK)
		return CLI_USAGE;
	options.color = color.on;
	return cli_list_logs(&options, args);
}

const struct cli_command cmd_ls = {
	.name = "ls",
	.summary = "list logs, and how many processes write and read them",
	.operands = "[PATH...]",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = ls_options,
	.option_count = sizeof(ls_options) / sizeof(ls_options[0]),
	.max_operands = SIZE_MAX,
	.notes = "A PATH is a log, or a folder that is searched with its "
		 "subfolders; /dev/shm if\nnone is given.",
	.run = ls_run,
};
