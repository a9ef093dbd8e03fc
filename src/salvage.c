/* The good frames of a damaged log into a new one. */
#include "mapping.h"

#include <errno.h>
#include <unistd.h>

struct salvage {
	struct shmlog_writer *writer;
	const struct shmlog_verify_visitor *visitor;
	int stopped; /* what the visitor ended the walk with */
};

static int copy_frames(void *context, const struct shmlog_frame *frames,
                       size_t count)
{
	struct salvage *salvage = context;
	const struct shmlog_verify_visitor *visitor = salvage->visitor;

	for (size_t i = 0; i < count; i++) {
		unsigned char *payload;
		int status = shmlog_writer_allocate(
			salvage->writer, frames[i].size_bytes, &payload);

		if (status != 0)
			return status;
		shmlog_frame_encode(payload - 2, frames[i].payload,
		                    frames[i].size_bytes);
	}
	if (visitor != NULL && visitor->frames != NULL)
		salvage->stopped = visitor->frames(visitor->context, frames,
		                                   count);
	return salvage->stopped;
}

static int pass_on_damage(void *context, const struct shmlog_damage *damage)
{
	struct salvage *salvage = context;
	const struct shmlog_verify_visitor *visitor = salvage->visitor;

	if (visitor != NULL && visitor->damage != NULL)
		salvage->stopped = visitor->damage(visitor->context, damage);
	return salvage->stopped;
}

/* Copies what is good into an empty log; how many ranges were not.  Tells
 * whether it came to the end. */
static int fill(struct shmlog *log, struct shmlog *copy,
                const struct shmlog_verify_visitor *visitor,
                struct shmlog_verify_report *report_out, bool *complete_out)
{
	struct salvage salvage = {.visitor = visitor};
	struct shmlog_verify_visitor copier = {
		.frames = copy_frames,
		.damage = pass_on_damage,
		.context = &salvage,
	};
	int status = shmlog_writer_open(copy, NULL, &salvage.writer);

	if (status != 0)
		return status;
	int lost = shmlog_verify(log, &copier, report_out);

	if (lost >= 0 && salvage.stopped == 0) {
		status = shmlog_writer_commit(salvage.writer);
		*complete_out = status == 0;
	}
	shmlog_writer_close(salvage.writer);
	return status != 0 ? status : lost;
}

int shmlog_salvage(struct shmlog *log, const char *path, mode_t mode,
                   const struct shmlog_verify_visitor *visitor,
                   struct shmlog_verify_report *report_out)
{
	struct shmlog_verify_report proof;
	struct shmlog_header header;
	struct shmlog *copy;
	bool complete = false;
	int status = shmlog_read_header(log, &header);

	if (status == 0)
		status = shmlog_create(path, header.capacity, mode, 0);
	if (status != 0)
		return status;
	status = shmlog_open(path, &copy);
	if (status != 0)
		goto remove;
	status = fill(log, copy, visitor, report_out, &complete);
	if (complete && (shmlog_verify(copy, NULL, &proof) != 0 ||
	                 proof.frames != report_out->frames)) {
		complete = false;
		status = -EIO;
	}
	shmlog_close(copy);
remove:
	if (!complete)
		unlink(path);
	return status;
}
