/* Creating a log so that nobody ever sees one without a header. */
#include "create.h"

#include "file.h"
#include "unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Bytes that are reserved between two looks for a signal that is held back. */
#define RESERVE_BYTES ((uint64_t)256 << 20)

/* The signals that end a process unless it says otherwise, and that a person,
 * a system or a timer sends. */
static const int ending_signals[] = {SIGHUP,  SIGINT,  SIGQUIT,
                                     SIGTERM, SIGALRM, SIGUSR1,
                                     SIGUSR2, SIGXCPU, SIGVTALRM};

#define ENDING_SIGNALS (sizeof(ending_signals) / sizeof(ending_signals[0]))

static void hold_signals(struct shmlog_draft *draft)
{
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < ENDING_SIGNALS; i++)
		sigaddset(&held, ending_signals[i]);
	draft->holds_signals = pthread_sigmask(SIG_BLOCK, &held,
	                                       &draft->signals_before) == 0;
}

void shmlog_draft_deliver_signals(struct shmlog_draft *draft)
{
	if (draft->holds_signals)
		pthread_sigmask(SIG_SETMASK, &draft->signals_before, NULL);
	draft->holds_signals = false;
}

/* Whether a signal is held back here, and not by the caller. */
static bool is_interrupted(const struct shmlog_draft *draft)
{
	sigset_t pending;

	if (!draft->holds_signals || sigpending(&pending) != 0)
		return false;
	for (size_t i = 0; i < ENDING_SIGNALS; i++) {
		if (sigismember(&pending, ending_signals[i]) == 1 &&
		    sigismember(&draft->signals_before, ending_signals[i]) == 0)
			return true;
	}
	return false;
}

/* A call that is cut by a signal is made again. */
static int reserve_range(int fd, uint64_t from, uint64_t bytes)
{
	int error;

	do
		error = posix_fallocate(fd, (off_t)from, (off_t)bytes);
	while (error == EINTR);
	return -error;
}

/* Whether the file system has no room for so much.  It would say so at once if
 * it was asked for as a whole, but only once it is full if for pieces.  Where
 * it has no limit it counts no blocks. */
static bool is_too_large(int fd, uint64_t capacity)
{
	struct statvfs room;

	return fstatvfs(fd, &room) == 0 && room.f_frsize > 0 &&
	       room.f_blocks > 0 && capacity / room.f_frsize > room.f_bfree;
}

/* Reserves the space of a draft with a name, piece by piece, as long as no
 * signal comes that would leave it behind. */
static int reserve_pieces(const struct shmlog_draft *draft)
{
	int status = is_too_large(draft->fd, draft->capacity) ? -ENOSPC : 0;

	for (uint64_t at = 0; at < draft->capacity && status == 0;) {
		uint64_t left = draft->capacity - at;
		uint64_t piece = left < RESERVE_BYTES ? left : RESERVE_BYTES;

		status = is_interrupted(draft)
		                 ? -EINTR
		                 : reserve_range(draft->fd, at, piece);
		at += piece;
	}
	return status;
}

static int reserve(const struct shmlog_draft *draft, unsigned flags)
{
	int status;

	if ((flags & SHMLOG_CREATE_SPARSE) == 0)
		return draft->temporary != NULL
		               ? reserve_pieces(draft)
		               : reserve_range(draft->fd, 0, draft->capacity);
	do
		status = ftruncate(draft->fd, (off_t)draft->capacity) == 0
		                 ? 0
		                 : -errno;
	while (status == -EINTR);
	return status;
}

int shmlog_draft_open(const char *path, uint64_t capacity, mode_t mode,
                      unsigned flags, struct shmlog_draft *draft_out)
{
	struct stat existing;

	if (capacity < SHMLOG_HEADER_BYTES || capacity > INT64_MAX)
		return SHMLOG_ERR_CAPACITY;
	/* Only to save the work: the name is taken or refused at the end. */
	if (lstat(path, &existing) == 0)
		return -EEXIST;
	*draft_out = (struct shmlog_draft){.path = path, .capacity = capacity};
	/* A process that is ended while its draft has a name leaves that
	 * behind; a file without a name goes with it. */
	hold_signals(draft_out);
	int status = shmlog_unnamed_create(path, mode, &draft_out->fd,
	                                   &draft_out->temporary);

	if (status != 0 || draft_out->temporary == NULL)
		shmlog_draft_deliver_signals(draft_out);
	if (status != 0)
		return status;
	status = reserve(draft_out, flags);
	return status == 0 ? 0 : shmlog_draft_close(draft_out, status);
}

int shmlog_draft_write_header(const struct shmlog_draft *draft, uint64_t size)
{
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	struct shmlog_header header = {
		.header_size = SHMLOG_HEADER_BYTES,
		.data_offset = SHMLOG_HEADER_BYTES,
		.size = size,
		.capacity = draft->capacity,
	};

	shmlog_format_store_header(bytes, &header);
	return shmlog_write_at(draft->fd, 0, bytes, sizeof(bytes));
}

int shmlog_draft_close(struct shmlog_draft *draft, int status)
{
	if (status == 0 && is_interrupted(draft))
		status = -EINTR;
	if (status == 0)
		status = shmlog_unnamed_name(draft->fd, draft->temporary,
		                             draft->path);
	if (draft->temporary != NULL)
		unlink(draft->temporary);
	free(draft->temporary);
	close(draft->fd);
	shmlog_draft_deliver_signals(draft);
	return status;
}

int shmlog_create(const char *path, uint64_t capacity, mode_t mode,
                  unsigned flags)
{
	struct shmlog_draft draft;
	int status = shmlog_draft_open(path, capacity, mode, flags, &draft);

	if (status != 0)
		return status;
	return shmlog_draft_close(
		&draft, shmlog_draft_write_header(&draft, SHMLOG_HEADER_BYTES));
}
