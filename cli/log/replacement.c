/* Replaces files as a whole. */
#include "replacement.h"

#include "command.h"
#include "distinct.h"
#include "log_search.h"
#include "message.h"
#include "open_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many symbolic links as the system itself follows. */
#define MOST_LINKS 40u
/* The new file is named as the old one with a suffix, or by a short name where
 * that would be too long. */
#define SUFFIX ".XXXXXX"
#define SHORT_NAME ".shmlog.XXXXXX"

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

/* The length of the folder's part of a path, its last slash counted. */
static size_t folder_bytes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
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

/* Creates a new file with an unused name beside the old one. */
static int create(struct cli_replacement *replacement, int folder,
                  const char *suffix)
{
	(void)snprintf(replacement->name, sizeof(replacement->name), "%.*s%s",
	               folder, replacement->target, suffix);
	replacement->fd = mkostemp(replacement->name, O_CLOEXEC);
	return replacement->fd < 0 ? -errno : 0;
}

int cli_replacement_begin(struct cli_replacement *replacement, const char *path)
{
	struct stat old;

	if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
		return CLI_REPLACEMENT_IS_NO_FILE;
	int status = find_target(path, replacement->target);

	if (status != 0)
		return status;
	status = create(replacement, (int)strlen(replacement->target), SUFFIX);
	if (status != -ENAMETOOLONG)
		return status;
	/* The name is too long to take a suffix. */
	return create(replacement, (int)folder_bytes(replacement->target),
	              SHORT_NAME);
}

int cli_replacement_end(struct cli_replacement *replacement, int status)
{
	if (status == 0)
		status = copy_rights(replacement->fd, replacement->target);
	if (close(replacement->fd) != 0 && status == 0)
		status = -errno;
	if (status == 0 && rename(replacement->name, replacement->target) != 0)
		status = -errno;
	if (status != 0)
		unlink(replacement->name);
	return status;
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

int cli_replace(const char *path, const void *bytes, size_t size_bytes)
{
	struct cli_replacement replacement;
	int status = cli_replacement_begin(&replacement, path);

	if (status == CLI_REPLACEMENT_IS_NO_FILE)
		return -EEXIST;
	if (status != 0)
		return status;
	status = write_all(replacement.fd, bytes, size_bytes);
	return cli_replacement_end(&replacement, status);
}

int cli_check_replaced(const char *path)
{
	struct shmlog_look look;
	struct stat file;
	int status;

	if (cli_is_path_of(path, STDOUT_FILENO)) {
		cli_message(path, "is the file that standard output goes to; "
		                  "left as it is");
		return CLI_USAGE;
	}
	status = cli_look_at(path, &file, &look);
	/* With a damaged frame at each end, it may be a log nevertheless. */
	if (status != 0 && !cli_is_damage(status))
		return CLI_OK;
	cli_message(path, "is a log, which is not replaced by another file; "
	                  "left as it is");
	return CLI_USAGE;
}
