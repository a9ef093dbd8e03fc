/* Finding all that could be a frame in a part of a log. */
#ifndef SHMLOG_FIND_CANDIDATES_H
#define SHMLOG_FIND_CANDIDATES_H

#include "candidates.h"

/* Finds the candidates in bytes. */
void shmlog_candidates_find(struct shmlog_candidates *candidates,
                            const unsigned char *bytes, uint32_t length,
                            bool skip_first);

/* Guesses the sizes of frames by the rows that were found and lie in no other,
 * where little is known of a log. */
void shmlog_candidates_guess(struct shmlog_candidates *candidates);

#endif
