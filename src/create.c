/* Creating a log so that nobody ever sees one without a header. */
#include "mapping.h"
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int reserve(int fd, uint64_t capacity, unsigned flags)
{
	if ((flags & SHMLOG_CREATE_SPARSE) != 0)
		return ftruncate(fd, (off_t)capacity) == 0 ? 0 : -errno;
	return -posix_fallocate(fd, 0, (off_t)capacity);
}

static int write_header(int fd, uint64_t capacity)
{
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	struct shmlog_header header = {
		.header_size = SHMLOG_HEADER_BYTES,
		.data_offset = SHMLOG_HEADER_BYTES,
		.size = SHMLOG_HEADER_BYTES,
		.capacity = capacity,
	};

	shmlog_format_store_header(bytes, &header);
	return shmlog_write_at(fd, 0, bytes, sizeof(bytes));
}

int shmlog_create(const char *path, uint64_t capacity, mode_t mode,
                  unsigned flags)
{
	struct stat existing;
	char *temporary;
	int fd;

	if (capacity < SHMLOG_HEADER_BYTES || capacity > INT64_MAX)
		return SHMLOG_ERR_CAPACITY;
	/* Only to save the work: the name is taken or refused at the end. */
	if (lstat(path, &existing) == 0)
		return -EEXIST;

	int status = shmlog_platform_create_unnamed(path, mode, &fd,
	                                            &temporary);

	if (status != 0)
		return status;
	status = reserve(fd, capacity, flags);
	if (status == 0)
		status = write_header(fd, capacity);
	if (status == 0)
		status = shmlog_platform_name(fd, temporary, path);
	if (temporary != NULL)
		unlink(temporary);
	free(temporary);
	close(fd);
	return status;
}
