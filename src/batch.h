/* What a batch is made of. */
#ifndef SHMLOG_BATCH_H
#define SHMLOG_BATCH_H

#include "copy_until.h"

#include <shmlog.h>
#include <stdint.h>

struct shmlog_batch {
	unsigned char *memory;
	size_t room; /* bytes of it */
	size_t from; /* frames before it were dropped */
	size_t end;  /* of the frames, which are a chain from `from` to here */
	uint64_t count;
	enum shmlog_copy_way way; /* to copy records: the fastest one */
};

#endif
