/* Declares, reads and checks the options of append. */
#include "append_options.h"

#include "command.h"
#include "input_format.h"
#include "message.h"
#include "option_values.h"
#include "progress.h"
#include "shared_options.h"

#include <string.h>

const struct cli_option cli_append_option_table[CLI_APPEND_OPTION_COUNT] = {
	[CLI_APPEND_INPUT] = {.letter = 'i',
                              .name = "input",
                              .value = "FORMAT",
                              .kind = &cli_takes_input_format,
                              .help = CLI_INPUT_FORMAT_HELP},
	[CLI_APPEND_MESSAGE] =
		{.letter = 'm',
                 .name = "message",
                 .value = "TEXT",
                 .kind = &cli_takes_text,
                 .repeatable = true,
                 .help = "append TEXT as one frame; may be repeated"},
	[CLI_APPEND_CREATE] =
		{.name = "create",
                 .value = "SIZE",
                 .kind = &cli_takes_size,
                 .help = "create a missing log with this capacity"},
	[CLI_APPEND_ATOMIC] =
		{.name = "atomic",
                 .help = "all the input in one commit, or none of it"},
	[CLI_APPEND_COMMIT_EVERY] = {.name = "commit-every",
                                     .value = "N",
                                     .kind = &cli_takes_number,
                                     .help = "commit after every N frames"},
	[CLI_APPEND_ACK] = {.name = "ack",
                            .help = "print a JSON line after each commit"},
	[CLI_APPEND_TEE] = {.name = "tee",
                            .help = "print each record once it is committed"},
	[CLI_APPEND_SKIP_INVALID] = {.name = "skip-invalid",
                                     .help = "report invalid records and go "
                                             "on"},
	[CLI_APPEND_OVERFLOW] =
		{.name = "overflow",
                 .value = "FILE",
                 .kind = &cli_takes_file,
                 .help = "input that does not get into LOG goes there"},
	CLI_FORCE_OPTION(CLI_APPEND_FORCE),
	CLI_LOCK_TIMEOUT_OPTION(CLI_APPEND_LOCK_TIMEOUT),
	[CLI_APPEND_WRITER_TIMEOUT] =
		{.name = "writer-timeout",
                 .value = "DURATION",
                 .kind = &cli_takes_duration,
                 .help = "how long to wait for a writer without the lock"},
	[CLI_APPEND_ROTATE] = {.name = "rotate",
                               .help = "rotate a log that is full, and go on"},
	CLI_RETENTION_OPTIONS(CLI_APPEND_KEEP, CLI_APPEND_COMPRESS),
	[CLI_APPEND_NO_FOLLOW] =
		{.name = "no-follow",
                 .help = "end when LOG is rotated or replaced"},
	[CLI_APPEND_SYNC] =
		{.name = "sync",
                 .value = "DURATION",
                 .kind = &cli_takes_duration,
                 .value_optional = true,
                 .help = "make commits last on a disk, one per DURATION"},
	CLI_TYPED_OPTIONS(CLI_APPEND_SCHEMA, CLI_APPEND_TYPE,
                          CLI_APPEND_ENUM_NUMBERS),
	CLI_PROGRESS_OPTION(CLI_APPEND_PROGRESS),
};

size_t cli_append_message_count(const struct cli_append_options *options)
{
	return cli_args_count(options->args, CLI_APPEND_MESSAGE);
}

const char *cli_append_message(const struct cli_append_options *options,
                               size_t n)
{
	return cli_args_nth(options->args, CLI_APPEND_MESSAGE, n);
}

const char *cli_append_file(const struct cli_append_options *options, size_t n)
{
	if (n < cli_args_operand_count(options->args))
		return cli_args_operand(options->args, n);
	return n == 1 && cli_append_message_count(options) == 0 ? "-" : NULL;
}

/* ----------------------------------------------------------------- reading */

static int read_format(struct cli_append_options *options)
{
	const char *name = cli_args_value(options->args, CLI_APPEND_INPUT);
	struct cli_quoted quoted;
	struct cli_input_names names;

	options->format = name == NULL ? &cli_input_formats[0]
	                               : cli_input_format_find(name);
	if (options->format != NULL)
		return CLI_OK;
	return cli_usage_error("unknown input format %s: %s",
	                       cli_quote(&quoted, name),
	                       cli_input_format_names(&names));
}

static int read_create(struct cli_append_options *options)
{
	const char *size = cli_args_value(options->args, CLI_APPEND_CREATE);

	options->has_capacity = size != NULL;
	return cli_option_capacity("--create", size, SHMLOG_HEADER_BYTES,
	                           &options->capacity);
}

static int read_commit_every(struct cli_append_options *options)
{
	const char *every = cli_args_value(options->args,
	                                   CLI_APPEND_COMMIT_EVERY);
	uint64_t *frames = &options->commits.commit_every;
	int status = cli_option_count("--commit-every", every, "frames",
	                              frames);

	struct cli_quoted quoted;

	if (status == CLI_OK && every != NULL && *frames == 0)
		return cli_usage_error("--commit-every %s is too small: a "
		                       "commit has at least 1 frame",
		                       cli_quote(&quoted, every));
	return status;
}

static int read_timeouts(struct cli_append_options *options)
{
	const struct cli_args *args = options->args;
	struct cli_committer_options *commits = &options->commits;
	int status = cli_option_duration(
		"--lock-timeout", cli_args_value(args, CLI_APPEND_LOCK_TIMEOUT),
		&commits->lock_timeout_ns);

	if (status != CLI_OK)
		return status;
	return cli_option_duration(
		"--writer-timeout",
		cli_args_value(args, CLI_APPEND_WRITER_TIMEOUT),
		&commits->writer_timeout_ns);
}

static int read_sync(struct cli_append_options *options)
{
	const struct cli_args *args = options->args;
	struct cli_committer_options *commits = &options->commits;

	commits->sync = cli_args_count(args, CLI_APPEND_SYNC) > 0;
	return cli_option_duration("--sync",
	                           cli_args_value(args, CLI_APPEND_SYNC),
	                           &commits->group_ns);
}

static int read_rotation(struct cli_append_options *options)
{
	const struct cli_args *args = options->args;
	struct cli_committer_options *commits = &options->commits;

	commits->rotate = cli_args_count(args, CLI_APPEND_ROTATE) > 0;
	commits->follow = cli_args_count(args, CLI_APPEND_NO_FOLLOW) == 0;
	if (!commits->rotate && cli_args_count(args, CLI_APPEND_KEEP) > 0)
		return cli_usage_error("--keep is of use with --rotate only");
	if (!commits->rotate && cli_args_count(args, CLI_APPEND_COMPRESS) > 0)
		return cli_usage_error(
			"--compress is of use with --rotate only");
	return cli_retention_read(&commits->retention, args, CLI_APPEND_KEEP,
	                          CLI_APPEND_COMPRESS);
}

static void read_flags(struct cli_append_options *options)
{
	const struct cli_args *args = options->args;
	struct cli_committer_options *commits = &options->commits;

	options->skip_invalid = cli_args_count(args, CLI_APPEND_SKIP_INVALID) >
	                        0;
	options->overflow = cli_args_value(args, CLI_APPEND_OVERFLOW);
	commits->lock_timeout_ns = -1;
	commits->atomic = cli_args_count(args, CLI_APPEND_ATOMIC) > 0;
	commits->ack = cli_args_count(args, CLI_APPEND_ACK) > 0;
	commits->needs_output = options->overflow != NULL;
	commits->force = cli_args_count(args, CLI_APPEND_FORCE) > 0;
}

/* ---------------------------------------------------------------- checking */

/* Whether standard input would be asked for frames and for definitions. */
static bool is_input_taken(const struct cli_append_options *options)
{
	const struct cli_args *args = options->args;
	bool schema = false;
	bool input = false;
	const char *name;

	for (size_t i = 0; i < cli_args_count(args, CLI_APPEND_SCHEMA); i++) {
		const char *file = cli_args_nth(args, CLI_APPEND_SCHEMA, i);

		schema = schema || strcmp(file, "-") == 0;
	}
	for (size_t n = 1; (name = cli_append_file(options, n)) != NULL; n++)
		input = input || strcmp(name, "-") == 0;
	return schema && input;
}

/* Whether any -m has a newline, which ends what overflows of it. */
static bool has_newline(const struct cli_append_options *options)
{
	for (size_t i = 0; i < cli_append_message_count(options); i++) {
		if (strchr(cli_append_message(options, i), '\n') != NULL)
			return true;
	}
	return false;
}

static int check_format(const struct cli_append_options *options)
{
	const struct cli_input_format *format = options->format;
	bool messages = cli_append_message_count(options) > 0;
	bool several = cli_args_operand_count(options->args) > 2;

	if (messages && cli_args_operand_count(options->args) > 1)
		return cli_usage_error("--message and FILE exclude each other");
	if (messages && !format->messages)
		return cli_usage_error("--message cannot hold %s",
		                       format->name);
	if (options->typed.type != NULL && !format->values)
		return cli_usage_error("--schema and the input format %s "
		                       "exclude each other",
		                       format->name);
	if (cli_args_count(options->args, CLI_APPEND_TEE) > 0 &&
	    (options->typed.type != NULL ||
	     strcmp(format->name, "envelope") == 0))
		return cli_usage_error("--tee prints what a log keeps, which "
		                       "is not what --schema and the input "
		                       "format envelope read");
	if (options->overflow != NULL && format->whole && several)
		return cli_usage_error("--overflow would make one of several "
		                       "FILEs that are whole payloads");
	return CLI_OK;
}

static int check_combination(const struct cli_append_options *options)
{
	const struct cli_committer_options *commits = &options->commits;
	const char *overflow = options->overflow;

	if (commits->force &&
	    cli_args_count(options->args, CLI_APPEND_WRITER_TIMEOUT) > 0)
		return cli_usage_error("--force and --writer-timeout exclude "
		                       "each other: the one does not wait");
	if (commits->sync && commits->tee.wanted)
		return cli_usage_error("--sync and --tee exclude each other: "
		                       "what is printed may not last yet");
	if (commits->atomic && commits->commit_every > 0)
		return cli_usage_error(
			"--atomic and --commit-every exclude each other");
	if (commits->atomic && overflow != NULL)
		return cli_usage_error("--atomic and --overflow exclude each "
		                       "other: there is no rest");
	if (overflow != NULL && has_newline(options))
		return cli_usage_error("--overflow would cut a TEXT with a "
		                       "newline in two");
	if (commits->tee.wanted && commits->ack)
		return cli_usage_error("--tee and --ack would mix on standard "
		                       "output");
	if (commits->tee.wanted && overflow != NULL &&
	    strcmp(overflow, "-") == 0)
		return cli_usage_error("--tee and --overflow - would mix on "
		                       "standard output");
	if (commits->ack && overflow != NULL && strcmp(overflow, "-") == 0)
		return cli_usage_error("--ack and --overflow - would mix on "
		                       "standard output");
	return CLI_OK;
}

int cli_append_options_read(struct cli_append_options *options,
                            const struct cli_args *args)
{
	static const struct cli_typed_places places = {
		CLI_APPEND_SCHEMA, CLI_APPEND_TYPE, CLI_APPEND_ENUM_NUMBERS};
	int status;

	*options = (struct cli_append_options){
		.args = args, .path = cli_args_operand(args, 0)};
	read_flags(options);
	status = read_format(options);
	if (status == CLI_OK && cli_args_count(args, CLI_APPEND_TEE) > 0)
		cli_tee_init(&options->commits.tee, options->format);
	if (status == CLI_OK)
		status = read_commit_every(options);
	if (status == CLI_OK)
		status = read_timeouts(options);
	if (status == CLI_OK)
		status = read_rotation(options);
	if (status == CLI_OK)
		status = read_sync(options);
	if (status == CLI_OK)
		status = read_create(options);
	if (status == CLI_OK && is_input_taken(options))
		return cli_usage_error("--schema - takes the standard input "
		                       "that frames would come from");
	if (status == CLI_OK)
		status = cli_typed_init(&options->typed, args, places,
		                        options->path);
	if (status == CLI_OK)
		status = check_format(options);
	if (status == CLI_OK)
		status = check_combination(options);
	if (status == CLI_OK)
		status = cli_progress_init(
			cli_args_value(args, CLI_APPEND_PROGRESS));
	return status;
}

void cli_append_options_release(struct cli_append_options *options)
{
	cli_typed_release(&options->typed);
}
