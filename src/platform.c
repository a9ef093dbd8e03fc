/* The parts that only one system has, each with a portable fallback. */
#include "platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
#define PLATFORM_LINUX 1
#include <sched.h>
#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#else
#define PLATFORM_LINUX 0
#endif

#define NS_PER_SECOND 1000000000

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SECOND),
	                         .tv_nsec = (long)(ns % NS_PER_SECOND)};
}

int64_t shmlog_platform_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int shmlog_platform_open(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

#if PLATFORM_LINUX

/* As in the kernel's linux/futex.h and linux/kcmp.h, which are not to be had
 * with every libc. */
enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	KCMP_FILES = 2,
};

/* A futex is 32 bits wide: the low half of the word, which is the half that
 * changes with every commit (frames have at least 4 bytes and the capacity
 * of one commit is far below 4 GiB). */
static const uint32_t *low_half(const _Atomic uint64_t *word)
{
	return (const uint32_t *)(const void *)word;
}

int shmlog_platform_wait(const _Atomic uint64_t *word, uint64_t expected,
                         int64_t timeout_ns)
{
	struct timespec timeout = timespec_of(timeout_ns);

	if (word == NULL)
		return nanosleep(&timeout, NULL) == 0 ? 0 : -errno;
	if (syscall(SYS_futex, low_half(word), FUTEX_WAIT, (uint32_t)expected,
	            &timeout, NULL, 0) == 0)
		return 1;
	switch (errno) {
	case EINTR: return -EINTR;
	case EAGAIN: /* the word differs */
	case ETIMEDOUT: return 0;
	default:
		/* EFAULT: the page is gone, as the file was cut.  The caller
		 * looks at the file next; do not let it spin till then.
		 * ENOSYS, EPERM, EACCES: a sandbox refuses the call, which
		 * leaves polling. */
		return nanosleep(&timeout, NULL) == 0 ? 0 : -errno;
	}
}

int shmlog_platform_wake(const _Atomic uint64_t *word)
{
	if (syscall(SYS_futex, low_half(word), FUTEX_WAKE, INT32_MAX, NULL,
	            NULL, 0) >= 0)
		return 0;
	switch (errno) {
	case EFAULT: return SHMLOG_ERR_MAPPING_GONE;
	/* A sandbox refuses the call: whoever sleeps finds the news at its
	 * next poll, as beside a writer that never wakes. */
	case ENOSYS:
	case EPERM:
	case EACCES: return 0;
	default: return -errno;
	}
}

unsigned shmlog_platform_processors(void)
{
	cpu_set_t allowed;

	return sched_getaffinity(0, sizeof(allowed), &allowed) == 0
	               ? (unsigned)CPU_COUNT(&allowed)
	               : 1;
}

int shmlog_platform_has_writer(int fd)
{
	/* A read lease is granted exactly while nobody has the inode open or
	 * mapped for writing.  It is given back at once.  Should somebody come
	 * in between, its SIGIO, which would end the process, is to be sent as
	 * a SIGURG, which does nothing; giving the lease back undoes that
	 * choice, so it is made each time. */
	if (fcntl(fd, F_SETSIG, SIGURG) != 0)
		return -ENOTSUP;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
		return errno == EAGAIN ? 1 : -ENOTSUP;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

/* Bytes that no file has.  A lock on one of them says no more than that its
 * holder lives, and whoever can read the file can see it. */
#define WRITTEN_BYTE (INT64_MAX - 1)
#define WAITING_BYTE (INT64_MAX - 2)
/* Not next to another one: the system makes one lock of two neighbours. */
#define APPENDER_BYTE (INT64_MAX - 4)

static void set_mark(int fd, off_t byte, short type)
{
	struct flock lock = {.l_type = type,
	                     .l_whence = SEEK_SET,
	                     .l_start = byte,
	                     .l_len = 1};

	(void)fcntl(fd, F_OFD_SETLK, &lock);
}

static bool has_mark(int fd, off_t byte)
{
	struct flock lock = {.l_type = F_WRLCK,
	                     .l_whence = SEEK_SET,
	                     .l_start = byte,
	                     .l_len = 1};

	/* A lock on all the bytes, as another machine's flock(2) is one, is no
	 * mark. */
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK &&
	       lock.l_start == byte && lock.l_len == 1;
}

void shmlog_platform_mark_written(int fd)
{
	set_mark(fd, WRITTEN_BYTE, F_WRLCK);
}

bool shmlog_platform_is_marked(int fd)
{
	return has_mark(fd, WRITTEN_BYTE);
}

void shmlog_platform_mark_waiting(int fd, const char *path)
{
	/* Shared: any number may wait. */
	set_mark(fd, WAITING_BYTE, F_RDLCK);
	/* First the mark, then the opening that a watch sees: whoever begins to
	 * keep the lock after this has the mark to see. */
	int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (opened >= 0)
		close(opened);
}

void shmlog_platform_unmark_waiting(int fd)
{
	set_mark(fd, WAITING_BYTE, F_UNLCK);
}

bool shmlog_platform_is_awaited(int fd)
{
	return has_mark(fd, WAITING_BYTE);
}

/* Where every lock stays on this machine.  Elsewhere one on a byte that no
 * file has may stand in the way of flock(2), which is one on all bytes. */
static bool has_local_locks(int fd)
{
	static const int64_t types[] = {
		0x01021994, /* tmpfs */
		0x858458f6, /* ramfs */
		0x794c7630, /* overlayfs */
		0xef53,     /* ext2 to ext4 */
		0x58465342, /* XFS */
		0x9123683e, /* btrfs */
		0xf2f52010, /* F2FS */
		0x2fc12fc1, /* ZFS */
	};
	struct statfs system;

	if (fstatfs(fd, &system) != 0)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if ((int64_t)(uint32_t)system.f_type == types[i])
			return true;
	}
	return false;
}

/* One of 2^61 bytes, which no file has, for each pipe. */
static off_t byte_of(const struct stat *pipe)
{
	uint64_t name = (uint64_t)pipe->st_ino +
	                (uint64_t)pipe->st_dev * 0x9e3779b97f4a7c15u;

	return (off_t)(name % ((uint64_t)1 << 61) + ((uint64_t)1 << 61));
}

int shmlog_platform_mark_output(int fd, const struct stat *pipe)
{
	if (!has_local_locks(fd))
		return -ENOTSUP;
	set_mark(fd, byte_of(pipe), F_RDLCK);
	return 0;
}

bool shmlog_platform_has_output(int fd, const struct stat *pipe)
{
	return has_local_locks(fd) && has_mark(fd, byte_of(pipe));
}

void shmlog_platform_mark_appender(int fd)
{
	/* Shared: any number may append. */
	if (has_local_locks(fd))
		set_mark(fd, APPENDER_BYTE, F_RDLCK);
}

void shmlog_platform_unmark_appender(int fd)
{
	set_mark(fd, APPENDER_BYTE, F_UNLCK);
}

int shmlog_platform_watch(int fd)
{
	/* Unlike inotify(7), which joins equal events, this tells who it was,
	 * also to a process without privileges since Linux 5.13: itself, or
	 * somebody else. */
	int watch = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID |
	                                  FAN_NONBLOCK | FAN_CLOEXEC,
	                          O_RDONLY);

	if (watch < 0)
		return -ENOTSUP;
	if (fanotify_mark(watch, FAN_MARK_ADD,
	                  FAN_OPEN | FAN_ATTRIB | FAN_MOVE_SELF, fd,
	                  NULL) != 0) {
		close(watch);
		return -ENOTSUP;
	}
	return watch;
}

enum shmlog_seen shmlog_platform_watch_read(int watch)
{
	_Alignas(struct fanotify_event_metadata) char events[4096];
	enum shmlog_seen seen = SHMLOG_SEEN_NOTHING;
	ssize_t left;

	while ((left = read(watch, events, sizeof(events))) > 0) {
		const struct fanotify_event_metadata *event = (const void *)
			events;

		for (; FAN_EVENT_OK(event, left);
		     event = FAN_EVENT_NEXT(event, left)) {
			if (event->mask != FAN_OPEN || event->pid != getpid())
				seen = SHMLOG_SEEN_OTHERS;
			else if (seen == SHMLOG_SEEN_NOTHING)
				seen = SHMLOG_SEEN_SELF;
		}
	}
	return left < 0 && errno != EAGAIN ? SHMLOG_SEEN_OTHERS : seen;
}

int shmlog_platform_remap(void *base, size_t length, int fd)
{
	void *fresh = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);

	if (fresh == MAP_FAILED)
		return -errno;
	/* Made elsewhere and moved, not made in place: then a thread sanitizer
	 * does not take it for a store to all of it.  The kernel swaps both
	 * ways under the lock that page faults wait for. */
	if (mremap(fresh, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
	           base) != MAP_FAILED)
		return 0;
	int status = -errno;

	munmap(fresh, length);
	return status;
}

static void fd_path(char path[32], int fd)
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

int shmlog_platform_reopen(int fd)
{
	char path[32];

	fd_path(path, fd);
	int writable = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

	return writable >= 0 ? writable : -errno;
}

static int create_tmpfile(const char *directory, mode_t mode)
{
	/* Its name can be given only through there. */
	if (access("/proc/self/fd", F_OK) != 0)
		return -EOPNOTSUPP;
	int fd = shmlog_platform_open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC,
	                              mode);

	return fd >= 0 ? fd : -errno;
}

static int link_tmpfile(int fd, const char *path)
{
	char from[32];

	fd_path(from, fd);
	return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0
	               ? 0
	               : -errno;
}

#ifndef STATX_BTIME
/* A libc without statx(2), such as musl before 1.2.5: the kernel's interface,
 * with the names that linux/stat.h has and without the fields that nobody
 * asks for here. */
#define STATX_BTIME 0x800U

struct statx {
	uint32_t stx_mask;
	uint32_t other_words[19];
	struct {
		int64_t tv_sec;
		uint32_t tv_nsec;
		uint32_t padding;
	} stx_btime;
	uint32_t more_words[40];
};
_Static_assert(offsetof(struct statx, stx_btime) == 80 &&
                       sizeof(struct statx) == 256,
               "the kernel's layout");

static int statx(int fd, const char *path, int flags, unsigned mask,
                 struct statx *file)
{
	return (int)syscall(SYS_statx, fd, path, flags, mask, file);
}
#endif

int64_t shmlog_platform_birth_ns(int fd)
{
	struct statx file;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &file) != 0 ||
	    (file.stx_mask & STATX_BTIME) == 0)
		return 0;
	return file.stx_btime.tv_sec * NS_PER_SECOND +
	       (int64_t)file.stx_btime.tv_nsec;
}

/* From linux/magic.h, which is not everywhere: tmpfs and ramfs. */
#define TMPFS_TYPE 0x01021994u
#define RAMFS_TYPE 0x858458f6u

uint64_t shmlog_platform_filesystem(int fd, const struct stat *file)
{
	struct statfs system;
	uint32_t words[2];

	if (fstatfs(fd, &system) != 0)
		return 0;
	_Static_assert(sizeof(words) == sizeof(system.f_fsid),
	               "an fsid has two words");
	memcpy(words, &system.f_fsid, sizeof(words));
	uint64_t number = (uint64_t)words[1] << 32 | words[0];

	/* Some tell the device's number here, which is another one with the
	 * next mount; but what is in memory has only one. */
	if (number == 0 || number == (uint32_t)file->st_dev) {
		uint32_t type = (uint32_t)system.f_type;
		bool in_memory = type == TMPFS_TYPE || type == RAMFS_TYPE;

		return in_memory ? (uint64_t)file->st_dev : 0;
	}
	return number;
}

/* What one process does with the file. */
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
};

/* What a refusal to look into a process means: -EACCES if it is not shown to
 * this caller, 0 if it has ended meanwhile. */
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
	found->waits |= first == WAITING_BYTE;
	found->is_appender |= first == APPENDER_BYTE;
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
	while (fgets(line, sizeof(line), file) != NULL)
		read_info_line(line, found);
	int status = ferror(file) ? judge_refusal(errno) : 0;

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

	/* Who may not see the one may not see the others, unless the first
	 * thread has ended: what it had is nobody's to see any more. */
	if (status == -EACCES) {
		int threads = look_at_threads(pid, file, found);

		return found->has_files ? threads : status;
	}
	status = worse_refusal(status, look_at_mappings(pid, file, found));
	return worse_refusal(status, look_at_threads(pid, file, found));
}

int64_t shmlog_platform_lock_holder(const struct stat *file)
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
	process_out->appends = found->is_appender || found->waits ||
	                       (found->locks && !found->writes_alone);
	read_command(pid, process_out->command, sizeof(process_out->command));
}

int shmlog_platform_processes(const struct stat *file,
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
		/* What is only half known must not pass for a reader. */
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

bool shmlog_platform_hides_processes(void)
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

#else /* the portable fallbacks */

int shmlog_platform_wait(const _Atomic uint64_t *word, uint64_t expected,
                         int64_t timeout_ns)
{
	struct timespec timeout = timespec_of(timeout_ns);

	/* The word is not looked at: its page may be gone. */
	(void)word;
	(void)expected;
	return nanosleep(&timeout, NULL) == 0 ? 0 : -errno;
}

int shmlog_platform_wake(const _Atomic uint64_t *word)
{
	(void)word;
	return 0;
}

unsigned shmlog_platform_processors(void)
{
	return 1;
}

int shmlog_platform_has_writer(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

void shmlog_platform_mark_written(int fd)
{
	(void)fd;
}

bool shmlog_platform_is_marked(int fd)
{
	(void)fd;
	return false;
}

void shmlog_platform_mark_waiting(int fd, const char *path)
{
	(void)fd;
	(void)path;
}

void shmlog_platform_unmark_waiting(int fd)
{
	(void)fd;
}

bool shmlog_platform_is_awaited(int fd)
{
	(void)fd;
	return false;
}

int shmlog_platform_mark_output(int fd, const struct stat *pipe)
{
	(void)fd;
	(void)pipe;
	return -ENOTSUP;
}

bool shmlog_platform_has_output(int fd, const struct stat *pipe)
{
	(void)fd;
	(void)pipe;
	return false;
}

void shmlog_platform_mark_appender(int fd)
{
	(void)fd;
}

void shmlog_platform_unmark_appender(int fd)
{
	(void)fd;
}

int shmlog_platform_watch(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

enum shmlog_seen shmlog_platform_watch_read(int watch)
{
	(void)watch;
	return SHMLOG_SEEN_OTHERS;
}

int shmlog_platform_remap(void *base, size_t length, int fd)
{
	return mmap(base, length, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) !=
	                       MAP_FAILED
	               ? 0
	               : -errno;
}

int shmlog_platform_reopen(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

static int create_tmpfile(const char *directory, mode_t mode)
{
	(void)directory;
	(void)mode;
	return -EOPNOTSUPP;
}

static int link_tmpfile(int fd, const char *path)
{
	(void)fd;
	(void)path;
	return -EOPNOTSUPP;
}

int64_t shmlog_platform_birth_ns(int fd)
{
	(void)fd;
	return 0;
}

uint64_t shmlog_platform_filesystem(int fd, const struct stat *file)
{
	(void)fd;
	(void)file;
	return 0;
}

int64_t shmlog_platform_lock_holder(const struct stat *file)
{
	(void)file;
	return 0;
}

int shmlog_platform_processes(const struct stat *file,
                              int (*visit)(void *context,
                                           const struct shmlog_process *),
                              void *context)
{
	(void)file;
	(void)visit;
	(void)context;
	return -ENOTSUP;
}

bool shmlog_platform_hides_processes(void)
{
	return true;
}

#endif

/* The directory that `path` lies in; freed by the caller.  NULL: no memory. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A file with a name of its own beside `path`: hidden, and unlike any other
 * process's. */
static int create_named(const char *path, const char *directory, mode_t mode,
                        int *fd_out, char **temporary_out)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	size_t name_bytes = strlen(directory) + strlen(base) + 64;
	char *name = malloc(name_bytes);

	if (name == NULL)
		return -ENOMEM;
	for (unsigned attempt = 0; attempt < 1000; attempt++) {
		snprintf(name, name_bytes, "%s/.%.100s.%ld.%u", directory, base,
		         (long)getpid(), attempt);
		*fd_out = shmlog_platform_open(
			name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (*fd_out >= 0) {
			*temporary_out = name;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}

	int status = -errno;

	free(name);
	return status;
}

int shmlog_platform_create_unnamed(const char *path, mode_t mode, int *fd_out,
                                   char **temporary_out)
{
	char *directory = directory_of(path);
	int status = 0;

	*temporary_out = NULL;
	if (directory == NULL)
		return -ENOMEM;
	*fd_out = create_tmpfile(directory, mode);
	/* File systems without files that have no name say one of these. */
	if (*fd_out == -EOPNOTSUPP || *fd_out == -EISDIR ||
	    *fd_out == -EINVAL || *fd_out == -ENOENT)
		status = create_named(path, directory, mode, fd_out,
		                      temporary_out);
	else if (*fd_out < 0)
		status = *fd_out;
	free(directory);
	return status;
}

int shmlog_platform_name(int fd, const char *temporary, const char *path)
{
	if (temporary == NULL)
		return link_tmpfile(fd, path);
	/* link(2), unlike rename(2), never takes the place of a file. */
	return link(temporary, path) == 0 ? 0 : -errno;
}
