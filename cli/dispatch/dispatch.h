/* The command of this program. */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "command.h"

extern const struct cli_command cmd_dispatch;

#endif
