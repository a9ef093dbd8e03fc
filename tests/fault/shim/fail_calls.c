/*
 * Makes chosen calls of the C library fail.  Preloaded into a command:
 *
 * FAULT_ERROR   the errno to fail with; 0: reads and writes move half as much
 * FAULT_AT      which of the calls that may fail so is the first; 0: none
 * FAULT_TIMES   how many of them fail, that one and those behind it
 * FAULT_REPORT  a file of struct fault_report, which is filled in
 */
#include "fail_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The allocator is needed before anything can be looked up. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);

static struct fault_report unseen;
static struct fault_report *report = &unseen;
static bool armed;
static int error;
static unsigned long at, times;

/* What makes sense where. */
enum {
	SPACE = 1,   /* ENOSPC */
	INTR = 2,    /* EINTR */
	FILES = 4,   /* EMFILE */
	MEMORY = 8,  /* ENOMEM */
	IO = 16,     /* EIO */
	AGAIN = 32,  /* EAGAIN */
	PARTLY = 64, /* half of it */
};

static int kind_of_error(void)
{
	switch (error) {
	case 0: return PARTLY;
	case ENOSPC: return SPACE;
	case EINTR: return INTR;
	case EMFILE: return FILES;
	case ENOMEM: return MEMORY;
	case EIO: return IO;
	case EAGAIN: return AGAIN;
	default: return 0;
	}
}

static unsigned long number(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void arm(void)
{
	const char *path = getenv("FAULT_REPORT");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	void *base = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	                  MAP_SHARED, fd, 0);

	close(fd);
	if (base == MAP_FAILED)
		return;
	report = base;
	error = (int)number("FAULT_ERROR");
	at = number("FAULT_AT");
	times = number("FAULT_TIMES");
	armed = true;
}

/* Counts a call that may fail in the ways of `kinds`, and says whether it
 * has to now; then errno is set. */
static bool must_fail(const char *name, int kinds)
{
	if (!armed || (kinds & kind_of_error()) == 0)
		return false;
	unsigned long count = ++report->eligible;

	if (at == 0 || count < at || count - at >= times)
		return false;
	if (report->failed++ == 0)
		strncpy(report->first, name, sizeof(report->first) - 1);
	errno = error;
	return true;
}

#define REAL(name)                     \
	static __typeof__(&name) real; \
	if (real == NULL)              \
	real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define FAIL_OR_PASS(type, name, kinds, parameters, arguments, failure)    \
	type name parameters                                               \
	{                                                                  \
		REAL(name);                                                \
		return must_fail(#name, kinds) ? failure : real arguments; \
	}

/* -------------------------------------------------------------- memory */

void *malloc(size_t bytes)
{
	return must_fail("malloc", MEMORY) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return must_fail("calloc", MEMORY) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
	return must_fail("realloc", MEMORY) ? NULL : __libc_realloc(old, bytes);
}

FAIL_OR_PASS(void *, mmap, MEMORY | AGAIN,
             (void *where, size_t length, int protection, int flags, int fd,
              off_t offset),
             (where, length, protection, flags, fd, offset), MAP_FAILED)

/* ---------------------------------------------------- reading and writing */

/* Half of it, but something. */
static size_t half(size_t bytes)
{
	return bytes > 1 ? bytes / 2 : bytes;
}

#define MOVE(name, kinds, parameters, whole, partly)   \
	ssize_t name parameters                        \
	{                                              \
		REAL(name);                            \
		if (!must_fail(#name, kinds | PARTLY)) \
			return real whole;             \
		return error == 0 ? real partly : -1;  \
	}

MOVE(read, INTR | IO | AGAIN, (int fd, void *bytes, size_t count),
     (fd, bytes, count), (fd, bytes, half(count)))
MOVE(pread, INTR | IO, (int fd, void *bytes, size_t count, off_t offset),
     (fd, bytes, count, offset), (fd, bytes, half(count), offset))
MOVE(pwrite, SPACE | INTR | IO,
     (int fd, const void *bytes, size_t count, off_t offset),
     (fd, bytes, count, offset), (fd, bytes, half(count), offset))

/* What is said about a failure must come through. */
ssize_t write(int fd, const void *bytes, size_t count)
{
	REAL(write);
	if (fd == STDERR_FILENO ||
	    !must_fail("write", SPACE | INTR | IO | AGAIN | PARTLY))
		return real(fd, bytes, count);
	return error == 0 ? real(fd, bytes, half(count)) : -1;
}

#ifdef RWF_NOWAIT
/* One piece, for standard output. */
ssize_t pwritev2(int fd, const struct iovec *pieces, int count, off_t offset,
                 int flags)
{
	struct iovec part = pieces[0];

	REAL(pwritev2);
	if (!must_fail("pwritev2", SPACE | INTR | IO | AGAIN | PARTLY))
		return real(fd, pieces, count, offset, flags);
	part.iov_len = half(part.iov_len);
	return error == 0 ? real(fd, &part, 1, offset, flags) : -1;
}
#endif

/* --------------------------------------------------------------- files */

int open(const char *path, int flags, ...)
{
	va_list arguments;

	REAL(open);
	va_start(arguments, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0
	                      ? va_arg(arguments, mode_t)
	                      : 0;

	va_end(arguments);
	int space = (flags & (O_CREAT | O_TMPFILE)) != 0 ? SPACE : 0;

	if (must_fail("open", space | INTR | FILES | MEMORY | IO))
		return -1;
	return real(path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
	va_list arguments;

	REAL(fcntl);
	va_start(arguments, command);
	void *argument = va_arg(arguments, void *);

	va_end(arguments);
	/* Giving a lease back, and asking about a descriptor, cannot fail. */
	bool sure = command == F_GETFD ||
	            (command == F_SETLEASE && argument == (void *)F_UNLCK);

	/* No signal cuts what does not wait. */
	int kinds = command == F_DUPFD_CLOEXEC ? IO : INTR | IO | AGAIN;

	if (!sure && must_fail("fcntl", kinds))
		return -1;
	return real(fd, command, argument);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
	REAL(posix_fallocate);
	return must_fail("posix_fallocate", SPACE | INTR | IO)
	               ? error
	               : real(fd, offset, length);
}

int close(int fd)
{
	REAL(close);
	int status = real(fd);

	return must_fail("close", IO) ? -1 : status;
}

FAIL_OR_PASS(int, ftruncate, SPACE | INTR | IO, (int fd, off_t length),
             (fd, length), -1)
FAIL_OR_PASS(int, flock, INTR | IO | AGAIN, (int fd, int how), (fd, how), -1)
FAIL_OR_PASS(off_t, lseek, IO, (int fd, off_t offset, int whence),
             (fd, offset, whence), -1)
FAIL_OR_PASS(int, fstat, MEMORY | IO, (int fd, struct stat *file), (fd, file),
             -1)
FAIL_OR_PASS(int, stat, MEMORY | IO, (const char *path, struct stat *file),
             (path, file), -1)
FAIL_OR_PASS(int, lstat, MEMORY | IO, (const char *path, struct stat *file),
             (path, file), -1)
FAIL_OR_PASS(int, statx, MEMORY | IO,
             (int fd, const char *path, int flags, unsigned mask,
              struct statx *file),
             (fd, path, flags, mask, file), -1)
FAIL_OR_PASS(int, link, SPACE | IO, (const char *from, const char *to),
             (from, to), -1)
FAIL_OR_PASS(int, linkat, SPACE | IO,
             (int from_fd, const char *from, int to_fd, const char *to,
              int flags),
             (from_fd, from, to_fd, to, flags), -1)
FAIL_OR_PASS(int, rename, SPACE | IO, (const char *from, const char *to),
             (from, to), -1)
FAIL_OR_PASS(int, access, MEMORY | IO, (const char *path, int mode),
             (path, mode), -1)
FAIL_OR_PASS(int, mkostemp, SPACE | FILES | IO, (char *name, int flags),
             (name, flags), -1)
FAIL_OR_PASS(FILE *, fopen, FILES | MEMORY,
             (const char *path, const char *mode), (path, mode), NULL)
FAIL_OR_PASS(DIR *, opendir, FILES | MEMORY, (const char *path), (path), NULL)
FAIL_OR_PASS(int, nanosleep, INTR,
             (const struct timespec *length, struct timespec *left),
             (length, left), -1)

long syscall(long call, ...)
{
	va_list arguments;
	long word[6];

	REAL(syscall);
	va_start(arguments, call);
	for (size_t i = 0; i < 6; i++)
		word[i] = va_arg(arguments, long);
	va_end(arguments);
	if (must_fail("syscall", INTR | MEMORY))
		return -1;
	return real(call, word[0], word[1], word[2], word[3], word[4], word[5]);
}
