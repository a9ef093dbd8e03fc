/* Reading and writing descriptors that may be in non-blocking mode.  Another
 * process that shares the descriptor has set that mode, so it is not changed
 * here. */
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

/* Calls open(2), which waits for the other end of a FIFO, and goes on after a
 * signal: -1 with EINTR only after one of cli_signal_caught(). */
int cli_open(const char *path, int flags, mode_t mode);

/* Calls read(2), waiting for input in either mode, and goes on after signals
 * other than those of cli_signal_caught(): -1 with EINTR only after one of
 * these. */
ssize_t cli_read(int fd, void *bytes, size_t size_bytes);

/*
 * Calls write(2) on a descriptor that may block, in either mode.  Returns -1
 * with EINTR after some 50 ms in which nothing was taken, and after any signal,
 * so that the caller can check whether the output is still wanted.  May write a
 * part.
 */
ssize_t cli_write_briefly(int fd, const void *bytes, size_t size_bytes);

#endif
