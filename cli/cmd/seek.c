/* Finds the frames at given positions of a log. */
#include "command.h"
#include "failure.h"
#include "message.h"
#include "options.h"
#include "position.h"
#include "printer.h"
#include "scan.h"
#include "signals.h"

#include <errno.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	OPTION_NEAREST,
	OPTION_OUTPUT,
	OPTION_TEMPLATE,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
};

static const struct cli_option seek_options[] = {
	[OPTION_NEAREST] =
		{.name = "nearest",
                 .help = "accept a place inside a frame, for that frame"},
	CLI_FORMAT_OPTIONS(OPTION_OUTPUT, OPTION_TEMPLATE),
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
};

static const struct cli_printer_places seek_places = {
	.output = OPTION_OUTPUT,
	.template = OPTION_TEMPLATE,
	.typed = {OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS},
};

struct seek {
	const char *path;
	struct cli_position *positions;
	size_t count;
	bool nearest;
	bool frames; /* print frames, not cursors */

	struct cli_printer printer;
	struct cli_scan scan;
};

static int read_positions(const struct cli_args *args, struct seek *seek)
{
	size_t i;

	seek->count = cli_args_operand_count(args) - 1;
	seek->positions = calloc(seek->count, sizeof(*seek->positions));
	if (seek->positions == NULL)
		return cli_fail(NULL, "cannot keep the positions", -ENOMEM);
	for (i = 0; i < seek->count; i++) {
		int status = cli_position_parse(cli_args_operand(args, i + 1),
		                                &seek->positions[i]);

		if (status != CLI_OK)
			return status;
	}
	return CLI_OK;
}

static int read_request(const struct cli_args *args, struct seek *seek)
{
	int status = cli_printer_init(&seek->printer, args, &seek_places);

	seek->path = cli_args_operand(args, 0);
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
	cli_message(seek->path, "no frame at %s: it is the end of the log",
	            position->text);
	return CLI_NO;
}

static int print_place(struct seek *seek, const struct cli_position *position)
{
	struct cli_output *output = &seek->printer.output;
	int status;

	/* A message must not overtake what was found before it. */
	(void)cli_output_flush(output);
	status = cli_position_seek(seek->scan.log, seek->scan.reader, position,
	                           seek->nearest, seek->path);
	if (status != CLI_OK)
		return status;
	if (seek->frames)
		return print_frame(seek, position);
	cli_output_u64(output, shmlog_reader_cursor(seek->scan.reader));
	cli_output_string(output, "\n");
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

static int seek_log(struct seek *seek)
{
	int status = cli_scan_open(&seek->scan, seek->path);

	if (status != CLI_OK)
		return status;
	cli_printer_set_log(&seek->printer, seek->path);
	status = cli_printer_begin(&seek->printer);
	if (status == CLI_OK) {
		status = print_places(seek);
		status = cli_printer_finish(&seek->printer, status);
	}
	cli_scan_close(&seek->scan);
	return status;
}

static int seek_run(const struct cli_args *args)
{
	struct seek seek = {0};
	int status;

	status = read_request(args, &seek);
	cli_signals_catch();
	if (status == CLI_OK)
		status = seek_log(&seek);
	cli_printer_release(&seek.printer);
	free(seek.positions);
	return status;
}

const struct cli_command cmd_seek = {
	.name = "seek",
	.summary = "find the frames at given positions of a log",
	.operands = "LOG POS...",
	.options = seek_options,
	.option_count = sizeof(seek_options) / sizeof(seek_options[0]),
	.min_operands = 2,
	.max_operands = SIZE_MAX,
	.notes =
		"Prints the cursor of the frame at each position, one a line; "
		"end has the cursor\nof the frame that will be written "
		"next.\n\n"
		"A POS is start, end, N (a cursor), -N (N frames before the "
		"end), frame:N,\nframe:-N, offset:N or offset:0xN.  A negative "
		"one stands after --.",
	.run = seek_run,
};
