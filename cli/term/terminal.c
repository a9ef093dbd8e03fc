/* Fits output to the terminal's width. */
#include "terminal.h"

#include "numbers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80u
#define COLUMNS_MIN 40u
#define COLUMNS_MAX 1000u

size_t cli_terminal_width(int fd)
{
	const char *text = getenv("COLUMNS");
	uint64_t columns = 0;
	struct winsize size;

	if (!text || !cli_parse_u64(text, &columns) || columns == 0) {
		columns = DEFAULT_COLUMNS;
		if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
			columns = size.ws_col;
	}
	return columns > COLUMNS_MAX ? COLUMNS_MAX : (size_t)columns;
}

size_t cli_terminal_columns(int fd)
{
	size_t width = cli_terminal_width(fd);

	return width < COLUMNS_MIN ? COLUMNS_MIN : width;
}

bool cli_terminal_can_erase(int fd)
{
	const char *terminal = getenv("TERM");

	return isatty(fd) == 1 && terminal != NULL && *terminal != '\0' &&
	       strcmp(terminal, "dumb") != 0;
}

void cli_draw_bar(char *bar_out, size_t width, double part)
{
	size_t full = part >= 1 ? width : (size_t)((double)width * part);

	if (part > 0 && full == 0 && width > 0)
		full = 1;
	memset(bar_out, '#', full);
	memset(bar_out + full, '.', width - full);
	bar_out[width] = '\0';
}
