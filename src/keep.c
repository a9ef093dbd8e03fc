/*
 * Staying entered from one append to the next.
 *
 * To enter costs several times what a small commit does: the lock, the look
 * for a writer, opening and mapping.  All of that would hold on for the next
 * commit if it was certain that nobody has come since.  A watch on the file
 * makes it so: an event for whoever opens the log is there before the opener
 * can look into it.  So the one look at the watch that precedes a commit
 * stands for lock, look and opening:
 *
 *   - A writer that takes no lock has the log open: either it had when the
 *     log was entered, and was found then, or the watch, which is older than
 *     that, has seen it.  One that comes while the commit is made is seen by
 *     a second look, behind the publish: see settle.c.
 *   - Whoever waits for the lock marks the file and then opens it.  The mark
 *     is looked for after the watch was read empty and before anything is
 *     kept, so one of the two is seen.
 *   - A file that was cut, of which a watch does not tell, is looked at: a
 *     write behind its end would make it longer again.
 *   - A name that leads elsewhere by now: the watch sees the file renamed or
 *     unlinked.  What it cannot see, a folder above it renamed, is looked at
 *     behind each publish, for the next one.
 */
#include "keep.h"

#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef SHMLOG_EAGER_KEEPER
/* A process that ends sooner gains less than it costs to end a watch. */
#define APPRENTICE_NS 250000000
/* After somebody else came, others are likely to follow. */
#define SHARED_NS 100000000
#else
/* For campaigns: whatever may be kept is kept at once. */
#define APPRENTICE_NS 0
#define SHARED_NS 0
#endif

struct shmlog_keeper {
	struct shmlog *log;
	struct shmlog_entry entry; /* kept while log->kept points here */
	int watch;                 /* -1 before it is needed */
	bool blind;                /* the system has no watch */
	bool parallel;             /* a reader need not wait for this thread */
	bool marked;           /* as an appender, for those who ask who is */
	int64_t not_before_ns; /* nothing is kept till then */
};

int shmlog_keeper_open(struct shmlog *log, struct shmlog_keeper **keeper_out)
{
	struct shmlog_keeper *keeper = calloc(1, sizeof(*keeper));

	if (keeper == NULL)
		return -ENOMEM;
	keeper->log = log;
	keeper->watch = -1;
	keeper->parallel = shmlog_sys_processors() > 1;
	keeper->not_before_ns = shmlog_sys_now_ns() + APPRENTICE_NS;
	shmlog_sys_mark_appender(log->fd);
	*keeper_out = keeper;
	return 0;
}

static bool is_kept(const struct shmlog_keeper *keeper)
{
	return keeper->log->kept == &keeper->entry;
}

void shmlog_keeper_release(struct shmlog_keeper *keeper)
{
	pthread_mutex_lock(&keeper->log->append_mutex);
	if (is_kept(keeper))
		shmlog_leave(&keeper->entry);
	pthread_mutex_unlock(&keeper->log->append_mutex);
}

void shmlog_keeper_close(struct shmlog_keeper *keeper)
{
	if (keeper == NULL)
		return;
	shmlog_keeper_release(keeper);
	if (keeper->watch >= 0)
		close(keeper->watch);
	shmlog_sys_unmark_appender(keeper->log->fd);
	free(keeper);
}

int shmlog_keeper_fd(const struct shmlog_keeper *keeper)
{
	pthread_mutex_lock(&keeper->log->append_mutex);
	int fd = is_kept(keeper) ? keeper->watch : -1;

	pthread_mutex_unlock(&keeper->log->append_mutex);
	return fd;
}

void shmlog_keeper_announce(const struct shmlog_keeper *keeper)
{
	pthread_mutex_lock(&keeper->log->append_mutex);
	if (keeper->parallel && is_kept(keeper))
		shmlog_entry_wake(&keeper->entry);
	pthread_mutex_unlock(&keeper->log->append_mutex);
}

static void share(struct shmlog_keeper *keeper)
{
	keeper->not_before_ns = shmlog_sys_now_ns() + SHARED_NS;
}

/* Whether it is time to keep; then there is a watch, read empty. */
static bool prepare(struct shmlog_keeper *keeper)
{
	if (keeper->blind || shmlog_sys_now_ns() < keeper->not_before_ns)
		return false;
	if (keeper->watch < 0)
		keeper->watch = shmlog_sys_watch(keeper->log->fd);
	keeper->blind = keeper->watch < 0;
	if (keeper->blind)
		return false;
	(void)shmlog_sys_watch_read(keeper->watch);
	return true;
}

static int enter_anew(struct shmlog_keeper *keeper, struct shmlog *log,
                      const struct shmlog_terms *terms,
                      struct shmlog_entry *entry)
{
	bool prepared = prepare(keeper);
	int status = shmlog_enter(log, terms, entry);

	if (status != 0 || !prepared)
		return status;
	/* Only this process's own opening may have been seen. */
	entry->alone = entry->certain && !entry->waited &&
	               shmlog_sys_watch_read(keeper->watch) !=
	                       SHMLOG_SEEN_OTHERS;
	if (!entry->alone)
		share(keeper);
	return 0;
}

/* Whether what is kept holds on: nobody has come, and the file is no shorter
 * than it was.  One that is longer has more room. */
static bool holds_on(struct shmlog_keeper *keeper)
{
	uint64_t length;

	if (shmlog_sys_watch_read(keeper->watch) != SHMLOG_SEEN_NOTHING ||
	    shmlog_load_length(keeper->entry.fd, &length) != 0 ||
	    length < keeper->entry.capacity)
		return false;
	keeper->entry.capacity = length;
	return true;
}

int shmlog_keep_enter(struct shmlog_keeper *keeper, struct shmlog *log,
                      const struct shmlog_terms *terms,
                      struct shmlog_entry *entry_out)
{
	if (keeper == NULL || keeper->log != log)
		return shmlog_enter(log, terms, entry_out);
	if (is_kept(keeper)) {
		if (holds_on(keeper)) {
			/* Its size is what was published last: whoever moved
			 * it since is in the way. */
			*entry_out = keeper->entry;
			log->kept = entry_out;
			return 0;
		}
		shmlog_leave(&keeper->entry);
		share(keeper);
	}
	return enter_anew(keeper, log, terms, entry_out);
}

bool shmlog_keep_is_alone(struct shmlog_keeper *keeper,
                          struct shmlog_entry *entry)
{
	if (!entry->alone)
		return false;
	entry->alone = shmlog_sys_watch_read(keeper->watch) ==
	               SHMLOG_SEEN_NOTHING;
	if (!entry->alone)
		share(keeper);
	return entry->alone;
}

void shmlog_keep(struct shmlog_keeper *keeper, struct shmlog_entry *entry)
{
	bool resumed = entry->log->kept == entry;

	if (!entry->alone || !entry->named ||
	    (!resumed && shmlog_sys_is_awaited(entry->fd))) {
		shmlog_leave(entry);
		return;
	}
	keeper->entry = *entry;
	entry->log->kept = &keeper->entry;
}
