/*
 * The folders that a test may fill: one in memory, one where temporary files
 * go.  Each is locked while its test runs; one that is not was left by a runner
 * that was killed, and the next runner removes it.
 */
#ifndef ROOM_H
#define ROOM_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#define ROOM_NAME "shmlog-room."
/* Far longer than a runner takes from making a room to locking it. */
#define ROOM_OLD_SECONDS 60

struct room {
	char path[PATH_MAX];
	int lock;
};

#ifdef __linux__
/* Whether a line of mountinfo is about a mount below a path, and which. */
static inline bool room_mount_of(const char *line, const char *path,
                                 char *mount_out)
{
	size_t length = strlen(path);

	return sscanf(line, "%*s %*s %*s %*s %4095s", mount_out) == 1 &&
	       strncmp(mount_out, path, length) == 0 &&
	       mount_out[length] == '/';
}

/* Detaches what was mounted in a folder: removing must not go in there. */
static inline void room_unmount(const char *path)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_MAX];
	char mount[PATH_MAX];

	while (mounts != NULL && fgets(line, sizeof(line), mounts) != NULL) {
		if (room_mount_of(line, path, mount))
			umount2(mount, MNT_DETACH);
	}
	if (mounts != NULL)
		fclose(mounts);
}
#else
static inline void room_unmount(const char *path)
{
	(void)path;
}
#endif

static inline void room_run(const char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* Also what a test made unreadable for its own user. */
static inline void room_remove(const char *path)
{
	const char *const open_up[] = {"chmod", "-R", "u+rwX", path, NULL};
	const char *const removal[] = {"rm", "-rf", path, NULL};

	room_unmount(path);
	if (geteuid() != 0)
		room_run(open_up);
	room_run(removal);
}

/* Removes a room that nobody has locked. */
static inline void room_remove_stale(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat file;

	if (fd < 0)
		return;
	if (fstat(fd, &file) == 0 && file.st_uid == geteuid() &&
	    time(NULL) - file.st_mtime > ROOM_OLD_SECONDS &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		room_remove(path);
	close(fd);
}

static inline void room_remove_all_stale(const char *parent)
{
	DIR *directory = opendir(parent);
	char path[PATH_MAX];

	if (directory == NULL)
		return;
	for (struct dirent *entry = readdir(directory); entry != NULL;
	     entry = readdir(directory)) {
		if (strncmp(entry->d_name, ROOM_NAME, strlen(ROOM_NAME)) != 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", parent,
		             entry->d_name) < (int)sizeof(path))
			room_remove_stale(path);
	}
	closedir(directory);
}

/* Makes a room that tests which give up their privileges may enter. */
static inline bool room_make(struct room *room, const char *parent)
{
	room_remove_all_stale(parent);
	if (snprintf(room->path, sizeof(room->path), "%s/" ROOM_NAME "XXXXXX",
	             parent) >= (int)sizeof(room->path) ||
	    mkdtemp(room->path) == NULL)
		return false;
	room->lock = open(room->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return room->lock >= 0 && flock(room->lock, LOCK_EX | LOCK_NB) == 0 &&
	       chmod(room->path, 0755) == 0;
}

/* The name of something that is in a room; false if nothing is. */
static inline bool room_has(const struct room *room, char *name, size_t size)
{
	DIR *directory = opendir(room->path);
	bool found = false;

	for (struct dirent *entry = directory ? readdir(directory) : NULL;
	     entry != NULL && !found; entry = readdir(directory)) {
		found = strcmp(entry->d_name, ".") != 0 &&
		        strcmp(entry->d_name, "..") != 0;
		if (found)
			snprintf(name, size, "%s", entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

#endif
