/*
 * Cuts, cuts and regrows, or replaces a log while a command works on it:
 * truncate SHMLOG DIRECTORY TIMES
 *
 * Some commands are caught in the middle, blocked on their output or input;
 * the others at a random moment.  What is printed must be the log's own
 * frames, in order, as far as it goes.
 */
#include "campaign.h"

#include <poll.h>
#include <shmlog.h>
#include <sys/socket.h>

#define CAPACITY_BYTES (2u << 20)
#define COMMITTED_BYTES (3u << 19)
#define PAGE_BYTES 4096u
#define LIMIT_NS campaign_patience_ns(INT64_C(10) * 1000000000)
#define TEXT_BYTES (4u << 20)

enum kind {
	BLOCKED,   /* prints all frames; is caught waiting for its reader */
	FOLLOWING, /* the same, but is caught waiting for more */
	LOOKING,   /* prints something else; is caught anywhere */
	FED,       /* appends; is caught waiting for its input */
	BULK,      /* appends a lot; is caught anywhere */
};

struct subject {
	const char *name;
	enum kind kind;
	bool backwards;
	const char *words[8]; /* LOG stands for the log, NEW for a new file */
};

static const struct subject subjects[] = {
	{"dump", BLOCKED, false, {"dump", "-o", "frames", "LOG"}},
	{"dump -r", BLOCKED, true, {"dump", "-r", "-o", "frames", "LOG"}},
	{"tail", BLOCKED, false, {"tail", "-n", "+1", "-o", "frames", "LOG"}},
	{"tail -f",
         FOLLOWING,
         false,
         {"tail", "-f", "-n", "+1", "-o", "frames", "LOG"}},
	{"verify", LOOKING, false, {"verify", "LOG"}},
	{"salvage", LOOKING, false, {"verify", "--salvage", "NEW", "LOG"}},
	{"stat", LOOKING, false, {"stat", "--histogram", "LOG"}},
	{"seek", LOOKING, false, {"seek", "LOG", "frame:1000", "offset:24"}},
	{"seek end", LOOKING, false, {"seek", "LOG", "frame:-900", "end"}},
	{"append", FED, false, {"append", "--ack", "LOG"}},
	{"append bulk", BULK, false, {"append", "--atomic", "LOG"}},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

enum deed {
	CUT,
	CUT_AND_REGROW,
	REPLACE,
	DEEDS,
};

static const char *const deed_names[] = {"cut", "cut and regrown", "replaced"};

struct campaign {
	const char *shmlog;
	char log_path[512];
	char other_path[512];
	char new_path[512];
	char *template; /* the whole log as it is before each run */
	char *forwards; /* what dump -o frames prints of it */
	char *backwards;
	char *got;
	uint64_t size; /* the header's */
	int bulk_input;
	uint64_t statuses[256];
};

/* One command and what is done to its log. */
struct run {
	const struct subject *subject;
	enum deed deed;
	uint64_t length;
	pid_t pid;
	int in;
	int out;
	int err;
	size_t got; /* bytes of its output */
};

__attribute__((noreturn)) static void refuse(const struct run *run, int status,
                                             const char *why)
{
	char text[1024];
	ssize_t bytes = pread(run->err, text, sizeof(text) - 1, 0);

	text[bytes > 0 ? bytes : 0] = '\0';
	campaign_fail("%s: log %s at %" PRIu64
	              " bytes: status %d, %s; it said: %s",
	              run->subject->name, deed_names[run->deed], run->length,
	              status, why, text);
}

/* --------------------------------------------------------------- the logs */

static void write_file(const char *path, const char *bytes, size_t count)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count ||
	    close(fd) != 0)
		campaign_fail("%s: %s", path, strerror(errno));
}

/* Frames of many sizes, up to COMMITTED_BYTES. */
static void make_template(struct campaign *campaign)
{
	unsigned char *bytes = calloc(1, CAPACITY_BYTES);
	char *forwards = malloc(CAPACITY_BYTES);
	char *backwards = malloc(CAPACITY_BYTES);
	unsigned char payload[4096];
	uint64_t at = SHMLOG_HEADER_BYTES;

	if (bytes == NULL || forwards == NULL || backwards == NULL)
		campaign_fail("no memory");
	while (at < COMMITTED_BYTES) {
		size_t size_bytes = chance_below(4) == 0 ? chance_below(4096)
		                                         : chance_below(200);

		for (size_t i = 0; i < size_bytes; i++)
			payload[i] = (unsigned char)chance_below(255) + 1;
		size_t total = shmlog_frame_encode(bytes + at, payload,
		                                   size_bytes);

		at += total;
		memcpy(backwards + CAPACITY_BYTES - at, bytes + at - total,
		       total);
	}
	bytes[0] = bytes[8] = SHMLOG_HEADER_BYTES;
	memcpy(bytes + 16, &at, sizeof(at));
	memcpy(forwards, bytes + SHMLOG_HEADER_BYTES, at - SHMLOG_HEADER_BYTES);
	campaign->size = at;
	campaign->template = (char *)bytes;
	campaign->forwards = forwards;
	campaign->backwards = backwards + CAPACITY_BYTES - at;
}

static int make_bulk_input(void)
{
	char line[1000];
	int fd = campaign_unnamed_file();

	memset(line, 'b', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 400; i++) {
		if (write(fd, line, sizeof(line)) < 0)
			campaign_fail("scratch file: %s", strerror(errno));
	}
	return fd;
}

/* --------------------------------------------------------------- the runs */

static void start(const struct campaign *campaign, struct run *run)
{
	const char *argv[CAMPAIGN_MOST_ARGUMENTS] = {campaign->shmlog};
	int in[2] = {-1, -1}, out[2];

	for (size_t i = 0; run->subject->words[i] != NULL; i++) {
		const char *word = run->subject->words[i];

		argv[i + 1] = strcmp(word, "LOG") == 0   ? campaign->log_path
		              : strcmp(word, "NEW") == 0 ? campaign->new_path
		                                         : word;
	}
	if (run->subject->kind == FED)
		campaign_pipe(in);
	else if (run->subject->kind == BULK)
		in[0] = campaign->bulk_input;
	lseek(campaign->bulk_input, 0, SEEK_SET);
	/* Unlike a pipe, this takes little before it blocks. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, out) != 0)
		campaign_fail("socketpair: %s", strerror(errno));
	campaign_close_on_exec(out[0]);
	campaign_close_on_exec(out[1]);
	campaign_rewind(run->err);
	run->pid = campaign_start(
		argv, (struct campaign_pipes){in[0], out[1], run->err});
	if (run->subject->kind == FED)
		close(in[0]);
	close(out[1]);
	run->in = in[1];
	run->out = out[0];
	run->got = 0;
}

/* Reads output; until its end, or until `enough` bytes are there. */
static void take_output(const struct campaign *campaign, struct run *run,
                        size_t enough)
{
	struct pollfd readable = {.fd = run->out, .events = POLLIN};
	ssize_t got;

	while (run->got < enough) {
		if (poll(&readable, 1, (int)(LIMIT_NS / NS_PER_MS)) != 1)
			refuse(run, 0, "hangs");
		got = read(run->out, campaign->got + run->got,
		           TEXT_BYTES - run->got);
		if (got <= 0)
			break;
		run->got += (size_t)got;
	}
}

/* Waits until the command is where it is to be caught. */
static void wait_for_moment(const struct campaign *campaign, struct run *run)
{
	struct pollfd readable = {.fd = run->out, .events = POLLIN};

	switch (run->subject->kind) {
	case BLOCKED: poll(&readable, 1, (int)(LIMIT_NS / NS_PER_MS)); break;
	case FOLLOWING:
		take_output(campaign, run,
		            campaign->size - SHMLOG_HEADER_BYTES);
		break;
	case FED:
		if (write(run->in, "one\n", 4) != 4)
			refuse(run, 0, "does not listen");
		take_output(campaign, run, 1);
		break;
	default: campaign_sleep_ns((int64_t)chance_below(3000000)); break;
	}
}

static void do_deed(const struct campaign *campaign, const struct run *run)
{
	bool failed;

	if (run->deed == REPLACE) {
		/* As much as fits, so sometimes a log and sometimes none. */
		write_file(campaign->other_path, campaign->template,
		           run->length);
		failed = rename(campaign->other_path, campaign->log_path) != 0;
	} else {
		failed = truncate(campaign->log_path, (off_t)run->length) != 0;
		if (run->deed == CUT_AND_REGROW && !failed)
			failed = truncate(campaign->log_path, CAPACITY_BYTES) !=
			         0;
	}
	if (failed)
		campaign_fail("cannot do that: %s", strerror(errno));
}

/* ------------------------------------------------------------- judgements */

static void judge_output(const struct campaign *campaign, const struct run *run,
                         int status)
{
	size_t all = campaign->size - SHMLOG_HEADER_BYTES;
	const char *expected = run->subject->backwards ? campaign->backwards
	                                               : campaign->forwards;

	if (run->got > all || memcmp(campaign->got, expected, run->got) != 0)
		refuse(run, status, "printed what is not in the log");
	if (status == 0 && run->got != all && run->deed != REPLACE)
		refuse(run, status, "left out frames and said nothing");
}

/* What an append that succeeded left behind.  A file that was cut and
 * regrown at once looks untouched to whoever does not read it all. */
static void judge_appended(const struct campaign *campaign,
                           const struct run *run, int status)
{
	struct shmlog_verify_report report;
	struct shmlog_header header;
	struct shmlog *log;
	struct stat file;

	if (run->deed != CUT || run->length >= campaign->size)
		return;
	if (stat(campaign->log_path, &file) != 0 ||
	    (uint64_t)file.st_size > run->length)
		refuse(run, status, "the append made the file longer");
	if (shmlog_inspect(campaign->log_path, &header) == 0 &&
	    shmlog_open(campaign->log_path, &log) == 0) {
		if (shmlog_verify(log, NULL, &report) != 0)
			refuse(run, status, "the log is open but damaged");
		shmlog_close(log);
	}
}

/* A follower that has no reason to end is told to, which is its good end. */
static void end_follower(const struct campaign *campaign, struct run *run)
{
	struct pollfd closed = {.fd = run->out, .events = POLLIN};

	if (run->subject->kind != FOLLOWING ||
	    (run->deed == CUT && run->length < campaign->size))
		return;
	if (poll(&closed, 1, 120) == 0)
		kill(run->pid, SIGTERM);
}

static bool may_end_so(const struct campaign *campaign, const struct run *run,
                       int status)
{
	const struct subject *subject = run->subject;
	bool whole = run->length >= campaign->size;

	if (status == 5)
		return run->deed == REPLACE ? subject->kind != BLOCKED &&
		                                      subject->kind != FOLLOWING
		                            : !whole || subject->kind == BULK;
	if (status == 0) /* it may have been through already, but not these */
		return whole || run->deed != CUT ||
		       (subject->kind != FOLLOWING && subject->kind != FED);
	if (status == 3) /* from a log with zeros in it */
		return strcmp(subject->name, "salvage") == 0 && !whole &&
		       run->deed == CUT_AND_REGROW;
	if (status == 6)
		return subject->kind == BULK;
	/* Zeros where frames were, or where `size` was. */
	if (run->deed != CUT_AND_REGROW || whole)
		return false;
	return status == 1 ||
	       (status == 7 && run->length < SHMLOG_HEADER_BYTES);
}

static void run_once(struct campaign *campaign, struct run *run)
{
	write_file(campaign->log_path, campaign->template, CAPACITY_BYTES);
	unlink(campaign->new_path);
	start(campaign, run);
	wait_for_moment(campaign, run);
	do_deed(campaign, run);
	if (run->subject->kind == FED) {
		if (write(run->in, "two\n", 4) != 4)
			refuse(run, 0, "does not listen");
		close(run->in);
	}
	end_follower(campaign, run);
	take_output(campaign, run, TEXT_BYTES);
	int status = campaign_wait(run->pid, LIMIT_NS, NULL);

	if (status == -SIGTERM && run->subject->kind == FOLLOWING)
		status = 0;
	close(run->out);
	if (status < 0)
		refuse(run, status,
		       status == -1000 ? "hangs" : "died by a signal");
	if (!may_end_so(campaign, run, status))
		refuse(run, status, "which is wrong");
	if (run->subject->kind == BLOCKED || run->subject->kind == FOLLOWING)
		judge_output(campaign, run, status);
	if (run->subject->kind == FED || run->subject->kind == BULK)
		judge_appended(campaign, run, status);
	campaign->statuses[status]++;
}

/* ------------------------------------------------------------------- main */

static uint64_t nth_length(uint64_t n)
{
	static const uint64_t special[] = {0, 1, 23, 24, 25};
	const uint64_t specials = sizeof(special) / sizeof(special[0]);
	const uint64_t all = specials + CAPACITY_BYTES / PAGE_BYTES - 1;

	n %= all;
	return n < specials ? special[n] : (n - specials + 1) * PAGE_BYTES;
}

/* Takes lengths, commands and deeds in turn; a small run strides over the
 * lengths. */
static void run_all(struct campaign *campaign, uint64_t times, int err)
{
	const uint64_t lengths = 5 + CAPACITY_BYTES / PAGE_BYTES - 1;
	const uint64_t all = lengths * SUBJECTS * DEEDS;
	const char *only = getenv("ONLY");

	for (uint64_t i = 0; i < times; i++) {
		uint64_t at = times >= all ? i : i * 7919;
		struct run run = {
			.subject = &subjects[i % SUBJECTS],
			.deed = (enum deed)(i / SUBJECTS % DEEDS),
			.err = err,
		};

		run.length = nth_length(times >= all ? at / (SUBJECTS * DEEDS)
		                        : chance_below(4) == 0 ? chance_below(6)
		                                               : at);
		if (only == NULL || strcmp(only, run.subject->name) == 0)
			run_once(campaign, &run);
	}
}

int main(int argc, char **argv)
{
	static struct campaign campaign;

	if (argc != 4)
		return 2;
	campaign_begin("truncate", 2 * 3600);
	campaign.shmlog = argv[1];
	snprintf(campaign.log_path, sizeof(campaign.log_path), "%s/log",
	         argv[2]);
	snprintf(campaign.other_path, sizeof(campaign.other_path), "%s/other",
	         argv[2]);
	snprintf(campaign.new_path, sizeof(campaign.new_path), "%s/new",
	         argv[2]);
	uint64_t times = campaign_number(argv[3]);

	make_template(&campaign);
	campaign.bulk_input = make_bulk_input();
	campaign.got = malloc(TEXT_BYTES);
	if (campaign.got == NULL)
		campaign_fail("no memory");
	run_all(&campaign, times, campaign_unnamed_file());
	return campaign_pass(
		"%" PRIu64 " times, %zu commands, cut, regrown or replaced "
		"under them: no signal; status 0: %" PRIu64 ", 1: %" PRIu64
		", 3: %" PRIu64 ", 5: %" PRIu64 ", 6: %" PRIu64 ", 7: %" PRIu64
		"; no wrong frame printed",
		times, SUBJECTS, campaign.statuses[0], campaign.statuses[1],
		campaign.statuses[3], campaign.statuses[5],
		campaign.statuses[6], campaign.statuses[7]);
}
