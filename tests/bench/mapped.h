/*
 * What the programs that measure the library share.
 */
#ifndef MAPPED_H
#define MAPPED_H

#include "measure.h"

#include <shmlog.h>

static inline void check(int status, const char *what)
{
	if (status < 0)
		die("%s: %s", what, shmlog_strerror(status));
}

/* Touches all that a writer maps, and takes it back. */
static inline void fault_writer(struct shmlog_writer *writer)
{
	unsigned char *page;

	while (shmlog_writer_free_bytes(writer) > SHMLOG_FRAME_MAX_BYTES) {
		check(shmlog_writer_allocate(writer, SHMLOG_PAYLOAD_MAX_BYTES,
		                             &page),
		      "allocate");
		for (size_t at = 0; at < SHMLOG_PAYLOAD_MAX_BYTES; at += 1024)
			page[at] = 0;
	}
	shmlog_writer_rollback(writer);
}

#endif /* MAPPED_H */
