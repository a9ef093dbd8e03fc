/*
 * Follows many logs at once, replaces each of them again and again, kills the
 * follower now and then, and holds what it printed against what was appended:
 * follow_many SHMLOG DIRECTORY REPLACEMENTS
 *
 * Half of the logs are operands, the others are found by a pattern.  Frames are
 * numbered through all logs of a name.  A log is replaced, as a rotation does,
 * only when all of it was printed; the follower may be dead then.
 */
#include "campaign.h"

#include <poll.h>
#include <shmlog.h>

#define LOGS 64u
#define NAMED_LOGS 16u
#define CAPACITY_BYTES (1u << 18)
#define LIMIT_NS campaign_patience_ns(INT64_C(20) * 1000000000)
#define PATH_BYTES 512

struct followed {
	char path[PATH_BYTES];
	struct shmlog *log;
	uint64_t appended;
	uint64_t next; /* the number that is due */
	uint64_t replacements;
	bool may_repeat; /* killed with SIGKILL, and nothing was read since */
};

struct campaign {
	const char *shmlog;
	char pattern[PATH_BYTES];
	char new_path[PATH_BYTES];
	char cursor_path[PATH_BYTES];
	struct followed logs[LOGS];
	pid_t follower; /* 0: dead */
	int out;
	struct campaign_line line;
	uint64_t printed;
	uint64_t twice;
	uint64_t kills;
	uint64_t hard_kills;
};

/* --------------------------------------------------------------- follower */

static void start_follower(struct campaign *campaign)
{
	const char *argv[CAMPAIGN_MOST_ARGUMENTS] = {campaign->shmlog,
	                                             "tail",
	                                             "-F",
	                                             "-n",
	                                             "+1",
	                                             "-t",
	                                             "%f %p\\n",
	                                             "--cursor-file",
	                                             campaign->cursor_path,
	                                             "--glob",
	                                             campaign->pattern};
	size_t count = 11;
	int out[2];

	for (size_t i = 0; i < NAMED_LOGS; i++)
		argv[count++] = campaign->logs[i].path;
	campaign_pipe(out);
	campaign->follower = campaign_start(
		argv, (struct campaign_pipes){-1, out[1], -1});
	close(out[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	campaign->out = out[0];
	campaign->line.bytes = 0;
}

static struct followed *find_log(struct campaign *campaign, const char *path)
{
	for (size_t i = 0; i < LOGS; i++) {
		if (strcmp(campaign->logs[i].path, path) == 0)
			return &campaign->logs[i];
	}
	campaign_fail("printed a frame of '%s'", path);
}

static void take_line(void *context, const char *text)
{
	struct campaign *campaign = context;
	char path[PATH_BYTES];
	uint64_t number;

	if (sscanf(text, "%511s frame %" SCNu64, path, &number) != 2)
		campaign_fail("printed '%s'", text);

	struct followed *log = find_log(campaign, path);

	if (number > log->next)
		campaign_fail("%s: frames %" PRIu64 " to %" PRIu64
		              " were skipped, after %" PRIu64
		              " kills and %" PRIu64 " replacements",
		              path, log->next, number - 1, campaign->kills,
		              log->replacements);
	if (number < log->next && !log->may_repeat)
		campaign_fail("%s: frame %" PRIu64 " came again where %" PRIu64
		              " was due, and the follower was not killed with "
		              "SIGKILL",
		              path, number, log->next);
	campaign->twice += log->next - number;
	log->next = number + 1;
	log->may_repeat = false;
	campaign->printed++;
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
	campaign->kills++;
	campaign->hard_kills += hard;
	for (size_t i = 0; i < LOGS; i++)
		campaign->logs[i].may_repeat |= hard;
}

/* ------------------------------------------------------------------- logs */

static void append_some(struct followed *log)
{
	static const struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_WAKE,
		.lock_timeout_ns = -1,
	};
	unsigned char frames[16 * 64];
	char text[64];
	size_t used = 0;

	for (uint64_t count = 1 + chance_below(10); count > 0; count--) {
		int length = snprintf(text, sizeof(text), "frame %" PRIu64,
		                      log->appended++);

		used += shmlog_frame_encode(frames + used, text,
		                            (size_t)length);
	}
	int status = shmlog_append_frames(log->log, frames, used, &options,
	                                  NULL);

	if (status != 0)
		campaign_fail("append: %s", shmlog_strerror(status));
}

static void catch_up(struct campaign *campaign, const struct followed *log)
{
	struct pollfd readable = {.fd = campaign->out, .events = POLLIN};
	int64_t start = campaign_now_ns();

	while (log->next < log->appended) {
		if (campaign_now_ns() - start > LIMIT_NS)
			campaign_fail("%s: frame %" PRIu64 " never came",
			              log->path, log->next);
		poll(&readable, 1, 100);
		drain(campaign);
	}
}

static void make_log(struct campaign *campaign, struct followed *log)
{
	shmlog_close(log->log);
	int status = shmlog_create(campaign->new_path, CAPACITY_BYTES, 0600, 0);

	if (status != 0 || rename(campaign->new_path, log->path) != 0 ||
	    (status = shmlog_open(log->path, &log->log)) != 0)
		campaign_fail("cannot create %s: %s", log->path,
		              shmlog_strerror(status));
}

static void replace_log(struct campaign *campaign, struct followed *log)
{
	catch_up(campaign, log);
	if (chance_below(LOGS / 2) == 0)
		kill_follower(campaign);
	/* Sometimes the name is gone for a while. */
	if (chance_below(3) == 0) {
		unlink(log->path);
		campaign_sleep_ns((int64_t)chance_below(20 * NS_PER_MS));
	}
	make_log(campaign, log);
	log->replacements++;
	if (campaign->follower == 0)
		start_follower(campaign);
}

/* ------------------------------------------------------------------- main */

static void begin(struct campaign *campaign, const char *shmlog,
                  const char *directory)
{
	campaign->shmlog = shmlog;
	snprintf(campaign->pattern, PATH_BYTES, "%s/log*", directory);
	snprintf(campaign->new_path, PATH_BYTES, "%s/new", directory);
	snprintf(campaign->cursor_path, PATH_BYTES, "%s/cursor", directory);
	for (size_t i = 0; i < LOGS; i++) {
		snprintf(campaign->logs[i].path, PATH_BYTES, "%s/log%zu",
		         directory, i);
		make_log(campaign, &campaign->logs[i]);
	}
	start_follower(campaign);
}

int main(int argc, char **argv)
{
	static struct campaign campaign;

	if (argc != 4)
		return 2;
	uint64_t replacements = campaign_number(argv[3]) * LOGS;

	campaign_begin("follow_many", 1200);
	begin(&campaign, argv[1], argv[2]);
	for (uint64_t done = 0; done < replacements; done++) {
		for (uint64_t i = chance_below(20); i > 0; i--)
			append_some(&campaign.logs[chance_below(LOGS)]);
		replace_log(&campaign, &campaign.logs[done % LOGS]);
		drain(&campaign);
	}
	for (size_t i = 0; i < LOGS; i++) {
		append_some(&campaign.logs[i]);
		catch_up(&campaign, &campaign.logs[i]);
	}
	kill_follower(&campaign);
	return campaign_pass("%u logs, %" PRIu64 " replacements, %" PRIu64
	                     " kills (%" PRIu64 " with SIGKILL): %" PRIu64
	                     " frames printed, none skipped, %" PRIu64
	                     " again after a SIGKILL",
	                     LOGS, replacements, campaign.kills,
	                     campaign.hard_kills, campaign.printed,
	                     campaign.twice);
}
