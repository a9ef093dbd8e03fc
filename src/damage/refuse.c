/* Readers: why a frame is refused. */
#include "reader.h"
#include "wrap.h"

int shmlog_reader_refuse(struct shmlog_reader *reader, bool backwards,
                         const unsigned char *bytes)
{
	const struct shmlog *log = reader->log;
	struct shmlog_fault *fault = &reader->fault;
	uint64_t at = reader->fast.cursor;

	/* In a mapping that was cut off stands what the program put there. */
	if ((reader->flags & SHMLOG_READER_BUFFERED) == 0) {
		int status = shmlog_check_length(
			log->fd, log->data_offset + reader->committed);

		if (status != 0)
			return status;
	}
	fault->cursor = at;
	fault->backwards = backwards;
	shmlog_format_explain(fault, bytes,
	                      backwards ? at : reader->committed - at);
	if (fault->status == 0)
		fault->status = SHMLOG_ERR_FRAME_CORRUPT;
	if (!backwards)
		shmlog_suspect_wrap(log->fd, log->data_offset,
		                    reader->committed, fault);
	return fault->status;
}
