/* Runs one process for each call. */
#include "answer_exec.h"

#include "base64.h"
#include "call.h"
#include "child.h"
#include "clock.h"
#include "dispatch_options.h"
#include "loop.h"
#include "utf8.h"

#include <errno.h>
#include <poll.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES 65536u
/* A reply that is longer is an error. */
#define MOST_BYTES ((size_t)16 << 20)
/* The status of a command that wants to be run again (EX_TEMPFAIL). */
#define TRY_AGAIN 75

/* One process that runs. */
struct exec_run {
	struct exec_way *way;
	struct call *call;
	struct child child;
	size_t given; /* bytes of the payload that it has taken */
	struct bytes output;
	struct exec_run *next;
};

struct exec_way {
	struct way way; /* first */
	const char *command;
	struct exec_run *runs;
};

static struct exec_way *of(struct way *way)
{
	return (struct exec_way *)way;
}

static void end_run(struct exec_run *run)
{
	struct exec_run **place = &run->way->runs;
	struct loop *loop = run->way->way.loop;

	while (*place != run)
		place = &(*place)->next;
	*place = run->next;
	if (run->child.in >= 0)
		loop_forget(loop, run->child.in);
	if (run->child.out >= 0)
		loop_forget(loop, run->child.out);
	child_end(&run->child);
	bytes_free(&run->output);
	free(run);
}

/* ----------------------------------------------------------------- outcomes */

static void take_text(struct exec_run *run)
{
	struct call *call = run->call;
	const struct bytes *output = &run->output;
	char *room;

	call->outcome = CALL_DONE;
	call->has_text = true;
	bytes_clear(&call->members);
	if (cli_utf8_is_valid((const unsigned char *)output->at,
	                      output->used)) {
		bytes_escaped(&call->text, output->at, output->used);
		return;
	}
	bytes_string(&call->members, "\"encoding\":\"base64\"");
	room = bytes_reserve(&call->text, output->used / 3 * 4 + 8);
	if (room != NULL)
		call->text.used += cli_base64_encode(
			room, (const unsigned char *)output->at, output->used);
}

/* Says how the command ended. */
static void fail(struct call *call, int status, bool too_large)
{
	char text[128];

	if (too_large) {
		call_fail(call, CALL_FAILED, "too_large",
		          "the output of the command is over 16 MiB");
		return;
	}
	if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text),
		               "the command was ended by signal %d",
		               WTERMSIG(status));
	else
		(void)snprintf(text, sizeof(text),
		               "the command ended with status %d",
		               WEXITSTATUS(status));
	call_fail(call,
	          WIFEXITED(status) && WEXITSTATUS(status) == TRY_AGAIN
	                  ? CALL_RETRY
	                  : CALL_FAILED,
	          "command", text);
	if (WIFEXITED(status)) {
		bytes_string(&call->members, ",\"status\":");
		bytes_u64(&call->members, (uint64_t)WEXITSTATUS(status));
	}
}

static void finish(struct exec_run *run, bool too_large)
{
	struct exec_way *way = run->way;
	struct call *call = run->call;

	if (!too_large && WIFEXITED(run->child.status) &&
	    WEXITSTATUS(run->child.status) == 0)
		take_text(run);
	else
		fail(call, run->child.status, too_large);
	call->text.failed |= run->output.failed;
	end_run(run);
	way_finish(&way->way, call);
}

/* --------------------------------------------------------------- in and out */

static void close_in(struct exec_run *run)
{
	loop_forget(run->way->way.loop, run->child.in);
	child_close_in(&run->child);
}

static void give_payload(void *context, int fd, short events)
{
	struct exec_run *run = context;
	const struct prompt *prompt = run->call->prompts[0];
	ssize_t put = write(fd, prompt->payload + run->given,
	                    prompt->size_bytes - run->given);

	(void)events;
	if (put > 0)
		run->given += (size_t)put;
	/* A command that reads no more may do so. */
	if (run->given == prompt->size_bytes ||
	    (put < 0 && errno != EAGAIN && errno != EINTR))
		close_in(run);
}

/* Reads what there is.  False at the end. */
static bool read_output(struct exec_run *run)
{
	while (run->output.used <= MOST_BYTES) {
		char *room = bytes_reserve(&run->output, READ_BYTES);
		ssize_t got;

		if (room == NULL)
			return false;
		got = read(run->child.out, room, READ_BYTES);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		if (run->call->first_ns == 0)
			run->call->first_ns = cli_now_ns();
		run->output.used += (size_t)got;
	}
	return true;
}

static void take_output(void *context, int fd, short events)
{
	struct exec_run *run = context;

	(void)events;
	if (!read_output(run)) {
		loop_forget(run->way->way.loop, fd);
		close(fd);
		run->child.out = -1;
	}
	if (run->output.used > MOST_BYTES)
		finish(run, true);
}

/* ------------------------------------------------------------------ the way */

static bool start(struct way *way, struct call *call)
{
	struct exec_run *run = calloc(1, sizeof(*run));
	int status = -ENOMEM;

	if (run != NULL)
		status = child_start(&run->child, of(way)->command,
		                     &call->prompts[0]->cursor);
	if (status != 0) {
		free(run);
		call_fail(call, CALL_RETRY, "cannot_start",
		          shmlog_strerror(status));
		way_finish(way, call);
		return true;
	}
	run->way = of(way);
	run->call = call;
	run->next = of(way)->runs;
	of(way)->runs = run;
	call->of_way = run;
	if (loop_watch(way->loop, run->child.out, POLLIN,
	               (struct loop_watch){take_output, run}) != 0 ||
	    loop_watch(way->loop, run->child.in, POLLOUT,
	               (struct loop_watch){give_payload, run}) != 0)
		run->output.failed = true;
	give_payload(run, run->child.in, POLLOUT);
	return true;
}

static void cancel(struct way *way, struct call *call)
{
	(void)way;
	end_run(call->of_way);
}

/* Looks which processes have ended. */
static void tick(struct way *way, int64_t now_ns)
{
	struct exec_run *next;

	(void)now_ns;
	for (struct exec_run *run = of(way)->runs; run != NULL; run = next) {
		next = run->next;
		if (!child_has_ended(&run->child))
			continue;
		/* All that it has written is there by now; what others have
		 * in the pipe still is not waited for. */
		if (run->child.out >= 0)
			(void)read_output(run);
		finish(run, run->output.used > MOST_BYTES);
	}
}

static int64_t due_ns(const struct way *way)
{
	(void)way;
	return INT64_MAX;
}

static void close_way(struct way *way)
{
	struct exec_run *next;

	for (struct exec_run *run = of(way)->runs; run != NULL; run = next) {
		next = run->next;
		end_run(run);
	}
	free(way);
}

struct way *answer_exec_new(const struct dispatch_options *options,
                            struct loop *loop)
{
	struct exec_way *exec = calloc(1, sizeof(*exec));

	if (exec == NULL)
		return NULL;
	exec->command = options->command;
	exec->way = (struct way){.loop = loop,
	                         .start = start,
	                         .cancel = cancel,
	                         .tick = tick,
	                         .due_ns = due_ns,
	                         .close = close_way};
	child_watch_ends(loop);
	return &exec->way;
}
