/*
 * Gives files that are no logs, or broken ones, to every command:
 * malformed SHMLOG SANITIZED-SHMLOG FIXTURES DIRECTORY FILES
 *
 * Every command of the plain binary looks at each file, where time and memory
 * count; one of the sanitized binary, another for each file.
 */
#include "campaign.h"

#include <glob.h>
#include <shmlog.h>

#define MOST_BYTES (256u << 10)
#define SPARSE_BYTES (64u << 20)
#define WORKERS 2
#define LIMIT_NS campaign_patience_ns(INT64_C(20) * 1000000000)
#define MOST_CPU_NS INT64_C(1000000000)
#define KEPT_PATH "/tmp/shmlog-malformed"
#define MOST_KIB (64 * 1024)

enum effect {
	READS,   /* changes nothing */
	APPENDS, /* changes the file only if it is a log, and then behind the
	          * commit */
};

struct command {
	enum effect effect;
	/* FILE stands for the file, GOOD for a sound log, NEW for no file. */
	const char *words[8];
};

static const struct command commands[] = {
	{READS, {"dump", "-o", "json", "FILE"}},
	{READS, {"dump", "-r", "-o", "hex", "FILE"}},
	{READS, {"dump", "--from", "-3", "--to", "end", "FILE"}},
	{READS, {"tail", "FILE"}},
	{READS, {"tail", "-f", "-n", "+2", "--idle", "1ms", "FILE"}},
	{READS, {"seek", "-o", "json", "FILE", "frame:3"}},
	{READS, {"seek", "--nearest", "FILE", "offset:100", "end"}},
	{READS, {"verify", "-o", "json", "FILE"}},
	{READS, {"verify", "--salvage", "NEW", "FILE"}},
	{READS, {"stat", "--histogram", "FILE"}},
	{READS, {"stat", "-o", "json", "FILE", "GOOD"}},
	{READS, {"append", "-i", "frames", "GOOD", "FILE"}},
	{READS, {"append", "-i", "envelope", "GOOD", "FILE"}},
	{READS, {"append", "-i", "json", "--skip-invalid", "GOOD", "FILE"}},
	{APPENDS, {"append", "FILE", "-m", "more"}},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

struct campaign {
	const char *shmlog;
	const char *sanitized;
	glob_t fixtures;
	char path[512];
	char good_path[512];
	char new_path[512];
	unsigned char *bytes;
	unsigned char *now;
	size_t used;
	uint64_t length; /* of the file; beyond `used` it is a hole */
	uint64_t number; /* of the file at hand */
	uint64_t runs;
	int64_t most_cpu_ns;
	long most_kib;
};

/* ------------------------------------------------------------ broken files */

static void put_word(unsigned char *at, uint64_t word)
{
	for (size_t i = 0; i < 8; i++)
		at[i] = (unsigned char)(word >> (8 * i));
}

static void randomize(unsigned char *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		at[i] = (unsigned char)chance_below(256);
}

static void make_sound(struct campaign *campaign)
{
	unsigned char payload[2000];
	size_t frames = chance_below(60);

	campaign->used = SHMLOG_HEADER_BYTES;
	for (; frames > 0; frames--) {
		size_t size_bytes = chance_below(chance_below(8) == 0 ? 2000
		                                                      : 40);

		randomize(payload, size_bytes);
		campaign->used += shmlog_frame_encode(
			campaign->bytes + campaign->used, payload, size_bytes);
	}
	put_word(campaign->bytes, SHMLOG_HEADER_BYTES);
	put_word(campaign->bytes + 8, SHMLOG_HEADER_BYTES);
	put_word(campaign->bytes + 16, campaign->used);
}

static void mutate(struct campaign *campaign)
{
	for (uint64_t count = 1 + chance_below(8);
	     count > 0 && campaign->used > 0; count--) {
		size_t at = chance_below(3) == 0 && campaign->used > 24
		                    ? chance_below(24)
		                    : chance_below(campaign->used);

		uint64_t value = chance_below(2) == 0
		                         ? chance()
		                         : campaign->bytes[at] ^
		                                   1u << chance_below(8);

		campaign->bytes[at] = (unsigned char)(value & 0xff);
	}
}

static uint64_t hostile_word(const struct campaign *campaign)
{
	const uint64_t words[] = {
		0,
		1,
		23,
		24,
		25,
		campaign->used - 1,
		campaign->used,
		campaign->used + 1,
		UINT64_C(1) << 31,
		UINT64_C(1) << 32,
		INT64_MAX,
		UINT64_C(1) << 63,
		UINT64_MAX - 3,
		UINT64_MAX,
		chance(),
		chance_below(campaign->used + 1),
	};

	return words[chance_below(sizeof(words) / sizeof(words[0]))];
}

static void load_fixture(struct campaign *campaign)
{
	const char *path = campaign->fixtures.gl_pathv[chance_below(
		campaign->fixtures.gl_pathc)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, campaign->bytes, MOST_BYTES) : -1;

	if (got < 0)
		campaign_fail("%s: %s", path, strerror(errno));
	close(fd);
	campaign->used = (size_t)got;
	mutate(campaign);
}

/* A log of the same bytes over and over. */
static void repeat(struct campaign *campaign, const unsigned char *pattern,
                   size_t period)
{
	for (size_t i = SHMLOG_HEADER_BYTES; i < campaign->used; i++)
		campaign->bytes[i] = pattern[i % period];
	put_word(campaign->bytes, SHMLOG_HEADER_BYTES);
	put_word(campaign->bytes + 8, SHMLOG_HEADER_BYTES);
	put_word(campaign->bytes + 16, campaign->used);
}

/* The same short words over and over: chains that lead a walk astray. */
static void make_pattern(struct campaign *campaign)
{
	unsigned char pattern[16];
	size_t period = 1 + chance_below(sizeof(pattern));

	campaign->used = SHMLOG_HEADER_BYTES + chance_below(MOST_BYTES - 64);
	for (size_t i = 0; i < period; i++)
		pattern[i] = chance_below(2) == 0
		                     ? 0
		                     : (unsigned char)chance_below(16);
	repeat(campaign, pattern, period);
}

/* Patterns that once took a search seconds; false behind the last. */
static bool make_known(struct campaign *campaign, uint64_t number)
{
	static const struct {
		unsigned char bytes[12];
		size_t period;
	} known[] = {
		{{12, 8, 0}, 3},
		{{0, 0, 7, 0, 7, 0, 0, 7, 0, 7, 0, 7}, 12},
		{{0, 8, 0}, 3},
	};

	if (number >= sizeof(known) / sizeof(known[0]))
		return false;
	memset(campaign->bytes, 0, MOST_BYTES);
	campaign->used = MOST_BYTES - 64;
	repeat(campaign, known[number].bytes, known[number].period);
	return true;
}

static void make_bytes(struct campaign *campaign)
{
	memset(campaign->bytes, 0, MOST_BYTES);
	switch (chance_below(8)) {
	case 0:
		campaign->used = chance_below(600);
		randomize(campaign->bytes, campaign->used);
		break;
	case 1:
		make_sound(campaign);
		randomize(campaign->bytes + 24, campaign->used - 24);
		break;
	case 2:
		make_sound(campaign);
		mutate(campaign);
		break;
	case 3:
		make_sound(campaign);
		campaign->used = chance_below(campaign->used + 100);
		break;
	case 4: load_fixture(campaign); break;
	case 5:
		make_sound(campaign);
		put_word(campaign->bytes + 8 * chance_below(3),
		         hostile_word(campaign));
		break;
	case 6: make_pattern(campaign); break;
	default: /* and a hole behind it, committed or not */
		make_sound(campaign);
		campaign->length = campaign->used + chance_below(SPARSE_BYTES);
		if (chance_below(2) == 0)
			put_word(campaign->bytes + 16,
			         campaign->length - chance_below(2));
		break;
	}
}

/* Writes the file that a command was given to where it stays. */
static bool keep_file(const struct campaign *campaign)
{
	int fd = open(KEPT_PATH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	              0600);
	bool kept = fd >= 0 &&
	            write(fd, campaign->bytes, campaign->used) ==
	                    (ssize_t)campaign->used &&
	            ftruncate(fd, (off_t)campaign->length) == 0;

	close(fd);
	return kept;
}

static void make_file(struct campaign *campaign)
{
	campaign->length = 0;
	if (!make_known(campaign, campaign->number))
		make_bytes(campaign);
	if (campaign->length < campaign->used)
		campaign->length = campaign->used;
	int fd = open(campaign->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
	              0600);

	if (fd < 0 ||
	    write(fd, campaign->bytes, campaign->used) !=
	            (ssize_t)campaign->used ||
	    ftruncate(fd, (off_t)campaign->length) != 0 || close(fd) != 0)
		campaign_fail("%s: %s", campaign->path, strerror(errno));
}

/* ------------------------------------------------------------------- proof */

/* Keeps the file that showed a fault, and tells about it. */
__attribute__((noreturn)) static void refuse(const struct campaign *campaign,
                                             const char *const *argv,
                                             struct campaign_result result,
                                             const char *why)
{
	char words[512] = "";
	size_t used = 0;

	for (size_t i = 1; argv[i] != NULL && used < sizeof(words); i++)
		used += (size_t)snprintf(words + used, sizeof(words) - used,
		                         " %s", argv[i]);
	bool kept = keep_file(campaign);

	campaign_fail("shmlog%s: status %d, %s, %ld KiB%s; it said: %.1000s",
	              words, result.status, why, result.most_kib,
	              kept ? "; the file is " KEPT_PATH : "", result.err);
}

static bool is_unchanged(const struct campaign *campaign, size_t from,
                         size_t to)
{
	struct stat file;
	int fd = open(campaign->path, O_RDONLY | O_CLOEXEC);
	ssize_t got = pread(fd, campaign->now, campaign->used, 0);
	bool same = fd >= 0 && fstat(fd, &file) == 0 &&
	            (uint64_t)file.st_size == campaign->length &&
	            got == (ssize_t)campaign->used &&
	            memcmp(campaign->now + from, campaign->bytes + from,
	                   to - from) == 0;

	close(fd);
	return same;
}

/* An append leaves alone what is no log, and of a log all but `size` and what
 * lies behind the commit. */
static bool is_left_alone(const struct campaign *campaign,
                          const struct command *command, int status)
{
	uint64_t committed = 0;

	if (command->effect == READS || status != 0)
		return is_unchanged(campaign, 0, campaign->used);
	for (size_t i = 8; i > 0; i--)
		committed = committed << 8 | campaign->bytes[16 + i - 1];
	if (committed > campaign->used)
		committed = campaign->used;
	return is_unchanged(campaign, 0, 16) &&
	       is_unchanged(campaign, 24, committed);
}

static int64_t cpu_ns_of(pid_t pid, int *status_out, long *kib_out)
{
	struct rusage usage;

	*status_out = campaign_wait(pid, LIMIT_NS, &usage);
	*kib_out = usage.ru_maxrss;
	return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
	               1000000000 +
	       ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
	               1000;
}

static struct campaign_result run_command(const char *const *argv, int err)
{
	struct campaign_result result = {0};
	static char text[4096];

	campaign_rewind(err);
	pid_t pid = campaign_start(argv, (struct campaign_pipes){-1, -1, err});

	result.ns = cpu_ns_of(pid, &result.status, &result.most_kib);
	ssize_t got = pread(err, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	result.err = text;
	return result;
}

static void try_command(struct campaign *campaign,
                        const struct command *command, const char *binary,
                        int err)
{
	const char *argv[CAMPAIGN_MOST_ARGUMENTS] = {binary};
	bool plain = binary == campaign->shmlog;

	for (size_t i = 0; command->words[i] != NULL; i++) {
		const char *word = command->words[i];

		argv[i + 1] = strcmp(word, "FILE") == 0   ? campaign->path
		              : strcmp(word, "GOOD") == 0 ? campaign->good_path
		              : strcmp(word, "NEW") == 0  ? campaign->new_path
		                                          : word;
	}
	if (command->effect == APPENDS)
		make_file(campaign);
	unlink(campaign->new_path);
	unlink(campaign->good_path);
	if (shmlog_create(campaign->good_path, 1u << 20, 0600,
	                  SHMLOG_CREATE_SPARSE) != 0)
		campaign_fail("cannot create a log");
	struct campaign_result result = run_command(argv, err);

	if (!campaign_in_table(result.status))
		refuse(campaign, argv, result,
		       result.status < 0 ? "a signal or a hang"
		                         : "which is not in the table");
	if (!is_left_alone(campaign, command, result.status))
		refuse(campaign, argv, result, "the file was changed");
	if (plain && result.ns > MOST_CPU_NS)
		refuse(campaign, argv, result, "took over a second");
	if (plain && result.most_kib > MOST_KIB)
		refuse(campaign, argv, result, "took over 64 MiB");
	campaign->runs++;
	if (plain && result.ns > campaign->most_cpu_ns)
		campaign->most_cpu_ns = result.ns;
	if (plain && result.most_kib > campaign->most_kib)
		campaign->most_kib = result.most_kib;
}

static void work(struct campaign *campaign, const char *folder, uint64_t worker,
                 uint64_t files)
{
	int err = campaign_unnamed_file();

	campaign_chance += worker * 7919;
	snprintf(campaign->path, sizeof(campaign->path), "%s/%" PRIu64 ".file",
	         folder, worker);
	snprintf(campaign->good_path, sizeof(campaign->good_path),
	         "%s/%" PRIu64 ".good", folder, worker);
	snprintf(campaign->new_path, sizeof(campaign->new_path),
	         "%s/%" PRIu64 ".new", folder, worker);
	for (uint64_t i = 0; i < files; i++) {
		campaign->number = i;
		make_file(campaign);
		for (size_t c = 0; c < COMMANDS; c++)
			try_command(campaign, &commands[c], campaign->shmlog,
			            err);
		make_file(campaign);
		try_command(campaign, &commands[i % COMMANDS],
		            campaign->sanitized, err);
	}
}

/* ------------------------------------------------------------------- main */

int main(int argc, char **argv)
{
	static struct campaign campaign;
	struct campaign result[WORKERS];
	int ends[2], failed = 0;

	if (argc != 6)
		return 2;
	campaign_begin("malformed", 6 * 3600);
	campaign.shmlog = argv[1];
	campaign.sanitized = argv[2];
	uint64_t files = campaign_number(argv[5]);

	if (glob(argv[3], 0, NULL, &campaign.fixtures) != 0)
		campaign_fail("no fixtures: %s", argv[3]);
	campaign.bytes = malloc(MOST_BYTES);
	campaign.now = malloc(MOST_BYTES);
	if (campaign.bytes == NULL || campaign.now == NULL)
		campaign_fail("no memory");
	campaign_pipe(ends);
	for (uint64_t i = 0; i < WORKERS; i++) {
		if (fork() != 0)
			continue;
		work(&campaign, argv[4], i, (files + i) / WORKERS);
		if (write(ends[1], &campaign, sizeof(campaign)) < 0)
			return 1;
		return 0;
	}
	for (int i = 0; i < WORKERS; i++) {
		int status;

		wait(&status);
		failed |= status;
	}
	if (failed != 0)
		return 1;
	for (int i = 0; i < WORKERS; i++) {
		if (read(ends[0], &result[i], sizeof(result[i])) !=
		    sizeof(result[i]))
			campaign_fail("a worker fell silent");
		campaign.runs += result[i].runs;
		if (result[i].most_cpu_ns > campaign.most_cpu_ns)
			campaign.most_cpu_ns = result[i].most_cpu_ns;
		if (result[i].most_kib > campaign.most_kib)
			campaign.most_kib = result[i].most_kib;
	}
	return campaign_pass(
		"%" PRIu64 " files, %" PRIu64 " runs of %zu commands, %" PRIu64
		" of them sanitized: statuses of the table, no signal, files "
		"unchanged; most CPU %.0f ms, most memory %.1f MiB",
		files, campaign.runs, COMMANDS, files,
		(double)campaign.most_cpu_ns / 1e6,
		(double)campaign.most_kib / 1024);
}
