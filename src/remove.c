/*
 * Removing a log that nobody holds.
 *
 * No call of the system removes a name on condition that it leads to a certain
 * file, or that nobody has that open.  So three things are put together:
 *
 *   - The lock keeps appenders of this library out, and each of them shows by a
 *     mark that it is there, also while it does nothing.
 *   - A lease is granted by the system only if nobody else has the file open or
 *     mapped, for writing or at all.  While it is held, whoever opens the file
 *     waits in the system and is seen by who holds the lease.  Where there are
 *     no leases, /proc is looked at before and behind the move.
 *   - The name is moved aside before the file is removed.  A move can be taken
 *     back, and behind it nobody comes to the file by its name any more: those
 *     who were on their way get a moment to arrive, are seen, and then the move
 *     is taken back before they go on.
 *
 * A process that takes longer than that moment from the look-up of the name to
 * the lease, both inside one call of the system, is noticed behind the removal.
 */
#include "sys.h"
#include "unnamed.h"
#include "write_access.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A process that looks at many files has each open for microseconds. */
#define GRACE_NS 30000000
#define FIRST_PAUSE_NS 20000
/* For a process between the look-up of a name and the lease. */
#define ARRIVAL_NS 50000

struct removal {
	struct shmlog *log;
	bool if_unread;
	bool leased;
	char *aside; /* the name that the file has meanwhile */
};

/* ---------------------------------------------------------------- holders */

/* What a look for processes has found. */
struct holders {
	bool write;
	bool read;
};

static int note_holder(void *context, const struct shmlog_process *process)
{
	struct holders *holders = context;

	*(process->writes || process->appends ? &holders->write
	                                      : &holders->read) = true;
	return holders->write;
}

static int look_in_proc(const struct removal *removal)
{
	struct holders holders = {false, false};
	int unseen = shmlog_processes(removal->log, note_holder, &holders);

	if (holders.write)
		return SHMLOG_ERR_WRITER_ACTIVE;
	if (holders.read && removal->if_unread)
		return SHMLOG_ERR_READER_ACTIVE;
	if (unseen == -EMFILE || unseen == -ENFILE || unseen == -ENOMEM)
		return unseen;
	return unseen != 0 || shmlog_processes_hidden() ? -ENOTSUP : 0;
}

/* Takes the lease, or says who is in the way of it. */
static int take_lease(struct removal *removal)
{
	int fd = removal->log->fd;
	int64_t start = shmlog_sys_now_ns();
	int64_t pause = FIRST_PAUSE_NS;
	int status;

	while ((status = shmlog_sys_lease(fd, removal->if_unread)) == -EAGAIN &&
	       shmlog_sys_now_ns() - start < GRACE_NS) {
		(void)shmlog_sys_pause(pause);
		pause *= 2;
	}
	removal->leased = status == 0;
	if (status != -EAGAIN)
		return status;
	return !removal->if_unread || shmlog_sys_has_writer(fd) == 1
	               ? SHMLOG_ERR_WRITER_ACTIVE
	               : SHMLOG_ERR_READER_ACTIVE;
}

/* Whether an appender shows that it is there, or waits for the lock. */
static bool has_appender(const struct shmlog *log)
{
	return shmlog_sys_has_appender(log->fd) ||
	       shmlog_sys_has_lock_request(log->fd);
}

/* 0 if nobody is in the way, who then has to wait if the system can do that. */
static int hold_off(struct removal *removal)
{
	struct shmlog *log = removal->log;
	int status = -ENOTSUP;

	if (has_appender(log))
		return SHMLOG_ERR_WRITER_ACTIVE;
	/* A lock that takes a descriptor open for writing is in the way of a
	 * lease. */
	if (log->lock_fd < 0)
		status = take_lease(removal);
	return status == -ENOTSUP ? look_in_proc(removal) : status;
}

/* Whether somebody has come since: 0 if not. */
static int look_again(const struct removal *removal)
{
	const struct shmlog *log = removal->log;

	if (has_appender(log))
		return SHMLOG_ERR_WRITER_ACTIVE;
	if (!removal->leased)
		return look_in_proc(removal);
	if (shmlog_sys_lease_is_quiet(log->fd, removal->if_unread))
		return 0;
	return removal->if_unread ? SHMLOG_ERR_READER_ACTIVE
	                          : SHMLOG_ERR_WRITER_ACTIVE;
}

/* ------------------------------------------------------------------- names */

/* Whether a name, which is no link, leads to the log. */
static int check_name(const struct shmlog *log, const char *name)
{
	struct stat file;

	if (lstat(name, &file) != 0)
		return -errno;
	if (!S_ISREG(file.st_mode))
		return SHMLOG_ERR_NOT_REGULAR;
	return (uint64_t)file.st_dev == log->identity.device &&
	                       (uint64_t)file.st_ino == log->identity.inode
	               ? 0
	               : SHMLOG_ERR_REPLACED;
}

/* Where the system cannot rename without taking another file's place, the place
 * that is taken is that of a file which was made for it. */
static int move_over_own(struct removal *removal)
{
	int fd = shmlog_hidden_create(removal->log->path, 0600,
	                              &removal->aside);

	if (fd < 0)
		return fd;
	close(fd);
	if (rename(removal->log->path, removal->aside) == 0)
		return 0;
	int status = -errno;

	unlink(removal->aside);
	return status;
}

/* Gives the file a name that nobody knows, and stores that. */
static int move_aside(struct removal *removal)
{
	const char *path = removal->log->path;
	int status = -EEXIST;

	for (unsigned attempt = 0;
	     attempt < SHMLOG_HIDDEN_NAMES && status == -EEXIST; attempt++) {
		free(removal->aside);
		removal->aside = shmlog_hidden_name(path, attempt);
		if (removal->aside == NULL)
			return -ENOMEM;
		status = shmlog_sys_rename_new(path, removal->aside);
	}
	if (status != -ENOTSUP)
		return status;
	free(removal->aside);
	removal->aside = NULL;
	return move_over_own(removal);
}

/* Gives back the name, unless another file has it by now: then the one that
 * the file has is told. */
static void move_back(const struct removal *removal,
                      struct shmlog_remove_result *result)
{
	const char *path = removal->log->path;
	int status = shmlog_sys_rename_new(removal->aside, path);

	if (status == -ENOTSUP) {
		status = link(removal->aside, path) == 0 ? 0 : -errno;
		if (status == 0)
			unlink(removal->aside);
	}
	if (status != 0)
		snprintf(result->path, sizeof(result->path), "%s",
		         removal->aside);
}

/* --------------------------------------------------------------- removing */

/* The log is held off.  Does what cannot be left half done. */
static int remove_name(struct removal *removal,
                       struct shmlog_remove_result *result)
{
	int status = move_aside(removal);

	if (status != 0)
		return status;
	status = check_name(removal->log, removal->aside);
	if (status == 0) {
		(void)shmlog_sys_pause(ARRIVAL_NS);
		status = look_again(removal);
	}
	if (status == 0)
		status = unlink(removal->aside) == 0 ? 0 : -errno;
	if (status != 0) {
		move_back(removal, result);
		return status == SHMLOG_ERR_NOT_REGULAR ? SHMLOG_ERR_REPLACED
		                                        : status;
	}
	return removal->leased && look_again(removal) != 0 ? SHMLOG_ERR_IN_DOUBT
	                                                   : 0;
}

/* Signals come behind it: one that ends the process would leave the name as it
 * is in between. */
static int remove_undisturbed(struct removal *removal,
                              struct shmlog_remove_result *result)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	bool held = pthread_sigmask(SIG_BLOCK, &all, &before) == 0;
	int status = remove_name(removal, result);

	if (held)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	free(removal->aside);
	return status;
}

/* The lock is held. */
static int remove_locked(struct shmlog *log, unsigned flags,
                         struct shmlog_remove_result *result)
{
	struct removal removal = {
		.log = log,
		.if_unread = (flags & SHMLOG_REMOVE_IF_UNREAD) != 0,
	};
	struct shmlog_look look;
	int status = check_name(log, log->path);

	if (status == 0)
		status = shmlog_look(log->fd, &look);
	if (status == 0)
		status = hold_off(&removal);
	if (status == 0 && (flags & SHMLOG_REMOVE_DRY_RUN) == 0)
		status = remove_undisturbed(&removal, result);
	if (removal.leased)
		shmlog_sys_drop_lease(log->fd);
	return status;
}

int shmlog_remove(struct shmlog *log, unsigned flags,
                  struct shmlog_remove_result *result_out)
{
	const struct shmlog_access_terms terms = {.force = false};
	struct shmlog_remove_result result = {.path = ""};
	bool contended = false;
	int status;

	if (log->path == NULL)
		return -ENOENT;
	pthread_mutex_lock(&log->append_mutex);
	if (log->has_writer) {
		status = SHMLOG_ERR_WRITER_ACTIVE;
		goto unlock_mutex;
	}
	if (log->kept != NULL)
		shmlog_access_release(log->kept);
	status = shmlog_lock(log, &terms, &contended);
	if (status == 0) {
		status = remove_locked(log, flags, &result);
		shmlog_unlock(log);
	}
unlock_mutex:
	pthread_mutex_unlock(&log->append_mutex);
	if (result_out != NULL)
		*result_out = result;
	return status;
}
