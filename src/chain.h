/* Whether committed frames are a chain that readers get through. */
#ifndef SHMLOG_CHAIN_H
#define SHMLOG_CHAIN_H

#include "log.h"
#include "window.h"

/* Bytes that a walk holds in memory at a time. */
#define SHMLOG_CHAIN_BYTES 262144u

/*
 * Walks the frames from `at` to `end` (offsets in the file, `at` a frame
 * start) with a window that has the base offset 0.  0 if they lead exactly
 * there; SHMLOG_ERR_TORN where a frame goes on behind `end`, _FRAME_CORRUPT;
 * -errno, SHMLOG_ERR_MAPPING_GONE.
 */
int shmlog_chain_walk(struct shmlog_window *window, uint64_t at, uint64_t end);

/* The frame at `at`, in *total_out; the same results. */
int shmlog_chain_frame(struct shmlog_window *window, uint64_t at, uint64_t end,
                       uint32_t *total_out);

/*
 * Whether a frame may follow what is committed up to `size`.  A handle that
 * has looked before walks on from where it left off, so that nothing is ever
 * built upon a chain that broke since; one that has not looks at the last
 * frames, 64 KiB of them, so that the first append costs the same whatever
 * the log's size.  Under the log's append_mutex.
 *
 * 0; SHMLOG_ERR_TORN, _FRAME_CORRUPT, _WENT_BACK, _MAPPING_GONE, -errno.
 */
int shmlog_chain_check(struct shmlog *log, uint64_t size);

/* Does most of the work of shmlog_chain_check() before the lock is taken, where
 * it would take long.  Damage that it finds is found again under the lock. */
void shmlog_chain_precheck(struct shmlog *log);

#endif
