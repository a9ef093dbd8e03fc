/*
 * Showing where a reader is, as the position of a descriptor of its own: that
 * of the log's descriptor is moved by whoever asks for the file's length.  The
 * system shows positions in /proc, so nobody has to register, and a process
 * that is killed leaves nothing behind.  A mark on the descriptor tells it from
 * others on the same file.
 */
#include "place.h"

#include "sys.h"

#include <fcntl.h>
#include <unistd.h>

void shmlog_place_open(struct shmlog_place *place, const struct shmlog *log,
                       unsigned flags)
{
	bool wanted = (flags & SHMLOG_READER_SHOWN) != 0;

	*place = (struct shmlog_place){
		.fd = wanted ? shmlog_sys_reopen(log->fd, O_RDONLY) : -1};
	if (place->fd >= 0 && shmlog_sys_mark_place(place->fd) != 0)
		shmlog_place_close(place);
	shmlog_place_show(place, log->data_offset);
}

void shmlog_place_close(struct shmlog_place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	place->fd = -1;
}

void shmlog_place_move(struct shmlog_place *place, uint64_t offset)
{
	/* No offset in a file is beyond off_t, and so this does not fail. */
	(void)lseek(place->fd, (off_t)offset, SEEK_SET);
	place->offset = offset;
}
