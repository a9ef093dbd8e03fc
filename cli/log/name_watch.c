/* Interrupts a wait when something happens to a name. */
#include "name_watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

/* A handler has no argument but the signal: what it shares is global. */
static volatile sig_atomic_t came;
static volatile sig_atomic_t pause_ms;
static timer_t timer;
static bool has_timer;

/* Comes again until it was asked for, later each time: the first may have
 * been just before the wait that it was to interrupt. */
static void note(int signal_number)
{
	int pause = pause_ms == 0    ? 1
	            : pause_ms < 400 ? 2 * (int)pause_ms
	                             : 400;
	const struct itimerspec again = {.it_value.tv_nsec = pause * 1000000L};
	int saved_errno = errno;

	(void)signal_number;
	came = 1;
	pause_ms = pause;
	timer_settime(timer, 0, &again, NULL);
	errno = saved_errno;
}

/* `name` is the last part of `path`. */
static int watch_folder(int fd, const char *path, const char *name)
{
	char *folder = name == path ? strdup(".")
	                            : strndup(path, (size_t)(name - path));

	if (folder == NULL)
		return -1;
	int watch = inotify_add_watch(fd, folder,
	                              IN_CREATE | IN_DELETE | IN_MOVED_FROM |
	                                      IN_MOVED_TO | IN_DELETE_SELF |
	                                      IN_MOVE_SELF);

	free(folder);
	return watch;
}

/* Has every event announced by a signal. */
static int announce(int fd)
{
	struct sigaction noting = {.sa_handler = note};
	struct sigevent again = {.sigev_notify = SIGEV_SIGNAL,
	                         .sigev_signo = SIGIO};

	sigemptyset(&noting.sa_mask);
	if (!has_timer)
		has_timer = timer_create(CLOCK_MONOTONIC, &again, &timer) == 0;
	return has_timer && sigaction(SIGIO, &noting, NULL) == 0 &&
	                       fcntl(fd, F_SETOWN, getpid()) == 0 &&
	                       fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == 0
	               ? 0
	               : -1;
}

void cli_name_watch_begin(struct cli_name_watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/');

	watch->name = slash != NULL ? slash + 1 : path;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd >= 0 && (announce(watch->fd) != 0 ||
	                       watch_folder(watch->fd, path, watch->name) < 0))
		cli_name_watch_end(watch);
}

void cli_name_watch_end(struct cli_name_watch *watch)
{
	if (watch->fd < 0)
		return;
	/* The timer may go on: nobody is there to be interrupted. */
	signal(SIGIO, SIG_IGN);
	close(watch->fd);
	watch->fd = -1;
}

bool cli_name_watch_came(struct cli_name_watch *watch)
{
	_Alignas(struct inotify_event) char
		events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	static const struct itimerspec never = {0};
	bool named = false, gone = false;
	ssize_t got;

	if (watch->fd < 0 || came == 0)
		return false;
	/* Before the reading: what comes after it comes again. */
	timer_settime(timer, 0, &never, NULL);
	came = pause_ms = 0;
	while ((got = read(watch->fd, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event =
				(const void *)(events + at);

			/* An event without a name tells of the folder, or of
			 * events that were lost. */
			named |= event->len == 0 ||
			         strcmp(event->name, watch->name) == 0;
			gone |= (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF |
			                        IN_IGNORED | IN_UNMOUNT)) != 0;
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	/* Another folder may have the path of this one soon. */
	if (gone)
		cli_name_watch_end(watch);
	return named;
}

#else

void cli_name_watch_begin(struct cli_name_watch *watch, const char *path)
{
	*watch = (struct cli_name_watch){.fd = -1, .name = path};
}

void cli_name_watch_end(struct cli_name_watch *watch)
{
	(void)watch;
}

bool cli_name_watch_came(struct cli_name_watch *watch)
{
	(void)watch;
	return false;
}

#endif
