/* Creating a log so that nobody ever sees one without a header. */
#include "create.h"

#include "file.h"
#include "sys.h"
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
/* What is copied of a header at a time. */
#define COPY_BYTES 4096u

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

int shmlog_reserve(int fd, uint64_t from, uint64_t bytes)
{
	int error;

	do
		error = posix_fallocate(fd, (off_t)from, (off_t)bytes);
	while (error == EINTR);
	return -error;
}

bool shmlog_is_too_large(int fd, uint64_t bytes)
{
	struct statvfs room;

	/* A file system that has no limit counts no blocks. */
	return fstatvfs(fd, &room) == 0 && room.f_frsize > 0 &&
	       room.f_blocks > 0 && bytes / room.f_frsize > room.f_bfree;
}

unsigned shmlog_creation_flags(int fd)
{
	struct stat file;

	/* POSIX leaves the unit of st_blocks open; it is 512 everywhere. */
	return fstat(fd, &file) == 0 && file.st_blocks < file.st_size / 512
	               ? SHMLOG_CREATE_SPARSE
	               : 0;
}

/* Reserves the space of a draft with a name, piece by piece, as long as no
 * signal comes that would leave it behind. */
static int reserve_pieces(const struct shmlog_draft *draft)
{
	int status = shmlog_is_too_large(draft->fd, draft->capacity) ? -ENOSPC
	                                                             : 0;

	for (uint64_t at = 0; at < draft->capacity && status == 0;) {
		uint64_t left = draft->capacity - at;
		uint64_t piece = left < RESERVE_BYTES ? left : RESERVE_BYTES;

		status = is_interrupted(draft)
		                 ? -EINTR
		                 : shmlog_reserve(draft->fd, at, piece);
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
		               : shmlog_reserve(draft->fd, 0, draft->capacity);
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
	*draft_out = (struct shmlog_draft){
		.path = path,
		.capacity = capacity,
		.header_size = SHMLOG_HEADER_BYTES,
		.data_offset = SHMLOG_HEADER_BYTES,
	};
	/* A process that is ended while its draft has a name leaves that
	 * behind; a file without a name goes with it. */
	hold_signals(draft_out);
	int status = shmlog_unnamed_create(path, mode, &draft_out->fd,
	                                   &draft_out->temporary);

	if (status != 0 || draft_out->temporary == NULL)
		shmlog_draft_deliver_signals(draft_out);
	if (status != 0)
		return status;
	status = (flags & SHMLOG_CREATE_ON_DISK) != 0 &&
	                         shmlog_sys_is_in_memory(draft_out->fd)
	                 ? -EOPNOTSUPP
	                 : reserve(draft_out, flags);
	return status == 0 ? 0 : shmlog_draft_close(draft_out, status);
}

int shmlog_draft_write_header(const struct shmlog_draft *draft, uint64_t size)
{
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	struct shmlog_header header = {
		.header_size = draft->header_size,
		.data_offset = draft->data_offset,
		.size = size,
		.capacity = draft->capacity,
	};

	shmlog_format_store_header(bytes, &header);
	return shmlog_write_at(draft->fd, 0, bytes, sizeof(bytes));
}

int shmlog_draft_copy_metadata(const struct shmlog_draft *draft, int fd)
{
	unsigned char bytes[COPY_BYTES];
	int status = 0;

	for (uint64_t at = SHMLOG_HEADER_BYTES;
	     at < draft->data_offset && status == 0;) {
		uint64_t left = draft->data_offset - at;
		size_t part = left < COPY_BYTES ? (size_t)left : COPY_BYTES;

		status = shmlog_read_at(fd, at, bytes, part);
		if (status == 0)
			status = shmlog_write_at(draft->fd, at, bytes, part);
		at += part;
	}
	return status;
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

int shmlog_create_with(const char *path,
                       const struct shmlog_create_options *options)
{
	struct shmlog_draft draft;
	uint64_t capacity = options->capacity;
	uint64_t metadata_bytes = options->metadata_bytes;

	if (capacity < SHMLOG_HEADER_BYTES ||
	    metadata_bytes > capacity - SHMLOG_HEADER_BYTES)
		return SHMLOG_ERR_CAPACITY;
	int status = shmlog_draft_open(path, capacity, options->mode,
	                               options->flags, &draft);

	if (status != 0)
		return status;
	draft.header_size += metadata_bytes;
	draft.data_offset += metadata_bytes;
	if (options->metadata != NULL)
		status = shmlog_write_at(draft.fd, SHMLOG_HEADER_BYTES,
		                         options->metadata,
		                         (size_t)metadata_bytes);
	if (status == 0)
		status = shmlog_draft_write_header(&draft, draft.data_offset);
	return shmlog_draft_close(&draft, status);
}

int shmlog_create(const char *path, uint64_t capacity, mode_t mode,
                  unsigned flags)
{
	const struct shmlog_create_options options = {
		.capacity = capacity, .mode = mode, .flags = flags};

	return shmlog_create_with(path, &options);
}
