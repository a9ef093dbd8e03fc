/* Finding the place behind damage where a chain of frames goes on. */
#include "resync.h"

#include "mapping.h"
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes behind the damage that are looked at together: room for a few frames
 * of the largest size. */
#define SPAN_BYTES 262144u
/* The first of these, which are tried alone before: room for many frames of
 * most logs. */
#define NEAR_BYTES 8192u
/* Bytes that a walk may search, whatever the log's size, and per byte of it. */
#define BUDGET_BYTES (8u << 20)
#define BUDGET_PER_BYTE 4u
/* Frames between two calls of the pulse. */
#define PULSE_FRAMES 65536u

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

/* Walks backwards from the end as far as frames go, not below `damage`. */
static int walk_back(struct shmlog_resync *resync, uint64_t damage)
{
	struct shmlog_window window;
	uint64_t frames = 0;
	int status = shmlog_window_init(&window, resync->fd,
	                                resync->data_offset,
	                                SHMLOG_DEFAULT_MAX_BYTES);

	while (status == 0 && resync->anchor > damage) {
		size_t need = 2;

		for (int pass = 0; pass < 2 && status == 0; pass++) {
			if (need < 2 || need > resync->anchor)
				break;
			status = shmlog_window_fill_before(
				&window, resync->anchor, need);
			need = status == 0 ? shmlog_load_word(
						     shmlog_window_at(
							     &window,
							     resync->anchor) -
						     2)
			                   : 0;
		}
		if (status != 0)
			break;
		/* Within what is held: the last read may have brought another
		 * size word than the one that asked for it. */
		uint32_t total = shmlog_format_frame_before(
			shmlog_window_at(&window, resync->anchor),
			shmlog_window_before(&window, resync->anchor));

		if (total == 0 || resync->anchor - total < damage)
			break;
		resync->anchor -= total;
		if (++frames % PULSE_FRAMES == 0)
			status = shmlog_pulse(resync->visitor);
	}
	shmlog_window_release(&window);
	return status;
}

static int find_anchor(struct shmlog_resync *resync, uint64_t damage)
{
	struct shmlog_span span;

	resync->anchor = resync->committed;
	int status = walk_back(resync, damage);

	if (status != 0 || resync->anchor == resync->committed)
		return status;

	uint32_t length = span_length(damage, resync->committed);
	uint64_t from = resync->committed - length;

	status = load_span(resync, from, length, &span);
	if (status != 0)
		return status;
	if (!shmlog_evidence_of_end(&resync->evidence, &span,
	                            resync->anchor > from
	                                    ? (uint32_t)(resync->anchor - from)
	                                    : 0))
		resync->anchor = resync->committed;
	return 0;
}

int shmlog_resync_init(struct shmlog_resync *resync, int fd,
                       uint64_t data_offset, uint64_t committed,
                       uint64_t damage,
                       const struct shmlog_verify_visitor *visitor)
{
	uint32_t length = span_length(damage, committed);

	*resync = (struct shmlog_resync){
		.fd = fd,
		.data_offset = data_offset,
		.committed = committed,
		.budget = BUDGET_BYTES + committed * BUDGET_PER_BYTE,
		.visitor = visitor,
		.bytes = malloc(length),
	};
	int status = shmlog_evidence_init(&resync->evidence, length);

	if (status == 0 && resync->bytes == NULL)
		status = -ENOMEM;
	return status == 0 ? find_anchor(resync, damage) : status;
}

void shmlog_resync_release(struct shmlog_resync *resync)
{
	free(resync->bytes);
	shmlog_evidence_release(&resync->evidence);
}

/* Spends some of the budget; false once it is gone. */
static bool spend(struct shmlog_resync *resync, uint64_t bytes)
{
	if (resync->budget < bytes) {
		resync->budget = 0;
		return false;
	}
	resync->budget -= bytes;
	return true;
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	return length == 0 ||
	       (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Whether two good frames, or one up to the end, follow on a place. */
static bool goes_on(const struct shmlog_span *span, uint32_t at)
{
	for (unsigned frames = 0; frames < 2 && at != span->length; frames++) {
		uint32_t total = shmlog_format_frame(span->bytes + at,
		                                     span->length - at);

		if (total == 0)
			return false;
		at += total;
	}
	return true;
}

/*
 * Whether what is found at `near` may be payload: of a frame with one good word
 * that leads from the beginning of the span to somewhere beyond it, or of a
 * good one that starts before it.
 */
static bool may_be_payload(const struct shmlog_span *span, uint32_t near)
{
	const unsigned char *bytes = span->bytes;
	uint32_t most = span->length < SHMLOG_FRAME_MAX_BYTES
	                        ? span->length
	                        : SHMLOG_FRAME_MAX_BYTES;

	for (uint32_t at = 0; at < near; at++) {
		uint32_t total = shmlog_load_word(bytes + at);
		bool leads = total > near - at && total <= span->length - at &&
		             goes_on(span, at + total);

		if (leads && (at == 0 || shmlog_load_word(bytes + at + total -
		                                          2) == total))
			return true;
	}
	for (uint32_t at = near + 1; at <= most; at++) {
		if (at >= SHMLOG_FRAME_OVERHEAD_BYTES &&
		    shmlog_load_word(bytes + at - 2) == at && goes_on(span, at))
			return true;
	}
	return false;
}

/* What the last search has found behind a place that it knows, as damage tends
 * to have company; _NOWHERE if it is no help.  Sure is what lies in the first
 * half of what was searched: the rest is seen better from nearer by. */
static uint32_t find_again(const struct shmlog_resync *resync, uint64_t cursor)
{
	const struct shmlog_evidence *evidence = &resync->evidence;
	uint32_t sure = evidence->weighed / 2;

	if (cursor < resync->searched || cursor - resync->searched >= sure ||
	    !shmlog_evidence_knows(evidence,
	                           (uint32_t)(cursor - resync->searched)))
		return SHMLOG_EVIDENCE_NOWHERE;

	uint32_t at = (uint32_t)(cursor - resync->searched);
	uint32_t first = shmlog_evidence_next(evidence, at + 1);
	const struct shmlog_span rest = {.bytes = resync->bytes + at,
	                                 .length = resync->loaded - at};

	if (first >= sure || (evidence->weighed == NEAR_BYTES &&
	                      may_be_payload(&rest, first - at)))
		return SHMLOG_EVIDENCE_NOWHERE;
	return first - at;
}

/* Searches the span of `length` bytes at a cursor: its first part alone, which
 * is all that most damage takes, and then all of it. */
static int search_at(struct shmlog_resync *resync, uint64_t cursor,
                     uint32_t length, bool is_damage, uint32_t *first_out)
{
	struct shmlog_evidence *evidence = &resync->evidence;
	struct shmlog_span span;

	*first_out = is_damage ? find_again(resync, cursor)
	                       : SHMLOG_EVIDENCE_NOWHERE;
	if (*first_out != SHMLOG_EVIDENCE_NOWHERE)
		return 0;
	evidence->weighed = 0;
	int status = load_span(resync, cursor, length, &span);

	if (status != 0 || is_zero(span.bytes, length))
		return status;
	resync->searched = cursor;
	resync->loaded = length;
	span.begins_at_boundary = is_damage;
	if (is_damage && length > NEAR_BYTES && spend(resync, NEAR_BYTES)) {
		span.length = NEAR_BYTES;
		shmlog_evidence_weigh(evidence, &span);
		*first_out = find_again(resync, cursor);
		span.length = length;
	}
	if (*first_out != SHMLOG_EVIDENCE_NOWHERE || !spend(resync, length))
		return 0;
	span.ends_at_boundary = cursor + length == resync->anchor &&
	                        resync->anchor < resync->committed;
	shmlog_evidence_weigh(evidence, &span);
	*first_out = shmlog_evidence_next(evidence, is_damage ? 1 : 0);
	return 0;
}

/*
 * Searches span by span for the first good frame.  Each overlaps the one before
 * by half, and what begins in its second half is left to the next one, which
 * sees how it goes on.
 */
static int find_first(struct shmlog_resync *resync, uint64_t damage,
                      uint64_t *cursor_out)
{
	uint64_t from = damage;

	*cursor_out = resync->anchor;
	while (from < resync->anchor && resync->budget > 0) {
		uint32_t length = span_length(from, resync->anchor);
		bool is_last = length == resync->anchor - from;
		uint32_t first;
		int status = shmlog_pulse(resync->visitor);

		if (status == 0)
			status = search_at(resync, from, length, from == damage,
			                   &first);
		if (status != 0)
			return status;
		if (first != SHMLOG_EVIDENCE_NOWHERE &&
		    (is_last || first < SPAN_BYTES / 2)) {
			*cursor_out = from + first;
			return 0;
		}
		if (is_last)
			return 0;
		from += SPAN_BYTES / 2;
	}
	return 0;
}

int shmlog_resync_find(struct shmlog_resync *resync,
                       const struct shmlog_fault *fault, uint64_t *cursor_out)
{
	uint64_t wrapped_end = fault->cursor + fault->wrapped_payload_bytes +
	                       SHMLOG_FRAME_OVERHEAD_BYTES;

	if (fault->cursor >= resync->anchor) {
		/* The log is being changed under the walk. */
		*cursor_out = resync->committed;
		return 0;
	}
	if (fault->wrapped_payload_bytes != 0 &&
	    wrapped_end <= resync->anchor) {
		*cursor_out = wrapped_end;
		return 0;
	}
	return find_first(resync, fault->cursor, cursor_out);
}

uint64_t shmlog_resync_bound(const struct shmlog_resync *resync,
                             uint64_t cursor)
{
	return cursor < resync->anchor ? resync->anchor : resync->committed;
}
