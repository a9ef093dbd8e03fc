/* Opening, inspecting, identifying and closing logs. */
#include "log.h"

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between two tries to open a file that another process has a lease on. */
#define FIRST_LEASE_PAUSE_NS 200000
#define LONGEST_LEASE_PAUSE_NS 20000000

/*
 * open(2) for reading that waits for no FIFO and no device, but for another
 * process's lease, as a waiting one would: each try asks for it, and the
 * system takes it away in the end.
 */
static int open_patiently(const char *path)
{
	int64_t pause = FIRST_LEASE_PAUSE_NS;
	int fd;

	while ((fd = shmlog_sys_open(
			path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
			0)) < 0 &&
	       errno == EWOULDBLOCK) {
		if (shmlog_sys_pause(pause) != 0)
			return -1;
		if (pause < LONGEST_LEASE_PAUSE_NS)
			pause *= 2;
	}
	return fd;
}

/* Opens a path for reading without waiting for whatever it is. */
static int open_file(const char *path, int *fd_out, struct stat *file_out)
{
	int fd = open_patiently(path);

	if (fd < 0) {
		/* Sockets cannot be opened at all. */
		return errno == ENXIO || errno == ENODEV
		               ? SHMLOG_ERR_NOT_REGULAR
		               : -errno;
	}
	if (fstat(fd, file_out) != 0) {
		int status = -errno;

		close(fd);
		return status;
	}
	if (!S_ISREG(file_out->st_mode)) {
		close(fd);
		return SHMLOG_ERR_NOT_REGULAR;
	}
	*fd_out = fd;
	return 0;
}

/* Reads and checks the header of an open file.  Words that could not be read
 * stay as they are. */
static int check_file(int fd, const struct stat *file,
                      struct shmlog_header *header_out)
{
	header_out->capacity = (uint64_t)file->st_size;
	if (header_out->capacity < SHMLOG_HEADER_BYTES)
		return SHMLOG_ERR_TOO_SHORT;

	int status = shmlog_load_header(fd, header_out);

	if (status == SHMLOG_ERR_MAPPING_GONE)
		return SHMLOG_ERR_TOO_SHORT;
	return status != 0 ? status : shmlog_format_check_header(header_out);
}

int shmlog_inspect(const char *path, struct shmlog_header *header_out)
{
	struct stat file;
	int fd;

	memset(header_out, 0, sizeof(*header_out));
	int status = open_file(path, &fd, &file);

	if (status != 0)
		return status;
	status = check_file(fd, &file, header_out);
	close(fd);
	return status;
}

static struct shmlog_identity identity_of(int fd, const struct stat *file)
{
	return (struct shmlog_identity){
		.device = (uint64_t)file->st_dev,
		.inode = (uint64_t)file->st_ino,
		.birth_ns = shmlog_sys_birth_ns(fd),
		.filesystem = shmlog_sys_filesystem(fd, file),
	};
}

/* Makes the handle of a file whose header is sound.  Takes the descriptor,
 * unless it fails. */
static int make_log(int fd, const char *path, const struct stat *file,
                    const struct shmlog_header *header, struct shmlog **log_out)
{
	struct shmlog *log = calloc(1, sizeof(*log));
	int status = -ENOMEM;

	if (log == NULL)
		return status;
	if (path != NULL && (log->path = strdup(path)) == NULL)
		goto free_log;
	status = -pthread_mutex_init(&log->mutex, NULL);
	if (status != 0)
		goto free_path;
	status = -pthread_mutex_init(&log->append_mutex, NULL);
	if (status != 0)
		goto destroy_mutex;
	log->fd = fd;
	log->lock_fd = -1;
	log->identity = identity_of(fd, file);
	log->header_size = header->header_size;
	log->data_offset = header->data_offset;
	*log_out = log;
	return 0;

destroy_mutex:
	pthread_mutex_destroy(&log->mutex);
free_path:
	free(log->path);
free_log:
	free(log);
	return status;
}

int shmlog_open_descriptor(int fd, const char *path, struct shmlog **log_out)
{
	struct shmlog_header header = {0};
	struct stat file;
	int status = fstat(fd, &file) == 0 ? 0 : -errno;

	if (status == 0)
		status = check_file(fd, &file, &header);
	if (status == 0)
		status = make_log(fd, path, &file, &header, log_out);
	if (status != 0)
		close(fd);
	return status;
}

int shmlog_open(const char *path, struct shmlog **log_out)
{
	struct stat file;
	int fd;
	int status = open_file(path, &fd, &file);

	return status == 0 ? shmlog_open_descriptor(fd, path, log_out) : status;
}

void shmlog_close(struct shmlog *log)
{
	if (log == NULL)
		return;
	pthread_mutex_destroy(&log->append_mutex);
	pthread_mutex_destroy(&log->mutex);
	if (log->header != NULL)
		munmap(log->header, SHMLOG_HEADER_BYTES);
	close(log->fd);
	free(log->path);
	free(log);
}

int shmlog_read_header(const struct shmlog *log,
                       struct shmlog_header *header_out)
{
	struct shmlog_header header = {0};
	int status = shmlog_load_header(log->fd, &header);

	if (status != 0 && status != SHMLOG_ERR_MAPPING_GONE)
		return status;
	*header_out = header;
	return status == 0 ? shmlog_judge_header(&header) : status;
}

uint64_t shmlog_data_offset(const struct shmlog *log)
{
	return log->data_offset;
}

struct shmlog_identity shmlog_identity(const struct shmlog *log)
{
	return log->identity;
}

bool shmlog_same_file(const struct shmlog_identity *a,
                      const struct shmlog_identity *b)
{
	if (a->inode != b->inode || a->birth_ns != b->birth_ns)
		return false;
	if (a->device == b->device)
		return true;
	/* A device's number is that of one mount: the file system may have got
	 * another one since, unless it is known to be another system. */
	return a->birth_ns != 0 && (a->filesystem == b->filesystem ||
	                            a->filesystem == 0 || b->filesystem == 0);
}

int shmlog_check_named(const struct shmlog *log, uint64_t *length_out)
{
	struct stat file;

	if ((log->path != NULL ? stat(log->path, &file)
	                       : fstat(log->fd, &file)) != 0)
		return -errno;
	*length_out = (uint64_t)file.st_size;
	return (uint64_t)file.st_dev == log->identity.device &&
	                       (uint64_t)file.st_ino == log->identity.inode
	               ? 0
	               : SHMLOG_ERR_REPLACED;
}

int shmlog_check_name(const struct shmlog *log)
{
	uint64_t length;

	return shmlog_check_named(log, &length);
}
