/*
 * Logs: any bytes as a whole file.  The header is judged as another reading
 * of the format says; mapped and buffered readers, one by one, in batches,
 * backwards and by seeking, hand out the frames that a plain walk over the
 * bytes finds; verify accounts for every committed byte, and finds the same
 * where it begins at both ends; salvage keeps what verify found; and nothing
 * changes the file.
 *
 * INPUT: the file, whose last bytes choose how it is read; or 8 bytes 0xff,
 * which begin no log, and a recipe for a larger one.
 */
#include "both_ends.h"
#include "fuzz.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES (200u << 10)
#define BATCH 16u
/* Room for the largest step of a recipe beyond what ends it. */
#define STEP_BYTES 70000u
#define ROOM_BYTES (MOST_BYTES + 2 * STEP_BYTES)
#define ROOM_FRAMES (ROOM_BYTES / 4 + 2)

/* The file, and what a plain walk over its bytes finds. */
struct file {
	uint8_t *bytes;
	size_t size_bytes;
	int fd;
	char path[64];

	int status; /* of the header */
	struct shmlog_header header;
	const uint8_t *data;
	size_t committed;
	uint64_t *starts; /* of a chain from the start; the last is its end */
	size_t frames;
	uint64_t *ends; /* of a chain from the end, downwards; the first is the
	                 * end, the last its start */
	size_t frames_back;
};

/* Kept from run to run: to allocate and clear them would take most of one. */
static uint64_t all_starts[ROOM_FRAMES], all_ends[ROOM_FRAMES],
	all_kept[ROOM_FRAMES];
static uint8_t room[ROOM_BYTES];

/* ------------------------------------------------------- the plain reading */

FUZZ_JUDGE static uint64_t load(const uint8_t *at, size_t size_bytes)
{
	uint64_t value = 0;

	for (size_t i = size_bytes; i > 0; i--)
		value = value << 8 | at[i - 1];
	return value;
}

static void read_header(struct file *file)
{
	struct shmlog_header *header = &file->header;
	size_t length = file->size_bytes;

	header->capacity = length;
	if (length < 24) {
		file->status = SHMLOG_ERR_TOO_SHORT;
		return;
	}
	header->header_size = load(file->bytes, 8);
	header->data_offset = load(file->bytes + 8, 8);
	header->size = load(file->bytes + 16, 8);
	if ((header->header_size | header->data_offset | header->size) == 0)
		file->status = SHMLOG_ERR_NO_HEADER;
	else if (header->header_size < 24 || header->header_size > length)
		file->status = SHMLOG_ERR_HEADER_SIZE;
	else if (header->data_offset < 24 || header->data_offset > length)
		file->status = SHMLOG_ERR_DATA_OFFSET;
	else if (header->size < header->data_offset || header->size > length)
		file->status = SHMLOG_ERR_SIZE;
}

/* The size of a frame that begins at a cursor, or 0. */
FUZZ_JUDGE static size_t frame_at(const struct file *file, size_t cursor)
{
	size_t left = file->committed - cursor, total;

	if (left < 4)
		return 0;
	total = load(file->data + cursor, 2);
	if (total < 4 || total > left)
		return 0;
	return load(file->data + cursor + total - 2, 2) == total ? total : 0;
}

/* The size of a frame that ends at a cursor, or 0. */
FUZZ_JUDGE static size_t frame_before(const struct file *file, size_t cursor)
{
	size_t total = cursor >= 4 ? load(file->data + cursor - 2, 2) : 0;

	return total >= 4 && total <= cursor &&
	                       frame_at(file, cursor - total) == total
	               ? total
	               : 0;
}

FUZZ_JUDGE static void walk(struct file *file)
{
	size_t cursor = 0, total;

	file->data = file->bytes + file->header.data_offset;
	file->committed = file->header.size - file->header.data_offset;
	require(file->committed / 4 + 2 <= ROOM_FRAMES);
	file->starts = all_starts;
	file->starts[0] = 0;
	file->ends = all_ends;
	while ((total = frame_at(file, cursor)) > 0) {
		cursor += total;
		file->starts[++file->frames] = cursor;
	}
	cursor = file->committed;
	file->ends[0] = cursor;
	while ((total = frame_before(file, cursor)) > 0) {
		cursor -= total;
		file->ends[++file->frames_back] = cursor;
	}
}

static bool is_sound(const struct file *file)
{
	return file->starts[file->frames] == file->committed;
}

/* Whether a place is reached by a chain from the start or the end. */
FUZZ_JUDGE static bool is_reached(const struct file *file, uint64_t cursor)
{
	for (size_t i = 0; i <= file->frames; i++) {
		if (file->starts[i] == cursor)
			return true;
	}
	for (size_t i = 0; i <= file->frames_back; i++) {
		if (file->ends[i] == cursor)
			return true;
	}
	return false;
}

/* ----------------------------------------------------------------- readers */

FUZZ_JUDGE static void check_frame(const struct file *file,
                                   const struct shmlog_frame *frame,
                                   uint64_t cursor, uint64_t next_cursor)
{
	require(frame->cursor == cursor && frame->next_cursor == next_cursor);
	require(frame->size_bytes == next_cursor - cursor - 4);
	require(frame->size_bytes == 0 ||
	        memcmp(frame->payload, file->data + cursor + 2,
	               frame->size_bytes) == 0);
}

/* Why a reader stopped: at the end, or at damage that is there. */
static void check_stop(const struct file *file, struct shmlog_reader *reader,
                       int status, uint64_t cursor, bool backwards)
{
	const struct shmlog_fault *fault = shmlog_reader_fault(reader);
	uint64_t left = backwards ? cursor : file->committed - cursor;
	uint64_t first = 0;

	require(shmlog_reader_cursor(reader) == cursor);
	if (left == 0) {
		require(status == 0);
		return;
	}
	require(status == fault->status && fault->cursor == cursor);
	require(fault->backwards == backwards && fault->available == left);
	if (left >= 2)
		first = load(file->data + cursor - (backwards ? 2 : 0), 2);
	require(fault->first_word == first);
	if (left < 2 || (first >= 4 && first > left && !backwards))
		require(status == SHMLOG_ERR_TORN);
	else if (first < 4 || first > left)
		require(status == SHMLOG_ERR_CURSOR);
	else
		require(status == SHMLOG_ERR_FRAME_CORRUPT &&
		        fault->second_word != first);
}

/* By calls, or by the function that is inlined. */
static int next(struct shmlog_reader *reader, bool inlined,
                struct shmlog_frame *frame_out)
{
	return inlined ? shmlog_fast_next(shmlog_reader_fast(reader), frame_out)
	               : shmlog_reader_next(reader, frame_out);
}

FUZZ_JUDGE static void check_next(const struct file *file,
                                  struct shmlog_reader *reader, bool inlined)
{
	struct shmlog_frame frame;
	size_t i;
	int status;

	require(shmlog_reader_seek_known(reader, 0, 0) == 0);
	for (i = 0; (status = next(reader, inlined, &frame)) > 0; i++) {
		require(i < file->frames && frame.index == i);
		check_frame(file, &frame, file->starts[i], file->starts[i + 1]);
	}
	require(i == file->frames && shmlog_reader_index(reader) == i);
	check_stop(file, reader, status, file->starts[i], false);
	/* The same call gives the same answer. */
	require(next(reader, inlined, &frame) == status);
}

FUZZ_JUDGE static void check_prev(const struct file *file,
                                  struct shmlog_reader *reader)
{
	struct shmlog_frame frame;
	size_t i;
	int status;

	require(shmlog_reader_seek_end(reader) == 0);
	for (i = 0; (status = shmlog_reader_prev(reader, &frame)) > 0; i++) {
		require(i < file->frames_back);
		check_frame(file, &frame, file->ends[i + 1], file->ends[i]);
	}
	require(i == file->frames_back);
	check_stop(file, reader, status, file->ends[i], true);
}

FUZZ_JUDGE static void check_batches(const struct file *file,
                                     struct shmlog_reader *reader,
                                     size_t max_messages, size_t max_bytes)
{
	struct shmlog_frame frames[BATCH];
	size_t done = 0;
	int got;

	require(shmlog_reader_seek(reader, 0, NULL) == 0);
	while ((got = shmlog_reader_next_batch(reader, max_messages, max_bytes,
	                                       frames)) > 0) {
		require((size_t)got <= max_messages);
		require((size_t)got <= file->frames - done);
		for (int i = 0; i < got; i++, done++)
			check_frame(file, &frames[i], file->starts[done],
			            file->starts[done + 1]);
		require(got == 1 || max_bytes == 0 ||
		        frames[got - 1].next_cursor - frames[0].cursor <=
		                max_bytes);
	}
	require(done == file->frames);
	check_stop(file, reader, got, file->starts[done], false);
}

/* Whether the two chains leave no doubt which frames there are.  Bytes such as
 * 04 00 04 00 04 00 are one frame read from the start and another one read
 * from the end; a reader then believes the chain that is nearest. */
static bool is_plain(const struct file *file)
{
	return is_sound(file) ||
	       file->starts[file->frames] <= file->ends[file->frames_back];
}

/* Seeks from wherever the reader is. */
static void check_seek(const struct file *file, struct shmlog_reader *reader,
                       uint64_t cursor)
{
	struct shmlog_neighbours around = {UINT64_MAX, UINT64_MAX};
	uint64_t before = shmlog_reader_cursor(reader);
	int status = shmlog_reader_seek(reader, cursor, &around);

	if (is_reached(file, cursor) && is_plain(file))
		require(status == 0);
	require(shmlog_reader_cursor(reader) ==
	        (status == 0 ? cursor : before));
	if (status == 0) {
		require(is_reached(file, cursor));
		return;
	}
	if (cursor > file->committed)
		require(status == SHMLOG_ERR_CURSOR &&
		        around.before == file->committed &&
		        around.after == around.before);
	else if (is_sound(file))
		require(status == SHMLOG_ERR_CURSOR);
	if (status == SHMLOG_ERR_CURSOR && around.before != UINT64_MAX &&
	    cursor <= file->committed)
		require(around.before < cursor && cursor < around.after &&
		        is_reached(file, around.before) &&
		        is_reached(file, around.after) &&
		        frame_at(file, around.before) ==
		                around.after - around.before);
	require(status <= SHMLOG_ERR_CURSOR && status >= SHMLOG_ERR_TORN);
}

static void check_reader(const struct file *file, struct shmlog *log,
                         unsigned flags, struct fuzz_input choices)
{
	/* Most have the smallest window there is: less to allocate. */
	size_t window = fuzz_take_byte(&choices);
	struct shmlog_reader_options options = {
		.flags = flags,
		.window_bytes = window % 8 == 0 ? window * 1024u : window};
	size_t max_messages = fuzz_take_byte(&choices) % BATCH + 1u;
	size_t max_bytes = (size_t)fuzz_take_byte(&choices) << 6;
	struct shmlog_reader *reader;
	uint64_t committed;

	require(shmlog_reader_open(log, &options, &reader) == 0);
	require(shmlog_reader_committed_size(reader, &committed) == 0 &&
	        committed == file->committed);
	require(shmlog_reader_wait(reader, 0, 0) == (committed > 0));
	check_next(file, reader, false);
	check_next(file, reader, true);
	check_seek(file, reader, file->starts[file->frames / 2]);
	check_batches(file, reader, max_messages, max_bytes);
	check_prev(file, reader);
	for (int i = 0; i < 4; i++)
		check_seek(file, reader,
		           (fuzz_take_byte(&choices) * (committed + 8)) >> 8);
	check_seek(file, reader, file->ends[file->frames_back / 2]);
	check_seek(file, reader, UINT64_MAX - fuzz_take_byte(&choices));
	shmlog_reader_close(reader);
}

/* ----------------------------------------------------- verify and salvage */

struct visit {
	const struct file *file;
	uint64_t cursor; /* what was accounted for */
	uint64_t frames, payload_bytes;
	uint64_t ranges, damaged_bytes;
	uint64_t frames_before; /* the first range */
	uint64_t *kept;         /* cursors of the frames */
};

static int visit_frames(void *context, const struct shmlog_frame *frames,
                        size_t count)
{
	struct visit *visit = context;

	require(count > 0);
	for (size_t i = 0; i < count; i++) {
		const struct shmlog_frame *frame = &frames[i];

		require(frame->cursor == visit->cursor);
		require(frame_at(visit->file, frame->cursor) ==
		        frame->next_cursor - frame->cursor);
		check_frame(visit->file, frame, frame->cursor,
		            frame->next_cursor);
		require(frame->index == (visit->ranges == 0
		                                 ? visit->frames
		                                 : SHMLOG_INDEX_UNKNOWN));
		visit->kept[visit->frames++] = frame->cursor;
		visit->payload_bytes += frame->size_bytes;
		visit->cursor = frame->next_cursor;
	}
	return 0;
}

/* Whether good frames lead from one place to another: then there is no damage
 * between them. */
FUZZ_JUDGE static bool leads(const struct file *file, uint64_t from,
                             uint64_t to)
{
	size_t total = 1;

	while (from < to && total > 0) {
		total = frame_at(file, from);
		from += total;
	}
	return from == to;
}

static int visit_damage(void *context, const struct shmlog_damage *damage)
{
	struct visit *visit = context;

	require(damage->fault.cursor == visit->cursor);
	require(!damage->fault.backwards);
	require(damage->end_cursor > visit->cursor &&
	        damage->end_cursor <= visit->file->committed);
	require(damage->good_before == visit->frames);
	require(!leads(visit->file, visit->cursor, damage->end_cursor));
	require(damage->end_cursor == visit->file->committed ||
	        frame_at(visit->file, damage->end_cursor) > 0);
	/* Good frames up to the first range, but for such as were found to be
	 * none. */
	if (visit->ranges == 0) {
		require(visit->frames <= visit->file->frames);
		require(visit->cursor == visit->file->starts[visit->frames]);
		visit->frames_before = visit->frames;
	}
	visit->ranges++;
	visit->damaged_bytes += damage->end_cursor - visit->cursor;
	visit->cursor = damage->end_cursor;
	return 0;
}

static void check_report(const struct visit *visit, int status,
                         const struct shmlog_verify_report *report)
{
	const struct file *file = visit->file;
	uint64_t extra = (report->frames_in_gap > 0 ? 1u : 0u) +
	                 (file->header.header_size > file->header.data_offset
	                          ? 1u
	                          : 0u);

	require(visit->cursor == file->committed);
	require(status >= 0 && (uint64_t)status == visit->ranges + extra);
	require(report->frames == visit->frames &&
	        report->payload_bytes == visit->payload_bytes &&
	        report->damaged_ranges == visit->ranges &&
	        report->damaged_bytes == visit->damaged_bytes);
	require(report->payload_bytes + 4 * report->frames +
	                report->damaged_bytes ==
	        file->committed);
	require(is_sound(file) == (visit->ranges == 0));
	require(!report->torn || visit->ranges > 0);
	require(report->frames_after_damage ==
	        (visit->ranges > 0 ? visit->frames - visit->frames_before : 0));
}

/* The new log holds exactly the frames that verify found. */
static void check_salvage(const struct visit *visit, struct shmlog *log)
{
	struct shmlog_verify_report report;
	struct shmlog_reader *reader;
	struct shmlog_frame frame;
	struct shmlog *saved;
	char path[256];
	uint64_t i;

	const char *memory = getenv("SHMLOG_TEST_MEMORY");

	snprintf(path, sizeof(path), "%s/shmlog-fuzz.%d",
	         memory != NULL ? memory : "/dev/shm", getpid());
	require((uint64_t)shmlog_salvage(log, path, 0600, NULL, &report) >=
	        visit->ranges);
	require(report.frames == visit->frames &&
	        report.damaged_bytes == visit->damaged_bytes);
	require(shmlog_open(path, &saved) == 0 && unlink(path) == 0);
	require(shmlog_reader_open(saved, NULL, &reader) == 0);
	for (i = 0; shmlog_reader_next(reader, &frame) > 0; i++) {
		require(i < visit->frames);
		require(memcmp(frame.payload,
		               visit->file->data + visit->kept[i] + 2,
		               frame.size_bytes) == 0);
		require(frame.size_bytes + 4u ==
		        frame_at(visit->file, visit->kept[i]));
	}
	require(i == visit->frames);
	shmlog_reader_close(reader);
	require(shmlog_verify(saved, NULL, &report) == 0);
	shmlog_close(saved);
}

/* A walk that hands out no frames begins at both ends, and finds the same. */
static void check_without_frames(struct shmlog *log, int status,
                                 const struct shmlog_verify_report *report)
{
	struct shmlog_verify_report again;

	require(shmlog_verify(log, NULL, &again) == status);
	require(memcmp(&again, report, sizeof(again)) == 0);
}

/* The walks from both ends meet if and only if one from the start comes to the
 * end, wherever they meet, and then have met as many frames. */
static void check_both_ends(const struct file *file, const struct shmlog *log)
{
	for (size_t chunk = 1; chunk <= file->committed + 1;
	     chunk = chunk * 7 + file->committed % 5) {
		struct shmlog_walk_request request = {
			.fd = log->fd,
			.offset = file->header.data_offset,
			.length = file->committed,
			.chunk_bytes = chunk,
			.second = SHMLOG_SECOND_IN_TURN,
		};
		struct shmlog_chain_count count = {.frames = 0};
		bool is_chain;

		require(shmlog_count_chain(&request, &count, &is_chain) == 0);
		require(is_chain == is_sound(file));
		require(count.frames == (is_chain ? file->frames : 0));
	}
}

static void check_verify(const struct file *file, struct shmlog *log,
                         bool salvage)
{
	struct visit visit = {.file = file};
	struct shmlog_verify_visitor visitor = {
		.frames = visit_frames,
		.damage = visit_damage,
		.context = &visit,
	};
	struct shmlog_verify_report report;
	int status;

	visit.kept = all_kept;
	status = shmlog_verify(log, &visitor, &report);
	check_report(&visit, status, &report);
	check_without_frames(log, status, &report);
	check_both_ends(file, log);
	if (salvage)
		check_salvage(&visit, log);
}

/* ----------------------------------------------------------------- recipes */

static void put_word(uint8_t *at, size_t word)
{
	at[0] = (uint8_t)word;
	at[1] = (uint8_t)(word >> 8);
}

static size_t put_frame(uint8_t *out, size_t size_bytes, uint8_t fill)
{
	put_word(out, size_bytes + 4);
	memset(out + 2, fill, size_bytes);
	put_word(out + 2 + size_bytes, size_bytes + 4);
	return size_bytes + 4;
}

/* One step of a recipe: frames, or bytes that are none. */
static size_t cook(uint8_t *out, size_t used, struct fuzz_input *input)
{
	uint8_t what = fuzz_take_byte(input), amount = fuzz_take_byte(input);
	size_t place = load(out, used < 8 ? 0 : 3) + amount, start = used;

	switch (what % 6) {
	case 0: return used + put_frame(out + used, amount, what);
	case 1:
		return used +
		       put_frame(out + used, amount * 257u % 65532u, what);
	case 2:
		for (unsigned i = 0; i < amount % 32u; i++)
			used += put_frame(out + used, what, (uint8_t)i);
		return used;
	case 3: /* bytes as they are */
		for (unsigned i = 0; i < amount % 8u; i++)
			out[used++] = fuzz_take_byte(input);
		return used;
	case 4: /* a byte of what is there changes */
		place = fuzz_take_byte(input) | (size_t)amount << 8 |
		        (size_t)(what & 0xf0) << 12;
		if (start > 0)
			out[place % start] ^= fuzz_take_byte(input);
		return used;
	default: /* the last word changes, or what wraps */
		if (start >= 4)
			out[start - 1 - amount % 4u] ^= what;
		return used;
	}
}

static uint8_t *cook_file(struct fuzz_input *input, size_t *size_out)
{
	size_t gap = fuzz_take_byte(input), cut = fuzz_take_byte(input);
	size_t used = 24 + gap, capacity;
	uint8_t *bytes = room;

	memset(bytes, 0, used);
	while (input->left_bytes > 0 && used < MOST_BYTES)
		used = 24 + gap +
		       cook(bytes + 24 + gap, used - 24 - gap, input);
	memset(bytes + used, 0, gap);
	capacity = used + gap;
	if (cut < used - 24 - gap)
		used -= cut & 0x0f;
	bytes[0] = 24;
	bytes[8] = (uint8_t)(24 + gap);
	bytes[9] = (uint8_t)((24 + gap) >> 8);
	for (int i = 0; i < 4; i++)
		bytes[16 + i] = (uint8_t)(used >> 8 * i);
	*size_out = capacity;
	return fuzz_copy(bytes, capacity);
}

/* -------------------------------------------------------------------- main */

static void make_file(struct file *file, struct fuzz_input *input)
{
	static const uint8_t mark[8] = {0xff, 0xff, 0xff, 0xff,
	                                0xff, 0xff, 0xff, 0xff};
	static int fd = -1; /* the same file each time */

	if (input->left_bytes > 8 && memcmp(input->at, mark, 8) == 0) {
		struct fuzz_input recipe = {input->at + 8,
		                            input->left_bytes - 8};

		file->bytes = cook_file(&recipe, &file->size_bytes);
	} else {
		file->size_bytes = input->left_bytes;
		file->bytes = fuzz_copy(input->at, file->size_bytes);
	}
	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	file->fd = fd;
	require(ftruncate(fd, (off_t)file->size_bytes) == 0);
	require(pwrite(file->fd, file->bytes, file->size_bytes, 0) ==
	        (ssize_t)file->size_bytes);
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
}

static void check_unchanged(const struct file *file)
{
	struct stat st;

	require(fstat(file->fd, &st) == 0 &&
	        (size_t)st.st_size == file->size_bytes);
	require(pread(file->fd, room, file->size_bytes, 0) ==
	        (ssize_t)file->size_bytes);
	require(memcmp(room, file->bytes, file->size_bytes) == 0);
}

static void check_log(struct file *file, struct shmlog *log,
                      struct fuzz_input choices)
{
	uint8_t choice = fuzz_take_byte(&choices);
	unsigned debug = (choice & 1) != 0 ? SHMLOG_READER_DEBUG_CHECKS : 0;
	struct shmlog_header header;

	walk(file);
	require(shmlog_read_header(log, &header) == 0);
	require(memcmp(&header, &file->header, sizeof(header)) == 0);
	require(shmlog_data_offset(log) == header.data_offset);
	check_reader(file, log, debug, choices);
	check_reader(file, log, debug | SHMLOG_READER_BUFFERED, choices);
	check_verify(file, log, choice % 16 == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	size_t chosen = size_bytes < 12 ? size_bytes : 12;
	struct fuzz_input input = {data, size_bytes};
	struct fuzz_input choices = {data + size_bytes - chosen, chosen};
	struct shmlog_header header;
	struct file file = {0};
	struct shmlog *log;

	make_file(&file, &input);
	read_header(&file);
	require(shmlog_inspect(file.path, &header) == file.status);
	require(memcmp(&header, &file.header, sizeof(header)) == 0);
	require(shmlog_open(file.path, &log) == file.status);
	if (file.status == 0) {
		check_log(&file, log, choices);
		shmlog_close(log);
	}
	check_unchanged(&file);
	free(file.bytes);
	return 0;
}
