/* The kinds of values that are about logs, for the tables of options and
 * operands; completion goes by them. */
#ifndef CLI_LOG_ARGUMENTS_H
#define CLI_LOG_ARGUMENTS_H

#include "completion.h"

extern const struct cli_argument_kind cli_takes_log;
/* ... that is no archive. */
extern const struct cli_argument_kind cli_takes_plain_log;
extern const struct cli_argument_kind cli_takes_new_log; /* still to be made */
extern const struct cli_argument_kind cli_takes_position;
/* A log, or from the first position on a position. */
extern const struct cli_argument_kind cli_takes_log_or_position;

#endif
