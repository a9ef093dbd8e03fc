/*
 * Runs commands by turns and says how long each run took:
 *
 *   race [OPTION]... SIDE -- SIDE [-- SIDE]...
 *
 * A SIDE is a pipeline whose `|`, `<`, `>` and `>>` are words of their own.
 * Every round runs each side once, in order, after --warmup rounds that do
 * not count.  Before each run, outside of its time:
 *
 *   --remove FILE        the file is removed
 *   --sparse LOG BYTES   the log is made anew, no space reserved
 *   --log LOG BYTES      the log is made anew, its space reserved
 *   --touched LOG BYTES  the same, and every page is written once
 *
 * Other options: --rounds N (7), --warmup N (1), --self (a run's time is the
 * number of nanoseconds that it prints itself).  Prints one JSON object:
 * seconds, cpu seconds and peak of resident memory in KiB of each run.
 */
#include "measure.h"

#include <shmlog.h>
#include <sys/stat.h>

#define MOST_SIDES 10
#define MOST_ROUNDS 1000
#define MOST_FRESH 8

struct side {
	struct pipeline pipeline;
	double seconds[MOST_ROUNDS];
	double cpu[MOST_ROUNDS];
	long peak_kib[MOST_ROUNDS];
};

/* A file that each run finds new, or gone. */
struct fresh {
	const char *kind;
	const char *path;
	uint64_t bytes;
};

struct race {
	size_t rounds;
	size_t warmup;
	bool self;
	size_t fresh_count;
	struct fresh fresh[MOST_FRESH];
	size_t side_count;
	struct side sides[MOST_SIDES];
};

/* ----------------------------------------------------------- before a run */

/* Writes zeros behind the header, so that each page is there and cleared. */
static void touch_pages(const char *path, uint64_t bytes)
{
	static const char zeros[65536];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	for (uint64_t at = SHMLOG_HEADER_BYTES; at < bytes;) {
		uint64_t left = bytes - at;
		size_t step = left < sizeof(zeros) ? left : sizeof(zeros);

		if (pwrite(fd, zeros, step, (off_t)at) != (ssize_t)step)
			die("%s: %s", path, strerror(errno));
		at += step;
	}
	close(fd);
}

static void make_fresh(const struct fresh *fresh)
{
	bool sparse = strcmp(fresh->kind, "--sparse") == 0;

	if (unlink(fresh->path) != 0 && errno != ENOENT)
		die("%s: %s", fresh->path, strerror(errno));
	if (strcmp(fresh->kind, "--remove") == 0)
		return;
	int status = shmlog_create(fresh->path, fresh->bytes, 0600,
	                           sparse ? SHMLOG_CREATE_SPARSE : 0);

	if (status != 0)
		die("%s: %s", fresh->path, shmlog_strerror(status));
	if (strcmp(fresh->kind, "--touched") == 0)
		touch_pages(fresh->path, fresh->bytes);
}

/* ------------------------------------------------------------------- runs */

/* The nanoseconds that a run printed. */
static double read_seconds(int fd)
{
	char text[64];
	size_t used = 0;
	ssize_t got;

	while (used < sizeof(text) - 1 &&
	       (got = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (used == 0)
		die("a run did not print its time");
	return (double)number(text) / 1e9;
}

static void run_side(struct race *race, struct side *side, size_t round)
{
	int fds[2] = {-1, -1};
	double cpu = 0;

	for (size_t i = 0; i < race->fresh_count; i++)
		make_fresh(&race->fresh[i]);
	if (race->self)
		make_pipe(fds);

	int64_t begin = now_ns();

	pipeline_start(&side->pipeline, (struct ends){-1, fds[1]});

	long peak = pipeline_wait(&side->pipeline, &cpu);
	double seconds = (double)(now_ns() - begin) / 1e9;

	if (race->self) {
		close(fds[1]);
		seconds = read_seconds(fds[0]);
		close(fds[0]);
	}
	side->seconds[round] = seconds;
	side->cpu[round] = cpu;
	side->peak_kib[round] = peak;
}

static void run_rounds(struct race *race)
{
	for (size_t round = 0; round < race->warmup + race->rounds; round++)
		for (size_t i = 0; i < race->side_count; i++)
			run_side(race, &race->sides[i],
			         round < race->warmup ? 0
			                              : round - race->warmup);
}

static void clean_up(const struct race *race)
{
	for (size_t i = 0; i < race->fresh_count; i++)
		unlink(race->fresh[i].path);
}

static void print_results(const struct race *race)
{
	printf("{\"rounds\":%zu,\"sides\":[", race->rounds);
	for (size_t i = 0; i < race->side_count; i++) {
		const struct side *side = &race->sides[i];

		printf("%s{\"seconds\":[", i > 0 ? "," : "");
		for (size_t r = 0; r < race->rounds; r++)
			printf("%s%.9f", r > 0 ? "," : "", side->seconds[r]);
		printf("],\"cpu\":[");
		for (size_t r = 0; r < race->rounds; r++)
			printf("%s%.6f", r > 0 ? "," : "", side->cpu[r]);
		printf("],\"peak_kib\":[");
		for (size_t r = 0; r < race->rounds; r++)
			printf("%s%ld", r > 0 ? "," : "", side->peak_kib[r]);
		printf("]}");
	}
	printf("]}\n");
}

/* -------------------------------------------------------------- arguments */

static size_t parse_fresh(struct race *race, char **words, size_t count)
{
	bool sized = strcmp(words[0], "--remove") != 0;
	size_t wanted = sized ? 3 : 2;

	if (count < wanted || race->fresh_count == MOST_FRESH)
		die("%s: too few words, or too many such options", words[0]);
	race->fresh[race->fresh_count++] = (struct fresh){
		.kind = words[0],
		.path = words[1],
		.bytes = sized ? number(words[2]) : 0,
	};
	return wanted;
}

static size_t parse_option(struct race *race, char **words, size_t count)
{
	if (strcmp(words[0], "--self") == 0) {
		race->self = true;
		return 1;
	}
	if (strcmp(words[0], "--remove") == 0 ||
	    strcmp(words[0], "--sparse") == 0 ||
	    strcmp(words[0], "--log") == 0 ||
	    strcmp(words[0], "--touched") == 0)
		return parse_fresh(race, words, count);
	if (count < 2)
		die("%s: too few words", words[0]);
	if (strcmp(words[0], "--rounds") == 0)
		race->rounds = number(words[1]);
	else if (strcmp(words[0], "--warmup") == 0)
		race->warmup = number(words[1]);
	else
		die("no such option: %s", words[0]);
	return 2;
}

static void parse(struct race *race, char **words, size_t count)
{
	size_t at = 0;

	while (at < count && strncmp(words[at], "--", 2) == 0)
		at += parse_option(race, words + at, count - at);
	while (at < count) {
		if (race->side_count == MOST_SIDES)
			die("too many sides");
		struct side *side = &race->sides[race->side_count++];

		at += pipeline_parse(&side->pipeline, words + at, count - at,
		                     "--") +
		      1;
		for (size_t i = 0; i < side->pipeline.count; i++)
			if (side->pipeline.stages[i].words == 0)
				die("a side without a command");
	}
	if (race->side_count == 0 || race->rounds == 0 ||
	    race->rounds > MOST_ROUNDS)
		die("usage: race [OPTION]... SIDE -- SIDE [-- SIDE]...");
}

int main(int argc, char **argv)
{
	static struct race race = {.rounds = 7, .warmup = 1};

	parse(&race, argv + 1, (size_t)argc - 1);
	run_rounds(&race);
	clean_up(&race);
	print_results(&race);
	return fflush(stdout) == 0 ? 0 : 1;
}
