/* What waits for one reader and for several have in common. */
#ifndef SHMLOG_WAIT_H
#define SHMLOG_WAIT_H

#include "reader.h"
#include "sys.h"

/* The longest pause between two looks where the caller does not say. */
#define SHMLOG_WAIT_MAX_POLL_NS 200000000

static inline int64_t shmlog_wait_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * Looks at the log: 1 if it has grown beyond the cursor, 0 if not yet, or a
 * refusal, also where the file was cut without a change of `size`.
 */
int shmlog_wait_look(struct shmlog_reader *reader);

/* After a wake: the same, and again for a while if there is nothing, as a
 * commit may have been announced. */
int shmlog_wait_look_again(struct shmlog_reader *reader);

/* How news came to be seen after a result of shmlog_sys_wait(); `before` is how
 * they would have been before that. */
enum shmlog_poll_found shmlog_wait_found_by(int status,
                                            enum shmlog_poll_found before);

#endif
