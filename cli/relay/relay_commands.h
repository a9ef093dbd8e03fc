/* The commands of shmlog-relay. */
#ifndef RELAY_COMMANDS_H
#define RELAY_COMMANDS_H

#include "command.h"

extern const struct cli_command cmd_relay_push;
extern const struct cli_command cmd_relay_pull;
extern const struct cli_command cmd_relay_status;

#endif
