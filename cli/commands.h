/* The list of commands, sorted by name: a new one is one more line here. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "command.h"

#define CLI_COMMANDS(COMMAND) \
	COMMAND(append)       \
	COMMAND(bench)        \
	COMMAND(completion)   \
	COMMAND(create)       \
	COMMAND(dump)         \
	COMMAND(grow)         \
	COMMAND(ls)           \
	COMMAND(rm)           \
	COMMAND(rotate)       \
	COMMAND(schema)       \
	COMMAND(seek)         \
	COMMAND(stat)         \
	COMMAND(tail)         \
	COMMAND(top)          \
	COMMAND(verify)       \
	COMMAND(view)

/* Each of them is the last thing in its cmd_NAME.c. */
#define CLI_DECLARE_COMMAND(name) extern const struct cli_command cmd_##name;
CLI_COMMANDS(CLI_DECLARE_COMMAND)

#endif
