/* Waiting where a descriptor does not. */
#include "common/blocking.h"

#include "common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

bool cli_would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

void cli_wait_for(int fd, short events)
{
	struct pollfd request = {.fd = fd, .events = events};

	(void)poll(&request, 1, -1);
}

int cli_open(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags, mode);
	while (fd < 0 && errno == EINTR && cli_signal_caught() == 0);
	return fd;
}

ssize_t cli_read(int fd, void *bytes, size_t size_bytes)
{
	for (;;) {
		ssize_t got = read(fd, bytes, size_bytes);

		if (got >= 0 || (errno != EINTR && !cli_would_block(errno)))
			return got;
		if (cli_signal_caught() != 0) {
			errno = EINTR;
			return -1;
		}
		if (cli_would_block(errno))
			cli_wait_for(fd, POLLIN);
	}
}
