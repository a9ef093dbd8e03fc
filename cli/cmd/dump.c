/* Prints the frames of a log, or of a part of it. */
#include "command.h"
#include "failure.h"
#include "message.h"
#include "numbers.h"
#include "open_log.h"
#include "options.h"
#include "output_format.h"
#include "range.h"
#include "signals.h"
#include "stdout_buffer.h"
#include "typed.h"

#include <errno.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

enum {
	OPTION_FROM,
	OPTION_TO,
	OPTION_COUNT,
	OPTION_REVERSE,
	OPTION_OUTPUT,
	OPTION_TEMPLATE,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
};

static const struct cli_option dump_options[] = {
	[OPTION_FROM] = {.name = "from",
                         .value = "POS",
                         .help = "begin with the frame at this position"},
	[OPTION_TO] = {.name = "to",
                       .value = "POS",
                       .help = "end before the frame at this position"},
	[OPTION_COUNT] = {.letter = 'n',
                          .name = "count",
                          .value = "N",
                          .help = "print at most N frames"},
	[OPTION_REVERSE] = {.letter = 'r',
                            .name = "reverse",
                            .help = "print the frames last to first"},
	CLI_FORMAT_OPTIONS(OPTION_OUTPUT, OPTION_TEMPLATE),
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
};

/* Frames that are read and rendered at a time. */
#define BATCH_FRAMES 256u

struct dump {
	const char *path;
	struct cli_range range;
	uint64_t left; /* frames that may still be printed */

	struct cli_renderer renderer;
	struct cli_typed typed;
	struct cli_output output;
	struct shmlog *log;
	struct shmlog_reader *reader;
};

static int read_position(const struct cli_args *args, size_t option,
                         const char *otherwise, struct cli_position *position)
{
	const char *text = cli_args_value(args, option);

	return cli_position_parse(text != NULL ? text : otherwise, position);
}

static int read_request(const struct cli_args *args, struct dump *dump)
{
	static const struct cli_typed_places places = {
		OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS};
	const char *count = cli_args_value(args, OPTION_COUNT);
	struct cli_quoted quoted;
	int status;

	dump->path = cli_args_operand(args, 0);
	dump->range.reverse = cli_args_count(args, OPTION_REVERSE) > 0;
	dump->left = UINT64_MAX;
	if (count != NULL && !cli_parse_u64(count, &dump->left))
		return cli_usage_error("count %s is no number of frames",
		                       cli_quote(&quoted, count));
	status = read_position(args, OPTION_FROM, "start", &dump->range.from);
	if (status == CLI_OK)
		status = read_position(args, OPTION_TO, "end", &dump->range.to);
	if (status == CLI_OK)
		status = cli_renderer_init(
			&dump->renderer, cli_args_value(args, OPTION_OUTPUT),
			cli_args_value(args, OPTION_TEMPLATE), STDOUT_FILENO);
	if (status == CLI_OK)
		status = cli_typed_init(&dump->typed, args, places, dump->path);
	if (status == CLI_OK)
		status = cli_renderer_set_type(&dump->renderer, &dump->typed);
	return status;
}

/* ---------------------------------------------------------------- printing */

/* A call on the reader failed: the good frames first, then the news. */
static int stop(struct dump *dump, int status)
{
	if (cli_is_damage(status))
		cli_render_damage(&dump->renderer, &dump->output,
		                  shmlog_reader_fault(dump->reader));
	else if (status == SHMLOG_ERR_MAPPING_GONE ||
	         status == SHMLOG_ERR_WENT_BACK)
		cli_render_event(&dump->renderer, &dump->output, "shrunk", "");
	(void)cli_output_flush(&dump->output);
	return cli_reader_failed(dump->path, dump->reader, status);
}

/* Whether to go on: not when nobody reads any more, nor after a signal. */
static bool is_wanted(const struct dump *dump)
{
	return dump->left > 0 && dump->output.error == 0 &&
	       cli_signal_caught() == 0;
}

static int print_forwards(struct dump *dump)
{
	struct shmlog_frame frames[BATCH_FRAMES];

	while (is_wanted(dump) &&
	       shmlog_reader_cursor(dump->reader) < dump->range.end) {
		size_t most = dump->left < BATCH_FRAMES ? (size_t)dump->left
		                                        : BATCH_FRAMES;
		int result = shmlog_reader_next_batch(dump->reader, most, 0,
		                                      frames);
		size_t count;

		if (result < 0)
			return stop(dump, result);
		if (result == 0)
			break;
		count = cli_frames_before(frames, (size_t)result,
		                          dump->range.end);
		cli_render_frames(&dump->renderer, &dump->output, frames,
		                  count);
		dump->left -= count;
	}
	return CLI_OK;
}

static int print_backwards(struct dump *dump)
{
	while (is_wanted(dump) &&
	       shmlog_reader_cursor(dump->reader) > dump->range.begin) {
		struct shmlog_frame frame;
		int result = shmlog_reader_prev(dump->reader, &frame);

		if (result < 0)
			return stop(dump, result);
		if (result == 0 || frame.cursor < dump->range.begin)
			break;
		cli_render_frame(&dump->renderer, &dump->output, &frame);
		dump->left--;
	}
	return CLI_OK;
}

static int print_range(struct dump *dump)
{
	int damage;
	int status = cli_range_find(&dump->range, dump->log, dump->reader,
	                            dump->path, &damage);

	if (damage != 0)
		return stop(dump, damage);
	if (status != CLI_OK)
		return status;
	return dump->range.reverse ? print_backwards(dump)
	                           : print_forwards(dump);
}

static int dump_log(struct dump *dump)
{
	int status = cli_open_reader(dump->path, &dump->log, &dump->reader);
	int result;

	if (status != CLI_OK)
		return status;
	result = cli_output_init(&dump->output, STDOUT_FILENO);
	if (result != 0) {
		status = cli_fail(NULL, "cannot write", result);
	} else {
		status = cli_typed_status(&dump->typed, print_range(dump));
		status = cli_output_finish(&dump->output, status);
	}
	shmlog_reader_close(dump->reader);
	shmlog_close(dump->log);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

static int dump_run(const struct cli_args *args)
{
	struct dump dump = {0};
	int status;

	status = read_request(args, &dump);
	cli_signals_catch();
	if (status == CLI_OK)
		status = dump_log(&dump);
	cli_renderer_release(&dump.renderer);
	cli_typed_release(&dump.typed);
	return status;
}

const struct cli_command cmd_dump = {
	.name = "dump",
	.summary = "print the frames of a log",
	.operands = "LOG",
	.options = dump_options,
	.option_count = sizeof(dump_options) / sizeof(dump_options[0]),
	.min_operands = 1,
	.max_operands = 1,
	.notes = "A POS is start, end, N (a cursor), -N (N frames before the "
		 "end), frame:N,\nframe:-N, offset:N or offset:0xN.  The range "
		 "is half-open, and what is\ncommitted when dump starts bounds "
		 "it.\n\n"
		 "A TEMPLATE has %c cursor, %x next cursor, %i index, %s size, "
		 "%p payload,\n%b base64, %j JSON string, %%, \\n, \\t, \\0 "
		 "and \\\\.",
	.run = dump_run,
};
