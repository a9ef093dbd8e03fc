/* Reads a log row by row, from any place, and counts its frames. */
#include "view_source.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "fault_text.h"
#include "open_log.h"

#include <stdio.h>

/* How far the search for good frames behind damage goes at a time: no further
 * than it has looked, less room for two frames. */
#define SPAN_BYTES 458752u
#define MARGIN_BYTES 131072u
/* How long such a search may keep the screen waiting.  Damage that is longer
 * becomes several rows. */
#define RESUME_NS 25000000
/* Distances at which a place before a row is looked for. */
#define BACK_LEAST ((uint64_t)256 << 10)
#define BACK_MOST ((uint64_t)16 << 20)
/* A window holds a screen of common frames, and counting reads in long
 * pieces. */
#define COUNTER_WINDOW_BYTES ((size_t)1 << 20)

/* ------------------------------------------------------------------ the log */

static int open_reader(struct shmlog *log, struct shmlog_reader **reader_out)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED,
	};

	return shmlog_reader_open(log, &options, reader_out);
}

static int open_counter(struct shmlog *log, struct shmlog_reader **reader_out)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED,
		.window_bytes = COUNTER_WINDOW_BYTES,
	};

	return shmlog_reader_open(log, &options, reader_out);
}

int view_source_take(struct view_source *source, const char *path,
                     struct shmlog *log)
{
	int status;

	*source = (struct view_source){.path = path, .log = log};
	status = open_reader(log, &source->reader);
	if (status == 0)
		status = open_counter(log, &source->counter);
	if (status != 0) {
		view_source_close(source);
		return cli_fail(path, "cannot read", status);
	}
	(void)view_source_refresh(source);
	return CLI_OK;
}

int view_source_open(struct view_source *source, const char *path)
{
	struct shmlog *log;
	int status = cli_open_to_read(path, &log);

	return status == CLI_OK ? view_source_take(source, path, log) : status;
}

void view_source_close(struct view_source *source)
{
	shmlog_reader_close(source->reader);
	shmlog_reader_close(source->counter);
	shmlog_close(source->log);
	source->reader = source->counter = NULL;
	source->log = NULL;
	view_index_release(&source->index);
}

void view_source_forget(struct view_source *source)
{
	struct shmlog_reader *fresh;

	/* A reader keeps what it has read: only another one reads it again. */
	if (open_reader(source->log, &fresh) != 0)
		return;
	shmlog_reader_close(source->reader);
	source->reader = fresh;
}

void view_source_recount(struct view_source *source)
{
	struct shmlog_reader *fresh;

	if (open_counter(source->log, &fresh) != 0)
		return;
	shmlog_reader_close(source->counter);
	source->counter = fresh;
	view_index_release(&source->index);
	source->index = (struct view_index){.entries = NULL};
	source->met_count = 0;
}

bool view_source_refresh(struct view_source *source)
{
	uint64_t before = source->end;
	int status = shmlog_reader_committed_size(source->reader, &source->end);

	if (status != 0)
		source->trouble = status;
	return source->end > before;
}

/* ------------------------------------------------------------------- damage */

const struct view_damage *view_source_damage(const struct view_source *source,
                                             uint64_t cursor)
{
	const struct view_damage *known = view_index_damage_from(&source->index,
	                                                         cursor);

	if (known != NULL && known->begin == cursor)
		return known;
	for (size_t i = 0; i < source->met_count && i < VIEW_DAMAGES_MET; i++) {
		if (source->met[i].begin == cursor)
			return &source->met[i];
	}
	return NULL;
}

/* The damage that ends at a cursor. */
static const struct view_damage *
damage_ending_at(const struct view_source *source, uint64_t cursor)
{
	const struct view_damage *known = view_index_damage_before(
		&source->index, cursor);

	if (known != NULL && known->end == cursor)
		return known;
	for (size_t i = 0; i < source->met_count && i < VIEW_DAMAGES_MET; i++) {
		if (source->met[i].end == cursor)
			return &source->met[i];
	}
	return NULL;
}

/* A frame that runs past the end is torn only if nothing follows; otherwise its
 * size word is wrong. */
static void describe(struct view_damage *damage, struct shmlog_fault *fault,
                     bool reaches_end)
{
	struct cli_fault_text text;

	if (fault->status == SHMLOG_ERR_TORN && !reaches_end)
		fault->status = SHMLOG_ERR_CURSOR;
	(void)snprintf(damage->text, sizeof(damage->text), "%s",
	               cli_describe_fault(&text, fault));
}

/* The damage that the reader has just met: up to where good frames go on, or
 * as far as could be searched in time. */
static struct view_damage explore_damage(struct shmlog_reader *reader,
                                         uint64_t begin)
{
	struct view_damage damage = {.begin = begin};
	uint64_t committed = shmlog_reader_known_size(reader);
	/* The search is another call on the reader. */
	struct shmlog_fault fault = *shmlog_reader_fault(reader);
	uint64_t from = begin + 1;
	int64_t until_ns = cli_now_ns() + RESUME_NS;

	while (from < committed) {
		int status = shmlog_reader_seek_near(reader, from);

		if (status == 0) {
			from = shmlog_reader_cursor(reader);
			break;
		}
		if (status != SHMLOG_ERR_CURSOR ||
		    committed - from <= SPAN_BYTES)
			from = committed;
		else
			from += SPAN_BYTES - MARGIN_BYTES;
		if (cli_now_ns() > until_ns)
			break;
	}
	damage.end = from;
	describe(&damage, &fault, from == committed);
	return damage;
}

static const struct view_damage *keep(struct view_source *source,
                                      const struct view_damage *damage)
{
	struct view_damage *place =
		&source->met[source->met_count++ % VIEW_DAMAGES_MET];

	*place = *damage;
	return place;
}

static int damage_row(struct view_row *row_out, uint64_t begin, uint64_t end)
{
	*row_out = (struct view_row){
		.is_damage = true,
		.cursor = begin,
		.next_cursor = end,
		.number = VIEW_NO_NUMBER,
	};
	return 1;
}

static int frame_row(struct view_row *row_out, struct shmlog_frame *frame_out,
                     const struct shmlog_frame *frame)
{
	*row_out = (struct view_row){
		.cursor = frame->cursor,
		.next_cursor = frame->next_cursor,
		.number = frame->index,
		.size_bytes = frame->size_bytes,
	};
	if (frame_out != NULL)
		*frame_out = *frame;
	return 1;
}

/* --------------------------------------------------------------------- rows */

/* Moves the reader, unless it is there. */
static int go_to(struct view_source *source, uint64_t cursor)
{
	return shmlog_reader_cursor(source->reader) == cursor
	               ? 0
	               : shmlog_reader_seek_known(source->reader, cursor,
	                                          SHMLOG_INDEX_UNKNOWN);
}

/* Whether a damaged row is what counting has found there. */
static bool is_counted_damage(const struct view_index *index,
                              const struct view_row *row)
{
	const struct view_damage *damage = view_index_damage_before(
		index, row->cursor + 1);

	/* Not all of very many are kept. */
	return index->damage_count < index->damages_met ||
	       (damage != NULL && damage->end > row->cursor);
}

bool view_source_confirms(struct view_source *source,
                          const struct view_row *row)
{
	struct shmlog_frame frame = {0};
	int status;

	/* A row that nobody has counted may be none. */
	if (row->next_cursor > source->index.at ||
	    (!row->is_damage && row->number == VIEW_NO_NUMBER))
		return true;
	status = go_to(source, row->cursor);
	if (status == 0)
		status = shmlog_reader_next(source->reader, &frame);
	if (row->is_damage)
		return cli_is_damage(status) &&
		       is_counted_damage(&source->index, row);
	return status == 1 ? frame.next_cursor == row->next_cursor
	                   : !cli_is_damage(status);
}

int view_source_next(struct view_source *source, uint64_t cursor,
                     struct view_row *row_out, struct shmlog_frame *frame_out)
{
	const struct view_damage *known = view_source_damage(source, cursor);
	struct view_damage damage;
	struct shmlog_frame frame;
	int status;

	if (known != NULL)
		return damage_row(row_out, known->begin, known->end);
	status = go_to(source, cursor);
	if (status == 0)
		status = shmlog_reader_next(source->reader, &frame);
	if (status == 1)
		return frame_row(row_out, frame_out, &frame);
	if (!cli_is_damage(status))
		return status;
	damage = explore_damage(source->reader, cursor);
	keep(source, &damage);
	return damage_row(row_out, damage.begin, damage.end);
}

/* The last row of those that lead from a cursor to another; 0 where they lead
 * past it. */
static int last_row_before(struct view_source *source, uint64_t from,
                           uint64_t cursor, struct view_row *row_out,
                           struct shmlog_frame *frame_out)
{
	int status = 1;

	row_out->next_cursor = from;
	while (status == 1 && row_out->next_cursor < cursor)
		status = view_source_next(source, row_out->next_cursor, row_out,
		                          frame_out);
	if (status == 1 && row_out->next_cursor > cursor)
		return row_out->is_damage
		               ? damage_row(row_out, row_out->cursor, cursor)
		               : 0;
	return status;
}

/* The row before one, where no frame ends: damage, in front of which good
 * frames are looked for ever further away. */
static int row_before_damage(struct view_source *source, uint64_t cursor,
                             struct view_row *row_out,
                             struct shmlog_frame *frame_out)
{
	uint64_t from = 0;

	for (uint64_t back = BACK_LEAST; back <= BACK_MOST; back *= 4) {
		int status = 0;

		from = cursor > back ? cursor - back : 0;
		if (from > 0)
			status = shmlog_reader_seek_near(source->reader, from);
		if (status != 0 && status != SHMLOG_ERR_CURSOR)
			return status;
		if (from > 0)
			from = shmlog_reader_cursor(source->reader);
		if (status == 0 && from < cursor) {
			status = last_row_before(source, from, cursor, row_out,
			                         frame_out);
			if (status != 0 || from == 0)
				break;
		}
	}
	if (row_out->next_cursor == cursor)
		return 1;
	return damage_row(row_out, from < cursor ? from : 0, cursor);
}

int view_source_prev(struct view_source *source, uint64_t cursor,
                     struct view_row *row_out, struct shmlog_frame *frame_out)
{
	const struct view_damage *known = damage_ending_at(source, cursor);
	struct shmlog_frame frame;
	int status;

	if (cursor == 0)
		return 0;
	if (known != NULL)
		return damage_row(row_out, known->begin, known->end);
	status = go_to(source, cursor);
	if (status == 0)
		status = shmlog_reader_prev(source->reader, &frame);
	if (status == 1)
		return frame_row(row_out, frame_out, &frame);
	if (!cli_is_damage(status))
		return status;
	*row_out = (struct view_row){0};
	return row_before_damage(source, cursor, row_out, frame_out);
}

int view_source_batch(struct view_source *source, uint64_t cursor,
                      struct shmlog_frame *frames_out)
{
	int status = go_to(source, cursor);

	if (status == 0)
		status = shmlog_reader_next_batch(source->reader, VIEW_BATCH, 0,
		                                  frames_out);
	return cli_is_damage(status) ? 0 : status;
}

/* ------------------------------------------------------------------- places */

uint64_t view_source_near(struct view_source *source, uint64_t cursor)
{
	uint64_t from = cursor > BACK_LEAST ? cursor - BACK_LEAST : 0;
	struct view_row row = {0};
	uint64_t number;

	if (cursor >= source->end)
		return source->end;
	if (view_source_locate(source, cursor, &from, &number))
		return from;
	if (from > 0 && shmlog_reader_seek_near(source->reader, from) == 0)
		from = shmlog_reader_cursor(source->reader);
	if (from > cursor)
		return from;
	/* From there on frames lead to it. */
	row.cursor = row.next_cursor = from;
	while (row.next_cursor <= cursor &&
	       view_source_next(source, row.next_cursor, &row, NULL) == 1)
		;
	return row.cursor;
}

bool view_source_locate(struct view_source *source, uint64_t cursor,
                        uint64_t *begin_out, uint64_t *number_out)
{
	struct view_entry entry;
	struct view_row row = {0};

	if (!view_index_before(&source->index, cursor, &entry))
		return false;
	row.next_cursor = entry.cursor;
	entry.number--;
	while (row.next_cursor <= cursor) {
		if (view_source_next(source, row.next_cursor, &row, NULL) != 1)
			return false;
		entry.number += row.is_damage ? 0 : 1;
	}
	*begin_out = row.cursor;
	*number_out = row.is_damage ? VIEW_NO_NUMBER : entry.number;
	return true;
}

bool view_source_frame(struct view_source *source, uint64_t number,
                       uint64_t *cursor_out)
{
	struct view_entry entry;
	struct view_row row = {0};

	if (!view_index_of_frame(&source->index, number, &entry))
		return false;
	row.next_cursor = entry.cursor;
	for (entry.number--; entry.number != number;) {
		if (view_source_next(source, row.next_cursor, &row, NULL) != 1)
			return false;
		entry.number += row.is_damage ? 0 : 1;
	}
	*cursor_out = row.cursor;
	return true;
}

/* ----------------------------------------------------------------- counting */

bool view_source_is_counted(const struct view_source *source)
{
	return source->index.at >= source->end;
}

bool view_source_count(struct view_source *source, int64_t until_ns)
{
	struct shmlog_frame frames[VIEW_BATCH];
	struct view_index *index = &source->index;

	while (cli_now_ns() < until_ns) {
		int count = shmlog_reader_next_batch(
			source->counter, VIEW_BATCH, SIZE_MAX, frames);

		for (int i = 0; i < count; i++)
			view_index_add(index, frames[i].cursor,
			               frames[i].next_cursor);
		if (cli_is_damage(count)) {
			struct view_damage damage = explore_damage(
				source->counter, index->at);

			view_index_add_damage(index, &damage);
			(void)shmlog_reader_seek_known(source->counter,
			                               damage.end,
			                               SHMLOG_INDEX_UNKNOWN);
		} else if (count < 0) {
			source->trouble = count;
			return false;
		} else if (count == 0) {
			return false;
		}
	}
	return !view_source_is_counted(source);
}
