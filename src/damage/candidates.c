/*
 * The weight of a candidate: how much its two size words prove.
 *
 * A frame begins and ends with the same size word, so two equal words whose
 * distance they name are a candidate.  The weight of a candidate is the
 * logarithm of a likelihood ratio: how likely the log has a frame of this size,
 * against how likely both words stand there by chance.  In noise the chance of
 * a word is 2^-16; where payloads often hold the word, the chance is as high as
 * that.
 */
#include "candidates.h"

#include <errno.h>
#include <stdlib.h>

/* A word that is rare in a short part of the log may be more common elsewhere,
 * so the rarity is computed as if this many bytes of noise were there too. */
#define NOISE_BYTES 256u
#define RAREST_BITS (16 * SHMLOG_BIT)

static int allocate_blocks(struct shmlog_candidates *candidates)
{
	size_t blocks = candidates->room;
	int status = 0;

	for (unsigned level = 0; level < SHMLOG_CANDIDATES_LEVELS; level++) {
		blocks = blocks / SHMLOG_CANDIDATES_BLOCK + 1;
		candidates->lowest_top[level] = malloc(
			blocks * sizeof(*candidates->lowest_top[level]));
		if (candidates->lowest_top[level] == NULL)
			status = -ENOMEM;
	}
	return status;
}

int shmlog_candidates_init(struct shmlog_candidates *candidates,
                           struct shmlog_sizes *outer, uint32_t most_bytes)
{
	size_t places = (size_t)most_bytes + 1;

	*candidates = (struct shmlog_candidates){
		.good = malloc(places * sizeof(*candidates->good)),
		.index = malloc(places * sizeof(*candidates->index)),
		.room = most_bytes / 2 + 1,
		.words = malloc(SHMLOG_SIZES_WORDS *
	                        sizeof(*candidates->words)),
		.frames = malloc(SHMLOG_SIZES_WORDS *
	                         sizeof(*candidates->frames)),
		.weights = malloc(SHMLOG_SIZES_WORDS *
	                          sizeof(*candidates->weights)),
		.outer = outer,
	};
	candidates->list = malloc(candidates->room * sizeof(*candidates->list));
	int status = allocate_blocks(candidates);
	int inner = shmlog_sizes_init(&candidates->inner);

	if (status == 0)
		status = inner;

	return candidates->good != NULL && candidates->index != NULL &&
	                       candidates->words != NULL &&
	                       candidates->frames != NULL &&
	                       candidates->weights != NULL &&
	                       candidates->list != NULL
	               ? status
	               : -ENOMEM;
}

void shmlog_candidates_release(struct shmlog_candidates *candidates)
{
	free(candidates->good);
	free(candidates->index);
	free(candidates->words);
	free(candidates->frames);
	free(candidates->weights);
	free(candidates->list);
	for (unsigned level = 0; level < SHMLOG_CANDIDATES_LEVELS; level++)
		free(candidates->lowest_top[level]);
	shmlog_sizes_release(&candidates->inner);
}

static int32_t find_rarity(const struct shmlog_candidates *candidates,
                           uint32_t word)
{
	uint32_t length = candidates->length;
	uint32_t found = candidates->frames[word];
	/* No more frames of this size than fit into the bytes can be real. */
	uint32_t fitting = length / (word > 0 ? word : 1) + 1;
	uint32_t likely = found < fitting ? found : fitting;
	uint32_t others = candidates->words[word] > 3 * likely
	                          ? candidates->words[word] - 3 * likely
	                          : 0;
	int32_t bits = RAREST_BITS;

	if (others > 0)
		bits = shmlog_log2((length + NOISE_BYTES) / others);
	if (bits > RAREST_BITS)
		bits = RAREST_BITS;
	/* Candidates that overlap one another cannot all be frames: most are
	 * none. */
	if (found > fitting)
		bits -= shmlog_log2(found / fitting);
	return bits > 0 ? bits : 0;
}

void shmlog_candidates_find_weight(const struct shmlog_candidates *candidates,
                                   uint32_t word)
{
	struct shmlog_weight *weight = &candidates->weights[word];

	weight->rarity = (int16_t)find_rarity(candidates, word);
	weight->cost = (int16_t)shmlog_sizes_cost(candidates->outer, word);
}
