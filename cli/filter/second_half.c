/* Counts frames that pass on a second thread. */
#include "second_half.h"

#include "command.h"
#include "helper_thread.h"
#include "open_log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Frames that are judged at a time. */
#define BATCH_FRAMES 256u

struct cli_second_half {
	struct shmlog_reader *reader;
	struct cli_filter *filter;
	uint64_t start;
	uint64_t end;
	pthread_t thread;
	bool joined;
	/* The thread's, until it was joined. */
	uint64_t frames; /* that passed */
	bool complete;   /* all were judged */
	_Atomic uint64_t passed_bytes;
	atomic_bool done;
	atomic_bool unwanted; /* nobody needs the number any more */
};

/* Judges a batch, up to the end of the half.  False if it has no more. */
static bool judge(struct cli_second_half *half,
                  const struct shmlog_frame *frames, size_t count)
{
	bool passes[BATCH_FRAMES];
	size_t within = cli_frames_before(frames, count, half->end);
	size_t judged;

	if (cli_filter_judge(half->filter, frames, within, passes, &judged) !=
	    CLI_OK)
		return false;
	for (size_t i = 0; i < within; i++)
		half->frames += passes[i];
	half->complete = within < count ||
	                 frames[count - 1].next_cursor >= half->end;
	atomic_store_explicit(&half->passed_bytes,
	                      frames[count - 1].next_cursor - half->start,
	                      memory_order_relaxed);
	return !half->complete;
}

static void *count_frames(void *context)
{
	struct cli_second_half *half = context;
	struct shmlog_frame frames[BATCH_FRAMES];
	int count;

	do
		count = shmlog_reader_next_batch(half->reader, BATCH_FRAMES, 0,
		                                 frames);
	while (count > 0 && judge(half, frames, (size_t)count) &&
	       !atomic_load_explicit(&half->unwanted, memory_order_relaxed));
	atomic_store_explicit(&half->done, true, memory_order_relaxed);
	return NULL;
}

/* Finds where the half begins, and starts the thread. */
static bool start(struct cli_second_half *half, struct shmlog *log,
                  uint64_t begin)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED};

	if (shmlog_reader_open(log, &options, &half->reader) != 0)
		return false;
	if (shmlog_reader_seek_near(half->reader,
	                            begin + (half->end - begin) / 2) == 0) {
		half->start = shmlog_reader_cursor(half->reader);
		if (half->start > begin && half->start < half->end &&
		    cli_start_helper_thread(&half->thread, count_frames,
		                            half) == 0)
			return true;
	}
	shmlog_reader_close(half->reader);
	return false;
}

struct cli_second_half *cli_second_half_begin(struct shmlog *log,
                                              uint64_t begin, uint64_t end,
                                              struct cli_filter *filter,
                                              uint64_t least_bytes)
{
	struct cli_second_half *half;

	if (end < begin || end - begin < least_bytes || !cli_has_processors())
		return NULL;
	half = calloc(1, sizeof(*half));
	if (half == NULL)
		return NULL;
	half->filter = filter;
	half->end = end;
	if (start(half, log, begin))
		return half;
	free(half);
	return NULL;
}

enum cli_meeting cli_second_half_meet(const struct cli_second_half *half,
                                      const struct shmlog_frame *frames,
                                      size_t count, size_t *before_out)
{
	size_t before = cli_frames_before(frames, count, half->start);
	uint64_t place = before < count ? frames[before].cursor
	                                : frames[count - 1].next_cursor;

	*before_out = before;
	if (place == half->start)
		return CLI_MEETING_REACHED;
	return place < half->start ? CLI_MEETING_AHEAD : CLI_MEETING_MISSED;
}

uint64_t cli_second_half_passed(const struct cli_second_half *half)
{
	return atomic_load_explicit(&half->passed_bytes, memory_order_relaxed);
}

bool cli_second_half_is_done(const struct cli_second_half *half)
{
	return atomic_load_explicit(&half->done, memory_order_relaxed);
}

static void join(struct cli_second_half *half)
{
	if (!half->joined)
		(void)pthread_join(half->thread, NULL);
	half->joined = true;
}

bool cli_second_half_result(struct cli_second_half *half, uint64_t *passed_out)
{
	join(half);
	if (half->complete)
		*passed_out = half->frames;
	return half->complete;
}

void cli_second_half_end(struct cli_second_half *half)
{
	if (half == NULL)
		return;
	atomic_store_explicit(&half->unwanted, true, memory_order_relaxed);
	join(half);
	shmlog_reader_close(half->reader);
	free(half);
}
