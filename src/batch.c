/* Batches: frames that the library has made, in memory of its own, so that an
 * append can trust them.  append.c commits them. */
#include "batch.h"

#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int shmlog_batch_open(size_t room_bytes, struct shmlog_batch **batch_out)
{
	struct shmlog_batch *batch;

	if (room_bytes < SHMLOG_FRAME_MAX_BYTES)
		return -EINVAL;
	batch = calloc(1, sizeof(*batch));
	if (batch == NULL)
		return -ENOMEM;
	batch->memory = malloc(room_bytes);
	if (batch->memory == NULL) {
		free(batch);
		return -ENOMEM;
	}
	batch->room = room_bytes;
	batch->way = SHMLOG_COPY_WAYS;
	do
		batch->way--;
	while (!shmlog_copy_way_works(batch->way));
	*batch_out = batch;
	return 0;
}

void shmlog_batch_close(struct shmlog_batch *batch)
{
	if (batch == NULL)
		return;
	free(batch->memory);
	free(batch);
}

void shmlog_batch_clear(struct shmlog_batch *batch)
{
	batch->from = batch->end = 0;
	batch->count = 0;
}

void shmlog_batch_drop(struct shmlog_batch *batch, uint64_t frames)
{
	if (frames >= batch->count) {
		shmlog_batch_clear(batch);
		return;
	}
	batch->count -= frames;
	for (; frames > 0; frames--)
		batch->from += shmlog_load_word(batch->memory + batch->from);
}

const unsigned char *shmlog_batch_frames(const struct shmlog_batch *batch,
                                         size_t *bytes_out)
{
	*bytes_out = batch->end - batch->from;
	return batch->memory + batch->from;
}

uint64_t shmlog_batch_count(const struct shmlog_batch *batch)
{
	return batch->count;
}

size_t shmlog_batch_room(const struct shmlog_batch *batch)
{
	return batch->room - batch->end;
}

/* Writes the size words around a payload that is in its place, and counts the
 * frame. */
static void enclose(struct shmlog_batch *batch, size_t payload_bytes)
{
	unsigned char *frame = batch->memory + batch->end;
	uint32_t total = (uint32_t)payload_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	shmlog_store_word(frame, total);
	shmlog_store_word(frame + total - 2, total);
	batch->end += total;
	batch->count++;
}

int shmlog_batch_add(struct shmlog_batch *batch, const void *payload,
                     size_t size_bytes)
{
	if (size_bytes > SHMLOG_PAYLOAD_MAX_BYTES)
		return SHMLOG_ERR_PAYLOAD_SIZE;
	if (size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES > shmlog_batch_room(batch))
		return SHMLOG_ERR_FULL;
	if (size_bytes > 0)
		memcpy(batch->memory + batch->end + 2, payload, size_bytes);
	enclose(batch, size_bytes);
	return 0;
}

/* Whether there is room for another frame, of any size, of at most `most` that
 * were to be added to `before`. */
static bool goes_on(const struct shmlog_batch *batch, uint64_t before,
                    uint64_t most)
{
	return batch->count - before < most &&
	       shmlog_batch_room(batch) >= SHMLOG_FRAME_MAX_BYTES;
}

/* What shmlog_batch_add_records() is asked for. */
struct records {
	const unsigned char *at;
	const unsigned char *end;
	unsigned char delimiter;
	uint64_t most;
};

/* Looks for the delimiters and copies in one pass.  Compiled once for each way
 * to do that. */
static inline __attribute__((always_inline)) void
add_by(struct shmlog_batch *batch, struct records *records,
       size_t (*copy)(unsigned char *out, const unsigned char *bytes,
                      size_t size_bytes, unsigned char delimiter))
{
	/* A copy of it that nothing points to stays in registers, whatever is
	 * written to memory. */
	struct shmlog_batch now = *batch;
	struct records left = *records;

	while (left.at < left.end && goes_on(&now, batch->count, left.most)) {
		size_t longest = (size_t)(left.end - left.at);
		size_t length;

		if (longest > SHMLOG_PAYLOAD_MAX_BYTES + 1)
			longest = SHMLOG_PAYLOAD_MAX_BYTES + 1;
		length = copy(now.memory + now.end + 2, left.at, longest,
		              left.delimiter);
		if (length == longest)
			break;
		enclose(&now, length);
		left.at += length + 1;
	}
	*batch = now;
	*records = left;
}

#ifdef SHMLOG_COPY_IN_STEPS
SHMLOG_COPY_AVX2 static void add_by_32(struct shmlog_batch *batch,
                                       struct records *records)
{
	add_by(batch, records, shmlog_copy_until_32);
}

static void add_by_16(struct shmlog_batch *batch, struct records *records)
{
	add_by(batch, records, shmlog_copy_until_16);
}
#endif

uint64_t shmlog_batch_add_records(struct shmlog_batch *batch, const void *text,
                                  size_t bytes, unsigned char delimiter,
                                  uint64_t most, size_t *taken_bytes_out)
{
	const unsigned char *start = text;
	struct records records = {
		.at = start,
		.end = bytes > 0 ? start + bytes : start,
		.delimiter = delimiter,
		.most = most,
	};
	uint64_t before = batch->count;

	switch (batch->way) {
#ifdef SHMLOG_COPY_IN_STEPS
	case SHMLOG_COPY_32: add_by_32(batch, &records); break;
	case SHMLOG_COPY_16: add_by_16(batch, &records); break;
#endif
	default: add_by(batch, &records, shmlog_copy_until_plain); break;
	}
	*taken_bytes_out = (size_t)(records.at - start);
	return batch->count - before;
}

uint64_t shmlog_batch_add_frames(struct shmlog_batch *batch, const void *frames,
                                 size_t bytes, uint64_t most,
                                 size_t *taken_bytes_out)
{
	const unsigned char *from = frames;
	uint64_t before = batch->count;
	size_t at = 0;

	while (at < bytes && goes_on(batch, before, most)) {
		uint32_t total = shmlog_format_frame(from + at, bytes - at);

		if (total == 0)
			break;
		/* The words that were judged, whatever is there by now. */
		memcpy(batch->memory + batch->end + 2, from + at + 2,
		       total - SHMLOG_FRAME_OVERHEAD_BYTES);
		enclose(batch, total - SHMLOG_FRAME_OVERHEAD_BYTES);
		at += total;
	}
	*taken_bytes_out = at;
	return batch->count - before;
}
