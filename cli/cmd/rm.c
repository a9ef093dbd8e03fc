/* Removes logs that nobody holds. */
#include "command.h"
#include "failure.h"
#include "json_write.h"
#include "log_arguments.h"
#include "log_search.h"
#include "message.h"
#include "open_log.h"
#include "options.h"
#include "rows.h"
#include "shared_options.h"
#include "stdout_buffer.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPTION_READERS,
	OPTION_UNATTENDED,
	OPTION_DRY_RUN,
	OPTION_OUTPUT,
};

static const struct cli_option rm_options[] = {
	[OPTION_READERS] = {.name = "readers",
                            .help = "also refuse while a process reads a log"},
	[OPTION_UNATTENDED] =
		{.name = "unattended",
                 .help = "remove all logs under the paths that nobody holds"},
	[OPTION_DRY_RUN] = {.letter = 'n',
                            .name = "dry-run",
                            .help = "only say what would be removed"},
	CLI_REPORT_FORMAT_OPTION(OPTION_OUTPUT),
};

struct rm {
	unsigned flags; /* of enum shmlog_remove_flags */
	bool unattended;
	bool json;
	bool tells; /* prints what is removed */
	int status; /* of the first failure in a search */
	size_t removed;
	struct cli_output output;
};

/* ---------------------------------------------------------------- reporting */

static void tell_removed(struct rm *rm, const char *path)
{
	struct cli_object *object;

	if (!rm->tells)
		return;
	if (!rm->json) {
		cli_report_name(&rm->output, path);
		cli_output_string(&rm->output, "\n");
		return;
	}
	object = cli_object_new();
	cli_object_string(object, "path", path);
	cli_object_bool(object, "removed",
	                (rm->flags & SHMLOG_REMOVE_DRY_RUN) == 0);
	cli_report_line(&rm->output, object);
}

struct culprit {
	bool writes;
	char text[384];
};

static int name_culprit(void *context, const struct shmlog_process *process)
{
	struct culprit *culprit = context;
	struct cli_quoted command;

	if (culprit->writes && !process->writes && !process->appends)
		return 0;
	(void)snprintf(culprit->text, sizeof(culprit->text),
	               ": pid %" PRId64 " (%s)", process->pid,
	               cli_quote(&command, process->command));
	return 1;
}

static bool is_held(int status)
{
	return status == SHMLOG_ERR_LOCK_TIMEOUT ||
	       status == SHMLOG_ERR_WRITER_ACTIVE ||
	       status == SHMLOG_ERR_READER_ACTIVE;
}

/* Says why a log is still there. */
static int report_refusal(const char *path, const struct shmlog *log,
                          int status)
{
	struct culprit culprit = {.writes = status != SHMLOG_ERR_READER_ACTIVE};

	if (is_held(status))
		(void)shmlog_processes(log, name_culprit, &culprit);
	if (status == -ENOTSUP)
		cli_message(path, "cannot remove: the system does not tell "
		                  "whether a process holds it; left as it is");
	else
		cli_message(path, "cannot remove: %s%s; left as it is",
		            shmlog_strerror(status), culprit.text);
	/* Frames that are damaged at both ends: no log. */
	return cli_is_damage(status) ? CLI_NOT_LOG : cli_exit_status(status);
}

/* Says what came in the way behind the look. */
static int report_doubt(const char *path,
                        const struct shmlog_remove_result *result, int status)
{
	struct cli_quoted now;

	if (result->path[0] != '\0')
		cli_message(path,
		            "cannot remove: %s; the name was given to "
		            "another file at the same moment, and the one "
		            "that had it is %s now",
		            shmlog_strerror(status),
		            cli_quote(&now, result->path));
	else
		cli_message(path, "removed, but a process was just opening it, "
		                  "and has a log without a name: 'shmlog ls "
		                  "-a' shows it");
	return cli_exit_status(status);
}

/* ----------------------------------------------------------------- removing */

static int remove_open_log(struct rm *rm, struct shmlog *log, const char *path)
{
	struct shmlog_remove_result result;
	int status = shmlog_remove(log, rm->flags, &result);

	if (status == 0 || status == SHMLOG_ERR_IN_DOUBT) {
		rm->removed += (rm->flags & SHMLOG_REMOVE_DRY_RUN) == 0;
		tell_removed(rm, path);
	}
	if (status == 0)
		return CLI_OK;
	if (status == SHMLOG_ERR_IN_DOUBT || result.path[0] != '\0')
		return report_doubt(path, &result, status);
	/* What was found and is held, or is another file by now, is none of
	 * those that were meant. */
	if (rm->unattended &&
	    (is_held(status) || status == -ENOENT ||
	     status == SHMLOG_ERR_REPLACED || status == SHMLOG_ERR_NOT_REGULAR))
		return CLI_OK;
	return report_refusal(path, log, status);
}

static int remove_again_opened(struct rm *rm, const char *path)
{
	struct shmlog *log;
	int status = shmlog_open(path, &log);

	if (status == -ENOENT)
		return CLI_OK;
	if (status != 0)
		return cli_fail(path, "cannot open", status);
	status = remove_open_log(rm, log, path);
	shmlog_close(log);
	return status;
}

/* A log that was found in a folder, or given by its name.  A failure does not
 * end the search. */
static int remove_found(void *context, const struct cli_found_log *found)
{
	struct rm *rm = context;

	/* What is damaged may be wanted for a look at what happened. */
	if (found->look->first_frame != 0 || found->look->last_frame != 0)
		return CLI_OK;
	int status = remove_again_opened(rm, found->path);

	if (rm->status == CLI_OK)
		rm->status = status;
	/* With nobody to tell it to, no more is removed. */
	return rm->output.error != 0 ? CLI_SYSTEM : CLI_OK;
}

static int refuse_link(const char *path)
{
	cli_message(path, "not a log: it is a symbolic link, and what it leads "
	                  "to has another name; left as it is");
	return CLI_NOT_LOG;
}

/* Removes what a name leads to, which is opened only if it is a regular
 * file. */
static int remove_named(struct rm *rm, const char *path)
{
	struct shmlog *log;
	struct stat file;

	if (lstat(path, &file) != 0)
		return cli_fail(path, "cannot open", -errno);
	if (S_ISLNK(file.st_mode))
		return refuse_link(path);
	if (!S_ISREG(file.st_mode)) {
		cli_message(path, "not a log: it is no regular file; left as "
		                  "it is");
		return CLI_NOT_LOG;
	}
	int status = cli_open_log(path, &log);

	if (status != CLI_OK)
		return status;
	status = remove_open_log(rm, log, path);
	shmlog_close(log);
	return status;
}

/* Whether a path is a link to a file; a folder is searched through one. */
static bool is_link_to_file(const char *path)
{
	struct stat link, file;

	return lstat(path, &link) == 0 && S_ISLNK(link.st_mode) &&
	       stat(path, &file) == 0 && S_ISREG(file.st_mode);
}

/* One operand. */
static int remove_under(struct rm *rm, const char *path)
{
	struct cli_log_search search = {.found = remove_found, .context = rm};

	if (!rm->unattended)
		return remove_named(rm, path);
	if (is_link_to_file(path))
		return refuse_link(path);
	rm->status = CLI_OK;
	int status = cli_search_logs(&search, path);

	if (status == CLI_OK)
		status = rm->status;
	return status != CLI_OK ? status : search.status;
}

static int rm_run(const struct cli_args *args)
{
	struct rm rm = {
		.unattended = cli_args_count(args, OPTION_UNATTENDED) > 0,
	};
	bool dry_run = cli_args_count(args, OPTION_DRY_RUN) > 0;
	int status = CLI_OK;

	if (cli_report_format(args, OPTION_OUTPUT, &rm.json) != CLI_OK)
		return CLI_USAGE;
	if (rm.unattended || cli_args_count(args, OPTION_READERS) > 0)
		rm.flags |= SHMLOG_REMOVE_IF_UNREAD;
	if (dry_run)
		rm.flags |= SHMLOG_REMOVE_DRY_RUN;
	rm.tells = rm.unattended || dry_run || rm.json;
	int result = cli_output_init(&rm.output, STDOUT_FILENO);

	if (result != 0)
		return cli_fail(NULL, "cannot start", result);
	for (size_t i = 0; i < cli_args_operand_count(args); i++) {
		int one = remove_under(&rm, cli_args_operand(args, i));

		if (status == CLI_OK)
			status = one;
		if (cli_output_flush(&rm.output) != 0)
			break;
	}
	if (rm.output.error != 0 && rm.output.error != EPIPE && rm.removed > 0)
		cli_message(NULL, "logs removed by then: %zu", rm.removed);
	return cli_output_finish(&rm.output, status);
}

const struct cli_command cmd_rm = {
	.name = "rm",
	.summary = "remove logs that no process holds",
	.operands = "LOG...",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_plain_log),
	.options = rm_options,
	.option_count = sizeof(rm_options) / sizeof(rm_options[0]),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.notes = "A log that a process writes is left (status 7).  With "
		 "--unattended each operand\nis a log, or a folder that is "
		 "searched with its subfolders, and what a process\nwrites or "
		 "reads is passed over.",
	.run = rm_run,
};
