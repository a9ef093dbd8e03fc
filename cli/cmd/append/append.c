/*
 * Appends records from files, standard input or the command line.  A line of
 * input goes a straight way: input.c reads it, intake.c cuts it from the
 * buffer and makes a frame of it, committer.c commits the frame.
 */
#include "append_state.h"
#include "clash.h"
#include "command.h"
#include "distinct.h"
#include "ending.h"
#include "failure.h"
#include "input_format.h"
#include "intake.h"
#include "leftover.h"
#include "log_arguments.h"
#include "message.h"
#include "open_log.h"
#include "signals.h"
#include "spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------ taking */

/* Takes one FILE; "-" is standard input. */
static int take_file(struct cli_append *append, const char *name)
{
	int status = cli_input_open(&append->input, name);

	append->rest = cli_input_here(&append->input);
	if (status != 0)
		return cli_end_at_open(append, name, status);
	status = cli_check_opened(append, name);
	if (status == CLI_OK) {
		cli_progress_begin(&append->progress, append->input.name,
		                   cli_input_length(&append->input));
		status = cli_take_input(append);
		cli_progress_end(&append->progress,
		                 !append->ended && cli_signal_caught() == 0);
	}
	if (append->ended)
		status = cli_worse(status, cli_keep_input(append));
	cli_input_close(&append->input);
	return status;
}

/* Takes the texts of -m. */
static int take_messages(struct cli_append *append)
{
	int status = cli_input_load_messages(&append->input, &append->options);

	if (status != 0)
		return cli_fail(append->options.path, "cannot append", status);
	append->rest = cli_input_here(&append->input);
	status = cli_take_loaded(append);
	return append->ended ? cli_worse(status, cli_keep_input(append))
	                     : status;
}

/* Takes the FILEs until one ends early; then it and those behind it are
 * kept. */
static int take_files(struct cli_append *append)
{
	int status = CLI_OK;
	size_t n = 1;

	for (const char *name;
	     status == CLI_OK && !append->ended &&
	     (name = cli_append_file(&append->options, n)) != NULL;
	     n++) {
		append->file = n;
		status = take_file(append, name);
	}
	if (append->input.unopened && cli_signal_caught() != 0)
		n--;
	if (append->ended)
		status = cli_worse(status, cli_keep_files(append, n));
	return status;
}

/* Whether acknowledgements, or what --tee prints, could not be written, by a
 * failure of which nobody knows yet: who closes a pipe, or takes nothing after
 * a signal, does. */
static bool is_unacknowledged(const struct cli_append *append)
{
	const struct cli_output *output = append->committer.output;

	return (append->options.commits.ack ||
	        append->options.commits.tee.wanted) &&
	       output->error != 0 && output->error != EPIPE &&
	       !cli_output_gave_up(output);
}

static int take_all(struct cli_append *append)
{
	int status = cli_append_message_count(&append->options) > 0
	                     ? take_messages(append)
	                     : take_files(append);

	/* What is to be all or nothing waits for the end of the input; a signal
	 * is none. */
	if (status == CLI_OK && append->options.commits.atomic &&
	    cli_signal_caught() == 0) {
		status = cli_take_commit(append);
		append->rest = cli_input_here(&append->input);
	}
	if (!append->told &&
	    (append->overflow.kept > 0 || is_unacknowledged(append)))
		cli_report_stopped(append);
	return status;
}

/* ----------------------------------------------------------------- opening */

/* Whether the FILEs can be read at all, before anything is done. */
static int check_readable(const struct cli_append *append)
{
	const char *name;

	for (size_t n = 1;
	     (name = cli_append_file(&append->options, n)) != NULL; n++) {
		struct stat file;
		int error = 0;

		if (strcmp(name, "-") == 0)
			continue;
		if (access(name, R_OK) != 0 || stat(name, &file) != 0)
			error = errno;
		else if (S_ISDIR(file.st_mode))
			error = EISDIR;
		if (error == 0)
			continue;
		cli_message(name, "cannot read: %s; nothing was appended",
		            shmlog_strerror(-error));
		return CLI_SYSTEM;
	}
	return CLI_OK;
}

static int open_overflow(struct cli_append *append)
{
	const char *path = append->options.overflow;

	/* Also where neither is there: it would be made for the one and be
	 * taken for the other. */
	if (path != NULL && strcmp(path, "-") != 0 &&
	    cli_is_same_path(path, append->options.path)) {
		cli_message(path, "is the log itself; nothing was appended");
		return CLI_USAGE;
	}
	const struct cli_input_format *format = append->options.format;
	/* The texts of -m are kept as lines. */
	int delimiter = cli_append_message_count(&append->options) > 0
	                        ? '\n'
	                        : format->delimiter;
	int status = cli_overflow_open(&append->overflow, path, delimiter);

	if (status != CLI_OK || path == NULL || !format->whole ||
	    delimiter != CLI_NO_DELIMITER ||
	    !cli_overflow_is_filled(&append->overflow))
		return status;
	cli_message(path, "has something in it, which would become one payload "
	                  "with what overflows; nothing was appended");
	return CLI_USAGE;
}

/* Creates a log that its owner can append to, whatever the umask. */
static int create_log(const char *path, uint64_t capacity, unsigned flags)
{
	mode_t mask = umask(0);

	(void)umask(mask & ~(mode_t)(S_IRUSR | S_IWUSR));
	int status = cli_create_log(path, capacity, 0664, flags);

	(void)umask(mask);
	return status;
}

/* Opens the log, and creates it first if that is wanted.  An existing one is
 * taken as it is, whatever its capacity: it may have been made longer. */
static int open_log(struct cli_append *append)
{
	const char *path = append->options.path;
	int status = cli_refuse_spooled(path);
	char first;

	if (status != CLI_OK)
		return status;
	cli_missing_log_hint("--create SIZE makes it");
	if (append->options.has_capacity) {
		bool sync = append->options.commits.sync;

		status = create_log(path, append->options.capacity,
		                    sync ? SHMLOG_CREATE_ON_DISK : 0);
		cli_missing_log_hint(NULL);
	}
	if (status == -EOPNOTSUPP && append->options.commits.sync) {
		cli_message(path, "cannot create it to --sync: the log would "
		                  "be in memory, of which nothing outlasts a "
		                  "power cut; nothing was created");
		return CLI_SYSTEM;
	}
	if (status != 0 && status != -EEXIST)
		return cli_fail(path, "cannot create", status);
	if (status == -EEXIST && access(path, F_OK) != 0 && errno == ENOENT &&
	    readlink(path, &first, 1) > 0) {
		cli_message(path, "is a symbolic link to a file that does not "
		                  "exist; nothing was appended");
		return CLI_SYSTEM;
	}
	return cli_open_log(path, &append->log);
}

/* Opens what is written to, once it is clear that nothing of it is read: before
 * anything is made, and again once the log is open, whatever its name led to
 * before. */
static int open_all(struct cli_append *append)
{
	int status = check_readable(append);

	if (status == CLI_OK)
		status = cli_check_clashes(append);
	if (status == CLI_OK)
		status = open_overflow(append);
	if (status == CLI_OK)
		status = cli_check_clashes(append);
	if (status == CLI_OK)
		status = open_log(append);
	return status == CLI_OK ? cli_check_clashes(append) : status;
}

/* ----------------------------------------------------------------- running */

static int make_buffers(struct cli_append *append)
{
	const struct cli_append_options *options = &append->options;
	size_t record_max = options->typed.type != NULL
	                            ? cli_value_max(&options->typed)
	                            : CLI_RECORD_MAX_BYTES;

	append->scratch = malloc(CLI_RECORD_MAX_BYTES);
	if (append->scratch == NULL)
		return -ENOMEM;
	int status = cli_input_init(&append->input, options->format, record_max,
	                            options->commits.sync);

	append->input.is_one_of_several = cli_append_file(options, 2) != NULL;
	return status;
}

/* Appends to the open log, which may take nothing. */
static int append_to(struct cli_append *append, struct cli_output *output)
{
	int status = make_buffers(append);

	if (status != 0)
		return cli_fail(append->options.path, "cannot append", status);
	status = cli_committer_open(&append->committer, append->log,
	                            append->options.path,
	                            &append->options.commits, output);
	append->log = append->committer.log;
	if (status == 0) {
		status = take_all(append);
		int synced = cli_take_sync(append);

		status = status == CLI_OK ? synced : status;
	} else {
		status = cli_end_at_opened_log(append, status);
		status = cli_worse(status, cli_keep_all(append));
	}
	cli_committer_release(&append->committer);
	return status;
}

/* Appends, with standard output for the acknowledgements or for --tee. */
static int append_with_output(struct cli_append *append)
{
	struct cli_output output;
	int status = cli_output_init(&output, STDOUT_FILENO);

	if (status != 0)
		return cli_fail(append->options.path, "cannot append", status);
	status = append_to(append, &output);
	/* Before nobody reads the output, which may end the process. */
	cli_overflow_close(&append->overflow);
	free(append->scratch);
	cli_input_release(&append->input);
	if (status == CLI_OK && append->committer.overwrote)
		status = CLI_WRITER;
	if (status == CLI_OK && append->committer.untidy)
		status = CLI_SYSTEM;
	if (status == CLI_OK && append->skipped > 0)
		status = CLI_LOSS;
	if (!append->told_unacknowledged || output.error == EPIPE)
		return cli_output_finish(&output, status);
	/* The message is out. */
	cli_output_rest(&output);
	cli_output_release(&output);
	return status == CLI_OK ? CLI_SYSTEM : status;
}

static int append_run(const struct cli_args *args)
{
	struct cli_append append = {.overflow.fd = -1};
	int status = cli_append_options_read(&append.options, args);

	if (status == CLI_OK)
		status = open_all(&append);
	if (status == CLI_OK) {
		cli_signals_catch();
		cli_signals_guard_mappings();
		status = append_with_output(&append);
	}
	cli_overflow_close(&append.overflow);
	shmlog_close(append.log);
	cli_append_options_release(&append.options);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_append = {
	.name = "append",
	.summary = "append records to a log",
	.operands = "LOG [FILE...]",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_plain_log,
                                           &cli_takes_file),
	.options = cli_append_option_table,
	.option_count = CLI_APPEND_OPTION_COUNT,
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.notes = "Without --input, each line is a frame.  Without FILE and "
		 "--message, standard\ninput is read.",
	.run = append_run,
};
