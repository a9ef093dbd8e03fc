/* Finding the candidates in a part of a log. */
#ifndef SHMLOG_FIND_CANDIDATES_H
#define SHMLOG_FIND_CANDIDATES_H

#include "candidates.h"

/* Finds the candidates in bytes, which must stay.  With `skip_first` none
 * starts at the first byte. */
void shmlog_candidates_find(struct shmlog_candidates *candidates,
                            const unsigned char *bytes, uint32_t length,
                            bool skip_first);

/* Learns the sizes of frames, as a guess, from the outermost runs of
 * candidates: for a log of which few sizes are known. */
void shmlog_candidates_guess(struct shmlog_candidates *candidates);

#endif
