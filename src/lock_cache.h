/* Keeping write access from one append to the next while no other process
 * comes. */
#ifndef SHMLOG_LOCK_CACHE_H
#define SHMLOG_LOCK_CACHE_H

#include "write_access.h"

/*
 * These functions are called under the log's append_mutex.  `session` may be
 * NULL: then nothing is kept.
 */

/* Says that the commits of a session wait for a disk, so that it keeps access
 * sooner. */
void shmlog_lock_cache_expect_sync(struct shmlog_append_session *session);

/*
 * Acquires write access: the access that the session keeps, if it is still
 * valid; else as shmlog_access_acquire() does.
 */
int shmlog_lock_cache_acquire(struct shmlog_append_session *session,
                              struct shmlog *log,
                              const struct shmlog_access_terms *terms,
                              struct shmlog_write_access *access_out);

/*
 * After a publish: whether it is certain that no other process has opened the
 * log since before access was acquired.  If not, the access will not be kept.
 */
bool shmlog_lock_cache_confirm(struct shmlog_append_session *session,
                               struct shmlog_write_access *access);

/* After a commit of so many bytes that moved `size` to access->size: keeps the
 * access if that is allowed, else releases it. */
void shmlog_lock_cache_store(struct shmlog_append_session *session,
                             struct shmlog_write_access *access,
                             uint64_t bytes);

#endif
