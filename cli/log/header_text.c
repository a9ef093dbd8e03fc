/* Says in words what is wrong with a header. */
#include "header_text.h"

#include <inttypes.h>
#include <stdio.h>

const char *cli_describe_header(struct cli_header_text *buffer, int status,
                                const struct shmlog_header *header)
{
	char *text = buffer->text;
	size_t capacity = sizeof(buffer->text);
	uint64_t length = header->capacity;

	if (status == SHMLOG_ERR_NOT_REGULAR)
		(void)snprintf(text, capacity, "it is no regular file");
	else if (status == SHMLOG_ERR_TOO_SHORT)
		(void)snprintf(text, capacity,
		               "it has %" PRIu64 " bytes, and a header alone "
		               "takes %u",
		               length, SHMLOG_HEADER_BYTES);
	else if (status == SHMLOG_ERR_NO_HEADER)
		(void)snprintf(text, capacity,
		               "its header is all zeros: it was never "
		               "initialised, or is just being created");
	else if (status == SHMLOG_ERR_HEADER_SIZE &&
	         header->header_size >= SHMLOG_HEADER_BYTES &&
	         header->header_size <= length)
		(void)snprintf(text, capacity,
		               "headerSize %" PRIu64 " lies beyond dataOffset "
		               "%" PRIu64,
		               header->header_size, header->data_offset);
	else if (status == SHMLOG_ERR_HEADER_SIZE)
		(void)snprintf(text, capacity,
		               "headerSize %" PRIu64 " is not from %u to the "
		               "file's %" PRIu64 " bytes",
		               header->header_size, SHMLOG_HEADER_BYTES,
		               length);
	else if (status == SHMLOG_ERR_DATA_OFFSET)
		(void)snprintf(text, capacity,
		               "dataOffset %" PRIu64 " is not from %u to the "
		               "file's %" PRIu64 " bytes",
		               header->data_offset, SHMLOG_HEADER_BYTES,
		               length);
	else if (status == SHMLOG_ERR_SIZE && header->size > length)
		(void)snprintf(text, capacity,
		               "size %" PRIu64 " lies beyond the file's "
		               "%" PRIu64 " bytes",
		               header->size, length);
	else if (status == SHMLOG_ERR_SIZE)
		(void)snprintf(text, capacity,
		               "size %" PRIu64 " lies below dataOffset "
		               "%" PRIu64,
		               header->size, header->data_offset);
	else
		(void)snprintf(text, capacity, "%s", shmlog_strerror(status));
	return buffer->text;
}

bool cli_is_header_status(int status)
{
	return status <= SHMLOG_ERR_NOT_REGULAR && status >= SHMLOG_ERR_SIZE;
}
