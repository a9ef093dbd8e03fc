/*
 * Marks on a file: record locks on bytes that no file has.  Such a lock says no
 * more than that its holder lives, and every process that can read the file can
 * see it.
 */
#include "sys_marks.h"

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <unistd.h>

static int set_mark(int fd, off_t byte, short type)
{
	struct flock lock = {.l_type = type,
	                     .l_whence = SEEK_SET,
	                     .l_start = byte,
	                     .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : -errno;
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

void shmlog_sys_mark_written(int fd)
{
	(void)set_mark(fd, WRITTEN_BYTE, F_WRLCK);
}

bool shmlog_sys_is_marked(int fd)
{
	return has_mark(fd, WRITTEN_BYTE);
}

void shmlog_sys_mark_lock_request(int fd, const char *path)
{
	/* Shared: any number may wait. */
	(void)set_mark(fd, LOCK_REQUEST_BYTE, F_RDLCK);
	/* First the mark, then the opening that a watch sees: a process that
	 * begins to keep the lock after this sees the mark. */
	int opened = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	                                               O_NONBLOCK)
	                          : shmlog_sys_reopen(fd, O_RDONLY);

	if (opened >= 0)
		close(opened);
}

void shmlog_sys_unmark_lock_request(int fd)
{
	(void)set_mark(fd, LOCK_REQUEST_BYTE, F_UNLCK);
}

bool shmlog_sys_has_lock_request(int fd)
{
	return has_mark(fd, LOCK_REQUEST_BYTE);
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

int shmlog_sys_mark_output(int fd, const struct stat *pipe)
{
	if (!has_local_locks(fd))
		return -ENOTSUP;
	(void)set_mark(fd, byte_of(pipe), F_RDLCK);
	return 0;
}

bool shmlog_sys_has_output(int fd, const struct stat *pipe)
{
	return has_local_locks(fd) && has_mark(fd, byte_of(pipe));
}

void shmlog_sys_mark_appender(int fd)
{
	/* Shared: any number may append. */
	if (has_local_locks(fd))
		(void)set_mark(fd, APPENDER_BYTE, F_RDLCK);
}

void shmlog_sys_unmark_appender(int fd)
{
	(void)set_mark(fd, APPENDER_BYTE, F_UNLCK);
}

bool shmlog_sys_has_appender(int fd)
{
	return has_mark(fd, APPENDER_BYTE);
}

/* Whether a descriptor is in the lower half of those that the process may
 * have.  The system hands out the lowest one that is free, so the upper half is
 * left for what the process cannot do without: logs and the files it makes. */
static bool is_spare(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       (rlim_t)fd < limit.rlim_cur / 2;
}

int shmlog_sys_mark_place(int fd)
{
	/* Shared: any number may read. */
	return is_spare(fd) && has_local_locks(fd) &&
	                       set_mark(fd, PLACE_BYTE, F_RDLCK) == 0
	               ? 0
	               : -ENOTSUP;
}
