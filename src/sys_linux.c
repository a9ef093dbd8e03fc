/* What Linux can do: futexes, leases, watches and files without a name. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000

/* As in the kernel's linux/futex.h, which is not to be had with every libc. */
enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
};

/* As in linux/memfd.h and linux/fs.h: MFD_CLOEXEC, RENAME_NOREPLACE,
 * RENAME_EXCHANGE. */
enum {
	CLOSE_ON_EXEC = 1,
	NO_REPLACE = 1,
	EXCHANGE = 2,
};

/* A futex is 32 bits wide: the low half of the word, which is the half that
 * changes with every commit (frames have at least 4 bytes and the capacity
 * of one commit is far below 4 GiB). */
static const uint32_t *low_half(const _Atomic uint64_t *word)
{
	return (const uint32_t *)(const void *)word;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SECOND),
	                         .tv_nsec = (long)(ns % NS_PER_SECOND)};
}

/* Sleeps where the word is not to be slept on. */
static int sleep_blindly(int64_t ns)
{
	int status = shmlog_sys_pause(ns);

	return status == 0 ? -ENOSYS : status;
}

int shmlog_sys_wait(const _Atomic uint64_t *word, uint64_t expected,
                    int64_t timeout_ns)
{
	struct timespec timeout = timespec_of(timeout_ns);

	if (word == NULL)
		return sleep_blindly(timeout_ns);
	if (syscall(SYS_futex, low_half(word), FUTEX_WAIT, (uint32_t)expected,
	            &timeout, NULL, 0) == 0)
		return 1;
	switch (errno) {
	case EINTR: return -EINTR;
	case EAGAIN: return -EAGAIN;
	case ETIMEDOUT: return 0;
	default:
		/* EFAULT: the page is gone, as the file was cut.  The caller
		 * looks at the file next; do not let it spin till then.
		 * ENOSYS, EPERM, EACCES: a sandbox refuses the call, which
		 * leaves polling. */
		return sleep_blindly(timeout_ns);
	}
}

/* futex_waitv(2), which the headers of older systems do not have: its number,
 * its argument, and the flag of a shared word of 32 bits. */
#define NUMBER_OF_FUTEX_WAITV 449
#define FUTEX_OF_32_BITS 2u

/* Where a file was cut, the others are waited for again after this time. */
#define CUT_PAUSE_NS 50000000

struct futex_wait {
	uint64_t expected;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

int shmlog_sys_wait_any(const struct shmlog_awaited *words, size_t count,
                        int64_t timeout_ns, size_t *which_out)
{
	struct futex_wait waits[SHMLOG_AWAITED_MAX];
	struct timespec end = timespec_of(shmlog_sys_now_ns() + timeout_ns);

	for (size_t i = 0; i < count; i++)
		waits[i] = (struct futex_wait){
			.expected = (uint32_t)words[i].expected,
			.address = (uintptr_t)low_half(words[i].word),
			.flags = FUTEX_OF_32_BITS,
		};
	long result = syscall(NUMBER_OF_FUTEX_WAITV, waits, (unsigned)count, 0u,
	                      &end, CLOCK_MONOTONIC);

	if (result >= 0) {
		*which_out = (size_t)result;
		return 1;
	}
	switch (errno) {
	case EINTR: return -EINTR;
	case EAGAIN: return -EAGAIN;
	case ETIMEDOUT: return 0;
	case EFAULT: {
		/* A page is gone, as its file was cut.  The caller looks at
		 * the files next; do not let it spin till then. */
		int status = shmlog_sys_pause(
			timeout_ns < CUT_PAUSE_NS ? timeout_ns : CUT_PAUSE_NS);

		return status == 0 ? -EAGAIN : status;
	}
	/* An older kernel does not have the call, a sandbox refuses it. */
	default: return -ENOSYS;
	}
}

int shmlog_sys_wake_some(const _Atomic uint64_t *word, int most)
{
	long woken = syscall(SYS_futex, low_half(word), FUTEX_WAKE, most, NULL,
	                     NULL, 0);

	if (woken >= 0)
		return (int)woken;
	switch (errno) {
	case EFAULT: return SHMLOG_ERR_MAPPING_GONE;
	/* A sandbox refuses the call: readers that sleep find the news at their
	 * next poll, as beside a writer that never wakes. */
	case ENOSYS:
	case EPERM:
	case EACCES: return 0;
	default: return -errno;
	}
}

int shmlog_sys_wake(const _Atomic uint64_t *word)
{
	int woken = shmlog_sys_wake_some(word, INT32_MAX);

	return woken < 0 ? woken : 0;
}

unsigned shmlog_sys_processors(void)
{
	cpu_set_t allowed;

	return sched_getaffinity(0, sizeof(allowed), &allowed) == 0
	               ? (unsigned)CPU_COUNT(&allowed)
	               : 1;
}

int shmlog_sys_has_writer(int fd)
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

int shmlog_sys_lease(int fd, bool alone)
{
	/* The signal as above. */
	if (fcntl(fd, F_SETSIG, SIGURG) != 0)
		return -ENOTSUP;
	if (fcntl(fd, F_SETLEASE, alone ? F_WRLCK : F_RDLCK) == 0)
		return 0;
	return errno == EAGAIN ? -EAGAIN : -ENOTSUP;
}

bool shmlog_sys_lease_is_quiet(int fd, bool alone)
{
	/* The system shows what a lease is to become once somebody waits. */
	return fcntl(fd, F_GETLEASE) == (alone ? F_WRLCK : F_RDLCK);
}

void shmlog_sys_drop_lease(int fd)
{
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
}

int shmlog_sys_watch(int fd)
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

enum shmlog_seen shmlog_sys_watch_read(int watch)
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

/* How long the system takes to forget a mark, mostly. */
#define FORGET_NS 300000

void shmlog_sys_watch_close(int watch)
{
	/* Closing a watch that still has its mark asks the system at once for
	 * two periods in which every processor lets go of it, of which the
	 * second one then takes 12 ms.  With a pause between the two, both
	 * together take less than 0.4 ms. */
	if (fanotify_mark(watch, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) == 0)
		(void)shmlog_sys_pause(FORGET_NS);
	close(watch);
}

int shmlog_sys_remap(void *base, size_t length, int fd)
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

int shmlog_sys_reopen(int fd, int access)
{
	char path[32];

	fd_path(path, fd);
	int opened = open(path, access | O_CLOEXEC | O_NOCTTY);

	return opened >= 0 ? opened : -errno;
}

int shmlog_sys_memory_file(void)
{
	/* A sandbox may refuse the call. */
	int fd = (int)syscall(SYS_memfd_create, "shmlog", CLOSE_ON_EXEC);

	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EACCES))
		return -ENOTSUP;
	return fd >= 0 ? fd : -errno;
}

static int rename_by(const char *from, const char *to, unsigned how)
{
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, how) == 0)
		return 0;
	/* EINVAL is what a file system says that cannot. */
	return errno == ENOSYS || errno == EINVAL ? -ENOTSUP : -errno;
}

int shmlog_sys_rename_new(const char *from, const char *to)
{
	return rename_by(from, to, NO_REPLACE);
}

int shmlog_sys_exchange(const char *one, const char *other)
{
	return rename_by(one, other, EXCHANGE);
}

int shmlog_sys_create_tmpfile(const char *directory, mode_t mode)
{
	/* Its name can be given only through there. */
	if (access("/proc/self/fd", F_OK) != 0)
		return -EOPNOTSUPP;
	int fd = shmlog_sys_open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC,
	                         mode);

	return fd >= 0 ? fd : -errno;
}

int shmlog_sys_link_tmpfile(int fd, const char *path)
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

int64_t shmlog_sys_birth_ns(int fd)
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

static bool is_in_memory(const struct statfs *system)
{
	uint32_t type = (uint32_t)system->f_type;

	return type == TMPFS_TYPE || type == RAMFS_TYPE;
}

bool shmlog_sys_is_in_memory(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && is_in_memory(&system);
}

int shmlog_sys_sync(int fd)
{
	/* What was stored through a mapping is written as well. */
	return fdatasync(fd) == 0 ? 0 : -errno;
}

void shmlog_sys_begin_sync(int fd, uint64_t offset, uint64_t bytes)
{
	/* A failure of the disk stays for fdatasync(2) to report. */
	(void)sync_file_range(fd, (off_t)offset, (off_t)bytes,
	                      SYNC_FILE_RANGE_WRITE);
}

uint64_t shmlog_sys_filesystem(int fd, const struct stat *file)
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
		return is_in_memory(&system) ? (uint64_t)file->st_dev : 0;
	}
	return number;
}
