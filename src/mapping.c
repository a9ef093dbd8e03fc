/* Open, inspect, map and unmap logs. */
#include "mapping.h"

#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int shmlog_read_at(int fd, uint64_t offset, void *bytes, size_t size_bytes)
{
	unsigned char *to = bytes;

	while (size_bytes > 0) {
		ssize_t got = pread(fd, to, size_bytes, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return SHMLOG_ERR_MAPPING_GONE;
		to += got;
		offset += (uint64_t)got;
		size_bytes -= (size_t)got;
	}
	return 0;
}

int shmlog_write_at(int fd, uint64_t offset, const void *bytes,
                    size_t size_bytes)
{
	const unsigned char *from = bytes;

	while (size_bytes > 0) {
		ssize_t put = pwrite(fd, from, size_bytes, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		from += put;
		offset += (uint64_t)put;
		size_bytes -= (size_t)put;
	}
	return 0;
}

/* The length of a file.  Moves the descriptor's own position, which nobody
 * uses: half the way through the kernel that fstat(2) takes. */
int shmlog_load_length(int fd, uint64_t *length_out)
{
	off_t length = lseek(fd, 0, SEEK_END);

	if (length < 0)
		return -errno;
	*length_out = (uint64_t)length;
	return 0;
}

int shmlog_check_length(int fd, uint64_t size)
{
	uint64_t length = 0;
	int status = shmlog_load_length(fd, &length);

	if (status != 0)
		return status;
	return length >= size ? 0 : SHMLOG_ERR_MAPPING_GONE;
}

/* Sizes below this have nothing in their upper half that could change. */
#define HALF_WORD_RANGE ((uint64_t)1 << 32)

/*
 * The kernel copies aligned words of 32 bits at least in one piece, but it
 * does not promise to take both halves of `size` at once.  In a file below
 * 4 GiB the upper half is always 0.  In a larger one, two loads in a row with
 * the same upper half, the second not below the first, show that the second
 * was not caught between the halves of a store: `size` only grows.  (To ask
 * for two equal loads would never end beside a busy writer.)
 */
static bool is_one_piece(uint64_t first, uint64_t second)
{
	return first / HALF_WORD_RANGE == second / HALF_WORD_RANGE &&
	       first <= second;
}

static int load_words(int fd, struct shmlog_header *header_out)
{
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	int status = shmlog_read_at(fd, 0, bytes, sizeof(bytes));

	if (status == 0)
		shmlog_format_load_header(header_out, bytes);
	return status;
}

int shmlog_load_header(int fd, struct shmlog_header *header_out)
{
	int status = load_words(fd, header_out);

	if (status != 0 && status != SHMLOG_ERR_MAPPING_GONE)
		return status;
	/* After the words: a file that grows meanwhile raises no alarm. */
	int measured = shmlog_load_length(fd, &header_out->capacity);

	if (measured != 0 || status != 0)
		return measured != 0 ? measured : status;
	if (header_out->capacity >= HALF_WORD_RANGE) {
		struct shmlog_header first;

		do {
			first = *header_out;
			status = load_words(fd, header_out);
		} while (status == 0 &&
		         !is_one_piece(first.size, header_out->size));
		/* What was committed since may lie in what has grown. */
		if (status == 0)
			status = shmlog_load_length(fd, &header_out->capacity);
	}
	/* Frames are read after the size that covers them. */
	atomic_thread_fence(memory_order_acquire);
	return status;
}

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
	struct timespec pause = {.tv_nsec = FIRST_LEASE_PAUSE_NS};
	int fd;

	while ((fd = shmlog_platform_open(
			path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
			0)) < 0 &&
	       errno == EWOULDBLOCK) {
		if (nanosleep(&pause, NULL) != 0)
			return -1;
		if (pause.tv_nsec < LONGEST_LEASE_PAUSE_NS)
			pause.tv_nsec *= 2;
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
		.birth_ns = shmlog_platform_birth_ns(fd),
		.filesystem = shmlog_platform_filesystem(fd, file),
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
	log->path = strdup(path);
	if (log->path == NULL)
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

int shmlog_judge_header(const struct shmlog_header *header)
{
	int status = shmlog_format_check_header(header);

	return status == SHMLOG_ERR_TOO_SHORT ||
	                       (status != 0 && header->size > header->capacity)
	               ? SHMLOG_ERR_MAPPING_GONE
	               : status;
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

	if (stat(log->path, &file) != 0)
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

int shmlog_processes(const struct shmlog *log,
                     int (*visit)(void *context, const struct shmlog_process *),
                     void *context)
{
	struct stat file;

	if (fstat(log->fd, &file) != 0)
		return -errno;
	return shmlog_platform_processes(&file, visit, context);
}

bool shmlog_processes_hidden(void)
{
	return shmlog_platform_hides_processes();
}

int shmlog_unseen_writers(struct shmlog *log)
{
	pthread_mutex_lock(&log->append_mutex);
	int unseen = log->unseen;

	pthread_mutex_unlock(&log->append_mutex);
	return unseen;
}

int64_t shmlog_lock_holder(const struct shmlog *log)
{
	struct stat file;

	return fstat(log->fd, &file) == 0 ? shmlog_platform_lock_holder(&file)
	                                  : 0;
}

/* Looks at a descriptor: 1 for a pipe, 0 for anything else, -errno. */
static int look_at_pipe(int fd, struct stat *pipe_out)
{
	if (fstat(fd, pipe_out) != 0)
		return -errno;
	return S_ISFIFO(pipe_out->st_mode);
}

int shmlog_mark_output(struct shmlog *log, int fd)
{
	struct stat pipe;
	int found = look_at_pipe(fd, &pipe);

	return found == 1 ? shmlog_platform_mark_output(log->fd, &pipe) : found;
}

int shmlog_is_fed(const struct shmlog *log, int fd)
{
	struct stat pipe;
	int found = look_at_pipe(fd, &pipe);

	return found == 1 ? shmlog_platform_has_output(log->fd, &pipe) : found;
}

int shmlog_processes_at(const char *path,
                        int (*visit)(void *context,
                                     const struct shmlog_process *),
                        void *context)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return -errno;
	return shmlog_platform_processes(&file, visit, context);
}

/* Maps the whole file.  The mutex is held. */
static int map_file(int fd, bool writable, uint64_t least_length,
                    struct shmlog_mapping **mapping_out)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return -errno;
	if ((uint64_t)file.st_size < least_length)
		return SHMLOG_ERR_MAPPING_GONE;
	if ((uint64_t)file.st_size > SIZE_MAX)
		return -EFBIG;

	struct shmlog_mapping *mapping = calloc(1, sizeof(*mapping));

	if (mapping == NULL)
		return -ENOMEM;
	void *base = mmap(NULL, (size_t)file.st_size,
	                  writable ? PROT_READ | PROT_WRITE : PROT_READ,
	                  MAP_SHARED, fd, 0);

	if (base == MAP_FAILED) {
		int status = -errno;

		free(mapping);
		return status;
	}
	mapping->base = base;
	mapping->length = (uint64_t)file.st_size;
	mapping->writable = writable;
	mapping->references = 1;
	*mapping_out = mapping;
	return 0;
}

int shmlog_mapping_acquire(struct shmlog *log, int fd, bool writable,
                           uint64_t least_length,
                           struct shmlog_mapping **mapping_out)
{
	int status = 0;

	pthread_mutex_lock(&log->mutex);
	struct shmlog_mapping *current = log->current;

	if (current != NULL && current->length >= least_length &&
	    (current->writable || !writable)) {
		current->references++;
		*mapping_out = current;
	} else {
		status = map_file(fd, writable, least_length, mapping_out);
		if (status == 0) {
			(*mapping_out)->previous = current;
			if (current != NULL)
				current->references++;
			log->current = *mapping_out;
		}
	}
	pthread_mutex_unlock(&log->mutex);
	return status;
}

void shmlog_mapping_release(struct shmlog *log, struct shmlog_mapping *mapping)
{
	pthread_mutex_lock(&log->mutex);
	while (mapping != NULL && --mapping->references == 0) {
		struct shmlog_mapping *previous = mapping->previous;

		if (log->current == mapping)
			log->current = NULL;
		munmap(mapping->base, (size_t)mapping->length);
		free(mapping);
		mapping = previous;
	}
	pthread_mutex_unlock(&log->mutex);
}

void shmlog_mapping_retire(struct shmlog *log, struct shmlog_mapping *mapping)
{
	bool shared = false;

	pthread_mutex_lock(&log->mutex);
	for (struct shmlog_mapping *each = mapping; each != NULL;
	     each = each->previous) {
		/* What stays mapped keeps those that it took the place of. */
		shared |= each->references > 1;
		if (shared && each->writable &&
		    shmlog_platform_remap(each->base, (size_t)each->length,
		                          log->fd) == 0)
			each->writable = false;
	}
	pthread_mutex_unlock(&log->mutex);
	shmlog_mapping_release(log, mapping);
}

bool shmlog_is_unmappable(int status)
{
	return status == -ENODEV || status == -EINVAL || status == -ENOSYS ||
	       status == -EOPNOTSUPP;
}

int shmlog_size_word(struct shmlog *log, const _Atomic uint64_t **word_out)
{
	int status = 0;

	pthread_mutex_lock(&log->mutex);
	if (log->header == NULL) {
		void *header = mmap(NULL, SHMLOG_HEADER_BYTES, PROT_READ,
		                    MAP_SHARED, log->fd, 0);

		if (header == MAP_FAILED)
			status = -errno;
		else
			log->header = header;
	}
	if (status == 0)
		*word_out = &log->header->size;
	pthread_mutex_unlock(&log->mutex);
	return status;
}
