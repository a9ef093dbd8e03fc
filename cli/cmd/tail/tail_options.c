/* Reads the options of tail. */
#include "tail_options.h"

#include "columns.h"
#include "command.h"
#include "log_arguments.h"
#include "merge.h"
#include "message.h"
#include "numbers.h"
#include "option_values.h"
#include "shared_options.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

const struct cli_option tail_option_table[TAIL_OPTION_COUNT] = {
	[TAIL_LINES] =
		{.letter = 'n',
                 .name = "lines",
                 .value = "N",
                 .kind = &cli_takes_number,
                 .help = "begin with the last N frames (10); +N: the Nth"},
	[TAIL_FOLLOW] = {.letter = 'f',
                         .name = "follow",
                         .value = "HOW",
                         .kind = &cli_takes_follow,
                         .value_optional = true,
                         .help = "go on with new frames; HOW: name (as -F)"},
	[TAIL_FOLLOW_NAME] =
		{.letter = 'F',
                 .name = "follow-name",
                 .help = "follow the name: wait for the log, re-open it"},
	[TAIL_RETRY] = {.name = "retry",
                        .help = "wait for a log that is not there; -F does"},
	[TAIL_GLOB] = {.name = "glob",
                       .value = "PATTERN",
                       .kind = &cli_takes_text,
                       .repeatable = true,
                       .help = "and all logs of such names, later ones too"},
	CLI_MERGE_OPTION(TAIL_MERGE),
	[TAIL_MERGE_WAIT] = {.name = "merge-wait",
                             .value = "DURATION",
                             .kind = &cli_takes_duration,
                             .help = "how long a frame waits for those before "
                                     "it (200ms)"},
	CLI_FORMAT_OPTIONS(TAIL_OUTPUT, TAIL_TEMPLATE),
	CLI_COLUMNS_OPTION(TAIL_COLUMNS),
	[TAIL_FROM] = {.name = "from",
                       .value = "POS",
                       .kind = &cli_takes_position,
                       .help = "begin with the frame at this position"},
	[TAIL_CURSOR_FILE] =
		{.name = "cursor-file",
                 .value = "FILE",
                 .kind = &cli_takes_file,
                 .help = "begin at the cursor in FILE, and keep that"},
	[TAIL_MOST_FRAMES] = {.name = "count",
                              .value = "N",
                              .kind = &cli_takes_number,
                              .help = "end after N frames (that pass)"},
	CLI_TIMEOUT_OPTION(TAIL_TIMEOUT),
	[TAIL_IDLE] = {.name = "idle",
                       .value = "DURATION",
                       .kind = &cli_takes_duration,
                       .help = "end a follow after so long without a frame"},
	[TAIL_PID] = {.name = "pid",
                      .value = "PID",
                      .kind = &cli_takes_process,
                      .help = "end a follow after this process has ended"},
	[TAIL_POLL] = {.name = "poll",
                       .value = "DURATION",
                       .kind = &cli_takes_duration,
                       .help = "longest time between two looks at the log"},
	CLI_TYPED_OPTIONS(TAIL_SCHEMA, TAIL_TYPE, TAIL_ENUM_NUMBERS),
	CLI_FILTER_OPTIONS(TAIL_GREP, TAIL_NOT_GREP, TAIL_IGNORE_CASE,
                           TAIL_WHERE),
	CLI_SELECTION_OPTIONS(TAIL_AFTER, TAIL_BEFORE, TAIL_CONTEXT,
                              TAIL_TALLY),
	CLI_QUIET_OPTION(TAIL_QUIET),
	CLI_PREFIX_OPTION(TAIL_PREFIX),
	CLI_SEEN_OPTION(TAIL_SEEN),
	CLI_COLOR_OPTION(TAIL_COLOR),
};

static const size_t tail_judges[] = {TAIL_GREP, TAIL_NOT_GREP, TAIL_WHERE,
                                     TAIL_MERGE};

const struct cli_printer_places tail_printer_places = {
	.output = TAIL_OUTPUT,
	.template = TAIL_TEMPLATE,
	.quiet = TAIL_QUIET,
	.prefix = TAIL_PREFIX,
	.seen = TAIL_SEEN,
	.color = TAIL_COLOR,
	.typed = {TAIL_SCHEMA, TAIL_TYPE, TAIL_ENUM_NUMBERS},
	.judges = tail_judges,
	.judge_count = sizeof(tail_judges) / sizeof(tail_judges[0]),
};

const struct cli_filter_places tail_filter_places = {
	TAIL_GREP, TAIL_NOT_GREP, TAIL_IGNORE_CASE, TAIL_WHERE};

const struct cli_selection_places tail_selection_places = {
	TAIL_AFTER, TAIL_BEFORE, TAIL_CONTEXT, TAIL_TALLY};

#define DEFAULT_LINES 10u
#define DEFAULT_MERGE_WAIT_NS 200000000

static int parse_lines(const struct cli_args *args,
                       struct tail_options *options)
{
	const char *text = cli_args_value(args, TAIL_LINES);
	struct cli_quoted quoted;

	options->lines = DEFAULT_LINES;
	options->has_start = text != NULL;
	if (text == NULL)
		return CLI_OK;
	options->from_nth = text[0] == '+';
	switch (cli_read_size(text + (text[0] == '+' || text[0] == '-'),
	                      &options->lines)) {
	case CLI_NUMBER_OK: break;
	case CLI_NUMBER_TOO_LARGE:
		return cli_usage_error("--lines %s is too large: at most "
		                       "%" PRIu64,
		                       cli_quote(&quoted, text), UINT64_MAX);
	default:
		return cli_usage_error("--lines %s is no N, +N or -N",
		                       cli_quote(&quoted, text));
	}
	/* The first frame is +1, and +0, as it is elsewhere. */
	if (options->from_nth && options->lines > 0)
		options->lines--;
	return CLI_OK;
}

static int parse_duration(const struct cli_args *args, size_t option,
                          int64_t *ns_out)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "--%s",
	               tail_option_table[option].name);
	return cli_option_duration(name, cli_args_value(args, option), ns_out);
}

static int parse_ends(const struct cli_args *args, struct tail_options *options)
{
	const char *pid = cli_args_value(args, TAIL_PID);
	struct cli_quoted quoted;
	uint64_t number;
	int status;

	options->count = UINT64_MAX;
	options->timeout_ns = options->idle_ns = -1;
	status = cli_option_frames("--count",
	                           cli_args_value(args, TAIL_MOST_FRAMES),
	                           &options->count);
	if (status != CLI_OK)
		return status;
	if (pid != NULL) {
		if (!cli_parse_u64(pid, &number) || number == 0 ||
		    number > INT_MAX)
			return cli_usage_error("--pid %s is no process id",
			                       cli_quote(&quoted, pid));
		cli_process_init(&options->process, (pid_t)number);
	}
	status = parse_duration(args, TAIL_TIMEOUT, &options->timeout_ns);
	if (status == CLI_OK)
		status = parse_duration(args, TAIL_IDLE, &options->idle_ns);
	if (status == CLI_OK)
		status = parse_duration(args, TAIL_POLL, &options->poll_ns);
	options->merge_wait_ns = DEFAULT_MERGE_WAIT_NS;
	if (status == CLI_OK)
		status = parse_duration(args, TAIL_MERGE_WAIT,
		                        &options->merge_wait_ns);
	if (status == CLI_OK && cli_args_count(args, TAIL_MERGE_WAIT) > 0 &&
	    cli_args_count(args, TAIL_MERGE) == 0)
		return cli_usage_error("--merge-wait goes with --merge");
	if (status == CLI_OK && cli_args_count(args, TAIL_MERGE) > 0 &&
	    cli_args_count(args, TAIL_AFTER) +
	                    cli_args_count(args, TAIL_BEFORE) +
	                    cli_args_count(args, TAIL_CONTEXT) >
	            0)
		return cli_usage_error(
			"--merge prints frames in order, and so none around "
			"those that pass; dump --merge does");
	if (status == CLI_OK && options->poll_ns == 0 &&
	    cli_args_count(args, TAIL_POLL) > 0)
		return cli_usage_error("--poll must be longer than 0");
	return status;
}

static int parse_start(const struct cli_args *args,
                       struct tail_options *options)
{
	const char *from = cli_args_value(args, TAIL_FROM);
	int status = parse_lines(args, options);

	if (status != CLI_OK || from == NULL)
		return status;
	if (options->has_start)
		return cli_usage_error("--lines and --from exclude each other");
	options->has_start = options->has_from = true;
	return cli_position_parse(from, &options->from);
}

/* -f, -F, and how GNU tail spells them. */
static int parse_follow(const struct cli_args *args,
                        struct tail_options *options)
{
	const char *how = cli_args_value(args, TAIL_FOLLOW);
	bool by_name = how != NULL && strcmp(how, "name") == 0;
	struct cli_quoted quoted;

	if (how != NULL && !by_name && strcmp(how, "descriptor") != 0)
		return cli_usage_error("--follow=%s is neither name nor "
		                       "descriptor",
		                       cli_quote(&quoted, how));
	options->by_name = by_name ||
	                   cli_args_count(args, TAIL_FOLLOW_NAME) > 0;
	options->follow = options->by_name ||
	                  cli_args_count(args, TAIL_FOLLOW) > 0;
	options->retry = cli_args_count(args, TAIL_RETRY) > 0;
	if (options->retry && !options->follow)
		return cli_usage_error("--retry goes with -f or -F");
	if (options->log_count + options->pattern_count == 0)
		return cli_usage_error("missing operand: LOG");
	return CLI_OK;
}

int tail_options_read(const struct cli_args *args,
                      struct tail_options *options_out)
{
	struct tail_options *options = options_out;

	*options = (struct tail_options){
		.args = args,
		.log_count = cli_args_operand_count(args),
		.pattern_count = cli_args_count(args, TAIL_GLOB),
		.cursor_path = cli_args_value(args, TAIL_CURSOR_FILE),
	};
	if (options->cursor_path != NULL &&
	    strcmp(options->cursor_path, "-") == 0)
		return cli_usage_error("--cursor-file - is no file that can be "
		                       "replaced; ./- is one of that name");
	int status = parse_follow(args, options);

	if (status == CLI_OK)
		status = parse_ends(args, options);
	return status == CLI_OK ? parse_start(args, options) : status;
}

const char *tail_options_path(const struct tail_options *options, size_t n)
{
	return cli_args_operand(options->args, n);
}

const char *tail_options_pattern(const struct tail_options *options, size_t n)
{
	return cli_args_nth(options->args, TAIL_GLOB, n);
}

bool tail_options_are_for_several(const struct tail_options *options)
{
	return options->log_count > 1 || options->pattern_count > 0;
}
