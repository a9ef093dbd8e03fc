/*
 * What the library asks of the system.  sys.c has what every system can do.
 * The rest is chosen when the library is built: sys_linux.c, sys_marks.c,
 * sys_attachments.c, sys_pages.c and sys_proc.c for Linux; sys_portable.c, with
 * a fallback for each function, for all other systems and for PORTABLE=1.
 */
#ifndef SHMLOG_SYS_H
#define SHMLOG_SYS_H

#include <shmlog.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* open(2), made again when a signal cuts it.  A descriptor, or -1 and errno. */
int shmlog_sys_open(const char *path, int flags, mode_t mode);

/* The monotonic clock. */
int64_t shmlog_sys_now_ns(void);

/* Sleeps for so long: 0, or -EINTR when a signal was caught. */
int shmlog_sys_pause(int64_t ns);

/*
 * Sleeps while the low half of *word is that of `expected`, at most
 * `timeout_ns` (>= 0).  Returns 1 when woken, 0 when so much time has passed
 * and the word was as expected at first, -EAGAIN at once if it was not, -EINTR
 * when a signal was caught.  -ENOSYS when so much time has passed and nobody
 * has looked at the word, as it is NULL, its page is gone, or the system or a
 * sandbox does not have the call.  Never raises SIGBUS.
 */
int shmlog_sys_wait(const _Atomic uint64_t *word, uint64_t expected,
                    int64_t timeout_ns);

/* A word, and the value whose change is awaited. */
struct shmlog_awaited {
	const _Atomic uint64_t *word;
	uint64_t expected;
};
/* How many of them one sleep can be on. */
#define SHMLOG_AWAITED_MAX 128u

/*
 * The same for 1 to SHMLOG_AWAITED_MAX words at once: 1 when one of them was
 * woken, whose place is stored in *which_out; 0 when the time has passed;
 * -EAGAIN when the low half of one differs, or some time after its page was cut
 * off; -EINTR; or -ENOSYS, without a sleep, where the system cannot do it.
 */
int shmlog_sys_wait_any(const struct shmlog_awaited *words, size_t count,
                        int64_t timeout_ns, size_t *which_out);

/* Wakes all who sleep on the word.  0, also where that cannot be done and all
 * poll; SHMLOG_ERR_MAPPING_GONE where the word's page was cut off; -errno. */
int shmlog_sys_wake(const _Atomic uint64_t *word);
/* Wakes `most` of them, those who have slept longest.  How many these were, or
 * as above. */
int shmlog_sys_wake_some(const _Atomic uint64_t *word, int most);

/*
 * Whether any process has the file of `fd` (open read-only) open or mapped
 * for writing: 1 if so, 0 if not, -ENOTSUP where that can't be told.
 */
int shmlog_sys_has_writer(int fd);

/*
 * Holds the file of `fd`, open read-only, by a lease.  Who opens it for
 * writing, or `alone` at all, then waits until the lease is dropped.  0;
 * -EAGAIN while any process has it open or mapped for that; -ENOTSUP where the
 * system or the file system has no leases, or not for this user.
 */
int shmlog_sys_lease(int fd, bool alone);
/* Whether nobody waits for the lease to be dropped. */
bool shmlog_sys_lease_is_quiet(int fd, bool alone);
void shmlog_sys_drop_lease(int fd);

/*
 * Marks the file of `fd`, open for writing, as written to until that is
 * closed, for those who may not ask the above; and asks for a mark.  There is
 * none where the system has no such thing.
 */
void shmlog_sys_mark_written(int fd);
bool shmlog_sys_is_marked(int fd);

/*
 * Marks the file of `fd`, named `path` (NULL: without a name), to show a
 * process that keeps its lock from one append to the next that this process
 * waits for it; removes the mark; and asks whether any process has set it.
 */
void shmlog_sys_mark_lock_request(int fd, const char *path);
void shmlog_sys_unmark_lock_request(int fd);
bool shmlog_sys_has_lock_request(int fd);

/* Shows that this process appends to the file of `fd` under the lock, also
 * while it holds neither that nor write access; and takes that back. */
void shmlog_sys_mark_appender(int fd);
void shmlog_sys_unmark_appender(int fd);
/* Whether any other process shows that. */
bool shmlog_sys_has_appender(int fd);

/*
 * Marks the file of `fd`, until that is closed, as what the pipe `pipe` is
 * filled from; and asks whether another descriptor has put such a mark.  0, or
 * -ENOTSUP where there is none: the system has no such thing, or its locks on
 * this file are others' business, too.
 */
int shmlog_sys_mark_output(int fd, const struct stat *pipe);
bool shmlog_sys_has_output(int fd, const struct stat *pipe);

/* Marks the descriptor `fd`, until it is closed, as one whose position is the
 * place of a reader.  0, or -ENOTSUP as above. */
int shmlog_sys_mark_place(int fd);

/*
 * A descriptor that becomes readable when the file of `fd` is opened, renamed
 * or loses a name.  -errno; -ENOTSUP where there is no such thing, or not one
 * that can tell this process from others.  Closing it takes the system some
 * 10 ms.
 */
int shmlog_sys_watch(int fd);

/* Which events a watch has seen since it was last read. */
enum shmlog_seen {
	SHMLOG_SEEN_NOTHING,
	SHMLOG_SEEN_SELF, /* this process opened the file, nothing else */
	SHMLOG_SEEN_OTHERS,
};

enum shmlog_seen shmlog_sys_watch_read(int watch);

/* Ends a watch. */
void shmlog_sys_watch_close(int watch);

/* How many processors this process may run on; at least 1. */
unsigned shmlog_sys_processors(void);

/*
 * Maps the file of `fd` for reading in the place of a mapping of the same
 * file, while other threads read there: each finds the one or the other.  0
 * or -errno, with the old mapping as it was.
 */
int shmlog_sys_remap(void *base, size_t length, int fd);

/* Opens the file of `fd` anew, for O_RDONLY or O_RDWR as `access` says, through
 * its descriptor, whatever its name leads to.  A descriptor or -errno; -ENOTSUP
 * where the system cannot. */
int shmlog_sys_reopen(int fd, int access);

/* An empty file without a name, in memory: a descriptor or -errno; -ENOTSUP
 * where the system has no such files. */
int shmlog_sys_memory_file(void);

/* rename(2) that takes the place of no file: 0 or -errno, -EEXIST among them;
 * -ENOTSUP where the system or the file system cannot. */
int shmlog_sys_rename_new(const char *from, const char *to);

/* Lets two names of files on one file system change places in one step: 0 or
 * -errno; -ENOTSUP where the system or the file system cannot. */
int shmlog_sys_exchange(const char *one, const char *other);

/*
 * Makes an empty file without a name in a directory, and gives it one, unless
 * that name exists.  A descriptor, or 0; -errno.  Some file systems cannot do
 * this; they say -EOPNOTSUPP, -EISDIR, -EINVAL or -ENOENT.
 */
int shmlog_sys_create_tmpfile(const char *directory, mode_t mode);
int shmlog_sys_link_tmpfile(int fd, const char *path);

/* Makes all that was written to the file of `fd` so far last, stores to a
 * mapping included: 0 or -errno.  A failure is final: what was not written may
 * count as written the next time. */
int shmlog_sys_sync(int fd);

/* Lets the system begin to bring a range of a file to the disk, so that the
 * next sync has less to wait for.  A hint, which reports nothing. */
void shmlog_sys_begin_sync(int fd, uint64_t offset, uint64_t bytes);

/* Whether the file system of `fd` keeps its files in memory alone; false where
 * that is unknown. */
bool shmlog_sys_is_in_memory(int fd);

/* The time of creation, nanoseconds since the epoch; 0 if unknown. */
int64_t shmlog_sys_birth_ns(int fd);

/*
 * A number that is one file system's, and still is after that was mounted
 * again; 0 if the system has none.  `file` is what fstat(2) said of `fd`.
 */
uint64_t shmlog_sys_filesystem(int fd, const struct stat *file);

/* The process that holds the flock(2) of a file; 0 if unknown. */
int64_t shmlog_sys_lock_holder(const struct stat *file);

/* shmlog_holds(). */
int shmlog_sys_holds(bool (*wants)(void *context,
                                   const struct shmlog_held_file *file),
                     int (*visit)(void *context,
                                  const struct shmlog_hold *hold),
                     void *context);

/* shmlog_touched_end() for a file. */
int shmlog_sys_touched(int64_t pid, const struct stat *file, uint64_t end,
                       uint64_t *offset_out);

/* Whether there may be processes that the above does not even count. */
bool shmlog_sys_hides_processes(void);

#endif
