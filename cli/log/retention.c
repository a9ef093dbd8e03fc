/* Removes and archives the logs that rotations have left. */
#include "retention.h"

#include "archive.h"
#include "command.h"
#include "failure.h"
#include "holders.h"
#include "message.h"
#include "option_values.h"
#include "rotated.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int cli_retention_read(struct cli_retention *retention,
                       const struct cli_args *args, size_t keep_place,
                       size_t compress_place)
{
	const char *keep = cli_args_value(args, keep_place);

	*retention = (struct cli_retention){
		.limited = keep != NULL,
		.compress = cli_args_count(args, compress_place) > 0,
	};
	if (retention->compress && !cli_archive_supported()) {
		cli_message(NULL, "--compress: this build lacks zstd (Debian: "
		                  "libzstd-dev)");
		return CLI_SYSTEM;
	}
	return cli_option_count("--keep", keep, "logs", &retention->keep);
}

/* How long the lock is waited for. */
#define LOCK_TRIES 200
#define LOCK_PAUSE_NS 5000000

/*
 * Takes the lock of the log that has the name: a descriptor whose closing
 * releases it, or -errno.  While a log is rotated, under that lock, the new log
 * has the name that the old one will get, so nothing must be removed by its
 * name meanwhile.
 */
static int lock_log(const char *path)
{
	for (int i = 0; i < LOCK_TRIES && cli_signal_caught() == 0; i++) {
		int fd = open(path,
		              O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		struct stat named;
		struct stat opened;

		if (fd < 0 && errno != EWOULDBLOCK)
			return -errno;
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
		    named.st_dev == opened.st_dev &&
		    named.st_ino == opened.st_ino)
			return fd;
		if (fd >= 0)
			close(fd);
		cli_signals_sleep(LOCK_PAUSE_NS);
	}
	return -EAGAIN;
}

/* One of the old logs, while it is looked at. */
struct candidate {
	const char *log; /* the name of all of them */
	const struct cli_rotated *entry;
	int fd;
	enum cli_holding holding;
};

/* Whether the name still leads to the open file. */
static bool is_named(const struct candidate *candidate)
{
	struct stat named;
	struct stat opened;

	return lstat(candidate->entry->path, &named) == 0 &&
	       fstat(candidate->fd, &opened) == 0 &&
	       named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* Opens one, and seizes it if nobody holds it.  An appender that comes has to
 * wait for the lock from now on.  False if it is gone. */
static bool open_candidate(struct candidate *candidate,
                           const struct cli_rotated *entry)
{
	candidate->entry = entry;
	candidate->fd = open(entry->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	                                          O_NONBLOCK | O_NOCTTY);
	if (candidate->fd < 0)
		return false;
	/* Who has the lock may not be the only one who holds the file. */
	candidate->holding = cli_file_seize(entry->path, candidate->fd);
	if (candidate->holding == CLI_HELD_BY_NOBODY &&
	    flock(candidate->fd, LOCK_EX | LOCK_NB) != 0)
		candidate->holding = CLI_HELD;
	return true;
}

/* Closing ends the lease and the lock. */
static void close_candidate(struct candidate *candidate)
{
	close(candidate->fd);
}

static void tell(void (*visit)(void *context, const char *path), void *context,
                 const char *path)
{
	if (visit != NULL)
		visit(context, path);
}

static int fail(const char *path, const char *what, int status)
{
	cli_message(path, "cannot %s: %s; left as it is", what,
	            shmlog_strerror(status));
	return cli_exit_status(status);
}

/* Freed with free(3); NULL without the memory. */
static char *archive_name(const struct candidate *candidate)
{
	char *name;

	return asprintf(&name, "%s" CLI_ARCHIVE_SUFFIX,
	                candidate->entry->path) < 0
	               ? NULL
	               : name;
}

static int remove_log(struct candidate *candidate,
                      const struct cli_retention_visitor *visitor)
{
	const char *path = candidate->entry->path;

	if (!is_named(candidate))
		return CLI_OK;
	char *archive = archive_name(candidate);

	if (archive != NULL && !candidate->entry->archived)
		cli_archive_remove_draft(archive);
	free(archive);
	if (unlink(path) != 0 && errno != ENOENT)
		return fail(path, "remove", -errno);
	tell(visitor->removed, visitor->context, path);
	return CLI_OK;
}

/* Whether a log is as it was when it was archived: somebody who has opened it
 * since may have changed it. */
static bool is_unchanged(struct candidate *candidate, uint64_t size)
{
	const char *path = candidate->entry->path;
	struct shmlog_header header;
	int status = shmlog_inspect(path, &header);

	candidate->holding = cli_file_seize(path, candidate->fd);
	return candidate->holding == CLI_HELD_BY_NOBODY && status == 0 &&
	       header.size == size && is_named(candidate);
}

/* Removes a log that has an archive by now, or the archive. */
static int replace_log(struct candidate *candidate, uint64_t size,
                       const char *archive,
                       const struct cli_retention_visitor *visitor)
{
	const char *path = candidate->entry->path;
	int lock = lock_log(candidate->log);
	int status = CLI_OK;

	if (lock < 0 || !is_unchanged(candidate, size))
		unlink(archive);
	else if (unlink(path) != 0)
		status = fail(path, "remove", -errno);
	else
		tell(visitor->archived, visitor->context, archive);
	if (lock >= 0)
		close(lock);
	return status;
}

static int archive_log(struct candidate *candidate,
                       const struct cli_retention_visitor *visitor)
{
	const char *path = candidate->entry->path;
	struct shmlog_header header;

	if (candidate->entry->archived)
		return CLI_OK;
	/* Compressing takes long, and nobody is to wait for that. */
	cli_file_release(candidate->fd);
	int status = shmlog_inspect(path, &header);

	if (status != 0)
		return CLI_OK;
	char *archive = archive_name(candidate);

	if (archive == NULL)
		return cli_fail(path, "cannot archive", -ENOMEM);
	status = cli_archive_make(archive, candidate->fd, header.size);
	if (status == 0)
		status = replace_log(candidate, header.size, archive, visitor);
	else if (status == -EINTR && cli_signal_caught() != 0)
		status = CLI_OK;
	else
		status = fail(path, "archive", status);
	free(archive);
	return status;
}

/* Looks at the old logs, the oldest first, and hands those that nobody holds to
 * `act`, up to the first that a follower has. */
static int
for_each_free(const struct cli_rotated_list *list, size_t end, const char *path,
              const struct cli_retention_visitor *visitor,
              int (*act)(struct candidate *candidate,
                         const struct cli_retention_visitor *visitor))
{
	bool stopped = false;
	int status = CLI_OK;

	for (size_t i = 0; i < end && !stopped && status == CLI_OK &&
	                   cli_signal_caught() == 0;
	     i++) {
		struct candidate candidate = {.log = path};

		if (!open_candidate(&candidate, &list->all[i]))
			continue;
		stopped = candidate.holding == CLI_HELD_BY_FOLLOWER;
		if (candidate.holding == CLI_HELD_BY_NOBODY)
			status = act(&candidate, visitor);
		close_candidate(&candidate);
	}
	return status;
}

/* Removes those that are too many.  The lock is held. */
static int remove_oldest(const struct cli_retention *retention,
                         const char *path, const struct cli_rotated_list *list,
                         const struct cli_retention_visitor *visitor)
{
	size_t excess = retention->limited && list->count > retention->keep
	                        ? list->count - (size_t)retention->keep
	                        : 0;

	return for_each_free(list, excess, path, visitor, remove_log);
}

int cli_retention_apply(const struct cli_retention *retention, const char *path,
                        const struct cli_retention_visitor *visitor)
{
	struct cli_rotated_list list = {.all = NULL};

	if (!retention->limited && !retention->compress)
		return CLI_OK;
	int lock = lock_log(path);
	int status = lock < 0 ? lock : cli_rotated_find(path, &list);

	/* Somebody else rotates, or works with the log for long: what is left
	 * is for a later rotation. */
	if (lock == -EAGAIN)
		return CLI_OK;
	if (status == 0) {
		cli_rotated_check(&list);
		status = remove_oldest(retention, path, &list, visitor);
	} else {
		status = fail(path, "look after the rotated logs", status);
	}
	if (lock >= 0)
		close(lock);
	if (status == CLI_OK && retention->compress)
		status = for_each_free(&list, list.count, path, visitor,
		                       archive_log);
	cli_rotated_release(&list);
	return status;
}
