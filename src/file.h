/*
 * The file of a log, by its descriptor: bytes, length and the words of its
 * header.
 */
#ifndef SHMLOG_FILE_H
#define SHMLOG_FILE_H

#include "format.h"

#include <stddef.h>

/* pread(2) until all is there: 0, -errno, or SHMLOG_ERR_MAPPING_GONE where
 * the file ends before. */
int shmlog_read_at(int fd, uint64_t offset, void *bytes, size_t size_bytes);
/* pwrite(2) until all is written: 0 or -errno. */
int shmlog_write_at(int fd, uint64_t offset, const void *bytes,
                    size_t size_bytes);

/* The length of a file: 0 or -errno. */
int shmlog_load_length(int fd, uint64_t *length_out);
/* Whether the file has `size` bytes: 0, SHMLOG_ERR_MAPPING_GONE or -errno. */
int shmlog_check_length(int fd, uint64_t size);

/*
 * Loads the header's words through the descriptor, where no cut can raise a
 * signal, and the file's length, and orders them before all later reads of
 * the file.  0, -errno, or SHMLOG_ERR_MAPPING_GONE if there are no 24 bytes.
 */
int shmlog_load_header(int fd, struct shmlog_header *header_out);

/* shmlog_format_check_header() for a log that was sound once: what no longer
 * reaches to its size is SHMLOG_ERR_MAPPING_GONE. */
int shmlog_judge_header(const struct shmlog_header *header);

#endif
