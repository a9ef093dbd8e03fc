/* Walks every frame and every damaged range of the committed data, from the
 * start. */
#include "walk.h"

#include "frame_source.h"
#include "log.h"
#include "wrap.h"

/* Frames that are handed to the visitor at a time. */
#define BATCH_FRAMES 256u
/*
 * The least size of a frame that the walk passes by its size words alone, where
 * the visitor needs no payloads: one read of four bytes instead of a copy of
 * the frame.  A walk over frames of 16 KiB is twice as fast for that, of 64 KiB
 * six times; at 8 KiB it gains next to nothing.
 */
#define LARGE_BYTES 16384u
/* A frame that may be a fill, bytes of one value that overwrote the log, is
 * believed if so many frames follow it that cannot be one. */
#define OTHER_FRAMES 3u
/* The walk learns from the first so many frames, and from one in so many after
 * them. */
#define LEARNED_FRAMES 4096u
#define LEARNED_SHARE 16u

struct walk {
	const struct shmlog_visit *visit;
	/* Three that it names. */
	struct shmlog *log;
	const struct shmlog_verify_visitor *visitor;
	struct shmlog_verify_report *report;
	struct shmlog_window window;
	struct shmlog_sizes sizes; /* of the good frames */
	struct shmlog_resume resume;
	bool searched;   /* resume is ready */
	bool by_payload; /* the visitor asks for payloads */
	uint64_t committed;
	/* The stretch of good frames that the search behind damage found
	 * last. */
	struct shmlog_good good;
	struct shmlog_frame frames[BATCH_FRAMES];
};

/* Counts a good frame as the nth of its batch. */
static inline void record_frame(struct walk *walk, size_t n,
                                const unsigned char *payload, uint32_t total,
                                uint64_t cursor)
{
	struct shmlog_verify_report *report = walk->report;

	walk->frames[n] = (struct shmlog_frame){
		.payload = payload,
		.size_bytes = total - SHMLOG_FRAME_OVERHEAD_BYTES,
		.cursor = cursor,
		.next_cursor = cursor + total,
		.index = report->damaged_ranges == 0 ? report->frames
	                                             : SHMLOG_INDEX_UNKNOWN,
	};
	report->payload_bytes += total - SHMLOG_FRAME_OVERHEAD_BYTES;
	report->frames++;
	if (report->damaged_ranges > 0)
		report->frames_after_damage++;
}

/* Takes the last frame of a batch out of the report again. */
static void drop(struct walk *walk, const struct shmlog_frame *last,
                 uint64_t *cursor)
{
	struct shmlog_verify_report *report = walk->report;

	*cursor = last->cursor;
	report->payload_bytes -= last->size_bytes;
	report->frames--;
	if (report->damaged_ranges > 0)
		report->frames_after_damage--;
}

/* How far frames at a cursor may reach: inside a stretch that was found to be
 * good to its end, elsewhere to the frames that lead to the end of the log. */
static uint64_t bound(const struct walk *walk, uint64_t cursor)
{
	if (cursor < walk->good.end)
		return walk->good.end;
	return walk->searched ? shmlog_resume_bound(&walk->resume, cursor)
	                      : walk->committed;
}

/*
 * Records the good frames up to `end` among the bytes that were fetched at the
 * cursor, and returns how many.  Where the search has not proved them to be
 * good, each frame must be followed by another one or by the end: a bad size
 * word may lead to an equal word by chance.
 */
static size_t take(struct walk *walk, uint64_t *cursor, uint64_t end,
                   const struct shmlog_fetched *fetched)
{
	uint64_t held = fetched->held;
	const unsigned char *bytes = fetched->at;
	bool is_known = *cursor < walk->good.end;
	bool goes_on = is_known;
	size_t count = 0;

	for (;;) {
		uint32_t total = shmlog_format_frame(bytes, held);

		if (total == 0)
			break;
		if (count == BATCH_FRAMES ||
		    (!is_known && shmlog_format_is_fill(bytes, total))) {
			goes_on = true;
			break;
		}
		record_frame(walk, count++, bytes + 2, total, *cursor);
		*cursor += total;
		bytes += total;
		held -= total;
	}
	if (count > 0 && !goes_on && *cursor != end)
		drop(walk, &walk->frames[--count], cursor);
	return count;
}

/*
 * Records successive large frames by their size words alone: one read gets the
 * second word of a frame and the first of the next.  The window must hold the
 * first word at the cursor.
 */
static int skip_by_size_words(struct walk *walk, uint64_t *cursor,
                              size_t *count_out)
{
	const struct shmlog *log = walk->log;
	uint64_t end = bound(walk, *cursor);
	bool is_known = *cursor < walk->good.end;
	uint32_t total = shmlog_load_word(
		shmlog_window_at(&walk->window, *cursor));
	size_t count = 0;

	while (count < BATCH_FRAMES && total >= LARGE_BYTES &&
	       total <= end - *cursor &&
	       (is_known || (total & 0xff) != total >> 8)) {
		uint64_t next = *cursor + total;
		unsigned char words[4] = {0};
		int status = shmlog_read_at(log->fd,
		                            log->data_offset + next - 2, words,
		                            end - next < 2 ? 2 : sizeof(words));

		if (status != 0)
			return status;
		if (shmlog_load_word(words) != total)
			break;
		record_frame(walk, count++, NULL, total, *cursor);
		*cursor = next;
		total = shmlog_load_word(words + 2);
	}
	/* The cursor is now beyond what the window has read ahead, so the
	 * window starts over with short reads. */
	if (count > 0)
		shmlog_window_jump(&walk->window);
	if (count > 0 && !is_known && *cursor != end)
		drop(walk, &walk->frames[--count], cursor);
	*count_out = count;
	return 0;
}

/* Fetches a frame together with the one behind it, so that the first can be
 * judged by the second. */
static int fetch_both(struct walk *walk, uint64_t cursor, uint64_t end,
                      struct shmlog_fetched *fetched)
{
	uint64_t available = end - cursor;
	uint64_t need = shmlog_load_word(fetched->at) + SHMLOG_FRAME_MAX_BYTES;
	int status = shmlog_window_fill(
		&walk->window, cursor,
		(size_t)(need < available ? need : available), end);

	return status == 0
	               ? shmlog_fetch_frame(&walk->window, cursor, end, fetched)
	               : status;
}

/*
 * Records the next good frames, by their size words or from the window.  A
 * count of 0 means that the frame at the cursor is bad, or not certain to be
 * good; the window then holds what there is of it.
 */
static int take_some(struct walk *walk, uint64_t *cursor, size_t *count_out)
{
	struct shmlog_fetched fetched;
	uint64_t end = bound(walk, *cursor);
	int status = 0;

	*count_out = 0;
	if (!walk->by_payload && end - *cursor >= LARGE_BYTES) {
		status = shmlog_window_fill(&walk->window, *cursor, 2, end);
		if (status == 0)
			status = skip_by_size_words(walk, cursor, count_out);
	}
	if (status != 0 || *count_out > 0)
		return status;
	status = shmlog_fetch_frame(&walk->window, *cursor, end, &fetched);
	if (status == 0)
		*count_out = take(walk, cursor, end, &fetched);
	if (status != 0 || *count_out > 0 || end - *cursor < 2)
		return status;
	status = fetch_both(walk, *cursor, end, &fetched);
	if (status == 0)
		*count_out = take(walk, cursor, end, &fetched);
	return status;
}

/* Learns the sizes of some of the good frames. */
static void learn(struct walk *walk, size_t count)
{
	if (walk->report->frames > LEARNED_FRAMES && count > LEARNED_SHARE)
		count = LEARNED_SHARE;
	for (size_t i = 0; i < count; i++)
		shmlog_sizes_learn(&walk->sizes,
		                   walk->frames[i].size_bytes +
		                           SHMLOG_FRAME_OVERHEAD_BYTES);
}

/* Tells the visitor of good frames, which end at a cursor. */
static int tell_frames(struct walk *walk, size_t count, uint64_t cursor)
{
	const struct shmlog_verify_visitor *visitor = walk->visitor;
	uint64_t *counts = walk->visit->size_counts;

	if (visitor != NULL && visitor->frames != NULL)
		return visitor->frames(visitor->context, walk->frames, count);
	for (size_t i = 0; counts != NULL && i < count; i++)
		counts[walk->frames[i].size_bytes]++;
	return shmlog_tell_passed(walk->visit, cursor);
}

/* Walks good frames up to the end or to the first bad one. */
static int walk_good(struct walk *walk, uint64_t *cursor)
{
	while (*cursor < walk->committed &&
	       !(walk->good.is_whole && *cursor == walk->good.end)) {
		size_t count;
		int status = take_some(walk, cursor, &count);

		if (status != 0 || count == 0)
			return status;
		learn(walk, count);
		status = tell_frames(walk, count, *cursor);
		if (status != 0)
			return status;
	}
	return 0;
}

/* Stores what is wrong with the frame at a cursor. */
static int explain(struct walk *walk, uint64_t cursor,
                   struct shmlog_fault *fault)
{
	struct shmlog_fetched fetched;
	int status = shmlog_fetch_frame(&walk->window, cursor, walk->committed,
	                                &fetched);

	if (status != 0)
		return status;
	fault->cursor = cursor;
	fault->backwards = false;
	shmlog_format_explain(fault, fetched.at, walk->committed - cursor);
	/* Its size words agree, but the search has shown that it is no
	 * frame. */
	if (fault->status == 0)
		fault->status = SHMLOG_ERR_CURSOR;
	return 0;
}

/* Whether the frame at a cursor is good; the end counts as good. */
static int is_good(struct walk *walk, uint64_t cursor, bool *good_out)
{
	struct shmlog_fetched fetched;

	*good_out = true;
	if (cursor == walk->committed)
		return 0;
	int status = shmlog_fetch_frame(&walk->window, cursor,
	                                bound(walk, cursor), &fetched);

	if (status != 0)
		return status;
	*good_out = shmlog_format_frame(fetched.at, fetched.held) != 0;
	return 0;
}

/*
 * A frame that may be a fill is good if the frames behind it are: OTHER_FRAMES
 * that cannot be one, or all up to the end.  Checks that for the frame at a
 * cursor, if it is a good one that may be a fill, and stores the good stretch.
 */
static int trust_fill(struct walk *walk, uint64_t cursor)
{
	uint64_t at = cursor;
	unsigned others = 0;
	bool good = true;
	int status = 0;

	while (status == 0 && at < walk->committed && others < OTHER_FRAMES) {
		const unsigned char *frame;

		status = is_good(walk, at, &good);
		if (status != 0 || !good)
			break;
		frame = shmlog_window_at(&walk->window, at);
		bool is_fill = shmlog_format_is_fill(frame,
		                                     shmlog_load_word(frame));

		if (at == cursor && !is_fill)
			break;
		others += is_fill ? 0 : 1;
		at += shmlog_load_word(frame);
		status = shmlog_keep_going(walk->visitor);
	}
	if (status == 0 && good && at > cursor)
		walk->good = (struct shmlog_good){.start = cursor, .end = at};
	return status;
}

/*
 * Finds where good frames go on behind a cursor, and fetches the frame found
 * there again, as another process may be changing the log.
 */
static int find_good(struct walk *walk, uint64_t cursor)
{
	bool good = false;
	int status;

	/* Frames that were found before may have changed since. */
	walk->good = (struct shmlog_good){0};
	status = is_good(walk, cursor, &good);
	if (status == 0 && good)
		status = trust_fill(walk, cursor);
	if (status != 0 || walk->good.end > cursor)
		return status;
	if (!walk->searched) {
		walk->searched = true;
		status = shmlog_resume_init(
			&walk->resume, walk->log->fd, walk->log->data_offset,
			walk->committed, cursor, &walk->sizes, walk->visitor);
	}
	for (bool again = true; status == 0 && again;) {
		status = shmlog_resume_find(&walk->resume, cursor, !good,
		                            &walk->good);
		if (status == 0)
			status = is_good(walk, walk->good.start, &good);
		again = !good;
		cursor = walk->good.start;
	}
	return status;
}

/* Reports the bytes at the cursor that are no good frames, if they are none,
 * and moves the cursor behind them. */
static int pass_damage(struct walk *walk, uint64_t *cursor)
{
	struct shmlog_verify_report *report = walk->report;
	struct shmlog_damage damage = {.good_before = report->frames};
	int status = find_good(walk, *cursor);

	if (status != 0 || walk->good.start == *cursor)
		return status;
	damage.end_cursor = walk->good.start;
	status = explain(walk, *cursor, &damage.fault);
	if (status == 0)
		status = shmlog_name_wrap(walk->log->fd, walk->log->data_offset,
		                          damage.end_cursor, &damage.fault);
	if (status != 0)
		return status;
	/* A frame that runs past the end is torn only if nothing follows;
	 * otherwise its size word is wrong. */
	if (damage.fault.status == SHMLOG_ERR_TORN &&
	    damage.end_cursor != walk->committed)
		damage.fault.status = SHMLOG_ERR_CURSOR;
	report->damaged_ranges++;
	report->damaged_bytes += damage.end_cursor - *cursor;
	report->torn = damage.fault.status == SHMLOG_ERR_TORN;
	*cursor = damage.end_cursor;
	if (walk->visitor == NULL || walk->visitor->damage == NULL)
		return 0;
	return walk->visitor->damage(walk->visitor->context, &damage);
}

static int walk_all(struct walk *walk)
{
	uint64_t cursor = 0;
	int status = 0;

	while (status == 0 && cursor < walk->committed) {
		status = walk_good(walk, &cursor);
		if (status == 0 && cursor < walk->committed)
			status = pass_damage(walk, &cursor);
	}
	return status;
}

int shmlog_walk_from_start(const struct shmlog_visit *visit)
{
	const struct shmlog_verify_visitor *visitor = visit->visitor;
	struct walk walk = {
		.visit = visit,
		.log = visit->log,
		.visitor = visitor,
		.report = visit->report,
		.by_payload = visitor != NULL && visitor->frames != NULL &&
	                      !visitor->sizes_only,
		.committed = visit->committed,
	};
	int status = shmlog_window_init(&walk.window, walk.log->fd,
	                                walk.log->data_offset,
	                                SHMLOG_DEFAULT_MAX_BYTES);

	if (status == 0)
		status = shmlog_sizes_init(&walk.sizes);
	if (status == 0)
		status = walk_all(&walk);
	if (walk.searched)
		shmlog_resume_release(&walk.resume);
	shmlog_sizes_release(&walk.sizes);
	shmlog_window_release(&walk.window);
	return status;
}
