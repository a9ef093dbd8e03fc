/* The program shmlog-dispatch, which `shmlog dispatch` runs. */
#include "command.h"
#include "completion.h"
#include "dispatch.h"
#include "standalone.h"

#include <shmlog.h>
#include <string.h>

/* With its version, from feature.mk. */
#ifndef DISPATCH_LIBRARY
#define DISPATCH_LIBRARY "libcurl"
#endif

static int print_version(void)
{
	int status = cli_begin_process();

	if (status != CLI_OK)
		return status;
	cli_print_version("shmlog-dispatch", shmlog_version(),
	                  DISPATCH_LIBRARY);
	return cli_end_process(CLI_OK);
}

static int complete(struct cli_completion *completion)
{
	cli_complete_command(completion, &cmd_dispatch);
	return CLI_OK;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return print_version();
	return cli_completion_asked(argc, argv)
	               ? cli_standalone_completion(argc, argv, complete)
	               : cli_standalone(&cmd_dispatch, argc, argv);
}
