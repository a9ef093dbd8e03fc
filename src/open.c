/* Opening a log without its name: by a descriptor, or in memory. */
#include "log.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The access that a descriptor has, if it can be read, and is one of a file
 * that may be a log. */
static int look_at_descriptor(int fd, int *access_out)
{
	struct stat file;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &file) != 0)
		return -errno;
	*access_out = flags & O_ACCMODE;
	if (!S_ISREG(file.st_mode))
		return SHMLOG_ERR_NOT_REGULAR;
	return *access_out == O_WRONLY ? -EBADF : 0;
}

int shmlog_open_fd(int fd, struct shmlog **log_out)
{
	int access = O_RDONLY;
	int status = look_at_descriptor(fd, &access);

	if (status != 0)
		return status;
	/* A duplicate would share its lock with `fd`, and with everybody else
	 * whom that was passed to. */
	int own = shmlog_sys_reopen(fd, O_RDONLY);
	bool is_duplicate = own < 0;

	if (is_duplicate)
		own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -errno;
	status = shmlog_open_descriptor(own, NULL, log_out);
	if (status == 0)
		(*log_out)->read_only = is_duplicate || access != O_RDWR;
	return status;
}

/* A file without a name, which may have to lie on a disk. */
static int make_file(void)
{
	char name[] = "/tmp/shmlog.XXXXXX";
	int fd = shmlog_sys_memory_file();

	if (fd != -ENOTSUP)
		return fd;
	fd = mkstemp(name);
	if (fd < 0)
		return -errno;
	unlink(name);
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -errno;
}

int shmlog_open_memory(const void *bytes, size_t size_bytes,
                       struct shmlog **log_out)
{
	int fd = make_file();

	if (fd < 0)
		return fd;
	int status = shmlog_write_at(fd, 0, bytes, size_bytes);

	if (status != 0) {
		close(fd);
		return status;
	}
	status = shmlog_open_descriptor(fd, NULL, log_out);
	if (status == 0)
		(*log_out)->read_only = true;
	return status;
}
