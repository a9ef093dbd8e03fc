/*
 * Lets appenders, followers, rotations and growths race for one log, kills all
 * but the followers at any moment, and counts the frames in the end:
 * rotate_race DIRECTORY KILLS
 *
 * An appender says which frame it is about to append, and then that it is in
 * the log.  What was acknowledged must be in one of the logs, once; what was
 * tried and not acknowledged may be, once.  A follower that has read a log to
 * its end, after it found that its name leads to another one, has to have read
 * all that will ever be in it.
 *
 * Every second rotation is made as where two names cannot change places.
 */
#include "campaign.h"

#include <dirent.h>
#include <dlfcn.h>
#include <shmlog.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define CAPACITY_BYTES 4096u
#define MOST_BYTES 16384u
#define APPENDERS 4u
#define CHANGERS 2u
#define FOLLOWERS 2u
#define KILLABLE (APPENDERS + CHANGERS)
#define MOST_ENDS 65536u

/* Which frames an appender tried, and which are in the log: all numbers below
 * `done`, but for those that it gave up on. */
struct tally {
	_Atomic uint64_t tried; /* the highest number, counted from 1 */
	_Atomic uint64_t done;
	_Atomic uint64_t appended;
	_Atomic uint64_t rotated; /* when it was full */
	_Atomic uint64_t changed; /* rotations and growths of a changer */
};

/* Where a log ended when a follower left it for ever. */
struct end {
	uint64_t inode;
	uint64_t cursor;
};

struct reading {
	_Atomic uint64_t frames;
	_Atomic uint64_t logs;
	struct end ends[MOST_ENDS];
};

/* What all processes share. */
struct shared {
	_Atomic bool over;
	struct tally tallies[KILLABLE];
	struct reading readings[FOLLOWERS];
	/* Which numbers are acknowledged: a byte each, by appender. */
	unsigned char acknowledged[APPENDERS][1u << 22];
};

static struct shared *shared;
static char log_path[512];
static bool exchange_fails;

/* Takes the place of the C library's, for the one call that is to fail. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	va_list arguments;
	long words[6];

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(arguments, number);
	for (size_t i = 0; i < 6; i++)
		words[i] = va_arg(arguments, long);
	va_end(arguments);
#ifdef SYS_renameat2
	if (exchange_fails && number == SYS_renameat2) {
		errno = EINVAL;
		return -1;
	}
#endif
	return real(number, words[0], words[1], words[2], words[3], words[4],
	            words[5]);
}

__attribute__((format(printf, 1, 2), noreturn)) static void
give_up(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	_exit(1);
}

/* There is always a whole log. */
static struct shmlog *open_log(void)
{
	struct shmlog *log;
	int status = shmlog_open(log_path, &log);

	if (status != 0)
		give_up("the name leads to no log: %s",
		        shmlog_strerror(status));
	return log;
}

/* -------------------------------------------------------------- appenders */

struct appender {
	unsigned number;
	struct shmlog *log;
	struct shmlog_append_session *session; /* every second one has one */
};

static void open_appender(struct appender *appender)
{
	appender->log = open_log();
	if (appender->number % 2 == 0 &&
	    shmlog_append_session_open(appender->log, &appender->session) != 0)
		give_up("no session");
}

static void close_appender(struct appender *appender)
{
	shmlog_append_session_close(appender->session);
	appender->session = NULL;
	shmlog_close(appender->log);
}

static int rotate(struct shmlog *log)
{
	const struct shmlog_change_options options = {.lock_timeout_ns = -1};
	struct shmlog_rotate_result result;

	exchange_fails = chance_below(2) == 0;
	int status = shmlog_rotate(log, &options, &result);

	if (status != 0 && status != SHMLOG_ERR_REPLACED &&
	    status != SHMLOG_ERR_WRITER_ACTIVE && status != SHMLOG_ERR_IN_DOUBT)
		give_up("rotate: %s", shmlog_strerror(status));
	return status;
}

/* Appends a frame until it is in a log, or nobody knows whether it is. */
static void append(struct appender *appender, const unsigned char *frame,
                   size_t bytes, uint64_t number)
{
	struct tally *tally = &shared->tallies[appender->number];
	const struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_WAKE,
		.lock_timeout_ns = -1,
		.session = appender->session,
	};
	int status = shmlog_append_frames(appender->log, frame, bytes, &options,
	                                  NULL);

	switch (status) {
	case 0:
		shared->acknowledged[appender->number][number] = 1;
		tally->appended++;
		/* fall through */
	case SHMLOG_ERR_IN_DOUBT: tally->done = number; return;
	case SHMLOG_ERR_FULL:
		if (rotate(appender->log) == 0)
			tally->rotated++;
		break;
	/* One that was killed may be seen for a moment longer. */
	case SHMLOG_ERR_WRITER_ACTIVE:
	case SHMLOG_ERR_REPLACED: break;
	default: give_up("append: %s", shmlog_strerror(status));
	}
	close_appender(appender);
	open_appender(appender);
}

static void run_appender(unsigned number)
{
	struct appender appender = {.number = number};
	struct tally *tally = &shared->tallies[number];

	open_appender(&appender);
	while (!shared->over) {
		unsigned char frame[256];
		char text[200];
		uint64_t turn = tally->tried + 1;
		int length = snprintf(text, sizeof(text), "%u %" PRIu64 " %0*d",
		                      number, turn, (int)chance_below(100), 0);

		if (turn >= sizeof(shared->acknowledged[0]))
			break;
		size_t bytes = shmlog_frame_encode(frame, text, (size_t)length);

		tally->tried = turn;
		while (tally->done != turn && !shared->over)
			append(&appender, frame, bytes, turn);
		/* Whoever waits must not wait for this. */
		if (appender.session != NULL && chance_below(8) == 0)
			shmlog_append_session_release(appender.session);
		if (chance_below(64) == 0) {
			if (appender.session != NULL)
				shmlog_append_session_release(appender.session);
			campaign_sleep_ns((int64_t)chance_below(NS_PER_MS));
		}
	}
	close_appender(&appender);
}

/* --------------------------------------------------------------- changers */

static void grow(struct shmlog *log)
{
	const struct shmlog_change_options options = {.lock_timeout_ns = -1};
	uint64_t capacity = CAPACITY_BYTES +
	                    chance_below(MOST_BYTES - CAPACITY_BYTES);
	int status = shmlog_grow(log, capacity, &options);

	if (status != 0 && status != SHMLOG_ERR_REPLACED &&
	    status != SHMLOG_ERR_CAPACITY && status != SHMLOG_ERR_WRITER_ACTIVE)
		give_up("grow: %s", shmlog_strerror(status));
}

static void run_changer(unsigned number)
{
	while (!shared->over) {
		struct shmlog *log = open_log();

		if (chance_below(2) == 0)
			grow(log);
		else
			(void)rotate(log);
		shmlog_close(log);
		shared->tallies[number].changed++;
		campaign_sleep_ns((int64_t)chance_below(4 * NS_PER_MS));
	}
}

/* -------------------------------------------------------------- followers */

/* The numbers of each appender only grow, through all logs. */
static void take(const struct shmlog_frame *frame, uint64_t *last)
{
	unsigned appender;
	uint64_t number;
	char text[64];
	size_t bytes = frame->size_bytes < sizeof(text) - 1 ? frame->size_bytes
	                                                    : sizeof(text) - 1;

	memcpy(text, frame->payload, bytes);
	text[bytes] = '\0';
	if (sscanf(text, "%u %" SCNu64, &appender, &number) != 2 ||
	    appender >= APPENDERS)
		give_up("a follower read '%s'", text);
	if (number <= last[appender])
		give_up("a follower read frame %" PRIu64
		        " of appender %u behind frame %" PRIu64,
		        number, appender, last[appender]);
	last[appender] = number;
}

static void read_all(struct shmlog_reader *reader, struct reading *reading,
                     uint64_t *last)
{
	struct shmlog_frame frames[16];
	int count;

	while ((count = shmlog_reader_next_batch(reader, 16, 0, frames)) > 0) {
		for (int i = 0; i < count; i++)
			take(&frames[i], last);
		reading->frames += (uint64_t)count;
	}
	if (count < 0)
		give_up("a follower: %s", shmlog_strerror(count));
}

/* Follows one log until its name leads to another one. */
static void follow_log(struct shmlog *log, unsigned flags,
                       struct reading *reading, uint64_t *last)
{
	const struct shmlog_reader_options options = {.flags = flags};
	struct shmlog_reader *reader;
	int status = 0;

	if (shmlog_reader_open(log, &options, &reader) != 0)
		give_up("no reader");
	while (!shared->over && status != SHMLOG_ERR_REPLACED) {
		if (shmlog_reader_wait(reader, NS_PER_MS, 0) < 0)
			give_up("a follower cannot wait");
		read_all(reader, reading, last);
		status = shmlog_check_name(log);
		if (status != 0 && status != SHMLOG_ERR_REPLACED)
			give_up("the name: %s", shmlog_strerror(status));
	}
	read_all(reader, reading, last);
	if (status == SHMLOG_ERR_REPLACED && reading->logs < MOST_ENDS)
		reading->ends[reading->logs++] = (struct end){
			shmlog_identity(log).inode,
			shmlog_reader_cursor(reader)};
	shmlog_reader_close(reader);
}

static void run_follower(unsigned number)
{
	static const unsigned flags[FOLLOWERS] = {
		0, SHMLOG_READER_BUFFERED | SHMLOG_READER_SHOWN};
	uint64_t last[APPENDERS] = {0};

	while (!shared->over) {
		struct shmlog *log = open_log();

		follow_log(log, flags[number], &shared->readings[number], last);
		shmlog_close(log);
	}
}

/* -------------------------------------------------------------- processes */

static pid_t start_killable(unsigned number)
{
	return campaign_start_child(
		number < APPENDERS ? run_appender : run_changer, number);
}

static void expect_good_end(pid_t pid)
{
	int status = campaign_wait(
		pid, campaign_patience_ns(INT64_C(20) * 1000000000), NULL);

	if (status != 0)
		campaign_fail("a process ended with status %d", status);
}

/* Kills, and starts another in the place of the killed. */
static void kill_them(pid_t *pids, uint64_t kills)
{
	for (uint64_t i = 0; i < kills; i++) {
		unsigned victim = (unsigned)chance_below(KILLABLE);

		campaign_sleep_ns((int64_t)chance_below(8 * NS_PER_MS));
		campaign_end_by(pids[victim], SIGKILL,
		                campaign_patience_ns(INT64_C(20) * 1000000000));
		pids[victim] = start_killable(victim);
	}
}

/* ------------------------------------------------------------------- sums */

/* What is in the logs in the end. */
struct sums {
	unsigned char found[APPENDERS][1u << 22];
	uint64_t frames;
	uint64_t logs;
	uint64_t empty;
	uint64_t names; /* second ones of a log that has been looked at */
	struct end ends[MOST_ENDS];
};

static void count_frame(struct sums *sums, const struct shmlog_frame *frame)
{
	unsigned appender;
	uint64_t number;
	char text[64] = "";
	size_t bytes = frame->size_bytes < sizeof(text) - 1 ? frame->size_bytes
	                                                    : sizeof(text) - 1;

	memcpy(text, frame->payload, bytes);
	if (sscanf(text, "%u %" SCNu64, &appender, &number) != 2 ||
	    appender >= APPENDERS || number > shared->tallies[appender].tried)
		campaign_fail("a log holds '%s'", text);
	if (sums->found[appender][number]++ != 0)
		campaign_fail("frame %" PRIu64 " of appender %u is there twice",
		              number, appender);
	sums->frames++;
}

static int count_frames(void *context, const struct shmlog_frame *frames,
                        size_t count)
{
	for (size_t i = 0; i < count; i++)
		count_frame(context, &frames[i]);
	return 0;
}

static bool is_known(const struct sums *sums, uint64_t inode)
{
	for (uint64_t i = 0; i < sums->logs; i++) {
		if (sums->ends[i].inode == inode)
			return true;
	}
	return false;
}

static void count_log(struct sums *sums, const char *path)
{
	const struct shmlog_verify_visitor visitor = {.frames = count_frames,
	                                              .context = sums};
	struct shmlog_verify_report report;
	struct shmlog *log;
	int status = shmlog_open(path, &log);

	if (status != 0)
		campaign_fail("%s: %s", path, shmlog_strerror(status));
	uint64_t inode = shmlog_identity(log).inode;

	if (is_known(sums, inode)) {
		sums->names++;
	} else if (sums->logs < MOST_ENDS) {
		status = shmlog_verify(log, &visitor, &report);
		if (status != 0)
			campaign_fail("%s is damaged: %d", path, status);
		sums->ends[sums->logs++] = (struct end){
			inode, report.header.size - report.header.data_offset};
		sums->empty += report.frames == 0;
	}
	shmlog_close(log);
}

/* Each name in the folder is the log's, or begins with that and a time. */
static void count_logs(struct sums *sums, const char *folder)
{
	DIR *directory = opendir(folder);

	if (directory == NULL)
		campaign_fail("%s: %s", folder, strerror(errno));
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		char path[1024];

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (strcmp(entry->d_name, "log") != 0 &&
		    strncmp(entry->d_name, "log.2", 5) != 0)
			campaign_fail("debris: %s", entry->d_name);
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count_log(sums, path);
	}
	closedir(directory);
}

static void check_acknowledged(const struct sums *sums)
{
	for (unsigned i = 0; i < APPENDERS; i++) {
		for (uint64_t n = 0; n <= shared->tallies[i].tried; n++) {
			if (shared->acknowledged[i][n] && !sums->found[i][n])
				campaign_fail("frame %" PRIu64 " of appender "
				              "%u was acknowledged and is lost",
				              n, i);
		}
	}
}

/* A log that has another name is as long as it was when a follower left it. */
static void check_ends(const struct sums *sums, const struct reading *reading)
{
	for (uint64_t i = 0; i < reading->logs; i++) {
		for (uint64_t j = 0; j < sums->logs; j++) {
			const struct end *end = &reading->ends[i];

			if (sums->ends[j].inode == end->inode &&
			    sums->ends[j].cursor != end->cursor)
				campaign_fail(
					"a follower left a log at %" PRIu64
					" that ends at %" PRIu64,
					end->cursor, sums->ends[j].cursor);
		}
	}
}

static void *share(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		campaign_fail("no memory");
	return memory;
}

int main(int argc, char **argv)
{
	pid_t pids[KILLABLE], followers[FOLLOWERS];
	uint64_t appended = 0, rotated = 0, changed = 0, read = 0;

	if (argc != 3)
		return 2;
	campaign_begin("rotate_race", 4 * 3600);
	shared = share(sizeof(*shared));
	struct sums *sums = share(sizeof(*sums));
	uint64_t kills = campaign_number(argv[2]);

	snprintf(log_path, sizeof(log_path), "%s/log", argv[1]);
	if (mkdir(argv[1], 0700) != 0 ||
	    shmlog_create(log_path, CAPACITY_BYTES, 0600, 0) != 0)
		campaign_fail("%s: cannot make a log", log_path);
	for (unsigned i = 0; i < FOLLOWERS; i++)
		followers[i] = campaign_start_child(run_follower, i);
	for (unsigned i = 0; i < KILLABLE; i++)
		pids[i] = start_killable(i);
	kill_them(pids, kills);
	shared->over = true;
	for (unsigned i = 0; i < KILLABLE; i++)
		expect_good_end(pids[i]);
	for (unsigned i = 0; i < FOLLOWERS; i++)
		expect_good_end(followers[i]);
	count_logs(sums, argv[1]);
	check_acknowledged(sums);
	for (unsigned i = 0; i < FOLLOWERS; i++) {
		check_ends(sums, &shared->readings[i]);
		read += shared->readings[i].frames;
	}
	for (unsigned i = 0; i < KILLABLE; i++) {
		appended += shared->tallies[i].appended;
		rotated += shared->tallies[i].rotated;
		changed += shared->tallies[i].changed;
	}
	if (appended == 0 || sums->logs < 2)
		campaign_fail("nothing happened");
	return campaign_pass(
		"%" PRIu64 " kills, %" PRIu64 " frames acknowledged and there "
		"once, %" PRIu64 " more that were not; %" PRIu64
		" logs, %" PRIu64 " of them empty, %" PRIu64
		" with two names; %" PRIu64 " rotated when full, %" PRIu64
		" other changes; %" PRIu64 " frames followed through %" PRIu64
		" logs",
		kills, appended, sums->frames - appended, sums->logs,
		sums->empty, sums->names, rotated, changed, read,
		(uint64_t)(shared->readings[0].logs +
	                   shared->readings[1].logs));
}
