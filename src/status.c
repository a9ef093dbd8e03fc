/* One text and one name for every status. */
#include <shmlog.h>
#include <string.h>

struct status_text {
	int status;
	const char *name;
	const char *text;
};

static const struct status_text texts[] = {
	{SHMLOG_OK, "SHMLOG_OK", "success"},
	{SHMLOG_ERR_NOT_REGULAR, "SHMLOG_ERR_NOT_REGULAR",
         "not a log: no regular file"},
	{SHMLOG_ERR_TOO_SHORT, "SHMLOG_ERR_TOO_SHORT",
         "not a log: shorter than a header"},
	{SHMLOG_ERR_NO_HEADER, "SHMLOG_ERR_NO_HEADER",
         "not a log yet: the header is all zeros"},
	{SHMLOG_ERR_HEADER_SIZE, "SHMLOG_ERR_HEADER_SIZE",
         "not a log: impossible headerSize"},
	{SHMLOG_ERR_DATA_OFFSET, "SHMLOG_ERR_DATA_OFFSET",
         "not a log: impossible dataOffset"},
	{SHMLOG_ERR_SIZE, "SHMLOG_ERR_SIZE", "not a log: impossible size"},
	{SHMLOG_ERR_CURSOR, "ERR_SHM_CURSOR", "no frame starts at the cursor"},
	{SHMLOG_ERR_FRAME_CORRUPT, "ERR_SHM_FRAME_CORRUPT",
         "the frame's two size words differ"},
	{SHMLOG_ERR_TORN, "SHMLOG_ERR_TORN",
         "the committed data ends inside a frame"},
	{SHMLOG_ERR_MAPPING_GONE, "ERR_SHM_MAPPING_GONE",
         "the log shrank below its committed data"},
	{SHMLOG_ERR_WENT_BACK, "SHMLOG_ERR_WENT_BACK",
         "the end of the committed data went back"},
	{SHMLOG_ERR_REPLACED, "SHMLOG_ERR_REPLACED",
         "the name leads to another file now"},
	{SHMLOG_ERR_PAYLOAD_SIZE, "SHMLOG_ERR_PAYLOAD_SIZE",
         "payload over 65531 bytes"},
	{SHMLOG_ERR_FULL, "SHMLOG_ERR_FULL", "the log is full"},
	{SHMLOG_ERR_LOCK_TIMEOUT, "SHMLOG_ERR_LOCK_TIMEOUT",
         "another process holds the lock"},
	{SHMLOG_ERR_WRITER_ACTIVE, "SHMLOG_ERR_WRITER_ACTIVE",
         "another writer has the log open"},
	{SHMLOG_ERR_INTERFERED, "SHMLOG_ERR_INTERFERED",
         "another writer moved the end of the committed data"},
	{SHMLOG_ERR_BAD_FRAMES, "SHMLOG_ERR_BAD_FRAMES",
         "the bytes are no chain of frames"},
	{SHMLOG_ERR_IN_DOUBT, "SHMLOG_ERR_IN_DOUBT",
         "another writer opened the log during the commit"},
	{SHMLOG_ERR_OVERWRITTEN, "SHMLOG_ERR_OVERWRITTEN",
         "another writer overwrote the commit"},
	{SHMLOG_ERR_MOVED, "SHMLOG_ERR_MOVED",
         "the log does not end where the append expects"},
	{SHMLOG_ERR_READER_ACTIVE, "SHMLOG_ERR_READER_ACTIVE",
         "another process reads the log"},
	{SHMLOG_ERR_CAPACITY, "SHMLOG_ERR_CAPACITY",
         "impossible capacity: too small, or beyond what a file can have"},
	{SHMLOG_ERR_METADATA, "SHMLOG_ERR_METADATA",
         "the header has no room for that metadata"},
};

static const struct status_text *find(int status)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return &texts[i];
	}
	return NULL;
}

const char *shmlog_strerror(int status)
{
	const struct status_text *found = find(status);

	if (found != NULL)
		return found->text;
	return status < 0 && status > SHMLOG_ERR_NOT_REGULAR ? strerror(-status)
	                                                     : "unknown status";
}

const char *shmlog_status_name(int status)
{
	const struct status_text *found = find(status);

	return found != NULL ? found->name : NULL;
}

const char *shmlog_version(void)
{
	return SHMLOG_VERSION;
}
