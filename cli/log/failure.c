/* Turns a status of the library into a message and an exit status. */
#include "failure.h"

#include "command.h"
#include "message.h"

#include <shmlog.h>

int cli_fail(const char *subject, const char *what, int status)
{
	/* The text of strerror(3) is valid until the thread's next call of it,
	 * so it is printed at once. */
	if (what)
		cli_message(subject, "%s: %s", what, shmlog_strerror(status));
	else
		cli_message(subject, "%s", shmlog_strerror(status));
	return cli_exit_status(status);
}

bool cli_is_errno(int status)
{
	return status < 0 && status > SHMLOG_ERR_NOT_REGULAR;
}

int cli_exit_status(int status)
{
	if (status >= 0)
		return CLI_OK;
	switch (status) {
	case SHMLOG_ERR_NOT_REGULAR:
	case SHMLOG_ERR_TOO_SHORT:
	case SHMLOG_ERR_NO_HEADER:
	case SHMLOG_ERR_HEADER_SIZE:
	case SHMLOG_ERR_DATA_OFFSET:
	case SHMLOG_ERR_SIZE:
	case SHMLOG_ERR_MAPPING_GONE:
	case SHMLOG_ERR_REPLACED:
	case SHMLOG_ERR_TORN: return CLI_NOT_LOG;
	case SHMLOG_ERR_CURSOR:
	case SHMLOG_ERR_FRAME_CORRUPT: return CLI_NO;
	case SHMLOG_ERR_FULL: return CLI_FULL;
	case SHMLOG_ERR_LOCK_TIMEOUT:
	case SHMLOG_ERR_WRITER_ACTIVE:
	case SHMLOG_ERR_INTERFERED:
	case SHMLOG_ERR_IN_DOUBT:
	case SHMLOG_ERR_OVERWRITTEN:
	case SHMLOG_ERR_MOVED:
	case SHMLOG_ERR_READER_ACTIVE:
	case SHMLOG_ERR_WENT_BACK: return CLI_WRITER;
	case SHMLOG_ERR_PAYLOAD_SIZE:
	case SHMLOG_ERR_BAD_FRAMES: return CLI_INPUT;
	case SHMLOG_ERR_METADATA:
	case SHMLOG_ERR_CAPACITY: return CLI_USAGE;
	default: return CLI_SYSTEM;
	}
}
