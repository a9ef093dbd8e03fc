/* Looks for frames and bytes before and behind the committed data. */
#include "outside_data.h"

#include "frame_source.h"
#include "log.h"
#include "resume.h"

/* The visitor is asked whether to go on after each of so many frames. */
#define FRAMES_BETWEEN_CALLS 65536u
/* How many bytes behind the committed data are searched for other than
 * zeros. */
#define LEFTOVER_BYTES 65536u

/*
 * Counts the frames of an unbroken chain in a part of the file, and stores
 * where the chain stops.  A read error stops it, too, as the count proves
 * nothing.  Returns 0, or what the visitor returned.
 */
static int count_chain(struct shmlog *log,
                       const struct shmlog_verify_visitor *visitor,
                       uint64_t from, uint64_t to, uint64_t *frames_out,
                       uint64_t *stop_out)
{
	struct shmlog_window window;
	struct shmlog_fetched fetched;
	uint64_t length = to - from;
	uint64_t at = 0;
	uint64_t frames = 0;
	int status = 0;

	*stop_out = from;
	*frames_out = 0;
	if (shmlog_window_init(&window, log->fd, from,
	                       SHMLOG_FRAME_MAX_BYTES) != 0)
		return 0;
	while (status == 0 && at < length &&
	       shmlog_fetch_frame(&window, at, length, &fetched) == 0) {
		uint32_t total = shmlog_format_frame(fetched.at, fetched.held);

		if (total == 0)
			break;
		at += total;
		if (++frames % FRAMES_BETWEEN_CALLS == 0)
			status = shmlog_keep_going(visitor);
	}
	shmlog_window_release(&window);
	*stop_out = from + at;
	*frames_out = frames;
	return status;
}

int shmlog_look_before_data(struct shmlog *log,
                            const struct shmlog_verify_visitor *visitor,
                            struct shmlog_verify_report *report)
{
	const struct shmlog_header *header = &report->header;
	uint64_t frames;
	uint64_t stop;

	if (header->header_size >= header->data_offset)
		return 0;
	int status = count_chain(log, visitor, header->header_size,
	                         header->data_offset, &frames, &stop);

	if (stop == header->data_offset)
		report->frames_in_gap = frames;
	return status;
}

int shmlog_look_behind_commit(struct shmlog *log,
                              const struct shmlog_verify_visitor *visitor,
                              struct shmlog_verify_report *report)
{
	const struct shmlog_header *header = &report->header;
	uint64_t available = header->capacity - header->size;
	unsigned char bytes[4096];
	uint64_t stop;
	int status = count_chain(log, visitor, header->size, header->capacity,
	                         &report->leftover_frames, &stop);

	if (available > LEFTOVER_BYTES)
		available = LEFTOVER_BYTES;
	for (uint64_t at = 0; at < available; at += sizeof(bytes)) {
		uint64_t left = available - at;
		size_t part = left < sizeof(bytes) ? (size_t)left
		                                   : sizeof(bytes);

		if (report->leftover_bytes ||
		    shmlog_read_at(log->fd, header->size + at, bytes, part) !=
		            0)
			break;
		for (size_t i = 0; i < part; i++)
			report->leftover_bytes |= bytes[i] != 0;
	}
	return status;
}
