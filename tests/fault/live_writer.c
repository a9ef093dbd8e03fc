/*
 * Starts and stops a writer that takes no lock, appends in between, and holds
 * the log against what was written:
 * live_writer SHMLOG PEER DIRECTORY CYCLES
 */
#include "campaign.h"

#include <shmlog.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define CAPACITY_BYTES (64u << 20)
#define LIMIT_NS campaign_patience_ns(INT64_C(10) * 1000000000)
#define REFUSAL_NS campaign_patience_ns(100 * INT64_C(1000000))
#define ATOMIC_BYTES (24u << 20)
#define MOST_REFUSALS 65536

struct campaign {
	const char *shmlog;
	const char *peer;
	char log_path[512];
	struct shmlog *log;
	uint64_t expected; /* frames that must be in the log */
	uint64_t checked;  /* cursor up to which it was looked at */
	uint64_t numbers;  /* texts made up so far */
	char (*text)[32];  /* of each expected frame */
	uint64_t appends;
	uint64_t refusals;
	int64_t refusal_ns[MOST_REFUSALS];
	pid_t follower;
};

struct peer {
	pid_t pid;
	int in;
	FILE *out;
	uint64_t number;
	char tag[16];
};

static void expect(struct campaign *campaign, const char *text)
{
	snprintf(campaign->text[campaign->expected++], 32, "%s", text);
}

/* ------------------------------------------------------------------- peer */

static uint64_t hear(struct peer *peer)
{
	char line[64] = "";
	uint64_t end = 0;

	if (fgets(line, sizeof(line), peer->out) == NULL)
		campaign_fail("the peer fell silent");
	if (strcmp(line, "ready\n") != 0 && sscanf(line, "%" SCNu64, &end) != 1)
		campaign_fail("the peer says %s", line);
	return end;
}

static struct peer start_peer(struct campaign *campaign)
{
	const char *argv[] = {campaign->peer, campaign->log_path, NULL};
	struct peer peer = {0};
	int in[2], out[2];

	campaign_pipe(in);
	campaign_pipe(out);
	peer.pid = campaign_start(argv,
	                          (struct campaign_pipes){in[0], out[1], -1});
	close(in[0]);
	close(out[1]);
	peer.in = in[1];
	peer.out = fdopen(out[0], "r");
	if (peer.out == NULL)
		campaign_fail("no memory");
	snprintf(peer.tag, sizeof(peer.tag), "p%" PRIu64, campaign->numbers++);
	hear(&peer);
	return peer;
}

/* Has the peer commit `count` frames, and expects them in the log. */
static void peer_commits(struct campaign *campaign, struct peer *peer,
                         uint64_t count)
{
	char text[48];

	snprintf(text, sizeof(text), "%" PRIu64 " %s\n", count, peer->tag);
	if (write(peer->in, text, strlen(text)) < 0)
		campaign_fail("the peer does not listen");
	hear(peer);
	for (; count > 0; count--) {
		snprintf(text, sizeof(text), "%s %" PRIu64, peer->tag,
		         peer->number++);
		expect(campaign, text);
	}
}

static void stop_peer(struct peer *peer, bool by_force)
{
	if (by_force)
		kill(peer->pid, SIGKILL);
	close(peer->in);
	int status = campaign_wait(peer->pid, LIMIT_NS, NULL);

	if (status != (by_force ? -SIGKILL : 0))
		campaign_fail("the peer ended with status %d", status);
	fclose(peer->out);
}

/* ---------------------------------------------------------------- appends */

static void append_works(struct campaign *campaign, const char *when)
{
	char text[32];
	const char *argv[] = {campaign->shmlog,
	                      "append",
	                      campaign->log_path,
	                      "-m",
	                      text,
	                      NULL};

	snprintf(text, sizeof(text), "a%" PRIu64, campaign->numbers++);
	struct campaign_result result = campaign_run(argv, -1, LIMIT_NS);

	if (result.status != 0)
		campaign_fail("false alarm: append %s ended with status %d: %s",
		              when, result.status, result.err);
	expect(campaign, text);
	campaign->appends++;
}

static void append_is_refused(struct campaign *campaign,
                              const struct peer *peer)
{
	const char *argv[] = {campaign->shmlog,   "append",
	                      campaign->log_path, "-m",
	                      "overwriting",      NULL};
	char name[32];

	snprintf(name, sizeof(name), "pid %ld ", (long)peer->pid);
	struct campaign_result result = campaign_run(argv, -1, LIMIT_NS);

	if (result.status != 7)
		campaign_fail("append beside a live writer ended with status "
		              "%d: %s",
		              result.status, result.err);
	if (strstr(result.err, name) == NULL)
		campaign_fail("the refusal does not name %s: %s", name,
		              result.err);
	if (campaign->refusals < MOST_REFUSALS)
		campaign->refusal_ns[campaign->refusals++] = result.ns;
}

/* ------------------------------------------------------------------ proof */

static void check_log(struct campaign *campaign)
{
	struct shmlog_verify_report report;
	struct shmlog_reader *reader;
	struct shmlog_frame frame;
	int status = shmlog_verify(campaign->log, NULL, &report);

	if (status != 0)
		campaign_fail("verify says %d", status);
	if (shmlog_reader_open(campaign->log, NULL, &reader) != 0)
		campaign_fail("cannot read");
	for (uint64_t i = 0; i < campaign->expected; i++) {
		const char *text = campaign->text[i];

		status = shmlog_reader_next(reader, &frame);
		if (status != 1)
			campaign_fail("frame %" PRIu64 " (%s) is missing", i,
			              text);
		if (frame.size_bytes != strlen(text) ||
		    memcmp(frame.payload, text, frame.size_bytes) != 0)
			campaign_fail("frame %" PRIu64 " is not %s but %.*s", i,
			              text, (int)frame.size_bytes,
			              (const char *)frame.payload);
	}
	if (shmlog_reader_next(reader, &frame) != 0)
		campaign_fail("a frame too many");
	shmlog_reader_close(reader);
}

/* ----------------------------------------------------------------- cycles */

static void read_once(struct campaign *campaign)
{
	const char *argv[] = {
		campaign->shmlog, "dump", campaign->log_path, "-n", "5", NULL};
	struct campaign_result result = campaign_run(argv, -1, LIMIT_NS);

	if (result.status != 0)
		campaign_fail("dump ended with status %d: %s", result.status,
		              result.err);
}

/* An append that runs already meets the peer with its next commit. */
static void meet_running_append(struct campaign *campaign)
{
	const char *argv[] = {campaign->shmlog, "append", campaign->log_path,
	                      "--ack", NULL};
	char name[32], text[1024], line[32];
	int in[2], out[2], err[2];

	campaign_pipe(in);
	campaign_pipe(out);
	campaign_pipe(err);
	pid_t pid = campaign_start(
		argv, (struct campaign_pipes){in[0], out[1], err[1]});

	close(in[0]);
	close(out[1]);
	close(err[1]);
	snprintf(line, sizeof(line), "r%" PRIu64 "\n", campaign->numbers++);
	if (write(in[1], line, strlen(line)) < 0 ||
	    read(out[0], text, sizeof(text)) <= 0)
		campaign_fail("a running append fell silent");
	line[strlen(line) - 1] = '\0';
	expect(campaign, line);
	struct peer peer = start_peer(campaign);

	peer_commits(campaign, &peer, 3);
	if (write(in[1], "overwriting\n", 12) < 0)
		campaign_fail("a running append does not listen");
	int status = campaign_wait(pid, LIMIT_NS, NULL);
	ssize_t got = read(err[0], text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	snprintf(name, sizeof(name), "pid %ld ", (long)peer.pid);
	if (status != 7 || strstr(text, name) == NULL)
		campaign_fail("a running append met a live writer and ended "
		              "with status %d: %s",
		              status, text);
	peer_commits(campaign, &peer, 1);
	stop_peer(&peer, true);
	close(in[1]);
	close(out[0]);
	close(err[0]);
}

static void cycle(struct campaign *campaign, uint64_t number)
{
	append_works(campaign, "with readers only");
	struct peer peer = start_peer(campaign);

	peer_commits(campaign, &peer, 1 + chance_below(5));
	append_is_refused(campaign, &peer);
	peer_commits(campaign, &peer, 1 + chance_below(5));
	if (number % 8 == 0)
		read_once(campaign);
	stop_peer(&peer, chance_below(2) == 0);
	append_works(campaign, "after the peer's end");
	if (number % 16 == 0)
		meet_running_append(campaign);
	if (number % 64 == 0)
		check_log(campaign);
}

/* -------------------------------------------- openers in the very moment */

/* Opens the log for writing, closes it, and so on. */
static pid_t start_opener(const struct campaign *campaign)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	while (getppid() == parent) {
		int fd = open(campaign->log_path, O_RDWR | O_CLOEXEC);

		close(fd);
		campaign_sleep_ns((int64_t)chance_below(100000));
	}
	_exit(0);
}

/* An append whose look for a live writer meets one that is just opening the
 * log: it goes on, or refuses, but does not die of it. */
static uint64_t append_beside_openers(struct campaign *campaign, uint64_t times)
{
	const char *argv[] = {campaign->shmlog, "append", campaign->log_path,
	                      "--commit-every", "1",      NULL};
	int input = campaign_unnamed_file();
	uint64_t refused = 0;

	for (int i = 0; i < 1000; i++) {
		if (write(input, "beside an opener\n", 17) != 17)
			campaign_fail("scratch file: %s", strerror(errno));
	}
	for (uint64_t i = 0; i < times; i++) {
		pid_t opener = start_opener(campaign);

		lseek(input, 0, SEEK_SET);
		struct campaign_result result = campaign_run(argv, input,
		                                             LIMIT_NS);

		kill(opener, SIGKILL);
		campaign_wait(opener, LIMIT_NS, NULL);
		if (result.status != 0 && result.status != 7)
			campaign_fail(
				"somebody opened the log for writing in "
				"the moment of a probe: append ended with "
				"status %d: %s",
				result.status, result.err);
		refused += result.status == 7;
	}
	close(input);
	struct shmlog_verify_report report;

	if (shmlog_verify(campaign->log, NULL, &report) != 0)
		campaign_fail("damaged beside an opener");
	return refused;
}

/* ------------------------------------------------- a move under a commit */

static int start_of_atomic_input(void)
{
	static char line[1024];
	int fd = campaign_unnamed_file();

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (size_t bytes = 0; bytes < ATOMIC_BYTES; bytes += sizeof(line)) {
		if (write(fd, line, sizeof(line)) < 0)
			campaign_fail("scratch file: %s", strerror(errno));
	}
	return fd;
}

/*
 * Sees the first bytes of a large commit appear behind `size`, and commits a
 * frame of its own there before the commit is published.  Returns whether it
 * came in time.
 */
static bool interfere(struct campaign *campaign, int input, unsigned char *base)
{
	const char *argv[] = {campaign->shmlog, "append",  campaign->log_path,
	                      "--atomic",       "--force", NULL};
	static const unsigned char frame[] = "\x0a\0moved!\x0a\0";
	_Atomic uint64_t *size = (void *)(base + 16);
	uint64_t old_size = atomic_load(size);
	volatile unsigned char *here = base + old_size;
	int64_t start = campaign_now_ns();

	memset(base + old_size, 0, ATOMIC_BYTES);
	lseek(input, 0, SEEK_SET);
	int err = campaign_unnamed_file();
	pid_t pid = campaign_start(argv,
	                           (struct campaign_pipes){input, -1, err});

	/* The fourth chunk: what lies before it was written and is left. */
	while (here[(1u << 20) + 8] == 0 &&
	       campaign_now_ns() - start < LIMIT_NS)
		;
	bool in_time = atomic_load(size) == old_size;

	if (in_time) {
		memcpy(base + old_size, frame, 10);
		/* What the peer does; it wins if it comes first. */
		in_time = atomic_exchange(size, old_size + 10) == old_size;
	}
	int status = campaign_wait(pid, LIMIT_NS, NULL);

	if (in_time && status != 7)
		campaign_fail("size was moved under append --force, which "
		              "ended with status %d",
		              status);
	if (in_time && (atomic_load(size) != old_size + 10 ||
	                memcmp(base + old_size, frame, 10) != 0))
		campaign_fail("append overwrote what was committed under it");
	atomic_store(size, old_size);
	close(err);
	return in_time;
}

static uint64_t interfere_often(struct campaign *campaign, uint64_t times)
{
	int input = start_of_atomic_input();
	uint64_t seen = 0;
	int fd = open(campaign->log_path, O_RDWR | O_CLOEXEC);
	unsigned char *base = mmap(NULL, CAPACITY_BYTES, PROT_READ | PROT_WRITE,
	                           MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		campaign_fail("cannot map the log");
	for (uint64_t i = 0; i < times; i++)
		seen += interfere(campaign, input, base);
	if (seen == 0)
		campaign_fail("never came between, in %" PRIu64 " commits",
		              times);
	munmap(base, CAPACITY_BYTES);
	close(fd);
	close(input);
	return seen;
}

/* ------------------------------------------------------------------- main */

/* Readers of every kind stay attached all the time. */
static void attach_readers(struct campaign *campaign)
{
	const char *argv[] = {campaign->shmlog, "tail", "-f",
	                      campaign->log_path, NULL};
	int fd = open(campaign->log_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || mmap(NULL, CAPACITY_BYTES, PROT_READ, MAP_SHARED, fd,
	                   0) == MAP_FAILED)
		campaign_fail("cannot attach a reader");
	campaign->follower = campaign_start(
		argv, (struct campaign_pipes){-1, -1, -1});
}

static int by_value(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
	static struct campaign campaign;

	if (argc != 5)
		return 2;
	campaign_begin("live_writer", 3600);
	campaign.shmlog = argv[1];
	campaign.peer = argv[2];
	uint64_t cycles = campaign_number(argv[4]);

	snprintf(campaign.log_path, sizeof(campaign.log_path), "%s/log",
	         argv[3]);
	campaign.text = calloc(cycles * 20 + 64, sizeof(*campaign.text));
	if (campaign.text == NULL ||
	    shmlog_create(campaign.log_path, CAPACITY_BYTES, 0600, 0) != 0 ||
	    shmlog_open(campaign.log_path, &campaign.log) != 0)
		campaign_fail("cannot create %s", campaign.log_path);
	attach_readers(&campaign);
	for (uint64_t i = 0; i < cycles; i++)
		cycle(&campaign, i);
	check_log(&campaign);
	append_beside_openers(&campaign, 2 + cycles / 20);
	if (kill(campaign.follower, SIGTERM) != 0 ||
	    campaign_wait(campaign.follower, LIMIT_NS, NULL) != -SIGTERM)
		campaign_fail("tail -f was gone before its time");
	uint64_t moves = interfere_often(&campaign, 10 + cycles / 50);

	qsort(campaign.refusal_ns, campaign.refusals, sizeof(int64_t),
	      by_value);
	int64_t median = campaign.refusal_ns[campaign.refusals / 2];
	int64_t high = campaign.refusal_ns[campaign.refusals * 95 / 100];
	int64_t most = campaign.refusal_ns[campaign.refusals - 1];

	/* A busy machine may hold up some of them. */
	if (median > REFUSAL_NS)
		campaign_fail("the median refusal took %.1f ms",
		              (double)median / 1e6);
	return campaign_pass(
		"%" PRIu64 " refusals beside a live writer, named, median "
		"%.1f ms, p95 %.1f ms, most %.1f ms; %" PRIu64
		" appends without a false alarm; %" PRIu64
		" frames as written; %" PRIu64 " moves of size noticed",
		campaign.refusals, (double)median / 1e6, (double)high / 1e6,
		(double)most / 1e6, campaign.appends, campaign.expected, moves);
}
