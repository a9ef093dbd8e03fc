/*
 * The mappings of a log, which its readers and its writer share.
 */
#ifndef SHMLOG_MAPPING_H
#define SHMLOG_MAPPING_H

#include "log.h"

/*
 * A mapping of the whole file.  Reference-counted under the log's mutex.  One
 * that takes the place of a shorter one holds on to it, so that payloads
 * handed out of the older one stay valid.
 */
struct shmlog_mapping {
	unsigned char *base;
	uint64_t length; /* bytes */
	bool writable;
	unsigned references;
	struct shmlog_mapping *previous; /* holds one reference on it */
};

static inline struct shmlog_file_header *
shmlog_mapping_header(const struct shmlog_mapping *mapping)
{
	return (struct shmlog_file_header *)(void *)mapping->base;
}

/*
 * The mapping of the whole file as long as it is now, at least
 * `least_length` bytes; counted, given back with shmlog_mapping_release().
 * `fd` is the log's own (read-only) or a writable one, which may be closed
 * afterwards.  SHMLOG_ERR_MAPPING_GONE if the file is shorter; -errno.
 */
int shmlog_mapping_acquire(struct shmlog *log, int fd, bool writable,
                           uint64_t least_length,
                           struct shmlog_mapping **mapping_out);
void shmlog_mapping_release(struct shmlog *log, struct shmlog_mapping *mapping);
/* Releases the mapping of a writer.  Where readers share it, it becomes
 * read-only, as this process must not look like a writer any more. */
void shmlog_mapping_retire(struct shmlog *log, struct shmlog_mapping *mapping);

/*
 * The size word, to sleep on and to wake by, in a mapping of the header alone
 * (the file may be too large to map) that nothing is read through.  Valid
 * until the log is closed.  0 or -errno.
 */
int shmlog_size_word(struct shmlog *log, const _Atomic uint64_t **word_out);

/* Whether an errno of mmap(2) says that the file system has no mappings that
 * processes share (9p, some of FUSE). */
bool shmlog_is_unmappable(int status);

#endif
