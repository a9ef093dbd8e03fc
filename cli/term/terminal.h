/* The width of lines on a terminal. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns: $COLUMNS, the terminal behind `fd`, or 80; up to 1000. */
size_t cli_terminal_width(int fd);

/* The same for layouts that need some room: at least 40. */
size_t cli_terminal_columns(int fd);

/* Whether a line on it can be erased: not where $TERM says that it is dumb. */
bool cli_terminal_can_erase(int fd);

/* Fills bar_out with `width` characters, "####......", and ends it with NUL.
 * Any part above 0 shows, and only the whole fills it. */
void cli_draw_bar(char *bar_out, size_t width, double part);

#endif
