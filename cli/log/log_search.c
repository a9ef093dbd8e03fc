/* Walks through folders and looks at each regular file. */
#include "log_search.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "signals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another process's lease is asked for by each try to open its file. */
#define LEASE_TRIES 200
#define LEASE_PAUSE_NS 1000000

/* A walk below one folder.  The folders that are still to be read stand in a
 * list, so that no depth of them takes many descriptors. */
struct walk {
	struct cli_log_search *search;
	dev_t device;
	char **folders;
	size_t count;
	size_t room;
};

static int open_for_look(int at, const char *path, int flags)
{
	int fd = -1;

	for (int i = 0; i < LEASE_TRIES; i++) {
		fd = openat(at, path,
		            O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
		                    flags);
		if (fd >= 0 || errno != EWOULDBLOCK)
			break;
		cli_signals_sleep(LEASE_PAUSE_NS);
	}
	return fd;
}

/* Looks at what is known to be a regular file, or was one a moment ago. */
static int look_at_regular(int at, const char *path, int flags,
                           struct stat *file_out, struct shmlog_look *look_out)
{
	int status = SHMLOG_ERR_NOT_REGULAR;
	int fd = open_for_look(at, path, flags);

	if (fd < 0)
		return -errno;
	if (fstat(fd, file_out) != 0)
		status = -errno;
	else if (S_ISREG(file_out->st_mode))
		status = shmlog_look(fd, look_out);
	close(fd);
	return status;
}

int cli_look_at(const char *path, struct stat *file_out,
                struct shmlog_look *look_out)
{
	/* To open a FIFO or a device may have effects. */
	if (stat(path, file_out) != 0)
		return -errno;
	if (!S_ISREG(file_out->st_mode))
		return SHMLOG_ERR_NOT_REGULAR;
	return look_at_regular(AT_FDCWD, path, 0, file_out, look_out);
}

int cli_look_failed(const char *path, int status)
{
	cli_message(path, "cannot look at it: %s; it may be a log",
	            shmlog_strerror(status));
	return cli_exit_status(status);
}

static void keep_status(struct cli_log_search *search, int status)
{
	if (search->status == CLI_OK)
		search->status = status;
}

/* The exit status, after a message if there are any. */
static int fail(const struct cli_log_search *search, const char *path,
                const char *what, int status)
{
	return search->quiet ? cli_exit_status(status)
	                     : cli_fail(path, what, status);
}

static int out_of_memory(void)
{
	return cli_fail(NULL, "cannot search", -ENOMEM);
}

/* The name of a file in a folder; freed by the caller. */
static char *join(const char *folder, const char *name)
{
	size_t length = strlen(folder);
	size_t room = length + strlen(name) + 2;
	char *path = malloc(room);

	if (path != NULL)
		snprintf(path, room, "%s%s%s", folder,
		         length > 0 && folder[length - 1] == '/' ? "" : "/",
		         name);
	return path;
}

/* Takes the path. */
static int add_folder(struct walk *walk, char *path)
{
	if (walk->count == walk->room) {
		size_t room = walk->room * 2 + 16;
		char **folders = realloc(walk->folders,
		                         room * sizeof(*folders));

		if (folders == NULL) {
			free(path);
			return out_of_memory();
		}
		walk->folders = folders;
		walk->room = room;
	}
	walk->folders[walk->count++] = path;
	return CLI_OK;
}

/* Looks at a file of a folder, whose path is `path`. */
static int look_at_file(struct walk *walk, int at, const char *name,
                        const char *path)
{
	struct cli_log_search *search = walk->search;
	struct shmlog_look look;
	struct stat file;
	int status = look_at_regular(at, name, O_NOFOLLOW, &file, &look);
	const struct cli_found_log found = {path, &file, &look};

	if (status == 0)
		return search->found(search->context, &found);
	/* Gone, or a link by now. */
	if (cli_is_errno(status) && status != -ENOENT && status != -ELOOP)
		keep_status(search, search->quiet
		                            ? cli_exit_status(status)
		                            : cli_look_failed(path, status));
	return CLI_OK;
}

/* What is to be done with a name: DT_DIR, DT_REG, or another value for
 * nothing. */
static unsigned char kind_of(const struct walk *walk, int at,
                             const struct dirent *entry)
{
	struct stat file;

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return DT_UNKNOWN;
	if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(at, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0)
		return DT_UNKNOWN;
	if (S_ISDIR(file.st_mode) && file.st_dev == walk->device)
		return DT_DIR;
	return S_ISREG(file.st_mode) ? DT_REG : DT_UNKNOWN;
}

static int take_entry(struct walk *walk, int at, const char *folder,
                      const struct dirent *entry)
{
	unsigned char kind = kind_of(walk, at, entry);

	if (kind != DT_DIR && kind != DT_REG)
		return CLI_OK;
	char *path = join(folder, entry->d_name);

	if (path == NULL)
		return out_of_memory();
	if (kind == DT_DIR)
		return add_folder(walk, path);
	int status = look_at_file(walk, at, entry->d_name, path);

	free(path);
	return status;
}

static void folder_failed(struct walk *walk, const char *folder, int error)
{
	/* Removed since its name was read. */
	if (error == ENOENT && walk->device != 0)
		return;
	keep_status(walk->search, fail(walk->search, folder,
	                               "cannot read the folder", -error));
}

static int read_folder(struct walk *walk, const char *folder)
{
	struct stat file;
	struct dirent *entry;
	int status = CLI_OK;
	DIR *directory = opendir(folder);

	if (directory == NULL || fstat(dirfd(directory), &file) != 0) {
		folder_failed(walk, folder, errno);
		if (directory != NULL)
			closedir(directory);
		return CLI_OK;
	}
	/* The first one says which file system. */
	if (walk->device == 0)
		walk->device = file.st_dev;
	while (status == CLI_OK &&
	       (errno = 0, entry = readdir(directory)) != NULL)
		status = take_entry(walk, dirfd(directory), folder, entry);
	if (status == CLI_OK && errno != 0)
		folder_failed(walk, folder, errno);
	closedir(directory);
	return status;
}

static int walk_from(struct cli_log_search *search, const char *path)
{
	struct walk walk = {.search = search};
	char *first = strdup(path);
	int status = first != NULL ? add_folder(&walk, first) : out_of_memory();

	while (status == CLI_OK && walk.count > 0) {
		char *folder = walk.folders[--walk.count];

		status = read_folder(&walk, folder);
		free(folder);
	}
	while (walk.count > 0)
		free(walk.folders[--walk.count]);
	free(walk.folders);
	return status;
}

int cli_search_logs(struct cli_log_search *search, const char *path)
{
	struct shmlog_look look = {.first_frame = 0};
	struct stat file;
	struct cli_header_text text;
	int status = cli_look_at(path, &file, &look);
	const struct cli_found_log found = {path, &file, &look};

	if (status == 0)
		return search->found(search->context, &found);
	if (status == SHMLOG_ERR_NOT_REGULAR && S_ISDIR(file.st_mode))
		return walk_from(search, path);
	if (cli_is_errno(status)) {
		keep_status(search, fail(search, path, "cannot open", status));
		return CLI_OK;
	}
	if (!search->quiet)
		cli_message(path, "not a log: %s",
		            cli_describe_header(&text, status, &look.header));
	keep_status(search, CLI_NOT_LOG);
	return CLI_OK;
}
