/*
 * What remains of sys.h on a system of which nothing but POSIX is known: sleeps
 * instead of waking, and no way to see other processes.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int shmlog_sys_wait(const _Atomic uint64_t *word, uint64_t expected,
                    int64_t timeout_ns)
{
	/* The word is not looked at: its page may be gone. */
	(void)word;
	(void)expected;
	int status = shmlog_sys_pause(timeout_ns);

	return status == 0 ? -ENOSYS : status;
}

int shmlog_sys_wait_any(const struct shmlog_awaited *words, size_t count,
                        int64_t timeout_ns, size_t *which_out)
{
	(void)words;
	(void)count;
	(void)timeout_ns;
	(void)which_out;
	return -ENOSYS;
}

int shmlog_sys_wake(const _Atomic uint64_t *word)
{
	(void)word;
	return 0;
}

int shmlog_sys_wake_some(const _Atomic uint64_t *word, int most)
{
	(void)word;
	(void)most;
	return 0;
}

unsigned shmlog_sys_processors(void)
{
	return 1;
}

int shmlog_sys_has_writer(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

int shmlog_sys_lease(int fd, bool alone)
{
	(void)fd;
	(void)alone;
	return -ENOTSUP;
}

bool shmlog_sys_lease_is_quiet(int fd, bool alone)
{
	(void)fd;
	(void)alone;
	return false;
}

void shmlog_sys_drop_lease(int fd)
{
	(void)fd;
}

void shmlog_sys_mark_written(int fd)
{
	(void)fd;
}

bool shmlog_sys_is_marked(int fd)
{
	(void)fd;
	return false;
}

void shmlog_sys_mark_lock_request(int fd, const char *path)
{
	(void)fd;
	(void)path;
}

void shmlog_sys_unmark_lock_request(int fd)
{
	(void)fd;
}

bool shmlog_sys_has_lock_request(int fd)
{
	(void)fd;
	return false;
}

int shmlog_sys_mark_output(int fd, const struct stat *pipe)
{
	(void)fd;
	(void)pipe;
	return -ENOTSUP;
}

bool shmlog_sys_has_output(int fd, const struct stat *pipe)
{
	(void)fd;
	(void)pipe;
	return false;
}

void shmlog_sys_mark_appender(int fd)
{
	(void)fd;
}

void shmlog_sys_unmark_appender(int fd)
{
	(void)fd;
}

bool shmlog_sys_has_appender(int fd)
{
	(void)fd;
	return false;
}

int shmlog_sys_watch(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

enum shmlog_seen shmlog_sys_watch_read(int watch)
{
	(void)watch;
	return SHMLOG_SEEN_OTHERS;
}

void shmlog_sys_watch_close(int watch)
{
	close(watch);
}

int shmlog_sys_remap(void *base, size_t length, int fd)
{
	return mmap(base, length, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) !=
	                       MAP_FAILED
	               ? 0
	               : -errno;
}

int shmlog_sys_reopen(int fd, int access)
{
	(void)fd;
	(void)access;
	return -ENOTSUP;
}

int shmlog_sys_memory_file(void)
{
	return -ENOTSUP;
}

int shmlog_sys_rename_new(const char *from, const char *to)
{
	(void)from;
	(void)to;
	return -ENOTSUP;
}

int shmlog_sys_exchange(const char *one, const char *other)
{
	(void)one;
	(void)other;
	return -ENOTSUP;
}

int shmlog_sys_mark_place(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

int shmlog_sys_create_tmpfile(const char *directory, mode_t mode)
{
	(void)directory;
	(void)mode;
	return -EOPNOTSUPP;
}

int shmlog_sys_link_tmpfile(int fd, const char *path)
{
	(void)fd;
	(void)path;
	return -EOPNOTSUPP;
}

int64_t shmlog_sys_birth_ns(int fd)
{
	(void)fd;
	return 0;
}

uint64_t shmlog_sys_filesystem(int fd, const struct stat *file)
{
	(void)fd;
	(void)file;
	return 0;
}

int64_t shmlog_sys_lock_holder(const struct stat *file)
{
	(void)file;
	return 0;
}

int shmlog_sys_holds(bool (*wants)(void *context,
                                   const struct shmlog_held_file *file),
                     int (*visit)(void *context,
                                  const struct shmlog_hold *hold),
                     void *context)
{
	(void)wants;
	(void)visit;
	(void)context;
	return -ENOTSUP;
}

int shmlog_sys_touched(int64_t pid, const struct stat *file, uint64_t end,
                       uint64_t *offset_out)
{
	(void)pid;
	(void)file;
	(void)end;
	(void)offset_out;
	return -ENOTSUP;
}

bool shmlog_sys_hides_processes(void)
{
	return true;
}

int shmlog_sys_sync(int fd)
{
#ifdef F_FULLFSYNC
	/* Elsewhere fsync(2) reaches the disk, and not only its memory. */
	if (fcntl(fd, F_FULLFSYNC) == 0)
		return 0;
#endif
	return fsync(fd) == 0 ? 0 : -errno;
}

void shmlog_sys_begin_sync(int fd, uint64_t offset, uint64_t bytes)
{
	(void)fd;
	(void)offset;
	(void)bytes;
}

bool shmlog_sys_is_in_memory(int fd)
{
	(void)fd;
	return false;
}
