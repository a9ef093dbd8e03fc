/*
 * Rotating: a log gets another name, and an empty one takes its place.
 *
 * A process that appends takes the lock of the file that it has open, and then
 * opens the name, under the lock: see write_access.c.  So while the lock of the
 * old file is held here, no other process has write access through this
 * library, and none keeps it from an earlier append.  A process that gets the
 * lock of the old file after this finds that the name leads to another file,
 * and leaves.  Hence the old file's end is its end for ever once the two names
 * have changed places:
 *
 *   - A follower that finds the name changed, and reads on until there is no
 *     more, has read everything.  (The other order, looking at the end first
 *     and at the name behind that, would lose what was committed in between.)
 *   - An append that was successful before is in the old file, and one that is
 *     behind it in the new one.
 *
 * The new log is whole, and has its owner and its permissions, before it gets a
 * name, and its first name is the one that the old log will have.  Then the two
 * change places in one step.  A process that is killed before that leaves an
 * empty log there, and one that is killed later leaves nothing to be done.
 *
 * Where two names cannot change places, the old log is linked to a second name,
 * and the new one is renamed to the first.  There is no moment without a whole
 * log under the first name, either; but a process that is killed between the
 * two leaves two names for the old log, of which the first is the right one.
 */
#include "create.h"
#include "sys.h"
#include "write_access.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Rotations within one second, whose names have to differ. */
#define MOST_NAMES 100000u

struct rotation {
	struct shmlog *log;
	struct shmlog_write_access access;
	char *name;                /* of the log, without symbolic links */
	char stamp[32];            /* of the time, with the dot before it */
	unsigned next_number;      /* to be tried behind that */
	char *path;                /* the old log's new name, */
	struct shmlog_draft draft; /* and the new log's first one */
};

static int make_stamp(char *stamp, size_t stamp_bytes)
{
	time_t now = time(NULL);
	struct tm parts;

	if (gmtime_r(&now, &parts) == NULL)
		return -EOVERFLOW;
	return strftime(stamp, stamp_bytes, ".%Y%m%dT%H%M%SZ", &parts) > 0
	               ? 0
	               : -EOVERFLOW;
}

/* The number in what a name of this second has behind the time, such as ".3" or
 * ".3.zst"; 0 where there is none. */
static unsigned long number_in(const char *rest)
{
	return rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9'
	               ? strtoul(rest + 1, NULL, 10)
	               : 0;
}

/*
 * The number behind the highest that a file of this second has.  The first one
 * that is free would not do: it may be that of a log that was removed or
 * archived since, and then the newest log would have the oldest name.
 */
static unsigned first_number(const struct rotation *rotation)
{
	const char *file = strrchr(rotation->name, '/') + 1;
	size_t file_bytes = strlen(file);
	size_t stamp_bytes = strlen(rotation->stamp);
	char folder[SHMLOG_ROTATED_NAME_BYTES];
	unsigned long next = 0;

	snprintf(folder, sizeof(folder), "%.*s", (int)(file - rotation->name),
	         rotation->name);
	DIR *directory = opendir(folder);

	if (directory == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		const char *name = entry->d_name;

		if (strncmp(name, file, file_bytes) != 0 ||
		    strncmp(name + file_bytes, rotation->stamp, stamp_bytes) !=
		            0)
			continue;
		unsigned long number = number_in(name + file_bytes +
		                                 stamp_bytes);

		if (number >= next && number < MOST_NAMES)
			next = number + 1;
	}
	closedir(directory);
	return (unsigned)next;
}

/* Stores the next name that the old log might get: 0, or -ENAMETOOLONG, also
 * where all are taken that are tried. */
static int next_name(struct rotation *rotation)
{
	char number[16] = "";

	if (rotation->next_number == MOST_NAMES)
		return -ENAMETOOLONG;
	if (rotation->next_number > 0)
		snprintf(number, sizeof(number), ".%u", rotation->next_number);
	rotation->next_number++;
	int length = snprintf(rotation->path, SHMLOG_ROTATED_NAME_BYTES,
	                      "%s%s%s", rotation->name, rotation->stamp,
	                      number);

	return length < (int)SHMLOG_ROTATED_NAME_BYTES ? 0 : -ENAMETOOLONG;
}

/* Gives a draft the owner and the permissions of the log. */
static int take_owner(const struct rotation *rotation)
{
	int fd = rotation->draft.fd;
	struct stat old;
	struct stat new;

	if (fstat(rotation->access.fd, &old) != 0 || fstat(fd, &new) != 0)
		return -errno;
	if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
	    fchown(fd, old.st_uid, old.st_gid) != 0)
		return -errno;
	/* Behind the change of the owner, which takes some of them away. */
	return fchmod(fd, old.st_mode & 07777) == 0 ? 0 : -errno;
}

/* Makes the new log, empty, under the next name: 0, -EEXIST if that is taken,
 * or another status. */
static int make_log(struct rotation *rotation)
{
	struct shmlog_draft *draft = &rotation->draft;
	int old = rotation->access.fd;
	struct shmlog_header header = {0};
	int status = next_name(rotation);

	if (status == 0)
		status = shmlog_load_header(old, &header);
	if (status == 0)
		status = shmlog_draft_open(rotation->path,
		                           rotation->access.capacity, 0600,
		                           shmlog_creation_flags(old), draft);
	if (status != 0)
		return status;
	draft->header_size = header.header_size;
	draft->data_offset = header.data_offset;
	status = take_owner(rotation);
	if (status == 0)
		status = shmlog_draft_copy_metadata(draft, old);
	if (status == 0)
		status = shmlog_draft_write_header(draft, draft->data_offset);
	return shmlog_draft_close(draft, status);
}

/* Puts the new log, which is named rotation->path, in the place of the old one
 * without an exchange.  The old log's new name is the one after that. */
static int replace(struct rotation *rotation)
{
	char made[SHMLOG_ROTATED_NAME_BYTES];
	bool linked;
	int status;

	memcpy(made, rotation->path, sizeof(made));
	do {
		status = next_name(rotation);
		linked = status == 0 &&
		         link(rotation->name, rotation->path) == 0;
	} while (status == 0 && !linked && errno == EEXIST);
	if (status == 0 && !linked)
		status = -errno;
	if (status == 0 && rename(made, rotation->name) != 0) {
		status = -errno;
		unlink(rotation->path);
	}
	if (status != 0)
		unlink(made);
	return status;
}

/* Lets the new log take the place of the old one. */
static int exchange(struct rotation *rotation)
{
	int status = shmlog_sys_exchange(rotation->path, rotation->name);

	if (status == -ENOTSUP)
		return replace(rotation);
	if (status != 0)
		unlink(rotation->path);
	return status;
}

/* What has been rotated: a program that knows nothing of the lock may have
 * given the name to another file a moment ago, or have opened the old one. */
static int look_behind(struct rotation *rotation, bool force)
{
	struct shmlog *log = rotation->log;
	struct stat file;

	if (stat(rotation->path, &file) == 0 &&
	    ((uint64_t)file.st_dev != log->identity.device ||
	     (uint64_t)file.st_ino != log->identity.inode))
		return SHMLOG_ERR_REPLACED;
	shmlog_access_close(&rotation->access);
	if (force)
		return 0;
	return shmlog_refuse_writer(log, &rotation->access.no_other_writer) == 0
	               ? 0
	               : SHMLOG_ERR_IN_DOUBT;
}

/* Write access is held. */
static int rotate(struct rotation *rotation, bool force,
                  struct shmlog_rotate_result *result)
{
	struct shmlog *log = rotation->log;
	int status = make_stamp(rotation->stamp, sizeof(rotation->stamp));

	if (status != 0)
		return status;
	rotation->name = realpath(log->path, NULL);
	if (rotation->name == NULL)
		return -errno;
	rotation->next_number = first_number(rotation);
	do
		status = make_log(rotation);
	while (status == -EEXIST);
	if (status == 0)
		status = exchange(rotation);
	if (status != 0) {
		rotation->path[0] = '\0';
		return status;
	}
	result->end_cursor = rotation->access.size - log->data_offset;
	return look_behind(rotation, force);
}

int shmlog_rotate(struct shmlog *log,
                  const struct shmlog_change_options *options,
                  struct shmlog_rotate_result *result_out)
{
	const struct shmlog_access_terms terms = shmlog_change_terms(options);
	struct shmlog_rotate_result result = {.path = ""};
	struct rotation rotation = {.log = log, .path = result.path};

	if (log->path == NULL)
		return -ENOENT;
	pthread_mutex_lock(&log->append_mutex);
	/* A log that is damaged is made room for as any other. */
	int status = shmlog_access_acquire_unchecked(log, &terms,
	                                             &rotation.access);

	if (status == 0) {
		status = rotate(&rotation, terms.force, &result);
		shmlog_access_release(&rotation.access);
	}
	pthread_mutex_unlock(&log->append_mutex);
	free(rotation.name);
	if (result_out != NULL)
		*result_out = result;
	return status;
}
