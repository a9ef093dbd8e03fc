/* Keeping the input that a full log has no room for. */
#include "common/overflow.h"

#include "common/blocking.h"
#include "common/command.h"
#include "common/message.h"
#include "common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <shmlog.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define COPY_BYTES 65536u

int cli_overflow_open(struct cli_overflow *overflow, const char *path)
{
	*overflow = (struct cli_overflow){.path = path, .fd = -1, .last = -1};
	if (path == NULL)
		return CLI_OK;
	if (strcmp(path, "-") == 0) {
		overflow->fd = STDOUT_FILENO;
		return CLI_OK;
	}
	overflow->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
	if (overflow->fd < 0 && errno == ENOENT) {
		overflow->fd = open(path,
		                    O_WRONLY | O_APPEND | O_CREAT | O_EXCL |
		                            O_CLOEXEC,
		                    0666);
		overflow->created = overflow->fd >= 0;
	}
	return overflow->fd >= 0
	               ? CLI_OK
	               : cli_fail(path, "cannot open for what overflows",
	                          -errno);
}

void cli_overflow_close(struct cli_overflow *overflow)
{
	if (overflow->fd < 0 || overflow->fd == STDOUT_FILENO)
		return;
	close(overflow->fd);
	if (overflow->created)
		unlink(overflow->path);
}

/* Reports a failure of errno that costs the rest of the input. */
static int lost(const struct cli_overflow *overflow, const char *what)
{
	int status = -errno;

	cli_message(overflow->fd == STDOUT_FILENO ? "standard output"
	                                          : overflow->path,
	            "cannot %s: %s; the rest of the input is lost", what,
	            shmlog_strerror(status));
	return CLI_SYSTEM;
}

int cli_overflow_keep(struct cli_overflow *overflow, const void *bytes,
                      size_t size_bytes)
{
	const char *from = bytes;

	while (size_bytes > 0) {
		ssize_t put = write(overflow->fd, from, size_bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && cli_would_block(errno)) {
			cli_wait_for(overflow->fd, POLLOUT);
			continue;
		}
		if (put < 0 && errno == EPIPE && overflow->fd == STDOUT_FILENO)
			cli_die_by_signal(SIGPIPE);
		if (put < 0)
			return lost(overflow, "write what overflows");
		overflow->created = false;
		overflow->last = (unsigned char)from[put - 1];
		from += put;
		size_bytes -= (size_t)put;
	}
	return CLI_OK;
}

int cli_overflow_keep_rest(struct cli_overflow *overflow, int fd)
{
	unsigned char bytes[COPY_BYTES];
	int status = CLI_OK;

	/* After a signal, what was read is kept and nothing more is read. */
	while (status == CLI_OK && cli_signal_caught() == 0) {
		ssize_t got = cli_read(fd, bytes, sizeof(bytes));

		if (got < 0 && errno != EINTR)
			return lost(overflow, "read what is to overflow to it");
		if (got <= 0)
			break;
		status = cli_overflow_keep(overflow, bytes, (size_t)got);
	}
	return status;
}

int cli_overflow_keep_file(struct cli_overflow *overflow, const char *name,
                           int delimiter)
{
	const unsigned char byte = (unsigned char)delimiter;
	int status = CLI_OK;

	if (delimiter >= 0 && overflow->last >= 0 &&
	    overflow->last != delimiter)
		status = cli_overflow_keep(overflow, &byte, 1);
	if (status != CLI_OK || strcmp(name, "-") == 0)
		return status == CLI_OK
		               ? cli_overflow_keep_rest(overflow, STDIN_FILENO)
		               : status;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return cli_fail(name, "cannot open", -errno);
	status = cli_overflow_keep_rest(overflow, fd);
	close(fd);
	return status;
}
