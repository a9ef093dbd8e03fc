/* Colour: whether output has any, and which style each log has. */
#ifndef CLI_COLOR_H
#define CLI_COLOR_H

#include "style.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_color {
	bool on;
	/* Logs that have a style, as hashes of their paths; more than these
	 * share the styles by their hashes. */
	uint64_t logs[64];
	size_t log_count;
};

/*
 * Reads the value of --color: auto, always or never; NULL for auto, which means
 * a terminal `fd` that is not said to be dumb ($TERM), unless $NO_COLOR is set.
 * always and never are for messages as well.  CLI_OK, or CLI_USAGE after a
 * message.
 */
int cli_color_init(struct cli_color *color, const char *value, int fd);

/* The style of a log's name: one each in the order that they come in, as long
 * as there are styles. */
unsigned cli_color_of_log(struct cli_color *color, const char *path);

#endif
