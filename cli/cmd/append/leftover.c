/* Keeps the input that does not get into the log. */
#include "leftover.h"

#include "append_state.h"
#include "command.h"
#include "failure.h"
#include "input_format.h"

int cli_worse(int status, int kept)
{
	return kept == CLI_OK ? status : kept;
}

int cli_keep_input(struct cli_append *append)
{
	struct cli_overflow *overflow = &append->overflow;
	struct cli_input *input = &append->input;
	bool is_read = input->fd >= 0;
	const char *name = input->name == NULL ? "-" : input->name;

	if (overflow->path == NULL)
		return CLI_OK;
	/* The rest of a record that is skipped is not kept. */
	if (input->skipping && append->rest.at == cli_input_here(input).at) {
		cli_input_skip_rest(input);
		append->rest = cli_input_here(input);
	}
	size_t from = (size_t)(append->rest.at - input->base);

	/* The texts of -m are kept as lines. */
	for (size_t i = from; i < input->used && !is_read; i++) {
		if (input->buffer[i] == '\0')
			input->buffer[i] = '\n';
	}
	cli_overflow_begin(overflow, is_read ? name : NULL, append->rest.at);
	int status = cli_overflow_keep(overflow, input->buffer + from,
	                               input->used - from);

	if (status == CLI_OK && is_read && !input->unreadable)
		status = cli_overflow_keep_rest(overflow, input->fd);
	return status;
}

int cli_keep_files(struct cli_append *append, size_t from)
{
	struct cli_overflow *overflow = &append->overflow;
	int status = CLI_OK;
	const char *name;

	for (size_t i = from;
	     overflow->path != NULL && !overflow->failed &&
	     (name = cli_append_file(&append->options, i)) != NULL;
	     i++)
		status = cli_worse(status,
		                   cli_overflow_keep_file(overflow, name));
	return status;
}

int cli_keep_all(struct cli_append *append)
{
	if (cli_append_message_count(&append->options) == 0)
		return cli_keep_files(append, 1);
	int status = cli_input_load_messages(&append->input, &append->options);

	append->rest = cli_input_here(&append->input);
	return status == 0 ? cli_keep_input(append)
	                   : cli_fail(append->options.path, "cannot append",
	                              status);
}
