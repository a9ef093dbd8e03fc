/* Watches how fast a log fills. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct cli_condition;

enum cli_watch_style {
	CLI_WATCH_IN_PLACE, /* one line of text, written over and over */
	CLI_WATCH_TEXT,     /* a line of text per interval */
	CLI_WATCH_JSON,     /* a line of JSON per interval */
};

struct cli_watch_options {
	int64_t interval_ns;
	enum cli_watch_style style;
	struct cli_condition *until; /* what is awaited, or NULL */
	bool color;
	int64_t timeout_ns; /* since the start; negative: no limit */
};

/*
 * Prints to stdout what was appended to a log in each interval, until what is
 * awaited holds for the JSON of an interval, or the time is out, or a signal
 * comes, and then ends by it.  Reads on from the end, never the whole log.
 * Returns the exit status if the log cannot be followed any more.
 */
int cli_watch(const char *path, const struct cli_watch_options *options);

#endif
