/* Creates a log. */
#include "command.h"
#include "failure.h"
#include "log_arguments.h"
#include "message.h"
#include "numbers.h"
#include "open_log.h"
#include "option_values.h"
#include "options.h"
#include "spool.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <sys/stat.h>

enum {
	OPTION_CAPACITY,
	OPTION_MODE,
	OPTION_SPARSE,
	OPTION_IF_MISSING,
};

static const struct cli_option create_options[] = {
	[OPTION_CAPACITY] = {.letter = 'c',
                             .name = "capacity",
                             .value = "SIZE",
                             .kind = &cli_takes_size,
                             .required = true,
                             .help = "length of the file, at least 24 bytes"},
	[OPTION_MODE] =
		{.name = "mode",
                 .value = "OCTAL",
                 .kind = &cli_takes_mode,
                 .help = "permission bits less the umask; 0664 if not given"},
	[OPTION_SPARSE] = {.name = "sparse",
                           .help = "do not reserve the space"},
	[OPTION_IF_MISSING] =
		{.name = "if-missing",
                 .help = "accept a sound log that exists already"},
};

#define DEFAULT_MODE 0664u

/* The most attempts, for a name that other processes keep creating and
 * removing. */
#define TRIES 100

struct create_request {
	const char *path;
	uint64_t capacity;
	unsigned mode;
	unsigned flags;
	bool if_missing;
};

static int read_request(const struct cli_args *args,
                        struct create_request *request)
{
	const char *mode = cli_args_value(args, OPTION_MODE);
	struct cli_quoted quoted;

	request->path = cli_args_operand(args, 0);
	request->if_missing = cli_args_count(args, OPTION_IF_MISSING) > 0;
	if (cli_args_count(args, OPTION_SPARSE) > 0)
		request->flags |= SHMLOG_CREATE_SPARSE;
	if (mode && !cli_parse_mode(mode, &request->mode))
		return cli_usage_error(
			"mode %s is not an octal number from 0 to 7777",
			cli_quote(&quoted, mode));
	return cli_option_capacity("--capacity",
	                           cli_args_value(args, OPTION_CAPACITY),
	                           SHMLOG_HEADER_BYTES, &request->capacity);
}

/*
 * Decides, for --if-missing, what to do about a name that is taken.  Returns
 * -EAGAIN if the name is free by now, else the exit status.
 */
static int accept_existing(const struct create_request *request)
{
	const char *path = request->path;
	struct shmlog_header header;
	struct cli_header_text text;
	int status = shmlog_inspect(path, &header);
	struct stat link;

	if (status == 0 && header.capacity != request->capacity)
		cli_message(path,
		            "exists with a capacity of %" PRIu64
		            " bytes, not %" PRIu64 "; left as it is",
		            header.capacity, request->capacity);
	if (status == 0)
		return CLI_OK;
	if (status == -ENOENT) {
		if (lstat(path, &link) != 0)
			return -EAGAIN;
		cli_message(path, "exists and is no log: it is a link that "
		                  "leads nowhere; left as it is");
		return CLI_NOT_LOG;
	}
	if (cli_exit_status(status) != CLI_NOT_LOG)
		return cli_fail(path, "exists and cannot be read", status);
	cli_message(path, "exists and is no sound log: %s; left as it is",
	            cli_describe_header(&text, status, &header));
	return CLI_NOT_LOG;
}

static int create_log(const struct create_request *request)
{
	int status = -EAGAIN;

	for (int try = 0; try < TRIES && status == -EAGAIN; try++) {
		int created = cli_create_log(request->path, request->capacity,
		                             (mode_t)request->mode,
		                             request->flags);

		if (created == 0)
			return CLI_OK;
		if (created != -EEXIST) {
			cli_message(request->path,
			            "cannot create a log of %" PRIu64 " bytes: "
			            "%s; nothing was created",
			            request->capacity,
			            shmlog_strerror(created));
			return cli_exit_status(created);
		}
		if (!request->if_missing)
			break;
		status = accept_existing(request);
	}
	if (status != -EAGAIN)
		return status;
	cli_message(request->path, "cannot create: %s; left as it is",
	            shmlog_strerror(-EEXIST));
	return CLI_SYSTEM;
}

static int create_run(const struct cli_args *args)
{
	struct create_request request = {.mode = DEFAULT_MODE};
	int status = read_request(args, &request);

	if (status == CLI_OK)
		status = cli_refuse_spooled(request.path);
	return status == CLI_OK ? create_log(&request) : status;
}

const struct cli_command cmd_create = {
	.name = "create",
	.summary = "create an empty log of a fixed capacity",
	.operands = "LOG",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_new_log),
	.options = create_options,
	.option_count = sizeof(create_options) / sizeof(create_options[0]),
	.min_operands = 1,
	.max_operands = 1,
	.notes = "A SIZE is a number of bytes, or of KiB, MiB, GiB, TiB with "
		 "K, M, G, T behind it.\nThe space is reserved at once unless "
		 "--sparse is given: appending to a sparse\nlog fails when the "
		 "file system is full.",
	.run = create_run,
};
