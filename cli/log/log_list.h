/* The list of logs that `shmlog ls` prints, and `shmlog stat` without a log,
 * and that `shmlog top` goes by. */
#ifndef CLI_LOG_LIST_H
#define CLI_LOG_LIST_H

#include "log_table.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>

/* Which logs are listed. */
struct cli_log_wanted {
	const char *const *paths; /* logs and folders; none: /dev/shm */
	size_t path_count;
	bool deleted; /* also logs without a name that processes hold */
	bool holders; /* and who holds them, which takes a look at /proc */
	bool quiet;   /* without messages */
};

/* Lists them, sorted by name.  CLI_OK, or the exit status of the first failure,
 * with what could be read in the table; that is released in either case. */
int cli_log_table_fill(struct cli_log_table *table,
                       const struct cli_log_wanted *wanted);
void cli_log_table_release(struct cli_log_table *table);

struct cli_log_list_options {
	bool json;
	bool deleted;
	bool color;
};

/* Lists the logs under the operands, or under /dev/shm if there are none.  An
 * exit status. */
int cli_list_logs(const struct cli_log_list_options *options,
                  const struct cli_args *args);

#endif
