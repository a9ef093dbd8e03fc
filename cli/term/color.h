/* Colour: whether output has any, and the sequences that stand for styles. */
#ifndef CLI_COLOR_H
#define CLI_COLOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many styles tell logs from one another. */
#define CLI_LOG_STYLES 6u

enum cli_style {
	CLI_STYLE_PLAIN,
	CLI_STYLE_KEY,
	CLI_STYLE_STRING,
	CLI_STYLE_NUMBER,
	CLI_STYLE_WORD, /* true, false and null */
	CLI_STYLE_MATCH,
	CLI_STYLE_CURSOR,
	CLI_STYLE_HEADER,
	CLI_STYLE_GAP,
	CLI_STYLE_LOG, /* the first of CLI_LOG_STYLES */
};

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
 * CLI_OK, or CLI_USAGE after a message.
 */
int cli_color_init(struct cli_color *color, const char *value, int fd);

/* The sequence that begins a style, "" for the plain one, and that which ends
 * any other. */
const char *cli_style_begin(unsigned style);
const char *cli_style_end(unsigned style);

/* The style of a log's name: one each in the order that they come in, as long
 * as there are styles. */
unsigned cli_color_of_log(struct cli_color *color, const char *path);

#endif
