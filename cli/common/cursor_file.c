/* Loading and saving cursor files. */
#include "common/cursor_file.h"

#include "common/blocking.h"
#include "common/command.h"
#include "common/json.h"
#include "common/message.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far more than a cursor file has. */
#define MOST_BYTES 4096u

static int refuse(const char *path)
{
	cli_message(path, "is no cursor file; nothing was changed");
	return CLI_OTHER_LOG;
}

int cli_cursor_file_load(const char *path, struct cli_cursor *cursor_out,
                         bool *found_out)
{
	char text[MOST_BYTES];
	struct cli_json_error error;
	int fd = cli_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	                  0);

	*found_out = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? CLI_OK
		                       : cli_fail(path, "cannot open", -errno);
	struct stat file = {0};
	bool is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
	ssize_t got = is_file ? cli_read(fd, text, sizeof(text)) : 0;
	int status = got < 0 ? -errno : 0;

	close(fd);
	if (status != 0)
		return cli_fail(path, "cannot read", status);
	/* A device or a pipe must not be replaced by a file. */
	if (!is_file)
		return S_ISDIR(file.st_mode)
		               ? cli_fail(path, "cannot read", -EISDIR)
		               : refuse(path);
	/* An empty file, as mktemp(1) makes it, is a cursor not yet taken. */
	*found_out = got > 0;
	if (got == 0)
		return CLI_OK;
	struct cli_document *document = cli_document_parse(text, (size_t)got,
	                                                   &error);

	if (document == NULL)
		return refuse(path);
	bool whole = cli_document_u64(document, "device",
	                              &cursor_out->log.device) &&
	             cli_document_u64(document, "inode",
	                              &cursor_out->log.inode) &&
	             cli_document_i64(document, "birth_ns",
	                              &cursor_out->log.birth_ns) &&
	             cli_document_u64(document, "cursor", &cursor_out->cursor);

	cli_document_free(document);
	return whole ? CLI_OK : refuse(path);
}

/* write(2) until all is written: 0 or -errno. */
static int write_all(int fd, const char *bytes, size_t size_bytes)
{
	while (size_bytes > 0) {
		ssize_t put = write(fd, bytes, size_bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		bytes += put;
		size_bytes -= (size_t)put;
	}
	return 0;
}

/* Writes the line to a new file of a name that nobody has.  0 or -errno. */
static int write_new(char *name, const struct cli_cursor *cursor)
{
	char text[256];
	int length = snprintf(text, sizeof(text),
	                      "{\"device\":%" PRIu64 ",\"inode\":%" PRIu64
	                      ",\"birth_ns\":%" PRId64 ",\"cursor\":%" PRIu64
	                      "}\n",
	                      cursor->log.device, cursor->log.inode,
	                      cursor->log.birth_ns, cursor->cursor);
	int fd = mkostemp(name, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int status = write_all(fd, text, (size_t)length);
	mode_t mask = umask(0);

	(void)umask(mask);
	if (fchmod(fd, 0666 & ~mask) != 0 && status == 0)
		status = -errno;
	if (close(fd) != 0 && status == 0)
		status = -errno;
	if (status != 0)
		unlink(name);
	return status;
}

/* The file that a path leads to, which is replaced, not the link to it; freed
 * by the caller.  NULL with errno. */
static char *target_of(const char *path)
{
	struct stat link;

	return lstat(path, &link) == 0 && S_ISLNK(link.st_mode)
	               ? realpath(path, NULL)
	               : strdup(path);
}

/* Whether a name leads to the log that a cursor is of. */
static bool is_log(const char *path, const struct cli_cursor *cursor)
{
	struct stat file;

	return stat(path, &file) == 0 &&
	       (uint64_t)file.st_dev == cursor->log.device &&
	       (uint64_t)file.st_ino == cursor->log.inode;
}

static int save(const char *path, const struct cli_cursor *cursor)
{
	size_t name_bytes = strlen(path) + sizeof(".XXXXXX");
	char *name = malloc(name_bytes);

	if (name == NULL)
		return -ENOMEM;
	(void)snprintf(name, name_bytes, "%s.XXXXXX", path);
	int status = write_new(name, cursor);

	if (status == 0 && rename(name, path) != 0) {
		status = -errno;
		unlink(name);
	}
	free(name);
	return status;
}

int cli_cursor_file_save(const char *path, const struct cli_cursor *cursor)
{
	/* Whatever it was at the start: the log would lose its name. */
	if (is_log(path, cursor)) {
		cli_message(path,
		            "is the log itself; the cursor was not saved");
		return CLI_USAGE;
	}
	char *target = target_of(path);
	int status = target != NULL ? save(target, cursor) : -errno;

	free(target);
	return status == 0 ? CLI_OK
	                   : cli_fail(path, "cannot save the cursor", status);
}

bool cli_cursor_is_of(const struct cli_cursor *cursor, const struct shmlog *log)
{
	struct shmlog_identity identity = shmlog_identity(log);

	return cursor->log.device == identity.device &&
	       cursor->log.inode == identity.inode &&
	       cursor->log.birth_ns == identity.birth_ns;
}
