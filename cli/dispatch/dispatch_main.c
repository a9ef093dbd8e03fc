/* The program shmlog-dispatch, which `shmlog dispatch` runs. */
#include "command.h"
#include "completion.h"
#include "dispatch.h"
#include "standalone.h"

static int complete(struct cli_completion *completion)
{
	cli_complete_command(completion, &cmd_dispatch);
	return CLI_OK;
}

int main(int argc, char **argv)
{
	return cli_completion_asked(argc, argv)
	               ? cli_standalone_completion(argc, argv, complete)
	               : cli_standalone(&cmd_dispatch, argc, argv);
}
