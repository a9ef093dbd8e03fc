/* Samples logs for top. */
#include "top_sample.h"

#include "clock.h"
#include "log_list.h"

#include <errno.h>
#include <fcntl.h>
#include <shmlog.h>
#include <unistd.h>

/* What is walked at most in one look, for all logs together and for one. */
#define FRAMES_MOST UINT64_C(20000)
#define BYTES_MOST (UINT64_C(4) << 20)
#define FRAMES_LEAST UINT64_C(64)
#define BYTES_LEAST (UINT64_C(64) << 10)
#define WINDOW_BYTES ((size_t)64 << 10)
/* The share of the time that is spent on looks at /proc. */
#define HOLDERS_SHARE 100

/* What one log may cost. */
struct budget {
	uint64_t frames;
	uint64_t bytes;
	uint64_t active; /* logs that have grown */
};

/*
 * Counts backwards from the end, as a reader gets there without a walk.  A
 * frame that cannot be passed ends the count.
 */
static struct top_counted count_back(struct shmlog_reader *reader,
                                     uint64_t offset, uint64_t from,
                                     const struct budget *budget)
{
	struct top_counted counted = {.end = from, .at_ns = cli_now_ns()};
	struct shmlog_frame frame;
	int status = shmlog_reader_seek_end(reader);
	uint64_t end = shmlog_reader_cursor(reader);
	uint64_t begin = from - offset, at = end;

	if (status != 0 || end < begin)
		return counted;
	counted.end = offset + end;
	while (at > begin && counted.frames < budget->frames &&
	       end - at < budget->bytes &&
	       shmlog_reader_prev(reader, &frame) == 1) {
		at = frame.cursor;
		counted.frames++;
	}
	counted.known = counted.frames > 0 || end == begin;
	if (at > begin && counted.known) {
		counted.estimated = true;
		counted.frames = (uint64_t)((double)counted.frames *
		                            (double)(end - begin) /
		                            (double)(end - at));
	}
	return counted;
}

/* Opens a log without waiting for another process's lease. */
static int open_quickly(const char *path, struct shmlog **log_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;

	int status = shmlog_open_fd(fd, log_out);

	close(fd);
	return status;
}

static struct top_counted count(void *context, const struct cli_listed_log *log,
                                uint64_t from)
{
	static const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED, .window_bytes = WINDOW_BYTES};
	struct budget *budget = context;
	struct top_counted counted = {.end = from};
	struct shmlog_identity identity;
	struct shmlog_reader *reader;
	struct shmlog *opened;

	budget->active++;
	if (open_quickly(log->path, &opened) != 0)
		return counted;
	identity = shmlog_identity(opened);
	if (identity.device == log->device && identity.inode == log->inode &&
	    shmlog_reader_open(opened, &options, &reader) == 0) {
		counted = count_back(reader, log->header.data_offset, from,
		                     budget);
		shmlog_reader_close(reader);
	}
	shmlog_close(opened);
	return counted;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool top_sample(struct top_sampler *sampler, struct top_model *model)
{
	int64_t begun_ns = cli_now_ns();
	bool holders = begun_ns >= sampler->holders_due_ns;
	uint64_t logs = larger(sampler->active, 1);
	struct budget budget = {
		.frames = larger(FRAMES_MOST / logs, FRAMES_LEAST),
		.bytes = larger(BYTES_MOST / logs, BYTES_LEAST),
	};
	const struct cli_log_wanted wanted = {
		.paths = sampler->paths,
		.path_count = sampler->path_count,
		.holders = holders,
		.quiet = !sampler->reports,
	};
	const struct top_counter counter = {count, &budget};
	struct cli_log_table table;

	/* Later, a file or folder that cannot be read is passed over: it may be
	 * gone, or come back. */
	int status = cli_log_table_fill(&table, &wanted);

	if (sampler->reports)
		sampler->status = status;
	sampler->reports = false;
	int64_t now_ns = cli_now_ns();

	if (holders)
		sampler->holders_due_ns = now_ns +
		                          (now_ns - begun_ns) * HOLDERS_SHARE;
	bool whole = top_model_update(model, &table, holders, &counter, now_ns);

	sampler->active = budget.active;
	cli_log_table_release(&table);
	return whole;
}
