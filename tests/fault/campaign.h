/*
 * What the drivers of the campaigns share: the verdict, chance, and running a
 * command under a limit of time.
 */
#ifndef CAMPAIGN_H
#define CAMPAIGN_H

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
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define CAMPAIGN_MOST_ARGUMENTS 32
#define CAMPAIGN_CAPTURE_BYTES (1u << 20)
#define NS_PER_MS 1000000

static const char *campaign_name = "campaign";
static uint64_t campaign_chance = 1;

/* ---------------------------------------------------------------- verdict */

__attribute__((format(printf, 1, 2), noreturn)) static inline void
campaign_fail(const char *format, ...)
{
	char text[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* One line, whatever a command had to say. */
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\n' ? ' ' : *at;
	printf("%s: FAIL: %s\n", campaign_name, text);
	fflush(stdout);
	exit(1);
}

__attribute__((format(printf, 1, 2))) static inline int
campaign_pass(const char *format, ...)
{
	va_list arguments;

	printf("%s: PASS: ", campaign_name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	return fflush(stdout) == 0 ? 0 : 1;
}

static inline void campaign_out_of_time(int signal_number)
{
	static const char text[] = ": FAIL: it hangs, or takes far too long\n";
	ssize_t ignored;

	(void)signal_number;
	ignored = write(STDOUT_FILENO, campaign_name, strlen(campaign_name));
	ignored = write(STDOUT_FILENO, text, sizeof(text) - 1);
	(void)ignored;
	_exit(1);
}

/* Names the campaign, seeds chance (SEED=N repeats a run) and sets a limit
 * that no run may reach. */
static inline void campaign_begin(const char *name, unsigned limit_seconds)
{
	const char *seed = getenv("SEED");
	struct timespec now;

	campaign_name = name;
	clock_gettime(CLOCK_REALTIME, &now);
	campaign_chance = seed != NULL ? strtoull(seed, NULL, 10)
	                               : (uint64_t)now.tv_nsec ^
	                                         ((uint64_t)getpid() << 32);
	if (campaign_chance == 0)
		campaign_chance = 1;
	printf("%s: SEED=%" PRIu64 "\n", name, campaign_chance);
	fflush(stdout);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, campaign_out_of_time);
	alarm(limit_seconds);
}

/* ----------------------------------------------------------------- chance */

/* xorshift64*: enough for choosing moments and bytes. */
static inline uint64_t chance(void)
{
	campaign_chance ^= campaign_chance >> 12;
	campaign_chance ^= campaign_chance << 25;
	campaign_chance ^= campaign_chance >> 27;
	return campaign_chance * UINT64_C(2685821657736338717);
}

static inline uint64_t chance_below(uint64_t limit)
{
	return (chance() >> 16) % limit;
}

/* ------------------------------------------------------------------- time */

static inline int64_t campaign_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A limit for what takes no longer than `idle_ns` on an idle machine; a busy one
 * takes as much longer as SHMLOG_TEST_PATIENCE says, by default ten times. */
static inline int64_t campaign_patience_ns(int64_t idle_ns)
{
	const char *given = getenv("SHMLOG_TEST_PATIENCE");
	int64_t factor = given != NULL ? strtoll(given, NULL, 10) : 0;

	return idle_ns * (factor > 0 ? factor : 10);
}

static inline void campaign_sleep_ns(int64_t ns)
{
	struct timespec span = {.tv_sec = (time_t)(ns / 1000000000),
	                        .tv_nsec = (long)(ns % 1000000000)};

	nanosleep(&span, NULL);
}

static inline uint64_t campaign_number(const char *text)
{
	char *end;
	uint64_t number = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		campaign_fail("'%s' is no number", text);
	return number;
}

/* ---------------------------------------------------------------- commands */

struct campaign_pipes {
	int in;  /* its standard input; -1: /dev/null */
	int out; /* its standard output; -1: /dev/null */
	int err; /* its standard error; -1: /dev/null */
};

static inline void campaign_redirect(int fd, int to)
{
	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0 || dup2(fd, to) < 0)
		_exit(125);
}

/* fork(2), but the child dies with this process. */
static inline pid_t campaign_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		campaign_fail("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent)
		_exit(125);
	return 0;
}

/* Starts a child that does one thing, with chances of its own. */
static inline pid_t campaign_start_child(void (*body)(unsigned),
                                         unsigned number)
{
	uint64_t seed = chance();
	pid_t pid = campaign_fork();

	if (pid > 0)
		return pid;
	signal(SIGALRM, SIG_DFL);
	campaign_chance = seed | 1;
	body(number);
	_exit(0);
}

/* Starts a command, which dies with this process.  All descriptors of ours
 * are close-on-exec. */
static inline pid_t campaign_start(const char *const *argv,
                                   struct campaign_pipes pipes)
{
	pid_t pid = campaign_fork();

	if (pid > 0)
		return pid;
	signal(SIGPIPE, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	campaign_redirect(pipes.in, STDIN_FILENO);
	campaign_redirect(pipes.out, STDOUT_FILENO);
	campaign_redirect(pipes.err, STDERR_FILENO);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(125);
}

/* Waits for a process: its exit status, minus the signal that ended it, or
 * -1000 when it had to be killed after `limit_ns`. */
static inline int campaign_wait(pid_t pid, int64_t limit_ns,
                                struct rusage *usage_out)
{
	int64_t start = campaign_now_ns();
	int64_t pause = 50000;
	struct rusage usage;
	bool killed = false;
	int status;

	while (wait4(pid, &status, killed ? 0 : WNOHANG, &usage) == 0) {
		if (campaign_now_ns() - start > limit_ns) {
			kill(pid, SIGKILL);
			killed = true;
			continue;
		}
		campaign_sleep_ns(pause);
		pause = pause < 2 * NS_PER_MS ? pause * 5 / 4 : pause;
	}
	if (usage_out != NULL)
		*usage_out = usage;
	if (killed)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Sends a signal to a process, which must end by it. */
static inline void campaign_end_by(pid_t pid, int signal_number,
                                   int64_t limit_ns)
{
	kill(pid, signal_number);
	int status = campaign_wait(pid, limit_ns, NULL);

	if (status != -signal_number)
		campaign_fail("a process ended with status %d", status);
}

#define CAMPAIGN_LINE_BYTES 1024

/* A line as far as it has been read. */
struct campaign_line {
	char text[CAMPAIGN_LINE_BYTES];
	size_t bytes;
};

/* Reads until nothing is there: `take` gets each line, with a NUL for its
 * newline. */
static inline void campaign_read_lines(int fd, struct campaign_line *line,
                                       void (*take)(void *context,
                                                    const char *text),
                                       void *context)
{
	char bytes[8192];
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] == '\n') {
				line->text[line->bytes] = '\0';
				line->bytes = 0;
				take(context, line->text);
			} else if (line->bytes < CAMPAIGN_LINE_BYTES - 1) {
				line->text[line->bytes++] = bytes[i];
			}
		}
	}
}

/* What a command did. */
struct campaign_result {
	int status; /* as campaign_wait() gives it */
	int64_t ns;
	long most_kib; /* of resident memory */
	char *out;     /* up to CAMPAIGN_CAPTURE_BYTES of it, then a NUL */
	size_t out_bytes;
	char *err;
	size_t err_bytes;
};

static inline int campaign_unnamed_file(void)
{
	const char *directory = getenv("TMPDIR");
	char name[4096];

	snprintf(name, sizeof(name), "%s/capture.XXXXXX",
	         directory != NULL ? directory : "/tmp");
	int fd = mkstemp(name);

	if (fd < 0)
		campaign_fail("%s: %s", name, strerror(errno));
	unlink(name);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static inline void campaign_rewind(int fd)
{
	if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
		campaign_fail("scratch file: %s", strerror(errno));
}

static inline size_t campaign_capture(int fd, char *text)
{
	ssize_t got = pread(fd, text, CAMPAIGN_CAPTURE_BYTES, 0);

	if (got < 0)
		campaign_fail("scratch file: %s", strerror(errno));
	text[got] = '\0';
	return (size_t)got;
}

/* Runs a command to its end, with `in` as its standard input (-1: none).  The
 * texts are valid until the next run. */
static inline struct campaign_result campaign_run(const char *const *argv,
                                                  int in, int64_t limit_ns)
{
	static int out = -1, err = -1;
	static char *out_text, *err_text;
	struct campaign_result result = {0};
	struct rusage usage;

	if (out < 0) {
		out = campaign_unnamed_file();
		err = campaign_unnamed_file();
		out_text = malloc(CAMPAIGN_CAPTURE_BYTES + 1);
		err_text = malloc(CAMPAIGN_CAPTURE_BYTES + 1);
		if (out_text == NULL || err_text == NULL)
			campaign_fail("no memory");
	}
	campaign_rewind(out);
	campaign_rewind(err);
	int64_t start = campaign_now_ns();
	pid_t pid = campaign_start(
		argv,
		(struct campaign_pipes){.in = in, .out = out, .err = err});

	result.status = campaign_wait(pid, limit_ns, &usage);
	result.ns = campaign_now_ns() - start;
	result.most_kib = usage.ru_maxrss;
	result.out = out_text;
	result.err = err_text;
	result.out_bytes = campaign_capture(out, out_text);
	result.err_bytes = campaign_capture(err, err_text);
	return result;
}

/* Whether a status is one of the table that all commands share. */
static inline bool campaign_in_table(int status)
{
	return (status >= 0 && status <= 9) || status == 124;
}

static inline void campaign_close_on_exec(int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static inline void campaign_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		campaign_fail("pipe: %s", strerror(errno));
	campaign_close_on_exec(ends[0]);
	campaign_close_on_exec(ends[1]);
}

#endif
