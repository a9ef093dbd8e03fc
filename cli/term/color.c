/* Decides whether output has colour, and gives styles to logs. */
#include "color.h"

#include "command.h"
#include "message.h"

#include <string.h>

int cli_color_init(struct cli_color *color, const char *value, int fd)
{
	struct cli_quoted quoted;

	color->log_count = 0;
	color->on = false;
	if (value == NULL || strcmp(value, "auto") == 0)
		color->on = cli_style_is_wanted(fd);
	else if (strcmp(value, "always") == 0)
		color->on = true;
	else if (strcmp(value, "never") != 0)
		return cli_usage_error("--color %s is neither auto, always nor "
		                       "never",
		                       cli_quote(&quoted, value));
	/* What is asked for counts for messages, too. */
	if (value != NULL && strcmp(value, "auto") != 0)
		cli_message_color(color->on);
	return CLI_OK;
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
