/* Watches how fast a log fills. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include <stdint.h>

enum cli_watch_style {
	CLI_WATCH_IN_PLACE, /* one line of text, written over and over */
	CLI_WATCH_TEXT,     /* a line of text per interval */
	CLI_WATCH_JSON,     /* a line of JSON per interval */
};

/*
 * Prints to stdout what was appended to a log in each interval, until a
 * signal comes, and then ends by it.  Reads on from the end, never the whole
 * log.  Returns the exit status if the log cannot be followed any more.
 */
int cli_watch(const char *path, int64_t interval_ns,
              enum cli_watch_style style);

#endif
