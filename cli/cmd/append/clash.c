/* Tells apart the files that append reads and writes. */
#include "clash.h"

#include "append_state.h"
#include "command.h"
#include "distinct.h"
#include "message.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether acknowledgements, or what --tee prints, go to a file. */
static bool is_output(const struct cli_append *append, const struct stat *file)
{
	struct stat output;

	return (append->options.commits.ack ||
	        append->options.commits.tee.wanted) &&
	       fstat(STDOUT_FILENO, &output) == 0 &&
	       cli_is_same_file(&output, file);
}

/* What an input must not be, as it would feed itself; NULL if it is none of
 * that. */
static const char *clash_of(const struct cli_append *append,
                            const struct stat *input)
{
	struct stat other;

	if (append->log != NULL ? cli_is_log(append->log, input)
	                        : stat(append->options.path, &other) == 0 &&
	                                  cli_is_same_file(&other, input))
		return "is the log itself";
	if (append->overflow.path != NULL &&
	    fstat(append->overflow.fd, &other) == 0 &&
	    cli_is_same_file(&other, input))
		return "is the file for what overflows itself";
	if (is_output(append, input))
		return "is the file that standard output goes to";
	return NULL;
}

static int check_inputs(const struct cli_append *append)
{
	const char *name;

	for (size_t n = 1;
	     (name = cli_append_file(&append->options, n)) != NULL; n++) {
		bool is_stdin = strcmp(name, "-") == 0;
		struct stat input;
		int failed = is_stdin ? fstat(STDIN_FILENO, &input)
		                      : stat(name, &input);
		const char *clash = failed == 0 ? clash_of(append, &input)
		                                : NULL;

		if (clash == NULL)
			continue;
		cli_message(is_stdin ? "standard input" : name,
		            "%s; nothing was appended", clash);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* What overflows must go neither into the log nor among acknowledgements. */
static int check_overflow(const struct cli_append *append)
{
	const struct cli_overflow *overflow = &append->overflow;
	const char *clash = NULL;
	struct stat rest;

	if (overflow->path == NULL || fstat(overflow->fd, &rest) != 0)
		return CLI_OK;
	if (append->log != NULL
	            ? cli_is_log(append->log, &rest)
	            : cli_is_path_of(append->options.path, overflow->fd))
		clash = "is the log itself";
	else if (is_output(append, &rest))
		clash = "is the file that standard output goes to";
	if (clash == NULL)
		return CLI_OK;
	cli_message(overflow->path, "%s; nothing was appended", clash);
	return CLI_USAGE;
}

int cli_check_clashes(const struct cli_append *append)
{
	int status = cli_check_output(append->options.path, append->log);

	if (status == CLI_OK)
		status = check_overflow(append);
	return status == CLI_OK ? check_inputs(append) : status;
}

int cli_check_opened(const struct cli_append *append, const char *name)
{
	struct stat input;
	const char *clash = fstat(append->input.fd, &input) == 0
	                            ? clash_of(append, &input)
	                            : NULL;

	if (clash == NULL)
		return CLI_OK;
	cli_message(name, "%s; %" PRIu64 " frames committed", clash,
	            append->committer.committed);
	return CLI_USAGE;
}
