/*
 * Making a log longer.
 *
 * Nobody has to be told.  A reader that meets a `size` beyond what it has
 * mapped maps the file anew; an appender asks for the file's length each time
 * it acquires write access; and what a session keeps is released, as the lock
 * is taken here.  A `size` beyond the old end is stored only by a process that
 * has seen the new length, so it is never seen before that.
 */
#include "create.h"
#include "write_access.h"

#include <errno.h>
#include <unistd.h>

/*
 * Reserves what lies behind the file's end, which makes it longer.  What fails
 * halfway has made it longer in part on some file systems; that is taken back,
 * unless a writer that takes no lock has used it already.
 */
static int lengthen(const struct shmlog_write_access *access, uint64_t capacity)
{
	uint64_t bytes = capacity - access->capacity;
	uint64_t size = 0;

	if (shmlog_is_too_large(access->fd, bytes))
		return -ENOSPC;
	int status = shmlog_reserve(access->fd, access->capacity, bytes);

	if (status == 0)
		return 0;
	if (shmlog_access_size(access, &size) == 0 &&
	    size <= access->capacity &&
	    ftruncate(access->fd, (off_t)access->capacity) != 0)
		return -errno;
	return status;
}

int shmlog_grow(struct shmlog *log, uint64_t capacity,
                const struct shmlog_change_options *options)
{
	const struct shmlog_access_terms terms = shmlog_change_terms(options);
	struct shmlog_write_access access;

	if (capacity > INT64_MAX)
		return SHMLOG_ERR_CAPACITY;
	pthread_mutex_lock(&log->append_mutex);
	/* A log that is damaged may grow as any other. */
	int status = shmlog_access_acquire_unchecked(log, &terms, &access);

	if (status == 0) {
		if (capacity < access.capacity)
			status = SHMLOG_ERR_CAPACITY;
		else if (capacity > access.capacity)
			status = lengthen(&access, capacity);
		shmlog_access_release(&access);
	}
	pthread_mutex_unlock(&log->append_mutex);
	return status;
}
