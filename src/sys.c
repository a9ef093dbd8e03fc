/* System calls that every system has, made again where a signal cuts them. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#define NS_PER_SECOND 1000000000

int64_t shmlog_sys_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int shmlog_sys_open(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int shmlog_sys_pause(int64_t ns)
{
	struct timespec length = {.tv_sec = (time_t)(ns / NS_PER_SECOND),
	                          .tv_nsec = (long)(ns % NS_PER_SECOND)};

	return nanosleep(&length, NULL) == 0 ? 0 : -errno;
}
