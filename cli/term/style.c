/* Knows the sequences of styles. */
#include "style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool cli_style_is_wanted(int fd)
{
	const char *none = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(fd) == 1 && (none == NULL || *none == '\0') &&
	       terminal != NULL && *terminal != '\0' &&
	       strcmp(terminal, "dumb") != 0;
}

const char *cli_style_begin(unsigned style)
{
	static const char *const sequences[] = {
		[CLI_STYLE_PLAIN] = "",
		[CLI_STYLE_KEY] = "\033[1;34m",
		[CLI_STYLE_STRING] = "\033[32m",
		[CLI_STYLE_NUMBER] = "\033[36m",
		[CLI_STYLE_WORD] = "\033[35m",
		[CLI_STYLE_MATCH] = "\033[1;31m",
		[CLI_STYLE_CURSOR] = "\033[33m",
		[CLI_STYLE_HEADER] = "\033[1m",
		[CLI_STYLE_GAP] = "\033[36m",
		[CLI_STYLE_LOG] = "\033[1;36m",
		[CLI_STYLE_LOG + 1] = "\033[1;33m",
		[CLI_STYLE_LOG + 2] = "\033[1;35m",
		[CLI_STYLE_LOG + 3] = "\033[1;32m",
		[CLI_STYLE_LOG + 4] = "\033[1;34m",
		[CLI_STYLE_LOG + 5] = "\033[1;31m",
	};

	return sequences[style];
}

const char *cli_style_end(unsigned style)
{
	return style == CLI_STYLE_PLAIN ? "" : "\033[0m";
}

unsigned cli_style_of_fill(double percent)
{
	if (percent >= 90)
		return CLI_STYLE_MATCH;
	return percent >= 70 ? CLI_STYLE_CURSOR : CLI_STYLE_STRING;
}
