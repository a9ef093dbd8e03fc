/* Finding in /proc the processes that have a file open. */
#include "sys.h"
#include "sys_marks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* As in the kernel's linux/kcmp.h, which is not to be had with every libc. */
#define KCMP_FILES 2

/* How one process uses the file. */
struct attachment {
	bool has_files; /* any at all */
	bool open;
	bool writes;
	bool mapped;
	bool maps_writable;
	bool locks;        /* holds the flock(2) */
	bool waits;        /* has the mark of who waits for that */
	bool is_appender;  /* has the mark of who appends under that */
	bool writes_alone; /* has the mark of the one writer */
	unsigned places;   /* descriptors with the mark of a reader's place */
	uint64_t least_place;
	/* Of the descriptor that is looked at. */
	uint64_t position;
	bool is_place;
};

/* The status for a refusal to look into a process: -EACCES if it is not shown
 * to this caller, 0 if it has ended meanwhile. */
static int judge_refusal(int error)
{
	switch (error) {
	case ENOENT:
	case ESRCH: return 0;
	case EPERM: return -EACCES;
	default: return -error;
	}
}

/* Of two such refusals the one that says more about the list as a whole. */
static int worse_refusal(int one, int other)
{
	return one == 0 || one == -EACCES ? (other != 0 ? other : one) : one;
}

/* Takes a line of fdinfo: the flags of the open file, or a lock on it. */
static void read_info_line(const char *line, struct attachment *found)
{
	unsigned flags;
	char kind[16];
	char access[16];
	int64_t first;

	if (sscanf(line, "pos: %" SCNu64, &found->position) == 1)
		return;
	if (sscanf(line, "flags: %o", &flags) == 1)
		found->writes |= (flags & O_ACCMODE) != O_RDONLY;
	if (sscanf(line, "lock: %*s %15s %*s %15s %*s %*s %" SCNd64, kind,
	           access, &first) != 3)
		return;
	if (strcmp(kind, "FLOCK") == 0)
		found->locks |= strcmp(access, "WRITE") == 0;
	if (strcmp(kind, "OFDLCK") != 0)
		return;
	found->writes_alone |= first == WRITTEN_BYTE;
	found->waits |= first == LOCK_REQUEST_BYTE;
	found->is_appender |= first == APPENDER_BYTE;
	found->is_place |= first == PLACE_BYTE;
}

static void note_place(struct attachment *found)
{
	if (found->places == 0 || found->position < found->least_place)
		found->least_place = found->position;
	found->places++;
}

static int look_at_info(const char *pid, const char *fd,
                        struct attachment *found)
{
	char path[96];
	char line[256];

	snprintf(path, sizeof(path), "/proc/%.48s/fdinfo/%.16s", pid, fd);
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return judge_refusal(errno);
	found->is_place = false;
	while (fgets(line, sizeof(line), file) != NULL)
		read_info_line(line, found);
	int status = ferror(file) ? judge_refusal(errno) : 0;

	if (found->is_place && status == 0)
		note_place(found);

	fclose(file);
	return status;
}

/* One descriptor of a process. */
static int look_at_descriptor(DIR *directory, const char *pid, const char *fd,
                              const struct stat *file, struct attachment *found)
{
	struct stat other;

	if (fstatat(dirfd(directory), fd, &other, 0) != 0)
		return judge_refusal(errno);
	if (other.st_dev != file->st_dev || other.st_ino != file->st_ino)
		return 0;
	found->open = true;
	return look_at_info(pid, fd, found);
}

static int look_at_descriptors(const char *pid, const struct stat *file,
                               struct attachment *found)
{
	char path[96];
	struct dirent *entry;
	int status = 0;

	snprintf(path, sizeof(path), "/proc/%.48s/fd", pid);
	DIR *directory = opendir(path);

	if (directory == NULL)
		return judge_refusal(errno);
	while (errno = 0, (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		found->has_files = true;
		status = worse_refusal(
			status, look_at_descriptor(directory, pid,
		                                   entry->d_name, file, found));
	}
	status = worse_refusal(status, judge_refusal(errno));
	closedir(directory);
	return status;
}

/* Takes a line of maps. */
static void read_map_line(const char *line, const struct stat *file,
                          struct attachment *found)
{
	char access[5] = "";
	unsigned device_major = 0;
	unsigned device_minor = 0;
	uint64_t inode = 0;

	if (sscanf(line, "%*s %4s %*s %x:%x %" SCNu64, access, &device_major,
	           &device_minor, &inode) != 4 ||
	    inode != file->st_ino ||
	    makedev(device_major, device_minor) != file->st_dev)
		return;
	found->mapped = true;
	found->maps_writable |= access[1] == 'w' && access[3] == 's';
	found->writes |= found->maps_writable;
}

static int look_at_mappings(const char *pid, const struct stat *file,
                            struct attachment *found)
{
	char path[96];
	char *line = NULL;
	size_t line_bytes = 0;

	snprintf(path, sizeof(path), "/proc/%.48s/maps", pid);
	FILE *maps = fopen(path, "re");

	if (maps == NULL)
		return judge_refusal(errno);
	while (errno = 0, getline(&line, &line_bytes, maps) > 0)
		read_map_line(line, file, found);
	int status = feof(maps) ? 0 : judge_refusal(errno);

	free(line);
	fclose(maps);
	return status;
}

/* Whether a thread has the descriptors of its process, so that one look is
 * enough.  Where the system does not tell, it has to be looked at. */
static bool shares_descriptors(const char *pid, const char *thread)
{
	return syscall(SYS_kcmp, strtol(pid, NULL, 10),
	               strtol(thread, NULL, 10), KCMP_FILES, 0, 0) == 0;
}

/*
 * A thread may have descriptors of its own (unshare(2), CLONE_FILES), and a
 * process whose first thread has ended is seen by its others alone.
 */
static int look_at_threads(const char *pid, const struct stat *file,
                           struct attachment *found)
{
	bool first_ended = !found->has_files;
	char path[64];
	struct stat tasks;
	struct dirent *entry;
	int status = 0;

	snprintf(path, sizeof(path), "/proc/%.16s/task", pid);
	/* A folder for each thread, and the two that every folder has. */
	if (stat(path, &tasks) == 0 && tasks.st_nlink == 3)
		return 0;
	DIR *directory = opendir(path);

	if (directory == NULL)
		return judge_refusal(errno);
	while (errno = 0, (entry = readdir(directory)) != NULL) {
		const char *thread = entry->d_name;

		if (thread[0] == '.' || strcmp(thread, pid) == 0 ||
		    (!first_ended && shares_descriptors(pid, thread)))
			continue;
		snprintf(path, sizeof(path), "%.16s/task/%.16s", pid, thread);
		status = worse_refusal(status,
		                       look_at_descriptors(path, file, found));
		if (!first_ended)
			continue;
		if (status == -EACCES)
			break;
		status = worse_refusal(status,
		                       look_at_mappings(path, file, found));
		/* Those that are left share what they have, as a rule. */
		if (found->has_files)
			break;
	}
	if (entry == NULL)
		status = worse_refusal(status, judge_refusal(errno));
	closedir(directory);
	return status;
}

static int look_at_process(const char *pid, const struct stat *file,
                           struct attachment *found)
{
	int status = look_at_descriptors(pid, file, found);

	/* A caller that may not see the descriptors may not see the threads
	 * either, unless the first thread has ended: nobody can see what that
	 * had. */
	if (status == -EACCES) {
		int threads = look_at_threads(pid, file, found);

		return found->has_files ? threads : status;
	}
	status = worse_refusal(status, look_at_mappings(pid, file, found));
	return worse_refusal(status, look_at_threads(pid, file, found));
}

int64_t shmlog_sys_lock_holder(const struct stat *file)
{
	char line[256];
	int64_t holder = 0;
	FILE *locks = fopen("/proc/locks", "re");

	if (locks == NULL)
		return 0;
	while (holder == 0 && fgets(line, sizeof(line), locks) != NULL) {
		unsigned device_major;
		unsigned device_minor;
		uint64_t inode;
		int64_t pid;

		if (sscanf(line,
		           "%*s FLOCK %*s WRITE %" SCNd64 " %x:%x:%" SCNu64,
		           &pid, &device_major, &device_minor, &inode) == 4 &&
		    inode == file->st_ino &&
		    makedev(device_major, device_minor) == file->st_dev)
			holder = pid;
	}
	fclose(locks);
	return holder;
}

static size_t read_text(const char *pid, const char *name, char *text,
                        size_t text_bytes)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t got = read(fd, text, text_bytes - 1);

	close(fd);
	return got > 0 ? (size_t)got : 0;
}

/* The command line with blanks between its words, or the short name where
 * there is none. */
static void read_command(const char *pid, char *command, size_t command_bytes)
{
	size_t got = read_text(pid, "cmdline", command, command_bytes);

	while (got > 0 && command[got - 1] == '\0')
		got--;
	for (size_t i = 0; i < got; i++) {
		if (command[i] == '\0')
			command[i] = ' ';
	}
	if (got == 0) {
		got = read_text(pid, "comm", command, command_bytes);
		while (got > 0 && command[got - 1] == '\n')
			got--;
	}
	command[got] = '\0';
}

static void describe_process(const char *pid, const struct attachment *found,
                             struct shmlog_process *process_out)
{
	char path[64];
	struct stat owner;

	memset(process_out, 0, sizeof(*process_out));
	snprintf(path, sizeof(path), "/proc/%.16s", pid);
	if (stat(path, &owner) == 0)
		process_out->uid = owner.st_uid;
	process_out->pid = strtol(pid, NULL, 10);
	process_out->writes = found->writes;
	process_out->mapped = found->mapped;
	process_out->maps_writable = found->maps_writable;
	process_out->holds_lock = found->locks;
	process_out->waits_for_lock = found->waits;
	process_out->followers = found->places;
	process_out->follower_offset = found->least_place;
	process_out->appends = found->is_appender || found->waits ||
	                       (found->locks && !found->writes_alone);
	read_command(pid, process_out->command, sizeof(process_out->command));
}

int shmlog_sys_processes(const struct stat *file,
                         int (*visit)(void *context,
                                      const struct shmlog_process *),
                         void *context)
{
	/* An empty folder of that name would pass for an empty system. */
	DIR *proc = access("/proc/self/fd", F_OK) == 0 ? opendir("/proc")
	                                               : NULL;
	struct dirent *entry;
	int unseen = 0;
	int failure = 0;
	int result = 0;

	if (proc == NULL)
		return -errno;
	while (result == 0 && (errno = 0, entry = readdir(proc)) != NULL) {
		const char *pid = entry->d_name;
		struct attachment found = {0};
		struct shmlog_process process;

		if (pid[0] < '0' || pid[0] > '9' ||
		    strtol(pid, NULL, 10) == getpid())
			continue;
		int status = look_at_process(pid, file, &found);

		if (status == -EACCES)
			unseen++;
		else
			failure = worse_refusal(failure, status);
		/* A process that could be looked at only in part must not pass
		 * for a reader. */
		if ((!found.open && !found.mapped) ||
		    (status < 0 && status != -EACCES && !found.writes))
			continue;
		describe_process(pid, &found, &process);
		result = visit(context, &process);
	}
	if (result == 0)
		failure = worse_refusal(failure, -errno);
	closedir(proc);
	return failure != 0 ? failure : unseen;
}

bool shmlog_sys_hides_processes(void)
{
	/* The inode of the first PID namespace, PROC_PID_INIT_INO in the
	 * kernel's include/linux/proc_ns.h. */
	const ino_t first_namespace = 0xeffffffc;
	struct stat space;
	struct stat first_process;

	return stat("/proc/self/ns/pid", &space) != 0 ||
	       space.st_ino != first_namespace ||
	       stat("/proc/1", &first_process) != 0;
}
