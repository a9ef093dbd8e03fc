/* The bytes of a header behind its three words. */
#ifndef SHMLOG_METADATA_H
#define SHMLOG_METADATA_H

#include "write_access.h"

/* Whether a log has so many bytes of metadata behind the first `at`. */
bool shmlog_metadata_fits(const struct shmlog *log, uint64_t at,
                          size_t size_bytes);

/*
 * Writes metadata that fits, unless somebody has moved `size` since access was
 * acquired (SHMLOG_ERR_INTERFERED, or what is wrong with the header), or the
 * file was cut (SHMLOG_ERR_MAPPING_GONE).  0 also for none; -errno.
 */
int shmlog_metadata_write(struct shmlog_write_access *access, uint64_t at,
                          const void *bytes, size_t size_bytes);

#endif
