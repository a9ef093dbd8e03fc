/* Telling a log from another file by its header and its outermost frames. */
#include "file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much of the start of a file is read at once: the first frame is there, as
 * a rule, and a small log as a whole. */
#define HEAD_BYTES 4096u

struct ends {
	int fd;
	size_t held; /* bytes of the head */
	unsigned char head[HEAD_BYTES];
};

static void read_head(struct ends *ends)
{
	ssize_t got = pread(ends->fd, ends->head, HEAD_BYTES, 0);

	/* What is not there is read once more, and then fails. */
	ends->held = got > 0 ? (size_t)got : 0;
}

static int read_word(const struct ends *ends, uint64_t offset,
                     uint32_t *word_out)
{
	unsigned char bytes[2];

	if (offset + sizeof(bytes) <= ends->held) {
		*word_out = shmlog_load_word(ends->head + offset);
		return 0;
	}
	int status = shmlog_read_at(ends->fd, offset, bytes, sizeof(bytes));

	if (status == 0)
		*word_out = shmlog_load_word(bytes);
	return status;
}

static bool is_possible(uint32_t total, uint64_t available)
{
	return total >= SHMLOG_FRAME_OVERHEAD_BYTES && total <= available;
}

/* What is wrong with the frame at the start of the committed data, of which
 * there is some; or the status of a read that failed. */
static int look_at_first(const struct ends *ends,
                         const struct shmlog_header *header)
{
	uint64_t committed = header->size - header->data_offset;
	uint32_t total = 0;
	uint32_t behind = 0;

	if (committed < SHMLOG_FRAME_OVERHEAD_BYTES)
		return SHMLOG_ERR_TORN;
	int status = read_word(ends, header->data_offset, &total);

	if (status != 0)
		return status;
	if (!is_possible(total, committed))
		return total > committed ? SHMLOG_ERR_TORN : SHMLOG_ERR_CURSOR;
	status = read_word(ends, header->data_offset + total - 2, &behind);
	if (status != 0)
		return status;
	return behind == total ? 0 : SHMLOG_ERR_FRAME_CORRUPT;
}

/* The same for the frame at the end.  From behind, a torn frame and one with a
 * bad word look alike. */
static int look_at_last(const struct ends *ends,
                        const struct shmlog_header *header)
{
	uint64_t committed = header->size - header->data_offset;
	uint32_t total = 0;
	uint32_t before = 0;

	if (committed < SHMLOG_FRAME_OVERHEAD_BYTES)
		return SHMLOG_ERR_TORN;
	int status = read_word(ends, header->size - 2, &total);

	if (status == 0 && is_possible(total, committed))
		status = read_word(ends, header->size - total, &before);
	if (status != 0)
		return status;
	return before == total && total > 0 ? 0 : SHMLOG_ERR_TORN;
}

/* Whether a status says that a frame is bad, rather than that a read failed. */
static bool is_frame_status(int status)
{
	return status == 0 || status == SHMLOG_ERR_CURSOR ||
	       status == SHMLOG_ERR_FRAME_CORRUPT || status == SHMLOG_ERR_TORN;
}

static int look_at_header(int fd, struct shmlog_header *header)
{
	int status = shmlog_load_header(fd, header);

	if (status == SHMLOG_ERR_MAPPING_GONE)
		return SHMLOG_ERR_TOO_SHORT;
	if (status == 0)
		status = shmlog_format_check_header(header);
	/* A reader gets along with it, but no writer of logs makes it. */
	if (status == 0 && header->header_size > header->data_offset)
		status = SHMLOG_ERR_HEADER_SIZE;
	return status;
}

int shmlog_look(int fd, struct shmlog_look *look_out)
{
	struct shmlog_header *header = &look_out->header;
	struct ends ends;
	struct stat file;

	memset(look_out, 0, sizeof(*look_out));
	ends.fd = fd;
	if (fstat(fd, &file) != 0)
		return -errno;
	if (!S_ISREG(file.st_mode))
		return SHMLOG_ERR_NOT_REGULAR;
	int status = look_at_header(fd, header);

	if (status != 0 || header->size == header->data_offset)
		return status;
	/* Behind the load of `size`, which covers the frames. */
	read_head(&ends);
	look_out->first_frame = look_at_first(&ends, header);
	if (!is_frame_status(look_out->first_frame))
		return look_out->first_frame;
	look_out->last_frame = look_at_last(&ends, header);
	if (!is_frame_status(look_out->last_frame))
		return look_out->last_frame;
	return look_out->last_frame == 0 ? 0 : look_out->first_frame;
}
