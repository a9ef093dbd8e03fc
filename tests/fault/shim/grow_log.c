/*
 * Lets a log grow each time that its header is read, as a writer does that is
 * always faster than the reader.  Preloaded into a command that reads:
 *
 * GROW_LOG     the log
 * GROW_FRAMES  how many frames of three bytes are committed to it before each
 *              look at its header
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define HEADER_BYTES 24
#define SIZE_OFFSET 16

typedef ssize_t read_at(int fd, void *to, size_t bytes, off_t offset);

static read_at *real_pread(void)
{
	static read_at *found;

	/* POSIX lets a function be looked up so, and ISO C does not. */
	if (found == NULL)
		*(void **)&found = dlsym(RTLD_NEXT, "pread");
	return found;
}

static void grow(int fd)
{
	static const char frame[] = {7, 0, 'n', 'e', 'w', 7, 0};
	const char *text = getenv("GROW_FRAMES");
	uint64_t size;
	long left = text != NULL ? atol(text) : 0;

	if (real_pread()(fd, &size, sizeof(size), SIZE_OFFSET) != sizeof(size))
		abort();
	for (; left > 0; left--, size += sizeof(frame))
		if (pwrite(fd, frame, sizeof(frame), (off_t)size) !=
		    sizeof(frame))
			abort();
	if (pwrite(fd, &size, sizeof(size), SIZE_OFFSET) != sizeof(size))
		abort();
}

/* Whether a descriptor is that of the log. */
static int is_log(int fd, const char *path)
{
	struct stat there, here;

	return stat(path, &there) == 0 && fstat(fd, &here) == 0 &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

ssize_t pread(int fd, void *to, size_t bytes, off_t offset)
{
	const char *path = getenv("GROW_LOG");

	if (path != NULL && offset < HEADER_BYTES && is_log(fd, path)) {
		int writable = open(path, O_RDWR | O_CLOEXEC);

		if (writable < 0)
			abort();
		grow(writable);
		close(writable);
	}
	return real_pread()(fd, to, bytes, offset);
}

/* Where the C library has 64-bit offsets of that name only. */
ssize_t pread64(int fd, void *to, size_t bytes, off_t offset)
{
	return pread(fd, to, bytes, offset);
}
