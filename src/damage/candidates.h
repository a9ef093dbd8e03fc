/*
 * All that could be a frame in a part of a log, and what each is worth as
 * evidence.  Pure: no system call.
 */
#ifndef SHMLOG_CANDIDATES_H
#define SHMLOG_CANDIDATES_H

#include "frame_sizes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHMLOG_NOWHERE UINT32_MAX

/* Bytes with two equal size words that name their distance, and that chance
 * alone would hardly make so. */
struct shmlog_candidate {
	uint32_t start;
	uint32_t total;
	uint32_t top;   /* where the run of candidates from here on ends */
	uint32_t next;  /* number of the one at its end, or _NOWHERE */
	int32_t value;  /* evidence, with what it explains in its payload */
	int32_t sum;    /* ... of the run from here on */
	int32_t hosted; /* ... of that run as frames in a payload */
	bool follows;   /* another candidate ends where it starts */
};

/* What a word is worth, and what a frame of that size costs, in sixteenths of a
 * bit. */
struct shmlog_weight {
	int16_t rarity; /* negative: not known yet */
	int16_t cost;
};

struct shmlog_candidates {
	const unsigned char *bytes;
	uint32_t length;
	uint16_t *good;  /* by place: the size that both words name, or 0 */
	uint32_t *index; /* by place with good: number in the list; _NOWHERE for
	                  * one without evidence of its own */
	struct shmlog_candidate *list; /* ascending by start */
	uint32_t count;
	uint32_t room;
	uint32_t *words;  /* by word: how often it stands in the bytes */
	uint32_t *frames; /* by word: how many places have it as good */
	struct shmlog_weight *weights; /* by word */
	struct shmlog_sizes *outer;    /* frames of the log */
	struct shmlog_sizes inner;     /* frames in payloads of those */
	uint32_t hosts; /* frames with such payloads that were seen */
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

/* Room for `most_bytes`: 6 bytes for each, and up to 16 more that are only
 * touched where frames are tiny.  0 or -ENOMEM; to be released in any case. */
int shmlog_candidates_init(struct shmlog_candidates *candidates,
                           struct shmlog_sizes *outer, uint32_t most_bytes);
void shmlog_candidates_release(struct shmlog_candidates *candidates);

/* Finds the candidates in bytes. */
void shmlog_candidates_find(struct shmlog_candidates *candidates,
                            const unsigned char *bytes, uint32_t length,
                            bool skip_first);

/* Guesses the sizes of frames by the rows that were found and lie in no other,
 * where little is known of a log. */
void shmlog_candidates_guess(struct shmlog_candidates *candidates);

/* How seldom a size word stands in the bytes by chance: up to 16 bits. */
int32_t shmlog_candidates_rarity(const struct shmlog_candidates *candidates,
                                 uint32_t word);

/* The evidence of a frame of this size by its two words alone, or by one of
 * them; may be negative. */
int32_t shmlog_candidates_weight(const struct shmlog_candidates *candidates,
                                 uint32_t size);
int32_t shmlog_candidates_word(const struct shmlog_candidates *candidates,
                               uint32_t size);

/* Whether payloads of the log hold frames, by what was found so far. */
bool shmlog_candidates_host(const struct shmlog_candidates *candidates);

/* What a frame that one word says to have `size` bytes explains as its payload,
 * from one place to another; and one neither of whose words is good. */
int32_t shmlog_candidates_explained(const struct shmlog_candidates *candidates,
                                    uint32_t from, uint32_t to, uint32_t size);
int32_t shmlog_candidates_hosted(const struct shmlog_candidates *candidates,
                                 uint32_t from, uint32_t to);

#endif
