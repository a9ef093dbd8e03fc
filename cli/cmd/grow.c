/* Makes a log longer. */
#include "command.h"
#include "failure.h"
#include "log_arguments.h"
#include "message.h"
#include "open_log.h"
#include "option_values.h"
#include "options.h"
#include "patience.h"
#include "shared_options.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	OPTION_FORCE,
	OPTION_LOCK_TIMEOUT,
};

static const struct cli_option grow_options[] = {
	CLI_FORCE_OPTION(OPTION_FORCE),
	CLI_LOCK_TIMEOUT_OPTION(OPTION_LOCK_TIMEOUT),
};

/* What a Node process has to do, whose mapping ends where the log ended. */
#define ADVICE                                                             \
	"a Node process takes the old end for the end of the log: let it " \
	"close the log, and open it again behind the growth"

struct grow_request {
	const char *path;
	uint64_t bytes;   /* of the log, or of what is added */
	bool is_addition; /* +SIZE */
	bool force;
	int64_t lock_timeout_ns;
};

static int read_request(const struct cli_args *args,
                        struct grow_request *request)
{
	const char *size = cli_args_operand(args, 1);

	request->path = cli_args_operand(args, 0);
	request->force = cli_args_count(args, OPTION_FORCE) > 0;
	request->is_addition = size[0] == '+';
	request->lock_timeout_ns = -1;
	int status = cli_option_duration(
		"--lock-timeout", cli_args_value(args, OPTION_LOCK_TIMEOUT),
		&request->lock_timeout_ns);

	if (status != CLI_OK)
		return status;
	if (request->is_addition)
		return cli_option_capacity("size", size + 1, 0,
		                           &request->bytes);
	return cli_option_capacity("size", size, SHMLOG_HEADER_BYTES,
	                           &request->bytes);
}

/* The capacity that is asked for, as the log is now. */
static int find_capacity(const struct grow_request *request,
                         const struct shmlog *log, uint64_t *capacity_out)
{
	struct shmlog_header header;

	*capacity_out = request->bytes;
	if (!request->is_addition)
		return CLI_OK;
	int status = shmlog_read_header(log, &header);

	if (status != 0)
		return cli_fail(request->path, "cannot grow", status);
	if (request->bytes > INT64_MAX - header.capacity)
		return cli_usage_error("%" PRIu64 " bytes and %" PRIu64
		                       " more are too many: no file is longer "
		                       "than %" PRId64 " bytes",
		                       header.capacity, request->bytes,
		                       INT64_MAX);
	*capacity_out = header.capacity + request->bytes;
	return CLI_OK;
}

static int report_refusal(const struct grow_request *request,
                          const struct shmlog *log, uint64_t capacity,
                          int status)
{
	struct cli_culprit culprit;
	struct shmlog_header header = {.capacity = 0};

	if (status == SHMLOG_ERR_CAPACITY) {
		(void)shmlog_read_header(log, &header);
		cli_message(request->path,
		            "cannot grow: it has %" PRIu64
		            " bytes, more than %" PRIu64
		            ", and a log never gets shorter; nothing was "
		            "changed",
		            header.capacity, capacity);
		return CLI_USAGE;
	}
	cli_culprit_find(log, status, &culprit);
	cli_message(request->path,
	            "cannot grow to %" PRIu64
	            " bytes: %s%s; nothing was changed%s",
	            capacity, shmlog_strerror(status), culprit.text,
	            status == SHMLOG_ERR_WRITER_ACTIVE ? "; " ADVICE : "");
	return cli_exit_status(status);
}

static int find_writer(void *context, const struct shmlog_process *process)
{
	*(bool *)context |= process->writes && !process->appends;
	return *(bool *)context;
}

/* Says what those have to do beside whom the log was grown by force. */
static void tell_writer(const struct grow_request *request,
                        const struct shmlog *log)
{
	struct cli_culprit culprit;
	bool found = false;

	(void)shmlog_processes(log, find_writer, &found);
	if (!found)
		return;
	cli_culprit_find(log, SHMLOG_ERR_WRITER_ACTIVE, &culprit);
	cli_message(request->path,
	            "grown, though another writer has the log open%s; " ADVICE,
	            culprit.text);
}

static int grow_log(const struct grow_request *request, struct shmlog *log,
                    uint64_t capacity)
{
	struct cli_patience patience = {.log = log, .path = request->path};
	struct shmlog_change_options options = {
		.flags = request->force ? SHMLOG_CHANGE_FORCE : 0u,
		.waiting = cli_patience_wait,
		.context = &patience,
	};
	int status;

	cli_patience_begin(&patience, request->lock_timeout_ns);
	do {
		options.lock_timeout_ns = cli_patience_left(&patience);
		status = shmlog_grow(log, capacity, &options);
	} while (status == -EINTR && cli_patience_goes_on(&patience));
	cli_patience_end(&patience);
	if (status != 0)
		return report_refusal(request, log, capacity, status);
	cli_warn_of_node(request->path, "grown", capacity);
	if (request->force)
		tell_writer(request, log);
	return CLI_OK;
}

static int grow_run(const struct cli_args *args)
{
	struct grow_request request;
	struct shmlog *log;
	uint64_t capacity;
	int status = read_request(args, &request);

	if (status != CLI_OK)
		return status;
	cli_signals_guard_mappings();
	cli_signals_catch();
	status = cli_open_log(request.path, &log);
	if (status != CLI_OK)
		return status;
	status = find_capacity(&request, log, &capacity);
	if (status == CLI_OK)
		status = grow_log(&request, log, capacity);
	shmlog_close(log);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_grow = {
	.name = "grow",
	.summary = "make a log longer while it is used",
	.operands = "LOG SIZE",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_plain_log,
                                           &cli_takes_size),
	.options = grow_options,
	.option_count = sizeof(grow_options) / sizeof(grow_options[0]),
	.min_operands = 2,
	.max_operands = 2,
	.notes = "A SIZE is the length that the log gets, a number of bytes, "
		 "or of KiB, MiB, GiB,\nTiB with K, M, G, T behind it; or what "
		 "it gets more, with + before the number.\nThe space is "
		 "reserved.",
	.run = grow_run,
};
