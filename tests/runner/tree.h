/*
 * The processes that descend from this one, however they got away from their
 * parents: listing and ending them.
 */
#ifndef TREE_H
#define TREE_H

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define TREE_MOST 4096

struct tree_process {
	pid_t pid;
	pid_t parent;
	bool descends;
};

/* Makes orphans below this process its children, so that none gets lost.
 * Where the system cannot do that, a process group must do. */
static inline void tree_adopt(void)
{
#ifdef PR_SET_CHILD_SUBREAPER
	prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

/* Reads who a process is the child of; false for one that has ended. */
static inline bool tree_read(pid_t pid, struct tree_process *process_out)
{
	char path[64];
	char text[1024];
	char state;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return false;
	size_t length = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[length] = '\0';
	/* The name in brackets may hold anything. */
	const char *behind = strrchr(text, ')');

	if (behind == NULL ||
	    sscanf(behind + 1, " %c %d", &state, &parent) != 2)
		return false;
	*process_out = (struct tree_process){.pid = pid, .parent = parent};
	return state != 'Z' && state != 'X';
}

static inline size_t tree_read_all(struct tree_process *all)
{
	DIR *directory = opendir("/proc");
	size_t count = 0;

	if (directory == NULL)
		return 0;
	for (struct dirent *entry = readdir(directory);
	     entry != NULL && count < TREE_MOST; entry = readdir(directory)) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			count += tree_read(pid, &all[count]);
	}
	closedir(directory);
	return count;
}

static inline bool tree_marks(struct tree_process *all, size_t count)
{
	bool marked = false;

	for (size_t i = 0; i < count; i++) {
		bool descends = all[i].parent == getpid();

		for (size_t j = 0; j < count && !descends; j++)
			descends = all[j].descends &&
			           all[j].pid == all[i].parent;
		marked |= descends && !all[i].descends;
		all[i].descends |= descends;
	}
	return marked;
}

/* Lists the living descendants; how many there are. */
static inline size_t tree_list(pid_t *pids, size_t most)
{
	static struct tree_process all[TREE_MOST];
	size_t total = tree_read_all(all);
	size_t count = 0;

	while (tree_marks(all, total))
		;
	for (size_t i = 0; i < total && count < most; i++) {
		if (all[i].descends)
			pids[count++] = all[i].pid;
	}
	return count;
}

static inline void tree_pause(long ms)
{
	struct timespec span = {.tv_sec = ms / 1000,
	                        .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&span, NULL);
}

/* Collects what has ended. */
static inline void tree_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Sends a signal to all and waits for a while for them to end; whether they
 * have. */
static inline bool tree_signal(pid_t group, int number, long wait_ms)
{
	static pid_t pids[TREE_MOST];

	for (long waited = 0;; waited += 20) {
		size_t count = tree_list(pids, TREE_MOST);

		/* Those that were begun meanwhile are killed as well. */
		for (size_t i = 0;
		     i < count && (waited == 0 || number == SIGKILL); i++)
			kill(pids[i], number);
		if (waited == 0)
			kill(-group, number);
		tree_reap();
		if (tree_list(pids, 1) == 0)
			return true;
		if (waited >= wait_ms)
			return false;
		tree_pause(20);
	}
}

/* Ends all: first as one asks, so that they may clean up, then by force. */
static inline void tree_end(pid_t group)
{
	if (!tree_signal(group, SIGTERM, 2000))
		tree_signal(group, SIGKILL, 20000);
}

/* A process's command, as far as it fits. */
static inline void tree_command(pid_t pid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	FILE *file = fopen(path, "re");
	size_t length = file != NULL ? fread(text, 1, size - 1, file) : 0;

	if (file != NULL)
		fclose(file);
	while (length > 0 && text[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : ' ';
	text[length] = '\0';
}

#endif
