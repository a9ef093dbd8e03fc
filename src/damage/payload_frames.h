/* Frames that lie in the payload of another, as evidence for that. */
#ifndef SHMLOG_PAYLOAD_FRAMES_H
#define SHMLOG_PAYLOAD_FRAMES_H

#include "candidates.h"

/* More evidence than that is not counted, lest frames in frames in frames
 * overflow. */
#define SHMLOG_MOST_EVIDENCE (1 << 28)

/* The frames that lie in a payload. */
struct shmlog_inside {
	int32_t sum;    /* evidence of its runs, as frames of the log */
	int32_t hosted; /* ... as frames in a payload */
	int32_t runs;
	bool at_front; /* the first begins with the payload */
};

/* The sum of two amounts of evidence, or the most that is counted. */
static inline int32_t shmlog_evidence_add(int32_t a, int32_t b)
{
	return a < SHMLOG_MOST_EVIDENCE - b ? a + b : SHMLOG_MOST_EVIDENCE;
}

/* The number, from `low` on, of the first candidate that starts at a place or
 * later. */
uint32_t shmlog_candidates_from(const struct shmlog_candidates *candidates,
                                uint32_t at, uint32_t low);

/* The next strong run that lies wholly in a payload, from number *number_inout
 * on; false if there is no more.  A run that comes from outside does not. */
bool shmlog_payload_next_run(const struct shmlog_candidates *candidates,
                             uint32_t *number_inout, uint32_t payload_end);

/* Looks at the payload of a frame from one place to another, in which
 * candidates from `number` on may lie. */
struct shmlog_inside
shmlog_payload_look(const struct shmlog_candidates *candidates, uint32_t from,
                    uint32_t to, uint32_t number);

/* The evidence for a frame of a size that lies in its payload.  A frame of a
 * size that the log does not have is not taken for one that holds frames. */
int32_t shmlog_inside_explained(const struct shmlog_candidates *candidates,
                                const struct shmlog_inside *inside,
                                uint32_t size);

/* Learns the sizes of frames in the payload of a candidate between two others,
 * if most of it consists of them: some may be there by a damage that copied
 * them. */
void shmlog_payload_learn(struct shmlog_candidates *candidates,
                          uint32_t number);

/* Whether payloads of the log hold frames, by what was found so far. */
bool shmlog_payloads_hold_frames(const struct shmlog_candidates *candidates);

/* The evidence that lies in the payload of a frame, from one place to another:
 * for a frame that has `size` bytes by one good word, and for a frame that has
 * no good word. */
int32_t shmlog_payload_explained(const struct shmlog_candidates *candidates,
                                 uint32_t from, uint32_t to, uint32_t size);
int32_t shmlog_payload_hosted(const struct shmlog_candidates *candidates,
                              uint32_t from, uint32_t to);

#endif
