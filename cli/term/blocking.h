/* Reading and writing descriptors that may be in non-blocking mode: whoever
 * shares them has set that, and it is not ours to change. */
#ifndef CLI_BLOCKING_H
#define CLI_BLOCKING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether an errno says that a call would have had to wait. */
bool cli_would_block(int error);

/* Sleeps until a descriptor is ready for POLLIN or POLLOUT, or a signal
 * comes. */
void cli_wait_for(int fd, short events);

/* open(2), which waits for the other end of a FIFO, in the same way: -1 with
 * EINTR only after one of cli_signal_caught(). */
int cli_open(const char *path, int flags, mode_t mode);

/* read(2) that waits, and goes on after a signal that means nothing to us:
 * -1 with EINTR only after one of cli_signal_caught(). */
ssize_t cli_read(int fd, void *bytes, size_t size_bytes);

/*
 * write(2) to what may block, in either mode, that returns -1 with EINTR
 * after some 50 ms in which nothing was taken, and after any signal: whoever
 * writes can then look whether that is still wanted.  It may write a part.
 */
ssize_t cli_write_briefly(int fd, const void *bytes, size_t size_bytes);

#endif
