/* The place of a reader, shown to other processes. */
#ifndef SHMLOG_PLACE_H
#define SHMLOG_PLACE_H

#include "log.h"

struct shmlog_place {
	int fd;          /* its position is the place; -1: nothing is shown */
	uint64_t offset; /* what it is now */
};

/* Opens the file of a log once more and shows the place of its first frame, if
 * the flags of a reader ask for that and the system can. */
void shmlog_place_open(struct shmlog_place *place, const struct shmlog *log,
                       unsigned flags);
void shmlog_place_close(struct shmlog_place *place);

void shmlog_place_move(struct shmlog_place *place, uint64_t offset);

/* Shows an offset in the file, which costs nothing where it is shown already,
 * or nothing is. */
static inline void shmlog_place_show(struct shmlog_place *place,
                                     uint64_t offset)
{
	if (place->fd >= 0 && offset != place->offset)
		shmlog_place_move(place, offset);
}

#endif
