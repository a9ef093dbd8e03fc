/* Finds out whether other processes hold a file, by a lease and by /proc. */
#include "holders.h"

#include <errno.h>
#include <fcntl.h>
#include <shmlog.h>
#include <signal.h>
#include <stdbool.h>

#if defined(F_SETLEASE) && !defined(SHMLOG_PORTABLE)

/* A write lease is granted exactly while this descriptor is the only one on the
 * file.  The signal about somebody who comes would end the process, and this
 * one does nothing. */
static int take_lease(int fd)
{
	if (fcntl(fd, F_SETSIG, SIGURG) != 0)
		return -ENOTSUP;
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
		return 0;
	return errno == EAGAIN ? -EAGAIN : -ENOTSUP;
}

void cli_file_release(int fd)
{
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
}

#else

static int take_lease(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

void cli_file_release(int fd)
{
	(void)fd;
}

#endif

/* Who was seen. */
struct search {
	bool holder;
	bool follower;
};

static int note_holder(void *context, const struct shmlog_process *process)
{
	struct search *search = context;

	search->holder = true;
	search->follower |= process->followers > 0;
	return search->follower;
}

enum cli_holding cli_file_seize(const char *path, int fd)
{
	struct search search = {false, false};
	int leased = take_lease(fd);

	if (leased == 0)
		return CLI_HELD_BY_NOBODY;
	int unseen = shmlog_processes_at(path, note_holder, &search);

	/* A look that failed may have missed a follower. */
	if (search.holder && unseen >= 0)
		return search.follower ? CLI_HELD_BY_FOLLOWER : CLI_HELD;
	/* The system tells that somebody has it, or cannot tell. */
	return leased == -EAGAIN || unseen != 0 || shmlog_processes_hidden()
	               ? CLI_HELD_BY_FOLLOWER
	               : CLI_HELD_BY_NOBODY;
}
