/*
 * Walking over frames from both ends at once.  A frame has its size at its
 * start and at its end, so two walks can begin at the two ends of a log; where
 * they meet at one boundary, all of it is a chain of good frames.
 */
#ifndef SHMLOG_BOTH_ENDS_H
#define SHMLOG_BOTH_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who walks from the end. */
enum shmlog_second_walk {
	SHMLOG_SECOND_WHERE_IT_PAYS, /* one of those below */
	SHMLOG_SECOND_NOBODY,
	SHMLOG_SECOND_IN_TURN, /* the thread that walks from the start */
	SHMLOG_SECOND_THREAD,  /* another one; if there is none, as above */
};

/* The bytes to walk over, and how. */
struct shmlog_walk_request {
	int fd;
	uint64_t offset; /* in the file */
	uint64_t length; /* bytes */
	/* Bytes that a walk reads at a time; 0: the default. */
	size_t chunk_bytes;
	enum shmlog_second_walk second;
	/* Called now and then, on the thread of the caller, with how many bytes
	 * the walks are over; nonzero ends them.  May be NULL. */
	int (*passed)(void *context, uint64_t bytes);
	void *context;
};

/* What the walks have counted. */
struct shmlog_chain_count {
	uint64_t frames;
	/* NULL, or a counter for each size of a payload, which the frames of
	 * that size are added to. */
	uint64_t *size_counts;
};

/*
 * Counts the frames of a stretch if they are a chain from its first byte to its
 * last.  Stores whether they are; if not, nothing is counted, and a walk from
 * the start has to find out why: damage, a file that was cut or cannot be read,
 * or no memory.  Returns 0, or what passed() returned.
 *
 * A chain that was found is the one that a walk from the start would find,
 * unless the bytes change meanwhile: each size word is loaded once, from a
 * private copy, and compared by subtraction.
 */
int shmlog_count_chain(const struct shmlog_walk_request *request,
                       struct shmlog_chain_count *count, bool *is_chain_out);

/* A way that is shorter takes a few milliseconds at most, step by step. */
#define SHMLOG_LONG_WAY_BYTES ((uint64_t)4 << 20)

/*
 * Counts the frames of a long way between two boundaries, `from` and `to` in a
 * file; less than 0 where it leads down.  False if the way is short, or if the
 * walks do not meet, so that steps have to show where the frames lead to.
 */
static inline bool shmlog_count_way(int fd, uint64_t from, uint64_t to,
                                    int64_t *frames_out)
{
	const struct shmlog_walk_request request = {
		.fd = fd,
		.offset = from < to ? from : to,
		.length = from < to ? to - from : from - to,
	};
	struct shmlog_chain_count count = {.frames = 0};
	bool is_chain = false;

	if (request.length < SHMLOG_LONG_WAY_BYTES)
		return false;
	(void)shmlog_count_chain(&request, &count, &is_chain);
	*frames_out = from < to ? (int64_t)count.frames
	                        : -(int64_t)count.frames;
	return is_chain;
}

#endif
