/*
 * A window on a file: a private copy of a part of it, read with pread(2), so
 * that neither a cut nor a hole is ever met through a mapping, and no byte is
 * fetched twice.
 */
#ifndef SHMLOG_WINDOW_H
#define SHMLOG_WINDOW_H

#include <shmlog.h>
#include <stddef.h>
#include <stdint.h>

/* Positions count bytes from `base_offset`. */
struct shmlog_window {
	int fd;
	uint64_t base_offset;
	unsigned char *bytes;
	size_t allocated; /* at least one whole frame */
	size_t capacity;  /* bytes to hold once reads have grown that long */
	uint64_t start;   /* position of the first byte held */
	size_t used;      /* bytes held */
	size_t readahead; /* bytes to read at least, next time */
};

/* 0 or -ENOMEM.  capacity_bytes is raised to one whole frame. */
int shmlog_window_init(struct shmlog_window *window, int fd,
                       uint64_t base_offset, size_t capacity_bytes);
void shmlog_window_release(struct shmlog_window *window);

/* Starts reading ahead in small steps again, after a jump. */
void shmlog_window_jump(struct shmlog_window *window);

/*
 * How many bytes from `position` on are held; at least `need` of them (at
 * most one frame) after a refill, which reads ahead but never beyond
 * `limit`.  Stores where they are.  0, -errno, SHMLOG_ERR_MAPPING_GONE.
 */
int shmlog_window_fill(struct shmlog_window *window, uint64_t position,
                       size_t need, uint64_t limit);
/* The same for the bytes that end at `position`. */
int shmlog_window_fill_before(struct shmlog_window *window, uint64_t position,
                              size_t need);

/* Bytes held from `position` on, and up to it. */
static inline size_t shmlog_window_after(const struct shmlog_window *window,
                                         uint64_t position)
{
	if (position < window->start ||
	    position - window->start >= window->used)
		return 0;
	return window->used - (size_t)(position - window->start);
}

static inline size_t shmlog_window_before(const struct shmlog_window *window,
                                          uint64_t position)
{
	if (position < window->start || position - window->start > window->used)
		return 0;
	return (size_t)(position - window->start);
}

/* The byte at a position that is held, or just behind the last one. */
static inline const unsigned char *
shmlog_window_at(const struct shmlog_window *window, uint64_t position)
{
	return window->bytes + (size_t)(position - window->start);
}

#endif
