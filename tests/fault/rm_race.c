/*
 * Removers race with all who may hold a log, and with whoever gives its name to
 * another file: rm_race FOLDER REMOVALS.
 *
 * There are three kinds of names.  Logs that are written, by processes that only
 * store to memory and by appenders, and that may be removed while they are read;
 * logs that are written and read, which may not; and names that are given to
 * files that are no logs, over a log that is there.  Who has a file open that
 * has a name must never see it lose that, and a file that is no log must not be
 * lost.  Removers are killed at any moment.
 */
#include "campaign.h"

#include <dirent.h>
#include <shmlog.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define NAMES 4u /* of each kind */
#define CAPACITY 4096u
#define MOST_CHILDREN 16u

enum kind {
	WRITTEN,
	READ,
	REPLACED,
	KINDS
};

/* What all processes count together. */
struct counts {
	_Atomic uint64_t tries;
	_Atomic uint64_t removed;
	_Atomic uint64_t held;     /* removals that found somebody */
	_Atomic uint64_t replaced; /* removals that found another file */
	_Atomic uint64_t doubts;
	_Atomic uint64_t holds; /* that began with a name */
	_Atomic uint64_t late;  /* opens that ended without a name */
	_Atomic uint64_t acknowledged;
	_Atomic uint64_t texts;
	_Atomic bool over;
};

static struct counts *counts;
static const char *folder;

static void name_of(char *path, enum kind kind, unsigned number)
{
	snprintf(path, 512, "%s/%c%u", folder, "wrt"[kind], number);
}

/* A name of one of the kinds from `first` to `last`. */
static enum kind any_name(char *path, enum kind first, enum kind last)
{
	enum kind kind = first + (enum kind)chance_below(last - first + 1u);

	name_of(path, kind, (unsigned)chance_below(NAMES));
	return kind;
}

static uint64_t links_of(int fd)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		campaign_fail("fstat: %s", strerror(errno));
	return file.st_nlink;
}

static void pause_a_moment(void)
{
	if (chance_below(2) == 0)
		campaign_sleep_ns((int64_t)chance_below(300000));
}

/* --------------------------------------------------------------- processes */

static void count_removal(int status)
{
	switch (status) {
	case 0: counts->removed++; break;
	case SHMLOG_ERR_LOCK_TIMEOUT:
	case SHMLOG_ERR_WRITER_ACTIVE:
	case SHMLOG_ERR_READER_ACTIVE: counts->held++; break;
	case SHMLOG_ERR_REPLACED:
	case -ENOENT: counts->replaced++; break;
	case SHMLOG_ERR_IN_DOUBT: counts->doubts++; break;
	default:
		campaign_fail("a removal ended with: %s",
		              shmlog_strerror(status));
	}
}

static void remove_logs(unsigned number)
{
	char path[512];

	(void)number;
	while (!counts->over) {
		enum kind kind = any_name(path, WRITTEN, REPLACED);
		struct shmlog *log;

		if (shmlog_open(path, &log) != 0)
			continue;
		count_removal(shmlog_remove(
			log, kind == WRITTEN ? 0u : SHMLOG_REMOVE_IF_UNREAD,
			NULL));
		counts->tries++;
		shmlog_close(log);
	}
}

static void create_logs(unsigned number)
{
	char path[512];

	(void)number;
	while (!counts->over) {
		(void)any_name(path, WRITTEN, REPLACED);
		int status = shmlog_create(path, CAPACITY, 0600, 0);

		if (status != 0 && status != -EEXIST)
			campaign_fail("a log is not made: %s",
			              shmlog_strerror(status));
		if (status != 0)
			pause_a_moment();
	}
}

/* Whether the file lost its name while it was held. */
static void check_still_named(int fd, const char *path, const char *who)
{
	if (links_of(fd) == 0)
		campaign_fail("%s was removed while %s held it", path, who);
}

/* Holds logs as a Node process does: mapped, and perhaps no longer open. */
static void hold_logs(unsigned number)
{
	char path[512];

	(void)number;
	while (!counts->over) {
		enum kind kind = any_name(path, WRITTEN, READ);
		bool writes = kind == WRITTEN || chance_below(2) == 0;
		int fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		struct stat file;

		if (fd < 0)
			continue;
		if (links_of(fd) == 0) {
			counts->late++;
			close(fd);
			continue;
		}
		counts->holds++;
		void *map = mmap(NULL, CAPACITY,
		                 writes ? PROT_READ | PROT_WRITE : PROT_READ,
		                 MAP_SHARED, fd, 0);

		if (map == MAP_FAILED || fstat(fd, &file) != 0)
			campaign_fail("mmap: %s", strerror(errno));
		pause_a_moment();
		/* By the mapping alone for a while. */
		if (chance_below(2) == 0) {
			check_still_named(fd, path, "a process");
			close(fd);
			pause_a_moment();
			fd = open(path, O_RDONLY | O_CLOEXEC);
			struct stat again;

			if (fd < 0 || fstat(fd, &again) != 0 ||
			    again.st_ino != file.st_ino) {
				/* It may be moved aside for a moment. */
				campaign_sleep_ns(20 * NS_PER_MS);
				if (fd >= 0)
					close(fd);
				fd = open(path, O_RDONLY | O_CLOEXEC);
			}
			if (fd >= 0 && fstat(fd, &again) == 0 &&
			    again.st_ino == file.st_ino)
				check_still_named(fd, path, "a mapping");
		} else {
			check_still_named(fd, path, "a process");
		}
		munmap(map, CAPACITY);
		if (fd >= 0)
			close(fd);
	}
}

/* What is acknowledged is in a log that has a name, for as long as the appender
 * is there. */
static void append_frames(unsigned number)
{
	unsigned char frame[SHMLOG_FRAME_OVERHEAD_BYTES + 8];
	char path[512];

	memcpy(frame, "\x0c\0\0\0\0\0\0\0\0\0\x0c\0", sizeof(frame));
	(void)number;
	while (!counts->over) {
		struct shmlog_append_session *session;
		const struct shmlog_append_options options = {
			.lock_timeout_ns = -1};
		struct shmlog *log;
		int fd;

		(void)any_name(path, WRITTEN, READ);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (shmlog_open(path, &log) != 0) {
			close(fd);
			continue;
		}
		if (shmlog_append_session_open(log, &session) != 0)
			campaign_fail("no session");
		struct shmlog_append_options with = options;
		struct shmlog_identity opened = shmlog_identity(log);
		struct stat file;

		with.session = session;
		if (fstat(fd, &file) != 0)
			campaign_fail("fstat: %s", strerror(errno));
		for (unsigned i = 0; i < 3; i++) {
			int status = shmlog_append_frames(
				log, frame, sizeof(frame), &with, NULL);

			if (status != 0)
				break;
			counts->acknowledged++;
			pause_a_moment();
			if (opened.inode == file.st_ino)
				check_still_named(fd, path, "an appender");
		}
		shmlog_append_session_close(session);
		shmlog_close(log);
		close(fd);
	}
}

/* Takes a file out of the folder, whatever its name is by now. */
static bool take_out(ino_t inode)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	bool found = false;

	if (directory == NULL)
		campaign_fail("%s: %s", folder, strerror(errno));
	while (!found && (entry = readdir(directory)) != NULL) {
		if (entry->d_ino != inode)
			continue;
		/* Should it be moved in between, it is met again. */
		found = unlinkat(dirfd(directory), entry->d_name, 0) == 0;
	}
	closedir(directory);
	return found;
}

/* Gives a name to a file that is no log, and looks that it stays. */
static void replace_logs(unsigned number)
{
	char path[512];
	char fresh[512];
	struct stat file;

	snprintf(fresh, sizeof(fresh), "%s/fresh%u", folder, number);
	while (!counts->over) {
		int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		              0600);

		if (fd < 0 || write(fd, "text\n", 5) != 5 ||
		    fstat(fd, &file) != 0)
			campaign_fail("%s: %s", fresh, strerror(errno));
		/* Let nobody see that the file is held. */
		close(fd);
		any_name(path, REPLACED, REPLACED);
		if (rename(fresh, path) != 0)
			campaign_fail("rename: %s", strerror(errno));
		counts->texts++;
		campaign_sleep_ns((int64_t)chance_below(2 * NS_PER_MS));
		int64_t end = campaign_now_ns() +
		              campaign_patience_ns(INT64_C(1000) * NS_PER_MS);

		while (!take_out(file.st_ino)) {
			if (campaign_now_ns() > end)
				campaign_fail("a file that is no log was "
				              "removed");
		}
	}
}

/* ------------------------------------------------------------------ driver */

static const struct {
	void (*body)(unsigned number);
	unsigned count;
} parts[] = {
	{remove_logs, 2},   {create_logs, 1},  {hold_logs, 3},
	{append_frames, 1}, {replace_logs, 1},
};

static pid_t children[MOST_CHILDREN];
static unsigned child_count;

static void start_all(void)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (unsigned j = 0; j < parts[i].count; j++)
			children[child_count++] = campaign_start_child(
				parts[i].body, j);
	}
}

/* A child that has ended has found something wrong. */
static void look_at_children(void)
{
	for (unsigned i = 0; i < child_count; i++) {
		if (waitpid(children[i], NULL, WNOHANG) == children[i])
			exit(1);
	}
}

/* What is left beside the names are whole logs and texts that a killed remover
 * had moved aside. */
static void check_rest(void)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		struct shmlog_look look;

		if (entry->d_name[0] != '.' || entry->d_type != DT_REG)
			continue;
		int fd = openat(dirfd(directory), entry->d_name,
		                O_RDONLY | O_CLOEXEC);
		int status = fd < 0 ? -errno : shmlog_look(fd, &look);

		if (status != 0 && status != SHMLOG_ERR_TOO_SHORT)
			campaign_fail("%s is left behind: %s", entry->d_name,
			              shmlog_strerror(status));
		close(fd);
	}
	if (directory != NULL)
		closedir(directory);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: rm_race FOLDER REMOVALS\n");
		return 2;
	}
	campaign_begin("rm_race", 7200);
	folder = argv[1];
	uint64_t wanted = campaign_number(argv[2]);
	uint64_t kills = 0;

	if (mkdir(folder, 0700) != 0)
		campaign_fail("%s: %s", folder, strerror(errno));
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		campaign_fail("no memory");
	start_all();
	while (counts->tries < wanted) {
		campaign_sleep_ns((int64_t)chance_below(20 * NS_PER_MS));
		look_at_children();
		if (chance_below(4) != 0)
			continue;
		/* The first ones are the removers. */
		unsigned victim = (unsigned)chance_below(parts[0].count);

		campaign_end_by(
			children[victim], SIGKILL,
			campaign_patience_ns(INT64_C(1000) * NS_PER_MS));
		children[victim] = campaign_start_child(remove_logs, victim);
		kills++;
	}
	counts->over = true;
	for (unsigned i = 0; i < child_count; i++) {
		if (campaign_wait(
			    children[i],
			    campaign_patience_ns(INT64_C(10000) * NS_PER_MS),
			    NULL) != 0)
			return 1;
	}
	check_rest();
	/* Who was on his way when the name went should have been seen. */
	if (counts->late > 2 + counts->tries / 1000)
		campaign_fail("%" PRIu64 " opens of %" PRIu64
		              " removals ended without a name",
		              counts->late, counts->tries);
	if (counts->removed == 0 || counts->held == 0 || counts->holds == 0 ||
	    counts->acknowledged == 0)
		campaign_fail("nothing has raced");
	return campaign_pass("%" PRIu64 " removals tried, %" PRIu64
	                     " done, %" PRIu64 " found the log held, %" PRIu64
	                     " replaced, %" PRIu64 " were in doubt; %" PRIu64
	                     " holds, %" PRIu64 " opens were too late, %" PRIu64
	                     " frames acknowledged, %" PRIu64
	                     " other files, %" PRIu64 " removers killed",
	                     counts->tries, counts->removed, counts->held,
	                     counts->replaced, counts->doubts, counts->holds,
	                     counts->late, counts->acknowledged, counts->texts,
	                     kills);
}
