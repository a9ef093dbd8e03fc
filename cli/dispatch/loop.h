/* Waits for any number of descriptors at once, on one thread, and calls what is
 * to be done about each that is ready. */
#ifndef DISPATCH_LOOP_H
#define DISPATCH_LOOP_H

#include <stddef.h>
#include <stdint.h>

struct pollfd;

/* Called for a descriptor that is ready, with what poll(2) says of it. */
struct loop_watch {
	void (*ready)(void *context, int fd, short events);
	void *context;
};

struct loop {
	struct pollfd *requests; /* `count` of them */
	struct loop_watch *watches;
	size_t count;
	size_t room;
	int wake_in; /* a pipe: what is written here ends the wait */
	int wake_out;
};

/* 0 or -errno. */
int loop_init(struct loop *loop);
void loop_release(struct loop *loop);

/* Watches a descriptor for events, or for others from now on.  0 or -ENOMEM. */
int loop_watch(struct loop *loop, int fd, short events,
               struct loop_watch watch);
/* Does nothing for a descriptor that is not watched. */
void loop_forget(struct loop *loop, int fd);

/* Waits for at most so long, or until a signal, and calls for all that is
 * ready. */
void loop_turn(struct loop *loop, int64_t most_ns);

/* Ends a wait, the present one or the next.  Any thread and any signal handler
 * may call it. */
void loop_wake(const struct loop *loop);

#endif
