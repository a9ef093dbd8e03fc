/*
 * Lets creators race for one name while others open it:
 * create_race SHMLOG DIRECTORY RACES
 *
 * Each race has two processes that call the library and two commands.  All
 * the while a thread opens the name and looks at what it gets.
 */
#include "campaign.h"

#include <dirent.h>
#include <pthread.h>
#include <shmlog.h>
#include <stdatomic.h>

#define CAPACITY_BYTES 8192u
#define LIMIT_NS campaign_patience_ns(INT64_C(10) * 1000000000)
#define WATCHERS 1
#define CREATORS 2

struct campaign {
	const char *shmlog;
	char folder[512];
	char log_path[600];
	_Atomic uint64_t opens;
	_Atomic uint64_t seen; /* opens that found the log */
	atomic_bool over;
	uint64_t commands_won;
	uint64_t library_won;
	uint64_t killed;
};

/* A process that creates the log when told to, and says how that went. */
struct creator {
	pid_t pid;
	int order;
	int answer;
};

/* --------------------------------------------------------------- watchers */

static void check_raw(const struct campaign *campaign)
{
	static const unsigned char word[8] = {SHMLOG_HEADER_BYTES};
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	struct stat file;
	int fd = open(campaign->log_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pread(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
	    memcmp(bytes, word, 8) != 0 || memcmp(bytes + 8, word, 8) != 0 ||
	    bytes[16] < SHMLOG_HEADER_BYTES || fstat(fd, &file) != 0 ||
	    file.st_size != CAPACITY_BYTES)
		campaign_fail("a log without its header, or its length, was "
		              "seen");
	close(fd);
}

static void *watch(void *context)
{
	struct campaign *campaign = context;

	while (!atomic_load(&campaign->over)) {
		struct shmlog *log;
		int status = shmlog_open(campaign->log_path, &log);

		campaign->opens++;
		if (status == 0) {
			campaign->seen++;
			shmlog_close(log);
		} else if (status != -ENOENT) {
			campaign_fail("an opener saw: %s",
			              shmlog_strerror(status));
		}
		check_raw(campaign);
	}
	return NULL;
}

/* --------------------------------------------------------------- creators */

static void serve_creator(const struct campaign *campaign, int order,
                          int answer)
{
	char byte;

	while (read(order, &byte, 1) == 1) {
		int status = shmlog_create(
			campaign->log_path, CAPACITY_BYTES, 0600,
			byte == 's' ? SHMLOG_CREATE_SPARSE : 0);

		if (write(answer, &status, sizeof(status)) < 0)
			break;
	}
	_exit(0);
}

static struct creator start_creator(const struct campaign *campaign)
{
	struct creator creator = {0};
	int order[2], answer[2];

	campaign_pipe(order);
	campaign_pipe(answer);
	creator.pid = fork();
	if (creator.pid == 0) {
		close(order[1]);
		serve_creator(campaign, order[0], answer[1]);
	}
	close(order[0]);
	close(answer[1]);
	creator.order = order[1];
	creator.answer = answer[0];
	return creator;
}

/* Returns 1 if this creator won, 0 if it was told that the name is taken. */
static unsigned hear(const struct creator *creator)
{
	int status;

	if (read(creator->answer, &status, sizeof(status)) != sizeof(status))
		campaign_fail("a creator died");
	if (status != 0 && status != -EEXIST)
		campaign_fail("a creator was told: %s",
		              shmlog_strerror(status));
	return status == 0;
}

static const char *const command_kinds[][7] = {
	{"create", "-c", "8192"},
	{"create", "-c", "8K", "--sparse"},
	{"create", "-c", "8K", "--if-missing"},
	{"append", "--create", "8K", "-m", "first"},
};
#define PLAIN_KINDS 2 /* these may lose; the others end well either way */

static pid_t start_command(const struct campaign *campaign, uint64_t kind)
{
	const char *argv[10] = {campaign->shmlog};
	size_t used = 1;

	for (size_t i = 0; command_kinds[kind][i] != NULL; i++)
		argv[used++] = command_kinds[kind][i];
	argv[used] = campaign->log_path;
	return campaign_start(argv, (struct campaign_pipes){-1, -1, -1});
}

/* Returns 1 for a plain create that won. */
static unsigned end_command(struct campaign *campaign, pid_t pid, uint64_t kind,
                            bool by_force)
{
	if (by_force) {
		campaign_sleep_ns((int64_t)chance_below(1500000));
		kill(pid, SIGKILL);
		campaign->killed++;
	}
	int status = campaign_wait(pid, LIMIT_NS, NULL);

	if (by_force && status == -SIGKILL)
		return 0;
	if (status != 0 && !(kind < PLAIN_KINDS && status == 4))
		campaign_fail("%s ended with status %d", command_kinds[kind][0],
		              status);
	return kind < PLAIN_KINDS && status == 0;
}

/* ------------------------------------------------------------------ races */

/* The log and nothing else. */
static void check_folder(const struct campaign *campaign)
{
	DIR *folder = opendir(campaign->folder);
	unsigned logs = 0;

	if (folder == NULL)
		campaign_fail("cannot look for debris");
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (strcmp(entry->d_name, "log") == 0)
			logs++;
		else if (strcmp(entry->d_name, ".") != 0 &&
		         strcmp(entry->d_name, "..") != 0)
			campaign_fail("debris: %s", entry->d_name);
	}
	closedir(folder);
	if (logs != 1)
		campaign_fail("nobody created the log");
}

static void check_race(struct campaign *campaign, unsigned winners,
                       bool others_may_win)
{
	struct shmlog_header header;
	int status = shmlog_inspect(campaign->log_path, &header);

	if (status != 0)
		campaign_fail("after the race: %s", shmlog_strerror(status));
	if (winners > 1 || (winners == 0 && !others_may_win))
		campaign_fail("%u winners", winners);
	check_folder(campaign);
	if (unlink(campaign->log_path) != 0)
		campaign_fail("cannot remove the log");
}

static void race(struct campaign *campaign, const struct creator *creators)
{
	uint64_t kind[2] = {chance_below(4), chance_below(4)};
	bool kills = chance_below(10) == 0;
	unsigned won = 0, commands_won = 0;
	pid_t pid[2];

	for (size_t i = 0; i < 2; i++)
		pid[i] = start_command(campaign, kind[i]);
	/* A command takes a while to come to the point. */
	campaign_sleep_ns((int64_t)chance_below(1000000));
	for (size_t i = 0; i < CREATORS; i++) {
		if (write(creators[i].order, i % 2 == 0 ? "s" : "r", 1) != 1)
			campaign_fail("a creator died");
	}
	for (size_t i = 0; i < 2; i++)
		commands_won += end_command(campaign, pid[i], kind[i],
		                            kills && i == 0);
	for (size_t i = 0; i < CREATORS; i++)
		won += hear(&creators[i]);
	campaign->commands_won += commands_won;
	campaign->library_won += won;
	check_race(campaign, won + commands_won,
	           kills || kind[0] >= PLAIN_KINDS || kind[1] >= PLAIN_KINDS);
}

int main(int argc, char **argv)
{
	static struct campaign campaign;
	struct creator creators[CREATORS];
	pthread_t watchers[WATCHERS];

	if (argc != 4)
		return 2;
	campaign_begin("create_race", 4 * 3600);
	campaign.shmlog = argv[1];
	snprintf(campaign.folder, sizeof(campaign.folder), "%s/race", argv[2]);
	snprintf(campaign.log_path, sizeof(campaign.log_path), "%s/log",
	         campaign.folder);
	uint64_t races = campaign_number(argv[3]);

	if (mkdir(campaign.folder, 0700) != 0)
		campaign_fail("%s: %s", campaign.folder, strerror(errno));
	for (size_t i = 0; i < CREATORS; i++)
		creators[i] = start_creator(&campaign);
	for (size_t i = 0; i < WATCHERS; i++) {
		if (pthread_create(&watchers[i], NULL, watch, &campaign) != 0)
			campaign_fail("no thread");
	}
	for (uint64_t i = 0; i < races; i++)
		race(&campaign, creators);
	atomic_store(&campaign.over, true);
	for (size_t i = 0; i < WATCHERS; i++)
		pthread_join(watchers[i], NULL);
	return campaign_pass("%" PRIu64 " races, one winner each (%" PRIu64
	                     " commands, %" PRIu64
	                     " library calls, else append --create or "
	                     "--if-missing), %" PRIu64
	                     " creators killed, no debris; %" PRIu64
	                     " opens, %" PRIu64 " of a log, all with a header",
	                     races, campaign.commands_won, campaign.library_won,
	                     campaign.killed, campaign.opens, campaign.seen);
}
