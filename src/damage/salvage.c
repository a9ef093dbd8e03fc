/* Copies the good frames of a damaged log into a new one. */
#include "create.h"
#include "log.h"
#include "resume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are collected for one write. */
#define BUFFER_BYTES 262144u

struct salvage {
	const struct shmlog_verify_visitor *visitor;
	int fd;       /* of the copy */
	uint64_t end; /* offset behind the last byte written to the copy */
	unsigned char *buffer;
	size_t used;
	bool stopped; /* the visitor, or a failed write, ended the walk */
};

static int flush(struct salvage *salvage)
{
	int status = shmlog_write_at(salvage->fd, salvage->end, salvage->buffer,
	                             salvage->used);

	salvage->end += salvage->used;
	salvage->used = 0;
	return status;
}

static int copy_frames(struct salvage *salvage,
                       const struct shmlog_frame *frames, size_t count)
{
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++) {
		salvage->used += shmlog_frame_encode(
			salvage->buffer + salvage->used, frames[i].payload,
			frames[i].size_bytes);
		if (BUFFER_BYTES - salvage->used < SHMLOG_FRAME_MAX_BYTES)
			status = flush(salvage);
	}
	return status;
}

static int take_frames(void *context, const struct shmlog_frame *frames,
                       size_t count)
{
	struct salvage *salvage = context;
	const struct shmlog_verify_visitor *visitor = salvage->visitor;
	int status = copy_frames(salvage, frames, count);

	if (status == 0 && visitor != NULL && visitor->frames != NULL)
		status = visitor->frames(visitor->context, frames, count);
	salvage->stopped = status != 0;
	return status;
}

static int take_damage(void *context, const struct shmlog_damage *damage)
{
	struct salvage *salvage = context;
	const struct shmlog_verify_visitor *visitor = salvage->visitor;
	int status = 0;

	if (visitor != NULL && visitor->damage != NULL)
		status = visitor->damage(visitor->context, damage);
	salvage->stopped = status != 0;
	return status;
}

static int ask_visitor(void *context)
{
	struct salvage *salvage = context;
	int status = shmlog_keep_going(salvage->visitor);

	salvage->stopped = status != 0;
	return status;
}

/* Verifies the copy, which has no name yet. */
static int prove(const struct shmlog_draft *draft,
                 const struct shmlog_verify_visitor *visitor, uint64_t frames)
{
	/* The visitor may end this walk as well as the one over the source. */
	const struct shmlog_verify_visitor interrupter = {
		.context = visitor != NULL ? visitor->context : NULL,
		.keep_going = visitor != NULL ? visitor->keep_going : NULL,
	};
	struct shmlog_verify_report report;
	struct shmlog *copy;
	int fd = fcntl(draft->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int status = shmlog_open_descriptor(fd, draft->path, &copy);

	if (status != 0)
		return status;
	status = shmlog_verify(copy, &interrupter, &report);
	shmlog_close(copy);
	if (status < 0)
		return status;
	return status == 0 && report.frames == frames ? 0 : -EIO;
}

/*
 * Copies the good frames into a draft and verifies the draft.  Returns how many
 * ranges were left out, or a negative status.  *complete_out tells whether the
 * copy is complete: a negative status can also come from the walk.
 */
static int fill(struct shmlog *log, const struct shmlog_draft *draft,
                const struct shmlog_verify_visitor *visitor,
                struct shmlog_verify_report *report_out, bool *complete_out)
{
	struct salvage salvage = {
		.visitor = visitor,
		.fd = draft->fd,
		.end = draft->data_offset,
		.buffer = malloc(BUFFER_BYTES),
	};
	const struct shmlog_verify_visitor copier = {
		.frames = take_frames,
		.damage = take_damage,
		.context = &salvage,
		.keep_going = ask_visitor,
	};

	if (salvage.buffer == NULL)
		return -ENOMEM;
	int lost = shmlog_verify(log, &copier, report_out);
	int status = lost < 0 || salvage.stopped ? lost : flush(&salvage);

	if (lost >= 0 && !salvage.stopped) {
		if (status == 0)
			status = shmlog_draft_write_header(draft, salvage.end);
		if (status == 0)
			status = prove(draft, visitor, report_out->frames);
		*complete_out = status == 0;
	}
	free(salvage.buffer);
	return status != 0 ? status : lost;
}

/* Copies the metadata of a log.  Not where a gap follows the header: then one
 * of its words may be damaged, and the bytes of the gap mean nothing. */
static int copy_metadata(const struct shmlog *log, struct shmlog_draft *draft)
{
	if (log->header_size != log->data_offset ||
	    log->data_offset > draft->capacity)
		return 0;
	draft->header_size = log->header_size;
	draft->data_offset = log->data_offset;
	return shmlog_draft_copy_metadata(draft, log->fd);
}

int shmlog_salvage(struct shmlog *log, const char *path, mode_t mode,
                   const struct shmlog_verify_visitor *visitor,
                   struct shmlog_verify_report *report_out)
{
	struct shmlog_header header;
	struct shmlog_draft draft;
	bool complete = false;
	int status = shmlog_read_header(log, &header);

	if (status == 0)
		status = shmlog_draft_open(path, header.capacity, mode,
		                           shmlog_creation_flags(log->fd),
		                           &draft);
	if (status != 0)
		return status;
	shmlog_draft_deliver_signals(&draft);
	int lost = copy_metadata(log, &draft);

	if (lost == 0)
		lost = fill(log, &draft, visitor, report_out, &complete);

	status = shmlog_draft_close(&draft, complete ? 0 : -ECANCELED);
	return complete && status != 0 ? status : lost;
}
