/* Opens logs for commands, and says what is wrong with one. */
#include "open_log.h"

#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "fault_text.h"
#include "message.h"
#include "signals.h"
#include "spool.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Opening waits for another process's lease; only a signal that was caught to
 * end the command ends that wait. */
static int open_patiently(const char *path, struct shmlog **log_out)
{
	int status;

	while ((status = shmlog_open(path, log_out)) == -EINTR) {
		if (cli_signal_caught() != 0)
			cli_die_by_signal(cli_signal_caught());
	}
	return status;
}

/* Global: a log is opened on many ways, and a hint goes with the command that
 * runs, like its name in messages. */
static const char *missing_hint;

void cli_missing_log_hint(const char *hint)
{
	missing_hint = hint;
}

/* Whether a name is free, in a folder that is there: it is not when the path
 * leads through a link to nowhere, or a part of it is missing. */
static bool is_name_free(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat file;
	int length = slash == NULL ? 1 : (int)(slash - path) + 1;

	if (lstat(path, &file) == 0 || errno != ENOENT)
		return false;
	(void)snprintf(folder, sizeof(folder), "%.*s", length,
	               slash != NULL ? path : ".");
	return stat(folder, &file) == 0 && S_ISDIR(file.st_mode) &&
	       *path != '\0';
}

static int cannot_open(const char *path, int status)
{
	if (status != -ENOENT || missing_hint == NULL || !is_name_free(path))
		return cli_fail(path, "cannot open", status);
	cli_message(path, "cannot open: %s; %s", shmlog_strerror(status),
	            missing_hint);
	return cli_exit_status(status);
}

/* Opens a log.  `outcome` ends the message about a file that is not a log; it
 * is empty where the log is only read. */
static int open_log(const char *path, const char *outcome,
                    struct shmlog **log_out)
{
	struct cli_header_text text;
	struct shmlog_header header;
	int again;

	/* By the path before any message can be written, and then once more by
	 * the file that was opened. */
	if (cli_check_output(path, NULL) != CLI_OK)
		return CLI_USAGE;
	int status = open_patiently(path, log_out);

	if (status == 0 && cli_check_output(path, *log_out) != CLI_OK) {
		shmlog_close(*log_out);
		*log_out = NULL;
		return CLI_USAGE;
	}
	if (status == 0)
		return CLI_OK;
	if (!cli_is_header_status(status))
		return cannot_open(path, status);
	if (*outcome == '\0' && cli_is_zstd_file(path))
		return cli_open_spooled(path, log_out);
	/* The file may have changed since: the header's words go into the
	 * message only if they are still those that were refused. */
	again = shmlog_inspect(path, &header);
	if (again != status)
		return cli_fail(path, "cannot open", status);
	cli_message(path, "not a log: %s%s",
	            cli_describe_header(&text, status, &header), outcome);
	return CLI_NOT_LOG;
}

int cli_open_log(const char *path, struct shmlog **log_out)
{
	int status = cli_refuse_spooled(path);

	return status == CLI_OK
	               ? open_log(path, "; nothing was changed", log_out)
	               : status;
}

int cli_open_to_read(const char *path, struct shmlog **log_out)
{
	return cli_is_standard_input(path) ? cli_open_spooled(path, log_out)
	                                   : open_log(path, "", log_out);
}

/* The length of the longest Buffer of Node 15 to 21, buffer.constants'
 * MAX_LENGTH; the Node package makes one of the whole log. */
#define NODE_BUFFER_MAX_BYTES ((uint64_t)1 << 32)

void cli_warn_of_node(const char *path, const char *done, uint64_t capacity)
{
	if (capacity > NODE_BUFFER_MAX_BYTES)
		cli_message(path,
		            "%s, but over 4 GiB (%" PRIu64 " bytes): Node "
		            "before version 22 cannot open it "
		            "(ERR_BUFFER_TOO_LARGE)",
		            done, NODE_BUFFER_MAX_BYTES);
}

int cli_create_log(const char *path, uint64_t capacity, mode_t mode,
                   unsigned flags)
{
	int status = shmlog_create(path, capacity, mode, flags);

	if (status == 0)
		cli_warn_of_node(path, "created", capacity);
	return status;
}

int cli_open_reader(const char *path, struct shmlog **log_out,
                    struct shmlog_reader **reader_out)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED,
	};
	struct shmlog *log;
	int status = cli_open_to_read(path, &log);

	if (status != CLI_OK)
		return status;
	status = shmlog_reader_open(log, &options, reader_out);
	if (status != 0) {
		shmlog_close(log);
		return cli_fail(path, "cannot read", status);
	}
	*log_out = log;
	return CLI_OK;
}

bool cli_is_damage(int status)
{
	return status == SHMLOG_ERR_CURSOR ||
	       status == SHMLOG_ERR_FRAME_CORRUPT || status == SHMLOG_ERR_TORN;
}

int cli_reader_failed(const char *path, const struct shmlog_reader *reader,
                      int status)
{
	struct cli_fault_text text;

	if (!cli_is_damage(status))
		return cli_fail(path, "cannot read on", status);
	cli_message(path, "%s",
	            cli_describe_fault(&text, shmlog_reader_fault(reader)));
	/* A torn tail keeps a writer out (CLI_NOT_LOG); to a reader it is
	 * damage like any other. */
	return CLI_NO;
}

size_t cli_frames_before(const struct shmlog_frame *frames, size_t count,
                         uint64_t end)
{
	while (count > 0 && frames[count - 1].cursor >= end)
		count--;
	return count;
}
