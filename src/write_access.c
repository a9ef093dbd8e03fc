/* Takes the lock, looks for a writer that takes no lock, and opens the log for
 * writing. */
#include "write_access.h"

#include "chain.h"
#include "mapping.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The pause between two attempts at a busy lock, which doubles each time. */
#define FIRST_PAUSE_NS 20000
#define LONGEST_PAUSE_NS 1000000
/* How long a writer without the lock is waited for before it counts.  A process
 * of this library that is killed loses its lock a moment before its write
 * access, and a process that creates a log closes the file a moment after it
 * gets its name.  A writer that stays longer is another program's. */
#define WRITER_GRACE_NS 30000000
/* The shortest wait for the lock: a session that keeps the lock from one append
 * to the next releases it within this time once another process waits. */
#define SESSION_GRACE_NS 5000000
/* The pause between two looks for a writer without the lock while the caller
 * waits for it: a look by a lease takes microseconds, one at /proc
 * milliseconds. */
#define LONGEST_WRITER_PAUSE_NS 10000000
#define PROC_PAUSE_NS 200000000
/* How many readers are woken under the lock, some 4 microseconds for each.  If
 * there are no more, one call has woken all of them. */
#define WOKEN_FIRST 32

/* Doubles a pause, up to `most`. */
static int64_t longer(int64_t pause, int64_t most)
{
	return pause * 2 < most ? pause * 2 : most;
}

/* The descriptor that carries the lock. */
static int lock_fd_of(const struct shmlog *log)
{
	return log->lock_fd >= 0 ? log->lock_fd : log->fd;
}

static int wait_for_lock(int fd, int64_t timeout_ns)
{
	int64_t pause = FIRST_PAUSE_NS;
	int64_t start = shmlog_sys_now_ns();

	if (timeout_ns < 0)
		return flock(fd, LOCK_EX) == 0 ? 0 : -errno;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return -errno;

		int64_t left = timeout_ns - (shmlog_sys_now_ns() - start);

		if (left <= 0)
			return SHMLOG_ERR_LOCK_TIMEOUT;
		int status = shmlog_sys_pause(pause < left ? pause : left);

		if (status != 0)
			return status;
		pause = longer(pause, LONGEST_PAUSE_NS);
	}
	return 0;
}

/* Checks that `fd` is open on the log's own file; stores the file's length. */
static int check_same(const struct shmlog *log, int fd, uint64_t *length_out)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return -errno;
	*length_out = (uint64_t)file.st_size;
	return (uint64_t)file.st_dev == log->identity.device &&
	                       (uint64_t)file.st_ino == log->identity.inode
	               ? 0
	               : SHMLOG_ERR_REPLACED;
}

/* Opens the log for writing by its descriptor.  Such an open waits until
 * another process gives up a lease on the file.  It tells nothing about the
 * name, which is checked separately. */
static int reopen_for_writing(const struct shmlog *log, int *fd_out,
                              uint64_t *length_out)
{
	int fd = shmlog_sys_reopen(log->fd, O_RDWR);

	if (fd < 0)
		return fd;
	*fd_out = fd;
	return shmlog_check_named(log, length_out);
}

/*
 * Opens the log for writing by its name.  That also proves that the name still
 * leads to the log, so that a process which opens the name now meets the same
 * lock.  Stores the descriptor, or -1 if there is none.  The caller closes it,
 * even if it is a descriptor of another file.
 */
static int open_for_writing(const struct shmlog *log, int *fd_out,
                            uint64_t *length_out)
{
	if (log->read_only)
		return -EROFS;
	if (log->path == NULL)
		return reopen_for_writing(log, fd_out, length_out);
	*fd_out = shmlog_sys_open(
		log->path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	/* Another process holds a lease, which only a blocking open breaks. */
	if (*fd_out < 0 && errno == EWOULDBLOCK)
		return reopen_for_writing(log, fd_out, length_out);
	if (*fd_out < 0)
		return errno == ENXIO || errno == EISDIR ? SHMLOG_ERR_REPLACED
		                                         : -errno;
	return check_same(log, *fd_out, length_out);
}

/* Tries to take the lock on a descriptor: 0 or -errno. */
static int try_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

/*
 * Network file systems implement flock(2) as a lock on all bytes of the file,
 * which takes a descriptor that is open for writing.  That descriptor stays
 * open for as long as the lock is wanted.
 */
static int try_lock_for_writing(struct shmlog *log)
{
	uint64_t length;
	int status = open_for_writing(log, &log->lock_fd, &length);

	return status == 0 ? try_lock(log->lock_fd) : status;
}

/* Releases the lock, if it was taken. */
void shmlog_unlock(struct shmlog *log)
{
	flock(lock_fd_of(log), LOCK_UN);
	if (log->lock_fd >= 0)
		close(log->lock_fd);
	log->lock_fd = -1;
}

int shmlog_lock(struct shmlog *log, const struct shmlog_access_terms *terms,
                bool *contended_out)
{
	int64_t timeout_ns = terms->lock_timeout_ns;
	int status = try_lock(log->fd);

	if (status == -EBADF) {
		/* Here the lock is a lock on bytes: the mark of an appender,
		 * which is such a lock too, would block it. */
		shmlog_sys_unmark_appender(log->fd);
		status = try_lock_for_writing(log);
	}
	if (status != -EWOULDBLOCK)
		goto done;
	*contended_out = true;
	if (terms->waiting != NULL &&
	    terms->waiting(terms->context, SHMLOG_ERR_LOCK_TIMEOUT) != 0) {
		status = SHMLOG_ERR_LOCK_TIMEOUT;
		goto done;
	}
	if (timeout_ns >= 0 && timeout_ns < SESSION_GRACE_NS)
		timeout_ns = SESSION_GRACE_NS;
	/* No mark where the lock is a lock on bytes: a mark would block it. */
	if (log->lock_fd < 0)
		shmlog_sys_mark_lock_request(log->fd, log->path);
	status = wait_for_lock(lock_fd_of(log), timeout_ns);
	if (log->lock_fd < 0)
		shmlog_sys_unmark_lock_request(log->fd);
done:
	if (status != 0 && log->lock_fd >= 0)
		shmlog_unlock(log);
	return status;
}

static int note_writer(void *found, const struct shmlog_process *process)
{
	*(bool *)found |= process->writes;
	return process->writes;
}

/* Where the lock takes a descriptor open for writing, the processes that wait
 * for it have one as well; and if the log was opened by a descriptor, so have
 * all processes that it was passed to.  Only a writer also has the file
 * mapped. */
static int note_mapped_writer(void *found, const struct shmlog_process *process)
{
	*(bool *)found |= process->writes && process->mapped;
	return process->writes && process->mapped;
}

/* Looks in /proc for a writer, where the system grants no lease because the
 * file is another user's or there are no leases.  Done once per open log, as it
 * is slow. */
static int look_in_proc(struct shmlog *log)
{
	bool found = false;

	if (log->scanned)
		return 0;
	int unseen = shmlog_processes(log,
	                              log->lock_fd >= 0 || log->path == NULL
	                                      ? note_mapped_writer
	                                      : note_writer,
	                              &found);

	if (unseen == 0 && shmlog_processes_hidden())
		unseen = -EACCES;
	log->unseen = unseen;
	/* A look that failed because descriptors or memory were short is
	 * repeated next time. */
	log->scanned = !found && (unseen >= 0 || unseen == -EACCES ||
	                          unseen == -ENOTSUP || unseen == -ENOENT);
	return found ? SHMLOG_ERR_WRITER_ACTIVE : 0;
}

/* Whether another process has the file open for writing: 1 or 0. -ENOTSUP where
 * that is unknown; then no other process of this library stays a writer for
 * long. */
static int find_writer(const struct shmlog *log)
{
	/* This process itself has it open for writing, for the lock. */
	if (log->lock_fd >= 0)
		return -ENOTSUP;
	int found = shmlog_sys_has_writer(log->fd);

	/* The descriptor that the log was opened by may be open for writing
	 * too, in any process that it was passed to. */
	if (found == 1 && log->path == NULL)
		found = -ENOTSUP;
	return found < 0 && shmlog_sys_is_marked(log->fd) ? 1 : found;
}

int shmlog_refuse_writer(struct shmlog *log, bool *no_other_writer_out)
{
	int64_t pause = FIRST_PAUSE_NS;
	int64_t start = shmlog_sys_now_ns();
	int found;

	while ((found = find_writer(log)) == 1) {
		if (shmlog_sys_now_ns() - start > WRITER_GRACE_NS)
			return SHMLOG_ERR_WRITER_ACTIVE;
		shmlog_sys_pause(pause);
		pause = longer(pause, LONGEST_PAUSE_NS);
	}
	*no_other_writer_out = found == 0;
	return found == 0 ? 0 : look_in_proc(log);
}

int shmlog_await_writer(struct shmlog *log,
                        const struct shmlog_access_terms *terms,
                        int64_t timeout_ns)
{
	int64_t pause = FIRST_PAUSE_NS;
	int64_t start = shmlog_sys_now_ns();

	for (;;) {
		int found = find_writer(log);

		if (found < 0) {
			log->scanned = false;
			found = look_in_proc(log) != 0;
			pause = PROC_PAUSE_NS;
		}
		if (found == 0)
			return 0;
		int64_t waited = shmlog_sys_now_ns() - start;

		if (timeout_ns >= 0 && waited >= timeout_ns)
			return SHMLOG_ERR_WRITER_ACTIVE;
		if (terms->waiting != NULL &&
		    terms->waiting(terms->context, SHMLOG_ERR_WRITER_ACTIVE) !=
		            0)
			return SHMLOG_ERR_WRITER_ACTIVE;
		if (timeout_ns >= 0 && pause > timeout_ns - waited)
			pause = timeout_ns - waited;
		/* A signal ends the wait only where there is no callback that
		 * could decide so: with one, the callback's answer counts. */
		if (shmlog_sys_pause(pause) != 0 && terms->waiting == NULL)
			return SHMLOG_ERR_WRITER_ACTIVE;
		pause = longer(pause, LONGEST_WRITER_PAUSE_NS);
	}
}

static int open_access(struct shmlog_write_access *access)
{
	return open_for_writing(access->log, &access->fd, &access->capacity);
}

static int map_header(struct shmlog_write_access *access)
{
	if (access->capacity < SHMLOG_HEADER_BYTES)
		return SHMLOG_ERR_MAPPING_GONE;
	void *header = mmap(NULL, SHMLOG_HEADER_BYTES, PROT_READ | PROT_WRITE,
	                    MAP_SHARED, access->fd, 0);

	if (header == MAP_FAILED)
		return shmlog_is_unmappable(-errno) ? 0 : -errno;
	access->header = header;
	return 0;
}

/* The header's words as they are now. */
static int load_words(const struct shmlog_write_access *access,
                      struct shmlog_header *header_out)
{
	const struct shmlog_file_header *header = access->header;

	if (header == NULL)
		return shmlog_load_header(access->fd, header_out);
	header_out->header_size = header->header_size;
	header_out->data_offset = header->data_offset;
	header_out->size = atomic_load_explicit(&header->size,
	                                        memory_order_acquire);
	return 0;
}

int shmlog_access_size(const struct shmlog_write_access *access,
                       uint64_t *size_out)
{
	struct shmlog_header header = {0};
	int status = load_words(access, &header);

	*size_out = header.size;
	return status;
}

/* A file that cannot be mapped here cannot be mapped by another writer either,
 * so a writer could only come between the two calls with a system call of its
 * own. */
static int move_size_in_file(const struct shmlog_write_access *access,
                             uint64_t from, uint64_t to)
{
	uint64_t size;
	int status = shmlog_access_size(access, &size);

	if (status == 0 && size != from)
		return SHMLOG_ERR_INTERFERED;
	/* An aligned word is written to the file in one piece, and after the
	 * frames, which were written before. */
	return status != 0 ? status
	                   : shmlog_write_at(access->fd, SHMLOG_SIZE_OFFSET,
	                                     &to, sizeof(to));
}

int shmlog_access_move_size(const struct shmlog_write_access *access,
                            uint64_t from, uint64_t to)
{
	if (access->header == NULL)
		return move_size_in_file(access, from, to);
	/* Release order: a reader may look at all bytes below the new size once
	 * it sees it, so the frames, which were written before, must be visible
	 * first.  Compare-and-exchange: if another writer has moved `size`, its
	 * frames must stay. */
	return atomic_compare_exchange_strong_explicit(
		       &access->header->size, &from, to, memory_order_release,
		       memory_order_relaxed)
	               ? 0
	               : SHMLOG_ERR_INTERFERED;
}

void shmlog_access_wake(const struct shmlog_write_access *access)
{
	if (access->header != NULL)
		(void)shmlog_sys_wake(&access->header->size);
}

bool shmlog_access_wake_first(const struct shmlog_write_access *access)
{
	const _Atomic uint64_t *word;

	if (access->header == NULL)
		return false;
	if (shmlog_sys_wake_some(&access->header->size, WOKEN_FIRST) <
	    WOKEN_FIRST)
		return false;
	if (shmlog_size_word(access->log, &word) == 0)
		return true;
	shmlog_access_wake(access);
	return false;
}

/* Checks, under the lock, that the header is sound and unchanged; loads
 * `size`. */
static int look_at_log(struct shmlog_write_access *access)
{
	struct shmlog *log = access->log;
	struct shmlog_header header = {0};
	int status = load_words(access, &header);

	header.capacity = access->capacity;
	if (status == 0)
		status = shmlog_judge_header(&header);
	if (status != 0)
		return status;
	if (header.data_offset != log->data_offset)
		return SHMLOG_ERR_DATA_OFFSET;
	access->size = header.size;
	return 0;
}

int shmlog_access_open(struct shmlog_write_access *access)
{
	int status = open_access(access);

	if (status == 0)
		status = map_header(access);
	if (status == 0)
		status = look_at_log(access);
	return status;
}

int shmlog_access_acquire_unchecked(struct shmlog *log,
                                    const struct shmlog_access_terms *terms,
                                    struct shmlog_write_access *access_out)
{
	struct shmlog_write_access *access = access_out;
	int status;

	*access = (struct shmlog_write_access){.log = log, .fd = -1};
	/* The lock belongs to the open file, so this handle's own writer holds
	 * the same one: taking it again would exclude nothing, and releasing it
	 * would release it for both. */
	if (log->has_writer)
		return SHMLOG_ERR_WRITER_ACTIVE;
	if (log->kept != NULL)
		shmlog_access_release(log->kept);
	status = shmlog_lock(log, terms, &access->contended);
	if (status != 0)
		return status;
	if (!terms->force)
		status = shmlog_refuse_writer(log, &access->no_other_writer);
	if (status == 0)
		status = shmlog_access_open(access);
	if (status != 0)
		shmlog_access_release(access);
	return status;
}

struct shmlog_access_terms
shmlog_change_terms(const struct shmlog_change_options *options)
{
	if (options == NULL)
		return (struct shmlog_access_terms){0};
	return (struct shmlog_access_terms){
		.force = (options->flags & SHMLOG_CHANGE_FORCE) != 0,
		.lock_timeout_ns = options->lock_timeout_ns,
		.waiting = options->waiting,
		.context = options->context,
	};
}

int shmlog_access_acquire(struct shmlog *log,
                          const struct shmlog_access_terms *terms,
                          struct shmlog_write_access *access_out)
{
	shmlog_chain_precheck(log);
	int status = shmlog_access_acquire_unchecked(log, terms, access_out);

	if (status != 0)
		return status;
	status = shmlog_chain_check(log, access_out->size);
	if (status != 0)
		shmlog_access_release(access_out);
	return status;
}

void shmlog_access_close(struct shmlog_write_access *access)
{
	if (access->header != NULL)
		munmap(access->header, SHMLOG_HEADER_BYTES);
	if (access->fd >= 0)
		close(access->fd);
	access->header = NULL;
	access->fd = -1;
}

void shmlog_access_release(struct shmlog_write_access *access)
{
	shmlog_access_close(access);
	if (access->log->kept == access)
		access->log->kept = NULL;
	shmlog_unlock(access->log);
}
