/* Finding the place behind damage where a chain of frames goes on. */
#include "resync.h"

#include "mapping.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that are looked at together: room for a few frames of the largest size,
 * or for a payload of 200,000 bytes and what follows. */
#define SPAN_BYTES 458752u
/* What begins in the last bytes of a span is left to the next one, which sees
 * how it goes on: room for two frames of the largest size. */
#define MARGIN_BYTES 131072u
/* Frames between two calls of the pulse. */
#define PULSE_FRAMES 65536u
/* So many frames at the end of the log are learned. */
#define LEARNED_FRAMES 4096u

/* The span of `length` bytes from a cursor on. */
static int load_span(struct shmlog_resync *resync, uint64_t cursor,
                     uint32_t length, struct shmlog_span *span_out)
{
	*span_out = (struct shmlog_span){.bytes = resync->bytes,
	                                 .length = length};
	return shmlog_read_at(resync->fd, resync->data_offset + cursor,
	                      resync->bytes, length);
}

/* How much of the log up to `end` is searched together. */
static uint32_t span_length(uint64_t from, uint64_t end)
{
	return end - from < SPAN_BYTES ? (uint32_t)(end - from) : SPAN_BYTES;
}

/* The frame that ends at the anchor: its size, or 0 if it is bad. */
static int fetch_before(struct shmlog_resync *resync,
                        struct shmlog_window *window, uint32_t *total_out)
{
	size_t need = 2;

	*total_out = 0;
	for (int pass = 0; pass < 2; pass++) {
		if (need < 2 || need > resync->anchor)
			return 0;
		int status = shmlog_window_fill_before(window, resync->anchor,
		                                       need);

		if (status != 0)
			return status;
		need = shmlog_load_word(
			shmlog_window_at(window, resync->anchor) - 2);
	}
	/* Within what is held: the last read may have brought another size
	 * word than the one that asked for it. */
	*total_out = shmlog_format_frame_before(
		shmlog_window_at(window, resync->anchor),
		shmlog_window_before(window, resync->anchor));
	return 0;
}

/* The last frames of a log. */
struct ending {
	uint16_t sizes[LEARNED_FRAMES];
	uint32_t frames;
};

/* Walks backwards from the end as far as frames go, not below `damage`.  The
 * last of them is left out: its first word may be there by chance. */
static int walk_back(struct shmlog_resync *resync, uint64_t damage,
                     struct ending *ending)
{
	struct shmlog_window window;
	uint64_t before_last = resync->anchor;
	uint64_t frames = 0;
	uint32_t total;
	int status = shmlog_window_init(&window, resync->fd,
	                                resync->data_offset,
	                                SHMLOG_DEFAULT_MAX_BYTES);

	while (status == 0 && resync->anchor > damage) {
		status = fetch_before(resync, &window, &total);
		if (status != 0 || total == 0 ||
		    resync->anchor - total < damage)
			break;
		before_last = resync->anchor;
		resync->anchor -= total;
		if (frames < LEARNED_FRAMES)
			ending->sizes[ending->frames++] = (uint16_t)total;
		if (++frames % PULSE_FRAMES == 0)
			status = shmlog_pulse(resync->visitor);
	}
	shmlog_window_release(&window);
	resync->anchor = before_last;
	return status;
}

/* A chain at the end that a payload has room for is no help: what leads to it
 * decides whether it is one. */
static int find_anchor(struct shmlog_resync *resync, uint64_t damage)
{
	struct shmlog_span span;
	uint64_t committed = resync->committed;

	struct ending ending = {.frames = 0};
	int status = walk_back(resync, damage, &ending);

	if (status != 0 || resync->anchor == committed)
		return status;

	uint32_t length = span_length(damage, committed);
	uint64_t from = committed - length;

	if (committed - resync->anchor > SHMLOG_FRAME_MAX_BYTES)
		status = load_span(resync, from, length, &span);
	if (status == 0 &&
	    committed - resync->anchor > SHMLOG_FRAME_MAX_BYTES &&
	    shmlog_evidence_of_end(&resync->evidence, &span,
	                           resync->anchor > from
	                                   ? (uint32_t)(resync->anchor - from)
	                                   : 0)) {
		for (uint32_t i = 0; i < ending.frames; i++)
			shmlog_sizes_learn(resync->sizes, ending.sizes[i]);
		return 0;
	}
	resync->anchor = committed;
	return status;
}

static int init(struct shmlog_resync *resync, int fd, uint64_t data_offset,
                uint64_t committed, uint64_t damage, struct shmlog_sizes *sizes)
{
	uint32_t length = span_length(damage, committed);

	*resync = (struct shmlog_resync){
		.fd = fd,
		.data_offset = data_offset,
		.committed = committed,
		.anchor = committed,
		.sizes = sizes,
		.bytes = malloc(length),
	};
	int status = shmlog_evidence_init(&resync->evidence, sizes, length);

	return resync->bytes != NULL ? status : -ENOMEM;
}

int shmlog_resync_init(struct shmlog_resync *resync, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage, struct shmlog_sizes *sizes,
                       const struct shmlog_verify_visitor *visitor)
{
	int status = init(resync, fd, data_offset, committed, damage, sizes);

	resync->visitor = visitor;
	return status == 0 ? find_anchor(resync, damage) : status;
}

void shmlog_resync_release(struct shmlog_resync *resync)
{
	free(resync->bytes);
	shmlog_evidence_release(&resync->evidence);
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	return length == 0 ||
	       (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Looks the place up in the span that was searched last. */
static bool look_up(struct shmlog_resync *resync, uint64_t cursor, bool is_bad,
                    struct shmlog_good *good_out)
{
	struct shmlog_evidence *evidence = &resync->evidence;
	struct shmlog_stretch stretch;

	if (evidence->length == 0 || cursor < resync->searched ||
	    cursor - resync->searched >= resync->limit ||
	    !shmlog_evidence_next(evidence,
	                          (uint32_t)(cursor - resync->searched),
	                          !is_bad, resync->limit, &stretch))
		return false;
	if (stretch.start >= resync->limit && !stretch.by_wrap &&
	    !(stretch.reaches_end && evidence->ends_known))
		return false;
	*good_out = (struct shmlog_good){
		.start = resync->searched + stretch.start,
		.end = resync->searched + stretch.end,
		.is_whole = stretch.end < resync->limit,
	};
	return true;
}

/* Searches the span at `from`, the first of the damage at `cursor` or a later
 * one. */
static int search_at(struct shmlog_resync *resync, uint64_t from,
                     uint64_t cursor, bool is_bad)
{
	struct shmlog_evidence *evidence = &resync->evidence;
	uint32_t length = span_length(from, resync->anchor);
	bool is_last = length == resync->anchor - from;
	struct shmlog_span span;
	int status = load_span(resync, from, length, &span);

	evidence->length = 0;
	resync->searched = from;
	resync->limit = is_last ? length : length - MARGIN_BYTES;
	if (status != 0 || (from > cursor && is_zero(span.bytes, length)))
		return status;
	span.begins_at_boundary = from == cursor;
	span.begins_bad = from == cursor && is_bad;
	span.ends_at_boundary = is_last;
	span.may_be_torn = is_last && resync->anchor == resync->committed;
	span.lost = from - cursor;
	shmlog_evidence_weigh(evidence, &span);
	return 0;
}

int shmlog_resync_find(struct shmlog_resync *resync, uint64_t cursor,
                       bool is_bad, struct shmlog_good *good_out)
{
	uint64_t from = cursor;

	if (look_up(resync, cursor, is_bad, good_out))
		return 0;
	while (from < resync->anchor) {
		int status = shmlog_pulse(resync->visitor);

		if (status == 0)
			status = search_at(resync, from, cursor, is_bad);
		if (status != 0)
			return status;
		if (look_up(resync, from, is_bad && from == cursor, good_out))
			return 0;
		from += resync->limit;
	}
	/* Below the damage lies the anchor only if the log is being changed
	 * under the walk. */
	uint64_t end = cursor < resync->anchor ? resync->anchor
	                                       : resync->committed;

	*good_out = (struct shmlog_good){.start = end, .end = end};
	return 0;
}

int shmlog_resync_peek(int fd, uint64_t data_offset, uint64_t committed,
                       uint64_t cursor, uint64_t *start_out)
{
	struct shmlog_sizes sizes;
	struct shmlog_resync resync;
	struct shmlog_good good;
	int status = shmlog_sizes_init(&sizes);

	if (status != 0)
		return status;
	status = init(&resync, fd, data_offset, committed, cursor, &sizes);
	if (status == 0)
		status = search_at(&resync, cursor, cursor, true);
	if (status == 0 && !look_up(&resync, cursor, true, &good))
		status = SHMLOG_ERR_CURSOR;
	if (status == 0)
		*start_out = good.start;
	shmlog_resync_release(&resync);
	shmlog_sizes_release(&sizes);
	return status;
}

uint64_t shmlog_resync_bound(const struct shmlog_resync *resync,
                             uint64_t cursor)
{
	return cursor < resync->anchor ? resync->anchor : resync->committed;
}
