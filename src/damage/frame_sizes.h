/*
 * Which frame sizes a log has, learned from its frames, and how many bits of
 * doubt a size therefore costs.  Pure: no system call.
 */
#ifndef SHMLOG_FRAME_SIZES_H
#define SHMLOG_FRAME_SIZES_H

#include <stdbool.h>
#include <stdint.h>

/* Evidence and costs are counted in sixteenths of a bit. */
#define SHMLOG_BIT 16

#define SHMLOG_SIZES_WORDS 65536u
#define SHMLOG_SIZES_BUCKETS 128u
/* So many frames say much of what sizes a log has. */
#define SHMLOG_SIZES_MANY 64u

/* Eight buckets an octave stand in for sizes that were not seen themselves. */
struct shmlog_sizes {
	uint32_t *counts; /* by size, owned */
	uint32_t buckets[SHMLOG_SIZES_BUCKETS];
	uint32_t total;
	uint32_t known; /* of them are known for frames of the log */
	uint32_t step;  /* all common sizes are multiples of it; 1 if unknown */
};

/* 0 or -ENOMEM; to be released in any case. */
int shmlog_sizes_init(struct shmlog_sizes *sizes);
void shmlog_sizes_release(struct shmlog_sizes *sizes);

/* Counts a frame of the log, and one that is likely one. */
void shmlog_sizes_learn(struct shmlog_sizes *sizes, uint32_t size);
void shmlog_sizes_guess(struct shmlog_sizes *sizes, uint32_t size);

/* Finds the step anew, after frames were learned. */
void shmlog_sizes_find_step(struct shmlog_sizes *sizes);

/* Whether frames of about this size were learned. */
bool shmlog_sizes_has(const struct shmlog_sizes *sizes, uint32_t size);

/* The negative logarithm of how likely a frame has this size. */
int32_t shmlog_sizes_cost(const struct shmlog_sizes *sizes, uint32_t size);

/* The logarithm to base 2, in sixteenths of a bit; of 0 it is 0. */
int32_t shmlog_log2(uint64_t value);

#endif
