/* Makes room: gives a log another name and puts an empty one in its place. */
#include "command.h"
#include "failure.h"
#include "json_write.h"
#include "log_arguments.h"
#include "message.h"
#include "open_log.h"
#include "option_values.h"
#include "options.h"
#include "patience.h"
#include "progress.h"
#include "retention.h"
#include "rows.h"
#include "shared_options.h"
#include "signals.h"
#include "stdout_buffer.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	OPTION_KEEP,
	OPTION_COMPRESS,
	OPTION_FORCE,
	OPTION_LOCK_TIMEOUT,
	OPTION_OUTPUT,
	OPTION_PROGRESS,
};

static const struct cli_option rotate_options[] = {
	CLI_RETENTION_OPTIONS(OPTION_KEEP, OPTION_COMPRESS),
	CLI_FORCE_OPTION(OPTION_FORCE),
	CLI_LOCK_TIMEOUT_OPTION(OPTION_LOCK_TIMEOUT),
	CLI_REPORT_FORMAT_OPTION(OPTION_OUTPUT),
	CLI_PROGRESS_OPTION(OPTION_PROGRESS),
};

/* What a Node writer has to do, which neither sees nor survives a rotation. */
#define ADVICE                                                          \
	"a Node process would go on in the renamed file: let it close " \
	"the log before a rotation, and open it again behind that"

struct rotate_request {
	const char *path;
	struct cli_retention retention;
	bool force;
	int64_t lock_timeout_ns;
	bool json;
};

/* What a rotation did, for -o json. */
struct rotate_report {
	struct cli_object *object;
	struct cli_object *removed;
	struct cli_object *archived;
};

static int read_request(const struct cli_args *args,
                        struct rotate_request *request)
{
	int status;

	request->path = cli_args_operand(args, 0);
	request->force = cli_args_count(args, OPTION_FORCE) > 0;
	request->lock_timeout_ns = -1;
	status = cli_report_format(args, OPTION_OUTPUT, &request->json);
	if (status == CLI_OK)
		status = cli_option_duration(
			"--lock-timeout",
			cli_args_value(args, OPTION_LOCK_TIMEOUT),
			&request->lock_timeout_ns);
	if (status == CLI_OK)
		status = cli_retention_read(&request->retention, args,
		                            OPTION_KEEP, OPTION_COMPRESS);
	if (status == CLI_OK)
		status = cli_progress_init(
			cli_args_value(args, OPTION_PROGRESS));
	return status;
}

/* ---------------------------------------------------------------- rotating */

static int report_refusal(const struct rotate_request *request,
                          const struct shmlog *log, int status)
{
	struct cli_culprit culprit;

	cli_culprit_find(log, status, &culprit);
	cli_message(request->path,
	            "cannot rotate: %s%s; nothing was changed%s%s",
	            shmlog_strerror(status), culprit.text,
	            status == SHMLOG_ERR_WRITER_ACTIVE ? "; " : "",
	            status == SHMLOG_ERR_WRITER_ACTIVE ? ADVICE : "");
	return cli_exit_status(status);
}

/* The log has been rotated, and something came in the way. */
static int report_doubt(const struct rotate_request *request,
                        const struct shmlog *log,
                        const struct shmlog_rotate_result *result, int status)
{
	struct cli_culprit culprit;
	struct cli_quoted old;

	cli_culprit_find(log, status, &culprit);
	if (status == SHMLOG_ERR_IN_DOUBT)
		cli_message(
			request->path,
			"rotated, but another writer opened the log at the "
			"same moment%s: what it commits goes to %s; " ADVICE,
			culprit.text, cli_quote(&old, result->path));
	else
		cli_message(request->path,
		            "another file got this name at the same moment: "
		            "that was rotated, and is %s now",
		            cli_quote(&old, result->path));
	return cli_exit_status(status);
}

static int rotate_log(const struct rotate_request *request, struct shmlog *log,
                      struct shmlog_rotate_result *result)
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
		status = shmlog_rotate(log, &options, result);
	} while (status == -EINTR && cli_patience_goes_on(&patience));
	cli_patience_end(&patience);
	if (status == 0)
		return CLI_OK;
	return result->path[0] == '\0'
	               ? report_refusal(request, log, status)
	               : report_doubt(request, log, result, status);
}

/* --------------------------------------------------------------- reporting */

static void note_removed(void *context, const char *path)
{
	struct rotate_report *report = context;

	cli_object_string(cli_array_object(report->removed), "path", path);
}

static void note_archived(void *context, const char *path)
{
	struct rotate_report *report = context;

	cli_object_string(cli_array_object(report->archived), "path", path);
}

/* What was done has to be known where standard output does not take it. */
static void report_unsaid(const struct rotate_request *request,
                          const struct shmlog_rotate_result *result,
                          int flushed)
{
	struct cli_quoted old;

	if (flushed != 0 && flushed != -EPIPE)
		cli_message(request->path, "was rotated, and is %s now",
		            cli_quote(&old, result->path));
}

/* Tidies up, and prints what was done.  The name is out before anything that
 * takes long, unless all is one line of JSON. */
static int finish(const struct rotate_request *request,
                  const struct shmlog_rotate_result *result,
                  struct cli_output *output, int status)
{
	struct rotate_report report = {.object = cli_object_new()};
	const struct cli_retention_visitor visitor = {note_removed,
	                                              note_archived, &report};

	cli_object_string(report.object, "log", request->path);
	cli_object_string(report.object, "rotated", result->path);
	cli_object_u64(report.object, "cursor", result->end_cursor);
	report.removed = cli_object_array(report.object, "removed");
	report.archived = cli_object_array(report.object, "archived");
	if (!request->json) {
		cli_report_name(output, result->path);
		cli_output_string(output, "\n");
		report_unsaid(request, result, cli_output_flush(output));
	}
	int tidied = cli_retention_apply(&request->retention, request->path,
	                                 &visitor);
	char *text = cli_object_print(report.object);

	if (request->json && text != NULL)
		cli_output_format(output, "%s\n", text);
	else if (request->json)
		tidied = cli_fail(request->path, "cannot report", -ENOMEM);
	if (request->json)
		report_unsaid(request, result, cli_output_flush(output));
	free(text);
	cli_object_free(report.object);
	return status == CLI_OK ? tidied : status;
}

static int rotate_with_output(const struct rotate_request *request,
                              struct cli_output *output)
{
	struct shmlog_rotate_result result = {.path = ""};
	struct shmlog *log;
	int status = cli_open_log(request->path, &log);

	if (status != CLI_OK)
		return status;
	status = rotate_log(request, log, &result);
	shmlog_close(log);
	return result.path[0] == '\0'
	               ? status
	               : finish(request, &result, output, status);
}

static int rotate_run(const struct cli_args *args)
{
	struct rotate_request request = {.path = NULL};
	struct cli_output output;
	int status = read_request(args, &request);

	if (status != CLI_OK)
		return status;
	status = cli_output_init(&output, STDOUT_FILENO);
	if (status != 0)
		return cli_fail(request.path, "cannot rotate", status);
	cli_signals_catch();
	status = cli_output_finish(&output,
	                           rotate_with_output(&request, &output));
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_rotate = {
	.name = "rotate",
	.summary = "give a log another name and put an empty one in its place",
	.operands = "LOG",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_plain_log),
	.options = rotate_options,
	.option_count = sizeof(rotate_options) / sizeof(rotate_options[0]),
	.min_operands = 1,
	.max_operands = 1,
	.notes = "Prints the old log's new name, LOG.YYYYMMDDTHHMMSSZ or that "
		 "and a number.",
	.run = rotate_run,
};
