/* Readers: frames in both directions, batches, and places that frames reach. */
#include "reader.h"

#include "both_ends.h"
#include "frame_source.h"
#include "sleepers.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

int shmlog_reader_open(struct shmlog *log,
                       const struct shmlog_reader_options *options,
                       struct shmlog_reader **reader_out)
{
	const unsigned flags = options != NULL ? options->flags : 0;
	const size_t bytes = options != NULL ? options->window_bytes : 0;
	struct shmlog_reader *reader = calloc(1, sizeof(*reader));
	int status = 0;

	if (reader == NULL)
		return -ENOMEM;
	reader->log = log;
	reader->flags = flags;
	reader->fast.reader = reader;
	if ((flags & SHMLOG_READER_BUFFERED) != 0)
		status = shmlog_window_init(
			&reader->window, log->fd, log->data_offset,
			bytes != 0 ? bytes : SHMLOG_DEFAULT_MAX_BYTES);
	else
		status = shmlog_mapping_acquire(log, log->fd, false,
		                                log->data_offset,
		                                &reader->mapping);
	if (status != 0) {
		free(reader);
		return status;
	}
	if (reader->mapping != NULL)
		reader->fast.first = reader->mapping->base + log->data_offset;
	shmlog_place_open(&reader->place, log, flags);
	*reader_out = reader;
	return 0;
}

void shmlog_reader_close(struct shmlog_reader *reader)
{
	if (reader == NULL)
		return;
	shmlog_sleepers_close(reader->crowd.sleepers);
	shmlog_place_close(&reader->place);
	shmlog_window_release(&reader->window);
	shmlog_mapping_release(reader->log, reader->mapping);
	free(reader);
}

static bool is_buffered(const struct shmlog_reader *reader)
{
	return (reader->flags & SHMLOG_READER_BUFFERED) != 0;
}

/* The header's words through the mapping, ordered before the frames. */
static void load_mapped_header(const struct shmlog_reader *reader,
                               struct shmlog_header *header_out)
{
	struct shmlog_file_header *header = shmlog_mapping_header(
		reader->mapping);

	/* Pairs with the writer's release store: what lies below `size` is
	 * visible once `size` is. */
	header_out->size = atomic_load_explicit(&header->size,
	                                        memory_order_acquire);
	header_out->header_size = header->header_size;
	header_out->data_offset = header->data_offset;
}

/* Makes sure that a mapping reaches to `size`. */
static int follow_growth(struct shmlog_reader *reader, uint64_t size)
{
	struct shmlog_mapping *longer;

	if (is_buffered(reader) || size <= reader->mapping->length)
		return 0;

	int status = shmlog_mapping_acquire(reader->log, reader->log->fd, false,
	                                    size, &longer);

	if (status != 0)
		return status;
	/* The longer one keeps this one: payloads handed out stay valid. */
	shmlog_mapping_release(reader->log, reader->mapping);
	reader->mapping = longer;
	reader->fast.first = longer->base + reader->log->data_offset;
	return 0;
}

/* Loads `size` and takes it for this reader's bound, if it is sane. */
int shmlog_reader_refresh(struct shmlog_reader *reader)
{
	struct shmlog *log = reader->log;
	struct shmlog_header header = {0};
	int status = 0;

	if (reader->held)
		return 0;
	if (is_buffered(reader))
		status = shmlog_load_header(log->fd, &header);
	else
		load_mapped_header(reader, &header);
	if (status != 0)
		return status;
	if ((reader->flags & SHMLOG_READER_DEBUG_CHECKS) != 0) {
		if (header.header_size != log->header_size)
			return SHMLOG_ERR_HEADER_SIZE;
		if (header.data_offset != log->data_offset)
			return SHMLOG_ERR_DATA_OFFSET;
	}
	/* Below the data lies what a cut and regrown file has: zeros. */
	if (header.size < log->data_offset)
		return SHMLOG_ERR_MAPPING_GONE;
	if (header.size < log->data_offset + reader->committed)
		return SHMLOG_ERR_WENT_BACK;
	/* A buffered reader, which pays for system calls anyway, sees a cut at
	 * once; a mapped one that polls `size` does not pay for that. */
	if (!is_buffered(reader))
		status = follow_growth(reader, header.size);
	else if (header.size > header.capacity)
		status = SHMLOG_ERR_MAPPING_GONE;
	if (status != 0)
		return status;
	reader->committed = header.size - log->data_offset;
	if (!is_buffered(reader))
		reader->fast.end = reader->committed;
	return 0;
}

/* The bytes of a mapping at the cursor `at`. */
static const unsigned char *mapped_at(const struct shmlog_reader *reader,
                                      uint64_t at)
{
	return reader->fast.first + at;
}

/* Fetches the frame that starts at `at`.  From a mapping nothing is fetched:
 * the checks load each word once and for all. */
static int fetch(struct shmlog_reader *reader, uint64_t at,
                 struct shmlog_fetched *fetched_out)
{
	if (is_buffered(reader))
		return shmlog_fetch_frame(&reader->window, at,
		                          reader->committed, fetched_out);
	*fetched_out = (struct shmlog_fetched){mapped_at(reader, at),
	                                       reader->committed - at};
	return 0;
}

/* Fetches the frame that ends at `at`. */
static int fetch_before(struct shmlog_reader *reader, uint64_t at,
                        struct shmlog_fetched *fetched_out)
{
	if (is_buffered(reader))
		return shmlog_fetch_frame_before(&reader->window, at,
		                                 fetched_out);
	*fetched_out = (struct shmlog_fetched){mapped_at(reader, at), at};
	return 0;
}

static void hand_out(struct shmlog_frame *frame_out, const unsigned char *frame,
                     uint32_t total, uint64_t cursor, uint64_t index)
{
	frame_out->payload = frame + 2;
	frame_out->size_bytes = total - SHMLOG_FRAME_OVERHEAD_BYTES;
	frame_out->cursor = cursor;
	frame_out->next_cursor = cursor + total;
	frame_out->index = index;
}

static uint64_t index_plus(uint64_t index, int64_t frames)
{
	return index == SHMLOG_INDEX_UNKNOWN ? index : index + (uint64_t)frames;
}

/* The next frame below reader->committed; the cursor is not at its end. */
static int step(struct shmlog_reader *reader, struct shmlog_frame *frame_out)
{
	struct shmlog_fetched fetched;
	int status = fetch(reader, reader->fast.cursor, &fetched);

	if (status != 0)
		return status;

	uint32_t total = shmlog_format_frame(fetched.at, fetched.held);

	__builtin_prefetch(fetched.at + SHMLOG_FAST_AHEAD_BYTES);
	if (total == 0)
		return shmlog_reader_refuse(reader, false, fetched.at);
	hand_out(frame_out, fetched.at, total, reader->fast.cursor,
	         reader->fast.index);
	reader->fast.cursor += total;
	reader->fast.index = index_plus(reader->fast.index, 1);
	return 1;
}

static int step_back(struct shmlog_reader *reader,
                     struct shmlog_frame *frame_out)
{
	struct shmlog_fetched fetched;
	int status = fetch_before(reader, reader->fast.cursor, &fetched);

	if (status != 0)
		return status;

	uint32_t total = shmlog_format_frame_before(fetched.at, fetched.held);

	if (total == 0)
		return shmlog_reader_refuse(reader, true, fetched.at);
	reader->fast.cursor -= total;
	reader->fast.index = reader->fast.cursor == 0
	                             ? 0
	                             : index_plus(reader->fast.index, -1);
	hand_out(frame_out, fetched.at - total, total, reader->fast.cursor,
	         reader->fast.index);
	return 1;
}

int shmlog_reader_next(struct shmlog_reader *reader,
                       struct shmlog_frame *frame_out)
{
	if (reader->fast.cursor == reader->committed) {
		shmlog_reader_show(reader);
		int status = shmlog_reader_refresh(reader);

		if (status != 0 || reader->fast.cursor == reader->committed)
			return status;
	}
	return step(reader, frame_out);
}

int shmlog_reader_prev(struct shmlog_reader *reader,
                       struct shmlog_frame *frame_out)
{
	return reader->fast.cursor == 0 ? 0 : step_back(reader, frame_out);
}

/* As many frames as fit into what is at hand; at least none. */
static size_t take_batch(struct shmlog_reader *reader,
                         const unsigned char *bytes, uint64_t held,
                         size_t max_messages, uint64_t max_bytes,
                         struct shmlog_frame *frames_out)
{
	uint64_t cursor = reader->fast.cursor;
	uint64_t index = reader->fast.index;
	size_t count = 0;

	while (count < max_messages && held > 0) {
		uint32_t total = shmlog_format_frame(bytes, held);

		__builtin_prefetch(bytes + SHMLOG_FAST_AHEAD_BYTES);
		if (total == 0 || total > max_bytes)
			break;
		hand_out(&frames_out[count++], bytes, total, cursor, index);
		index = index_plus(index, 1);
		cursor += total;
		bytes += total;
		held -= total;
		max_bytes -= total;
	}
	reader->fast.cursor = cursor;
	reader->fast.index = index;
	return count;
}

int shmlog_reader_next_batch(struct shmlog_reader *reader, size_t max_messages,
                             size_t max_bytes, struct shmlog_frame *frames_out)
{
	if (max_messages == 0)
		max_messages = SHMLOG_DEFAULT_MAX_MESSAGES;
	if (max_bytes == 0)
		max_bytes = SHMLOG_DEFAULT_MAX_BYTES;
	if (max_messages > INT_MAX)
		max_messages = INT_MAX;
	shmlog_reader_show(reader);
	/* The first frame by itself: whatever its size, and its faults. */
	int result = shmlog_reader_next(reader, frames_out);

	if (result != 1)
		return result;

	uint64_t taken = frames_out->next_cursor - frames_out->cursor;
	uint64_t held = reader->committed - reader->fast.cursor;

	if (is_buffered(reader))
		held = shmlog_window_after(&reader->window,
		                           reader->fast.cursor);
	if (taken >= max_bytes || held == 0)
		return 1;
	/* The rest from what is at hand, where a frame that is cut off or bad
	 * ends the batch: the next call meets it as its first. */
	const unsigned char *bytes = frames_out->payload +
	                             frames_out->size_bytes + 2;

	return 1 + (int)take_batch(reader, bytes, held, max_messages - 1,
	                           max_bytes - taken, frames_out + 1);
}

struct shmlog_fast_reader *shmlog_reader_fast(struct shmlog_reader *reader)
{
	return &reader->fast;
}

uint64_t shmlog_reader_cursor(const struct shmlog_reader *reader)
{
	return reader->fast.cursor;
}

uint64_t shmlog_reader_index(const struct shmlog_reader *reader)
{
	return reader->fast.index;
}

int shmlog_reader_committed_size(struct shmlog_reader *reader,
                                 uint64_t *committed_out)
{
	int status = shmlog_reader_refresh(reader);

	if (status == 0)
		*committed_out = reader->committed;
	return status;
}

uint64_t shmlog_reader_known_size(const struct shmlog_reader *reader)
{
	return reader->committed;
}

int shmlog_reader_hold_end(struct shmlog_reader *reader)
{
	reader->held = false;
	int status = shmlog_reader_refresh(reader);

	reader->held = status == 0;
	return status;
}

void shmlog_reader_release_end(struct shmlog_reader *reader)
{
	reader->held = false;
}

const struct shmlog_fault *
shmlog_reader_fault(const struct shmlog_reader *reader)
{
	return &reader->fault;
}

static void move_to(struct shmlog_reader *reader, uint64_t cursor,
                    uint64_t index)
{
	reader->fast.cursor = cursor;
	reader->fast.index = index;
	if (is_buffered(reader))
		shmlog_window_jump(&reader->window);
}

int shmlog_reader_seek_end(struct shmlog_reader *reader)
{
	int status = shmlog_reader_refresh(reader);

	if (status == 0 && reader->fast.cursor != reader->committed)
		move_to(reader, reader->committed,
		        reader->committed == 0 ? 0 : SHMLOG_INDEX_UNKNOWN);
	return status;
}

/* Walks forwards to `cursor` or just past it.  0, or a refusal. */
static int walk_up(struct shmlog_reader *reader, uint64_t cursor,
                   struct shmlog_neighbours *around)
{
	struct shmlog_frame frame;

	around->before = reader->fast.cursor;
	while (reader->fast.cursor < cursor) {
		int result = step(reader, &frame);

		if (result < 0)
			return result;
		around->before = frame.cursor;
	}
	around->after = reader->fast.cursor;
	return 0;
}

static int walk_down(struct shmlog_reader *reader, uint64_t cursor,
                     struct shmlog_neighbours *around)
{
	struct shmlog_frame frame;

	around->after = reader->fast.cursor;
	while (reader->fast.cursor > cursor) {
		int result = step_back(reader, &frame);

		if (result < 0)
			return result;
		around->after = frame.next_cursor;
	}
	around->before = reader->fast.cursor;
	return 0;
}

/* Reaches `cursor` by a chain from `from`, a frame start or the end. */
static int walk_from(struct shmlog_reader *reader, uint64_t from,
                     uint64_t index, uint64_t cursor,
                     struct shmlog_neighbours *around)
{
	uint64_t base = reader->log->data_offset;
	int64_t frames;

	if (reader->fast.cursor != from)
		move_to(reader, from, index);
	if (is_buffered(reader) &&
	    shmlog_count_way(reader->log->fd, base + from, base + cursor,
	                     &frames)) {
		move_to(reader, cursor,
		        cursor == 0 ? 0 : index_plus(index, frames));
		return 0;
	}
	return cursor >= from ? walk_up(reader, cursor, around)
	                      : walk_down(reader, cursor, around);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/*
 * Reaches `cursor` by a chain from one of the places that are known to be
 * frame starts: the present cursor if that is nearest, else the nearer one of
 * the start and the end, and the other one if damage stands in the way.  Of
 * damage on both sides, that on the side of the start is reported.
 */
static int walk_to(struct shmlog_reader *reader, uint64_t cursor,
                   struct shmlog_neighbours *around)
{
	uint64_t here = reader->fast.cursor;
	uint64_t to_end = reader->committed - cursor;
	uint64_t to_here = distance(cursor, here);
	int status = -EAGAIN;

	if (to_here <= cursor && to_here <= to_end)
		status = walk_from(reader, here, reader->fast.index, cursor,
		                   around);
	if (status != 0 && to_end < cursor)
		status = walk_from(reader, reader->committed,
		                   SHMLOG_INDEX_UNKNOWN, cursor, around);
	if (status != 0)
		status = walk_from(reader, 0, 0, cursor, around);
	if (status == 0 || to_end < cursor)
		return status;

	struct shmlog_fault fault = reader->fault;
	int from_start = status;

	status = walk_from(reader, reader->committed, SHMLOG_INDEX_UNKNOWN,
	                   cursor, around);
	if (status == 0)
		return 0;
	reader->fault = fault;
	return from_start;
}

int shmlog_reader_seek(struct shmlog_reader *reader, uint64_t cursor,
                       struct shmlog_neighbours *neighbours_out)
{
	struct shmlog_neighbours around = {0};
	uint64_t old_cursor = reader->fast.cursor;
	uint64_t old_index = reader->fast.index;
	int status = shmlog_reader_refresh(reader);

	if (status != 0)
		return status;
	if (cursor > reader->committed) {
		around.before = around.after = reader->committed;
		status = SHMLOG_ERR_CURSOR;
	} else {
		status = walk_to(reader, cursor, &around);
		if (status == 0 && reader->fast.cursor != cursor)
			status = SHMLOG_ERR_CURSOR;
		else if (status < 0)
			goto restore;
	}
	if (status == 0)
		return 0;
	if (neighbours_out != NULL)
		*neighbours_out = around;
	reader->fault = (struct shmlog_fault){.status = status,
	                                      .cursor = cursor};
restore:
	move_to(reader, old_cursor, old_index);
	return status;
}
