/* Styles of text on a terminal, and the sequences that stand for them. */
#ifndef CLI_STYLE_H
#define CLI_STYLE_H

#include <stdbool.h>

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

/* Whether a terminal `fd` is to have styles unless an option says otherwise. */
bool cli_style_is_wanted(int fd);

/* The sequence that begins a style, "" for the plain one, and that which ends
 * any other. */
const char *cli_style_begin(unsigned style);
const char *cli_style_end(unsigned style);

/* The style of a bar that shows how full a log is. */
unsigned cli_style_of_fill(double percent);

#endif
