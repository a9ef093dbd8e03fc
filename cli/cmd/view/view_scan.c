/* Looks for rows that pass filters. */
#include "view_scan.h"

#include "clock.h"
#include "command.h"

/* After so many frames that did not pass, many are judged at once. */
#define MISSES 8u

static bool has_filter(const struct view_judge *judge)
{
	for (size_t i = 0; i < VIEW_FILTERS; i++) {
		if (judge->filters[i] != NULL)
			return true;
	}
	return false;
}

/* A frame that is over the limit of a pattern does not pass. */
static void judge_by(struct view_judge *judge, struct cli_filter *filter,
                     const struct shmlog_frame *frames, size_t count,
                     bool *passes)
{
	bool one[VIEW_BATCH] = {false};
	size_t done = 0;

	while (done < count) {
		size_t judged;
		int status = cli_filter_judge(filter, frames + done,
		                              count - done, one, &judged);

		for (size_t i = 0; i < judged; i++)
			passes[done + i] &= one[i];
		done += judged;
		if (status != CLI_OK && done < count) {
			passes[done++] = false;
			judge->unjudged++;
		}
	}
}

static void judge_frames(struct view_judge *judge,
                         const struct shmlog_frame *frames, size_t count,
                         bool *passes)
{
	for (size_t i = 0; i < count; i++)
		passes[i] = true;
	for (size_t i = 0; i < VIEW_FILTERS; i++) {
		if (judge->filters[i] != NULL)
			judge_by(judge, judge->filters[i], frames, count,
			         passes);
	}
}

static void row_of(struct view_row *row_out, const struct shmlog_frame *frame)
{
	*row_out = (struct view_row){
		.cursor = frame->cursor,
		.next_cursor = frame->next_cursor,
		.number = frame->index,
		.size_bytes = frame->size_bytes,
	};
}

/* Judges a batch of frames from the scan's cursor on.  Whether one passed. */
static bool try_batch(struct view_scan *scan, struct view_source *source,
                      struct view_judge *judge, struct view_row *row_out,
                      struct shmlog_frame *frame_out)
{
	struct shmlog_frame frames[VIEW_BATCH];
	bool passes[VIEW_BATCH];
	int count = view_source_batch(source, scan->cursor, frames);

	if (count <= 0)
		return false;
	judge_frames(judge, frames, (size_t)count, passes);
	for (int i = 0; i < count; i++) {
		scan->cursor = frames[i].next_cursor;
		if (passes[i]) {
			row_of(row_out, &frames[i]);
			*frame_out = frames[i];
			return true;
		}
	}
	return false;
}

/* The next row, whether it passes or not. */
static enum view_found step(struct view_scan *scan, struct view_source *source,
                            struct view_row *row_out,
                            struct shmlog_frame *frame_out)
{
	int status = scan->backwards ? view_source_prev(source, scan->cursor,
	                                                row_out, frame_out)
	                             : view_source_next(source, scan->cursor,
	                                                row_out, frame_out);

	if (status < 0)
		source->trouble = status;
	if (status <= 0)
		return status == 0 ? VIEW_END : VIEW_FAILED;
	scan->cursor = scan->backwards ? row_out->cursor : row_out->next_cursor;
	return VIEW_FOUND;
}

enum view_found view_scan_next(struct view_scan *scan,
                               struct view_source *source,
                               struct view_judge *judge, int64_t until_ns,
                               struct view_row *row_out,
                               struct shmlog_frame *frame_out)
{
	bool filtered = has_filter(judge);
	struct shmlog_frame frame;

	if (frame_out == NULL)
		frame_out = &frame;

	for (unsigned turn = 1;; turn++) {
		enum view_found found;
		bool passes = true;

		if (scan->misses >= MISSES && !scan->backwards &&
		    try_batch(scan, source, judge, row_out, frame_out)) {
			scan->misses = 0;
			return VIEW_FOUND;
		}
		found = step(scan, source, row_out, frame_out);
		if (found != VIEW_FOUND)
			return found;
		if (row_out->is_damage)
			passes = judge->passes_damage;
		else if (filtered)
			judge_frames(judge, frame_out, 1, &passes);
		scan->misses = passes ? 0 : scan->misses + 1;
		if (passes)
			return VIEW_FOUND;
		/* A look at the clock costs as much as a frame. */
		if (turn % 16 == 0 && cli_now_ns() > until_ns)
			return VIEW_LATER;
	}
}
