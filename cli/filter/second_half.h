/*
 * Counts the frames that pass in the second half of a part of a log, on a
 * thread of its own, while the caller judges those of the first half.
 *
 * The second half begins where frames seem to go on.  Whether a frame begins
 * there is shown by the caller's own frames: they either lead to that place,
 * and then those behind it are the ones that the caller would have come to, or
 * they do not, and then the caller goes on by itself.
 */
#ifndef CLI_SECOND_HALF_H
#define CLI_SECOND_HALF_H

#include "filter.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

struct cli_second_half;

/* Shorter parts are over before a thread is worth it. */
#define CLI_SECOND_HALF_LEAST_BYTES ((uint64_t)8 << 20)

/*
 * Begins to count the second half of the frames that start at the cursor
 * `begin` or later and before `end`.  The filter, which frames without a type
 * are judged by, is the thread's from then on.  NULL where that does not pay
 * (the part has fewer than `least_bytes`), or is not possible: no processor, no
 * thread, no memory, no frame in sight.  The log stays open until it is ended.
 */
struct cli_second_half *cli_second_half_begin(struct shmlog *log,
                                              uint64_t begin, uint64_t end,
                                              struct cli_filter *filter,
                                              uint64_t least_bytes);

/* Where the caller's frames have led to. */
enum cli_meeting {
	CLI_MEETING_AHEAD,   /* not to the second half yet */
	CLI_MEETING_REACHED, /* to where that begins */
	CLI_MEETING_MISSED,  /* past that place: no frame begins there */
};

/* Looks at the next frames that the caller has come to, of which there is one
 * at least, and stores how many of them begin before the second half. */
enum cli_meeting cli_second_half_meet(const struct cli_second_half *half,
                                      const struct shmlog_frame *frames,
                                      size_t count, size_t *before_out);

/* How many bytes of it are done, and whether the thread is. */
uint64_t cli_second_half_passed(const struct cli_second_half *half);
bool cli_second_half_is_done(const struct cli_second_half *half);

/*
 * Waits for the thread, and stores how many frames passed.  False, and no
 * number, if there was damage, or a frame that could not be judged: then the
 * caller, who goes over these frames, will meet the same.
 */
bool cli_second_half_result(struct cli_second_half *half, uint64_t *passed_out);

/* Ends it, at once if it is not done.  NULL is ignored. */
void cli_second_half_end(struct cli_second_half *half);

#endif
