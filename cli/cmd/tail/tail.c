/* Prints the last frames of logs, and those that follow. */
#include "columns.h"
#include "command.h"
#include "descriptors.h"
#include "distinct.h"
#include "failure.h"
#include "log_arguments.h"
#include "message.h"
#include "open_log.h"
#include "options.h"
#include "signals.h"
#include "spool.h"
#include "tail_follow.h"
#include "tail_once.h"
#include "tail_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* How long a reader of the output may take nothing once the time is out; and
 * once nothing else is left to wait for, where it may yet take all of it. */
#define TIMEOUT_PATIENCE_NS 200000000
#define END_PATIENCE_NS 1000000000

/* A reader of the output that takes nothing keeps no end of a follow from
 * coming. */
static bool gives_up(void *context, int64_t stalled_ns)
{
	const struct tail *tail = context;
	const struct cli_follow_ends *ends = &tail->follow.ends;

	if (!tail->options.follow)
		return false;
	if (cli_ends_is_timed_out(ends) && stalled_ns >= TIMEOUT_PATIENCE_NS)
		return true;
	if (stalled_ns < END_PATIENCE_NS)
		return false;
	return (ends->idle_ns >= 0 && stalled_ns >= ends->idle_ns) ||
	       (ends->process.pid != 0 && cli_process_is_gone(&ends->process));
}

/* ----------------------------------------------------------- start and end */

/* What is copied before it is read has an end, and is another file in the next
 * run. */
static int check_spooled(const struct tail_options *options, const char *path)
{
	struct cli_quoted quoted;

	if (options->follow)
		return cli_refuse_follow(path);
	if (options->cursor_path == NULL || !cli_is_spooled(path))
		return CLI_OK;
	return cli_usage_error("%s is %s: a cursor file cannot tell it in "
	                       "another run",
	                       cli_quote(&quoted, path),
	                       cli_is_standard_input(path) ? "standard input"
	                                                   : "a zstd archive");
}

/* The files that tail writes must be no logs, also where neither is there yet
 * (a log that is there is found to be no cursor file), and not one file: frames
 * that were printed into the cursor file would be gone when it is replaced. */
static int check_distinct(const struct tail_options *options)
{
	if (options->cursor_path != NULL &&
	    cli_check_output(options->cursor_path, NULL) != CLI_OK)
		return CLI_USAGE;
	for (size_t i = 0; i < options->log_count; i++) {
		const char *path = tail_options_path(options, i);

		if (cli_check_output(path, NULL) != CLI_OK ||
		    check_spooled(options, path) != CLI_OK)
			return CLI_USAGE;
		if (options->cursor_path == NULL ||
		    access(options->cursor_path, F_OK) == 0 ||
		    !cli_is_same_path(options->cursor_path, path))
			continue;
		cli_message(options->cursor_path,
		            "is the log itself; nothing was changed");
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* That no frame has passed is nothing that went wrong. */
static bool is_good(int status)
{
	return status == CLI_OK || status == CLI_NO_MATCH;
}

/* The output was given up, by an end of the follow. */
static void report_undelivered(struct tail *tail)
{
	if (cli_signal_caught() != 0)
		return;
	for (size_t i = 0; i < tail->keeper.log_count; i++) {
		const struct tail_log *log = tail->keeper.logs[i];

		if (log->flushed != log->rendered)
			cli_message(log->path,
			            "standard output takes nothing any more: "
			            "what follows cursor %" PRIu64
			            " is not all written",
			            log->flushed);
	}
	if (is_good(tail->status))
		tail->status = cli_ends_is_timed_out(&tail->follow.ends)
		                       ? CLI_TIMEOUT
		                       : CLI_SYSTEM;
}

/* Each log takes a descriptor, and another one to show where its reader is; the
 * library leaves half of all for what is more important than that. */
#define DESCRIPTORS_A_LOG 4
/* What else may be open at a time. */
#define OTHER_DESCRIPTORS 64

/* How many logs a pattern finds is not known. */
static void allow_descriptors(const struct tail_options *options)
{
	if (options->pattern_count > 0)
		cli_allow_descriptors(SIZE_MAX);
	else if (options->log_count > 1)
		cli_allow_descriptors(options->log_count * DESCRIPTORS_A_LOG +
		                      OTHER_DESCRIPTORS);
}

static int begin(struct tail *tail)
{
	const struct tail_options *options = &tail->options;
	int status;

	allow_descriptors(options);
	tail->keeper.path = options->cursor_path;
	tail->keeper.several = tail_options_are_for_several(options);
	tail->keeper.printer = &tail->printer;
	tail->keeper.selection = tail->selection;
	tail->keeper.at_end = tail->selection != NULL &&
	                      cli_selection_is_tally(tail->selection);
	tail->start.options = options;
	tail->start.keeper = tail->start.walk.keeper = &tail->keeper;
	tail->start.walk.filter = tail->filter;
	tail->left = options->count;
	if (tail->merge != NULL && options->follow)
		cli_merge_set_wait(tail->merge, options->merge_wait_ns);
	cli_follow_init(&tail->follow, options->log_count);
	tail->follow.ends.timeout_ns = options->timeout_ns;
	tail->follow.ends.idle_ns = options->idle_ns;
	tail->follow.ends.process = options->process;
	tail->follow.poll_ns = options->poll_ns;
	status = keeper_init(&tail->keeper);
	return status == CLI_OK ? cli_printer_begin(&tail->printer) : status;
}

static void print_logs(struct tail *tail)
{
	tail_note_status(tail, keeper_load(&tail->keeper));
	if (tail->status != CLI_OK)
		return;
	if (!tail->options.follow) {
		tail_once(tail);
		return;
	}
	tail->keeper.follow = &tail->follow;
	tail->start.walk.ends = &tail->follow.ends;
	cli_message_never_wait();
	tail_follow(tail);
}

/* The tally, and the status where no frame has passed. */
static void finish_selection(struct tail *tail)
{
	/* What is followed has no end but the one that it is given. */
	bool whole = tail->options.follow ||
	             (tail->status == CLI_OK && cli_signal_caught() == 0);

	if (tail->selection == NULL)
		return;
	tail->status = cli_selection_finish(tail->selection,
	                                    tail->options.count - tail->left,
	                                    whole, tail->status);
	/* Frames that no number was printed of are left to the next run. */
	if (whole)
		tail->keeper.at_end = false;
}

/* Lets out what is left, and says where the next run goes on. */
static int finish(struct tail *tail)
{
	int saved;

	finish_selection(tail);
	tail->status = cli_typed_status(&tail->printer.typed, tail->status);
	saved = keeper_finish(&tail->keeper);
	if (cli_output_gave_up(&tail->printer.output))
		report_undelivered(tail);
	if (saved != CLI_OK && is_good(tail->status))
		tail->status = saved;
	if (!tail->options.follow)
		tail_once_end(tail);
	cli_follow_release(&tail->follow);
	return cli_printer_finish(&tail->printer, tail->status);
}

/* How frames look, and which are wanted. */
static int read_rendering(const struct cli_args *args, struct tail *tail)
{
	int status = cli_printer_init(
		&tail->printer, args, &tail_printer_places,
		tail_options_are_for_several(&tail->options));

	if (status == CLI_OK)
		status = cli_filter_init(&tail->filter, args,
		                         tail_filter_places, "tail -n +1",
		                         &tail->printer.typed);
	if (status == CLI_OK)
		status = cli_selection_init(&tail->selection, args,
		                            tail_selection_places, tail->filter,
		                            &tail->printer);
	return status;
}

static int tail_run(const struct cli_args *args)
{
	struct tail *tail = calloc(1, sizeof(*tail));
	int status;

	if (tail == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	status = tail_options_read(args, &tail->options);
	if (status == CLI_OK)
		status = read_rendering(args, tail);
	if (status == CLI_OK)
		status = cli_columns_init(&tail->columns, args, TAIL_COLUMNS,
		                          &tail->printer);
	if (status == CLI_OK)
		status = cli_merge_init(&tail->merge, args, TAIL_MERGE,
		                        &tail->printer.typed);
	if (status == CLI_OK)
		status = check_distinct(&tail->options);
	if (status == CLI_OK)
		status = begin(tail);
	if (status == CLI_OK) {
		tail->printer.output.gives_up = gives_up;
		tail->printer.output.context = tail;
		cli_signals_catch();
		cli_signals_guard_mappings();
		cli_missing_log_hint("-F waits for it");
		print_logs(tail);
		status = finish(tail);
	}
	cli_columns_free(tail->columns);
	keeper_release(&tail->keeper);
	cli_selection_free(tail->selection);
	cli_filter_free(tail->filter);
	cli_merge_free(tail->merge);
	cli_printer_release(&tail->printer);
	free(tail);
	return status;
}

const struct cli_command cmd_tail = {
	.name = "tail",
	.summary = "print the last frames of logs, and those that follow",
	.operands = "[LOG...]",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = tail_option_table,
	.option_count = TAIL_OPTION_COUNT,
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.number_option = "lines",
	.notes = CLI_POSITION_NOTE,
	.run = tail_run,
};
