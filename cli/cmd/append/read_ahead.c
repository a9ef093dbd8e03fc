/* Reads a file ahead on a thread. */
#include "read_ahead.h"

#include "helper_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Less is over before a thread is worth it. */
#define LEAST_BYTES ((off_t)4 << 20)
/* Reads that are held at once: one that the caller works on, one that waits
 * for that, and one that is made. */
#define SLOTS 3u
/* The bytes of a read begin at a page, which the system copies to fastest. */
#define PAGE_BYTES 4096u

struct slot {
	unsigned char *memory;
	ssize_t got; /* bytes of the read, or -errno */
};

struct cli_read_ahead {
	int fd;
	size_t read_bytes;
	size_t before_bytes; /* of a slot, for what is left over */
	off_t offset;        /* of the next read; the thread's */
	off_t taken_to;      /* where the caller is; of the file */
	uint64_t taken;      /* reads that the caller has got */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* Under the mutex, as is the `got` of a slot: */
	uint64_t filled; /* reads that were made */
	uint64_t freed;  /* of them, those that nobody needs any more */
	bool unwanted;
	struct slot slots[SLOTS];
};

/* ------------------------------------------------------------- the thread */

/* Waits for a slot that is free; false if there is nothing more to do. */
static bool wait_for_slot(struct cli_read_ahead *ahead)
{
	pthread_mutex_lock(&ahead->mutex);
	while (!ahead->unwanted && ahead->filled - ahead->freed == SLOTS)
		pthread_cond_wait(&ahead->changed, &ahead->mutex);
	bool wanted = !ahead->unwanted;

	pthread_mutex_unlock(&ahead->mutex);
	return wanted;
}

static ssize_t read_once(struct cli_read_ahead *ahead, unsigned char *bytes)
{
	ssize_t got;

	do
		got = pread(ahead->fd, bytes, ahead->read_bytes, ahead->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	ahead->offset += got;
	return got;
}

static void *read_all(void *context)
{
	struct cli_read_ahead *ahead = context;
	ssize_t got = 1;

	for (uint64_t n = 0; got > 0 && wait_for_slot(ahead); n++) {
		struct slot *slot = &ahead->slots[n % SLOTS];

		got = read_once(ahead, slot->memory + ahead->before_bytes);
		pthread_mutex_lock(&ahead->mutex);
		slot->got = got;
		ahead->filled++;
		pthread_cond_signal(&ahead->changed);
		pthread_mutex_unlock(&ahead->mutex);
	}
	return NULL;
}

/* -------------------------------------------------------------- the caller */

static size_t whole_pages(size_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static bool make_slots(struct cli_read_ahead *ahead)
{
	size_t bytes = ahead->before_bytes + whole_pages(ahead->read_bytes);

	for (size_t i = 0; i < SLOTS; i++) {
		ahead->slots[i].memory = aligned_alloc(PAGE_BYTES, bytes);
		if (ahead->slots[i].memory == NULL)
			return false;
	}
	return true;
}

static void free_memory(struct cli_read_ahead *ahead)
{
	for (size_t i = 0; i < SLOTS; i++)
		free(ahead->slots[i].memory);
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->mutex);
	free(ahead);
}

struct cli_read_ahead *cli_read_ahead_begin(int fd, size_t read_bytes,
                                            size_t left_max)
{
	struct stat file;
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (at < 0 || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) ||
	    file.st_size - at < LEAST_BYTES || !cli_has_processors())
		return NULL;
	struct cli_read_ahead *ahead = calloc(1, sizeof(*ahead));

	if (ahead == NULL)
		return NULL;
	ahead->fd = fd;
	ahead->read_bytes = read_bytes;
	ahead->before_bytes = whole_pages(left_max);
	ahead->offset = ahead->taken_to = at;
	pthread_mutex_init(&ahead->mutex, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	if (make_slots(ahead) &&
	    cli_start_helper_thread(&ahead->thread, read_all, ahead) == 0)
		return ahead;
	free_memory(ahead);
	return NULL;
}

/* Waits for the read that is next, which the caller has then. */
static const struct slot *wait_for_read(struct cli_read_ahead *ahead)
{
	const struct slot *slot = &ahead->slots[ahead->taken % SLOTS];

	pthread_mutex_lock(&ahead->mutex);
	while (ahead->filled == ahead->taken)
		pthread_cond_wait(&ahead->changed, &ahead->mutex);
	pthread_mutex_unlock(&ahead->mutex);
	return slot;
}

/* Gives back all slots but this one. */
static void free_others(struct cli_read_ahead *ahead)
{
	pthread_mutex_lock(&ahead->mutex);
	ahead->freed = ahead->taken;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->mutex);
}

ssize_t cli_read_ahead_next(struct cli_read_ahead *ahead,
                            const unsigned char *left, size_t left_bytes,
                            unsigned char **buffer_out)
{
	const struct slot *slot = wait_for_read(ahead);

	*buffer_out = slot->memory + ahead->before_bytes - left_bytes;
	if (left_bytes > 0)
		memmove(*buffer_out, left, left_bytes);
	free_others(ahead);
	/* The last one, which has nothing, comes again. */
	if (slot->got <= 0)
		return slot->got;
	ahead->taken++;
	ahead->taken_to += slot->got;
	(void)lseek(ahead->fd, ahead->taken_to, SEEK_SET);
	return slot->got;
}

void cli_read_ahead_end(struct cli_read_ahead *ahead)
{
	if (ahead == NULL)
		return;
	pthread_mutex_lock(&ahead->mutex);
	ahead->unwanted = true;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->mutex);
	(void)pthread_join(ahead->thread, NULL);
	free_memory(ahead);
}
