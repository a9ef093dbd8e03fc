/* Recognising a size that wrapped round 16 bits. */
#include "wrap.h"

#include "mapping.h"

#define WORD_RANGE 65536u
/* Payloads are looked for up to this many times 64 KiB: 1 GiB. */
#define MOST_WRAPS 16384u

static bool read_word(int fd, uint64_t offset, uint32_t *word_out)
{
	unsigned char bytes[2];

	if (shmlog_read_at(fd, offset, bytes, sizeof(bytes)) != 0)
		return false;
	*word_out = shmlog_load_word(bytes);
	return true;
}

/* Whether a whole frame starts `offset` bytes into the file, of which
 * `available` follow, or the data ends there. */
static bool goes_on(int fd, uint64_t offset, uint64_t available)
{
	uint32_t first;
	uint32_t second;

	if (available == 0)
		return true;
	if (available < SHMLOG_FRAME_OVERHEAD_BYTES ||
	    !read_word(fd, offset, &first))
		return false;
	return first >= SHMLOG_FRAME_OVERHEAD_BYTES && first <= available &&
	       read_word(fd, offset + first - 2, &second) && first == second;
}

void shmlog_suspect_wrap(int fd, uint64_t data_offset, uint64_t committed,
                         struct shmlog_fault *fault)
{
	uint64_t offset = data_offset + fault->cursor;
	uint64_t available = committed - fault->cursor;

	if (available < 2)
		return;
	for (uint64_t wraps = 1; wraps <= MOST_WRAPS; wraps++) {
		uint64_t total = fault->first_word + wraps * WORD_RANGE;
		uint32_t word;

		if (total > available ||
		    !read_word(fd, offset + total - 2, &word))
			return;
		if (word == fault->first_word &&
		    goes_on(fd, offset + total, available - total)) {
			fault->wrapped_payload_bytes =
				total - SHMLOG_FRAME_OVERHEAD_BYTES;
			return;
		}
	}
}
