/*
 * Runs each command with its Nth call of the C library failing, for every N:
 * syscall_fail SHMLOG SHIM DIRECTORY STRIDE
 *
 * Each failure is met once, and then for good from some N on.  STRIDE: one in
 * so many is tried, 1 for all.
 */
#include "campaign.h"
#include "shim/fail_calls.h"

#include <dirent.h>
#include <shmlog.h>
#include <sys/mman.h>

#define CAPACITY_BYTES 65536u
#define BIG_BYTES (1500u << 10) /* more than append holds in memory */
#define MOST_TOLD 40
#define LIMIT_NS campaign_patience_ns(INT64_C(10) * 1000000000)

enum flags {
	LOOSE = 1,      /* what it prints may differ from run to run */
	ACKS = 2,       /* what it prints acknowledges frames */
	MAKES = 4,      /* succeeds if and only if `new` is there */
	CURSOR = 8,     /* keeps a cursor file */
	ADDS_NEW = 16,  /* may leave `new`, but only as a sound log */
	OVERFLOWS = 32, /* keeps what does not get into the log */
};

struct subject {
	unsigned flags;
	/* These, in the folder: log, damaged, full, input, json, envelope, big;
	 * new and cursor and overflow are not there. */
	const char *words[10];
};

static const struct subject subjects[] = {
	{MAKES, {"create", "new", "-c", "64K"}},
	{MAKES, {"create", "new", "-c", "64K", "--sparse"}},
	{0, {"create", "log", "-c", "64K", "--if-missing"}},
	{ACKS, {"append", "log", "input", "--ack"}},
	{ACKS, {"append", "log", "input", "--ack", "--commit-every", "7"}},
	{0, {"append", "log", "-m", "one", "-m", "two"}},
	{0, {"append", "log", "-i", "json", "json"}},
	{0, {"append", "log", "-i", "envelope", "envelope"}},
	{0, {"append", "log", "--atomic", "input", "--lock-timeout", "50ms"}},
	{ADDS_NEW, {"append", "new", "--create", "64K", "-m", "one"}},
	{ADDS_NEW, {"append", "new", "--create", "4M", "--atomic", "big"}},
	{OVERFLOWS, {"append", "full", "input", "--overflow", "overflow"}},
	{OVERFLOWS, {"append", "log", "input", "--overflow", "overflow"}},
	{OVERFLOWS,
         {"append", "log", "input", "--overflow", "overflow", "--commit-every",
          "99"}},
	{0, {"dump", "log"}},
	{0, {"dump", "log", "-o", "json", "-r"}},
	{0, {"dump", "damaged", "-t", "%i %j\\n"}},
	{0, {"dump", "log", "--from", "frame:3", "--to", "-2"}},
	{0, {"tail", "log", "-n", "3"}},
	{0, {"tail", "log", "-f", "-n", "+1", "--idle", "3ms"}},
	{0, {"tail", "log", "-F", "--count", "20", "-n", "+1"}},
	{CURSOR, {"tail", "log", "--cursor-file", "cursor"}},
	{CURSOR,
         {"tail", "log", "-F", "--idle", "3ms", "--cursor-file", "cursor"}},
	{0, {"seek", "log", "frame:5", "-o", "json"}},
	{0, {"seek", "log", "offset:300", "--nearest"}},
	{0, {"verify", "log", "damaged"}},
	{0, {"verify", "-o", "json", "damaged"}},
	{MAKES, {"verify", "damaged", "--salvage", "new"}},
	{0, {"stat", "log"}},
	{0, {"stat", "-o", "json", "log", "damaged"}},
	{0, {"stat", "--histogram", "log"}},
	{LOOSE, {"stat", "--procs", "log"}},
	{0, {"help", "append"}},
	{0, {"--version"}},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static const struct {
	int error;
	const char *name;
	/* What goes away by itself does not last for ever. */
	const char *lasts;
} errors[] = {
	{ENOSPC, "ENOSPC", "1000000000"},   {EINTR, "EINTR", "20"},
	{EMFILE, "EMFILE", "1000000000"},   {ENOMEM, "ENOMEM", "1000000000"},
	{EIO, "EIO", "1000000000"},         {EAGAIN, "EAGAIN", "20"},
	{0, "a short count", "1000000000"},
};
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

static uint64_t faults;

struct fixture {
	const char *name;
	char *bytes;
	size_t size_bytes;
};

/* What a run is compared with. */
struct clean {
	int status;
	char *out;
	size_t out_bytes;
	size_t err_bytes;
	char *log; /* the log that it appended to, or NULL */
	size_t committed;
};

struct campaign {
	const char *shmlog;
	const char *shim;
	char report_path[512];
	struct fault_report *report;
	struct fixture fixture[7];
	size_t fixtures;
	uint64_t runs;
	uint64_t failures; /* calls that were made to fail */
	uint64_t statuses[256];
};

struct attempt {
	const struct subject *subject;
	size_t error;
	bool lasting;
	unsigned long at;
};

/* Tells of a fault; the first few of them. */
static void refuse(const struct campaign *campaign,
                   const struct attempt *attempt,
                   const struct campaign_result *result, const char *why)
{
	char words[512] = "";
	size_t used = 0;

	if (faults++ >= MOST_TOLD)
		return;
	for (size_t i = 0; attempt->subject->words[i] != NULL; i++)
		used += (size_t)snprintf(words + used, sizeof(words) - used,
		                         " %s", attempt->subject->words[i]);
	printf("shmlog%s: %s from %s, number %lu%s: status %d: %s; it said: "
	       "%.600s\n",
	       words, errors[attempt->error].name, campaign->report->first,
	       attempt->at, attempt->lasting ? " and for good" : "",
	       result->status, why, result->err);
}

/* --------------------------------------------------------------- fixtures */

static struct fixture *add_fixture(struct campaign *campaign, const char *name,
                                   size_t room)
{
	struct fixture *fixture = &campaign->fixture[campaign->fixtures++];

	*fixture = (struct fixture){.name = name, .bytes = calloc(1, room)};
	if (fixture->bytes == NULL)
		campaign_fail("no memory");
	return fixture;
}

static void add_log(struct campaign *campaign, const char *name,
                    size_t capacity, int frames)
{
	struct fixture *log = add_fixture(campaign, name, capacity);
	unsigned char *bytes = (unsigned char *)log->bytes;
	char text[64];
	size_t at = SHMLOG_HEADER_BYTES;

	log->size_bytes = capacity;
	for (int i = 0; i < frames; i++) {
		int length = snprintf(text, sizeof(text), "frame %d %.*s", i,
		                      i % 17, "................");

		at += shmlog_frame_encode(bytes + at, text, (size_t)length);
	}
	bytes[0] = bytes[8] = SHMLOG_HEADER_BYTES;
	bytes[16] = (unsigned char)(at & 0xff);
	bytes[17] = (unsigned char)(at >> 8);
}

static void add_lines(struct campaign *campaign, const char *name,
                      const char *format, size_t bytes)
{
	struct fixture *file = add_fixture(campaign, name, bytes + 256);

	for (unsigned i = 0; file->size_bytes < bytes; i++) {
		int length = snprintf(file->bytes + file->size_bytes, 256,
		                      format, i);

		file->size_bytes += (size_t)length;
	}
}

static void make_fixtures(struct campaign *campaign)
{
	add_log(campaign, "log", CAPACITY_BYTES, 40);
	add_log(campaign, "damaged", CAPACITY_BYTES, 40);
	campaign->fixture[1].bytes[200] ^= 0x55;
	memset(campaign->fixture[1].bytes + 200, 0x7e, 40);
	add_log(campaign, "full", 1500, 40);
	add_lines(campaign, "input", "line %u\n", 700);
	add_lines(campaign, "json", "{\"n\":%u,\"t\":[1.5,null,\"\\u00e9\"]}\n",
	          400);
	add_lines(campaign, "envelope",
	          "{\"cursor\":0,\"next\":9,\"index\":%u,\"size\":5,"
	          "\"encoding\":\"utf8\",\"payload\":\"abcde\"}\n",
	          900);
	add_lines(campaign, "big", "a line that is one of very many: %u\n",
	          BIG_BYTES);
}

static size_t read_whole(const char *path, char *bytes, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return SIZE_MAX;
	ssize_t got = read(fd, bytes, room);

	close(fd);
	return got >= 0 ? (size_t)got : SIZE_MAX;
}

static void restore(const struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->fixtures; i++) {
		const struct fixture *file = &campaign->fixture[i];
		struct stat now;

		/* The large input is only read. */
		if (stat(file->name, &now) == 0 && file->size_bytes > 1u << 20)
			continue;
		int fd = open(file->name,
		              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (fd < 0 || write(fd, file->bytes, file->size_bytes) !=
		                      (ssize_t)file->size_bytes)
			campaign_fail("%s: %s", file->name, strerror(errno));
		close(fd);
	}
	unlink("new");
	unlink("cursor");
	unlink("cursor.new");
	unlink("overflow");
}

/* ------------------------------------------------------------------- runs */

static struct campaign_result run(struct campaign *campaign,
                                  const struct attempt *attempt)
{
	const char *argv[CAMPAIGN_MOST_ARGUMENTS] = {campaign->shmlog};
	struct campaign_result result;
	char number[32];

	for (size_t i = 0; attempt->subject->words[i] != NULL; i++)
		argv[i + 1] = attempt->subject->words[i];
	restore(campaign);
	memset(campaign->report, 0, sizeof(*campaign->report));
	snprintf(number, sizeof(number), "%d", errors[attempt->error].error);
	setenv("FAULT_ERROR", number, 1);
	snprintf(number, sizeof(number), "%lu", attempt->at);
	setenv("FAULT_AT", number, 1);
	setenv("FAULT_TIMES",
	       attempt->lasting ? errors[attempt->error].lasts : "1", 1);
	setenv("FAULT_REPORT", campaign->report_path, 1);
	setenv("LD_PRELOAD", campaign->shim, 1);
	result = campaign_run(argv, -1, LIMIT_NS);
	unsetenv("LD_PRELOAD");
	return result;
}

static const char *target_of(const struct subject *subject)
{
	return strcmp(subject->words[0], "append") == 0 ? subject->words[1]
	                                                : "log";
}

/* The committed part of a log; 0 if it is none. */
static size_t read_committed(const char *path, char **bytes_out)
{
	struct shmlog_header header;

	*bytes_out = NULL;
	if (shmlog_inspect(path, &header) != 0)
		return 0;
	*bytes_out = malloc(header.size);
	if (*bytes_out == NULL ||
	    read_whole(path, *bytes_out, header.size) != header.size)
		campaign_fail("cannot read %s", path);
	return header.size;
}

/* --------------------------------------------------------------- judgement */

/* A log that was appended to holds what it held, and of the rest a whole
 * number of frames from the start. */
static void judge_log(const struct campaign *campaign,
                      const struct attempt *attempt,
                      const struct campaign_result *result,
                      const struct clean *clean)
{
	char *now;
	size_t committed = read_committed(target_of(attempt->subject), &now);
	struct shmlog_verify_report report;
	struct shmlog *log;

	if (committed == 0) {
		if ((attempt->subject->flags & ADDS_NEW) == 0 ||
		    result->status == 0 || access("new", F_OK) == 0)
			refuse(campaign, attempt, result, "the log is no log");
		return;
	}
	if (committed > clean->committed || memcmp(now, clean->log, 16) != 0 ||
	    memcmp(now + 24, clean->log + 24, committed - 24) != 0)
		refuse(campaign, attempt, result, "the log holds other bytes");
	if (result->status == clean->status && committed != clean->committed)
		refuse(campaign, attempt, result, "frames are missing");
	if (shmlog_open(target_of(attempt->subject), &log) != 0 ||
	    shmlog_verify(log, NULL, &report) != 0)
		campaign_fail("the log is damaged");
	shmlog_close(log);
	free(now);
	if ((attempt->subject->flags & ACKS) != 0) {
		uint64_t acked = 40, frames;

		for (const char *at = result->out;
		     sscanf(at, "{\"frames\":%" SCNu64, &frames) == 1;
		     at = strchr(at, '\n') + 1) {
			acked += frames;
			if (strchr(at, '\n') == NULL)
				break;
		}
		if (acked > report.frames)
			refuse(campaign, attempt, result,
			       "acknowledged frames are missing");
	}
}

/* Files that the command was not to change, and files that nobody wanted. */
static void judge_folder(const struct campaign *campaign,
                         const struct attempt *attempt,
                         const struct campaign_result *result)
{
	static char bytes[1u << 20];
	const char *target = target_of(attempt->subject);
	DIR *folder = opendir(".");

	for (size_t i = 0; i < campaign->fixtures; i++) {
		const struct fixture *file = &campaign->fixture[i];

		if (file->size_bytes > sizeof(bytes) ||
		    (strcmp(file->name, target) == 0 &&
		     strcmp(attempt->subject->words[0], "append") == 0))
			continue;
		if (read_whole(file->name, bytes, sizeof(bytes)) !=
		            file->size_bytes ||
		    memcmp(bytes, file->bytes, file->size_bytes) != 0)
			refuse(campaign, attempt, result,
			       "another file was changed");
	}
	for (struct dirent *entry;
	     folder != NULL && (entry = readdir(folder)) != NULL;) {
		const char *name = entry->d_name;
		bool wanted = name[0] == '.' &&
		              (name[1] == '\0' || name[1] == '.');

		for (size_t i = 0; i < campaign->fixtures; i++)
			wanted |= strcmp(name, campaign->fixture[i].name) == 0;
		wanted |= strcmp(name, "new") == 0 &&
		          (attempt->subject->flags & (MAKES | ADDS_NEW)) != 0;
		wanted |= strcmp(name, "cursor") == 0 &&
		          (attempt->subject->flags & CURSOR) != 0;
		wanted |= strcmp(name, "overflow") == 0 &&
		          (attempt->subject->flags & OVERFLOWS) != 0;
		if (!wanted)
			refuse(campaign, attempt, result, name);
	}
	closedir(folder);
}

static void judge_new(const struct campaign *campaign,
                      const struct attempt *attempt,
                      const struct campaign_result *result,
                      const struct clean *clean)
{
	struct shmlog_header header;
	bool there = access("new", F_OK) == 0;

	if ((attempt->subject->flags & MAKES) == 0)
		return;
	if (there != (result->status == clean->status))
		refuse(campaign, attempt, result,
		       there ? "it failed and left a file behind"
		             : "it made nothing");
	if (there && shmlog_inspect("new", &header) != 0)
		refuse(campaign, attempt, result, "what it made is no log");
}

/* The lines that were committed behind the first `from` bytes of a log, their
 * number of bytes, and behind them those that were kept; the bytes of all. */
static size_t read_lines(const char *log, size_t from, char *lines, size_t room,
                         size_t *committed_out)
{
	char *bytes;
	size_t committed = read_committed(log, &bytes);
	size_t used = 0;

	for (size_t at = from; at < committed;) {
		size_t total = (unsigned char)bytes[at] |
		               (size_t)(unsigned char)bytes[at + 1] << 8;

		if (total < 4 || total > committed - at || total > room - used)
			campaign_fail("the log is damaged");
		memcpy(lines + used, bytes + at + 2, total - 4);
		used += total - 3;
		lines[used - 1] = '\n';
		at += total;
	}
	free(bytes);
	*committed_out = used;
	size_t kept = read_whole("overflow", lines + used, room - used);

	return used + (kept == SIZE_MAX ? 0 : kept);
}

/* What was read, or was to be read when the message said where it goes, is in
 * the log or kept, unless another message says what is lost; in both, where
 * not even a look at the length of the file after the commit was possible. */
static void judge_kept(const struct campaign *campaign,
                       const struct attempt *attempt,
                       const struct campaign_result *result,
                       const struct clean *clean)
{
	static char lines[1u << 16];
	const struct fixture *input = &campaign->fixture[3];
	const char *target = target_of(attempt->subject);
	const struct fixture *log = &campaign->fixture[0];

	if ((attempt->subject->flags & OVERFLOWS) == 0 ||
	    strstr(result->err, " bytes were kept, and nothing ") != NULL ||
	    strstr(result->err, "cannot read 'input'") != NULL ||
	    strstr(result->err, "input: cannot open: ") != NULL ||
	    (strstr(result->err, " goes to 'overflow'") == NULL &&
	     result->status != clean->status))
		return;
	while (strcmp(log->name, target) != 0)
		log++;
	size_t from = (unsigned char)log->bytes[16] |
	              (size_t)(unsigned char)log->bytes[17] << 8;
	size_t committed;
	size_t bytes = read_lines(target, from, lines, sizeof(lines),
	                          &committed);
	size_t kept = bytes - committed;

	/* Frames in doubt are kept though they may be there, too. */
	bool twice = strcmp(campaign->report->first, "lseek") == 0 ||
	             strstr(result->err, " are in doubt;") != NULL;

	if (committed > input->size_bytes || kept > input->size_bytes ||
	    bytes < input->size_bytes ||
	    (bytes > input->size_bytes && !twice) ||
	    memcmp(lines, input->bytes, committed) != 0 ||
	    memcmp(lines + committed, input->bytes + input->size_bytes - kept,
	           kept) != 0)
		refuse(campaign, attempt, result,
		       "input is neither committed nor kept");
}

/*
 * Whether an answer may be that: as without a failure, or that the system
 * refused.  A call that was cut by a signal of no meaning, or moved less than
 * it might, is made again.  Where a lease is refused for no reason, a writer is
 * suspected.
 */
static bool may_end_so(const struct campaign *campaign,
                       const struct attempt *attempt, int status,
                       const struct clean *clean)
{
	const char *first = campaign->report->first;

	if (status == clean->status)
		return true;
	if (errors[attempt->error].error == EINTR ||
	    errors[attempt->error].error == 0)
		return false;
	if (status == 4)
		return true;
	if (errors[attempt->error].error == EAGAIN && status == 7)
		return strcmp(first, "fcntl") == 0 ||
		       strcmp(first, "flock") == 0;
	return false;
}

static void judge(const struct campaign *campaign,
                  const struct attempt *attempt,
                  const struct campaign_result *result,
                  const struct clean *clean)
{
	const struct subject *subject = attempt->subject;

	if (result->status < 0)
		refuse(campaign, attempt, result,
		       result->status == -1000 ? "it hangs" : "a signal");
	if (!campaign_in_table(result->status))
		refuse(campaign, attempt, result, "not in the table");
	if (!may_end_so(campaign, attempt, result->status, clean))
		refuse(campaign, attempt, result, "the wrong status");
	if (result->status != clean->status && result->err_bytes == 0)
		refuse(campaign, attempt, result, "no word about it");
	if (result->status == clean->status && (subject->flags & LOOSE) == 0 &&
	    (subject->flags & (ACKS | CURSOR)) == 0 &&
	    result->err_bytes <= clean->err_bytes &&
	    (result->out_bytes != clean->out_bytes ||
	     memcmp(result->out, clean->out, clean->out_bytes) != 0))
		refuse(campaign, attempt, result,
		       "printed something else and said nothing");
	if (strcmp(subject->words[0], "append") == 0)
		judge_log(campaign, attempt, result, clean);
	judge_kept(campaign, attempt, result, clean);
	judge_folder(campaign, attempt, result);
	judge_new(campaign, attempt, result, clean);
}

/* ------------------------------------------------------------------- main */

static struct clean run_clean(struct campaign *campaign,
                              const struct attempt *attempt)
{
	struct campaign_result result = run(campaign, attempt);
	struct clean clean = {.status = result.status,
	                      .out_bytes = result.out_bytes,
	                      .err_bytes = result.err_bytes};

	if (result.status < 0 || !campaign_in_table(result.status))
		campaign_fail("shmlog %s: status %d without any failure: %s",
		              attempt->subject->words[0], result.status,
		              result.err);
	clean.out = malloc(result.out_bytes + 1);
	if (clean.out == NULL)
		campaign_fail("no memory");
	memcpy(clean.out, result.out, result.out_bytes);
	if (strcmp(attempt->subject->words[0], "append") == 0)
		clean.committed = read_committed(target_of(attempt->subject),
		                                 &clean.log);
	return clean;
}

/* All failures of one kind in one command. */
static void try_subject(struct campaign *campaign,
                        const struct subject *subject, size_t error,
                        uint64_t stride)
{
	struct attempt attempt = {.subject = subject, .error = error};
	struct clean clean = run_clean(campaign, &attempt);
	unsigned long calls = campaign->report->eligible;

	for (unsigned long i = 0; i < 2 * calls; i++) {
		attempt.at = i / 2 + 1;
		attempt.lasting = i % 2 == 1;
		if (chance_below(stride) != 0)
			continue;
		struct campaign_result result = run(campaign, &attempt);

		judge(campaign, &attempt, &result, &clean);
		campaign->runs++;
		campaign->failures += campaign->report->failed;
		campaign->statuses[result.status & 0xff]++;
	}
	free(clean.out);
	free(clean.log);
}

static void map_report(struct campaign *campaign, const char *folder)
{
	snprintf(campaign->report_path, sizeof(campaign->report_path),
	         "%s/report", folder);
	int fd = open(campaign->report_path, O_RDWR | O_CREAT | O_CLOEXEC,
	              0600);

	if (fd < 0 || ftruncate(fd, sizeof(struct fault_report)) != 0)
		campaign_fail("%s: %s", campaign->report_path, strerror(errno));
	campaign->report = mmap(NULL, sizeof(struct fault_report),
	                        PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (campaign->report == MAP_FAILED)
		campaign_fail("no memory");
	close(fd);
}

int main(int argc, char **argv)
{
	static struct campaign campaign;
	const char *only = getenv("ONLY");

	if (argc != 5)
		return 2;
	campaign_begin("syscall_fail", 2 * 3600);
	campaign.shmlog = argv[1];
	campaign.shim = argv[2];
	uint64_t stride = campaign_number(argv[4]);
	char folder[600];

	map_report(&campaign, argv[3]);
	snprintf(folder, sizeof(folder), "%s/work", argv[3]);
	if (stride == 0 || mkdir(folder, 0700) != 0 || chdir(folder) != 0)
		campaign_fail("%s: %s", folder, strerror(errno));
	make_fixtures(&campaign);
	for (size_t s = 0; s < SUBJECTS; s++) {
		if (only != NULL && strcmp(only, subjects[s].words[0]) != 0)
			continue;
		for (size_t e = 0; e < ERRORS; e++)
			try_subject(&campaign, &subjects[s], e, stride);
	}
	if (faults > 0)
		campaign_fail("%" PRIu64 " faults in %" PRIu64 " runs", faults,
		              campaign.runs);
	if (campaign.failures < campaign.runs / 2)
		campaign_fail("the failures do not reach the command");
	return campaign_pass(
		"%zu commands, %zu errors, once and for good: %" PRIu64
		" runs, %" PRIu64 " calls failed; as without: %" PRIu64
		", refused: %" PRIu64 ", 7: %" PRIu64
		"; no signal, data intact, no debris",
		SUBJECTS, ERRORS, campaign.runs, campaign.failures,
		campaign.runs - campaign.statuses[4] - campaign.statuses[7],
		campaign.statuses[4], campaign.statuses[7]);
}
