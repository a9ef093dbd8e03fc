/* Which processes have a log open, who holds its lock, what pipe it feeds. */
#include "log.h"
#include "sys.h"

#include <errno.h>
#include <sys/stat.h>

/* A look for the processes that hold one file. */
struct search {
	const struct stat *file;
	int (*visit)(void *context, const struct shmlog_process *);
	void *context;
};

static bool is_wanted(void *context, const struct shmlog_held_file *file)
{
	const struct search *search = context;

	return file->inode == search->file->st_ino &&
	       file->device == search->file->st_dev;
}

static int visit_hold(void *context, const struct shmlog_hold *hold)
{
	const struct search *search = context;

	return search->visit(search->context, hold->process);
}

static int find_processes(const struct stat *file,
                          int (*visit)(void *context,
                                       const struct shmlog_process *),
                          void *context)
{
	struct search search = {file, visit, context};

	return shmlog_sys_holds(is_wanted, visit_hold, &search);
}

int shmlog_holds(bool (*wants)(void *context,
                               const struct shmlog_held_file *file),
                 int (*visit)(void *context, const struct shmlog_hold *hold),
                 void *context)
{
	return shmlog_sys_holds(wants, visit, context);
}

int shmlog_processes(const struct shmlog *log,
                     int (*visit)(void *context, const struct shmlog_process *),
                     void *context)
{
	struct stat file;

	if (fstat(log->fd, &file) != 0)
		return -errno;
	return find_processes(&file, visit, context);
}

bool shmlog_processes_hidden(void)
{
	return shmlog_sys_hides_processes();
}

int shmlog_unseen_writers(struct shmlog *log)
{
	pthread_mutex_lock(&log->append_mutex);
	int unseen = log->unseen;

	pthread_mutex_unlock(&log->append_mutex);
	return unseen;
}

int64_t shmlog_lock_holder(const struct shmlog *log)
{
	struct stat file;

	return fstat(log->fd, &file) == 0 ? shmlog_sys_lock_holder(&file) : 0;
}

/* Looks at a descriptor: 1 for a pipe, 0 for anything else, -errno. */
static int look_at_pipe(int fd, struct stat *pipe_out)
{
	if (fstat(fd, pipe_out) != 0)
		return -errno;
	return S_ISFIFO(pipe_out->st_mode);
}

int shmlog_mark_output(struct shmlog *log, int fd)
{
	struct stat pipe;
	int found = look_at_pipe(fd, &pipe);

	return found == 1 ? shmlog_sys_mark_output(log->fd, &pipe) : found;
}

int shmlog_is_fed(const struct shmlog *log, int fd)
{
	struct stat pipe;
	int found = look_at_pipe(fd, &pipe);

	return found == 1 ? shmlog_sys_has_output(log->fd, &pipe) : found;
}

int shmlog_processes_at(const char *path,
                        int (*visit)(void *context,
                                     const struct shmlog_process *),
                        void *context)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return -errno;
	return find_processes(&file, visit, context);
}

int shmlog_touched_end(const char *path, int64_t pid, uint64_t end,
                       uint64_t *offset_out)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return -errno;
	return shmlog_sys_touched(pid, &file, end, offset_out);
}
