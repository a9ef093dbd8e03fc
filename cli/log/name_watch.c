/* Interrupts a wait when something happens to a file name. */
#include "name_watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

/* A handler has no argument but the signal: what it shares is global. */
/* Atomic, as the thread that gets the signal need not be the one that follows;
 * without a lock, as a handler may not wait. */
static _Atomic int came;
static _Atomic int pause_ms;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may not wait");
static timer_t timer;
static bool has_timer;

/* The signal is repeated until it was asked for, later each time: the first one
 * may have come just before the wait that it was to interrupt. */
static void note(int signal_number)
{
	int last = pause_ms;
	int pause = last == 0 ? 1 : last < 400 ? 2 * last : 400;
	const struct itimerspec again = {.it_value.tv_nsec = pause * 1000000L};
	int saved_errno = errno;

	(void)signal_number;
	came = 1;
	pause_ms = pause;
	timer_settime(timer, 0, &again, NULL);
	errno = saved_errno;
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

static void close_watch(struct cli_name_watch *watch)
{
	struct cli_watched_name *name;

	if (watch->fd < 0)
		return;
	/* The timer may go on: nobody is there to be interrupted. */
	signal(SIGIO, SIG_IGN);
	close(watch->fd);
	watch->fd = -1;
	while ((name = watch->names) != NULL) {
		name->folder = -1;
		watch->names = name->next;
	}
}

static bool leaves_descriptors(const struct cli_name_watch *watch)
{
	int last = fcntl(watch->fd, F_DUPFD_CLOEXEC,
	                 watch->fd + watch->spare_count);

	if (last >= 0)
		close(last);
	return last >= 0;
}

static void open_watch(struct cli_name_watch *watch)
{
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0)
		return;
	if (announce(watch->fd) != 0)
		close_watch(watch);
	else if (!leaves_descriptors(watch))
		(void)cli_name_watch_spare(watch);
}

/* The folder of `path`, whose last part begins at `name`.  Its number, or
 * -1. */
static int watch_folder(int fd, const char *path, const char *name)
{
	char *folder = name == path ? strdup(".")
	                            : strndup(path, (size_t)(name - path));

	if (folder == NULL)
		return -1;
	int number = inotify_add_watch(fd, folder,
	                               IN_CREATE | IN_DELETE | IN_MOVED_FROM |
	                                       IN_MOVED_TO | IN_DELETE_SELF |
	                                       IN_MOVE_SELF);

	free(folder);
	return number;
}

void cli_name_watch_begin(struct cli_name_watch *watch, int spare_count)
{
	*watch = (struct cli_name_watch){.fd = -1, .spare_count = spare_count};
}

void cli_name_watch_end(struct cli_name_watch *watch)
{
	close_watch(watch);
}

void cli_name_watch_add(struct cli_name_watch *watch,
                        struct cli_watched_name *name, const char *path,
                        bool every)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash != NULL ? slash + 1 : path;

	name->name = every ? NULL : last;
	name->folder = -1;
	if (watch->given_up)
		return;
	if (watch->fd < 0)
		open_watch(watch);
	if (watch->fd >= 0)
		name->folder = watch_folder(watch->fd, path, last);
	if (name->folder < 0)
		return;
	name->next = watch->names;
	watch->names = name;
}

static bool is_folder_watched(const struct cli_name_watch *watch, int folder)
{
	const struct cli_watched_name *name = watch->names;

	while (name != NULL && name->folder != folder)
		name = name->next;
	return name != NULL;
}

void cli_name_watch_remove(struct cli_name_watch *watch,
                           struct cli_watched_name *name)
{
	struct cli_watched_name **at = &watch->names;
	int folder = name->folder;

	if (folder < 0)
		return;
	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
	name->folder = -1;
	/* Its names share the system's watch of a folder. */
	if (!is_folder_watched(watch, folder))
		(void)inotify_rm_watch(watch->fd, folder);
}

/* An event without a name tells of the folder; one without a folder, of events
 * that were lost. */
static bool concerns(const struct inotify_event *event,
                     const struct cli_watched_name *name)
{
	if (event->wd != -1 && event->wd != name->folder)
		return false;
	return event->len == 0 || name->name == NULL ||
	       strcmp(event->name, name->name) == 0;
}

/* Marks the names that an event concerns.  Another folder may have the path of
 * one that is gone soon. */
static bool mark_names(struct cli_name_watch *watch,
                       const struct inotify_event *event)
{
	bool gone = (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED |
	                            IN_UNMOUNT)) != 0;
	struct cli_watched_name **at = &watch->names;
	bool any = false;

	while (*at != NULL) {
		struct cli_watched_name *name = *at;

		if (concerns(event, name))
			any = name->touched = true;
		if (gone && event->wd == name->folder) {
			name->folder = -1;
			*at = name->next;
		} else {
			at = &name->next;
		}
	}
	/* A folder that was moved still has the system's watch. */
	if (gone && any)
		(void)inotify_rm_watch(watch->fd, event->wd);
	return any;
}

bool cli_name_watch_came(struct cli_name_watch *watch)
{
	_Alignas(struct inotify_event) char
		events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	static const struct itimerspec never = {0};
	bool any = false;
	ssize_t got;

	if (watch->fd < 0 || came == 0)
		return false;
	/* Before the reading: what comes after it comes again. */
	timer_settime(timer, 0, &never, NULL);
	came = 0;
	pause_ms = 0;
	while ((got = read(watch->fd, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event =
				(const void *)(events + at);

			any |= mark_names(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return any;
}

bool cli_name_watch_spare(struct cli_name_watch *watch)
{
	bool has_one = watch->fd >= 0;

	close_watch(watch);
	watch->given_up = true;
	return has_one;
}

#else

void cli_name_watch_begin(struct cli_name_watch *watch, int spare_count)
{
	*watch = (struct cli_name_watch){.fd = -1, .spare_count = spare_count};
}

void cli_name_watch_end(struct cli_name_watch *watch)
{
	(void)watch;
}

void cli_name_watch_add(struct cli_name_watch *watch,
                        struct cli_watched_name *name, const char *path,
                        bool every)
{
	(void)watch;
	name->name = every ? NULL : path;
	name->folder = -1;
}

void cli_name_watch_remove(struct cli_name_watch *watch,
                           struct cli_watched_name *name)
{
	(void)watch;
	(void)name;
}

bool cli_name_watch_came(struct cli_name_watch *watch)
{
	(void)watch;
	return false;
}

bool cli_name_watch_spare(struct cli_name_watch *watch)
{
	(void)watch;
	return false;
}

#endif
