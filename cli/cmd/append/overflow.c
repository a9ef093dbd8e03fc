/* Keeping input that does not get into the log. */
#include "overflow.h"

#include "blocking.h"
#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <shmlog.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES 65536u
/* How long a reader of what overflows may take nothing after a signal. */
#define SIGNAL_PATIENCE_NS 1000000000

#define STANDARD_INPUT "standard input"

/* Creates the file.  Its owner can read what it keeps, whatever the umask.
 * 0 or -errno. */
static int create(struct cli_overflow *overflow)
{
	const mode_t owners = S_IRUSR | S_IWUSR;
	struct stat file;

	overflow->fd = cli_open(
		overflow->path,
		O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (overflow->fd < 0)
		return -errno;
	overflow->created = true;
	if (fstat(overflow->fd, &file) != 0 ||
	    ((file.st_mode & owners) != owners &&
	     fchmod(overflow->fd, (file.st_mode & 07777) | owners) != 0))
		return -errno;
	return 0;
}

/* Opens the file, or creates it.  0 or -errno. */
static int open_or_create(struct cli_overflow *overflow)
{
	overflow->fd = cli_open(overflow->path,
	                        O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY, 0);
	if (overflow->fd >= 0)
		return 0;
	return errno == ENOENT ? create(overflow) : -errno;
}

/* Whether a name is a link that leads to nothing.  It is not followed to
 * create what it names: whoever made the link may mean somebody else's file. */
static bool is_dangling(const char *path)
{
	struct stat file;

	return lstat(path, &file) == 0 && S_ISLNK(file.st_mode) &&
	       stat(path, &file) != 0;
}

/* Notes whether a write may have to wait.  0 or -errno. */
static int note_kind(struct cli_overflow *overflow)
{
	struct stat file;

	if (fstat(overflow->fd, &file) != 0)
		return -errno;
	overflow->may_block = !S_ISREG(file.st_mode);
	return 0;
}

/* The last byte of the file, which another run may have left; -1 if there is
 * none, or it is not to be had. */
static int last_byte(const struct cli_overflow *overflow)
{
	unsigned char last;
	struct stat file;
	int found = -1;

	if (overflow->may_block || fstat(overflow->fd, &file) != 0 ||
	    file.st_size == 0)
		return -1;
	int fd = cli_open(overflow->path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);

	if (fd >= 0 && pread(fd, &last, 1, file.st_size - 1) == 1)
		found = last;
	if (fd >= 0)
		close(fd);
	return found;
}

int cli_overflow_open(struct cli_overflow *overflow, const char *path,
                      int delimiter)
{
	int status;

	*overflow = (struct cli_overflow){
		.path = path, .fd = -1, .last = -1, .delimiter = delimiter};
	if (path == NULL)
		return CLI_OK;
	if (strcmp(path, "-") == 0) {
		overflow->fd = STDOUT_FILENO;
		overflow->may_block = true;
		return CLI_OK;
	}
	status = open_or_create(overflow);
	if (status == 0)
		status = note_kind(overflow);
	if (status == -EEXIST && is_dangling(path)) {
		cli_message(path, "is a symbolic link to a file that does not "
		                  "exist; nothing was appended");
		return CLI_SYSTEM;
	}
	return status == 0 ? CLI_OK
	                   : cli_fail(path, "cannot open for what overflows",
	                              status);
}

bool cli_overflow_is_filled(const struct cli_overflow *overflow)
{
	struct stat file;

	return overflow->fd != STDOUT_FILENO &&
	       fstat(overflow->fd, &file) == 0 && S_ISREG(file.st_mode) &&
	       file.st_size > 0;
}

void cli_overflow_close(struct cli_overflow *overflow)
{
	if (overflow->fd >= 0 && overflow->fd != STDOUT_FILENO) {
		close(overflow->fd);
		if (overflow->created)
			unlink(overflow->path);
	}
	overflow->fd = -1;
}

void cli_overflow_begin(struct cli_overflow *overflow, const char *input,
                        uint64_t at)
{
	overflow->input = input;
	overflow->at = at;
}

static bool is_stdin(const char *input)
{
	return strcmp(input, "-") == 0;
}

/* Reports a failure of errno, and from where on the input is kept nowhere. */
static int lost(const struct cli_overflow *overflow, const char *subject,
                const char *what)
{
	struct cli_quoted name;
	char from[400];
	int status = -errno;

	if (overflow->input == NULL)
		(void)snprintf(from, sizeof(from), "nothing behind them");
	else
		(void)snprintf(from, sizeof(from),
		               "nothing from byte %" PRIu64 " of %s on",
		               overflow->at + 1,
		               is_stdin(overflow->input)
		                       ? STANDARD_INPUT
		                       : cli_quote(&name, overflow->input));
	cli_message(subject, "%s%s%s; %" PRIu64 " bytes were kept, and %s",
	            what, status == -ETIMEDOUT ? "" : ": ",
	            status == -ETIMEDOUT ? "" : shmlog_strerror(status),
	            overflow->kept, from);
	return CLI_SYSTEM;
}

/* Whether a signal has come, and what overflows has been taken by nobody for
 * too long since. */
static bool is_given_up(struct cli_overflow *overflow)
{
	int64_t now = cli_now_ns();

	if (cli_signal_caught() == 0)
		return false;
	if (overflow->stalled_since_ns == 0)
		overflow->stalled_since_ns = now;
	return now - overflow->stalled_since_ns >= SIGNAL_PATIENCE_NS;
}

/* write(2), until it takes a part: -1 where it fails, or with ETIMEDOUT where
 * it takes nothing after a signal. */
static ssize_t write_some(struct cli_overflow *overflow, const void *bytes,
                          size_t size_bytes)
{
	for (;;) {
		ssize_t put = overflow->may_block
		                      ? cli_write_briefly(overflow->fd, bytes,
		                                          size_bytes)
		                      : write(overflow->fd, bytes, size_bytes);

		if (put >= 0) {
			overflow->stalled_since_ns = 0;
			return put;
		}
		if (errno != EINTR && !cli_would_block(errno))
			return -1;
		if (is_given_up(overflow)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

/* Writes bytes as they are. */
static int keep(struct cli_overflow *overflow, const void *bytes,
                size_t size_bytes)
{
	const char *from = bytes;

	while (size_bytes > 0) {
		ssize_t put = write_some(overflow, from, size_bytes);

		if (put < 0 && errno == EPIPE && overflow->fd == STDOUT_FILENO)
			cli_die_by_signal(SIGPIPE);
		if (put < 0) {
			overflow->failed = true;
			return lost(overflow,
			            overflow->fd == STDOUT_FILENO
			                    ? "standard output"
			                    : overflow->path,
			            errno == ETIMEDOUT
			                    ? "ended by a signal while "
			                      "nobody took what overflows"
			                    : "cannot write what overflows");
		}
		overflow->created = false;
		overflow->last = (unsigned char)from[put - 1];
		overflow->kept += (uint64_t)put;
		overflow->at += (uint64_t)put;
		from += put;
		size_bytes -= (size_t)put;
	}
	return CLI_OK;
}

/* Puts a delimiter behind what another input or another run left, if that did
 * not end in one, so that no two records become one. */
static int delimit(struct cli_overflow *overflow)
{
	const unsigned char byte = (unsigned char)overflow->delimiter;
	uint64_t at = overflow->at;
	int last = overflow->kept > 0 ? overflow->last : last_byte(overflow);

	if (overflow->delimiter < 0 || last < 0 || last == overflow->delimiter)
		return CLI_OK;
	int status = keep(overflow, &byte, 1);

	if (status == CLI_OK)
		overflow->at = at;
	return status;
}

int cli_overflow_keep(struct cli_overflow *overflow, const void *bytes,
                      size_t size_bytes)
{
	int status = CLI_OK;

	if (overflow->kept == 0 && size_bytes > 0 &&
	    overflow->fd != STDOUT_FILENO)
		status = delimit(overflow);
	return status == CLI_OK ? keep(overflow, bytes, size_bytes) : status;
}

/* How many bytes a descriptor has without waiting, at this moment. */
static uint64_t readable_now(int fd)
{
	struct stat file;
	int waiting = 0;

	if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode))
		return UINT64_MAX;
	return ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0
	               ? (uint64_t)waiting
	               : 0;
}

int cli_overflow_keep_rest(struct cli_overflow *overflow, int fd)
{
	unsigned char bytes[COPY_BYTES];
	uint64_t left = UINT64_MAX;
	bool hurries = false;
	int status = CLI_OK;

	while (status == CLI_OK && left > 0) {
		if (!hurries && cli_signal_caught() != 0) {
			hurries = true;
			left = readable_now(fd);
			continue;
		}
		ssize_t got = cli_read(fd, bytes,
		                       left < COPY_BYTES ? (size_t)left
		                                         : COPY_BYTES);

		if (got < 0 && errno == EINTR && !hurries)
			continue;
		if (got < 0 && errno != EINTR)
			return lost(overflow,
			            is_stdin(overflow->input) ? STANDARD_INPUT
			                                      : overflow->input,
			            "cannot read what is to overflow");
		if (got <= 0)
			break;
		left -= left < UINT64_MAX ? (uint64_t)got : 0;
		status = cli_overflow_keep(overflow, bytes, (size_t)got);
	}
	return status;
}

/* After a signal nobody waits for the other end of a FIFO. */
static int open_input(const char *name)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	int fd = -1;

	errno = EINTR;
	if (cli_signal_caught() == 0)
		fd = cli_open(name, flags, 0);
	return fd < 0 && errno == EINTR ? open(name, flags | O_NONBLOCK) : fd;
}

int cli_overflow_keep_file(struct cli_overflow *overflow, const char *name)
{
	int status = overflow->kept > 0 ? delimit(overflow) : CLI_OK;

	if (status != CLI_OK)
		return status;
	cli_overflow_begin(overflow, name, 0);
	if (is_stdin(name))
		return cli_overflow_keep_rest(overflow, STDIN_FILENO);
	int fd = open_input(name);

	if (fd < 0)
		return lost(overflow, name, "cannot open what is to overflow");
	status = cli_overflow_keep_rest(overflow, fd);
	close(fd);
	return status;
}
