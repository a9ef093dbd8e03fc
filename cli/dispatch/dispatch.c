/* Prompts in one log, replies in another. */
#include "dispatch.h"

#include "answer_exec.h"
#include "answer_worker.h"
#include "call.h"
#include "dispatch_options.h"
#include "dispatcher.h"
#include "distinct.h"
#include "failure.h"
#include "log_arguments.h"
#include "message.h"
#include "model.h"
#include "options.h"
#include "position.h"
#include "secret.h"
#include "signals.h"

#include <errno.h>

/* Makes the way in which prompts are answered.  CLI_OK, or an exit status after
 * a message. */
static int make_way(const struct dispatch_options *options,
                    struct dispatcher *dispatcher, struct secret *secret,
                    struct way **way_out)
{
	struct loop *loop = &dispatcher->loop;

	if (options->way == DISPATCH_BY_MODEL)
		return answer_model_new(options, dispatcher, secret, way_out);
	*way_out = options->way == DISPATCH_BY_EXEC
	                   ? answer_exec_new(options, loop)
	                   : answer_worker_new(options, loop);
	return *way_out != NULL ? CLI_OK
	                        : cli_fail(NULL, "cannot start", -ENOMEM);
}

static int answer(const struct dispatch_options *options, struct secret *secret)
{
	struct dispatcher dispatcher;
	struct way *way = NULL;
	int status = dispatcher_init(&dispatcher, options);

	if (status == CLI_OK)
		status = make_way(options, &dispatcher, secret, &way);
	if (status == CLI_OK)
		status = dispatcher_run(&dispatcher, way);
	if (way != NULL)
		way->close(way);
	dispatcher_release(&dispatcher);
	return status;
}

static int dispatch_run(const struct cli_args *args)
{
	struct dispatch_options options;
	struct secret secret;
	int status = cli_check_outputs(args);

	if (status == CLI_OK)
		status = dispatch_options_read(args, &options);

	if (status != CLI_OK)
		return status;
	status = secret_take(&secret, options.key_fd);
	cli_signals_catch();
	cli_signals_guard_mappings();
	if (status == CLI_OK)
		status = answer(&options, &secret);
	secret_release(&secret);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_dispatch = {
	.name = "dispatch",
	.summary = "answer each frame of a log by a model or a command",
	.operands = "PROMPTS REPLIES",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = dispatch_option_table,
	.option_count = DISPATCH_OPTION_COUNT,
	.min_operands = 2,
	.max_operands = 2,
	.notes = CLI_POSITION_NOTE,
	.run = dispatch_run,
};
