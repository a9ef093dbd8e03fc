/*
 * Many followers of one log, or one follower of many logs:
 *
 *   crowd SHMLOG FOLDER LOGS FOLLOWERS EVENTS SETTLE-MS IDLE-MS
 *
 * Makes LOGS logs in FOLDER and starts FOLLOWERS processes of `SHMLOG tail -f`,
 * each on all of them.  Once all follow, it lets them settle, takes their
 * processor time while nothing happens, and their memory.  Then it appends
 * EVENTS lines, one after the other, to logs that it picks by turns, and takes
 * how long each append takes, and how long until all have printed the line.
 * Prints one JSON object: seconds until the first line came through everywhere,
 * idle share of a core, KiB of proportional memory in all, seconds of each
 * append, and of each line.
 */
#include "mapped.h"

#include <dirent.h>
#include <poll.h>

#define MOST_FOLLOWERS 4000
#define MOST_EVENTS 10000
#define LOG_BYTES 65536
/* How long a line may take, and pause between two. */
#define LIMIT_NS (INT64_C(60) * 1000000000)
#define PAUSE_NS 20000000
#define FIRST_PAUSE_NS 200000000

struct follower {
	struct stage stage;
	size_t lines; /* that it has printed */
};

struct crowd {
	char **paths;
	size_t logs;
	size_t count;
	struct follower followers[MOST_FOLLOWERS];
	struct pollfd outputs[MOST_FOLLOWERS];
};

/* --------------------------------------------------------------- followers */

static void make_logs(struct crowd *crowd, const char *folder)
{
	crowd->paths = calloc(crowd->logs, sizeof(char *));
	if (crowd->paths == NULL)
		die("too many logs");
	for (size_t i = 0; i < crowd->logs; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%zu.shm", folder, i);
		crowd->paths[i] = strdup(path);
		check(shmlog_create(path, LOG_BYTES, 0600,
		                    SHMLOG_CREATE_SPARSE),
		      path);
	}
}

static void start_follower(struct crowd *crowd, size_t which, char *shmlog)
{
	static char *const options[] = {"tail", "-f", "-q", "-n", "0"};
	size_t words = 0, count = sizeof(options) / sizeof(options[0]);
	char **argv = calloc(crowd->logs + count + 2, sizeof(char *));
	struct stage *stage = &crowd->followers[which].stage;
	pid_t parent = getpid();
	int fds[2];

	if (argv == NULL)
		die("too many logs");
	argv[words++] = shmlog;
	for (size_t i = 0; i < count; i++)
		argv[words++] = options[i];
	for (size_t i = 0; i < crowd->logs; i++)
		argv[words++] = crowd->paths[i];
	make_pipe(fds);
	stage->pid = fork();
	if (stage->pid < 0)
		die("fork: %s", strerror(errno));
	if (stage->pid == 0) {
#ifdef __linux__
		prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
		if (getppid() != parent || dup2(fds[1], STDOUT_FILENO) < 0)
			_exit(126);
		execv(shmlog, argv);
		_exit(127);
	}
	free(argv);
	close(fds[1]);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	crowd->outputs[which] = (struct pollfd){fds[0], POLLIN, 0};
}

static void end_followers(struct crowd *crowd)
{
	int status;

	for (size_t i = 0; i < crowd->count; i++)
		kill(crowd->followers[i].stage.pid, SIGTERM);
	for (size_t i = 0; i < crowd->count; i++)
		waitpid(crowd->followers[i].stage.pid, &status, 0);
}

/* Takes what followers have printed, and waits for it until `end_ns`. */
static void take_lines(struct crowd *crowd, int64_t end_ns)
{
	char bytes[65536];
	int64_t left = end_ns - now_ns();

	if (poll(crowd->outputs, (nfds_t)crowd->count,
	         left > 0 ? (int)(left / 1000000) : 0) < 0)
		die("poll: %s", strerror(errno));
	for (size_t i = 0; i < crowd->count; i++) {
		ssize_t got = 0;

		if (crowd->outputs[i].revents != 0)
			got = read(crowd->outputs[i].fd, bytes, sizeof(bytes));
		if (got == 0 && crowd->outputs[i].revents != 0)
			die("a follower ended");
		for (ssize_t at = 0; at < got; at++)
			crowd->followers[i].lines += bytes[at] == '\n';
	}
}

/* Whether all have printed so many lines. */
static bool have_all(const struct crowd *crowd, size_t lines)
{
	for (size_t i = 0; i < crowd->count; i++)
		if (crowd->followers[i].lines < lines)
			return false;
	return true;
}

/* ------------------------------------------------------------------ events */

static int64_t append(struct crowd *crowd, size_t which)
{
	static const unsigned char frame[] = {9,   0,   'h', 'e', 'l',
	                                      'l', 'o', 9,   0};
	const struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_WAKE};
	struct shmlog *log;

	check(shmlog_open(crowd->paths[which], &log), crowd->paths[which]);
	int64_t begin = now_ns();

	check(shmlog_append_frames(log, frame, sizeof(frame), &options, NULL),
	      crowd->paths[which]);
	int64_t span = now_ns() - begin;

	shmlog_close(log);
	return span;
}

/* Appends to the last log until a line has come through everywhere; from then
 * on lines are counted. */
static void await_start(struct crowd *crowd)
{
	int64_t end = now_ns() + LIMIT_NS;

	while (!have_all(crowd, 1)) {
		int64_t next = now_ns() + FIRST_PAUSE_NS;

		if (next > end)
			die("not all followers have started");
		append(crowd, crowd->logs - 1);
		while (!have_all(crowd, 1) && now_ns() < next)
			take_lines(crowd, next);
	}
}

static void settle(struct crowd *crowd, int64_t ns)
{
	int64_t end = now_ns() + ns;

	while (now_ns() < end) {
		take_lines(crowd, end);
		sleep_ns(1000000);
	}
	for (size_t i = 0; i < crowd->count; i++)
		crowd->followers[i].lines = 0;
}

static void append_lines(struct crowd *crowd, size_t events, double *appends,
                         double *lines)
{
	for (size_t n = 0; n < events; n++) {
		/* A step that has no divisor in common with any count. */
		size_t which = n * 7919 % crowd->logs;
		int64_t begin = now_ns();

		appends[n] = (double)append(crowd, which) / 1e9;
		while (!have_all(crowd, n + 1)) {
			if (now_ns() - begin > LIMIT_NS)
				die("a line was lost");
			take_lines(crowd, begin + LIMIT_NS);
		}
		lines[n] = (double)(now_ns() - begin) / 1e9;
		sleep_ns(PAUSE_NS);
	}
}

/* ------------------------------------------------------------- what it costs */

/* The nanoseconds that all threads of a process have run. */
static int64_t ran_ns(pid_t pid)
{
	char path[64];
	int64_t sum = 0;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	DIR *tasks = opendir(path);

	while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
		char file[512];
		int64_t ns = 0;

		snprintf(file, sizeof(file), "%s/%.255s/schedstat", path,
		         entry->d_name);
		FILE *stream = *entry->d_name == '.' ? NULL : fopen(file, "r");

		if (stream != NULL && fscanf(stream, "%" SCNd64, &ns) == 1)
			sum += ns;
		if (stream != NULL)
			fclose(stream);
	}
	if (tasks != NULL)
		closedir(tasks);
	return sum;
}

static long pss_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	FILE *stream = fopen(path, "r");

	while (stream != NULL && fgets(line, sizeof(line), stream) != NULL)
		if (sscanf(line, "Pss: %ld", &kib) == 1)
			break;
	if (stream != NULL)
		fclose(stream);
	return kib;
}

static double sum_of(const struct crowd *crowd, bool memory)
{
	double sum = 0;

	for (size_t i = 0; i < crowd->count; i++)
		sum += memory ? (double)pss_kib(crowd->followers[i].stage.pid)
		              : (double)ran_ns(crowd->followers[i].stage.pid);
	return sum;
}

static void print_list(const char *name, const double *list, size_t count)
{
	printf(",\"%s\":[", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%.9f", i > 0 ? "," : "", list[i]);
	printf("]");
}

int main(int argc, char **argv)
{
	static struct crowd crowd;
	static double appends[MOST_EVENTS], lines[MOST_EVENTS];

	if (argc != 8)
		die("usage: crowd SHMLOG FOLDER LOGS FOLLOWERS EVENTS "
		    "SETTLE-MS IDLE-MS");
	crowd.logs = number(argv[3]);
	crowd.count = number(argv[4]);
	size_t events = number(argv[5]);
	int64_t idle_ns = (int64_t)number(argv[7]) * 1000000;

	if (crowd.count > MOST_FOLLOWERS || events > MOST_EVENTS ||
	    crowd.logs == 0)
		die("too many followers or events, or no logs");
	make_logs(&crowd, argv[2]);
	int64_t begin = now_ns();

	for (size_t i = 0; i < crowd.count; i++)
		start_follower(&crowd, i, argv[1]);
	await_start(&crowd);
	double start = (double)(now_ns() - begin) / 1e9;

	settle(&crowd, (int64_t)number(argv[6]) * 1000000);
	double before = sum_of(&crowd, false);

	sleep_ns(idle_ns);
	double idle = (sum_of(&crowd, false) - before) / (double)idle_ns;
	double pss = sum_of(&crowd, true);

	append_lines(&crowd, events, appends, lines);
	end_followers(&crowd);
	printf("{\"start\":%.6f,\"idle\":%.6f,\"pss_kib\":%.0f", start, idle,
	       pss);
	print_list("append", appends, events);
	print_list("line", lines, events);
	puts("}");
	return fflush(stdout) == 0 ? 0 : 1;
}
