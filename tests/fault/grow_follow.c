/*
 * A log grows under four appends and four followers, and appends and growths are
 * killed at any moment: grow_follow SHMLOG FOLDER KILLS.
 *
 * What an append acknowledges must arrive at every follower, once, and in order;
 * what it was given and did not acknowledge may arrive, once.
 */
#include "campaign.h"

#include <poll.h>

#define WRITERS 4u
#define FOLLOWERS 4u
#define MOST_LINES (1u << 21) /* of one writer */
#define LINES_AT_ONCE 12u
#define TICK_MS 2

/* One after the other, with numbers that go on. */
struct writer {
	unsigned number;
	pid_t pid;
	int in;
	int out;
	uint64_t first; /* line that this process was given */
	uint64_t acknowledged_here;
	uint64_t next; /* line to be given */
	struct campaign_line line;
	unsigned char *acknowledged; /* a byte a line */
	uint64_t acknowledged_count;
};

struct follower {
	pid_t pid;
	int out;
	struct campaign_line line;
	uint64_t behind[WRITERS]; /* the last line of each, and one more */
	unsigned char *seen[WRITERS];
	uint64_t count;
};

static const char *shmlog;
static char log_path[512];
static struct writer writers[WRITERS];
static struct follower followers[FOLLOWERS];
static uint64_t growths;
static uint64_t full;

static void set_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		campaign_fail("fcntl: %s", strerror(errno));
}

static void start_writer(struct writer *writer)
{
	const char *argv[] = {shmlog, "append", "--ack", log_path, NULL};
	int in[2];
	int out[2];

	campaign_pipe(in);
	campaign_pipe(out);
	writer->pid = campaign_start(
		argv,
		(struct campaign_pipes){.in = in[0], .out = out[1], .err = -1});
	close(in[0]);
	close(out[1]);
	set_nonblocking(in[1]);
	set_nonblocking(out[0]);
	writer->in = in[1];
	writer->out = out[0];
	writer->first = writer->next;
	writer->acknowledged_here = 0;
	writer->line.bytes = 0;
}

static void start_follower(struct follower *follower)
{
	const char *argv[] = {shmlog, "tail", "-F", "-n", "+1", log_path, NULL};
	int out[2];

	campaign_pipe(out);
	follower->pid = campaign_start(
		argv,
		(struct campaign_pipes){.in = -1, .out = out[1], .err = -1});
	close(out[1]);
	set_nonblocking(out[0]);
	follower->out = out[0];
	for (unsigned i = 0; i < WRITERS; i++) {
		follower->seen[i] = calloc(MOST_LINES, 1);
		if (follower->seen[i] == NULL)
			campaign_fail("no memory");
	}
}

/* ------------------------------------------------------------------ lines */

static void give_lines(struct writer *writer)
{
	char text[LINES_AT_ONCE * 32];
	size_t bytes = 0;
	uint64_t count = 1 + chance_below(LINES_AT_ONCE);

	if (writer->in < 0 || writer->next + count >= MOST_LINES)
		return;
	for (uint64_t i = 0; i < count; i++)
		bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
		                          "%u %" PRIu64 "\n", writer->number,
		                          writer->next + i);
	/* A small write to a pipe is made as a whole or not at all. */
	if (write(writer->in, text, bytes) == (ssize_t)bytes)
		writer->next += count;
}

static void take_acknowledgement(void *context, const char *text)
{
	struct writer *writer = context;
	uint64_t frames;

	if (sscanf(text, "{\"frames\":%" SCNu64, &frames) != 1)
		campaign_fail("append says '%s'", text);
	for (uint64_t i = 0; i < frames; i++) {
		uint64_t line = writer->first + writer->acknowledged_here++;

		if (line >= writer->next)
			campaign_fail("more is acknowledged than was given");
		writer->acknowledged[line] = 1;
	}
	writer->acknowledged_count += frames;
}

static void take_frame(void *context, const char *text)
{
	struct follower *follower = context;
	unsigned number;
	uint64_t line;

	if (sscanf(text, "%u %" SCNu64, &number, &line) != 2 ||
	    number >= WRITERS || line >= MOST_LINES)
		campaign_fail("a follower prints '%s'", text);
	if (line < follower->behind[number])
		campaign_fail("line %" PRIu64 " of writer %u comes behind "
		              "line %" PRIu64,
		              line, number, follower->behind[number] - 1);
	follower->behind[number] = line + 1;
	follower->seen[number][line] = 1;
	follower->count++;
}

static void read_all(void)
{
	for (unsigned i = 0; i < WRITERS; i++)
		campaign_read_lines(writers[i].out, &writers[i].line,
		                    take_acknowledgement, &writers[i]);
	for (unsigned i = 0; i < FOLLOWERS; i++)
		campaign_read_lines(followers[i].out, &followers[i].line,
		                    take_frame, &followers[i]);
}

/* -------------------------------------------------------------- processes */

/* Reads what an ended writer has still said. */
static void close_writer(struct writer *writer)
{
	campaign_read_lines(writer->out, &writer->line, take_acknowledgement,
	                    writer);
	if (writer->in >= 0)
		close(writer->in);
	close(writer->out);
	writer->in = -1;
}

static void renew_ended_writers(void)
{
	for (unsigned i = 0; i < WRITERS; i++) {
		int status;

		if (waitpid(writers[i].pid, &status, WNOHANG) == 0)
			continue;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 6)
			campaign_fail("append ended with status %d", status);
		full++;
		close_writer(&writers[i]);
		start_writer(&writers[i]);
	}
}

static void kill_writer(void)
{
	struct writer *writer = &writers[chance_below(WRITERS)];
	int status;

	kill(writer->pid, SIGKILL);
	waitpid(writer->pid, &status, 0);
	close_writer(writer);
	start_writer(writer);
}

/* Makes the log a little longer; true if that was killed. */
static bool grow(void)
{
	char size[32];
	const char *argv[] = {shmlog, "grow", log_path, size, NULL};

	snprintf(size, sizeof(size), "+%" PRIu64, 1 + chance_below(1000));
	pid_t pid = campaign_start(
		argv, (struct campaign_pipes){.in = -1, .out = -1, .err = -1});
	bool killed = chance_below(3) == 0;

	if (killed) {
		campaign_sleep_ns((int64_t)chance_below(2 * NS_PER_MS));
		kill(pid, SIGKILL);
	}
	int status = campaign_wait(
		pid, campaign_patience_ns(INT64_C(10000) * NS_PER_MS), NULL);

	if (status == 0)
		growths++;
	else if (status != -SIGKILL)
		campaign_fail("grow ended with status %d", status);
	return status == -SIGKILL;
}

/* -------------------------------------------------------------- the verdict */

static bool has_all(const struct follower *follower)
{
	for (unsigned i = 0; i < WRITERS; i++) {
		for (uint64_t line = 0; line < writers[i].next; line++) {
			if (writers[i].acknowledged[line] &&
			    !follower->seen[i][line])
				return false;
		}
	}
	return true;
}

static void end_writers(void)
{
	for (unsigned i = 0; i < WRITERS; i++) {
		close(writers[i].in);
		writers[i].in = -1;
		int status = campaign_wait(
			writers[i].pid,
			campaign_patience_ns(INT64_C(10000) * NS_PER_MS), NULL);

		if (status != 0 && status != 6)
			campaign_fail("append ended with status %d", status);
		close_writer(&writers[i]);
		writers[i].out = -1;
	}
}

static void end_followers(void)
{
	int64_t end = campaign_now_ns() +
	              campaign_patience_ns(INT64_C(10000) * NS_PER_MS);

	for (unsigned i = 0; i < FOLLOWERS; i++) {
		struct follower *follower = &followers[i];

		do {
			campaign_read_lines(follower->out, &follower->line,
			                    take_frame, follower);
			if (campaign_now_ns() > end)
				campaign_fail("follower %u lacks frames that "
				              "were acknowledged",
				              i);
			campaign_sleep_ns(NS_PER_MS);
		} while (!has_all(follower));
		campaign_end_by(
			follower->pid, SIGTERM,
			campaign_patience_ns(INT64_C(1000) * NS_PER_MS));
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: grow_follow SHMLOG FOLDER KILLS\n");
		return 2;
	}
	campaign_begin("grow_follow", 7200);
	shmlog = argv[1];
	snprintf(log_path, sizeof(log_path), "%s/log", argv[2]);
	uint64_t wanted = campaign_number(argv[3]);
	uint64_t kills = 0;
	uint64_t acknowledged = 0;
	const char *create[] = {shmlog, "create", log_path, "-c", "2K", NULL};

	if (campaign_run(create, -1, campaign_patience_ns(NS_PER_MS * 1000))
	            .status != 0)
		campaign_fail("no log");
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i].number = i;
		writers[i].acknowledged = calloc(MOST_LINES, 1);
		if (writers[i].acknowledged == NULL)
			campaign_fail("no memory");
		start_writer(&writers[i]);
	}
	for (unsigned i = 0; i < FOLLOWERS; i++)
		start_follower(&followers[i]);
	while (kills < wanted) {
		for (unsigned i = 0; i < WRITERS; i++)
			give_lines(&writers[i]);
		poll(NULL, 0, (int)chance_below(TICK_MS + 1));
		read_all();
		renew_ended_writers();
		if (chance_below(3) == 0)
			kills += grow();
		if (chance_below(4) == 0) {
			kill_writer();
			kills++;
		}
	}
	end_writers();
	end_followers();
	for (unsigned i = 0; i < WRITERS; i++)
		acknowledged += writers[i].acknowledged_count;
	if (acknowledged == 0 || growths == 0)
		campaign_fail("nothing was appended or grown");
	return campaign_pass("%" PRIu64 " kills, %" PRIu64 " growths, %" PRIu64
	                     " appends ended by a full log, %" PRIu64
	                     " frames acknowledged, each at %u followers once "
	                     "and in order",
	                     kills, growths, full, acknowledged, FOLLOWERS);
}
