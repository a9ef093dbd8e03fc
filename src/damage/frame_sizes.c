/* Learns which frame sizes a log has. */
#include "frame_sizes.h"

#include "format.h"

#include <errno.h>
#include <stdlib.h>

/* At this total the counts are halved, so that they never overflow and the
 * weight of old frames fades. */
#define MOST_LEARNED (1u << 24)
/* At least this many frames must be known before their common divisor is taken
 * for that of all sizes. */
#define STEP_FRAMES 32u
/* A size is common if at least one frame in this many has it. */
#define COMMON_SHARE 1000u
/* The cost of a size that was never seen, beside the logarithm of the size. */
#define UNSEEN_BITS (4 * SHMLOG_BIT)
/* The further cost of a size that is no multiple of the common divisor. */
#define MISMATCH_BITS (16 * SHMLOG_BIT)

int32_t shmlog_log2(uint64_t value)
{
	if (value == 0)
		return 0;
	int32_t whole = 63 - __builtin_clzll(value);
	uint64_t fraction = whole >= 4 ? value >> (whole - 4)
	                               : value << (4 - whole);

	return whole * SHMLOG_BIT + (int32_t)(fraction & 15);
}

/* The bucket of a size, and how many sizes share it. */
static uint32_t bucket_of(uint32_t size, uint32_t *width_out)
{
	*width_out = 1;
	if (size < 8)
		return size;
	uint32_t octave = 31u - (uint32_t)__builtin_clz(size);

	*width_out = 1u << (octave - 3);
	return (octave << 3) + (size >> (octave - 3) & 7);
}

int shmlog_sizes_init(struct shmlog_sizes *sizes)
{
	*sizes = (struct shmlog_sizes){
		.counts = calloc(SHMLOG_SIZES_WORDS, sizeof(*sizes->counts)),
		.step = 1,
	};
	return sizes->counts != NULL ? 0 : -ENOMEM;
}

void shmlog_sizes_release(struct shmlog_sizes *sizes)
{
	free(sizes->counts);
	sizes->counts = NULL;
}

static void fade(struct shmlog_sizes *sizes)
{
	sizes->total = 0;
	sizes->known /= 2;
	for (uint32_t i = 0; i < SHMLOG_SIZES_WORDS; i++) {
		sizes->counts[i] /= 2;
		sizes->total += sizes->counts[i];
	}
	for (uint32_t i = 0; i < SHMLOG_SIZES_BUCKETS; i++)
		sizes->buckets[i] /= 2;
}

void shmlog_sizes_learn(struct shmlog_sizes *sizes, uint32_t size)
{
	shmlog_sizes_guess(sizes, size);
	sizes->known++;
}

void shmlog_sizes_guess(struct shmlog_sizes *sizes, uint32_t size)
{
	uint32_t width;

	if (sizes->total == MOST_LEARNED)
		fade(sizes);
	sizes->counts[size]++;
	sizes->buckets[bucket_of(size, &width)]++;
	sizes->total++;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void shmlog_sizes_find_step(struct shmlog_sizes *sizes)
{
	uint32_t step = 0;

	sizes->step = 1;
	if (sizes->total < STEP_FRAMES)
		return;
	for (uint32_t i = SHMLOG_FRAME_OVERHEAD_BYTES;
	     i < SHMLOG_SIZES_WORDS && step != 1; i++) {
		if ((uint64_t)sizes->counts[i] * COMMON_SHARE > sizes->total)
			step = common_divisor(step, i);
	}
	sizes->step = step > 0 ? step : 1;
}

bool shmlog_sizes_has(const struct shmlog_sizes *sizes, uint32_t size)
{
	uint32_t width;

	return sizes->buckets[bucket_of(size, &width)] > 0;
}

int32_t shmlog_sizes_cost(const struct shmlog_sizes *sizes, uint32_t size)
{
	uint32_t width;
	uint32_t bucket = sizes->buckets[bucket_of(size, &width)];
	int32_t cost = shmlog_log2(size) + UNSEEN_BITS;
	int32_t total = shmlog_log2((uint64_t)sizes->total + 8);

	if (bucket > 0) {
		int32_t shared = total + shmlog_log2(width) -
		                 shmlog_log2(bucket) + 2 * SHMLOG_BIT;

		cost = shared < cost ? shared : cost;
	}
	if (sizes->counts[size] > 0) {
		int32_t own = total - shmlog_log2(sizes->counts[size]) +
		              SHMLOG_BIT;

		cost = own < cost ? own : cost;
	}
	return size % sizes->step == 0 ? cost : cost + MISMATCH_BITS;
}
