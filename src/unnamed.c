/*
 * Files without a name.  Where the file system has none, the file gets a hidden
 * name for the time being.
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

/* A file with a name of its own beside `path`: hidden, and unlike any other
 * process's. */
static int create_named(const char *path, const char *directory, mode_t mode,
                        int *fd_out, char **temporary_out)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	size_t name_bytes = strlen(directory) + strlen(base) + 64;
	char *name = malloc(name_bytes);

	if (name == NULL)
		return -ENOMEM;
	for (unsigned attempt = 0; attempt < 1000; attempt++) {
		snprintf(name, name_bytes, "%s/.%.100s.%ld.%u", directory, base,
		         (long)getpid(), attempt);
		*fd_out = shmlog_sys_open(
			name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (*fd_out >= 0) {
			*temporary_out = name;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}

	int status = -errno;

	free(name);
	return status;
}

int shmlog_unnamed_create(const char *path, mode_t mode, int *fd_out,
                          char **temporary_out)
{
	char *directory = directory_of(path);
	int status = 0;

	*temporary_out = NULL;
	if (directory == NULL)
		return -ENOMEM;
	*fd_out = shmlog_sys_create_tmpfile(directory, mode);
	/* File systems without files that have no name say one of these. */
	if (*fd_out == -EOPNOTSUPP || *fd_out == -EISDIR ||
	    *fd_out == -EINVAL || *fd_out == -ENOENT)
		status = create_named(path, directory, mode, fd_out,
		                      temporary_out);
	else if (*fd_out < 0)
		status = *fd_out;
	free(directory);
	return status;
}

int shmlog_unnamed_name(int fd, const char *temporary, const char *path)
{
	if (temporary == NULL)
		return shmlog_sys_link_tmpfile(fd, path);
	/* link(2), unlike rename(2), never takes the place of a file. */
	return link(temporary, path) == 0 ? 0 : -errno;
}
