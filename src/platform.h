/*
 * What only one system can do: sleeping on a word of a file, seeing a live
 * writer, naming processes, files without a name.  Every function has a
 * portable fallback, chosen at compile time in platform.c, forced with
 * -DSHMLOG_PORTABLE.
 */
#ifndef SHMLOG_PLATFORM_H
#define SHMLOG_PLATFORM_H

#include <shmlog.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* open(2), made again when a signal cuts it.  A descriptor, or -1 and errno. */
int shmlog_platform_open(const char *path, int flags, mode_t mode);

/*
 * Sleeps while the low half of *word is that of `expected`, at most
 * `timeout_ns` (>= 0); for that long where `word` is NULL.  Returns 1 when
 * woken, 0 when timed out or the word differs, -EINTR when a signal was
 * caught.  Never raises SIGBUS.
 */
int shmlog_platform_wait(const _Atomic uint64_t *word, uint64_t expected,
                         int64_t timeout_ns);

/* Wakes all who sleep on the word.  0, also where that cannot be done and all
 * poll; SHMLOG_ERR_MAPPING_GONE where the word's page was cut off; -errno. */
int shmlog_platform_wake(const _Atomic uint64_t *word);

/*
 * Whether any process has the file of `fd` (open read-only) open or mapped
 * for writing: 1 if so, 0 if not, -ENOTSUP where that can't be told.
 */
int shmlog_platform_has_writer(int fd);

/*
 * Marks the file of `fd`, open for writing, as written to until that is
 * closed, for those who may not ask the above; and asks for a mark.  There is
 * none where the system has no such thing.
 */
void shmlog_platform_mark_written(int fd);
bool shmlog_platform_is_marked(int fd);

/*
 * Shows that this process waits for the lock on the file of `fd`, named
 * `path`, to whoever keeps it from one append to the next; takes that back;
 * and asks whether anybody waits.
 */
void shmlog_platform_mark_waiting(int fd, const char *path);
void shmlog_platform_unmark_waiting(int fd);
bool shmlog_platform_is_awaited(int fd);

/* Shows that this process appends to the file of `fd` under the lock, also
 * while it holds neither that nor write access; and takes that back. */
void shmlog_platform_mark_appender(int fd);
void shmlog_platform_unmark_appender(int fd);

/*
 * Marks the file of `fd`, until that is closed, as what the pipe `pipe` is
 * filled from; and asks whether another descriptor has put such a mark.  0, or
 * -ENOTSUP where there is none: the system has no such thing, or its locks on
 * this file are others' business, too.
 */
int shmlog_platform_mark_output(int fd, const struct stat *pipe);
bool shmlog_platform_has_output(int fd, const struct stat *pipe);

/*
 * A descriptor that becomes readable when the file of `fd` is opened, renamed
 * or loses a name.  -errno; -ENOTSUP where there is no such thing, or not one
 * that can tell this process from others.  Closing it takes the system some
 * 10 ms.
 */
int shmlog_platform_watch(int fd);

/* What a watch has seen since it was last asked. */
enum shmlog_seen {
	SHMLOG_SEEN_NOTHING,
	SHMLOG_SEEN_SELF, /* this process opened the file, nothing else */
	SHMLOG_SEEN_OTHERS,
};

enum shmlog_seen shmlog_platform_watch_read(int watch);

/* How many processors this process may run on; at least 1. */
unsigned shmlog_platform_processors(void);

/* The monotonic clock. */
int64_t shmlog_platform_now_ns(void);

/*
 * Maps the file of `fd` for reading in the place of a mapping of the same
 * file, while other threads read there: each finds the one or the other.  0
 * or -errno, with the old mapping as it was.
 */
int shmlog_platform_remap(void *base, size_t length, int fd);

/* Opens the file of `fd` for reading and writing through its descriptor,
 * whatever its name leads to.  A descriptor or -errno; -ENOTSUP where the
 * system cannot. */
int shmlog_platform_reopen(int fd);

/*
 * Makes an empty file, to be named `path` later.  Stores a descriptor, and
 * in `temporary` its present name, which must be freed; NULL if it has none.
 * 0 or -errno.
 */
int shmlog_platform_create_unnamed(const char *path, mode_t mode, int *fd_out,
                                   char **temporary_out);

/* Gives it its name, unless that exists.  0 or -errno; -EEXIST. */
int shmlog_platform_name(int fd, const char *temporary, const char *path);

/* The time of creation, nanoseconds since the epoch; 0 if unknown. */
int64_t shmlog_platform_birth_ns(int fd);

/*
 * A number that is one file system's, and still is after that was mounted
 * again; 0 if the system has none.  `file` is what fstat(2) said of `fd`.
 */
uint64_t shmlog_platform_filesystem(int fd, const struct stat *file);

/* The process that holds the flock(2) of a file; 0 if unknown. */
int64_t shmlog_platform_lock_holder(const struct stat *file);

/* shmlog_processes() for a file. */
int shmlog_platform_processes(const struct stat *file,
                              int (*visit)(void *context,
                                           const struct shmlog_process *),
                              void *context);

/* Whether there may be processes that the above does not even count. */
bool shmlog_platform_hides_processes(void);

#endif
