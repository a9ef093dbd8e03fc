/* Looks at the descriptors, the mappings and the threads of a process. */
#include "sys_attachments.h"

#include "sys_marks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* As in the kernel's linux/kcmp.h, which is not to be had with every libc. */
#define KCMP_FILES 2

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

/* Makes room for one more attachment to a file that matters.  NULL: no
 * memory. */
static struct shmlog_attachment *attach(struct shmlog_proc_look *look,
                                        const struct shmlog_held_file *file)
{
	if (look->count == look->room) {
		size_t room = look->room * 2 + 8;
		void *found = realloc(look->found, room * sizeof(*look->found));

		if (found == NULL)
			return NULL;
		look->found = found;
		look->room = room;
	}
	struct shmlog_attachment *attachment = &look->found[look->count++];

	*attachment = (struct shmlog_attachment){.file = *file};
	return attachment;
}

/* Takes a line of fdinfo: the position, the flags of the open file, or a lock
 * on it. */
static void read_info_line(const char *line, struct shmlog_attachment *found,
                           bool *is_place)
{
	unsigned flags;
	char kind[16];
	char access[16];
	int64_t first;

	if (sscanf(line, "pos: %" SCNu64, &found->least_place) == 1)
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
	*is_place |= first == PLACE_BYTE;
}

static int look_at_info(const char *pid, const char *fd,
                        struct shmlog_attachment *found)
{
	char path[96];
	char line[256];
	bool is_place = false;

	snprintf(path, sizeof(path), "/proc/%.48s/fdinfo/%.16s", pid, fd);
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return judge_refusal(errno);
	while (fgets(line, sizeof(line), file) != NULL)
		read_info_line(line, found, &is_place);
	int status = ferror(file) ? judge_refusal(errno) : 0;

	found->places = is_place && status == 0;
	fclose(file);
	return status;
}

/* One descriptor of a process. */
static int look_at_descriptor(DIR *directory, const char *pid, const char *fd,
                              struct shmlog_proc_look *look)
{
	struct stat other;

	if (fstatat(dirfd(directory), fd, &other, 0) != 0)
		return judge_refusal(errno);
	const struct shmlog_held_file file = {other.st_dev, other.st_ino,
	                                      other.st_nlink > 0};

	if (!look->wants(look->context, &file))
		return 0;
	struct shmlog_attachment *found = attach(look, &file);

	if (found == NULL)
		return -ENOMEM;
	found->open = true;
	snprintf(found->path, sizeof(found->path), "/proc/%.48s/fd/%.16s", pid,
	         fd);
	return look_at_info(pid, fd, found);
}

static int look_at_descriptors(const char *pid, struct shmlog_proc_look *look)
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
		look->has_files = true;
		status = shmlog_proc_worse(
			status, look_at_descriptor(directory, pid,
		                                   entry->d_name, look));
	}
	status = shmlog_proc_worse(status, judge_refusal(errno));
	closedir(directory);
	return status;
}

/*
 * Whether the text of a shared mapping says that its file has lost its name.
 * What was never in a folder, as memory that processes share is not, has no
 * second slash.
 */
static bool has_lost_name(const char *text)
{
	static const char mark[] = " (deleted)\n";
	size_t length = strlen(text);

	return length >= sizeof(mark) &&
	       strcmp(text + length - (sizeof(mark) - 1), mark) == 0 &&
	       text[0] == '/' && strchr(text + 1, '/') != NULL &&
	       strncmp(text, "/dev/zero (", 11) != 0;
}

/* Takes a line of maps: 0 or -ENOMEM. */
static int read_map_line(const char *pid, const char *line,
                         struct shmlog_proc_look *look)
{
	char access[5] = "";
	unsigned device_major = 0;
	unsigned device_minor = 0;
	uint64_t first = 0;
	uint64_t last = 0;
	struct shmlog_held_file file = {.named = true};
	int text = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %x:%x %" SCNu64 " %n",
	           &first, &last, access, &device_major, &device_minor,
	           &file.inode, &text) != 6 ||
	    file.inode == 0)
		return 0;
	file.device = makedev(device_major, device_minor);
	file.named = access[3] != 's' || !has_lost_name(line + text);
	if (!look->wants(look->context, &file))
		return 0;
	struct shmlog_attachment *found = attach(look, &file);

	if (found == NULL)
		return -ENOMEM;
	found->mapped = true;
	found->maps_writable = access[1] == 'w' && access[3] == 's';
	found->writes = found->maps_writable;
	snprintf(found->path, sizeof(found->path),
	         "/proc/%.16s/map_files/%" PRIx64 "-%" PRIx64, pid, first,
	         last);
	return 0;
}

static int look_at_mappings(const char *pid, struct shmlog_proc_look *look)
{
	char path[96];
	char *line = NULL;
	size_t line_bytes = 0;
	int status = 0;

	snprintf(path, sizeof(path), "/proc/%.48s/maps", pid);
	FILE *maps = fopen(path, "re");

	if (maps == NULL)
		return judge_refusal(errno);
	while (status == 0 &&
	       (errno = 0, getline(&line, &line_bytes, maps) > 0))
		status = read_map_line(pid, line, look);
	if (status == 0 && !feof(maps))
		status = judge_refusal(errno);
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
static int look_at_threads(const char *pid, struct shmlog_proc_look *look)
{
	bool first_ended = !look->has_files;
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
		status = shmlog_proc_worse(status,
		                           look_at_descriptors(path, look));
		if (!first_ended)
			continue;
		if (status == -EACCES)
			break;
		status = shmlog_proc_worse(status,
		                           look_at_mappings(path, look));
		/* Those that are left share what they have, as a rule. */
		if (look->has_files)
			break;
	}
	if (entry == NULL)
		status = shmlog_proc_worse(status, judge_refusal(errno));
	closedir(directory);
	return status;
}

int shmlog_proc_attachments(const char *pid, struct shmlog_proc_look *look)
{
	int status = look_at_descriptors(pid, look);

	/* A caller that may not see the descriptors may not see the threads
	 * either, unless the first thread has ended: nobody can see what that
	 * had. */
	if (status == -EACCES) {
		int threads = look_at_threads(pid, look);

		return look->has_files ? threads : status;
	}
	status = shmlog_proc_worse(status, look_at_mappings(pid, look));
	return shmlog_proc_worse(status, look_at_threads(pid, look));
}
