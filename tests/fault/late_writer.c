/*
 * A writer that takes no lock opens the log at every moment of an append, and
 * stores, commits and closes at every later one:
 * late_writer SHMLOG EAGER SHIM DIRECTORY RACES
 *
 * SHIM stops the append before each call, so that the moments are chosen and
 * not met by chance; EAGER keeps the lock from its first commit on.  A tenth of
 * the races are left to chance, without SHIM.  Every payload is unique.
 */
#include "campaign.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define CAPACITY_BYTES 8192u
#define RECORDS 3
#define NAME_BYTES 16
#define NEVER UINT32_MAX
#define LIMIT_NS (INT64_C(20) * 1000000000)
/* Steps beyond the usual end after which a patient append is taken to wait. */
#define WAITING_STEPS 12

/* What the writer does, and before which call of the append; NEVER: after its
 * end.  In this order. */
struct plan {
	uint32_t open_at, store_at, commit_at, close_at;
	unsigned frames; /* that it stores */
	int longer;      /* bytes that they have more than the append's */
	bool dies;       /* without a commit */
};

struct peer {
	unsigned char *base;
	uint64_t cursor;
	int done;     /* steps of the plan */
	bool exposed; /* a write of the append's own may have come between */
	bool committed;
};

struct race {
	unsigned number;
	const char *program;
	bool patient;
	bool stays; /* the writer outlives an append that waits */
	struct plan plan;
	struct peer peer;
	int status;
	char calls[1024]; /* the names of them, from the opening on */
	char err[4096];
	char out[4096];
	char rest[4096];
};

static const char *shim, *directory;
static const char *programs[2];
static char log_path[512], rest_path[512], in_path[512];
static uint32_t usual_steps[2][2];
static uint64_t overwritten, doubted, exposed, waited;

/* ------------------------------------------------------------------ bytes */

static uint32_t word_at(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static size_t put_frame(unsigned char *at, const char *text)
{
	size_t size_bytes = strlen(text);
	size_t total = size_bytes + 4;

	at[0] = at[total - 2] = (unsigned char)total;
	at[1] = at[total - 1] = (unsigned char)(total >> 8);
	memcpy(at + 2, text, size_bytes);
	return total;
}

static void make_log(void)
{
	static unsigned char bytes[CAPACITY_BYTES];
	uint64_t words[3] = {24, 24, 24};

	words[2] += put_frame(bytes + 24, "first");
	memcpy(bytes, words, sizeof(words));
	int fd = open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
		campaign_fail("%s: %s", log_path, strerror(errno));
	close(fd);
}

static void input_text(char text[32], const struct race *race, unsigned record)
{
	snprintf(text, 32, "ours %07u.%u", race->number, record);
}

static void peer_text(char text[64], const struct race *race, unsigned frame)
{
	snprintf(text, 64, "peer %07u.%u%.*s", race->number, frame,
	         race->plan.longer, "########");
}

static size_t read_file(const char *path, char *text, size_t text_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, text_bytes - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

/* ------------------------------------------------------------------- peer */

/* False while a lease keeps it from being opened. */
static bool peer_opens(struct peer *peer)
{
	int fd = open(log_path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == EWOULDBLOCK)
		return false;
	if (fd < 0)
		campaign_fail("the peer: %s", strerror(errno));
	void *base = mmap(NULL, CAPACITY_BYTES, PROT_READ | PROT_WRITE,
	                  MAP_SHARED, fd, 0);

	close(fd);
	if (base == MAP_FAILED)
		campaign_fail("the peer: %s", strerror(errno));
	peer->base = base;
	memcpy(&peer->cursor, peer->base + 16, sizeof(peer->cursor));
	return true;
}

static void peer_stores(struct race *race)
{
	struct peer *peer = &race->peer;
	char text[64];

	for (unsigned i = 0; i < race->plan.frames; i++) {
		peer_text(text, race, i);
		peer->cursor += put_frame(peer->base + peer->cursor, text);
	}
}

static void peer_commits(struct peer *peer)
{
	atomic_store((_Atomic uint64_t *)(void *)(peer->base + 16),
	             peer->cursor);
	peer->committed = true;
}

static void peer_closes(struct peer *peer)
{
	munmap(peer->base, CAPACITY_BYTES);
	peer->base = NULL;
}

/* Takes the steps of the plan that are due before call number `at`. */
static void act(struct race *race, uint32_t at)
{
	struct plan *plan = &race->plan;
	struct peer *peer = &race->peer;

	if (peer->done == 0 && plan->open_at <= at && peer_opens(peer))
		peer->done = 1;
	if (peer->done == 1 && plan->store_at <= at) {
		peer_stores(race);
		peer->done = 2;
	}
	if (peer->done == 2 && plan->commit_at <= at) {
		if (!plan->dies)
			peer_commits(peer);
		peer->done = 3;
	}
	if (peer->done == 3 && plan->close_at <= at) {
		peer_closes(peer);
		peer->done = 4;
	}
}

/* ----------------------------------------------------------------- append */

static pid_t start_append(const struct race *race, int out, int err)
{
	const char *argv[16] = {race->program,    "append",  log_path,
	                        "--commit-every", "1",       "--ack",
	                        "--overflow",     rest_path, in_path};
	size_t count = 9;

	if (race->patient) {
		argv[count++] = "--writer-timeout";
		argv[count++] = "10s";
	}
	return campaign_start(argv, (struct campaign_pipes){-1, out, err});
}

static void prepare(const struct race *race)
{
	int fd = open(in_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (unsigned i = 0; i < RECORDS; i++) {
		char text[32];

		input_text(text, race, i);
		if (dprintf(fd, "%s\n", text) < 0)
			campaign_fail("scratch file: %s", strerror(errno));
	}
	close(fd);
	unlink(rest_path);
	make_log();
}

static void note_call(struct race *race, const char *name)
{
	size_t used = strlen(race->calls);

	snprintf(race->calls + used, sizeof(race->calls) - used, " %s", name);
}

/* Lets the append go from call to call, with the peer acting in between.
 * Returns how many calls there were. */
static uint32_t step_through(struct race *race, int control)
{
	uint32_t usual =
		usual_steps[race->program == programs[1]][race->patient];
	char name[NAME_BYTES];
	uint32_t at = 0;

	while (recv(control, name, sizeof(name), 0) > 0) {
		at++;
		if (race->peer.done > 0)
			note_call(race, name);
		act(race, at);
		/* It waits for the peer, for ever if that does nothing. */
		if (race->patient &&
		    at > usual + WAITING_STEPS + (race->stays ? 300 : 0)) {
			waited += race->peer.done < 4;
			act(race, NEVER);
		}
		if (strcmp(name, "pwrite") == 0 && race->peer.done >= 2)
			race->peer.exposed |= race->peer.done == 2 ||
			                      race->plan.commit_at == at;
		if (send(control, "", 1, MSG_NOSIGNAL) < 0)
			break;
	}
	return at;
}

static uint32_t run_stepped(struct race *race)
{
	static int out = -1, err = -1;
	int ends[2];
	char number[16];

	if (out < 0) {
		out = campaign_unnamed_file();
		err = campaign_unnamed_file();
	}
	campaign_rewind(out);
	campaign_rewind(err);
	prepare(race);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
		campaign_fail("socketpair: %s", strerror(errno));
	campaign_close_on_exec(ends[0]);
	snprintf(number, sizeof(number), "%d", ends[1]);
	setenv("STEP_FD", number, 1);
	setenv("LD_PRELOAD", shim, 1);
	pid_t pid = start_append(race, out, err);

	unsetenv("LD_PRELOAD");
	close(ends[1]);
	uint32_t steps = step_through(race, ends[0]);

	close(ends[0]);
	race->status = campaign_wait(pid, LIMIT_NS, NULL);
	act(race, NEVER);
	act(race, NEVER);
	ssize_t got = pread(out, race->out, sizeof(race->out) - 1, 0);

	race->out[got > 0 ? got : 0] = '\0';
	got = pread(err, race->err, sizeof(race->err) - 1, 0);
	race->err[got > 0 ? got : 0] = '\0';
	read_file(rest_path, race->rest, sizeof(race->rest));
	return steps;
}

/* ------------------------------------------------------------------ proof */

static void describe(const struct race *race, char *text, size_t text_bytes)
{
	const struct plan *plan = &race->plan;

	snprintf(text, text_bytes,
	         "race %u (%s%s%s, open %u, store %u, commit %u, close %u, %u "
	         "frames, %d longer%s): status %d, '%.600s', calls%.700s",
	         race->number, race->program == programs[1] ? "kept" : "plain",
	         race->patient ? ", patient" : "", race->stays ? ", stays" : "",
	         plan->open_at, plan->store_at, plan->commit_at, plan->close_at,
	         plan->frames, plan->longer, plan->dies ? ", dies" : "",
	         race->status, race->err, race->calls);
}

__attribute__((noreturn)) static void fail(const struct race *race,
                                           const char *what)
{
	char text[1800];

	describe(race, text, sizeof(text));
	campaign_fail("%s in %s", what, text);
}

/* How often a text is a payload of the chain of committed frames. */
static unsigned occurrences(const unsigned char *bytes, const char *text,
                            bool *whole_out)
{
	uint64_t size;
	uint64_t at = 24;
	unsigned count = 0;

	memcpy(&size, bytes + 16, sizeof(size));
	*whole_out = false;
	if (size > CAPACITY_BYTES)
		return 0;
	while (size - at >= 4) {
		uint32_t total = word_at(bytes + at);

		if (total < 4 || total > size - at ||
		    word_at(bytes + at + total - 2) != total)
			return count;
		count += total == strlen(text) + 4 &&
		         memcmp(bytes + at + 2, text, total - 4) == 0;
		at += total;
	}
	*whole_out = at == size;
	return count;
}

static unsigned acknowledged(const struct race *race)
{
	unsigned frames = 0;

	for (const char *at = race->out;
	     (at = strstr(at, "{\"frames\":")) != NULL; at++)
		frames += (unsigned)strtoul(at + 10, NULL, 10);
	return frames;
}

/* What is not acknowledged overflows, and nothing else. */
static void check_rest(const struct race *race, unsigned acked)
{
	char expected[256] = "";

	for (unsigned i = acked; i < RECORDS && race->status != 0; i++) {
		char text[32];

		input_text(text, race, i);
		strcat(strcat(expected, text), "\n");
	}
	if (strcmp(expected, race->rest) != 0)
		fail(race, "the overflow is not what was not acknowledged");
}

static void check_race(struct race *race)
{
	unsigned char bytes[CAPACITY_BYTES];
	unsigned acked = acknowledged(race);
	bool whole;
	char text[64];

	if (read_file(log_path, (char *)bytes, sizeof(bytes)) == 0)
		campaign_fail("the log is gone");
	bytes[CAPACITY_BYTES - 1] = 0;
	if (race->status != 0 && race->status != 7 &&
	    !(race->peer.exposed && race->status == 5))
		fail(race, "an unexpected status");
	if (race->status == 0 && acked != RECORDS)
		fail(race, "success without acknowledgements");
	if (race->patient && race->status != 0 && !race->peer.exposed)
		fail(race, "an append gave up that had time");
	for (unsigned i = 0; i < RECORDS; i++) {
		input_text(text, race, i);
		unsigned count = occurrences(bytes, text, &whole);

		if (i < acked && count == 0)
			fail(race, "an acknowledged frame is lost");
		if (i >= acked && count > 0 && !race->peer.exposed &&
		    strstr(race->err, "in doubt") == NULL)
			fail(race, "a frame is there that nobody speaks of");
		if ((i < acked || race->status == 0) && count > 1)
			fail(race, "a frame is there twice");
	}
	for (unsigned i = 0; i < race->plan.frames; i++) {
		peer_text(text, race, i);
		if (race->peer.committed && !race->peer.exposed &&
		    occurrences(bytes, text, &whole) != 1)
			fail(race, "a frame of the peer is lost or doubled");
	}
	if (race->patient && race->status == 0 && !whole)
		fail(race, "the chain is broken");
	check_rest(race, acked);
	overwritten += strstr(race->err, "overwrote") != NULL;
	doubted += strstr(race->err, "in doubt") != NULL;
	exposed += race->peer.exposed;
}

/* ------------------------------------------------------------------ races */

static void measure_usual_steps(void)
{
	for (int kept = 0; kept < 2; kept++) {
		for (int patient = 0; patient < 2; patient++) {
			struct race race = {
				.program = programs[kept],
				.patient = patient != 0,
				.plan = {NEVER, NEVER, NEVER, NEVER, 0, 0,
			                 true},
			};

			usual_steps[kept][patient] = NEVER - 1000;
			usual_steps[kept][patient] = run_stepped(&race);
			if (race.status != 0)
				fail(&race, "no append without a peer");
		}
	}
}

/* Later than or at `at`; perhaps behind the end. */
static uint32_t later(uint32_t at, uint32_t steps)
{
	if (at > steps || chance_below(6) == 0)
		return NEVER;
	return chance_below(3) == 0
	               ? at
	               : at + (uint32_t)chance_below(steps - at + 1);
}

static struct plan choose_plan(unsigned number, uint32_t steps)
{
	struct plan plan = {
		/* Each moment in turn. */
		.open_at = 1 + number / 4 % steps,
		.frames = 1 + (unsigned)chance_below(3),
		.longer = chance_below(3) == 0 ? (int)chance_below(8) : 0,
		.dies = chance_below(8) == 0,
	};

	plan.store_at = later(plan.open_at, steps);
	plan.commit_at = chance_below(4) != 0 ? plan.store_at
	                                      : later(plan.store_at, steps);
	plan.close_at = chance_below(3) != 0 ? plan.commit_at
	                                     : later(plan.commit_at, steps);
	return plan;
}

static void race_stepped(unsigned number)
{
	struct race race = {
		.number = number,
		.program = programs[number % 2],
		.patient = number / 2 % 2 != 0,
		.stays = chance_below(16) == 0,
	};

	race.plan = choose_plan(number,
	                        usual_steps[number % 2][race.patient ? 1 : 0]);
	run_stepped(&race);
	check_race(&race);
}

/* A peer that comes at a moment of its own, in another process. */
static pid_t start_chance_peer(struct race *race, struct peer *shared)
{
	int64_t delay = (int64_t)chance_below(3000000);
	int64_t stay = chance_below(2) == 0 ? 0 : (int64_t)chance_below(500000);
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	campaign_sleep_ns(delay);
	while (!peer_opens(&race->peer))
		;
	campaign_sleep_ns(stay);
	peer_stores(race);
	peer_commits(&race->peer);
	shared->committed = true;
	peer_closes(&race->peer);
	_exit(0);
}

static void race_by_chance(unsigned number, struct peer *shared)
{
	static int out = -1, err = -1;
	struct race race = {
		.number = number,
		.program = programs[number % 2],
		.patient = number / 2 % 2 != 0,
		/* Nobody can tell what came between. */
		.peer = {.exposed = true},
		.plan = {.frames = 1 + (unsigned)chance_below(3),
	                 .longer = (int)chance_below(2)},
	};

	if (out < 0) {
		out = campaign_unnamed_file();
		err = campaign_unnamed_file();
	}
	campaign_rewind(out);
	campaign_rewind(err);
	prepare(&race);
	pid_t peer = start_chance_peer(&race, shared);
	pid_t pid = start_append(&race, out, err);

	race.status = campaign_wait(pid, LIMIT_NS, NULL);
	if (campaign_wait(peer, LIMIT_NS, NULL) != 0)
		campaign_fail("the peer failed");
	ssize_t got = pread(out, race.out, sizeof(race.out) - 1, 0);

	race.out[got > 0 ? got : 0] = '\0';
	got = pread(err, race.err, sizeof(race.err) - 1, 0);
	race.err[got > 0 ? got : 0] = '\0';
	read_file(rest_path, race.rest, sizeof(race.rest));
	check_race(&race);
}

int main(int argc, char **argv)
{
	static struct peer shared;

	if (argc != 6)
		return 2;
	campaign_begin("late_writer", 7200);
	programs[0] = argv[1];
	programs[1] = argv[2];
	shim = argv[3];
	directory = argv[4];
	unsigned races = (unsigned)campaign_number(argv[5]);

	snprintf(log_path, sizeof(log_path), "%s/log", directory);
	snprintf(rest_path, sizeof(rest_path), "%s/rest", directory);
	snprintf(in_path, sizeof(in_path), "%s/in", directory);
	measure_usual_steps();
	for (unsigned i = 0; i < races; i++) {
		if (i % 10 == 9)
			race_by_chance(i, &shared);
		else
			race_stepped(i);
	}
	return campaign_pass(
		"%u races at each of %u (kept: %u) moments of an append: "
		"nothing acknowledged lost, with time nothing repeated; "
		"%" PRIu64 " commits in doubt, %" PRIu64
		" overwritten, %" PRIu64 " waits for the writer; in %" PRIu64
		" the writer's own frames met a write",
		races, usual_steps[0][0], usual_steps[1][0], doubted,
		overwritten, waited, exposed);
}
