/* Mappings of a log: of the whole file for readers and the writer, and of the
 * header for those who sleep. */
#include "mapping.h"

#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

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
		/* A mapping that stays keeps those that it took the place of,
		 * so that they stay, too. */
		shared |= each->references > 1;
		if (shared && each->writable &&
		    shmlog_sys_remap(each->base, (size_t)each->length,
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
