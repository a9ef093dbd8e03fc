/*
 * Four `append --rotate` and four `tail -F` of one small log, with kills and
 * stops at any moment, until it has been rotated often enough: rotate_append
 * SHMLOG DIRECTORY ROTATIONS
 *
 * Each append that is started numbers its frames from 1.  What it acknowledged
 * must arrive at each follower that lives, once and in order, through all logs;
 * nothing else may arrive but what it was given.  Two of the followers live
 * from the beginning to the end, and see the same frames in the same order.
 * The others are killed as well; each that is started instead may begin
 * anywhere, and must go on without a gap.
 */
#include "campaign.h"

#include <poll.h>

#define APPENDS 4u
#define FOLLOWERS 4u
#define LASTING 2u /* followers that are never killed */
#define MOST_RUNS 65536u
#define CAPACITY "4096"

/* A run of append, from its start to its end. */
struct run {
	uint64_t given;        /* frames */
	uint64_t acknowledged; /* of them */
};

struct append {
	pid_t pid;
	unsigned run;
	int in;
	int out;
	struct campaign_line line;
	char pending[256]; /* a line that the pipe had no room for */
	size_t pending_bytes;
};

struct follower {
	pid_t pid;
	unsigned number;
	unsigned since; /* runs that were started before it read anything */
	int out;
	int err;
	struct campaign_line line;
	struct campaign_line message;
	uint64_t rotations;
	uint64_t frames;
	uint64_t hash;            /* of all that it read */
	uint64_t seen[MOST_RUNS]; /* the last number of each run */
};

struct campaign {
	const char *shmlog;
	char log_path[512];
	struct run runs[MOST_RUNS];
	unsigned run_count;
	struct append appends[APPENDS];
	struct follower followers[FOLLOWERS];
	uint64_t kills;
	uint64_t stops;
};

static struct campaign campaign;

static int64_t patience_ns(void)
{
	return campaign_patience_ns(INT64_C(20) * 1000000000);
}

static void no_wait(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		campaign_fail("fcntl: %s", strerror(errno));
}

/* ---------------------------------------------------------------- followers */

static void take_frame(void *context, const char *text)
{
	struct follower *follower = context;
	unsigned run;
	uint64_t number;

	if (sscanf(text, "%u %" SCNu64, &run, &number) != 2 ||
	    run >= campaign.run_count || number > campaign.runs[run].given)
		campaign_fail("a follower printed '%s'", text);
	uint64_t last = follower->seen[run];

	/* By now it is at work. */
	if (follower->frames == 0 && follower->number >= LASTING)
		follower->since = campaign.run_count;
	bool is_first = last == 0 && (number == 1 || run < follower->since);

	if (number != last + 1 && !is_first)
		campaign_fail("follower %u: frame %" PRIu64
		              " of append %u comes behind frame %" PRIu64,
		              follower->number, number, run, last);
	follower->seen[run] = number;
	follower->frames++;
	for (; *text != '\0'; text++)
		follower->hash = (follower->hash ^ (unsigned char)*text) *
		                 UINT64_C(1099511628211);
}

static void take_message(void *context, const char *text)
{
	struct follower *follower = context;

	if (strstr(text, "was replaced") != NULL)
		follower->rotations++;
	else if (strstr(text, "waiting") == NULL)
		campaign_fail("a follower says '%s'", text);
}

static void read_follower(struct follower *follower)
{
	campaign_read_lines(follower->out, &follower->line, take_frame,
	                    follower);
	campaign_read_lines(follower->err, &follower->message, take_message,
	                    follower);
}

static void start_follower(unsigned number)
{
	struct follower *follower = &campaign.followers[number];
	const char *argv[] = {campaign.shmlog,   "tail", "-F", "-n", "0",
	                      campaign.log_path, NULL};
	int out[2], err[2];

	memset(follower, 0, sizeof(*follower));
	follower->number = number;
	follower->since = number < LASTING ? 0 : MOST_RUNS;
	campaign_pipe(out);
	campaign_pipe(err);
	/* Those that last read all from the start. */
	if (number < LASTING)
		argv[4] = "+1";
	follower->pid = campaign_start(
		argv, (struct campaign_pipes){-1, out[1], err[1]});
	close(out[1]);
	close(err[1]);
	follower->out = out[0];
	follower->err = err[0];
	no_wait(out[0]);
	no_wait(err[0]);
}

/* Whether a follower has all that was acknowledged since it was started, or, of
 * the runs before that, of which it has anything. */
static bool has_all(const struct follower *follower)
{
	for (unsigned i = 0; i < campaign.run_count; i++) {
		bool concerned = i >= follower->since || follower->seen[i] > 0;

		if (concerned &&
		    follower->seen[i] < campaign.runs[i].acknowledged)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ appends */

static void take_acknowledgement(void *context, const char *text)
{
	const struct append *append = context;
	struct run *run = &campaign.runs[append->run];
	uint64_t frames;

	if (strcmp(text, "{\"event\":\"reopened\"}") == 0)
		return;
	if (sscanf(text, "{\"frames\":%" SCNu64, &frames) != 1)
		campaign_fail("an append printed '%s'", text);
	run->acknowledged += frames;
	if (run->acknowledged > run->given)
		campaign_fail("an append acknowledged more than it got");
}

static void read_append(struct append *append)
{
	campaign_read_lines(append->out, &append->line, take_acknowledgement,
	                    append);
}

static void start_append(unsigned number)
{
	struct append *append = &campaign.appends[number];
	const char *const argv[] = {campaign.shmlog,   "append", "--rotate",
	                            "--keep",          "3",      "--ack",
	                            campaign.log_path, NULL};
	int in[2], out[2];

	if (campaign.run_count == MOST_RUNS)
		campaign_fail("too many kills");
	memset(append, 0, sizeof(*append));
	append->run = campaign.run_count++;
	campaign_pipe(in);
	campaign_pipe(out);
	append->pid = campaign_start(
		argv, (struct campaign_pipes){in[0], out[1], STDERR_FILENO});
	close(in[0]);
	close(out[1]);
	append->in = in[1];
	append->out = out[0];
	no_wait(in[1]);
	no_wait(out[0]);
}

/* Gives an append as many lines as it takes, a few at a time. */
static void feed(struct append *append)
{
	struct run *run = &campaign.runs[append->run];

	for (uint64_t left = 1 + chance_below(20); left > 0; left--) {
		if (append->pending_bytes == 0) {
			append->pending_bytes = (size_t)snprintf(
				append->pending, sizeof(append->pending),
				"%u %" PRIu64 " %0*d\n", append->run,
				run->given + 1, (int)chance_below(60), 0);
			run->given++;
		}
		/* Shorter than PIPE_BUF: all of it or nothing. */
		if (write(append->in, append->pending, append->pending_bytes) <
		    0)
			return;
		append->pending_bytes = 0;
	}
}

/* Waits for an append that was killed or whose input has ended. */
static void end_append(struct append *append, int wanted)
{
	if (append->in >= 0)
		close(append->in);
	fcntl(append->out, F_SETFL, 0);
	read_append(append);
	int status = campaign_wait(append->pid, patience_ns(), NULL);

	if (status != wanted)
		campaign_fail("an append ended with status %d", status);
	close(append->out);
}

/* -------------------------------------------------------------------- chaos */

static void kill_append(unsigned number)
{
	struct append *append = &campaign.appends[number];

	kill(append->pid, SIGKILL);
	end_append(append, -SIGKILL);
	start_append(number);
	campaign.kills++;
}

static void kill_follower(unsigned number)
{
	struct follower *follower = &campaign.followers[number];

	campaign_end_by(follower->pid, SIGKILL, patience_ns());
	close(follower->out);
	close(follower->err);
	start_follower(number);
	campaign.kills++;
}

/* Kills somebody, or keeps a follower from reading for a moment, in which the
 * log may be rotated more than once. */
static void disturb(void)
{
	unsigned victim = (unsigned)chance_below(APPENDS + FOLLOWERS + 2);

	if (victim < APPENDS) {
		kill_append(victim);
	} else if (victim < APPENDS + FOLLOWERS - LASTING) {
		kill_follower(LASTING + victim - APPENDS);
	} else {
		pid_t pid = campaign.followers[chance_below(FOLLOWERS)].pid;

		kill(pid, SIGSTOP);
		campaign_sleep_ns((int64_t)chance_below(40 * NS_PER_MS));
		kill(pid, SIGCONT);
		campaign.stops++;
	}
}

static void serve(void)
{
	struct pollfd polled[APPENDS + FOLLOWERS];

	for (unsigned i = 0; i < APPENDS; i++)
		polled[i] = (struct pollfd){campaign.appends[i].out, POLLIN, 0};
	for (unsigned i = 0; i < FOLLOWERS; i++)
		polled[APPENDS + i] = (struct pollfd){campaign.followers[i].out,
		                                      POLLIN, 0};
	poll(polled, APPENDS + FOLLOWERS, 2);
	for (unsigned i = 0; i < APPENDS; i++)
		read_append(&campaign.appends[i]);
	for (unsigned i = 0; i < FOLLOWERS; i++)
		read_follower(&campaign.followers[i]);
}

static void run_until(uint64_t rotations)
{
	int64_t next = campaign_now_ns();
	int64_t moved = next;
	uint64_t last = 0;

	while (campaign.followers[0].rotations < rotations) {
		for (unsigned i = 0; i < APPENDS; i++)
			feed(&campaign.appends[i]);
		serve();
		if (campaign_now_ns() >= next) {
			disturb();
			next = campaign_now_ns() +
			       (int64_t)chance_below(60 * NS_PER_MS);
		}
		if (campaign.followers[0].rotations != last) {
			last = campaign.followers[0].rotations;
			moved = campaign_now_ns();
		}
		if (campaign_now_ns() - moved > patience_ns())
			campaign_fail("no rotation any more behind %" PRIu64,
			              last);
	}
}

/* Ends the appends, and waits until each follower has all. */
static void settle(void)
{
	int64_t start = campaign_now_ns();
	bool all = false;

	for (unsigned i = 0; i < APPENDS; i++) {
		close(campaign.appends[i].in);
		campaign.appends[i].in = -1;
	}
	for (unsigned i = 0; i < APPENDS; i++)
		end_append(&campaign.appends[i], 0);
	while (!all) {
		all = true;
		for (unsigned i = 0; i < FOLLOWERS; i++) {
			read_follower(&campaign.followers[i]);
			all = all && has_all(&campaign.followers[i]);
		}
		if (!all && campaign_now_ns() - start > patience_ns())
			campaign_fail("a follower has not got what was "
			              "acknowledged");
		campaign_sleep_ns(5 * NS_PER_MS);
	}
	for (unsigned i = 0; i < FOLLOWERS; i++) {
		read_follower(&campaign.followers[i]);
		campaign_end_by(campaign.followers[i].pid, SIGTERM,
		                patience_ns());
		read_follower(&campaign.followers[i]);
	}
	if (campaign.followers[0].hash != campaign.followers[1].hash)
		campaign_fail("two followers read different frames");
}

int main(int argc, char **argv)
{
	uint64_t acknowledged = 0;

	if (argc != 4)
		return 2;
	campaign_begin("rotate_append", 4 * 3600);
	campaign.shmlog = argv[1];
	uint64_t rotations = campaign_number(argv[3]);

	snprintf(campaign.log_path, sizeof(campaign.log_path), "%s/log",
	         argv[2]);
	const char *const create[] = {campaign.shmlog,   "create",
	                              campaign.log_path, "-c",
	                              CAPACITY,          NULL};

	if (mkdir(argv[2], 0700) != 0 ||
	    campaign_run(create, -1, patience_ns()).status != 0)
		campaign_fail("%s: cannot make a log", campaign.log_path);
	for (unsigned i = 0; i < FOLLOWERS; i++)
		start_follower(i);
	for (unsigned i = 0; i < APPENDS; i++)
		start_append(i);
	/* A follower that is not there yet cannot keep what it wants. */
	campaign_sleep_ns(campaign_patience_ns(20 * NS_PER_MS));
	run_until(rotations);
	settle();
	for (unsigned i = 0; i < campaign.run_count; i++)
		acknowledged += campaign.runs[i].acknowledged;
	return campaign_pass(
		"%" PRIu64 " rotations, %" PRIu64 " kills, %" PRIu64
		" stops: %" PRIu64 " frames acknowledged, %" PRIu64
		" read by each follower that lived, once and in order",
		campaign.followers[0].rotations, campaign.kills, campaign.stops,
		acknowledged, campaign.followers[0].frames);
}
