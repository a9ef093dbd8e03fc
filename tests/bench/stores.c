/*
 * How soon a follower shows what a writer has only stored to memory, as the
 * Node package does, and what it takes of the processor meanwhile:
 *
 *   stores [OPTION]... LOG SIDE [-- SIDE]...
 *
 * A SIDE is a command that prints the frames of LOG into a pipe as they come;
 * or `library`, a process that waits with shmlog_reader_wait(); or `look N`, a
 * bare program that loads the log's size every N microseconds.  They take turns:
 * in each round one follower at a time is started, and ended.  A process of its
 * own commits to LOG meanwhile, and wakes nobody.  A frame's text is the
 * monotonic clock when it was stored, and it has come when this process has
 * read all of it.
 *
 *   --pause-us N    between two frames, on average (50000)
 *   --rhythm WORD   even: always as long; jitter: up to a fifth more or less;
 *                   poisson: at random (even).  The same for all sides.
 *   --ms N          how long a follower is watched (3000), behind its first
 *   --warmup N      frames (2)
 *   --rounds N      (3)
 *
 * Prints one JSON object: of each round of each side, the microseconds of each
 * frame and the part of a processor that the follower used.
 */
#include "mapped.h"

#include <math.h>
#include <poll.h>

#define MOST_SIDES 6
#define MOST_ROUNDS 50
#define LINE_BYTES 21 /* digits, always as many, and a newline */
#define ANSWER_MS 10000

enum rhythm {
	EVEN,
	JITTER,
	POISSON
};

/* What one round of a side has shown. */
struct stretch {
	double *us;
	size_t count;
	double cpu; /* of a second, a second */
};

struct side {
	struct pipeline command;
	bool is_library;
	int64_t look_ns; /* of a side that only looks; else 0 */
	struct stretch rounds[MOST_ROUNDS];
};

struct stores {
	const char *path;
	int64_t pause_ns;
	enum rhythm rhythm;
	int64_t watch_ns;
	size_t warmup;
	size_t rounds;
	size_t side_count;
	struct side sides[MOST_SIDES];
};

/* -------------------------------------------------------------- the writer */

/* A number in (0, 1), the same ones for the same seed (splitmix64). */
static double draw(uint64_t *state)
{
	uint64_t bits = *state += 0x9e3779b97f4a7c15u;

	bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
	bits ^= bits >> 31;
	return ((double)(bits >> 11) + 0.5) / 9007199254740992.0;
}

static int64_t next_pause(const struct stores *stores, uint64_t *state)
{
	double pause = (double)stores->pause_ns;

	switch (stores->rhythm) {
	case EVEN: break;
	case JITTER: pause *= 0.8 + 0.4 * draw(state); break;
	case POISSON: pause *= -log(draw(state)); break;
	}
	return (int64_t)pause;
}

static void store(struct shmlog_writer *writer, const char *path)
{
	unsigned char *payload;
	char text[LINE_BYTES + 1];

	snprintf(text, sizeof(text), "%0*" PRId64, LINE_BYTES - 1, now_ns());
	check(shmlog_writer_allocate(writer, LINE_BYTES - 1, &payload), path);
	memcpy(payload, text, LINE_BYTES - 1);
	check(shmlog_writer_commit(writer), path);
}

/* Stores for as long as its parent lives.  The next frame is due when it is,
 * however late this one was. */
static void write_on(const struct stores *stores, size_t round)
{
	struct shmlog *log;
	struct shmlog_writer *writer;
	uint64_t state = round;
	int64_t due = now_ns();

	check(shmlog_open(stores->path, &log), stores->path);
	check(shmlog_writer_open(log, NULL, &writer), stores->path);
	for (;;) {
		due += next_pause(stores, &state);
		if (due > now_ns())
			sleep_ns(due - now_ns());
		store(writer, stores->path);
	}
}

/* ------------------------------------------------- followers of our own */

/* Prints the frames that are there, as lines. */
static void print_frames(struct shmlog_reader *reader, int to)
{
	struct shmlog_frame frame;
	char line[LINE_BYTES];

	while (shmlog_reader_next(reader, &frame) == 1) {
		memcpy(line, frame.payload, LINE_BYTES - 1);
		line[LINE_BYTES - 1] = '\n';
		if (write(to, line, LINE_BYTES) != LINE_BYTES)
			_exit(0);
	}
}

static void follow(const struct stores *stores, const struct side *side, int to)
{
	struct shmlog *log;
	struct shmlog_reader *reader;

	check(shmlog_open(stores->path, &log), stores->path);
	check(shmlog_reader_open(log, NULL, &reader), stores->path);
	check(shmlog_reader_seek_end(reader), stores->path);
	for (;;) {
		if (side->is_library)
			check(shmlog_reader_wait(reader, -1, 0), stores->path);
		else
			sleep_ns(side->look_ns);
		print_frames(reader, to);
	}
}

/* ------------------------------------------------------------- one stretch */

/* A child that ends with this process. */
static pid_t fork_child(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
#ifdef __linux__
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (pid == 0 && getppid() != parent)
		_exit(126);
	return pid;
}

static pid_t start_writer(const struct stores *stores, size_t round)
{
	pid_t pid = fork_child();

	if (pid == 0)
		write_on(stores, round);
	return pid;
}

static pid_t start_follower(const struct stores *stores, struct side *side,
                            int to)
{
	pid_t pid;

	if (!side->is_library && side->look_ns == 0) {
		pipeline_start(&side->command, (struct ends){-1, to});
		return side->command.stages[0].pid;
	}
	pid = fork_child();
	if (pid == 0)
		follow(stores, side, to);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The processor time that a process has used. */
static int64_t cpu_of(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &used) != 0)
		die("the follower's processor time is not to be had");
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Reads one line, and returns how long it was on its way. */
static int64_t read_span(int from)
{
	struct pollfd ready = {.fd = from, .events = POLLIN};
	char line[LINE_BYTES + 1] = "";

	if (poll(&ready, 1, ANSWER_MS) == 0)
		die("a frame did not come within %d s", ANSWER_MS / 1000);
	for (size_t used = 0; used < LINE_BYTES;) {
		ssize_t got = read(from, line + used, LINE_BYTES - used);

		if (got <= 0)
			die("a follower ended");
		used += (size_t)got;
	}
	int64_t span = now_ns();

	line[LINE_BYTES - 1] = '\0';
	return span - (int64_t)number(line);
}

static void watch(const struct stores *stores, int from, pid_t follower,
                  struct stretch *stretch)
{
	size_t capacity = 1024;

	for (size_t i = 0; i < stores->warmup; i++)
		(void)read_span(from);
	int64_t start = now_ns(), cpu = cpu_of(follower);

	stretch->us = malloc(capacity * sizeof(*stretch->us));
	while (now_ns() - start < stores->watch_ns || stretch->count == 0) {
		if (stretch->count == capacity)
			stretch->us = realloc(stretch->us,
			                      (capacity *= 2) *
			                              sizeof(*stretch->us));
		if (stretch->us == NULL)
			die("no memory");
		stretch->us[stretch->count++] = (double)read_span(from) / 1e3;
	}
	stretch->cpu = (double)(cpu_of(follower) - cpu) /
	               (double)(now_ns() - start);
}

/* A log of zero frames, with room for twice the frames of a round. */
static void make_log(const struct stores *stores)
{
	int64_t frames = 1024 + (int64_t)stores->warmup +
	                 2 * stores->watch_ns / stores->pause_ns;

	unlink(stores->path);
	check(shmlog_create(stores->path,
	                    24 + (uint64_t)frames * LINE_BYTES * 2, 0600, 0),
	      stores->path);
}

static void run(const struct stores *stores, struct side *side, size_t round)
{
	int fds[2];

	make_log(stores);
	make_pipe(fds);
	pid_t follower = start_follower(stores, side, fds[1]);
	pid_t writer = start_writer(stores, round);

	close(fds[1]);
	watch(stores, fds[0], follower, &side->rounds[round]);
	end_child(writer);
	end_child(follower);
	close(fds[0]);
}

static void print_results(const struct stores *stores)
{
	printf("{\"pause_us\":%" PRId64 ",\"sides\":[",
	       stores->pause_ns / 1000);
	for (size_t i = 0; i < stores->side_count; i++) {
		printf("%s[", i > 0 ? "," : "");
		for (size_t n = 0; n < stores->rounds; n++) {
			const struct stretch *at = &stores->sides[i].rounds[n];

			printf("%s{\"cpu\":%.6f,\"us\":[", n > 0 ? "," : "",
			       at->cpu);
			for (size_t k = 0; k < at->count; k++)
				printf("%s%.1f", k > 0 ? "," : "", at->us[k]);
			printf("]}");
		}
		printf("]");
	}
	printf("]}\n");
}

/* -------------------------------------------------------------- arguments */

static enum rhythm rhythm_of(const char *word)
{
	static const char *const words[] = {"even", "jitter", "poisson"};

	for (int i = 0; i < 3; i++) {
		if (strcmp(word, words[i]) == 0)
			return (enum rhythm)i;
	}
	die("no such rhythm: %s", word);
}

static size_t parse_option(struct stores *stores, char **words, size_t count)
{
	if (count < 2)
		die("%s: too few words", words[0]);
	if (strcmp(words[0], "--pause-us") == 0)
		stores->pause_ns = (int64_t)number(words[1]) * 1000;
	else if (strcmp(words[0], "--rhythm") == 0)
		stores->rhythm = rhythm_of(words[1]);
	else if (strcmp(words[0], "--ms") == 0)
		stores->watch_ns = (int64_t)number(words[1]) * 1000000;
	else if (strcmp(words[0], "--warmup") == 0)
		stores->warmup = number(words[1]);
	else if (strcmp(words[0], "--rounds") == 0)
		stores->rounds = number(words[1]);
	else
		die("no such option: %s", words[0]);
	return 2;
}

static size_t parse_side(struct side *side, char **words, size_t count)
{
	size_t at = pipeline_parse(&side->command, words, count, "--");

	if (at == 1 && strcmp(words[0], "library") == 0)
		side->is_library = true;
	else if (at == 2 && strcmp(words[0], "look") == 0)
		side->look_ns = (int64_t)number(words[1]) * 1000;
	if (at == 0 || side->command.count > 1)
		die("a side is one command");
	return at;
}

static void parse(struct stores *stores, char **words, size_t count)
{
	size_t at = 0;

	while (at < count && strncmp(words[at], "--", 2) == 0)
		at += parse_option(stores, words + at, count - at);
	if (at < count)
		stores->path = words[at++];
	while (at < count) {
		if (stores->side_count == MOST_SIDES)
			die("too many sides");
		at += parse_side(&stores->sides[stores->side_count++],
		                 words + at, count - at) +
		      1;
	}
	if (stores->side_count == 0 || stores->pause_ns <= 0 ||
	    stores->rounds == 0 || stores->rounds > MOST_ROUNDS)
		die("usage: stores [OPTION]... LOG SIDE [-- SIDE]...");
}

int main(int argc, char **argv)
{
	static struct stores stores = {
		.pause_ns = 50000000,
		.watch_ns = 3000000000,
		.warmup = 2,
		.rounds = 3,
	};

	parse(&stores, argv + 1, (size_t)argc - 1);
	signal(SIGPIPE, SIG_IGN);
	for (size_t round = 0; round < stores.rounds; round++) {
		for (size_t i = 0; i < stores.side_count; i++)
			run(&stores, &stores.sides[i], round);
	}
	print_results(&stores);
	return fflush(stdout) == 0 ? 0 : 1;
}
