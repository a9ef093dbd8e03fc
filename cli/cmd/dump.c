/* Prints the frames of a log, or of a part of it. */
#include "command.h"
#include "message.h"
#include "option_values.h"
#include "options.h"
#include "printer.h"
#include "range.h"
#include "scan.h"
#include "signals.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

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

static const struct cli_printer_places dump_places = {
	.output = OPTION_OUTPUT,
	.template = OPTION_TEMPLATE,
	.typed = {OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS},
};

struct dump {
	const char *path;
	struct cli_range range;
	uint64_t left; /* frames that may still be printed */
	struct cli_printer printer;
};

static int read_position(const struct cli_args *args, size_t option,
                         const char *otherwise, struct cli_position *position)
{
	const char *text = cli_args_value(args, option);

	return cli_position_parse(text != NULL ? text : otherwise, position);
}

static int read_request(const struct cli_args *args, struct dump *dump)
{
	int status;

	dump->path = cli_args_operand(args, 0);
	dump->range.reverse = cli_args_count(args, OPTION_REVERSE) > 0;
	dump->left = UINT64_MAX;
	status = cli_option_count("--count", cli_args_value(args, OPTION_COUNT),
	                          &dump->left);
	if (status == CLI_OK)
		status = read_position(args, OPTION_FROM, "start",
		                       &dump->range.from);
	if (status == CLI_OK)
		status = read_position(args, OPTION_TO, "end", &dump->range.to);
	if (status == CLI_OK)
		status = cli_printer_init(&dump->printer, args, &dump_places);
	return status;
}

static int print_frames(struct dump *dump, struct cli_scan *scan)
{
	int count = 0;

	while (cli_printer_is_wanted(&dump->printer) &&
	       (count = cli_scan_next(scan, dump->left)) > 0) {
		cli_printer_frames(&dump->printer, scan->frames, (size_t)count);
		dump->left -= (uint64_t)count;
	}
	return count >= 0 ? CLI_OK
	                  : cli_printer_failed(&dump->printer, scan->reader,
	                                       count);
}

static int print_range(struct dump *dump, struct cli_scan *scan)
{
	int damage;
	int status = cli_scan_set_range(scan, &dump->range, &damage);

	if (damage != 0)
		return cli_printer_failed(&dump->printer, scan->reader, damage);
	return status == CLI_OK ? print_frames(dump, scan) : status;
}

static int dump_log(struct dump *dump)
{
	struct cli_scan scan;
	int status = cli_scan_open(&scan, dump->path);

	if (status != CLI_OK)
		return status;
	cli_printer_set_log(&dump->printer, dump->path);
	status = cli_printer_begin(&dump->printer);
	if (status == CLI_OK) {
		status = print_range(dump, &scan);
		status = cli_printer_finish(&dump->printer, status);
	}
	cli_scan_close(&scan);
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
	cli_printer_release(&dump.printer);
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
