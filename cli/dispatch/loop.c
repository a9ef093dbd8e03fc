/* Waits for many descriptors at once. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_NS INT64_C(3600000000000)

static void set_flags(int fd)
{
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void drain(void *context, int fd, short events)
{
	char bytes[64];

	(void)context;
	(void)events;
	while (read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
		;
}

int loop_init(struct loop *loop)
{
	int ends[2];

	*loop = (struct loop){.wake_in = -1, .wake_out = -1};
	if (pipe(ends) != 0)
		return -errno;
	loop->wake_out = ends[0];
	loop->wake_in = ends[1];
	set_flags(ends[0]);
	set_flags(ends[1]);
	return loop_watch(loop, loop->wake_out, POLLIN,
	                  (struct loop_watch){drain, NULL});
}

void loop_release(struct loop *loop)
{
	if (loop->wake_in >= 0) {
		close(loop->wake_in);
		close(loop->wake_out);
	}
	free(loop->requests);
	free(loop->watches);
	*loop = (struct loop){.wake_in = -1, .wake_out = -1};
}

/* The place of a descriptor, or the number of them. */
static size_t find(const struct loop *loop, int fd)
{
	size_t i = 0;

	while (i < loop->count && loop->requests[i].fd != fd)
		i++;
	return i;
}

static bool make_room(struct loop *loop)
{
	size_t room = loop->room > 0 ? 2 * loop->room : 16;
	struct pollfd *requests = realloc(loop->requests,
	                                  room * sizeof(*requests));

	if (requests == NULL)
		return false;
	loop->requests = requests;

	struct loop_watch *watches = realloc(loop->watches,
	                                     room * sizeof(*watches));

	if (watches == NULL)
		return false;
	loop->watches = watches;
	loop->room = room;
	return true;
}

int loop_watch(struct loop *loop, int fd, short events, struct loop_watch watch)
{
	size_t place = find(loop, fd);

	if (place == loop->room && !make_room(loop))
		return -ENOMEM;
	if (place == loop->count)
		loop->count++;
	loop->requests[place] = (struct pollfd){.fd = fd, .events = events};
	loop->watches[place] = watch;
	return 0;
}

void loop_forget(struct loop *loop, int fd)
{
	size_t place = find(loop, fd);

	if (place == loop->count)
		return;
	loop->count--;
	loop->requests[place] = loop->requests[loop->count];
	loop->watches[place] = loop->watches[loop->count];
}

void loop_turn(struct loop *loop, int64_t most_ns)
{
	int ready;

	if (most_ns > MOST_NS)
		most_ns = MOST_NS;
	ready = poll(loop->requests, (nfds_t)loop->count,
	             most_ns <= 0 ? 0 : (int)((most_ns + 999999) / 1000000));
	/* From the end: a call may forget its own descriptor, and then the
	 * last one, which was looked at, takes its place.  Where it forgets
	 * others or adds some, what is passed over comes in the next turn. */
	for (size_t i = loop->count; ready > 0 && i-- > 0;) {
		if (i >= loop->count || loop->requests[i].revents == 0)
			continue;
		short events = loop->requests[i].revents;

		loop->requests[i].revents = 0;
		ready--;
		loop->watches[i].ready(loop->watches[i].context,
		                       loop->requests[i].fd, events);
	}
}

void loop_wake(const struct loop *loop)
{
	int error = errno;

	/* A pipe that is full wakes as well. */
	if (write(loop->wake_in, "", 1) < 0)
		errno = error;
}
