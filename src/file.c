/* Bytes, length and header words of a file, by its descriptor. */
#include "file.h"

#include <errno.h>
#include <unistd.h>

int shmlog_read_at(int fd, uint64_t offset, void *bytes, size_t size_bytes)
{
	unsigned char *to = bytes;

	while (size_bytes > 0) {
		ssize_t got = pread(fd, to, size_bytes, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return SHMLOG_ERR_MAPPING_GONE;
		to += got;
		offset += (uint64_t)got;
		size_bytes -= (size_t)got;
	}
	return 0;
}

int shmlog_write_at(int fd, uint64_t offset, const void *bytes,
                    size_t size_bytes)
{
	const unsigned char *from = bytes;

	while (size_bytes > 0) {
		ssize_t put = pwrite(fd, from, size_bytes, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		from += put;
		offset += (uint64_t)put;
		size_bytes -= (size_t)put;
	}
	return 0;
}

/* The length of a file.  Moves the descriptor's own position, which nobody
 * uses: half the way through the kernel that fstat(2) takes. */
int shmlog_load_length(int fd, uint64_t *length_out)
{
	off_t length = lseek(fd, 0, SEEK_END);

	if (length < 0)
		return -errno;
	*length_out = (uint64_t)length;
	return 0;
}

int shmlog_check_length(int fd, uint64_t size)
{
	uint64_t length = 0;
	int status = shmlog_load_length(fd, &length);

	if (status != 0)
		return status;
	return length >= size ? 0 : SHMLOG_ERR_MAPPING_GONE;
}

/* Sizes below this have nothing in their upper half that could change. */
#define HALF_WORD_RANGE ((uint64_t)1 << 32)

/*
 * The kernel copies aligned words of 32 bits at least in one piece, but it
 * does not promise to take both halves of `size` at once.  In a file below
 * 4 GiB the upper half is always 0.  In a larger one, two loads in a row with
 * the same upper half, the second not below the first, show that the second
 * was not caught between the halves of a store: `size` only grows.  (To ask
 * for two equal loads would never end beside a busy writer.)
 */
static bool is_one_piece(uint64_t first, uint64_t second)
{
	return first / HALF_WORD_RANGE == second / HALF_WORD_RANGE &&
	       first <= second;
}

static int load_words(int fd, struct shmlog_header *header_out)
{
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	int status = shmlog_read_at(fd, 0, bytes, sizeof(bytes));

	if (status == 0)
		shmlog_format_load_header(header_out, bytes);
	return status;
}

int shmlog_load_header(int fd, struct shmlog_header *header_out)
{
	int status = load_words(fd, header_out);

	if (status != 0 && status != SHMLOG_ERR_MAPPING_GONE)
		return status;
	/* After the words: a file that grows meanwhile raises no alarm. */
	int measured = shmlog_load_length(fd, &header_out->capacity);

	if (measured != 0 || status != 0)
		return measured != 0 ? measured : status;
	if (header_out->capacity >= HALF_WORD_RANGE) {
		struct shmlog_header first;

		do {
			first = *header_out;
			status = load_words(fd, header_out);
		} while (status == 0 &&
		         !is_one_piece(first.size, header_out->size));
		/* The file may have grown, and the new `size` lie beyond its
		 * old length. */
		if (status == 0)
			status = shmlog_load_length(fd, &header_out->capacity);
	}
	/* Frames are read after the size that covers them. */
	atomic_thread_fence(memory_order_acquire);
	return status;
}

int shmlog_judge_header(const struct shmlog_header *header)
{
	int status = shmlog_format_check_header(header);

	return status == SHMLOG_ERR_TOO_SHORT ||
	                       (status != 0 && header->size > header->capacity)
	               ? SHMLOG_ERR_MAPPING_GONE
	               : status;
}
