/*
 * Files without a name, and hidden names.  Where the file system has no files
 * without a name, one gets a hidden name for the time being.
 */
#include "unnamed.h"

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directory that `path` lies in; freed by the caller.  NULL: no memory. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

char *shmlog_hidden_name(const char *path, unsigned attempt)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	size_t folder = (size_t)(base - path);
	size_t room = folder + strlen(base) + 64;
	char *name = malloc(room);

	if (name != NULL)
		snprintf(name, room, "%.*s.%.100s.%ld.%u", (int)folder, path,
		         base, (long)getpid(), attempt);
	return name;
}

int shmlog_hidden_create(const char *path, mode_t mode, char **name_out)
{
	for (unsigned attempt = 0; attempt < SHMLOG_HIDDEN_NAMES; attempt++) {
		char *name = shmlog_hidden_name(path, attempt);

		if (name == NULL)
			return -ENOMEM;
		int fd = shmlog_sys_open(
			name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);

		if (fd >= 0) {
			*name_out = name;
			return fd;
		}
		int status = -errno;

		free(name);
		if (status != -EEXIST)
			return status;
	}
	return -EEXIST;
}

int shmlog_unnamed_create(const char *path, mode_t mode, int *fd_out,
                          char **temporary_out)
{
	char *directory = directory_of(path);

	*temporary_out = NULL;
	if (directory == NULL)
		return -ENOMEM;
	*fd_out = shmlog_sys_create_tmpfile(directory, mode);
	/* File systems without files that have no name say one of these. */
	if (*fd_out == -EOPNOTSUPP || *fd_out == -EISDIR ||
	    *fd_out == -EINVAL || *fd_out == -ENOENT)
		*fd_out = shmlog_hidden_create(path, mode, temporary_out);
	free(directory);
	return *fd_out < 0 ? *fd_out : 0;
}

int shmlog_unnamed_name(int fd, const char *temporary, const char *path)
{
	if (temporary == NULL)
		return shmlog_sys_link_tmpfile(fd, path);
	/* link(2), unlike rename(2), never takes the place of a file. */
	return link(temporary, path) == 0 ? 0 : -errno;
}
