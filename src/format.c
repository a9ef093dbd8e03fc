/* The byte layout of a log: header words, frames, and what is wrong with
 * them. */
#include "format.h"

#include <string.h>

static uint64_t load_u64(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void store_u64(unsigned char *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

void shmlog_format_load_header(struct shmlog_header *header_out,
                               const unsigned char bytes[SHMLOG_HEADER_BYTES])
{
	header_out->header_size = load_u64(bytes);
	header_out->data_offset = load_u64(bytes + 8);
	header_out->size = load_u64(bytes + SHMLOG_SIZE_OFFSET);
}

void shmlog_format_store_header(unsigned char bytes[SHMLOG_HEADER_BYTES],
                                const struct shmlog_header *header)
{
	store_u64(bytes, header->header_size);
	store_u64(bytes + 8, header->data_offset);
	store_u64(bytes + SHMLOG_SIZE_OFFSET, header->size);
}

int shmlog_format_check_header(const struct shmlog_header *header)
{
	if (header->capacity < SHMLOG_HEADER_BYTES)
		return SHMLOG_ERR_TOO_SHORT;
	if (header->header_size == 0 && header->data_offset == 0 &&
	    header->size == 0)
		return SHMLOG_ERR_NO_HEADER;
	if (header->header_size < SHMLOG_HEADER_BYTES ||
	    header->header_size > header->capacity)
		return SHMLOG_ERR_HEADER_SIZE;
	if (header->data_offset < SHMLOG_HEADER_BYTES ||
	    header->data_offset > header->capacity)
		return SHMLOG_ERR_DATA_OFFSET;
	if (header->size < header->data_offset ||
	    header->size > header->capacity)
		return SHMLOG_ERR_SIZE;
	return 0;
}

void shmlog_format_explain(struct shmlog_fault *fault, const unsigned char *at,
                           uint64_t available)
{
	fault->available = available;
	fault->first_word = 0;
	fault->second_word = 0;
	fault->wrapped_payload_bytes = 0;
	fault->status = SHMLOG_ERR_TORN;
	if (available < 2)
		return;
	fault->first_word = shmlog_load_word(fault->backwards ? at - 2 : at);
	if (fault->first_word < SHMLOG_FRAME_OVERHEAD_BYTES) {
		fault->status = SHMLOG_ERR_CURSOR;
		return;
	}
	if (fault->first_word > available) {
		/* Going backwards nothing is cut off: the word is wrong. */
		if (fault->backwards)
			fault->status = SHMLOG_ERR_CURSOR;
		return;
	}
	fault->second_word = shmlog_load_word(
		fault->backwards ? at - fault->first_word
				 : at + fault->first_word - 2);
	fault->status = fault->second_word == fault->first_word
	                        ? 0
	                        : SHMLOG_ERR_FRAME_CORRUPT;
}

bool shmlog_format_chain(const unsigned char *frames, size_t bytes,
                         uint64_t limit, size_t *fitting_bytes_out,
                         uint64_t *fitting_frames_out)
{
	size_t at = 0;

	*fitting_bytes_out = 0;
	*fitting_frames_out = 0;
	while (at < bytes) {
		uint32_t total = shmlog_format_frame(frames + at, bytes - at);

		if (total == 0)
			return false;
		at += total;
		if (at <= limit) {
			*fitting_bytes_out = at;
			++*fitting_frames_out;
		}
	}
	return true;
}

size_t shmlog_frame_encode(unsigned char *frame_out, const void *payload,
                           size_t size_bytes)
{
	uint32_t total = (uint32_t)size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	shmlog_store_word(frame_out, total);
	if (size_bytes > 0)
		memcpy(frame_out + 2, payload, size_bytes);
	shmlog_store_word(frame_out + total - 2, total);
	return total;
}
