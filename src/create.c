/* Creating a log so that nobody ever sees one without a header. */
#include "create.h"

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

int shmlog_draft_open(const char *path, uint64_t capacity, mode_t mode,
                      unsigned flags, struct shmlog_draft *draft_out)
{
	struct stat existing;

	if (capacity < SHMLOG_HEADER_BYTES || capacity > INT64_MAX)
		return SHMLOG_ERR_CAPACITY;
	/* Only to save the work: the name is taken or refused at the end. */
	if (lstat(path, &existing) == 0)
		return -EEXIST;
	*draft_out = (struct shmlog_draft){.path = path, .capacity = capacity};
	int status = shmlog_platform_create_unnamed(path, mode, &draft_out->fd,
	                                            &draft_out->temporary);

	if (status != 0)
		return status;
	status = reserve(draft_out->fd, capacity, flags);
	return status == 0 ? 0 : shmlog_draft_close(draft_out, status);
}

int shmlog_draft_write_header(const struct shmlog_draft *draft, uint64_t size)
{
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	struct shmlog_header header = {
		.header_size = SHMLOG_HEADER_BYTES,
		.data_offset = SHMLOG_HEADER_BYTES,
		.size = size,
		.capacity = draft->capacity,
	};

	shmlog_format_store_header(bytes, &header);
	return shmlog_write_at(draft->fd, 0, bytes, sizeof(bytes));
}

int shmlog_draft_close(struct shmlog_draft *draft, int status)
{
	if (status == 0)
		status = shmlog_platform_name(draft->fd, draft->temporary,
		                              draft->path);
	if (draft->temporary != NULL)
		unlink(draft->temporary);
	free(draft->temporary);
	close(draft->fd);
	return status;
}

int shmlog_create(const char *path, uint64_t capacity, mode_t mode,
                  unsigned flags)
{
	struct shmlog_draft draft;
	int status = shmlog_draft_open(path, capacity, mode, flags, &draft);

	if (status != 0)
		return status;
	return shmlog_draft_close(
		&draft, shmlog_draft_write_header(&draft, SHMLOG_HEADER_BYTES));
}
