/* Merges logs by a field of their frames. */
#include "merge.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "merge_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Frames that were found at nearly the same time share a mark, so that a log
 * needs few of them for all frames that wait. */
#define MARKS 32u
#define MARKS_PER_WAIT 16

/* When the frames before a cursor were found. */
struct mark {
	uint64_t end;
	int64_t first_ns;
	int64_t last_ns;
};

struct cli_merge_source {
	void *user;
	uint64_t rank; /* in the order in which the logs were added */
	struct cli_scan scan;
	size_t count;   /* frames of the scan that were read */
	size_t at;      /* the first of these that has not gone out */
	bool ready;     /* its key is known, and it is in the heap */
	bool ended;     /* nothing comes behind what the scan has */
	bool empty;     /* ... and that has gone out */
	int status;     /* why it has ended; 0: no reason is to be told */
	uint64_t known; /* the cursor up to which there are frames */
	struct cli_merge_key key; /* of the first frame, or of the last before
	                           * it that has one */
	struct mark marks[MARKS];
	size_t first_mark;
	size_t mark_count;
};

struct cli_merge {
	struct cli_merge_path *path;
	bool reverse;
	int64_t wait_ns; /* negative: all that there will be is known */
	uint64_t ranks;
	struct cli_merge_source **sources; /* owned, by rank */
	struct cli_merge_source **heap;    /* those that are ready */
	size_t count;
	size_t ready_count;
	size_t silent_count; /* logs that may have frames, of which none is
	                      * known */
	bool look;           /* ... for some, one is to be looked for */
	struct cli_merge_source *out; /* its first frame has gone out */
	struct cli_merge_source *due; /* its first frame waits no longer */
	int64_t due_ns;               /* when the next one does not */
	struct cli_merge_key last;    /* the last key in the order so far */
	bool has_last;
};

/* -------------------------------------------------------------------- logs */

int cli_merge_init(struct cli_merge **merge_out, const struct cli_args *args,
                   size_t place, const struct cli_typed *typed)
{
	const char *text = cli_args_value(args, place);
	struct cli_merge *merge;
	int status;

	*merge_out = NULL;
	if (text == NULL)
		return CLI_OK;
	merge = calloc(1, sizeof(*merge));
	if (merge == NULL)
		return cli_fail(NULL, "cannot merge", -ENOMEM);
	merge->wait_ns = -1;
	status = cli_merge_path_init(&merge->path, text, typed);
	if (status == CLI_OK)
		*merge_out = merge;
	else
		cli_merge_free(merge);
	return status;
}

static void free_source(struct cli_merge_source *source)
{
	cli_merge_key_release(&source->key);
	free(source);
}

void cli_merge_free(struct cli_merge *merge)
{
	if (merge == NULL)
		return;
	for (size_t i = 0; i < merge->count; i++)
		free_source(merge->sources[i]);
	free(merge->sources);
	free(merge->heap);
	cli_merge_key_release(&merge->last);
	cli_merge_path_free(merge->path);
	free(merge);
}

void cli_merge_reverse(struct cli_merge *merge)
{
	merge->reverse = true;
}

void cli_merge_set_wait(struct cli_merge *merge, int64_t wait_ns)
{
	merge->wait_ns = wait_ns;
}

/* Whether frames may come of which none is known yet. */
static bool is_silent(const struct cli_merge_source *source)
{
	return !source->ready && !source->ended;
}

struct cli_merge_source *cli_merge_add(struct cli_merge *merge, void *user)
{
	size_t bytes = (merge->count + 1) * sizeof(struct cli_merge_source *);
	struct cli_merge_source *source = calloc(1, sizeof(*source));
	struct cli_merge_source **larger = realloc(merge->sources, bytes);

	if (larger != NULL)
		merge->sources = larger;
	if (larger != NULL)
		larger = realloc(merge->heap, bytes);
	if (larger != NULL)
		merge->heap = larger;
	if (source == NULL || larger == NULL) {
		free(source);
		return NULL;
	}
	source->user = user;
	source->rank = merge->ranks++;
	source->scan.end = UINT64_MAX;
	merge->sources[merge->count++] = source;
	merge->silent_count++;
	return source;
}

void cli_merge_remove(struct cli_merge *merge, struct cli_merge_source *source)
{
	size_t i = 0;

	while (merge->sources[i] != source)
		i++;
	merge->count--;
	memmove(merge->sources + i, merge->sources + i + 1,
	        (merge->count - i) * sizeof(struct cli_merge_source *));
	merge->silent_count -= is_silent(source);
	if (merge->out == source)
		merge->out = NULL;
	free_source(source);
}

struct cli_scan *cli_merge_scan(struct cli_merge_source *source)
{
	return &source->scan;
}

void cli_merge_close(struct cli_merge *merge)
{
	for (size_t i = 0; i < merge->count; i++)
		cli_scan_close(&merge->sources[i]->scan);
}

bool cli_merge_has_frames(const struct cli_merge_source *source)
{
	return source->ready ||
	       (!source->empty && source->scan.reader != NULL &&
	        shmlog_reader_cursor(source->scan.reader) < source->known);
}

/* ------------------------------------------------------------------- marks */

static struct mark *mark_at(struct cli_merge_source *source, size_t n)
{
	return &source->marks[(source->first_mark + n) % MARKS];
}

/* Frames up to a cursor are found now.  Those that share a mark wait as long as
 * the last of them has to. */
static void note_found(struct cli_merge *merge, struct cli_merge_source *source,
                       uint64_t end)
{
	int64_t now = cli_now_ns();
	struct mark *last = NULL;

	if (source->mark_count > 0)
		last = mark_at(source, source->mark_count - 1);
	if (last == NULL ||
	    (source->mark_count < MARKS &&
	     now - last->first_ns > merge->wait_ns / MARKS_PER_WAIT)) {
		last = mark_at(source, source->mark_count++);
		last->first_ns = now;
	}
	last->end = end;
	last->last_ns = now;
}

/* When the first frame of a log has waited long enough. */
static int64_t end_of_wait(struct cli_merge *merge,
                           struct cli_merge_source *source)
{
	const struct shmlog_frame *frame = &source->scan.frames[source->at];

	while (source->mark_count > 0 &&
	       mark_at(source, 0)->end <= frame->cursor) {
		source->first_mark = (source->first_mark + 1) % MARKS;
		source->mark_count--;
	}
	if (source->mark_count == 0)
		return INT64_MIN; /* nobody has offered it */
	int64_t found_ns = mark_at(source, 0)->last_ns;

	return found_ns > INT64_MAX - merge->wait_ns
	               ? INT64_MAX
	               : found_ns + merge->wait_ns;
}

/* -------------------------------------------------------------------- heap */

static int order_keys(const struct cli_merge *merge,
                      const struct cli_merge_key *one,
                      const struct cli_merge_key *two)
{
	int order = cli_merge_key_order(merge->path, one, two);

	return merge->reverse ? -order : order;
}

static bool comes_before(const struct cli_merge *merge,
                         const struct cli_merge_source *one,
                         const struct cli_merge_source *two)
{
	int order = order_keys(merge, &one->key, &two->key);

	return order != 0 ? order < 0
	                  : (one->rank < two->rank) != merge->reverse;
}

/* Puts a log at a place that is free, and at which it comes late enough. */
static void sift_up(struct cli_merge *merge, size_t at,
                    struct cli_merge_source *source)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (!comes_before(merge, source, merge->heap[parent]))
			break;
		merge->heap[at] = merge->heap[parent];
		at = parent;
	}
	merge->heap[at] = source;
}

/* Puts a log at the first place, or behind those that come before it. */
static void sift_down(struct cli_merge *merge, struct cli_merge_source *source)
{
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= merge->ready_count)
			break;
		if (child + 1 < merge->ready_count &&
		    comes_before(merge, merge->heap[child + 1],
		                 merge->heap[child]))
			child++;
		if (!comes_before(merge, merge->heap[child], source))
			break;
		merge->heap[at] = merge->heap[child];
		at = child;
	}
	merge->heap[at] = source;
}

/* ----------------------------------------------------------------- reading */

/* Reads more of a log: how many frames, or a negative status. */
static int read_more(struct cli_merge *merge, struct cli_merge_source *source)
{
	struct cli_scan *scan = &source->scan;
	uint64_t end;

	if (source->empty || scan->reader == NULL)
		return 0;
	if (!source->ended &&
	    shmlog_reader_cursor(scan->reader) >= source->known)
		return 0;
	int count = cli_scan_next(scan, UINT64_MAX);

	source->empty = source->ended && count <= 0;
	if (count <= 0)
		return count == 0 && source->empty ? source->status : count;
	source->at = 0;
	source->count = (size_t)count;
	end = scan->frames[count - 1].next_cursor;
	/* There may be more by now than was offered. */
	if (!source->ended && end > source->known)
		cli_merge_offer(merge, source, end);
	return count;
}

/* Makes the first frame of a log known, if it has one.  1 if so, 0 if not, or a
 * negative status, of which -ENOMEM is this process's own. */
static int make_ready(struct cli_merge *merge, struct cli_merge_source *source)
{
	if (source->at == source->count) {
		int count = read_more(merge, source);

		if (count <= 0)
			return count;
	}
	return cli_merge_key_read(merge->path, &source->scan.frames[source->at],
	                          &source->key)
	               ? 1
	               : -ENOMEM;
}

static enum cli_merge_news fail(struct cli_merge *merge,
                                struct cli_merge_source *source, int status,
                                struct cli_merged *merged)
{
	if (status == -ENOMEM)
		return CLI_MERGE_NO_MEMORY;
	merge->silent_count -= is_silent(source);
	source->ended = source->empty = true;
	merged->user = source->user;
	merged->scan = &source->scan;
	merged->status = status;
	return CLI_MERGE_FAILED;
}

/* The frame that was handed out is done with: the next one of its log takes its
 * place. */
static enum cli_merge_news advance(struct cli_merge *merge,
                                   struct cli_merged *merged)
{
	struct cli_merge_source *source = merge->out;

	if (source == NULL)
		return CLI_MERGE_NOTHING;
	merge->out = NULL;
	if (merge->due == source)
		merge->due = NULL;
	source->at++;
	int result = make_ready(merge, source);

	if (result > 0) {
		sift_down(merge, source);
		return CLI_MERGE_NOTHING;
	}
	source->ready = false;
	merge->silent_count += is_silent(source);
	merge->ready_count--;
	if (merge->ready_count > 0)
		sift_down(merge, merge->heap[merge->ready_count]);
	return result == 0 ? CLI_MERGE_NOTHING
	                   : fail(merge, source, result, merged);
}

/* Looks for frames of logs of which none was known. */
static enum cli_merge_news look_for_more(struct cli_merge *merge,
                                         struct cli_merged *merged)
{
	for (size_t i = 0; i < merge->count; i++) {
		struct cli_merge_source *source = merge->sources[i];

		if (source->ready || source->empty)
			continue;
		int result = make_ready(merge, source);

		if (result < 0)
			return fail(merge, source, result, merged);
		if (result == 0)
			continue;
		merge->silent_count -= is_silent(source);
		source->ready = true;
		sift_up(merge, merge->ready_count++, source);
	}
	merge->look = false;
	return CLI_MERGE_NOTHING;
}

void cli_merge_begin(struct cli_merge *merge, struct cli_merge_source *source)
{
	(void)merge;
	source->known = 0;
	source->count = source->at = 0;
	source->mark_count = 0;
}

void cli_merge_offer(struct cli_merge *merge, struct cli_merge_source *source,
                     uint64_t end)
{
	if (end <= source->known)
		return;
	source->known = end;
	merge->look |= !source->ready;
	note_found(merge, source, end);
}

void cli_merge_end(struct cli_merge *merge, struct cli_merge_source *source,
                   int status)
{
	merge->silent_count -= is_silent(source);
	source->ended = true;
	source->status = status;
	merge->look |= !source->ready;
}

void cli_merge_stop(struct cli_merge *merge)
{
	struct cli_merge_source *source = merge->out;

	source->ended = source->empty = true;
	source->count = source->at + 1;
	source->status = 0;
}

/* ------------------------------------------------------------- handing out */

/* The log whose first frame waits no longer than any other. */
static struct cli_merge_source *first_due(struct cli_merge *merge)
{
	struct cli_merge_source *first = NULL;

	for (size_t i = 0; i < merge->ready_count; i++) {
		int64_t end_ns = end_of_wait(merge, merge->heap[i]);

		if (first == NULL || end_ns < merge->due_ns) {
			first = merge->heap[i];
			merge->due_ns = end_ns;
		}
	}
	return first;
}

/*
 * Whether the frame that comes first need not wait: nothing can come before it,
 * or something came behind it already, or it or another one has waited long
 * enough.
 */
static bool may_go(struct cli_merge *merge)
{
	const struct cli_merge_key *key = &merge->heap[0]->key;
	struct cli_merge_source *source;

	if (merge->silent_count == 0 || merge->due != NULL ||
	    key->value.kind == CLI_VALUE_NULL)
		return true;
	if (merge->has_last && order_keys(merge, key, &merge->last) <= 0)
		return true;
	source = first_due(merge);
	if (cli_now_ns() < merge->due_ns)
		return false;
	/* All that comes before this one goes out, and then it does. */
	merge->due = source;
	return true;
}

/* Sees whether a frame comes too late, and keeps the last key in the order.
 * False if memory is short. */
static bool place_in_order(struct cli_merge *merge,
                           const struct cli_merge_key *key, bool *late_out)
{
	*late_out = false;
	if (merge->wait_ns < 0)
		return true;
	*late_out = merge->has_last && order_keys(merge, key, &merge->last) < 0;
	if (*late_out)
		return true;
	merge->has_last = true;
	return cli_merge_key_copy(&merge->last, key);
}

enum cli_merge_news cli_merge_next(struct cli_merge *merge, bool all,
                                   struct cli_merged *merged_out)
{
	enum cli_merge_news news;
	struct cli_merge_source *source;

	*merged_out = (struct cli_merged){0};
	news = advance(merge, merged_out);
	if (news == CLI_MERGE_NOTHING && merge->look)
		news = look_for_more(merge, merged_out);
	if (news != CLI_MERGE_NOTHING || merge->ready_count == 0)
		return news;
	if (!all && !may_go(merge))
		return CLI_MERGE_NOTHING;
	source = merge->heap[0];
	merged_out->user = source->user;
	merged_out->scan = &source->scan;
	merged_out->frame = &source->scan.frames[source->at];
	if (!place_in_order(merge, &source->key, &merged_out->late))
		return CLI_MERGE_NO_MEMORY;
	merge->out = source;
	return CLI_MERGE_FRAME;
}

int64_t cli_merge_limit(const struct cli_merge *merge, int64_t most_ns)
{
	int64_t left;

	if (merge->ready_count == 0)
		return most_ns;
	left = merge->due_ns - cli_now_ns();
	if (left > most_ns)
		return most_ns;
	return left > 0 ? left : 0;
}
