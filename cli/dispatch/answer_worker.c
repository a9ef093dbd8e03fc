/* Keeps the processes that answer line by line, and starts them again. */
#include "answer_worker.h"

#include "bytes.h"
#include "call.h"
#include "child.h"
#include "clock.h"
#include "dispatch_options.h"
#include "loop.h"
#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <shmlog.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES 65536u
/* An answer that is longer ends its worker. */
#define MOST_BYTES ((size_t)16 << 20)

/* The pause before a worker is started again: doubled each time. */
#define FIRST_PAUSE_NS INT64_C(100000000)
#define MOST_PAUSE_NS INT64_C(10000000000)

/* How long workers may take to end, once their input has ended. */
#define END_NS INT64_C(1000000000)

/* For what is said about a worker that has ended. */
#define END_TEXT_BYTES 256

/* Workers that may end before anything was ever answered. */
#define MOST_IN_VAIN 5u

struct worker {
	struct worker_way *way;
	size_t number; /* from 1, for messages */
	struct child child;
	struct call *call;
	struct bytes input; /* the line that it gets */
	size_t given;       /* of that */
	struct bytes output;
	unsigned failures; /* since it last answered */
	int64_t due_ns;    /* to be started */
};

struct worker_way {
	struct way way; /* first */
	const char *command;
	uint64_t answers;
	uint64_t in_vain; /* ends before the first answer of all */
	size_t count;
	struct worker workers[];
};

static struct worker_way *of(struct way *way)
{
	return (struct worker_way *)way;
}

static void take_output(void *context, int fd, short events);

static void start_worker(struct worker *worker)
{
	struct loop *loop = worker->way->way.loop;
	int status = child_start(&worker->child, worker->way->command, NULL);

	bytes_clear(&worker->output);
	if (status == 0)
		status = loop_watch(loop, worker->child.out, POLLIN,
		                    (struct loop_watch){take_output, worker});
	if (status == 0)
		return;
	child_end(&worker->child);
	cli_message(NULL, "cannot start worker %zu: %s", worker->number,
	            shmlog_strerror(status));
	worker->failures++;
	worker->due_ns = cli_now_ns() + FIRST_PAUSE_NS * 10;
}

static void stop_worker(struct worker *worker)
{
	struct loop *loop = worker->way->way.loop;

	if (worker->child.in >= 0)
		loop_forget(loop, worker->child.in);
	if (worker->child.out >= 0)
		loop_forget(loop, worker->child.out);
	child_end(&worker->child);
	bytes_clear(&worker->input);
	worker->given = 0;
	worker->call = NULL;
}

/* --------------------------------------------------------------------- ends */

static int64_t pause_of(const struct worker *worker)
{
	unsigned doubled = worker->failures < 8 ? worker->failures : 8;
	int64_t pause_ns = FIRST_PAUSE_NS << (doubled > 0 ? doubled - 1 : 0);

	return pause_ns < MOST_PAUSE_NS ? pause_ns : MOST_PAUSE_NS;
}

static void describe_end(const struct worker *worker, const char *reason,
                         char *text, size_t size_bytes)
{
	int status = worker->child.status;

	if (reason != NULL)
		(void)snprintf(text, size_bytes, "gave %s, and was ended",
		               reason);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, size_bytes, "was ended by signal %d",
		               WTERMSIG(status));
	else
		(void)snprintf(text, size_bytes, "ended with status %d",
		               WEXITSTATUS(status));
}

/* Hands the call of a worker that ended back. */
static void hand_back(struct worker_way *way, struct call *call,
                      const char *message)
{
	call_clear(call);
	call_fail(call, CALL_RETRY, "worker", message);
	call->wait_ns = 0;
	if (way->answers == 0 && way->in_vain >= MOST_IN_VAIN + way->count)
		call->outcome = CALL_END;
	/* The prompt is not to blame. */
	else if (way->answers == 0 && call->tries > 0)
		call->tries--;
	way_finish(&way->way, call);
}

/* A worker has ended, or is no good, as the text then says: it is started again
 * later.  Returns its call, or NULL. */
static struct call *end_worker(struct worker *worker, const char *reason,
                               char text[END_TEXT_BYTES])
{
	struct worker_way *way = worker->way;
	struct call *call = worker->call;
	int64_t pause_ns;

	worker->failures++;
	way->in_vain += way->answers == 0;
	stop_worker(worker);
	describe_end(worker, reason, text, END_TEXT_BYTES);
	pause_ns = pause_of(worker);
	worker->due_ns = cli_now_ns() + pause_ns;
	cli_message(NULL,
	            "worker %zu %s; it is started again in %" PRId64 " ms",
	            worker->number, text, pause_ns / 1000000);
	return call;
}

/* The call goes to another worker. */
static void lose_worker(struct worker *worker, const char *reason)
{
	char text[END_TEXT_BYTES];
	struct call *call = end_worker(worker, reason, text);

	if (call != NULL)
		hand_back(worker->way, call, text);
}

/* Another worker would give the same. */
static void refuse_answer(struct worker *worker)
{
	char text[END_TEXT_BYTES];
	struct call *call;

	worker->way->answers++;
	call = end_worker(worker, "a line of more than 16 MiB", text);
	if (call == NULL)
		return;
	call_clear(call);
	call_fail(call, CALL_FAILED, "too_large",
	          "the line of the worker is over 16 MiB");
	way_finish(&worker->way->way, call);
}

/* --------------------------------------------------------------- in and out */

static void give_input(void *context, int fd, short events)
{
	struct worker *worker = context;
	ssize_t put = write(fd, worker->input.at + worker->given,
	                    worker->input.used - worker->given);

	(void)events;
	if (put > 0)
		worker->given += (size_t)put;
	else if (errno != EAGAIN && errno != EINTR) {
		/* Its end, or its silence, is noticed elsewhere. */
		loop_forget(worker->way->way.loop, fd);
		return;
	}
	if (worker->given == worker->input.used)
		loop_forget(worker->way->way.loop, fd);
	else if (loop_watch(worker->way->way.loop, fd, POLLOUT,
	                    (struct loop_watch){give_input, worker}) != 0)
		worker->input.failed = true;
}

/* Takes the first line of the output, if it is whole.  False if the worker is
 * lost. */
static bool take_line(struct worker *worker)
{
	struct worker_way *way = worker->way;
	struct call *call = worker->call;
	struct bytes *output = &worker->output;
	char *end = output->used > 0 ? memchr(output->at, '\n', output->used)
	                             : NULL;
	const char *reason = "a line that it was not asked for";
	struct cli_json_span line = {(const unsigned char *)output->at, 0};

	if (end == NULL)
		return true;
	line.size_bytes = (size_t)(end - output->at);
	if (call == NULL || !worker_take_answer(call, line, &reason)) {
		lose_worker(worker, reason);
		return false;
	}
	output->used -= line.size_bytes + 1;
	memmove(output->at, end + 1, output->used);
	worker->call = NULL;
	worker->failures = 0;
	bytes_clear(&worker->input);
	way->answers++;
	call->first_ns = cli_now_ns();
	way_finish(&way->way, call);
	return true;
}

static void take_output(void *context, int fd, short events)
{
	struct worker *worker = context;
	char *room = bytes_reserve(&worker->output, READ_BYTES);
	ssize_t got;

	(void)events;
	if (room == NULL || worker->output.used > MOST_BYTES) {
		refuse_answer(worker);
		return;
	}
	got = read(fd, room, READ_BYTES);
	if (got > 0) {
		worker->output.used += (size_t)got;
		(void)take_line(worker);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		loop_forget(worker->way->way.loop, fd);
		close(fd);
		worker->child.out = -1;
		/* One that lives on without an output is of no use. */
		if (worker->child.pid > 0)
			(void)kill(-worker->child.pid, SIGTERM);
	}
}

/* ------------------------------------------------------------------ the way */

static bool start(struct way *way, struct call *call)
{
	struct worker *worker = NULL;

	for (size_t i = 0; i < of(way)->count && worker == NULL; i++) {
		struct worker *one = &of(way)->workers[i];

		if (one->child.pid > 0 && one->child.out >= 0 &&
		    one->call == NULL)
			worker = one;
	}
	if (worker == NULL)
		return false;
	worker->call = call;
	call->of_way = worker;
	worker->given = 0;
	worker_line(&worker->input, call->prompts[0]);
	give_input(worker, worker->child.in, POLLOUT);
	return true;
}

/* What the worker would still answer is not wanted any more. */
static void cancel(struct way *way, struct call *call)
{
	struct worker *worker = call->of_way;

	(void)way;
	stop_worker(worker);
	worker->due_ns = 0;
}

static void tick(struct way *way, int64_t now_ns)
{
	for (size_t i = 0; i < of(way)->count; i++) {
		struct worker *worker = &of(way)->workers[i];

		if (worker->child.pid > 0) {
			if (!child_has_ended(&worker->child))
				continue;
			/* Its last words may be an answer. */
			if (worker->child.out >= 0)
				take_output(worker, worker->child.out, POLLIN);
			if (worker->child.in >= 0)
				lose_worker(worker, NULL);
		} else if (worker->due_ns <= now_ns) {
			start_worker(worker);
		}
	}
}

static int64_t due_ns(const struct way *way)
{
	const struct worker_way *workers = (const struct worker_way *)way;
	int64_t due_ns = INT64_MAX;

	for (size_t i = 0; i < workers->count; i++) {
		const struct worker *worker = &workers->workers[i];

		if (worker->child.pid <= 0 && worker->due_ns < due_ns)
			due_ns = worker->due_ns;
	}
	return due_ns;
}

/* Lets workers end by themselves, at the end of their input. */
static void wait_for_ends(struct worker_way *workers)
{
	int64_t until_ns = cli_now_ns() + END_NS;
	size_t running = workers->count;

	for (size_t i = 0; i < workers->count; i++) {
		if (workers->workers[i].call == NULL)
			child_close_in(&workers->workers[i].child);
	}
	while (running > 0 && cli_now_ns() < until_ns) {
		running = 0;
		for (size_t i = 0; i < workers->count; i++) {
			struct worker *worker = &workers->workers[i];

			running += worker->call == NULL &&
			           !child_has_ended(&worker->child);
		}
		if (running > 0)
			(void)poll(NULL, 0, 2);
	}
}

static void close_way(struct way *way)
{
	wait_for_ends(of(way));
	for (size_t i = 0; i < of(way)->count; i++) {
		struct worker *worker = &of(way)->workers[i];

		stop_worker(worker);
		bytes_free(&worker->input);
		bytes_free(&worker->output);
	}
	free(way);
}

struct way *answer_worker_new(const struct dispatch_options *options,
                              struct loop *loop)
{
	size_t count = (size_t)options->concurrency;
	struct worker_way *workers = calloc(
		1, sizeof(*workers) + count * sizeof(workers->workers[0]));

	if (workers == NULL)
		return NULL;
	workers->command = options->command;
	workers->count = count;
	workers->way = (struct way){.loop = loop,
	                            .start = start,
	                            .cancel = cancel,
	                            .tick = tick,
	                            .due_ns = due_ns,
	                            .close = close_way};
	for (size_t i = 0; i < count; i++)
		workers->workers[i] = (struct worker){
			.way = workers,
			.number = i + 1,
			.child = {.in = -1, .out = -1},
		};
	child_watch_ends(loop);
	return &workers->way;
}
