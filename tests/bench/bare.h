/*
 * What the bare programs share: they do the work of a command with nothing
 * around it, no check and no promise, as fast as their author knows how.  So
 * they tell how far a command is from what the machine can do.
 */
#ifndef BARE_H
#define BARE_H

#include "measure.h"

#include <stdatomic.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define BARE_AVX2 __attribute__((target("avx2,bmi")))
#endif

/* Bytes that stay in a cache of the second level with what is made of them. */
#define BLOCK_BYTES ((size_t)128 << 10)
#define FRAME_BYTES 65535

struct bare_header {
	uint64_t header_size;
	uint64_t data_offset;
	_Atomic uint64_t size;
};

/* Maps all of a log, or its header alone. */
static inline struct bare_header *bare_map(const char *path, bool whole,
                                           int *fd_out)
{
	int fd = open(path, whole ? O_RDONLY : O_RDWR);
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	void *log = end < 24 ? MAP_FAILED
	                     : mmap(NULL, whole ? (size_t)end : 24,
	                            whole ? PROT_READ : PROT_READ | PROT_WRITE,
	                            MAP_SHARED, fd, 0);

	if (log == MAP_FAILED)
		die("%s: no log", path);
	*fd_out = fd;
	return log;
}

#endif
