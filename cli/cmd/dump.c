/* Prints the frames of logs, or of a part of each, or those that are looked
 * for. */
#include "columns.h"
#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "filter.h"
#include "log_arguments.h"
#include "merge.h"
#include "message.h"
#include "option_values.h"
#include "options.h"
#include "pace.h"
#include "printer.h"
#include "progress.h"
#include "range.h"
#include "scan.h"
#include "second_half.h"
#include "selection.h"
#include "shared_options.h"
#include "signals.h"

#include <errno.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* How often the wait for the second half of a tally tells how far it is. */
#define HALF_POLL_NS 1000000

enum {
	OPTION_FROM,
	OPTION_TO,
	OPTION_COUNT,
	OPTION_REVERSE,
	OPTION_OUTPUT,
	OPTION_TEMPLATE,
	OPTION_COLUMNS,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
	OPTION_GREP,
	OPTION_NOT_GREP,
	OPTION_IGNORE_CASE,
	OPTION_WHERE,
	OPTION_AFTER,
	OPTION_BEFORE,
	OPTION_CONTEXT,
	OPTION_TALLY,
	OPTION_QUIET,
	OPTION_PREFIX,
	OPTION_PACE,
	OPTION_SPEED,
	OPTION_MERGE,
	OPTION_COLOR,
	OPTION_PROGRESS,
};

static const struct cli_option dump_options[] = {
	[OPTION_FROM] = {.name = "from",
                         .value = "POS",
                         .kind = &cli_takes_position,
                         .help = "begin with the frame at this position"},
	[OPTION_TO] = {.name = "to",
                       .value = "POS",
                       .kind = &cli_takes_position,
                       .help = "end before the frame at this position"},
	[OPTION_COUNT] = {.letter = 'n',
                          .name = "count",
                          .value = "N",
                          .kind = &cli_takes_number,
                          .help = "end after N frames (that pass) of a log"},
	[OPTION_REVERSE] = {.letter = 'r',
                            .name = "reverse",
                            .help = "print the frames last to first"},
	CLI_FORMAT_OPTIONS(OPTION_OUTPUT, OPTION_TEMPLATE),
	CLI_COLUMNS_OPTION(OPTION_COLUMNS),
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
	CLI_FILTER_OPTIONS(OPTION_GREP, OPTION_NOT_GREP, OPTION_IGNORE_CASE,
                           OPTION_WHERE),
	CLI_SELECTION_OPTIONS(OPTION_AFTER, OPTION_BEFORE, OPTION_CONTEXT,
                              OPTION_TALLY),
	CLI_QUIET_OPTION(OPTION_QUIET),
	CLI_PREFIX_OPTION(OPTION_PREFIX),
	CLI_PACE_OPTIONS(OPTION_PACE, OPTION_SPEED),
	CLI_MERGE_OPTION(OPTION_MERGE),
	CLI_COLOR_OPTION(OPTION_COLOR),
	CLI_PROGRESS_OPTION(OPTION_PROGRESS),
};

static const size_t dump_judges[] = {OPTION_GREP, OPTION_NOT_GREP, OPTION_WHERE,
                                     OPTION_MERGE, OPTION_PACE};

static const struct cli_printer_places dump_places = {
	.output = OPTION_OUTPUT,
	.template = OPTION_TEMPLATE,
	.quiet = OPTION_QUIET,
	.prefix = OPTION_PREFIX,
	.seen = CLI_NO_PLACE,
	.color = OPTION_COLOR,
	.typed = {OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS},
	.judges = dump_judges,
	.judge_count = sizeof(dump_judges) / sizeof(dump_judges[0]),
};

static const struct cli_filter_places dump_filters = {
	OPTION_GREP, OPTION_NOT_GREP, OPTION_IGNORE_CASE, OPTION_WHERE};

static const struct cli_selection_places dump_selections = {
	OPTION_AFTER, OPTION_BEFORE, OPTION_CONTEXT, OPTION_TALLY};

static const struct cli_pace_places dump_pace = {OPTION_PACE, OPTION_SPEED};

struct dump {
	struct cli_range range;
	uint64_t count; /* frames that may be printed, or pass: of each log,
	                 * or of all where they are merged */
	uint64_t left;  /* ... that still may */
	struct cli_printer printer;
	struct cli_columns *columns;     /* NULL: the format has none */
	struct cli_filter *filter;       /* NULL: all frames are wanted */
	struct cli_filter *twin;         /* of it, for the second half of what
	                                  * is only counted; NULL until then */
	const struct cli_args *args;     /* that it is made of */
	struct cli_pace *pace;           /* NULL: without pauses */
	struct cli_selection *selection; /* with a filter */
	struct cli_merge *merge;         /* NULL: one log after the other */
	struct cli_progress progress;
	unsigned untold; /* frames since it was told last */
};

/* The worse of two exit statuses is the larger one. */
static int worse(int one, int two)
{
	return one > two ? one : two;
}

static int read_position(const struct cli_args *args, size_t option,
                         const char *otherwise, struct cli_position *position)
{
	const char *text = cli_args_value(args, option);

	return cli_position_parse(text != NULL ? text : otherwise, position);
}

/* How frames look, and which are wanted. */
static int read_rendering(const struct cli_args *args, struct dump *dump)
{
	int status = cli_printer_init(&dump->printer, args, &dump_places,
	                              cli_args_operand_count(args) > 1);

	if (status == CLI_OK)
		status = cli_columns_init(&dump->columns, args, OPTION_COLUMNS,
		                          &dump->printer);
	if (status == CLI_OK)
		status = cli_filter_init(&dump->filter, args, dump_filters,
		                         "dump", &dump->printer.typed);
	if (status == CLI_OK)
		status = cli_selection_init(&dump->selection, args,
		                            dump_selections, dump->filter,
		                            &dump->printer);
	if (status == CLI_OK && cli_args_count(args, OPTION_PACE) > 0 &&
	    cli_args_count(args, OPTION_TALLY) > 0)
		return cli_usage_error("--tally prints no frames, and --pace "
		                       "goes by them");
	if (status == CLI_OK)
		status = cli_pace_init(&dump->pace, args, dump_pace,
		                       &dump->printer);
	if (status == CLI_OK)
		status = cli_merge_init(&dump->merge, args, OPTION_MERGE,
		                        &dump->printer.typed);
	return status;
}

/* On a terminal the frames themselves show how far the command is, unless few
 * of them are printed. */
static int read_progress(const struct cli_args *args, const struct dump *dump)
{
	int status = cli_progress_init(cli_args_value(args, OPTION_PROGRESS));

	if (isatty(STDOUT_FILENO) == 1 && dump->selection == NULL)
		cli_progress_forgo();
	return status;
}

static int read_request(const struct cli_args *args, struct dump *dump)
{
	int status;

	dump->range.reverse = cli_args_count(args, OPTION_REVERSE) > 0;
	dump->count = UINT64_MAX;
	status = cli_option_frames(
		"--count", cli_args_value(args, OPTION_COUNT), &dump->count);
	if (status == CLI_OK)
		status = read_position(args, OPTION_FROM, "start",
		                       &dump->range.from);
	if (status == CLI_OK)
		status = read_position(args, OPTION_TO, "end", &dump->range.to);
	if (status == CLI_OK)
		status = read_rendering(args, dump);
	return status == CLI_OK ? read_progress(args, dump) : status;
}

/* How much of its range a scan has passed. */
static uint64_t passed_of(const struct cli_scan *scan)
{
	uint64_t cursor = shmlog_reader_cursor(scan->reader);
	uint64_t from = scan->reverse ? cursor : scan->begin;
	uint64_t to = scan->reverse ? scan->end : cursor;

	return from < to ? to - from : 0;
}

/* Backwards there is one frame at a time, which takes no longer than to tell of
 * it. */
static void tell_progress(struct dump *dump, const struct cli_scan *scan)
{
	if (scan->reverse && dump->pace == NULL &&
	    ++dump->untold < CLI_BATCH_FRAMES)
		return;
	dump->untold = 0;
	cli_progress_set(&dump->progress, passed_of(scan));
}

/* How many frames are read at a time: one, if a pause may follow it. */
static uint64_t most_of(const struct dump *dump, uint64_t most)
{
	return dump->pace != NULL && most > 1 ? 1 : most;
}

static int print_all(struct dump *dump, struct cli_scan *scan)
{
	int count = 0;

	while (cli_printer_is_wanted(&dump->printer) &&
	       (count = cli_scan_next(scan, most_of(dump, dump->left))) > 0) {
		cli_printer_frames(&dump->printer, scan->frames, (size_t)count);
		dump->left -= (uint64_t)count;
		tell_progress(dump, scan);
	}
	return count >= 0 ? CLI_OK
	                  : cli_printer_failed(&dump->printer, scan->reader,
	                                       count);
}

/* Begins to count the second half of a range apart, where the number of all
 * frames that pass is asked for, and no more. */
static struct cli_second_half *begin_half(struct dump *dump,
                                          const struct cli_scan *scan)
{
	if (!cli_selection_is_tally(dump->selection) ||
	    dump->printer.typed.type != NULL || dump->count != UINT64_MAX ||
	    scan->end == UINT64_MAX || scan->reverse ||
	    scan->end - scan->begin < CLI_SECOND_HALF_LEAST_BYTES)
		return NULL;
	/* Patterns take long to compile beside the frames of a short log. */
	if (dump->twin == NULL)
		dump->twin = cli_filter_twin(dump->args, dump_filters,
		                             &dump->printer.typed);
	if (dump->twin == NULL)
		return NULL;
	return cli_second_half_begin(scan->log, scan->begin, scan->end,
	                             dump->twin, CLI_SECOND_HALF_LEAST_BYTES);
}

/* Adds what was counted apart.  False if that is worth nothing, so that the
 * scan has to go on. */
static bool add_half(struct dump *dump, const struct cli_scan *scan,
                     struct cli_second_half *half)
{
	uint64_t frames;

	while (!cli_second_half_is_done(half) &&
	       cli_printer_is_wanted(&dump->printer)) {
		cli_signals_sleep(HALF_POLL_NS);
		cli_progress_set(&dump->progress,
		                 passed_of(scan) +
		                         cli_second_half_passed(half));
	}
	if (!cli_printer_is_wanted(&dump->printer) ||
	    !cli_second_half_result(half, &frames))
		return false;
	cli_selection_add_passed(dump->selection, frames);
	return true;
}

/* Takes a batch, at least its frames before the second half.  Once these have
 * led there, or past it, the half is ended; *done_out: it was added. */
static int take_batch(struct dump *dump, const struct cli_scan *scan,
                      size_t count, struct cli_second_half **half,
                      bool *done_out)
{
	const struct shmlog_frame *frames = scan->frames;
	enum cli_meeting meeting = CLI_MEETING_AHEAD;
	size_t before = count, used;

	if (*half != NULL)
		meeting = cli_second_half_meet(*half, frames, count, &before);
	int status = cli_selection_print(dump->selection, frames, before,
	                                 &dump->left, &used);

	if (status != CLI_OK || meeting == CLI_MEETING_AHEAD)
		return status;
	*done_out = meeting == CLI_MEETING_REACHED &&
	            add_half(dump, scan, *half);
	cli_second_half_end(*half);
	*half = NULL;
	return *done_out ? CLI_OK
	                 : cli_selection_print(dump->selection, frames + before,
	                                       count - before, &dump->left,
	                                       &used);
}

static int print_selected(struct dump *dump, struct cli_scan *scan)
{
	struct cli_second_half *half = begin_half(dump, scan);
	bool done = false;
	int status = CLI_OK, count = 0;

	while (status == CLI_OK && !done &&
	       cli_printer_is_wanted(&dump->printer) &&
	       cli_selection_is_open(dump->selection, dump->left) &&
	       (count = cli_scan_next(scan, most_of(dump, UINT64_MAX))) > 0) {
		status = take_batch(dump, scan, (size_t)count, &half, &done);
		if (!done)
			tell_progress(dump, scan);
	}
	cli_second_half_end(half);
	return count >= 0 ? status
	                  : cli_printer_failed(&dump->printer, scan->reader,
	                                       count);
}

static void end_progress(struct dump *dump, int status)
{
	cli_progress_end(&dump->progress,
	                 status == CLI_OK && cli_signal_caught() == 0 &&
	                         dump->printer.output.error == 0);
}

static int print_range(struct dump *dump, struct cli_scan *scan)
{
	int damage;
	int status = cli_scan_set_range(scan, &dump->range, &damage);

	if (damage != 0)
		return cli_printer_failed(&dump->printer, scan->reader, damage);
	if (status != CLI_OK)
		return status;
	cli_progress_begin(&dump->progress, scan->path,
	                   scan->end - scan->begin);
	status = dump->selection != NULL ? print_selected(dump, scan)
	                                 : print_all(dump, scan);
	end_progress(dump, status);
	return status;
}

static int dump_log(struct dump *dump, const char *path)
{
	struct cli_scan scan;
	int status = cli_scan_open(&scan, path);

	if (status != CLI_OK)
		return status;
	dump->left = dump->count;
	cli_printer_set_log(&dump->printer, path);
	if (dump->selection != NULL)
		cli_selection_begin(dump->selection);
	else
		cli_printer_header(&dump->printer);
	status = print_range(dump, &scan);
	cli_scan_close(&scan);
	return status;
}

static int print_one(struct dump *dump, const struct cli_merged *merged)
{
	int status = CLI_OK;
	size_t used;

	cli_printer_set_log(&dump->printer, merged->scan->path);
	if (dump->selection != NULL) {
		status = cli_selection_print(dump->selection, merged->frame, 1,
		                             &dump->left, &used);
		if (status != CLI_OK)
			cli_merge_stop(dump->merge);
	} else {
		cli_printer_frames(&dump->printer, merged->frame, 1);
		dump->left--;
	}
	cli_progress_set(&dump->progress, dump->progress.done +
	                                          merged->frame->next_cursor -
	                                          merged->frame->cursor);
	return status;
}

static bool is_merge_wanted(const struct dump *dump)
{
	return cli_printer_is_wanted(&dump->printer) &&
	       (dump->left > 0 ||
	        (dump->selection != NULL &&
	         cli_selection_is_open(dump->selection, dump->left)));
}

/* The frames of all logs, also behind one that cannot be read on, or that has a
 * frame which cannot be judged. */
static int print_merged(struct dump *dump)
{
	int worst = CLI_OK;
	struct cli_merged merged;

	while (is_merge_wanted(dump)) {
		switch (cli_merge_next(dump->merge, true, &merged)) {
		case CLI_MERGE_FRAME:
			worst = worse(worst, print_one(dump, &merged));
			break;
		case CLI_MERGE_FAILED:
			cli_printer_set_log(&dump->printer, merged.scan->path);
			worst = worse(worst,
			              cli_printer_failed(&dump->printer,
			                                 merged.scan->reader,
			                                 merged.status));
			break;
		case CLI_MERGE_NO_MEMORY:
			return worse(worst,
			             cli_fail(NULL, "cannot merge", -ENOMEM));
		default: return worst;
		}
	}
	return worst;
}

/* Opens a log, to be merged with the others. */
static int open_merged(struct dump *dump, const char *path)
{
	struct cli_merge_source *source = cli_merge_add(dump->merge, NULL);
	struct cli_scan *scan;
	int damage = 0;

	if (source == NULL)
		return cli_fail(path, "cannot read", -ENOMEM);
	scan = cli_merge_scan(source);
	int status = cli_scan_open(scan, path);

	if (status == CLI_OK) {
		cli_printer_set_log(&dump->printer, path);
		status = cli_scan_set_range(scan, &dump->range, &damage);
		if (damage != 0)
			status = cli_printer_failed(&dump->printer,
			                            scan->reader, damage);
		else if (status == CLI_OK)
			cli_merge_end(dump->merge, source, 0);
		dump->progress.total += scan->end - scan->begin;
		if (damage == 0 && status == CLI_OK)
			return CLI_OK;
		cli_scan_close(scan);
	}
	cli_merge_remove(dump->merge, source);
	return status;
}

static int dump_merged(struct dump *dump, const struct cli_args *args)
{
	int worst = CLI_OK;

	if (dump->range.reverse)
		cli_merge_reverse(dump->merge);
	for (size_t i = 0; i < cli_args_operand_count(args); i++)
		worst = worse(worst,
		              open_merged(dump, cli_args_operand(args, i)));
	dump->left = dump->count;
	if (dump->selection != NULL)
		cli_selection_begin(dump->selection);
	cli_progress_begin(&dump->progress, NULL, dump->progress.total);
	worst = worse(worst, print_merged(dump));
	end_progress(dump, worst);
	cli_merge_close(dump->merge);
	return worst;
}

/* All logs, also behind one that cannot be printed. */
static int dump_logs(struct dump *dump, const struct cli_args *args)
{
	int worst = CLI_OK;

	if (dump->merge != NULL)
		worst = dump_merged(dump, args);
	for (size_t i = 0;
	     dump->merge == NULL && i < cli_args_operand_count(args) &&
	     cli_printer_is_wanted(&dump->printer);
	     i++) {
		/* A message about a log must not overtake those before it. */
		if (i > 0)
			(void)cli_output_flush(&dump->printer.output);
		worst = worse(worst, dump_log(dump, cli_args_operand(args, i)));
	}
	if (dump->selection != NULL)
		worst = cli_selection_finish(
			dump->selection, cli_selection_passed(dump->selection),
			worst == CLI_OK && cli_signal_caught() == 0, worst);
	return worst;
}

static int dump_run(const struct cli_args *args)
{
	struct dump dump = {.args = args};
	int status = cli_check_outputs(args);

	if (status == CLI_OK)
		status = read_request(args, &dump);
	cli_signals_catch();
	if (status == CLI_OK)
		status = cli_printer_begin(&dump.printer);
	if (status == CLI_OK) {
		status = dump_logs(&dump, args);
		status = cli_printer_finish(&dump.printer, status);
	}
	cli_selection_free(dump.selection);
	cli_filter_free(dump.filter);
	cli_filter_free(dump.twin);
	cli_columns_free(dump.columns);
	cli_pace_free(dump.pace);
	cli_merge_free(dump.merge);
	cli_printer_release(&dump.printer);
	return status;
}

const struct cli_command cmd_dump = {
	.name = "dump",
	.summary = "print the frames of logs",
	.operands = "LOG...",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = dump_options,
	.option_count = sizeof(dump_options) / sizeof(dump_options[0]),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.notes = CLI_POSITION_NOTE
	"  The range is half-open, and what is\ncommitted when dump "
	"starts bounds it.\n\n"
	"A TEMPLATE has %c cursor, %x next cursor, %i index, %s size, "
	"%p payload,\n%b base64, %j JSON string, %f log, %%, \\n, "
	"\\t, \\0 and \\\\.",
	.run = dump_run,
};
