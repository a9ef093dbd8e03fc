/* Finds the place behind damage where the chain of frames goes on. */
#include "resume.h"

#include "file.h"
#include "frame_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The length of a span, which is searched at once: room for several frames of
 * the largest size, or for a payload of 200,000 bytes and the frames behind
 * it. */
#define SPAN_BYTES 458752u
/* A frame that begins in the last bytes of a span is left to the next span,
 * which also holds what follows the frame: room for two frames of the largest
 * size. */
#define MARGIN_BYTES 131072u
/* The visitor is asked whether to go on after each of so many frames. */
#define FRAMES_BETWEEN_CALLS 65536u
/* How many frames at the end of the log are learned from. */
#define LEARNED_FRAMES 4096u

/* Reads the span of `length` bytes from a cursor on. */
static int load_span(struct shmlog_resume *resume, uint64_t cursor,
                     uint32_t length, struct shmlog_span *span_out)
{
	*span_out = (struct shmlog_span){.bytes = resume->bytes,
	                                 .length = length};
	return shmlog_read_at(resume->fd, resume->data_offset + cursor,
	                      resume->bytes, length);
}

/* The length of the span from a cursor, not beyond `end`. */
static uint32_t span_length(uint64_t from, uint64_t end)
{
	return end - from < SPAN_BYTES ? (uint32_t)(end - from) : SPAN_BYTES;
}

/* The last frames of a log. */
struct ending {
	uint16_t sizes[LEARNED_FRAMES];
	uint32_t frames;
};

/* Walks backwards from the end as far as frames go, not below `damage`, and
 * makes the last boundary but one the anchor: the first word of the last frame
 * found may be there by chance. */
static int walk_back(struct shmlog_resume *resume, uint64_t damage,
                     struct ending *ending)
{
	struct shmlog_window window;
	uint64_t before_last = resume->anchor;
	uint64_t frames = 0;
	int status = shmlog_window_init(&window, resume->fd,
	                                resume->data_offset,
	                                SHMLOG_DEFAULT_MAX_BYTES);

	while (status == 0 && resume->anchor > damage) {
		struct shmlog_fetched fetched;

		status = shmlog_fetch_frame_before(&window, resume->anchor,
		                                   &fetched);
		if (status != 0)
			break;
		uint32_t total = shmlog_format_frame_before(fetched.at,
		                                            fetched.held);

		if (total == 0 || resume->anchor - total < damage)
			break;
		before_last = resume->anchor;
		resume->anchor -= total;
		if (frames < LEARNED_FRAMES)
			ending->sizes[ending->frames++] = (uint16_t)total;
		if (++frames % FRAMES_BETWEEN_CALLS == 0)
			status = shmlog_keep_going(resume->visitor);
	}
	shmlog_window_release(&window);
	resume->anchor = before_last;
	return status;
}

/* A chain at the end that is short enough to lie in a payload does not become
 * the anchor: it may be nested, which only the frames before it can tell. */
static int find_anchor(struct shmlog_resume *resume, uint64_t damage)
{
	struct shmlog_span span;
	uint64_t committed = resume->committed;

	struct ending ending = {.frames = 0};
	int status = walk_back(resume, damage, &ending);

	if (status != 0 || resume->anchor == committed)
		return status;

	uint32_t length = span_length(damage, committed);
	uint64_t from = committed - length;

	if (committed - resume->anchor > SHMLOG_FRAME_MAX_BYTES)
		status = load_span(resume, from, length, &span);
	if (status == 0 &&
	    committed - resume->anchor > SHMLOG_FRAME_MAX_BYTES &&
	    shmlog_evidence_of_end(&resume->evidence, &span,
	                           resume->anchor > from
	                                   ? (uint32_t)(resume->anchor - from)
	                                   : 0)) {
		for (uint32_t i = 0; i < ending.frames; i++)
			shmlog_sizes_learn(resume->sizes, ending.sizes[i]);
		return 0;
	}
	resume->anchor = committed;
	return status;
}

static int init(struct shmlog_resume *resume, int fd, uint64_t data_offset,
                uint64_t committed, uint64_t damage, struct shmlog_sizes *sizes)
{
	uint32_t length = span_length(damage, committed);

	*resume = (struct shmlog_resume){
		.fd = fd,
		.data_offset = data_offset,
		.committed = committed,
		.anchor = committed,
		.sizes = sizes,
		.bytes = malloc(length),
	};
	int status = shmlog_evidence_init(&resume->evidence, sizes, length);

	return resume->bytes != NULL ? status : -ENOMEM;
}

int shmlog_resume_init(struct shmlog_resume *resume, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage, struct shmlog_sizes *sizes,
                       const struct shmlog_verify_visitor *visitor)
{
	int status = init(resume, fd, data_offset, committed, damage, sizes);

	resume->visitor = visitor;
	return status == 0 ? find_anchor(resume, damage) : status;
}

void shmlog_resume_release(struct shmlog_resume *resume)
{
	free(resume->bytes);
	shmlog_evidence_release(&resume->evidence);
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	return length == 0 ||
	       (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Looks for the good frames behind a cursor in the result of the last
 * search. */
static bool look_up(struct shmlog_resume *resume, uint64_t cursor, bool is_bad,
                    struct shmlog_good *good_out)
{
	struct shmlog_evidence *evidence = &resume->evidence;
	struct shmlog_stretch stretch;

	if (evidence->length == 0 || cursor < resume->searched ||
	    cursor - resume->searched >= resume->limit ||
	    !shmlog_evidence_next(evidence,
	                          (uint32_t)(cursor - resume->searched),
	                          !is_bad, resume->limit, &stretch))
		return false;
	if (stretch.start >= resume->limit && !stretch.by_wrap &&
	    !(stretch.reaches_end && evidence->ends_known))
		return false;
	*good_out = (struct shmlog_good){
		.start = resume->searched + stretch.start,
		.end = resume->searched + stretch.end,
		.is_whole = stretch.end < resume->limit,
	};
	return true;
}

/* Searches the span at `from`: the first span behind the damage at `cursor`, or
 * a later one. */
static int search_at(struct shmlog_resume *resume, uint64_t from,
                     uint64_t cursor, bool is_bad)
{
	struct shmlog_evidence *evidence = &resume->evidence;
	uint32_t length = span_length(from, resume->anchor);
	bool is_last = length == resume->anchor - from;
	struct shmlog_span span;
	int status = load_span(resume, from, length, &span);

	evidence->length = 0;
	resume->searched = from;
	resume->limit = is_last ? length : length - MARGIN_BYTES;
	if (status != 0 || (from > cursor && is_zero(span.bytes, length)))
		return status;
	span.begins_at_boundary = from == cursor;
	span.begins_bad = from == cursor && is_bad;
	span.ends_at_boundary = is_last;
	span.may_be_torn = is_last && resume->anchor == resume->committed;
	span.lost = from - cursor;
	shmlog_evidence_weigh(evidence, &span);
	return 0;
}

int shmlog_resume_find(struct shmlog_resume *resume, uint64_t cursor,
                       bool is_bad, struct shmlog_good *good_out)
{
	uint64_t from = cursor;

	if (look_up(resume, cursor, is_bad, good_out))
		return 0;
	while (from < resume->anchor) {
		int status = shmlog_keep_going(resume->visitor);

		if (status == 0)
			status = search_at(resume, from, cursor, is_bad);
		if (status != 0)
			return status;
		if (look_up(resume, from, is_bad && from == cursor, good_out))
			return 0;
		from += resume->limit;
	}
	/* The anchor is below the damage only if the log was changed during the
	 * walk. */
	uint64_t end = cursor < resume->anchor ? resume->anchor
	                                       : resume->committed;

	*good_out = (struct shmlog_good){.start = end, .end = end};
	return 0;
}

/* Searches a single span: behind the bad frame at a cursor, or with
 * `is_boundary` false at any place. */
static int search_once(int fd, uint64_t data_offset, uint64_t committed,
                       uint64_t cursor, bool is_boundary, uint64_t *start_out)
{
	struct shmlog_sizes sizes;
	struct shmlog_resume resume;
	struct shmlog_good good;
	int status = shmlog_sizes_init(&sizes);

	if (status != 0)
		return status;
	status = init(&resume, fd, data_offset, committed, cursor, &sizes);
	/* What lies behind damage is no boundary: one byte of it counts. */
	if (status == 0)
		status = search_at(&resume, cursor,
		                   is_boundary ? cursor : cursor - 1,
		                   is_boundary);
	if (status == 0 && !look_up(&resume, cursor, is_boundary, &good))
		status = SHMLOG_ERR_CURSOR;
	if (status == 0)
		*start_out = good.start;
	shmlog_resume_release(&resume);
	shmlog_sizes_release(&sizes);
	return status;
}

int shmlog_resume_peek(int fd, uint64_t data_offset, uint64_t committed,
                       uint64_t cursor, uint64_t *start_out)
{
	return search_once(fd, data_offset, committed, cursor, true, start_out);
}

int shmlog_resume_near(int fd, uint64_t data_offset, uint64_t committed,
                       uint64_t cursor, uint64_t *start_out)
{
	return search_once(fd, data_offset, committed, cursor, false,
	                   start_out);
}

uint64_t shmlog_resume_bound(const struct shmlog_resume *resume,
                             uint64_t cursor)
{
	return cursor < resume->anchor ? resume->anchor : resume->committed;
}
