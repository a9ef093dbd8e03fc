/* Recognises a size that wrapped round 16 bits. */
#include "wrap.h"

#include "file.h"
#include "format.h"
#include "resume.h"

#define WORD_RANGE 65536u
/* The most times 64 KiB that a payload is looked for with. */
#define MOST_WRAPS 6u

static int read_word(int fd, uint64_t offset, uint32_t *word_out)
{
	unsigned char bytes[2];
	int status = shmlog_read_at(fd, offset, bytes, sizeof(bytes));

	if (status == 0)
		*word_out = shmlog_load_word(bytes);
	return status;
}

int shmlog_name_wrap(int fd, uint64_t data_offset, uint64_t end,
                     struct shmlog_fault *fault)
{
	uint64_t total = end - fault->cursor;
	uint32_t word;

	if (total <= SHMLOG_FRAME_MAX_BYTES ||
	    total % WORD_RANGE != fault->first_word)
		return 0;
	int status = read_word(fd, data_offset + end - 2, &word);

	if (status == 0 && word == fault->first_word)
		fault->wrapped_payload_bytes = total -
		                               SHMLOG_FRAME_OVERHEAD_BYTES;
	return status;
}

/* Whether an equal word stands where a payload whose size wrapped would end. */
static bool may_be_wrap(int fd, uint64_t data_offset, uint64_t committed,
                        const struct shmlog_fault *fault)
{
	uint64_t available = committed - fault->cursor;
	uint32_t word;

	for (uint64_t wraps = 1; wraps <= MOST_WRAPS; wraps++) {
		uint64_t total = fault->first_word + wraps * WORD_RANGE;

		if (total > available ||
		    read_word(fd, data_offset + fault->cursor + total - 2,
		              &word) != 0)
			return false;
		if (word == fault->first_word)
			return true;
	}
	return false;
}

void shmlog_suspect_wrap(int fd, uint64_t data_offset, uint64_t committed,
                         struct shmlog_fault *fault)
{
	uint64_t end;

	if (committed - fault->cursor >= 2 &&
	    may_be_wrap(fd, data_offset, committed, fault) &&
	    shmlog_resume_peek(fd, data_offset, committed, fault->cursor,
	                       &end) == 0)
		(void)shmlog_name_wrap(fd, data_offset, end, fault);
}
