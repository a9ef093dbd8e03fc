/*
 * The byte layout of a log, and the checks on it.  Pure: no system call, no
 * allocation.  Every length from a log is loaded once and compared by
 * subtraction.
 */
#ifndef SHMLOG_FORMAT_H
#define SHMLOG_FORMAT_H

#include <shmlog.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the atomic size word is stored little-endian");

struct shmlog_file_header {
	uint64_t header_size; /* bytes */
	uint64_t data_offset; /* bytes from start of file */
	_Atomic uint64_t
		size; /* bytes from start of file; readers wait on it */
};
_Static_assert(sizeof(struct shmlog_file_header) == SHMLOG_HEADER_BYTES,
               "layout is frozen");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "size must be one machine word");

#define SHMLOG_SIZE_OFFSET 16u /* of the size word in the file */

/* A frame's size word; any alignment. */
static inline uint32_t shmlog_load_word(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline void shmlog_store_word(unsigned char *at, uint32_t word)
{
	at[0] = (unsigned char)(word & 0xff);
	at[1] = (unsigned char)(word >> 8);
}

/* The 24 bytes of a header, without the capacity. */
void shmlog_format_load_header(struct shmlog_header *header_out,
                               const unsigned char bytes[SHMLOG_HEADER_BYTES]);
void shmlog_format_store_header(unsigned char bytes[SHMLOG_HEADER_BYTES],
                                const struct shmlog_header *header);

/* Whether a header makes sense for a file of header->capacity bytes: 0 or
 * the status that says why not. */
int shmlog_format_check_header(const struct shmlog_header *header);

/*
 * The frame that starts at `frame`, where `available` committed bytes follow,
 * all of them readable.  Returns its size in bytes, size words counted, or 0
 * if it is not whole and consistent.
 */
static inline uint32_t shmlog_format_frame(const unsigned char *frame,
                                           uint64_t available)
{
	if (available < SHMLOG_FRAME_OVERHEAD_BYTES)
		return 0;
	uint32_t total = shmlog_load_word(frame);
	if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > available)
		return 0;
	return shmlog_load_word(frame + total - 2) == total ? total : 0;
}

/* The same for the frame that ends at `end`, with `available` committed
 * bytes before it. */
static inline uint32_t shmlog_format_frame_before(const unsigned char *end,
                                                  uint64_t available)
{
	if (available < SHMLOG_FRAME_OVERHEAD_BYTES)
		return 0;
	uint32_t total = shmlog_load_word(end - 2);
	if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > available)
		return 0;
	return shmlog_load_word(end - total) == total ? total : 0;
}

/*
 * Whether a good frame may be bytes that overwrote a log, all of them the same:
 * both its words and the bytes beside them look so.  Most frames show by their
 * size that they are no such thing.
 */
static inline bool shmlog_format_is_fill(const unsigned char *frame,
                                         uint32_t total)
{
	return frame[0] == frame[1] && frame[2] == frame[0] &&
	       frame[total - 3] == frame[0];
}

/*
 * Says why shmlog_format_frame() or its backward twin refused: fills
 * fault->status, available, first_word and second_word from `at`, the start
 * (or, backwards, the end) of the frame.  If a second look finds nothing
 * wrong any more (another process has mended it meanwhile), the status is 0.
 */
void shmlog_format_explain(struct shmlog_fault *fault, const unsigned char *at,
                           uint64_t available);

/*
 * Whether `bytes` bytes are a chain of whole frames; counts them.  Stores how
 * many bytes the longest chain within `limit` bytes takes, and its frames.
 */
bool shmlog_format_chain(const unsigned char *frames, size_t bytes,
                         uint64_t limit, size_t *fitting_bytes_out,
                         uint64_t *fitting_frames_out);

#endif
