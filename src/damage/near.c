/* Readers: places in the middle of a log that are reached without a walk. */
#include "reader.h"
#include "resume.h"

static void move_to(struct shmlog_reader *reader, uint64_t cursor,
                    uint64_t index)
{
	/* What the window holds may be just that place. */
	if (cursor < reader->window.start ||
	    cursor - reader->window.start > reader->window.used)
		shmlog_window_jump(&reader->window);
	reader->fast.cursor = cursor;
	reader->fast.index = cursor == 0 ? 0 : index;
}

static int refuse(struct shmlog_reader *reader, uint64_t cursor)
{
	reader->fault = (struct shmlog_fault){.status = SHMLOG_ERR_CURSOR,
	                                      .cursor = cursor};
	return SHMLOG_ERR_CURSOR;
}

int shmlog_reader_seek_known(struct shmlog_reader *reader, uint64_t cursor,
                             uint64_t index)
{
	int status = cursor > reader->committed ? shmlog_reader_refresh(reader)
	                                        : 0;

	if (status != 0)
		return status;
	if (cursor > reader->committed)
		return refuse(reader, cursor);
	move_to(reader, cursor, index);
	return 0;
}

int shmlog_reader_seek_near(struct shmlog_reader *reader, uint64_t cursor)
{
	const struct shmlog *log = reader->log;
	int status = shmlog_reader_refresh(reader);
	uint64_t start = cursor;

	if (status != 0)
		return status;
	if (cursor > reader->committed)
		return refuse(reader, cursor);
	if (cursor > 0 && cursor < reader->committed)
		status = shmlog_resume_near(log->fd, log->data_offset,
		                            reader->committed, cursor, &start);
	if (status == SHMLOG_ERR_CURSOR)
		return refuse(reader, cursor);
	if (status == 0)
		move_to(reader, start, SHMLOG_INDEX_UNKNOWN);
	return status;
}
