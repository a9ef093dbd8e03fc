/*
 * Metadata: what a caller keeps in the header, beside the frames.  The format
 * leaves these bytes free, and the library gives them no meaning.
 */
#include "metadata.h"

#include "settle.h"

uint64_t shmlog_metadata_size(const struct shmlog *log)
{
	uint64_t end = log->header_size < log->data_offset ? log->header_size
	                                                   : log->data_offset;

	return end - SHMLOG_HEADER_BYTES;
}

bool shmlog_metadata_fits(const struct shmlog *log, uint64_t at,
                          size_t size_bytes)
{
	uint64_t room = shmlog_metadata_size(log);

	return size_bytes == 0 || (at <= room && size_bytes <= room - at);
}

int shmlog_read_metadata(const struct shmlog *log, uint64_t at, void *bytes,
                         size_t size_bytes)
{
	if (!shmlog_metadata_fits(log, at, size_bytes))
		return SHMLOG_ERR_METADATA;
	return shmlog_read_at(log->fd, SHMLOG_HEADER_BYTES + at, bytes,
	                      size_bytes);
}

int shmlog_metadata_write(struct shmlog_write_access *access, uint64_t at,
                          const void *bytes, size_t size_bytes)
{
	uint64_t size;

	if (size_bytes == 0)
		return 0;
	/* A write into a file that was cut below its header would make it
	 * longer again. */
	int status = shmlog_check_length(access->fd, access->capacity);

	if (status == 0)
		status = shmlog_access_size(access, &size);
	if (status == 0 && size != access->size)
		status = shmlog_explain_interference(access->log);
	return status != 0
	               ? status
	               : shmlog_write_at(access->fd, SHMLOG_HEADER_BYTES + at,
	                                 bytes, size_bytes);
}
