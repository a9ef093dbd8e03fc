/* The list of logs that `shmlog ls` prints, and `shmlog stat` without a log. */
#ifndef CLI_LOG_LIST_H
#define CLI_LOG_LIST_H

#include "options.h"

#include <stdbool.h>

struct cli_log_list_options {
	bool json;
	bool deleted; /* also logs without a name that processes hold */
};

/* Lists the logs under the operands, or under /dev/shm if there are none.  An
 * exit status. */
int cli_list_logs(const struct cli_log_list_options *options,
                  const struct cli_args *args);

#endif
