/*
 * Prints each file below a folder that anybody opens or runs, once, as a path
 * from there: opened FOLDER.  The folder must be where something is mounted.
 * Ends by SIGTERM, when what was seen until then is printed.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#define SLOTS (1u << 17)

static char *seen[SLOTS];

static size_t slot_of(const char *path)
{
	uint64_t hash = 1469598103934665603u;

	for (; *path != '\0'; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211u;
	return (size_t)(hash % SLOTS);
}

/* Whether this is the first time; what finds no place any more always is. */
static bool is_new(const char *path)
{
	for (size_t i = slot_of(path), tries = 0; tries < 64;
	     i = (i + 1) % SLOTS, tries++) {
		if (seen[i] == NULL) {
			seen[i] = strdup(path);
			return true;
		}
		if (strcmp(seen[i], path) == 0)
			return false;
	}
	return true;
}

static void look_at(int fd, const char *folder)
{
	char link[32];
	char path[PATH_MAX];
	size_t prefix = strlen(folder);

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

	ssize_t length = readlink(link, path, sizeof(path) - 1);

	if (length < 0)
		return;
	path[length] = '\0';
	if (strncmp(path, folder, prefix) == 0 && path[prefix] == '/' &&
	    is_new(path + prefix))
		puts(path + prefix);
}

/* Takes what is in the queue, or a part of it; false when there is nothing. */
static bool look_at_some(int watch, const char *folder)
{
	_Alignas(struct fanotify_event_metadata) char events[1 << 16];
	ssize_t left = read(watch, events, sizeof(events));
	struct fanotify_event_metadata *event = (void *)events;

	if (left <= 0)
		return false;
	for (; FAN_EVENT_OK(event, left); event = FAN_EVENT_NEXT(event, left)) {
		if (event->fd < 0)
			continue;
		look_at(event->fd, folder);
		close(event->fd);
	}
	return true;
}

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

int main(int argc, char **argv)
{
	struct sigaction on_term = {.sa_handler = end};
	int watch = fanotify_init(FAN_CLASS_NOTIF | FAN_UNLIMITED_QUEUE |
	                                  FAN_CLOEXEC | FAN_NONBLOCK,
	                          O_RDONLY | O_CLOEXEC | O_LARGEFILE);

	if (argc != 2)
		return 2;
	sigaction(SIGTERM, &on_term, NULL);
	if (watch < 0 || fanotify_mark(watch, FAN_MARK_ADD | FAN_MARK_MOUNT,
	                               FAN_OPEN, AT_FDCWD, argv[1]) != 0) {
		perror("opened: cannot watch");
		return 1;
	}
	/* Whoever waits for this line knows that nothing is missed. */
	puts("/");
	fflush(stdout);
	while (!ended) {
		struct pollfd request = {.fd = watch, .events = POLLIN};

		(void)poll(&request, 1, 200);
		while (look_at_some(watch, argv[1]))
			;
	}
	while (look_at_some(watch, argv[1]))
		;
	return fflush(stdout) == 0 ? 0 : 1;
}
