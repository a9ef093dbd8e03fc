/* Waits for descriptors that are in non-blocking mode, and limits waits for
 * others. */
#include "blocking.h"

#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define PATIENCE_MS 50

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

	do {
		cli_signals_answer();
		fd = open(path, flags, mode);
	} while (fd < 0 && errno == EINTR && cli_signal_caught() == 0);
	return fd;
}

ssize_t cli_read(int fd, void *bytes, size_t size_bytes)
{
	for (;;) {
		cli_signals_answer();

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

/* Waits for room; false, with EINTR, if there is none for a while. */
static bool wait_for_room(int fd)
{
	struct pollfd request = {.fd = fd, .events = POLLOUT};

	if (poll(&request, 1, PATIENCE_MS) > 0)
		return true;
	errno = EINTR;
	return false;
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/uio.h>
#include <time.h>

/* Global, as a signal handler has no other way to share data. */
static volatile sig_atomic_t writing;
static volatile sig_atomic_t ticking;
static timer_t ticker;
static bool has_ticker;

static void start_ticking(void)
{
	const struct itimerspec soon = {.it_value.tv_nsec = PATIENCE_MS *
	                                                    1000000L};

	timer_settime(ticker, 0, &soon, NULL);
}

/* The timer, once started, keeps ticking while writes follow one another, so
 * that not every write has to start it. */
static void tick(int signal_number)
{
	int saved_errno = errno;

	(void)signal_number;
	ticking = writing;
	if (writing)
		start_ticking();
	errno = saved_errno;
}

/* Ticks are let through only during a write: elsewhere they would interrupt
 * calls that have nothing to do with it. */
static bool let_tick(bool let)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGURG);
	return sigprocmask(let ? SIG_UNBLOCK : SIG_BLOCK, &one, NULL) == 0;
}

/* The timer uses a signal that is ignored by default, so another process has no
 * reason to send it. */
static bool make_ticker(void)
{
	struct sigaction action = {.sa_handler = tick};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
	                         .sigev_signo = SIGURG};

	if (has_ticker)
		return true;
	sigemptyset(&action.sa_mask);
	/* No SA_RESTART: the tick must interrupt the call. */
	has_ticker = let_tick(false) &&
	             timer_create(CLOCK_MONOTONIC, &event, &ticker) == 0 &&
	             sigaction(SIGURG, &action, NULL) == 0;
	return has_ticker;
}

#ifdef RWF_NOWAIT
/* Writes what there is room for, with one call where the timer takes three more
 * and six at first.  -1 if there is no room, and where the file or the system
 * cannot do that, which is not asked for again. */
static ssize_t write_at_once(int fd, const void *bytes, size_t size_bytes)
{
	static bool refused;
	const struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes,
	                            .iov_len = size_bytes};

	if (refused)
		return -1;
	ssize_t put = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);

	refused = put < 0 && !cli_would_block(errno) && errno != EINTR;
	return put;
}
#else
static ssize_t write_at_once(int fd, const void *bytes, size_t size_bytes)
{
	(void)fd;
	(void)bytes;
	(void)size_bytes;
	return -1;
}
#endif

/*
 * A pipe may have room for a part only, and write(2) then waits for the rest,
 * even if poll(2) saw room, as other processes may write there too.  So a timer
 * interrupts the call.
 */
ssize_t cli_write_briefly(int fd, const void *bytes, size_t size_bytes)
{
	/* A large one fills the pipe, and has to wait anyway. */
	if (size_bytes <= PIPE_BUF) {
		ssize_t put = write_at_once(fd, bytes, size_bytes);

		if (put >= 0)
			return put;
	}
	if (!make_ticker() && !wait_for_room(fd))
		return -1;
	/* In this order: a tick in between sees `writing` and keeps the timer
	 * running. */
	writing = 1;
	if (!ticking) {
		ticking = 1;
		start_ticking();
	}
	(void)let_tick(true);
	ssize_t put = write(fd, bytes, size_bytes);
	int error = errno;

	(void)let_tick(false);
	writing = 0;
	errno = error;
	if (put < 0 && cli_would_block(errno) && wait_for_room(fd))
		return write(fd, bytes, size_bytes);
	return put;
}

#else

#include <limits.h>

/* Where there is room at all, there is for so much. */
ssize_t cli_write_briefly(int fd, const void *bytes, size_t size_bytes)
{
	if (!wait_for_room(fd))
		return -1;
	return write(fd, bytes, size_bytes < PIPE_BUF ? size_bytes : PIPE_BUF);
}

#endif
