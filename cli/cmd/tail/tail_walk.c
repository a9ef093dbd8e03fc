/* Walks over the frames of a log and counts those that are wanted. */
#include "tail_walk.h"

#include "command.h"
#include "scan.h"
#include "signals.h"

/* How many frames a walk passes between two looks at whether it is still
 * wanted. */
#define CHECK_FRAMES 4096u

/* Frames that are judged together. */
struct batch {
	size_t count;
	uint64_t cursors[CLI_BATCH_FRAMES];
	bool passes[CLI_BATCH_FRAMES];
	bool judged[CLI_BATCH_FRAMES];
};

/* Counts frames that were walked over.  Whether the walk is to go on. */
static bool is_wanted(struct tail_walk *walk, uint64_t frames)
{
	walk->unchecked += frames;
	if (walk->unchecked < CHECK_FRAMES)
		return true;
	walk->unchecked = 0;
	walk->cut_short = cli_signal_caught() != 0 ||
	                  (walk->ends != NULL &&
	                   cli_ends_is_timed_out(walk->ends));
	return !walk->cut_short;
}

/* Says that a frame could not be judged, behind what was printed before. */
static int report(struct tail_walk *walk, const struct tail_log *log)
{
	struct cli_printer *printer = walk->keeper->printer;

	cli_printer_set_log(printer, log->path);
	if (cli_output_flush(&printer->output) == 0)
		(void)keeper_note_flushed(walk->keeper);
	return cli_filter_report(walk->filter);
}

/* ---------------------------------------------------------------- forwards */

/* How many of the frames, from the first on, hold `most` that count, or all of
 * them; these are counted.  A frame that could not be judged ends them, unless
 * there were enough before it: *status_out. */
static size_t count_frames(struct tail_walk *walk, const struct tail_log *log,
                           const struct shmlog_frame *frames, size_t count,
                           uint64_t most, uint64_t *counted, int *status_out)
{
	bool passes[CLI_BATCH_FRAMES];
	size_t judged = 0;
	int status = cli_filter_judge(walk->filter, frames, count, passes,
	                              &judged);

	for (size_t i = 0; i < judged; i++) {
		*counted += passes[i];
		if (*counted == most)
			return i + 1;
	}
	if (status != CLI_OK)
		*status_out = report(walk, log);
	return judged;
}

int tail_walk_on(struct tail_walk *walk, struct tail_log *log, uint64_t most,
                 uint64_t *counted_out, int *result_out)
{
	struct shmlog_frame frames[CLI_BATCH_FRAMES];
	int status = CLI_OK;

	*counted_out = 0;
	*result_out = 1;
	while (status == CLI_OK && *counted_out < most) {
		uint64_t left = most - *counted_out;
		size_t room = left < CLI_BATCH_FRAMES && walk->filter == NULL
		                      ? (size_t)left
		                      : CLI_BATCH_FRAMES;
		size_t count, used;

		*result_out = shmlog_reader_next_batch(log->reader, room, 0,
		                                       frames);
		if (*result_out <= 0)
			break;
		count = used = (size_t)*result_out;
		*result_out = 1;
		if (walk->filter == NULL)
			*counted_out += count;
		else
			used = count_frames(walk, log, frames, count, most,
			                    counted_out, &status);
		if (used < count && status == CLI_OK)
			*result_out = shmlog_reader_seek(
				log->reader, frames[used].cursor, NULL);
		if (*result_out < 0 || !is_wanted(walk, count))
			break;
	}
	return status;
}

/* --------------------------------------------------------------- backwards */

/* Judges frames that follow one another.  Behind one that cannot be judged the
 * others are: it may be older than all that are wanted. */
static void judge_all(struct tail_walk *walk, const struct shmlog_frame *frames,
                      size_t count, struct batch *batch)
{
	size_t done = 0;

	while (done < count) {
		size_t judged;
		int status = cli_filter_judge(
			walk->filter, frames + done, count - done,
			batch->passes + batch->count, &judged);

		for (size_t i = 0; i < judged; i++, batch->count++) {
			batch->cursors[batch->count] = frames[done + i].cursor;
			batch->judged[batch->count] = true;
		}
		done += judged;
		if (status == CLI_OK)
			continue;
		batch->cursors[batch->count] = frames[done++].cursor;
		batch->judged[batch->count++] = false;
	}
}

/* Walks back over a batch of frames, judges these first to last, as that is
 * faster, and walks back again.  1, 0 at the start of the log, or a negative
 * status; the batch is good in any case. */
static int read_back(struct tail_walk *walk, struct tail_log *log,
                     struct batch *batch)
{
	struct shmlog_frame frames[CLI_BATCH_FRAMES];
	uint64_t end = shmlog_reader_cursor(log->reader);
	size_t walked = 0;
	int ended = 1, result = 1;

	batch->count = 0;
	while (walked < CLI_BATCH_FRAMES && ended > 0) {
		ended = shmlog_reader_prev(log->reader, frames);
		walked += ended > 0;
	}
	uint64_t begin = shmlog_reader_cursor(log->reader);

	while (result > 0 && batch->count < walked &&
	       shmlog_reader_cursor(log->reader) < end) {
		result = shmlog_reader_next_batch(
			log->reader, walked - batch->count, 0, frames);
		if (result > 0)
			judge_all(walk, frames, (size_t)result, batch);
	}
	if (result >= 0)
		result = shmlog_reader_seek(log->reader, begin, NULL);
	return result < 0 ? result : ended;
}

/* Counts the frames of a batch, last to first; *first is the cursor of the one
 * that was counted last.  A frame that could not be judged ends the search: it
 * is read first, and reported then. */
static void count_back(const struct batch *batch, uint64_t most,
                       uint64_t *counted, uint64_t *first)
{
	for (size_t i = batch->count; i > 0 && *counted < most; i--) {
		if (batch->judged[i - 1] && !batch->passes[i - 1])
			continue;
		*first = batch->cursors[i - 1];
		*counted = batch->judged[i - 1] ? *counted + 1 : most;
	}
}

/* The same where some frames do not count. */
static int search_back(struct tail_walk *walk, struct tail_log *log,
                       uint64_t most)
{
	uint64_t first = shmlog_reader_cursor(log->reader);
	uint64_t counted = 0;
	struct batch batch;
	int result = 1;

	while (counted < most && result > 0) {
		result = read_back(walk, log, &batch);
		count_back(&batch, most, &counted, &first);
		if (!is_wanted(walk, batch.count))
			return result;
	}
	/* Damage behind enough frames is none of what was asked for. */
	return result < 0 && counted < most
	               ? result
	               : shmlog_reader_seek(log->reader, first, NULL);
}

int tail_walk_back(struct tail_walk *walk, struct tail_log *log, uint64_t most)
{
	struct shmlog_frame frame;
	int result = shmlog_reader_seek_end(log->reader);

	if (result < 0)
		return result;
	if (walk->filter != NULL)
		return search_back(walk, log, most);
	for (uint64_t walked = 0; walked < most && is_wanted(walk, 1);
	     walked++) {
		result = shmlog_reader_prev(log->reader, &frame);
		if (result <= 0)
			break;
	}
	return result;
}

/* ----------------------------------------------------------------- context */

/* Walks back over at most `most` frames, and forwards over them again, each
 * seen by the selection. */
static int show_again(struct tail_walk *walk, struct tail_log *log,
                      uint64_t most,
                      int (*show)(struct cli_selection *selection,
                                  const struct shmlog_frame *frame))
{
	uint64_t cursor = shmlog_reader_cursor(log->reader);
	struct shmlog_frame frame;
	int status = CLI_OK;

	/* Damage there is none of what was asked for. */
	for (uint64_t walked = 0; walked < most && is_wanted(walk, 1);
	     walked++) {
		if (shmlog_reader_prev(log->reader, &frame) <= 0)
			break;
	}
	while (status == CLI_OK && !walk->cut_short &&
	       shmlog_reader_cursor(log->reader) < cursor &&
	       shmlog_reader_next(log->reader, &frame) > 0)
		status = show(log->selection, &frame);
	return status;
}

int tail_walk_hold_context(struct tail_walk *walk, struct tail_log *log)
{
	return show_again(walk, log, cli_selection_before(log->selection),
	                  cli_selection_hold);
}

int tail_walk_recall(struct tail_walk *walk, struct tail_log *log)
{
	return show_again(walk, log, cli_selection_reach(log->selection),
	                  cli_selection_recall);
}
