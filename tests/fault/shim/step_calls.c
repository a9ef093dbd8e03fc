/*
 * Stops a command before each of its calls that others could notice, or notice
 * others by.  Preloaded into it: STEP_FD is a socket, to which the name of each
 * call is sent, from the first flock(2) on, and from which a byte lets it go
 * on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_BYTES 16

static int controller = -1;
static bool armed;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("STEP_FD");

	controller = text != NULL ? atoi(text) : -1;
}

static void step(const char *name)
{
	char text[NAME_BYTES] = "";
	int saved_errno = errno;

	armed = armed || strcmp(name, "flock") == 0;
	if (controller < 0 || !armed)
		return;
	strncpy(text, name, sizeof(text) - 1);
	if (send(controller, text, sizeof(text), MSG_NOSIGNAL) < 0 ||
	    recv(controller, text, 1, 0) <= 0)
		controller = -1;
	errno = saved_errno;
}

#define REAL(name)                     \
	static __typeof__(&name) real; \
	if (real == NULL)              \
	real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define STEP(type, name, parameters, arguments) \
	type name parameters                    \
	{                                       \
		REAL(name);                     \
		step(#name);                    \
		return real arguments;          \
	}

STEP(int, flock, (int fd, int how), (fd, how))
STEP(ssize_t, read, (int fd, void *bytes, size_t count), (fd, bytes, count))
STEP(ssize_t, pread, (int fd, void *bytes, size_t count, off_t offset),
     (fd, bytes, count, offset))
STEP(ssize_t, pwrite, (int fd, const void *bytes, size_t count, off_t offset),
     (fd, bytes, count, offset))
STEP(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
STEP(int, close, (int fd), (fd))
STEP(int, munmap, (void *base, size_t length), (base, length))

void *mmap(void *where, size_t length, int protection, int flags, int fd,
           off_t offset)
{
	REAL(mmap);
	/* The allocator's are nobody's business. */
	if (fd >= 0)
		step("mmap");
	return real(where, length, protection, flags, fd, offset);
}

int open(const char *path, int flags, ...)
{
	va_list arguments;

	REAL(open);
	va_start(arguments, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0
	                      ? va_arg(arguments, mode_t)
	                      : 0;

	va_end(arguments);
	step("open");
	return real(path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
	va_list arguments;

	REAL(fcntl);
	va_start(arguments, command);
	void *argument = va_arg(arguments, void *);

	va_end(arguments);
	step("fcntl");
	return real(fd, command, argument);
}

long syscall(long call, ...)
{
	va_list arguments;
	long word[6];

	REAL(syscall);
	va_start(arguments, call);
	for (size_t i = 0; i < 6; i++)
		word[i] = va_arg(arguments, long);
	va_end(arguments);
	step("syscall");
	return real(call, word[0], word[1], word[2], word[3], word[4], word[5]);
}
