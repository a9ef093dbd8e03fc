/* Threads that sleep on words for others. */
#include "sleepers.h"

#include "quiet_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* A sleep has an array of a few KiB on its stack, and is deepest there. */
#define STACK_BYTES ((size_t)128 << 10)
/* A thread that rests, or is waited for, looks this often whether it missed
 * something, which it does not. */
#define REST_NS 100000000

/*
 * One thread.  Orders are numbered: an odd one is to sleep, an even one to
 * rest.  The members below them belong to the thread while it has not done the
 * last order, and to the caller otherwise.
 */
struct sleeper {
	struct shmlog_sleepers *all;
	pthread_t thread;
	_Atomic uint64_t order; /* the last one; the sleep is on it, too */
	_Atomic uint64_t done;  /* the one that the thread is through with */
	bool over;              /* there are no more orders */
	bool reported;          /* the caller has not taken the report */
	int64_t poll_ns;
	struct shmlog_report report;
	struct shmlog_group group;
};

struct shmlog_sleepers {
	_Atomic uint64_t bell; /* counts the orders that were done */
	pid_t owner;
	int64_t since_ns;
	size_t wanted; /* how many threads there were to be */
	size_t count;
	struct sleeper list[];
};

/* ---------------------------------------------------------- the thread */

/* Whether an order is still the last one: the wake for it may come when the
 * thread obeys it already. */
static bool is_ordered(const struct sleeper *sleeper, uint64_t order)
{
	return atomic_load_explicit(&sleeper->order, memory_order_acquire) ==
	       order;
}

/* Sleeps until a word is woken or has changed; that can be the order, too. */
static void sleep_on_group(struct sleeper *sleeper, uint64_t order)
{
	struct shmlog_awaited words[SHMLOG_AWAITED_MAX];
	struct shmlog_group *group = &sleeper->group;
	bool slept = false;
	size_t which = 0;
	int status;

	words[0] = (struct shmlog_awaited){&sleeper->order, order};
	for (size_t i = 0; i < group->count; i++)
		words[i + 1] = group->words[i];
	do {
		status = shmlog_sys_wait_any(words, group->count + 1,
		                             sleeper->poll_ns, &which);
		slept |= status == 0;
	} while (status == 0 || status == -EINTR ||
	         (status == 1 && which == 0 && is_ordered(sleeper, order)));
	sleeper->report = (struct shmlog_report){
		.status = status == -EAGAIN && slept ? 0 : status,
		.which = which > 0 ? which - 1 : 0,
	};
}

static void *run(void *argument)
{
	struct sleeper *sleeper = argument;
	uint64_t done = 0;

	for (;;) {
		uint64_t order = atomic_load_explicit(&sleeper->order,
		                                      memory_order_acquire);

		if (order == done) {
			(void)shmlog_sys_wait(&sleeper->order, done, REST_NS);
			continue;
		}
		if (order % 2 == 1)
			sleep_on_group(sleeper, order);
		else if (sleeper->over)
			return NULL;
		done = order;
		/* The caller who sees the order done reads the report. */
		atomic_store_explicit(&sleeper->done, done,
		                      memory_order_release);
		atomic_fetch_add_explicit(&sleeper->all->bell, 1,
		                          memory_order_release);
		(void)shmlog_sys_wake(&sleeper->all->bell);
	}
}

/* ---------------------------------------------------------- the caller */

/* Whether the system can sleep on several words: here one differs already. */
static bool can_sleep(void)
{
	_Atomic uint64_t word = 0;
	const struct shmlog_awaited awaited = {&word, 1};
	size_t which;

	return shmlog_sys_wait_any(&awaited, 1, 0, &which) != -ENOSYS;
}

struct shmlog_sleepers *shmlog_sleepers_open(size_t groups)
{
	if (!can_sleep())
		return NULL;
	struct shmlog_sleepers *sleepers = calloc(
		1, sizeof(*sleepers) + groups * sizeof(struct sleeper));

	if (sleepers == NULL)
		return NULL;
	sleepers->owner = getpid();
	sleepers->wanted = groups;
	sleepers->since_ns = shmlog_sys_now_ns();
	for (size_t i = 0; i < groups; i++) {
		sleepers->list[i].all = sleepers;
		if (!shmlog_start_quiet_thread(&sleepers->list[i].thread,
		                               STACK_BYTES, run,
		                               &sleepers->list[i]))
			break;
		sleepers->count++;
	}
	if (sleepers->count > 0)
		return sleepers;
	free(sleepers);
	return NULL;
}

/* Gives the order that is so much further: one more changes between the two
 * kinds. */
static void give_order(struct sleeper *sleeper, uint64_t further)
{
	uint64_t order = atomic_load_explicit(&sleeper->order,
	                                      memory_order_relaxed);

	/* The thread that sees the order reads what belongs to it. */
	atomic_store_explicit(&sleeper->order, order + further,
	                      memory_order_release);
	(void)shmlog_sys_wake(&sleeper->order);
}

static uint64_t last_order(const struct sleeper *sleeper)
{
	return atomic_load_explicit(&sleeper->order, memory_order_relaxed);
}

static bool rests(const struct sleeper *sleeper)
{
	return atomic_load_explicit(&sleeper->done, memory_order_acquire) ==
	       last_order(sleeper);
}

bool shmlog_sleepers_rests(const struct shmlog_sleepers *sleepers, size_t group)
{
	return rests(&sleepers->list[group]) && !sleepers->list[group].reported;
}

void shmlog_sleepers_sleep(struct shmlog_sleepers *sleepers, size_t group,
                           int64_t poll_ns)
{
	struct sleeper *sleeper = &sleepers->list[group];

	sleeper->poll_ns = poll_ns;
	sleeper->reported = true;
	give_order(sleeper, last_order(sleeper) % 2 == 0 ? 1 : 2);
}

void shmlog_sleepers_recall(struct shmlog_sleepers *sleepers, size_t group)
{
	struct sleeper *sleeper = &sleepers->list[group];

	if (last_order(sleeper) % 2 == 1)
		give_order(sleeper, 1);
	for (;;) {
		struct shmlog_awaited bell = shmlog_sleepers_bell(sleepers);

		if (rests(sleeper))
			break;
		(void)shmlog_sys_wait(bell.word, bell.expected, REST_NS);
	}
	sleeper->reported = false;
}

bool shmlog_sleepers_take_report(struct shmlog_sleepers *sleepers, size_t group,
                                 struct shmlog_report *report_out)
{
	struct sleeper *sleeper = &sleepers->list[group];

	if (!rests(sleeper) || !sleeper->reported)
		return false;
	sleeper->reported = false;
	*report_out = sleeper->report;
	return true;
}

struct shmlog_awaited shmlog_sleepers_bell(struct shmlog_sleepers *sleepers)
{
	return (struct shmlog_awaited){
		.word = &sleepers->bell,
		.expected = atomic_load_explicit(&sleepers->bell,
	                                         memory_order_acquire),
	};
}

struct shmlog_group *shmlog_sleepers_group(struct shmlog_sleepers *sleepers,
                                           size_t group)
{
	return &sleepers->list[group].group;
}

size_t shmlog_sleepers_count(const struct shmlog_sleepers *sleepers)
{
	return sleepers->count;
}

bool shmlog_sleepers_fit(const struct shmlog_sleepers *sleepers, size_t groups)
{
	return sleepers != NULL && sleepers->wanted >= groups &&
	       sleepers->owner == getpid();
}

int64_t shmlog_sleepers_since(const struct shmlog_sleepers *sleepers)
{
	return sleepers->since_ns;
}

static void end_thread(struct shmlog_sleepers *sleepers, size_t group)
{
	struct sleeper *sleeper = &sleepers->list[group];

	shmlog_sleepers_recall(sleepers, group);
	sleeper->over = true;
	give_order(sleeper, 2);
	(void)pthread_join(sleeper->thread, NULL);
}

void shmlog_sleepers_close(struct shmlog_sleepers *sleepers)
{
	if (sleepers == NULL)
		return;
	for (size_t i = 0; i < sleepers->count; i++) {
		/* A process that was forked has none of the threads. */
		if (sleepers->owner == getpid())
			end_thread(sleepers, i);
	}
	free(sleepers);
}
