/* Reads values of options, and reports what is wrong with them. */
#include "option_values.h"

#include "command.h"
#include "message.h"
#include "numbers.h"

#include <inttypes.h>

int cli_option_duration(const char *name, const char *text, int64_t *ns_out)
{
	struct cli_quoted quoted;

	if (text == NULL)
		return CLI_OK;
	switch (cli_read_duration(text, ns_out)) {
	case CLI_NUMBER_OK: return CLI_OK;
	case CLI_NUMBER_TOO_LARGE:
		return cli_usage_error(
			"%s %s is too large: a DURATION is at most %" PRId64
			" seconds, which are 292 years",
			name, cli_quote(&quoted, text), INT64_MAX / 1000000000);
	default:
		return cli_usage_error("%s %s is not a DURATION such as 250us, "
		                       "10ms, 1.5s, 2m or "
		                       "30, which is in seconds",
		                       name, cli_quote(&quoted, text));
	}
}

int cli_option_capacity(const char *name, const char *text, uint64_t least,
                        uint64_t *bytes_out)
{
	struct cli_quoted quoted;
	uint64_t bytes = 0;
	enum cli_number result;

	if (text == NULL)
		return CLI_OK;
	result = cli_read_size(text, &bytes);
	if (result == CLI_NUMBER_MALFORMED)
		return cli_usage_error("%s %s is not a SIZE such as 4096, 64K, "
		                       "16M or 2GiB, in powers of 1024",
		                       name, cli_quote(&quoted, text));
	if (result == CLI_NUMBER_TOO_LARGE || bytes > INT64_MAX)
		return cli_usage_error(
			"%s %s is too large: no file is longer than %" PRId64
			" bytes",
			name, cli_quote(&quoted, text), INT64_MAX);
	if (bytes < least)
		return cli_usage_error("%s %s is too small: the header alone "
		                       "takes %" PRIu64 " bytes",
		                       name, cli_quote(&quoted, text), least);
	*bytes_out = bytes;
	return CLI_OK;
}

/* Says what is wrong with a number, if anything is. */
static int judge_count(const char *name, const char *text, const char *what,
                       enum cli_number result)
{
	struct cli_quoted quoted;

	switch (result) {
	case CLI_NUMBER_OK: return CLI_OK;
	case CLI_NUMBER_TOO_LARGE:
		return cli_usage_error("%s %s is too large: at most %" PRIu64,
		                       name, cli_quote(&quoted, text),
		                       UINT64_MAX);
	default:
		return cli_usage_error("%s %s is not a number of %s", name,
		                       cli_quote(&quoted, text), what);
	}
}

int cli_option_count(const char *name, const char *text, const char *what,
                     uint64_t *count_out)
{
	return text == NULL ? CLI_OK
	                    : judge_count(name, text, what,
	                                  cli_read_u64(text, count_out));
}

int cli_option_frames(const char *name, const char *text, uint64_t *count_out)
{
	return text == NULL ? CLI_OK
	                    : judge_count(name, text, "frames",
	                                  cli_read_size(text, count_out));
}
