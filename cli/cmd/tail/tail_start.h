/* Where in a log tail begins to read. */
#ifndef TAIL_START_H
#define TAIL_START_H

#include "cursor_keeper.h"
#include "tail_options.h"
#include "tail_walk.h"

#include <stdbool.h>

struct tail_start {
	const struct tail_options *options;
	struct cursor_keeper *keeper;
	struct tail_walk walk;
};

/*
 * Moves the reader of a log to where its cursor says, or where the options say
 * if it has none; a log that `appeared` is read from its start.  The end of the
 * log is loaded once for that, and held.  CLI_OK, or an exit status after a
 * message.
 */
int tail_go_to_start(struct tail_start *start, struct tail_log *log,
                     bool appeared);

/* Says that another log has the name, and is read from its start. */
void tail_report_reopened(struct cursor_keeper *keeper,
                          const struct tail_log *log);

#endif
