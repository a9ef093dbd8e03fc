/*
 * A system where no file can be mapped by several processes, as on 9p and
 * some of FUSE.  Preloaded into a command: mmap(2) with MAP_SHARED fails with
 * ENODEV.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap(void *at, size_t bytes, int protection, int flags, int fd,
           off_t offset)
{
	/* The two lowest bits hold the kind: shared is 1, validated 3. */
	if ((flags & MAP_SHARED) != 0) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd,
	                       offset);
}
