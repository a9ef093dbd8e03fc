/*
 * Keeps write access from one append to the next.
 *
 * Acquiring write access costs several times what a small commit does: it takes
 * the lock, looks for a writer, opens and maps.  All of that would still be
 * valid for the next commit if no other process had opened the log since.  A
 * watch on the file makes that certain: the event for an open(2) is queued
 * before the opener can look into the file.  So reading the watch before a
 * commit replaces the lock, the look and the opening:
 *
 *   - A writer that takes no lock has the log open.  Either it had the log open
 *     when access was acquired, and was found then; or the watch, which is
 *     older than the access, has seen it open the log.  A writer that opens the
 *     log during the commit is found by a second look, behind the publish: see
 *     settle.c.
 *
 *   - A process that waits for the lock marks the file and then opens it.  The
 *     mark is looked for after the watch was read empty and before anything is
 *     kept, so either the mark or the opening is seen.
 *
 *   - A watch does not tell that a file was cut.  So the length of the file is
 *     checked: a write behind its end would make it longer again.
 *
 *   - The name may lead to another file by now.  The watch sees that the file
 *     was renamed or unlinked.  It cannot see that a directory above it was
 *     renamed, so the name is looked up behind each publish, for the next
 *     commit.
 */
#include "lock_cache.h"

#include "settle.h"
#include "sys.h"

#include <errno.h>
#include <stdlib.h>

#ifndef SHMLOG_TEST_KEEP_AT_ONCE
/* Access is kept only by sessions of at least this age: a process that ends
 * sooner gains less than a watch costs. */
#define WARMUP_NS 250000000
/* A commit that waits for a disk gains more: what comes before it can be
 * written while the input is still being read. */
#define SYNC_WARMUP_NS 20000000
/* Access is not kept for this long after another process came: more are likely
 * to follow. */
#define BACKOFF_NS 100000000
/* Or of one that has committed this much: without a watch, each commit reads
 * back what it wrote, at the price of another copy. */
#define WARMUP_BYTES ((uint64_t)2 << 20)
#else
/* The fault tests keep access from the first commit on. */
#define WARMUP_NS 0
#define SYNC_WARMUP_NS 0
#define BACKOFF_NS 0
#define WARMUP_BYTES UINT64_MAX
#endif

struct shmlog_append_session {
	struct shmlog *log;
	struct shmlog_write_access
		access;         /* kept while log->kept points here */
	int watch;              /* -1 before it is needed */
	bool watch_unsupported; /* the system has no watch */
	bool parallel;          /* a reader can run beside this thread */
	int64_t warm_ns;        /* access is not kept before, */
	uint64_t cold_bytes;    /* unless so much was committed, */
	int64_t not_before_ns;  /* nor before this */
	bool syncs;             /* warm_ns was set for commits that sync */
};

int shmlog_append_session_open(struct shmlog *log,
                               struct shmlog_append_session **session_out)
{
	struct shmlog_append_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return -ENOMEM;
	session->log = log;
	session->watch = -1;
	session->parallel = shmlog_sys_processors() > 1;
	session->warm_ns = shmlog_sys_now_ns() + WARMUP_NS;
	shmlog_sys_mark_appender(log->fd);
	*session_out = session;
	return 0;
}

static bool is_kept(const struct shmlog_append_session *session)
{
	return session->log->kept == &session->access;
}

void shmlog_append_session_release(struct shmlog_append_session *session)
{
	pthread_mutex_lock(&session->log->append_mutex);
	if (is_kept(session))
		shmlog_access_release(&session->access);
	pthread_mutex_unlock(&session->log->append_mutex);
}

void shmlog_append_session_close(struct shmlog_append_session *session)
{
	if (session == NULL)
		return;
	shmlog_append_session_release(session);
	if (session->watch >= 0)
		shmlog_sys_watch_close(session->watch);
	shmlog_sys_unmark_appender(session->log->fd);
	free(session);
}

int shmlog_append_session_fd(const struct shmlog_append_session *session)
{
	pthread_mutex_lock(&session->log->append_mutex);
	int fd = is_kept(session) ? session->watch : -1;

	pthread_mutex_unlock(&session->log->append_mutex);
	return fd;
}

void shmlog_append_session_wake_early(
	const struct shmlog_append_session *session)
{
	pthread_mutex_lock(&session->log->append_mutex);
	if (session->parallel && is_kept(session))
		shmlog_access_wake(&session->access);
	pthread_mutex_unlock(&session->log->append_mutex);
}

static void back_off(struct shmlog_append_session *session)
{
	session->not_before_ns = shmlog_sys_now_ns() + BACKOFF_NS;
}

/* Whether access may be kept by now.  If so, there is a watch, and it was just
 * read. */
static bool prepare_watch(struct shmlog_append_session *session)
{
	int64_t now = shmlog_sys_now_ns();

	if (session->watch_unsupported || now < session->not_before_ns ||
	    (now < session->warm_ns && session->cold_bytes < WARMUP_BYTES))
		return false;
	if (session->watch < 0)
		session->watch = shmlog_sys_watch(session->log->fd);
	session->watch_unsupported = session->watch < 0;
	if (session->watch_unsupported)
		return false;
	(void)shmlog_sys_watch_read(session->watch);
	return true;
}

static int acquire_anew(struct shmlog_append_session *session,
                        struct shmlog *log,
                        const struct shmlog_access_terms *terms,
                        struct shmlog_write_access *access)
{
	bool prepared = prepare_watch(session);
	int status = shmlog_access_acquire(log, terms, access);

	if (status != 0 || !prepared)
		return status;
	/* The watch may have seen this process's own opening, but no other. */
	access->may_keep = access->no_other_writer && !access->contended &&
	                   shmlog_sys_watch_read(session->watch) !=
	                           SHMLOG_SEEN_OTHERS;
	if (!access->may_keep)
		back_off(session);
	return 0;
}

/* Whether the kept access is still valid: no other process has come, and the
 * file is no shorter than it was.  A longer file has more room. */
static bool is_still_valid(struct shmlog_append_session *session)
{
	uint64_t length;

	if (shmlog_sys_watch_read(session->watch) != SHMLOG_SEEN_NOTHING ||
	    shmlog_load_length(session->access.fd, &length) != 0 ||
	    length < session->access.capacity)
		return false;
	session->access.capacity = length;
	return true;
}

/* Whole pages, of which no more is to come, so that none is written twice. */
#define AHEAD_PAGE 4096u

/* Writes the bytes from session->access.ahead on, and lets the system take
 * them on to the disk. */
static int write_ahead(struct shmlog_write_access *access,
                       const unsigned char *frames, uint64_t bytes)
{
	uint64_t from = access->size + access->ahead;
	uint64_t to = access->size + bytes;
	int status = shmlog_write_behind(access, access->ahead,
	                                 frames + access->ahead,
	                                 (size_t)(bytes - access->ahead));

	if (status != 0)
		return status;
	access->ahead = bytes;
	from -= from % AHEAD_PAGE;
	to -= to % AHEAD_PAGE;
	if (to > from)
		shmlog_sys_begin_sync(access->fd, from, to - from);
	return 0;
}

void shmlog_append_session_write_ahead(struct shmlog_append_session *session,
                                       const void *frames, size_t bytes)
{
	struct shmlog_write_access *access = &session->access;

	pthread_mutex_lock(&session->log->append_mutex);
	if (is_kept(session) && bytes > access->ahead &&
	    bytes <= access->capacity - access->size &&
	    (!is_still_valid(session) ||
	     write_ahead(access, frames, bytes) != 0)) {
		shmlog_access_release(access);
		back_off(session);
	}
	pthread_mutex_unlock(&session->log->append_mutex);
}

void shmlog_lock_cache_expect_sync(struct shmlog_append_session *session)
{
	if (session == NULL || session->syncs)
		return;
	session->syncs = true;
	session->warm_ns -= WARMUP_NS - SYNC_WARMUP_NS;
}

int shmlog_lock_cache_acquire(struct shmlog_append_session *session,
                              struct shmlog *log,
                              const struct shmlog_access_terms *terms,
                              struct shmlog_write_access *access_out)
{
	if (session == NULL || session->log != log)
		return shmlog_access_acquire(log, terms, access_out);
	if (is_kept(session)) {
		if (is_still_valid(session)) {
			/* Its size is what this session published last.  If
			 * another process has moved `size` since, the write
			 * will notice. */
			*access_out = session->access;
			log->kept = access_out;
			return 0;
		}
		shmlog_access_release(&session->access);
		back_off(session);
	}
	return acquire_anew(session, log, terms, access_out);
}

bool shmlog_lock_cache_confirm(struct shmlog_append_session *session,
                               struct shmlog_write_access *access)
{
	if (!access->may_keep)
		return false;
	access->may_keep = shmlog_sys_watch_read(session->watch) ==
	                   SHMLOG_SEEN_NOTHING;
	if (!access->may_keep)
		back_off(session);
	return access->may_keep;
}

void shmlog_lock_cache_store(struct shmlog_append_session *session,
                             struct shmlog_write_access *access, uint64_t bytes)
{
	bool resumed = access->log->kept == access;

	if (session == NULL) {
		shmlog_access_release(access);
		return;
	}
	if (session->cold_bytes < WARMUP_BYTES)
		session->cold_bytes += bytes;
	if (!access->may_keep || !access->still_named ||
	    (!resumed && shmlog_sys_has_lock_request(access->fd))) {
		shmlog_access_release(access);
		return;
	}
	session->access = *access;
	session->access.ahead = 0;
	access->log->kept = &session->access;
}
