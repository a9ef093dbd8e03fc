/*
 * Runs one test file and lets nothing of it outlast it:
 *
 *	supervise SECONDS PARENT COMMAND [ARGUMENT...]
 *
 * The command gets a session, a folder in memory (SHMLOG_TEST_MEMORY) and one
 * for temporary files (TMPDIR) of its own.  However it ends, all processes that
 * descend from it are ended and the folders are removed; what was still there
 * is reported as a failed test.  So it is also when this program is ended by a
 * signal or when PARENT is no more.
 *
 * What the command prints goes through, what it says on its standard error as
 * remarks.  After SECONDS without a result the command is ended, and the test
 * that it was running is reported as failed.  These are seconds of an idle
 * machine: while more processes want to run than there are processors, they
 * pass as much more slowly.  "begin NUMBER NAME" lines, which are left out, say
 * which test runs.
 */
#include "room.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 50
/* How much more slowly time may pass at most, so that a machine which counts
 * wrongly still ends what hangs. */
#define SLOWEST 16
/* How long what a command started may need to end after it. */
#define STRAGGLERS_MS 3000
#define STRAGGLERS_NAMED 10

/* One of the command's outputs, cut into lines. */
struct stream {
	int fd; /* -1: closed */
	const char *prefix;
	char line[65536];
	size_t length;
};

struct run {
	pid_t pid;
	pid_t parent;
	bool ended;
	int status;
	struct stream out;
	struct stream err;
	char test[512]; /* the one that runs, or the last one */
	bool runs;
	double idle_seconds; /* since the last result, on an idle machine */
	double wall_seconds; /* the same by the clock */
	double limit_seconds;
};

static volatile sig_atomic_t ended_by;
static bool unheard; /* nobody reads what is printed */

static void note_signal(int number)
{
	ended_by = number;
}

static void wake_up(int number)
{
	(void)number;
}

static void set_handlers(void)
{
	static const int ending[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT};
	struct sigaction action = {.sa_handler = note_signal};

	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		sigaction(ending[i], &action, NULL);
	/* So that poll(2) returns when a child ends. */
	action.sa_handler = wake_up;
	sigaction(SIGCHLD, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/* ----------------------------------------------------------------- output */

static void print_bytes(const char *bytes, size_t length)
{
	while (length > 0 && !unheard) {
		ssize_t put = write(STDOUT_FILENO, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		unheard = put < 0;
		bytes += put;
		length -= (size_t)put;
	}
}

__attribute__((format(printf, 1, 2))) static void print(const char *format, ...)
{
	char text[8192];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_bytes(text, strlen(text));
}

static bool begins_with(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* Whether a line is a result, and where in it the test's name is. */
static const char *name_in_result(const char *line)
{
	const char *at = line;

	if (begins_with(at, "not "))
		at += 4;
	if (!begins_with(at, "ok "))
		return NULL;
	at += 3;
	at += strspn(at, "0123456789");
	return at + strspn(at, " -");
}

/* Takes note of a line of the standard output; whether to print it. */
static bool note_line(struct run *run, const char *line)
{
	const char *name = name_in_result(line);
	int name_at = 0;
	int number;

	if (sscanf(line, "begin %d %n", &number, &name_at) == 1 && name_at > 0)
		name = line + name_at;
	if (name == NULL)
		return true;
	run->runs = name_at > 0;
	snprintf(run->test, sizeof(run->test), "%s", name);
	run->idle_seconds = 0;
	run->wall_seconds = 0;
	return !run->runs;
}

static void finish_line(struct run *run, struct stream *stream)
{
	stream->line[stream->length] = '\0';
	stream->length = 0;
	if (stream == &run->out && !note_line(run, stream->line))
		return;
	print_bytes(stream->prefix, strlen(stream->prefix));
	print_bytes(stream->line, strlen(stream->line));
	print_bytes("\n", 1);
}

/* Reads what is there; false when nothing is. */
static bool take(struct run *run, struct stream *stream)
{
	char bytes[16384];
	ssize_t got = stream->fd >= 0 ? read(stream->fd, bytes, sizeof(bytes))
	                              : -1;

	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] == '\n' ||
		    stream->length == sizeof(stream->line) - 1)
			finish_line(run, stream);
		if (bytes[i] != '\n' && bytes[i] != '\0')
			stream->line[stream->length++] = bytes[i];
	}
	if (got == 0) {
		close(stream->fd);
		stream->fd = -1;
	}
	return got > 0;
}

static void drain(struct run *run)
{
	while (take(run, &run->out) || take(run, &run->err))
		;
	if (run->out.length > 0)
		finish_line(run, &run->out);
	if (run->err.length > 0)
		finish_line(run, &run->err);
}

/* ------------------------------------------------------------------- time */

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double processors(void)
{
#ifdef __linux__
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
#endif
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (double)count : 1;
}

/* What a process that wants to run gets of a processor, by the number of those
 * that want to: 1 on an idle machine. */
static double share(void)
{
	FILE *file = fopen("/proc/loadavg", "re");
	unsigned running = 0;
	double got = 1;

	if (file == NULL)
		return 1;
	if (fscanf(file, "%*s %*s %*s %u", &running) == 1 && running > 0)
		got = processors() / running;
	fclose(file);
	return got > 1 ? 1 : got < 1.0 / SLOWEST ? 1.0 / SLOWEST : got;
}

/* ---------------------------------------------------------------- command */

static void become(char **argv, const int out[2], const int err[2])
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	setsid();
	signal(SIGPIPE, SIG_DFL);
	if (dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

static bool output_pipe(int ends[2])
{
	return pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
	       fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 &&
	       fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool start(struct run *run, char **argv)
{
	int out[2];
	int err[2];

	if (!output_pipe(out) || !output_pipe(err))
		return false;
	run->pid = fork();
	if (run->pid == 0)
		become(argv, out, err);
	close(out[1]);
	close(err[1]);
	run->out.fd = out[0];
	run->err.fd = err[0];
	return run->pid > 0;
}

/* Collects what ended, the command itself with its status. */
static void collect(struct run *run)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != run->pid)
			continue;
		run->ended = true;
		run->status = WIFEXITED(status) ? WEXITSTATUS(status)
		                                : 128 + WTERMSIG(status);
	}
}

/* Whether the parent has ended, be it that nobody has collected it yet. */
static bool is_orphaned(const struct run *run)
{
	struct tree_process parent;

	if (kill(run->parent, 0) != 0 && errno == ESRCH)
		return true;
	return access("/proc/self/stat", R_OK) == 0 &&
	       !tree_read(run->parent, &parent);
}

static bool is_abandoned(const struct run *run)
{
	return unheard || ended_by != 0 || is_orphaned(run);
}

static bool is_late(const struct run *run)
{
	return run->idle_seconds > run->limit_seconds;
}

static void await(struct run *run)
{
	double before = now_seconds();

	while (!run->ended && !is_abandoned(run) && !is_late(run)) {
		struct pollfd any[] = {{.fd = run->out.fd, .events = POLLIN},
		                       {.fd = run->err.fd, .events = POLLIN}};

		poll(any, 2, TICK_MS);
		take(run, &run->out);
		take(run, &run->err);
		collect(run);
		double now = now_seconds();

		run->idle_seconds += (now - before) * share();
		run->wall_seconds += now - before;
		before = now;
	}
}

/* ----------------------------------------------------------------- report */

static void name_processes(const char *format)
{
	pid_t pids[STRAGGLERS_NAMED];
	size_t count = tree_list(pids, STRAGGLERS_NAMED);
	char command[256];

	for (size_t i = 0; i < count; i++) {
		tree_command(pids[i], command, sizeof(command));
		print(format, (int)pids[i], command);
	}
}

static void report_late(const struct run *run)
{
	print("not ok - %s%s%stimed out after %.0f s (%.0f s by the clock)\n",
	      run->runs || run->test[0] == '\0' ? "" : "after ", run->test,
	      run->test[0] != '\0' ? ": " : "", run->idle_seconds,
	      run->wall_seconds);
	name_processes("# still there: %d %s\n");
}

/* A kill takes effect in a moment; what stays longer was forgotten. */
static void report_stragglers(void)
{
	pid_t pid;

	for (long waited = 0; waited < STRAGGLERS_MS; waited += TICK_MS) {
		if (tree_list(&pid, 1) == 0)
			return;
		tree_pause((long)(TICK_MS / share()));
		tree_reap();
	}
	name_processes("not ok - leaves a process behind: %d %s\n");
}

static void report_files(const struct room *room)
{
	char name[NAME_MAX + 1];

	if (room_has(room, name, sizeof(name)))
		print("not ok - leaves a file behind: %s/%s\n", room->path,
		      name);
}

/* -------------------------------------------------------------------- all */

static int supervise(struct run *run, const struct room rooms[2])
{
	await(run);
	if (run->ended) {
		report_stragglers();
	} else if (is_late(run)) {
		drain(run);
		report_late(run);
	}

	bool in_full = run->ended;

	tree_end(run->pid);
	if (in_full) {
		drain(run);
		report_files(&rooms[0]);
		report_files(&rooms[1]);
	}
	room_remove(rooms[0].path);
	room_remove(rooms[1].path);
	if (in_full)
		return run->status;
	return ended_by != 0 ? 128 + ended_by : 124;
}

static bool make_rooms(struct room rooms[2])
{
	const char *temporary = getenv("TMPDIR");
	const char *memory = getenv("SHMLOG_TEST_MEMORY");

	if (temporary == NULL || temporary[0] == '\0')
		temporary = "/tmp";
	if (memory == NULL)
		memory = "/dev/shm";
	if (access(memory, W_OK | X_OK) != 0)
		memory = temporary;
	return room_make(&rooms[0], memory) &&
	       room_make(&rooms[1], temporary) &&
	       setenv("SHMLOG_TEST_MEMORY", rooms[0].path, 1) == 0 &&
	       setenv("TMPDIR", rooms[1].path, 1) == 0;
}

int main(int argc, char **argv)
{
	static struct run run = {.err.prefix = "# ", .out.prefix = ""};
	static struct room rooms[2];

	if (argc < 4) {
		fprintf(stderr, "usage: supervise SECONDS PARENT COMMAND...\n");
		return 2;
	}
	run.limit_seconds = strtod(argv[1], NULL);
	run.parent = (pid_t)strtol(argv[2], NULL, 10);
	set_handlers();
	tree_adopt();
	if (!make_rooms(rooms) || !start(&run, argv + 3)) {
		perror("supervise");
		room_remove(rooms[0].path);
		room_remove(rooms[1].path);
		return 125;
	}
	return supervise(&run, rooms);
}
