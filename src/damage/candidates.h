/*
 * Candidates: all that could be a frame in a part of a log, and how much each
 * proves.  Pure: no system call.
 */
#ifndef SHMLOG_CANDIDATES_H
#define SHMLOG_CANDIDATES_H

#include "frame_sizes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHMLOG_NOWHERE UINT32_MAX
/* A search for strong runs can pass a block of candidates at once, and a block
 * of blocks. */
#define SHMLOG_CANDIDATES_BLOCK 64u
#define SHMLOG_CANDIDATES_LEVELS 2u

/* Bytes that begin and end with the same size word, which names their length
 * and would hardly stand there by chance. */
struct shmlog_candidate {
	uint32_t start;
	uint32_t total;
	uint32_t top;   /* where the run of candidates from here on ends */
	uint32_t next;  /* number of the one at its end, or _NOWHERE */
	int32_t value;  /* evidence, that of frames in its payload included */
	int32_t sum;    /* evidence of the run from here on */
	int32_t nested; /* the same if the run lies in a payload */
	bool follows;   /* another candidate ends where it starts */
};

/* The rarity of a word, and the cost of a frame of that size, in sixteenths of
 * a bit. */
struct shmlog_weight {
	int16_t rarity; /* or SHMLOG_NOT_WEIGHED */
	int16_t cost;
};

/* Each byte of it is the same, for memset(). */
#define SHMLOG_NOT_WEIGHED ((int16_t)-1)

struct shmlog_candidates {
	const unsigned char *bytes;
	uint32_t length;
	uint16_t *good;  /* by place: the size that both words name, or 0 */
	uint32_t *index; /* by place with good: number in the list; _NOWHERE if
	                  * its two words prove nothing */
	struct shmlog_candidate *list; /* ascending by start */
	/* By block: the lowest top of a strong run that begins there; _NOWHERE
	 * if none does. */
	uint32_t *lowest_top[SHMLOG_CANDIDATES_LEVELS];
	uint32_t count;
	uint32_t room;
	uint32_t *words;  /* by word: how often it stands in the bytes */
	uint32_t *frames; /* by word: how many places have it as good */
	struct shmlog_weight *weights; /* by word */
	struct shmlog_sizes *outer;    /* frames of the log */
	struct shmlog_sizes inner;     /* frames in payloads of those */
	uint32_t outer_frames; /* frames with such payloads that were found */
};

/* The candidate that starts at a place; NULL if there is none. */
static inline const struct shmlog_candidate *
shmlog_candidate_at(const struct shmlog_candidates *candidates, uint32_t at)
{
	return candidates->good[at] != 0 &&
	                       candidates->index[at] != SHMLOG_NOWHERE
	               ? &candidates->list[candidates->index[at]]
	               : NULL;
}

/* Allocates room for parts of up to `most_bytes`: 6 bytes for each byte, and up
 * to 16 more that are touched only where frames are tiny.  0 or -ENOMEM; must
 * be released in either case. */
int shmlog_candidates_init(struct shmlog_candidates *candidates,
                           struct shmlog_sizes *outer, uint32_t most_bytes);
void shmlog_candidates_release(struct shmlog_candidates *candidates);

/* Computes the weight of a word that was not asked for before. */
void shmlog_candidates_find_weight(const struct shmlog_candidates *candidates,
                                   uint32_t word);

static inline const struct shmlog_weight *
shmlog_candidates_weigh(const struct shmlog_candidates *candidates,
                        uint32_t word)
{
	if (candidates->weights[word].rarity == SHMLOG_NOT_WEIGHED)
		shmlog_candidates_find_weight(candidates, word);
	return &candidates->weights[word];
}

/* How rarely a size word occurs in the bytes by chance: up to 16 bits. */
static inline int32_t
shmlog_candidates_rarity(const struct shmlog_candidates *candidates,
                         uint32_t word)
{
	return shmlog_candidates_weigh(candidates, word)->rarity;
}

/* The evidence for a frame of this size that its two size words give, and that
 * one of them gives; may be negative. */
static inline int32_t
shmlog_candidates_weight(const struct shmlog_candidates *candidates,
                         uint32_t size)
{
	const struct shmlog_weight *weight = shmlog_candidates_weigh(candidates,
	                                                             size);

	return 2 * weight->rarity - weight->cost;
}

static inline int32_t
shmlog_candidates_word(const struct shmlog_candidates *candidates,
                       uint32_t size)
{
	const struct shmlog_weight *weight = shmlog_candidates_weigh(candidates,
	                                                             size);

	return weight->rarity - weight->cost;
}

#endif
