/* Finds the frames at given positions of logs. */
#include "columns.h"
#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "log_arguments.h"
#include "message.h"
#include "options.h"
#include "position.h"
#include "printer.h"
#include "scan.h"
#include "shared_options.h"
#include "signals.h"
#include "spool.h"

#include <errno.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	OPTION_NEAREST,
	OPTION_OUTPUT,
	OPTION_TEMPLATE,
	OPTION_COLUMNS,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
	OPTION_QUIET,
	OPTION_PREFIX,
	OPTION_COLOR,
};

static const struct cli_option seek_options[] = {
	[OPTION_NEAREST] =
		{.name = "nearest",
                 .help = "accept a place inside a frame, for that frame"},
	CLI_FORMAT_OPTIONS(OPTION_OUTPUT, OPTION_TEMPLATE),
	CLI_COLUMNS_OPTION(OPTION_COLUMNS),
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
	CLI_QUIET_OPTION(OPTION_QUIET),
	CLI_PREFIX_OPTION(OPTION_PREFIX),
	CLI_COLOR_OPTION(OPTION_COLOR),
};

static const struct cli_printer_places seek_places = {
	.output = OPTION_OUTPUT,
	.template = OPTION_TEMPLATE,
	.quiet = OPTION_QUIET,
	.prefix = OPTION_PREFIX,
	.seen = CLI_NO_PLACE,
	.color = OPTION_COLOR,
	.typed = {OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS},
};

struct seek {
	size_t log_count; /* the first operands */
	struct cli_position *positions;
	size_t count;
	bool nearest;
	bool frames; /* print frames, not cursors */

	struct cli_printer printer;
	struct cli_columns *columns; /* NULL: the format has none */
	struct cli_scan scan;
};

/* How many of the operands are logs: the first one, and those behind it that
 * have not the form of a position. */
static size_t count_logs(const struct cli_args *args)
{
	size_t count = 1;

	while (count < cli_args_operand_count(args) &&
	       !cli_position_is_valid(cli_args_operand(args, count)))
		count++;
	return count;
}

/* A word among the logs that names no file may be a misspelt position. */
static int check_logs(const struct cli_args *args, size_t count)
{
	struct cli_quoted quoted;

	for (size_t i = 1; i < count; i++) {
		const char *word = cli_args_operand(args, i);

		if (cli_is_standard_input(word) || access(word, F_OK) == 0)
			continue;
		return cli_usage_error(
			"%s is no position, nor a log that is there: "
			"use %s",
			cli_quote(&quoted, word), CLI_POSITION_FORMS);
	}
	if (count < cli_args_operand_count(args))
		return CLI_OK;
	return cli_usage_error(
		"missing operand: POS: %s is taken for a log, "
		"no position: use %s",
		cli_quote(&quoted, cli_args_operand(args, count - 1)),
		CLI_POSITION_FORMS);
}

static int read_positions(const struct cli_args *args, struct seek *seek)
{
	seek->log_count = count_logs(args);
	seek->count = cli_args_operand_count(args) - seek->log_count;
	int status = check_logs(args, seek->log_count);

	if (status != CLI_OK)
		return status;
	seek->positions = calloc(seek->count, sizeof(*seek->positions));
	if (seek->positions == NULL)
		return cli_fail(NULL, "cannot keep the positions", -ENOMEM);
	for (size_t i = 0; i < seek->count && status == CLI_OK; i++)
		status = cli_position_parse(
			cli_args_operand(args, seek->log_count + i),
			&seek->positions[i]);
	return status;
}

static int read_request(const struct cli_args *args, struct seek *seek)
{
	int status = cli_printer_init(&seek->printer, args, &seek_places,
	                              count_logs(args) > 1);

	if (status == CLI_OK)
		status = cli_columns_init(&seek->columns, args, OPTION_COLUMNS,
		                          &seek->printer);
	seek->nearest = cli_args_count(args, OPTION_NEAREST) > 0;
	seek->frames = cli_args_count(args, OPTION_OUTPUT) > 0 ||
	               cli_args_count(args, OPTION_TEMPLATE) > 0 ||
	               seek->printer.typed.type != NULL;
	return status == CLI_OK ? read_positions(args, seek) : status;
}

static int print_frame(struct seek *seek, const struct cli_position *position)
{
	int result = cli_scan_next(&seek->scan, 1);

	if (result == 1) {
		cli_printer_frames(&seek->printer, seek->scan.frames, 1);
		return CLI_OK;
	}
	if (result < 0)
		return cli_printer_failed(&seek->printer, seek->scan.reader,
		                          result);
	cli_message(seek->scan.path, "no frame at %s: it is the end of the log",
	            position->text);
	return CLI_NO;
}

static int print_place(struct seek *seek, const struct cli_position *position)
{
	int status;

	/* A message must not overtake what was found before it. */
	(void)cli_output_flush(&seek->printer.output);
	status = cli_position_seek(seek->scan.log, seek->scan.reader, position,
	                           seek->nearest, seek->scan.path);
	if (status != CLI_OK)
		return status;
	if (seek->frames)
		return print_frame(seek, position);
	cli_printer_cursor(&seek->printer,
	                   shmlog_reader_cursor(seek->scan.reader));
	return CLI_OK;
}

/* All of the positions, in the log as it is now; the first failure is what the
 * status tells. */
static int print_places(struct seek *seek)
{
	int first = CLI_OK;
	int result = shmlog_reader_hold_end(seek->scan.reader);

	if (result != 0)
		return cli_printer_failed(&seek->printer, seek->scan.reader,
		                          result);
	for (size_t i = 0;
	     i < seek->count && cli_printer_is_wanted(&seek->printer); i++) {
		int status = print_place(seek, &seek->positions[i]);

		if (first == CLI_OK)
			first = status;
	}
	return first;
}

static int seek_log(struct seek *seek, const char *path)
{
	int status = cli_scan_open(&seek->scan, path);

	if (status != CLI_OK)
		return status;
	cli_printer_set_log(&seek->printer, path);
	cli_printer_header(&seek->printer);
	status = print_places(seek);
	cli_scan_close(&seek->scan);
	return status;
}

/* All logs; the worst status, which is the largest one. */
static int seek_logs(struct seek *seek, const struct cli_args *args)
{
	int worst = CLI_OK;

	for (size_t i = 0;
	     i < seek->log_count && cli_printer_is_wanted(&seek->printer);
	     i++) {
		if (i > 0)
			(void)cli_output_flush(&seek->printer.output);
		int status = seek_log(seek, cli_args_operand(args, i));

		worst = status > worst ? status : worst;
	}
	return worst;
}

static int check_outputs(const struct seek *seek, const struct cli_args *args)
{
	int status = CLI_OK;

	for (size_t i = 0; i < seek->log_count && status == CLI_OK; i++)
		status = cli_check_output(cli_args_operand(args, i), NULL);
	return status;
}

static int seek_run(const struct cli_args *args)
{
	struct seek seek = {0};
	int status = read_request(args, &seek);

	if (status == CLI_OK)
		status = check_outputs(&seek, args);
	cli_signals_catch();
	if (status == CLI_OK)
		status = cli_printer_begin(&seek.printer);
	if (status == CLI_OK) {
		status = seek_logs(&seek, args);
		status = cli_printer_finish(&seek.printer, status);
	}
	cli_printer_release(&seek.printer);
	cli_columns_free(seek.columns);
	free(seek.positions);
	return status;
}

const struct cli_command cmd_seek = {
	.name = "seek",
	.summary = "find the frames at given positions of logs",
	.operands = "LOG... POS...",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log_or_position),
	.options = seek_options,
	.option_count = sizeof(seek_options) / sizeof(seek_options[0]),
	.min_operands = 2,
	.max_operands = SIZE_MAX,
	.notes = "Prints the cursor of the frame at each position, one a line; "
		 "end has the cursor\nof the frame that will be written next.  "
		 "The LOGs end at the first operand that\nhas the form of a "
		 "POS.\n\n" CLI_POSITION_NOTE
		 "  A negative one stands after --.",
	.run = seek_run,
};
