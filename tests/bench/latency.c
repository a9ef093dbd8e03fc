/*
 * How long a line takes from a producer's pipe to a follower's, side by side:
 *
 *   latency [OPTION]... SIDE -- SIDE [-- SIDE]...
 *
 * A SIDE is WRITER => FOLLOWER: a command that reads lines from a pipe, and
 * one that prints them into a pipe as they come.  All of them stay alive
 * while lines take turns, one at a time: its text is the monotonic clock when
 * it was sent, and it has come when this process has read all of it.
 *
 * A WRITER may also be `>> FILE` alone: this process writes to the file.  And
 * a SIDE may be `library LOG`: this process commits to the log and wakes, and
 * a process that waits with shmlog_reader_wait() takes the time on waking.
 *
 *   --samples N    lines a side (1000), after --warmup N (50)
 *   --pause-us N   between a line's arrival and the next line (1000)
 *   --bytes N      of a line, its newline included (64)
 *
 * Prints one JSON object: the microseconds of each line, side by side.
 */
#include "mapped.h"

#include <poll.h>

#define MOST_SIDES 6
#define MOST_LINE_BYTES 4096
#define STAMP_BYTES 20 /* digits, always as many */
#define ANSWER_MS 5000
#define WORD_LIBRARY "library"

struct side {
	struct pipeline writer;
	struct pipeline follower;
	const char *log_path; /* of a side that is the library alone */
	struct shmlog *log;
	struct shmlog_writer *log_writer;
	pid_t waiter;
	int to;   /* where lines go in */
	int from; /* where they come out */
	double *us;
};

struct latency {
	size_t samples;
	size_t warmup;
	int64_t pause_ns;
	size_t line_bytes;
	size_t side_count;
	struct side sides[MOST_SIDES];
};

/* ------------------------------------------------------------ the library */

/* Sends the span from the time in each frame to its arrival. */
__attribute__((noreturn)) static void wait_for_frames(const char *path, int to)
{
	struct shmlog *log;
	struct shmlog_reader *reader;
	struct shmlog_frame frame;

	check(shmlog_open(path, &log), path);
	check(shmlog_reader_open(log, NULL, &reader), path);
	for (;;) {
		check(shmlog_reader_wait(reader, -1, 0), path);
		/* A frame may come while the one before it is told of. */
		while (shmlog_reader_next(reader, &frame) == 1) {
			int64_t span = now_ns();
			int64_t sent;

			memcpy(&sent, frame.payload, sizeof(sent));
			span -= sent;
			if (write(to, &span, sizeof(span)) != sizeof(span))
				_exit(0);
		}
	}
}

static void library_start(struct side *side)
{
	int fds[2];
	pid_t parent = getpid();

	check(shmlog_open(side->log_path, &side->log), side->log_path);
	check(shmlog_writer_open(side->log, NULL, &side->log_writer),
	      side->log_path);
	make_pipe(fds);
	side->waiter = fork();
	if (side->waiter < 0)
		die("fork: %s", strerror(errno));
	if (side->waiter == 0) {
#ifdef __linux__
		prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
		if (getppid() != parent)
			_exit(126);
		wait_for_frames(side->log_path, fds[1]);
	}
	close(fds[1]);
	side->from = fds[0];
}

static int64_t library_sample(struct side *side, size_t bytes)
{
	unsigned char *payload;
	int64_t span;
	int64_t sent = now_ns();

	check(shmlog_writer_allocate(side->log_writer, bytes, &payload),
	      side->log_path);
	memset(payload, 'x', bytes);
	memcpy(payload, &sent, sizeof(sent));
	check(shmlog_writer_commit(side->log_writer), side->log_path);
	check(shmlog_wake(side->log), side->log_path);
	if (read(side->from, &span, sizeof(span)) != sizeof(span))
		die("%s: the process that waits is gone", side->log_path);
	return span;
}

/* ------------------------------------------------------------------ pipes */

static void side_start(struct side *side)
{
	struct stage *first = &side->writer.stages[0];
	int fds[2];

	if (side->log_path != NULL) {
		library_start(side);
		return;
	}
	if (first->words == 0) {
		side->to = open(first->output,
		                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		                0600);
		if (side->to < 0)
			die("%s: %s", first->output, strerror(errno));
	} else {
		make_pipe(fds);
		pipeline_start(&side->writer, (struct ends){fds[0], -1});
		close(fds[0]);
		side->to = fds[1];
	}
	make_pipe(fds);
	pipeline_start(&side->follower, (struct ends){-1, fds[1]});
	close(fds[1]);
	side->from = fds[0];
}

static void read_line(const struct side *side, char *line, size_t bytes)
{
	struct pollfd ready = {.fd = side->from, .events = POLLIN};
	size_t used = 0;

	while (used < bytes) {
		if (poll(&ready, 1, ANSWER_MS) == 0)
			die("%s: a line did not come within %d s",
			    side->follower.stages[0].argv[0], ANSWER_MS / 1000);
		ssize_t got = read(side->from, line + used, bytes - used);

		if (got <= 0)
			die("%s ended", side->follower.stages[0].argv[0]);
		used += (size_t)got;
	}
}

static int64_t pipe_sample(const struct side *side, size_t bytes)
{
	char line[MOST_LINE_BYTES + 1];
	char seen[MOST_LINE_BYTES];

	memset(line, 'x', bytes);
	line[bytes - 1] = '\n';
	int64_t sent = now_ns();

	snprintf(line, sizeof(line), "%0*" PRId64, STAMP_BYTES, sent);
	line[STAMP_BYTES] = ' ';
	if (write(side->to, line, bytes) != (ssize_t)bytes)
		die("%s: cannot write a line", side->writer.stages[0].argv[0]);
	read_line(side, seen, bytes);
	int64_t span = now_ns() - sent;

	if (memcmp(line, seen, bytes) != 0)
		die("%s printed another line",
		    side->follower.stages[0].argv[0]);
	return span;
}

/* ---------------------------------------------------------------- turns */

static void take_turns(struct latency *latency)
{
	for (size_t n = 0; n < latency->warmup + latency->samples; n++) {
		for (size_t i = 0; i < latency->side_count; i++) {
			struct side *side = &latency->sides[i];
			int64_t span =
				side->log_path != NULL
					? library_sample(side,
			                                 latency->line_bytes)
					: pipe_sample(side,
			                              latency->line_bytes);

			if (n >= latency->warmup)
				side->us[n - latency->warmup] = (double)span /
				                                1e3;
			if (latency->pause_ns > 0)
				sleep_ns(latency->pause_ns);
		}
	}
}

static void kill_all(const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->count; i++)
		if (pipeline->stages[i].pid > 0)
			kill(pipeline->stages[i].pid, SIGTERM);
}

static void side_stop(const struct side *side)
{
	if (side->waiter > 0)
		kill(side->waiter, SIGTERM);
	kill_all(&side->writer);
	kill_all(&side->follower);
}

static void print_results(const struct latency *latency)
{
	printf("{\"samples\":%zu,\"pause_us\":%" PRId64 ",\"sides\":[",
	       latency->samples, latency->pause_ns / 1000);
	for (size_t i = 0; i < latency->side_count; i++) {
		printf("%s{\"us\":[", i > 0 ? "," : "");
		for (size_t n = 0; n < latency->samples; n++)
			printf("%s%.3f", n > 0 ? "," : "",
			       latency->sides[i].us[n]);
		printf("]}");
	}
	printf("]}\n");
}

/* -------------------------------------------------------------- arguments */

static size_t parse_option(struct latency *latency, char **words, size_t count)
{
	if (count < 2)
		die("%s: too few words", words[0]);
	if (strcmp(words[0], "--samples") == 0)
		latency->samples = number(words[1]);
	else if (strcmp(words[0], "--warmup") == 0)
		latency->warmup = number(words[1]);
	else if (strcmp(words[0], "--pause-us") == 0)
		latency->pause_ns = (int64_t)number(words[1]) * 1000;
	else if (strcmp(words[0], "--bytes") == 0)
		latency->line_bytes = number(words[1]);
	else
		die("no such option: %s", words[0]);
	return 2;
}

static size_t parse_side(struct side *side, char **words, size_t count)
{
	size_t at;

	if (count >= 2 && strcmp(words[0], WORD_LIBRARY) == 0) {
		side->log_path = words[1];
		return 2;
	}
	at = pipeline_parse(&side->writer, words, count, "=>");
	if (at == count)
		die("a side without =>");
	at++;
	at += pipeline_parse(&side->follower, words + at, count - at, "--");
	if (side->follower.stages[0].words == 0)
		die("a side without a follower");
	return at;
}

static void parse(struct latency *latency, char **words, size_t count)
{
	size_t at = 0;

	while (at < count && strncmp(words[at], "--", 2) == 0)
		at += parse_option(latency, words + at, count - at);
	while (at < count) {
		if (latency->side_count == MOST_SIDES)
			die("too many sides");
		struct side *side = &latency->sides[latency->side_count++];

		at += parse_side(side, words + at, count - at) + 1;
		side->us = calloc(latency->samples, sizeof(*side->us));
		if (side->us == NULL)
			die("no memory");
	}
	if (latency->side_count == 0 || latency->samples == 0 ||
	    latency->line_bytes <= STAMP_BYTES + 1 ||
	    latency->line_bytes > MOST_LINE_BYTES)
		die("usage: latency [OPTION]... SIDE -- SIDE [-- SIDE]...");
}

int main(int argc, char **argv)
{
	static struct latency latency = {
		.samples = 1000,
		.warmup = 50,
		.pause_ns = 1000000,
		.line_bytes = 64,
	};

	parse(&latency, argv + 1, (size_t)argc - 1);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < latency.side_count; i++)
		side_start(&latency.sides[i]);
	take_turns(&latency);
	for (size_t i = 0; i < latency.side_count; i++)
		side_stop(&latency.sides[i]);
	print_results(&latency);
	return fflush(stdout) == 0 ? 0 : 1;
}
