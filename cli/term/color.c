/* Decides whether output has colour, and knows the sequences. */
#include "color.h"

#include "command.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_wanted(int fd)
{
	const char *none = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(fd) == 1 && (none == NULL || *none == '\0') &&
	       terminal != NULL && *terminal != '\0' &&
	       strcmp(terminal, "dumb") != 0;
}

int cli_color_init(struct cli_color *color, const char *value, int fd)
{
	struct cli_quoted quoted;

	color->log_count = 0;
	color->on = false;
	if (value == NULL || strcmp(value, "auto") == 0)
		color->on = is_wanted(fd);
	else if (strcmp(value, "always") == 0)
		color->on = true;
	else if (strcmp(value, "never") != 0)
		return cli_usage_error("--color %s is neither auto, always nor "
		                       "never",
		                       cli_quote(&quoted, value));
	return CLI_OK;
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

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

unsigned cli_color_of_log(struct cli_color *color, const char *path)
{
	uint64_t hash = hash_of(path);
	size_t place = 0;

	while (place < color->log_count && color->logs[place] != hash)
		place++;
	if (place == sizeof(color->logs) / sizeof(color->logs[0]))
		place = (size_t)(hash % CLI_LOG_STYLES);
	else if (place == color->log_count)
		color->logs[color->log_count++] = hash;
	return CLI_STYLE_LOG + (unsigned)(place % CLI_LOG_STYLES);
}
