/* A private copy of a part of a file, refilled as needed. */
#include "window.h"

#include "file.h"

#include <errno.h>
#include <stdlib.h>

/* The first read after a jump: enough for a handful of frames.  Each further
 * one is twice as long, up to the window, so that ten frames from the end of
 * a log cost one small read and a walk over all of it few large ones. */
#define FIRST_READ_BYTES 8192u

/* The window until longer reads are due: from the heap, where a longer one is
 * a mapping of its own, which few frames do not pay for. */
#define LEAST_BYTES ((size_t)SHMLOG_FRAME_MAX_BYTES + 1)

int shmlog_window_init(struct shmlog_window *window, int fd,
                       uint64_t base_offset, size_t capacity_bytes)
{
	if (capacity_bytes < LEAST_BYTES)
		capacity_bytes = LEAST_BYTES;
	*window = (struct shmlog_window){
		.fd = fd,
		.base_offset = base_offset,
		.allocated = LEAST_BYTES,
		.capacity = capacity_bytes,
		.readahead = FIRST_READ_BYTES,
	};
	window->bytes = malloc(LEAST_BYTES);
	return window->bytes != NULL ? 0 : -ENOMEM;
}

void shmlog_window_release(struct shmlog_window *window)
{
	free(window->bytes);
	window->bytes = NULL;
}

void shmlog_window_jump(struct shmlog_window *window)
{
	window->readahead = FIRST_READ_BYTES;
}

/* Makes the window, and drops what it holds, as long as it may be.  Without
 * the memory it stays as it is: a shorter one is slower, nothing else. */
static void grow(struct shmlog_window *window)
{
	unsigned char *bytes = malloc(window->capacity);

	if (bytes == NULL)
		return;
	free(window->bytes);
	window->bytes = bytes;
	window->allocated = window->capacity;
	window->used = 0;
}

/* How much to read: at least `need`, ahead as far as it goes. */
static size_t next_read(struct shmlog_window *window, size_t need,
                        uint64_t available)
{
	size_t wanted = window->readahead > need ? window->readahead : need;

	if (wanted > window->allocated && window->allocated < window->capacity)
		grow(window);
	if (wanted > window->allocated)
		wanted = window->allocated;
	if (window->readahead < window->capacity)
		window->readahead *= 2;
	return wanted < available ? wanted : (size_t)available;
}

static int refill(struct shmlog_window *window, uint64_t start, size_t bytes)
{
	window->used = 0;
	int status = shmlog_read_at(window->fd, window->base_offset + start,
	                            window->bytes, bytes);

	if (status != 0)
		return status;
	window->start = start;
	window->used = bytes;
	return 0;
}

int shmlog_window_fill(struct shmlog_window *window, uint64_t position,
                       size_t need, uint64_t limit)
{
	if (shmlog_window_after(window, position) >= need)
		return 0;
	return refill(window, position,
	              next_read(window, need, limit - position));
}

int shmlog_window_fill_before(struct shmlog_window *window, uint64_t position,
                              size_t need)
{
	if (shmlog_window_before(window, position) >= need)
		return 0;

	size_t bytes = next_read(window, need, position);

	return refill(window, position - bytes, bytes);
}
