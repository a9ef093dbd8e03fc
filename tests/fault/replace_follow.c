/*
 * Kills a follower and replaces its log, again and again, and holds what it
 * printed against what was appended:
 * replace_follow SHMLOG DIRECTORY KILLS REPLACEMENTS
 *
 * Frames are numbered through all logs.  A log is replaced, as a rotation
 * does, only when all of it was printed; the follower may be dead then.
 */
#include "campaign.h"

#include <poll.h>
#include <shmlog.h>

#define CAPACITY_BYTES (1u << 20)
#define LIMIT_NS campaign_patience_ns(INT64_C(20) * 1000000000)
#define FRAME_BYTES 64

struct campaign {
	const char *shmlog;
	char log_path[512];
	char new_path[512];
	char cursor_path[512];
	struct shmlog *log;
	pid_t follower; /* 0: dead */
	int out;
	struct campaign_line line;
	uint64_t appended; /* frames, in all logs */
	uint64_t next;     /* the number that is due */
	uint64_t printed;
	uint64_t twice;
	bool may_repeat; /* killed with SIGKILL, and nothing was read since */
	uint64_t gentle_kills;
	uint64_t hard_kills;
	uint64_t replacements;
	uint64_t replaced_dead; /* of them, while no follower lived */
};

/* --------------------------------------------------------------- follower */

static void start_follower(struct campaign *campaign)
{
	const char *argv[] = {campaign->shmlog,
	                      "tail",
	                      "-F",
	                      "--cursor-file",
	                      campaign->cursor_path,
	                      campaign->log_path,
	                      NULL};
	int out[2];

	campaign_pipe(out);
	campaign->follower = campaign_start(
		argv, (struct campaign_pipes){-1, out[1], -1});
	close(out[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	campaign->out = out[0];
	campaign->line.bytes = 0;
}

static void take_line(void *context, const char *text)
{
	struct campaign *campaign = context;
	uint64_t number;

	if (sscanf(text, "frame %" SCNu64, &number) != 1)
		campaign_fail("printed '%s'", text);
	if (number > campaign->next)
		campaign_fail("frames %" PRIu64 " to %" PRIu64
		              " were skipped, after %" PRIu64
		              " kills (-9) and %" PRIu64 " replacements",
		              campaign->next, number - 1, campaign->hard_kills,
		              campaign->replacements);
	if (number < campaign->next && !campaign->may_repeat)
		campaign_fail("frame %" PRIu64 " came again where %" PRIu64
		              " was due, and the follower was not killed with "
		              "SIGKILL",
		              number, campaign->next);
	campaign->twice += campaign->next - number;
	campaign->next = number + 1;
	campaign->printed++;
	campaign->may_repeat = false;
}

/* Takes what the follower has printed. */
static void drain(struct campaign *campaign)
{
	campaign_read_lines(campaign->out, &campaign->line, take_line,
	                    campaign);
}

static void kill_follower(struct campaign *campaign)
{
	bool hard = chance_below(2) == 0;
	int signal_number = hard ? SIGKILL : SIGTERM;

	campaign_end_by(campaign->follower, signal_number, LIMIT_NS);
	drain(campaign);
	/* A line that SIGKILL cut in two is printed again. */
	if (!hard && campaign->line.bytes > 0)
		campaign_fail("the last line is cut in two");
	close(campaign->out);
	campaign->follower = 0;
	if (hard)
		campaign->hard_kills++;
	else
		campaign->gentle_kills++;
	/* Stays so until something is read: a SIGKILL may hit before that. */
	campaign->may_repeat |= hard;
}

/* ------------------------------------------------------------- log writer */

static void append_some(struct campaign *campaign)
{
	static const struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_WAKE,
		.lock_timeout_ns = -1,
	};
	unsigned char frames[64 * FRAME_BYTES];
	char text[FRAME_BYTES];
	size_t used = 0;

	for (uint64_t count = 1 + chance_below(40); count > 0; count--) {
		int length = snprintf(text, sizeof(text), "frame %" PRIu64,
		                      campaign->appended++);

		used += shmlog_frame_encode(frames + used, text,
		                            (size_t)length);
	}
	int status = shmlog_append_frames(campaign->log, frames, used, &options,
	                                  NULL);

	if (status != 0)
		campaign_fail("append: %s", shmlog_strerror(status));
}

static void catch_up(struct campaign *campaign)
{
	struct pollfd readable = {.fd = campaign->out, .events = POLLIN};
	int64_t start = campaign_now_ns();

	while (campaign->next < campaign->appended) {
		if (campaign_now_ns() - start > LIMIT_NS)
			campaign_fail("frame %" PRIu64 " never came",
			              campaign->next);
		poll(&readable, 1, 100);
		drain(campaign);
	}
}

static void make_log(struct campaign *campaign, const char *path)
{
	shmlog_close(campaign->log);
	int status = shmlog_create(path, CAPACITY_BYTES, 0600, 0);

	if (status != 0 || rename(path, campaign->log_path) != 0 ||
	    (status = shmlog_open(campaign->log_path, &campaign->log)) != 0)
		campaign_fail("cannot create %s: %s", path,
		              shmlog_strerror(status));
}

static void replace_log(struct campaign *campaign)
{
	catch_up(campaign);
	if (chance_below(3) == 0) {
		kill_follower(campaign);
		campaign->replaced_dead++;
	}
	/* Sometimes the name is gone for a while. */
	if (chance_below(2) == 0) {
		unlink(campaign->log_path);
		campaign_sleep_ns((int64_t)chance_below(150 * NS_PER_MS));
	}
	make_log(campaign, campaign->new_path);
	campaign->replacements++;
	if (campaign->follower == 0)
		start_follower(campaign);
}

/* ------------------------------------------------------------------- main */

static void work_a_while(struct campaign *campaign)
{
	int64_t end = campaign_now_ns() +
	              (int64_t)chance_below(160 * NS_PER_MS);

	while (campaign_now_ns() < end) {
		append_some(campaign);
		campaign_sleep_ns((int64_t)chance_below(4 * NS_PER_MS));
		drain(campaign);
	}
}

int main(int argc, char **argv)
{
	static struct campaign campaign;

	if (argc != 5)
		return 2;
	campaign_begin("replace_follow", 3600);
	campaign.shmlog = argv[1];
	snprintf(campaign.log_path, sizeof(campaign.log_path), "%s/log",
	         argv[2]);
	snprintf(campaign.new_path, sizeof(campaign.new_path), "%s/new",
	         argv[2]);
	snprintf(campaign.cursor_path, sizeof(campaign.cursor_path),
	         "%s/cursor", argv[2]);
	uint64_t kills = campaign_number(argv[3]);
	uint64_t replacements = campaign_number(argv[4]);

	make_log(&campaign, campaign.new_path);
	start_follower(&campaign);
	for (uint64_t i = 0; i < kills; i++) {
		work_a_while(&campaign);
		kill_follower(&campaign);
		/* It misses some, too. */
		if (chance_below(2) == 0)
			append_some(&campaign);
		start_follower(&campaign);
		if (campaign.replacements * kills < (i + 1) * replacements)
			replace_log(&campaign);
	}
	catch_up(&campaign);
	kill_follower(&campaign);
	return campaign_pass("%" PRIu64 " kills with SIGTERM, %" PRIu64
	                     " with SIGKILL, %" PRIu64 " replacements (%" PRIu64
	                     " behind a dead follower's back): all %" PRIu64
	                     " frames printed, none skipped, %" PRIu64
	                     " again after a SIGKILL",
	                     campaign.gentle_kills, campaign.hard_kills,
	                     campaign.replacements, campaign.replaced_dead,
	                     campaign.next, campaign.twice);
}
