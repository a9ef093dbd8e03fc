/*
 * A file system without files that have no name, where reserving space takes
 * long or is cut by signals.  Preloaded into a command:
 *
 * SHIM_CUTS  how many calls of posix_fallocate() say EINTR
 * SHIM_MARK  a file that the next one makes; then it takes until a signal that
 *            is held back has come, or ten seconds
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int open(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) = (int (*)(
		const char *, int, ...))dlsym(RTLD_NEXT, "open");
	va_list arguments;

	if ((flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	va_start(arguments, flags);
	mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;

	va_end(arguments);
	return real(path, flags, mode);
}

static void wait_for_signal(void)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	sigset_t pending;

	for (int i = 0; i < 1000; i++) {
		sigpending(&pending);
		if (sigismember(&pending, SIGTERM) == 1 ||
		    sigismember(&pending, SIGINT) == 1)
			return;
		nanosleep(&moment, NULL);
	}
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
	static int cuts = -1;
	int (*real)(int, off_t, off_t) = (int (*)(int, off_t, off_t))dlsym(
		RTLD_NEXT, "posix_fallocate");
	const char *text = getenv("SHIM_CUTS");
	const char *mark = getenv("SHIM_MARK");

	if (cuts < 0)
		cuts = text != NULL ? atoi(text) : 0;
	if (cuts > 0) {
		cuts--;
		return EINTR;
	}
	if (mark != NULL) {
		close(creat(mark, 0600));
		wait_for_signal();
	}
	return real(fd, offset, length);
}
