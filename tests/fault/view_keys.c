/*
 * Keys at a pager of a large log, through a pseudo-terminal: what the screen
 * has to show behind each, how long that takes, and how much memory the pager
 * has at the end.  A writer commits some 500,000 frames a second meanwhile.
 *
 * The terminal is a VT52, of which ncurses uses five sequences, so that the
 * screen can be read here.
 */
#include "campaign.h"

#include <poll.h>
#include <shmlog.h>
#include <sys/ioctl.h>
#include <termios.h>

#define ROWS 30
#define COLUMNS 80
#define FRAME_BYTES 100u
#define LIST_ROWS 28
/* Room for what is written meanwhile. */
#define FIRE_BYTES ((uint64_t)192 << 20)
#define FIRE_FRAMES 500u /* a millisecond */
#define FIRE_KEYS 100
#define SECOND_NS 1000000000

struct terminal {
	int fd;
	pid_t pid;
	char cells[ROWS][COLUMNS + 1];
	int row;
	int column;
	unsigned char sequence[4]; /* begun */
	int sequence_bytes;
};

static uint64_t frame_count;
static double limit_ms;

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)SECOND_NS + now.tv_nsec;
}

/* -------------------------------------------------------------------- screen */

static void erase(struct terminal *terminal, bool below)
{
	memset(terminal->cells[terminal->row] + terminal->column, ' ',
	       (size_t)(COLUMNS - terminal->column));
	for (int row = terminal->row + 1; below && row < ROWS; row++)
		memset(terminal->cells[row], ' ', COLUMNS);
}

static void escape(struct terminal *terminal)
{
	const unsigned char *sequence = terminal->sequence;

	switch (sequence[0]) {
	case 'Y':
		if (terminal->sequence_bytes < 3)
			return;
		terminal->row = sequence[1] - ' ';
		terminal->column = sequence[2] - ' ';
		break;
	case 'H': terminal->row = terminal->column = 0; break;
	case 'J': erase(terminal, true); break;
	case 'K': erase(terminal, false); break;
	case 'A': terminal->row--; break;
	case 'B': terminal->row++; break;
	case 'C': terminal->column++; break;
	case 'D': terminal->column--; break;
	default: break;
	}
	terminal->sequence_bytes = -1;
}

static void take(struct terminal *terminal, unsigned char byte)
{
	if (terminal->sequence_bytes >= 0) {
		terminal->sequence[terminal->sequence_bytes++] = byte;
		escape(terminal);
	} else if (byte == '\033') {
		terminal->sequence_bytes = 0;
	} else if (byte == '\r') {
		terminal->column = 0;
	} else if (byte == '\n') {
		terminal->row++;
	} else if (byte == '\b') {
		terminal->column--;
	} else if (byte >= ' ' && terminal->column < COLUMNS) {
		terminal->cells[terminal->row][terminal->column++] = (char)byte;
	}
	if (terminal->row < 0 || terminal->row >= ROWS || terminal->column < 0)
		campaign_fail("the cursor left the screen");
}

/* Whether the screen shows a text, and where. */
static const char *find(const struct terminal *terminal, const char *text)
{
	for (int row = 0; row < ROWS; row++) {
		const char *found = strstr(terminal->cells[row], text);

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* Waits until the screen shows a text; how long that took. */
static double wait_for(struct terminal *terminal, const char *text,
                       int64_t start_ns)
{
	unsigned char bytes[4096];

	while (find(terminal, text) == NULL) {
		struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
		ssize_t got;

		if (poll(&ready, 1, 20000) <= 0)
			campaign_fail("never showed '%s': '%s' '%s'", text,
			              terminal->cells[1],
			              terminal->cells[ROWS - 1]);
		got = read(terminal->fd, bytes, sizeof(bytes));
		if (got <= 0)
			campaign_fail("the pager ended before '%s'", text);
		for (ssize_t i = 0; i < got; i++)
			take(terminal, bytes[i]);
	}
	return (double)(clock_ns() - start_ns) / NS_PER_MS;
}

static double type(struct terminal *terminal, const char *keys,
                   const char *expected)
{
	int64_t start_ns = clock_ns();

	if (write(terminal->fd, keys, strlen(keys)) != (ssize_t)strlen(keys))
		campaign_fail("cannot type");
	return wait_for(terminal, expected, start_ns);
}

static void start(struct terminal *terminal, char **argv)
{
	struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};
	const char *name;

	*terminal = (struct terminal){.sequence_bytes = -1};
	for (int row = 0; row < ROWS; row++)
		memset(terminal->cells[row], ' ', COLUMNS);
	terminal->fd = posix_openpt(O_RDWR | O_NOCTTY);
	if (terminal->fd < 0 || grantpt(terminal->fd) != 0 ||
	    unlockpt(terminal->fd) != 0)
		campaign_fail("no pseudo-terminal: %s", strerror(errno));
	name = ptsname(terminal->fd);
	terminal->pid = fork();
	if (terminal->pid != 0)
		return;
	setsid();
	int fd = open(name, O_RDWR);

	ioctl(fd, TIOCSCTTY, 0);
	ioctl(fd, TIOCSWINSZ, &size);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	setenv("TERM", "vt52", 1);
	execv(argv[0], argv);
	_exit(127);
}

/* ---------------------------------------------------------------------- log */

static void put_frame(struct shmlog_writer *writer, uint64_t number,
                      size_t size_bytes)
{
	char text[FRAME_BYTES + 1];
	unsigned char *payload;
	int used = snprintf(text, sizeof(text), "number %010" PRIu64 " ",
	                    number);

	memset(text + used, 'x', sizeof(text) - (size_t)used);
	if (shmlog_writer_allocate(writer, size_bytes, &payload) != 0)
		campaign_fail("no room in the log");
	memcpy(payload, text, size_bytes);
}

static void fill(const char *path, uint64_t bytes)
{
	struct shmlog *log;
	struct shmlog_writer *writer;

	if (shmlog_create(path, bytes + FIRE_BYTES, 0600,
	                  SHMLOG_CREATE_SPARSE) != 0 ||
	    shmlog_open(path, &log) != 0 ||
	    shmlog_writer_open(log, NULL, &writer) != 0)
		campaign_fail("no log");
	for (uint64_t end = 24; end + FRAME_BYTES + 4 < bytes;
	     end += FRAME_BYTES + 4)
		put_frame(writer, frame_count++, FRAME_BYTES);
	if (shmlog_writer_commit(writer) != 0)
		campaign_fail("no commit");
	shmlog_writer_close(writer);
	shmlog_close(log);
}

/* Commits frames until it is killed, or the log is full. */
static pid_t begin_fire(const char *path)
{
	pid_t pid = fork();
	struct shmlog *log;
	struct shmlog_writer *writer;
	uint64_t number = frame_count;
	int64_t next_ns = clock_ns();

	if (pid != 0)
		return pid;
	if (shmlog_open(path, &log) != 0 ||
	    shmlog_writer_open(log, NULL, &writer) != 0)
		_exit(1);
	while (shmlog_writer_free_bytes(writer) > FIRE_FRAMES * 40) {
		struct timespec pause = {0, 200000};

		if (clock_ns() < next_ns) {
			nanosleep(&pause, NULL);
			continue;
		}
		for (unsigned i = 0; i < FIRE_FRAMES; i++)
			put_frame(writer, number++, 24);
		shmlog_writer_commit(writer);
		next_ns += NS_PER_MS;
	}
	_exit(0);
}

/* --------------------------------------------------------------------- keys */

static long memory_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	}
	if (file != NULL)
		fclose(file);
	return kib;
}

static void tell(const char *what, double ms, double goal_ms)
{
	printf("view_keys: %-34s %7.1f ms (goal %g)\n", what, ms, goal_ms);
	if (ms > goal_ms * limit_ms)
		campaign_fail("%s took %.1f ms, the limit is %g", what, ms,
		              goal_ms * limit_ms);
}

static void expect_number(char *out, size_t room, uint64_t number)
{
	(void)snprintf(out, room, "number %010" PRIu64 " ", number);
}

static void idle_keys(struct terminal *terminal)
{
	char expected[64], wanted[64];
	uint64_t half = (frame_count - 1) / 2;

	/* Only the digits that do not depend on rounding. */
	(void)snprintf(wanted, sizeof(wanted), "number %010" PRIu64, half);
	wanted[strlen(wanted) - 1] = '\0';
	tell("50% before it is counted", type(terminal, "50%", wanted), 50);
	expect_number(expected, sizeof(expected), frame_count - 1);
	tell("G", type(terminal, "G", expected), 50);
	expect_number(expected, sizeof(expected), frame_count - 1000);
	tell(":frame:-1000", type(terminal, ":frame:-1000\r", expected), 50);
	expect_number(expected, sizeof(expected), 0);
	tell("g", type(terminal, "g", expected), 50);
	(void)snprintf(expected, sizeof(expected), "frame %" PRIu64 ",",
	               frame_count / 3);
	(void)snprintf(wanted, sizeof(wanted), ":frame:%" PRIu64 "\r",
	               frame_count / 3);
	printf("view_keys: %-34s %7.1f ms (counts up to it)\n",
	       ":frame:N, a third", type(terminal, wanted, expected));
	(void)type(terminal, "g", "frame 0,");
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Keys while the log grows. */
static void keys_under_fire(struct terminal *terminal, const char *path)
{
	double times[FIRE_KEYS];
	pid_t writer = begin_fire(path);
	int status;

	for (int i = 0; i < FIRE_KEYS; i++) {
		struct timespec pause = {0, 7 * NS_PER_MS};
		char expected[64];

		(void)snprintf(expected, sizeof(expected), "frame %d,", i + 1);
		times[i] = type(terminal, "j", expected);
		nanosleep(&pause, NULL);
	}
	if (waitpid(writer, &status, WNOHANG) != 0)
		campaign_fail("the writer ended too early");
	kill(writer, SIGKILL);
	(void)waitpid(writer, &status, 0);
	qsort(times, FIRE_KEYS, sizeof(times[0]), by_value);
	printf("view_keys: %-34s %7.1f ms\n", "j under fire, median",
	       times[FIRE_KEYS / 2]);
	tell("j under fire, slowest", times[FIRE_KEYS - 1], 30);
}

int main(int argc, char **argv)
{
	struct terminal terminal;
	int64_t start_ns;
	int status;
	long kib;

	if (argc != 5)
		return 2;
	campaign_name = "view_keys";
	setvbuf(stdout, NULL, _IOLBF, 0);
	limit_ms = atof(argv[4]);
	fill(argv[2], strtoull(argv[3], NULL, 10));
	char *pager[] = {argv[1], "view", argv[2], NULL};

	start_ns = clock_ns();
	start(&terminal, pager);
	tell("first screen", wait_for(&terminal, "number 0000000000", start_ns),
	     50);
	idle_keys(&terminal);
	keys_under_fire(&terminal, argv[2]);
	kib = memory_kib(terminal.pid);
	(void)!write(terminal.fd, "q", 1);
	char bytes[4096];

	while (read(terminal.fd, bytes, sizeof(bytes)) > 0)
		;
	if (waitpid(terminal.pid, &status, 0) != terminal.pid || status != 0)
		campaign_fail("the pager ended with %d", status);
	printf("view_keys: %-34s %7ld KiB (goal 32768)\n", "memory", kib);
	if (kib > 32768)
		campaign_fail("it took %ld KiB", kib);
	unlink(argv[2]);
	return campaign_pass("%" PRIu64 " frames", frame_count);
}
