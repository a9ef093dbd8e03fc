/* Reads the options that several commands have. */
#include "shared_options.h"

#include "command.h"
#include "message.h"

#include <string.h>

const struct cli_argument_kind cli_takes_report_format = CLI_ONE_OF("text",
                                                                    "json");
const struct cli_argument_kind cli_takes_when = CLI_ONE_OF("auto", "always",
                                                           "never");
const struct cli_argument_kind cli_takes_progress = CLI_ONE_OF("auto", "always",
                                                               "never", "json");

int cli_report_format(const struct cli_args *args, size_t place, bool *json_out)
{
	const char *format = cli_args_value(args, place);
	struct cli_quoted quoted;

	*json_out = format != NULL && strcmp(format, "json") == 0;
	if (format == NULL || *json_out || strcmp(format, "text") == 0)
		return CLI_OK;
	return cli_usage_error("unknown output format %s; known are text and "
	                       "json",
	                       cli_quote(&quoted, format));
}
