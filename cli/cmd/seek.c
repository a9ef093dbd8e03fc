/* Finds the frames at given positions of a log. */
#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "options.h"
#include "output_format.h"
#include "position.h"
#include "signals.h"
#include "stdout_buffer.h"
#include "typed.h"

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
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
};

static const struct cli_option seek_options[] = {
	[OPTION_NEAREST] =
		{.name = "nearest",
                 .help = "let a place inside a frame stand for that frame"},
	CLI_FORMAT_OPTIONS(OPTION_OUTPUT, OPTION_TEMPLATE),
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
};

struct seek {
	const char *path;
	struct cli_position *positions;
	size_t count;
	bool nearest;
	bool frames; /* print frames, not cursors */

	struct cli_renderer renderer;
	struct cli_typed typed;
	struct cli_output output;
	struct shmlog *log;
	struct shmlog_reader *reader;
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
	static const struct cli_typed_places places = {
		OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS};
	const char *format = cli_args_value(args, OPTION_OUTPUT);
	const char *template = cli_args_value(args, OPTION_TEMPLATE);
	int status;

	seek->path = cli_args_operand(args, 0);
	seek->nearest = cli_args_count(args, OPTION_NEAREST) > 0;
	status = cli_renderer_init(&seek->renderer, format, template,
	                           STDOUT_FILENO);
	if (status == CLI_OK)
		status = cli_typed_init(&seek->typed, args, places, seek->path);
	if (status == CLI_OK)
		status = cli_renderer_set_type(&seek->renderer, &seek->typed);
	seek->frames = format != NULL || template != NULL ||
	               seek->typed.type != NULL;
	return status == CLI_OK ? read_positions(args, seek) : status;
}

static int print_frame(struct seek *seek, const struct cli_position *position)
{
	struct shmlog_frame frame;
	int result = shmlog_reader_next(seek->reader, &frame);

	if (result == 1) {
		cli_render_frame(&seek->renderer, &seek->output, &frame);
		return CLI_OK;
	}
	if (cli_is_damage(result))
		cli_render_damage(&seek->renderer, &seek->output,
		                  shmlog_reader_fault(seek->reader));
	(void)cli_output_flush(&seek->output);
	if (result < 0)
		return cli_reader_failed(seek->path, seek->reader, result);
	cli_message(seek->path, "no frame at %s: it is the end of the log",
	            position->text);
	return CLI_NO;
}

static int print_place(struct seek *seek, const struct cli_position *position)
{
	int status;

	/* A message must not overtake what was found before it. */
	(void)cli_output_flush(&seek->output);
	status = cli_position_seek(seek->log, seek->reader, position,
	                           seek->nearest, seek->path);
	if (status != CLI_OK)
		return status;
	if (seek->frames)
		return print_frame(seek, position);
	cli_output_u64(&seek->output, shmlog_reader_cursor(seek->reader));
	cli_output_string(&seek->output, "\n");
	return CLI_OK;
}

/* All of the positions, in the log as it is now; the first failure is what the
 * status tells. */
static int print_places(struct seek *seek)
{
	int first = CLI_OK;
	int result = shmlog_reader_hold_end(seek->reader);
	size_t i;

	if (result != 0)
		return cli_reader_failed(seek->path, seek->reader, result);
	for (i = 0; i < seek->count; i++) {
		int status;

		if (seek->output.error != 0 || cli_signal_caught() != 0)
			break;
		status = print_place(seek, &seek->positions[i]);
		if (first == CLI_OK)
			first = status;
	}
	return first;
}

static int seek_log(struct seek *seek)
{
	int status = cli_open_reader(seek->path, &seek->log, &seek->reader);
	int result;

	if (status != CLI_OK)
		return status;
	result = cli_output_init(&seek->output, STDOUT_FILENO);
	if (result != 0) {
		status = cli_fail(NULL, "cannot write", result);
	} else {
		status = cli_typed_status(&seek->typed, print_places(seek));
		status = cli_output_finish(&seek->output, status);
	}
	shmlog_reader_close(seek->reader);
	shmlog_close(seek->log);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
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
	cli_renderer_release(&seek.renderer);
	cli_typed_release(&seek.typed);
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
