/* Loading and saving cursor files. */
#include "cursor_file.h"

#include "blocking.h"
#include "command.h"
#include "failure.h"
#include "json_check.h"
#include "json_document.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far more bytes than a cursor file has. */
#define MOST_BYTES 4096u
/* As many symbolic links as the system itself follows. */
#define MOST_LINKS 40u
/* The new file is named as the old one with a suffix, or by a short name where
 * that would be too long. */
#define SUFFIX ".XXXXXX"
#define SHORT_NAME ".shmlog.XXXXXX"

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

	/* Files that earlier versions wrote do not have it. */
	if (!cli_document_u64(document, "filesystem",
	                      &cursor_out->log.filesystem))
		cursor_out->log.filesystem = 0;
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

/* Gives a new file the mode and the owner of the file that it replaces, or if
 * there is none the mode that any new file gets.  The owner of such a file can
 * read it whatever the umask, as the next start needs it.  A user who may not
 * change a file's owner remains its owner. */
static int copy_rights(int fd, const char *path)
{
	struct stat old;
	mode_t mask = umask(0);

	(void)umask(mask);
	if (stat(path, &old) != 0 || !S_ISREG(old.st_mode))
		return fchmod(fd, (0666 & ~mask) | S_IRUSR | S_IWUSR) == 0
		               ? 0
		               : -errno;
	/* Before the mode, as a change of the owner may clear bits of it. */
	if (fchown(fd, old.st_uid, old.st_gid) != 0)
		(void)!fchown(fd, (uid_t)-1, old.st_gid);
	return fchmod(fd, old.st_mode & 07777) == 0 ? 0 : -errno;
}

/* Writes the line to a new file with an unused name beside `path`.  0 or
 * -errno. */
static int write_new(char *name, const char *path,
                     const struct cli_cursor *cursor)
{
	char text[256];
	int length = snprintf(
		text, sizeof(text),
		"{\"device\":%" PRIu64 ",\"inode\":%" PRIu64
		",\"birth_ns\":%" PRId64 ",\"filesystem\":%" PRIu64
		",\"cursor\":%" PRIu64 "}\n",
		cursor->log.device, cursor->log.inode, cursor->log.birth_ns,
		cursor->log.filesystem, cursor->cursor);
	int fd = mkostemp(name, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int status = write_all(fd, text, (size_t)length);

	if (status == 0)
		status = copy_rights(fd, path);
	if (close(fd) != 0 && status == 0)
		status = -errno;
	if (status == 0 && rename(name, path) != 0)
		status = -errno;
	if (status != 0)
		unlink(name);
	return status;
}

/* The length of the folder's part of a path, its last slash counted. */
static size_t folder_bytes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

bool cli_cursor_is_in_log(const char *path, const struct cli_cursor *cursor)
{
	struct stat file;

	return stat(path, &file) == 0 &&
	       (uint64_t)file.st_dev == cursor->log.device &&
	       (uint64_t)file.st_ino == cursor->log.inode;
}

/* Follows one symbolic link: stores the path that it leads to, relative to the
 * folder of `path` unless it is absolute.  1; 0 if `path` is no link;
 * -errno. */
static int follow_link(const char *path, char target[PATH_MAX])
{
	char text[PATH_MAX];
	ssize_t length = readlink(path, text, sizeof(text));
	size_t folder = folder_bytes(path);

	if (length < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	if (length > 0 && text[0] == '/')
		folder = 0;
	if (folder + (size_t)length >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(target, path, folder);
	memcpy(target + folder, text, (size_t)length);
	target[folder + (size_t)length] = '\0';
	return 1;
}

/* Finds the file that a path leads to, whether it exists or not: that file is
 * replaced, not the link to it.  0 or -errno. */
static int find_target(const char *path, char target[PATH_MAX])
{
	char at[PATH_MAX];
	size_t bytes = strlen(path) + 1;
	int status = 1;

	if (bytes > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(target, path, bytes);
	for (unsigned links = 0; status == 1; links++) {
		if (links > MOST_LINKS)
			return -ELOOP;
		memcpy(at, target, strlen(target) + 1);
		status = follow_link(at, target);
	}
	return status;
}

int cli_cursor_file_save(const char *path, const struct cli_cursor *cursor)
{
	char target[PATH_MAX];
	char name[PATH_MAX + sizeof(SUFFIX) + sizeof(SHORT_NAME)];
	int status = find_target(path, target);

	if (status != 0)
		return status;
	(void)snprintf(name, sizeof(name), "%s%s", target, SUFFIX);
	status = write_new(name, target, cursor);
	if (status != -ENAMETOOLONG)
		return status;
	/* The name is too long to take a suffix. */
	(void)snprintf(name, sizeof(name), "%.*s%s", (int)folder_bytes(target),
	               target, SHORT_NAME);
	return write_new(name, target, cursor);
}

bool cli_cursor_is_of(const struct cli_cursor *cursor, const struct shmlog *log)
{
	struct shmlog_identity identity = shmlog_identity(log);

	return shmlog_same_file(&cursor->log, &identity);
}
