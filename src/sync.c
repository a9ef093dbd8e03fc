/*
 * Making a log last beyond a power cut.
 *
 * An append with SHMLOG_APPEND_SYNC has its frames on the disk before it moves
 * `size` over them, so all data below `size` is there at any time, whatever
 * part of the file the system writes on its own, and in whatever order.  What
 * is on the disk after a power cut is a `size` that the log once had, and at
 * least all the frames below it.  The size word lies within one sector, and the
 * data that shares its page is not changed by writing that page again.
 *
 * Whether `size` itself is on the disk is the matter of the next sync: that of
 * shmlog_sync(), or the one of the next append, which comes before that moves
 * `size` once more.
 */
#include "log.h"
#include "sys.h"

#include <errno.h>

int shmlog_sync(struct shmlog *log)
{
	if (shmlog_sys_is_in_memory(log->fd))
		return -EOPNOTSUPP;
	return shmlog_sys_sync(log->fd);
}
