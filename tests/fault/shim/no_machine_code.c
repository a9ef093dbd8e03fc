/*
 * A system where no process may make machine code, as under some sandboxes.
 * Preloaded into a command: memory of no file can be neither mapped nor made
 * executable.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap(void *at, size_t bytes, int protection, int flags, int fd,
           off_t offset)
{
	if ((protection & PROT_EXEC) != 0) {
		errno = EACCES;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd,
	                       offset);
}

int mprotect(void *at, size_t bytes, int protection)
{
	if ((protection & PROT_EXEC) != 0) {
		errno = EACCES;
		return -1;
	}
	return (int)syscall(SYS_mprotect, at, bytes, protection);
}
