/* Frames within the payload of another, as evidence for the outer one. */
#ifndef SHMLOG_PAYLOAD_FRAMES_H
#define SHMLOG_PAYLOAD_FRAMES_H

#include "candidates.h"

/* Sums of evidence are capped, as frames nested in frames could make them
 * overflow. */
#define SHMLOG_MOST_EVIDENCE (1 << 28)

/* The frames that lie in a payload. */
struct shmlog_inside {
	int32_t sum;    /* evidence of its runs if they are frames of the log */
	int32_t nested; /* evidence of its runs if they lie in a payload */
	int32_t runs;
	bool at_front; /* the first begins with the payload */
};

/* Adds two amounts of evidence, up to SHMLOG_MOST_EVIDENCE. */
static inline int32_t shmlog_evidence_add(int32_t a, int32_t b)
{
	return a < SHMLOG_MOST_EVIDENCE - b ? a + b : SHMLOG_MOST_EVIDENCE;
}

/* The number, from `low` on, of the first candidate that starts at a place or
 * later. */
uint32_t shmlog_candidates_from(const struct shmlog_candidates *candidates,
                                uint32_t at, uint32_t low);

/* Forgets which runs are strong, and notes that the run from a candidate on is,
 * if it is.  Whoever computes the evidence of a run notes it; until the next
 * time that runs are forgotten, the evidence of a run may only grow. */
void shmlog_payload_forget_runs(struct shmlog_candidates *candidates);
void shmlog_payload_note_run(struct shmlog_candidates *candidates,
                             const struct shmlog_candidate *one);

/* Finds the next strong run that lies wholly in a payload, from candidate
 * *number_inout on; false if there is no more.  A run that begins before the
 * payload does not count. */
bool shmlog_payload_next_run(const struct shmlog_candidates *candidates,
                             uint32_t *number_inout, uint32_t payload_end);

/* Sums up the runs in the payload of the frame from one place to another.
 * `number` is the first candidate that may lie in it. */
struct shmlog_inside
shmlog_payload_look(const struct shmlog_candidates *candidates, uint32_t from,
                    uint32_t to, uint32_t number);

/* The evidence that the frames in its payload give for a frame of a size.  They
 * give none if the log is not known to have frames of that size. */
int32_t shmlog_inside_explained(const struct shmlog_candidates *candidates,
                                const struct shmlog_inside *inside,
                                uint32_t size);

/* Learns the sizes of the frames in the payload of a candidate, if it lies
 * between two others and most of the payload is frames: a damage that copied
 * frames over others must not be learned from. */
void shmlog_payload_learn(struct shmlog_candidates *candidates,
                          uint32_t number);

/* Whether payloads of the log hold frames, judging by what was found so far. */
bool shmlog_payloads_hold_frames(const struct shmlog_candidates *candidates);

/* The evidence that the payload of a frame from one place to another gives for
 * that frame: _explained for one whose size only one good word tells, _nested
 * for one that has no good word. */
int32_t shmlog_payload_explained(const struct shmlog_candidates *candidates,
                                 uint32_t from, uint32_t to, uint32_t size);
int32_t shmlog_payload_nested(const struct shmlog_candidates *candidates,
                              uint32_t from, uint32_t to);

#endif
