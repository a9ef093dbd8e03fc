/*
 * Which frame sizes a log has, learned from its frames, and the cost of a size:
 * its negative log-likelihood.  Pure: no system call.
 */
#ifndef SHMLOG_FRAME_SIZES_H
#define SHMLOG_FRAME_SIZES_H

#include <stdbool.h>
#include <stdint.h>

/* Evidence and costs are counted in sixteenths of a bit. */
#define SHMLOG_BIT 16

#define SHMLOG_SIZES_WORDS 65536u
#define SHMLOG_SIZES_BUCKETS 128u
/* From this many frames on, the sizes of a log count as known. */
#define SHMLOG_SIZES_MANY 64u

/* A histogram of sizes.  For a size that was not seen itself, the count of its
 * bucket stands in; there are eight buckets to each power of two. */
struct shmlog_sizes {
	uint32_t *counts; /* by size, owned */
	uint32_t buckets[SHMLOG_SIZES_BUCKETS];
	uint32_t total;
	uint32_t known; /* of them that are frames for sure */
	uint32_t step;  /* common divisor of all common sizes; 1 if unknown */
};

/* 0 or -ENOMEM; must be released in either case. */
int shmlog_sizes_init(struct shmlog_sizes *sizes);
void shmlog_sizes_release(struct shmlog_sizes *sizes);

/* Counts a frame of the log, or a likely one. */
void shmlog_sizes_learn(struct shmlog_sizes *sizes, uint32_t size);
void shmlog_sizes_guess(struct shmlog_sizes *sizes, uint32_t size);

/* Computes the step again, after frames were learned. */
void shmlog_sizes_find_step(struct shmlog_sizes *sizes);

/* Whether frames of about this size were learned. */
bool shmlog_sizes_has(const struct shmlog_sizes *sizes, uint32_t size);

/* The negative logarithm of how likely a frame has this size. */
int32_t shmlog_sizes_cost(const struct shmlog_sizes *sizes, uint32_t size);

/* The logarithm to base 2, in sixteenths of a bit; of 0 it is 0. */
int32_t shmlog_log2(uint64_t value);

#endif
