/*
 * What the programs that measure share: the clock, refusals, and starting
 * pipelines without a shell, so that no side pays for one.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* The exit status of shmlog where a filter lets no frame pass. */
#define NO_FRAME_PASSED 10

#define MOST_STAGES 4
#define MOST_WORDS 24

/* A command of a pipeline. */
struct stage {
	char *argv[MOST_WORDS + 1];
	size_t words;
	const char *input;  /* after "<" */
	const char *output; /* after ">" or ">>" */
	bool appends;
	pid_t pid;
};

struct pipeline {
	struct stage stages[MOST_STAGES];
	size_t count;
};

/* The ends that a pipeline gets where it names no file; -1: /dev/null. */
struct ends {
	int in;
	int out;
};

__attribute__((format(printf, 1, 2), noreturn)) static inline void
die(const char *format, ...)
{
	va_list arguments;

	fputs("bench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static inline int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void sleep_ns(int64_t ns)
{
	struct timespec span = {.tv_sec = (time_t)(ns / 1000000000),
	                        .tv_nsec = (long)(ns % 1000000000)};

	while (nanosleep(&span, &span) != 0 && errno == EINTR)
		;
}

static inline uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0')
		die("'%s' is no number", text);
	return value;
}

/* -------------------------------------------------------------- pipelines */

/*
 * Takes words up to `end` or the last one: commands with `|`, `<`, `>` and
 * `>>` as words of their own.  Returns how many words it took.
 */
static inline size_t pipeline_parse(struct pipeline *pipeline, char **words,
                                    size_t count, const char *end)
{
	size_t at = 0;

	*pipeline = (struct pipeline){.count = 1};
	for (; at < count && strcmp(words[at], end) != 0; at++) {
		struct stage *stage = &pipeline->stages[pipeline->count - 1];
		const char *word = words[at];
		bool more = at + 1 < count;

		if (strcmp(word, "|") == 0) {
			if (++pipeline->count > MOST_STAGES)
				die("a pipeline is too long");
		} else if (strcmp(word, "<") == 0 && more) {
			stage->input = words[++at];
		} else if (*word == '>' && more) {
			stage->appends = strcmp(word, ">>") == 0;
			stage->output = words[++at];
		} else if (stage->words == MOST_WORDS) {
			die("a command is too long");
		} else {
			stage->argv[stage->words++] = words[at];
		}
	}
	return at;
}

static inline void redirect(const char *path, int flags, int fd, int to)
{
	if (path != NULL)
		fd = open(path, flags, 0666);
	else if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0 || dup2(fd, to) < 0) {
		perror(path != NULL ? path : "/dev/null");
		_exit(126);
	}
}

static inline void stage_start(struct stage *stage, struct ends ends)
{
	int flags = O_WRONLY | O_CREAT | (stage->appends ? O_APPEND : O_TRUNC);
	pid_t parent = getpid();

	stage->pid = fork();
	if (stage->pid < 0)
		die("fork: %s", strerror(errno));
	if (stage->pid > 0)
		return;
#ifdef __linux__
	/* What is interrupted leaves nothing running. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent)
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	redirect(stage->input, O_RDONLY, ends.in, STDIN_FILENO);
	redirect(stage->output, flags, ends.out, STDOUT_FILENO);
	execvp(stage->argv[0], stage->argv);
	perror(stage->argv[0]);
	_exit(127);
}

/* Ends of ours must not live on in children: a reader would never see the
 * end of its input. */
static inline void make_pipe(int fds[2])
{
	if (pipe(fds) != 0)
		die("pipe: %s", strerror(errno));
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
}

static inline void pipeline_start(struct pipeline *pipeline, struct ends ends)
{
	int in = ends.in;

	for (size_t i = 0; i < pipeline->count; i++) {
		bool last = i + 1 == pipeline->count;
		int fds[2] = {-1, ends.out};

		if (!last)
			make_pipe(fds);
		stage_start(&pipeline->stages[i], (struct ends){in, fds[1]});
		if (!last)
			close(fds[1]);
		if (in != ends.in)
			close(in);
		in = fds[0];
	}
}

/* Waits for all of it; returns the highest peak of resident memory, in KiB,
 * and adds the processor time used. */
static inline long pipeline_wait(const struct pipeline *pipeline,
                                 double *cpu_seconds)
{
	long peak = 0;

	for (size_t i = 0; i < pipeline->count; i++) {
		const struct stage *stage = &pipeline->stages[i];
		struct rusage usage;
		int status;

		while (wait4(stage->pid, &status, 0, &usage) < 0)
			if (errno != EINTR)
				die("wait4: %s", strerror(errno));
		/* A filter that no frame passes has given its answer. */
		if (status != 0 && !(WIFEXITED(status) &&
		                     WEXITSTATUS(status) == NO_FRAME_PASSED))
			die("%s %s ended with status %d", stage->argv[0],
			    stage->words > 1 ? stage->argv[1] : "",
			    WIFEXITED(status) ? WEXITSTATUS(status)
			                      : -WTERMSIG(status));
		*cpu_seconds += (double)usage.ru_utime.tv_sec +
		                (double)usage.ru_stime.tv_sec +
		                (double)usage.ru_utime.tv_usec / 1e6 +
		                (double)usage.ru_stime.tv_usec / 1e6;
		if (usage.ru_maxrss > peak)
			peak = usage.ru_maxrss;
	}
	return peak;
}

#endif /* MEASURE_H */
