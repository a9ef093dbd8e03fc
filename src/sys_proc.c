/* Finding in /proc the processes that hold files. */
#include "sys.h"
#include "sys_attachments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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

static void describe_process(const char *pid,
                             const struct shmlog_attachment *found,
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

/* ------------------------------------------ from attachments to processes */

/* Orders attachments by their files; those by a descriptor come first. */
static int compare(const void *one, const void *other)
{
	const struct shmlog_attachment *a = one;
	const struct shmlog_attachment *b = other;

	if (a->file.device != b->file.device)
		return a->file.device < b->file.device ? -1 : 1;
	if (a->file.inode != b->file.inode)
		return a->file.inode < b->file.inode ? -1 : 1;
	return (int)b->open - (int)a->open;
}

static bool is_same_file(const struct shmlog_attachment *a,
                         const struct shmlog_attachment *b)
{
	return a->file.device == b->file.device &&
	       a->file.inode == b->file.inode;
}

/* Adds to an attachment what another one to the same file says. */
static void join(struct shmlog_attachment *to,
                 const struct shmlog_attachment *from)
{
	to->file.named &= from->file.named;
	to->open |= from->open;
	to->writes |= from->writes;
	to->mapped |= from->mapped;
	to->maps_writable |= from->maps_writable;
	to->locks |= from->locks;
	to->waits |= from->waits;
	to->is_appender |= from->is_appender;
	to->writes_alone |= from->writes_alone;
	if (from->places > 0 &&
	    (to->places == 0 || from->least_place < to->least_place))
		to->least_place = from->least_place;
	to->places += from->places;
}

/* Tells of all the files that a process holds. */
static int
visit_files(const char *pid, struct shmlog_proc_look *look, bool is_whole,
            int (*visit)(void *context, const struct shmlog_hold *hold))
{
	struct shmlog_attachment *found = look->found;
	int result = 0;

	if (look->count > 1)
		qsort(found, look->count, sizeof(*found), compare);
	for (size_t i = 0, next; i < look->count && result == 0; i = next) {
		struct shmlog_process process;

		for (next = i + 1; next < look->count &&
		                   is_same_file(&found[i], &found[next]);
		     next++)
			join(&found[i], &found[next]);
		/* A process that could be looked at only in part must not pass
		 * for a reader. */
		if (!is_whole && !found[i].writes)
			continue;
		describe_process(pid, &found[i], &process);
		const struct shmlog_hold hold = {found[i].file, found[i].path,
		                                 &process};

		result = visit(look->context, &hold);
	}
	return result;
}

/* Looks at one process: what its files say goes to `visit`, whose result is
 * stored. */
static int look_at_and_visit(const char *pid, struct shmlog_proc_look *look,
                             int (*visit)(void *context,
                                          const struct shmlog_hold *hold),
                             int *result_out)
{
	look->count = 0;
	look->has_files = false;
	int status = shmlog_proc_attachments(pid, look);

	*result_out = visit_files(pid, look, status == 0 || status == -EACCES,
	                          visit);
	return status;
}

int shmlog_sys_holds(bool (*wants)(void *context,
                                   const struct shmlog_held_file *file),
                     int (*visit)(void *context,
                                  const struct shmlog_hold *hold),
                     void *context)
{
	/* An empty folder of that name would pass for an empty system. */
	DIR *proc = access("/proc/self/fd", F_OK) == 0 ? opendir("/proc")
	                                               : NULL;
	struct shmlog_proc_look look = {.wants = wants, .context = context};
	struct dirent *entry;
	int unseen = 0;
	int failure = 0;
	int result = 0;

	if (proc == NULL)
		return -errno;
	while (result == 0 && (errno = 0, entry = readdir(proc)) != NULL) {
		const char *pid = entry->d_name;

		if (pid[0] < '0' || pid[0] > '9' ||
		    strtol(pid, NULL, 10) == getpid())
			continue;
		int status = look_at_and_visit(pid, &look, visit, &result);

		if (status == -EACCES)
			unseen++;
		else
			failure = shmlog_proc_worse(failure, status);
	}
	if (result == 0)
		failure = shmlog_proc_worse(failure, -errno);
	free(look.found);
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
