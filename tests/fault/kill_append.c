/*
 * Kills appending processes at random moments and proves what is left:
 * kill_append SHMLOG DIRECTORY WRITERS ack|quiet|turns KILLS NAME
 *
 * With "turns" writers acknowledge, and get their lines one after the other: so
 * that each has the log to itself for a moment, and then another one comes.
 *
 * Each life of a writer has an id; its lines carry the id, a number counted
 * from 0 and filler that follows from both, so every frame can be checked to
 * the byte.
 */
#include "campaign.h"

#include <poll.h>
#include <shmlog.h>
#include <sys/ioctl.h>

#define MOST_WRITERS 16
#define MOST_LIVES 4096
#define CAPACITY_BYTES (8u << 20)
#define PIPED_BYTES 32768 /* that may wait in a writer's pipe */
#define MARGIN_BYTES (MOST_WRITERS * 4 * PIPED_BYTES)
#define LINE_BYTES 256
#define STUCK_NS (INT64_C(10) * 1000000000)

/* One process, from its start to its end. */
struct life {
	uint64_t sent;  /* lines that went into its pipe, the last maybe not
	                  * wholly */
	uint64_t acked; /* frames it acknowledged */
	uint64_t found; /* frames of it in the log */
	bool finished;  /* it came to the end of its input */
};

struct writer {
	pid_t pid;
	int in;
	int out;
	size_t life;
	char line[LINE_BYTES]; /* what the pipe did not take yet */
	size_t line_bytes;
	size_t line_sent;
	char ack[256]; /* an acknowledgement that is not whole yet */
	size_t ack_bytes;
	uint64_t ack_cursor;
};

struct campaign {
	const char *shmlog;
	char log_path[512];
	char error_path[512];
	size_t writer_count;
	bool ack;
	bool turns;
	uint64_t longest_ns; /* between two kills */
	uint64_t kills_wanted;
	uint64_t kills;
	uint64_t frames;
	uint64_t acked;
	uint64_t lives;
	uint64_t finished;
	struct shmlog *log;
	size_t life_count; /* of this log */
	struct life life[MOST_LIVES];
	struct writer writer[MOST_WRITERS];
};

static uint64_t scramble(uint64_t value)
{
	value = (value ^ (value >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	return value ^ (value >> 29);
}

/* The payload of a life's Nth frame. */
static size_t make_payload(char *text, size_t life, uint64_t number)
{
	uint64_t state = scramble(life * 1000003 + number + 1);
	int used = snprintf(text, LINE_BYTES, "%zu %" PRIu64 " ", life, number);
	size_t size_bytes = (size_t)used + state % 120;

	for (size_t i = (size_t)used; i < size_bytes; i++) {
		state = scramble(state + i);
		text[i] = (char)('a' + state % 26);
	}
	return size_bytes;
}

/* ---------------------------------------------------------------- writers */

static void start_writer(struct campaign *campaign, struct writer *writer)
{
	const char *argv[] = {campaign->shmlog, "append", campaign->log_path,
	                      campaign->ack ? "--ack" : NULL, NULL};
	int in[2], out[2];

	campaign_pipe(in);
	campaign_pipe(out);
	int err = open(campaign->error_path,
	               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	*writer = (struct writer){.life = campaign->life_count++};
	campaign->life[writer->life] = (struct life){0};
	writer->pid = campaign_start(
		argv, (struct campaign_pipes){in[0], out[1], err});
	close(in[0]);
	close(out[1]);
	close(err);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	writer->in = in[1];
	writer->out = out[0];
	campaign->lives++;
}

/* Gives a writer some more lines, unless enough of them wait. */
static void feed(struct campaign *campaign, struct writer *writer)
{
	struct life *life = &campaign->life[writer->life];
	int waiting = 0;

	if (ioctl(writer->in, FIONREAD, &waiting) != 0 || waiting > PIPED_BYTES)
		return;
	for (uint64_t lines = 1 + chance_below(40); lines > 0; lines--) {
		if (writer->line_sent == writer->line_bytes) {
			size_t size_bytes = make_payload(
				writer->line, writer->life, life->sent++);

			writer->line[size_bytes] = '\n';
			writer->line_bytes = size_bytes + 1;
			writer->line_sent = 0;
		}
		ssize_t put = write(writer->in,
		                    writer->line + writer->line_sent,
		                    writer->line_bytes - writer->line_sent);

		if (put < 0)
			return;
		writer->line_sent += (size_t)put;
	}
}

static void take_ack(struct campaign *campaign, struct writer *writer)
{
	struct shmlog_header header;
	uint64_t frames, cursor;

	writer->ack[writer->ack_bytes] = '\0';
	writer->ack_bytes = 0;
	if (sscanf(writer->ack,
	           "{\"frames\":%" SCNu64 ",\"cursor\":%" SCNu64 "}", &frames,
	           &cursor) != 2)
		campaign_fail("no acknowledgement: %s", writer->ack);
	if (cursor <= writer->ack_cursor)
		campaign_fail("acknowledged cursor %" PRIu64 " after %" PRIu64,
		              cursor, writer->ack_cursor);
	writer->ack_cursor = cursor;
	campaign->life[writer->life].acked += frames;
	if (shmlog_read_header(campaign->log, &header) != 0 ||
	    header.size < header.data_offset + cursor)
		campaign_fail("acknowledged cursor %" PRIu64
		              " is beyond the commit",
		              cursor);
}

static void drain(struct campaign *campaign, struct writer *writer)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(writer->out, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] == '\n')
				take_ack(campaign, writer);
			else if (writer->ack_bytes < sizeof(writer->ack) - 1)
				writer->ack[writer->ack_bytes++] = bytes[i];
		}
	}
}

static void refuse_end(const struct campaign *campaign, int status)
{
	char text[512] = "";
	int fd = open(campaign->error_path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	text[got > 0 ? got : 0] = '\0';
	campaign_fail("after %" PRIu64
	              " kills a writer ended with status %d: %s",
	              campaign->kills, status, text);
}

static void bury(struct campaign *campaign, struct writer *writer)
{
	drain(campaign, writer);
	close(writer->in);
	close(writer->out);
	writer->pid = 0;
}

static void kill_writer(struct campaign *campaign, struct writer *writer)
{
	kill(writer->pid, SIGKILL);
	int status = campaign_wait(writer->pid, STUCK_NS, NULL);

	if (status != -SIGKILL)
		refuse_end(campaign, status);
	bury(campaign, writer);
	campaign->kills++;
}

/* Lets a writer come to the end of its input, which must be a good end. */
static void finish_writer(struct campaign *campaign, struct writer *writer)
{
	fcntl(writer->in, F_SETFL, 0);
	if (write(writer->in, writer->line + writer->line_sent,
	          writer->line_bytes - writer->line_sent) < 0)
		campaign_fail("a writer closed its input");
	close(writer->in);
	writer->in = -1;
	/* Its acknowledgements fit into the pipe. */
	int status = campaign_wait(writer->pid, STUCK_NS, NULL);

	if (status != 0)
		refuse_end(campaign, status);
	campaign->life[writer->life].finished = true;
	campaign->finished++;
	bury(campaign, writer);
}

/* ------------------------------------------------------------------ proof */

static void check_payload(struct campaign *campaign,
                          const struct shmlog_frame *frame)
{
	char text[LINE_BYTES];
	char expected[LINE_BYTES];
	size_t life;
	uint64_t number;

	if (frame->size_bytes >= LINE_BYTES)
		campaign_fail("frame of %" PRIu32 " bytes at cursor %" PRIu64,
		              frame->size_bytes, frame->cursor);
	memcpy(text, frame->payload, frame->size_bytes);
	text[frame->size_bytes] = '\0';
	if (sscanf(text, "%zu %" SCNu64, &life, &number) != 2 ||
	    life >= campaign->life_count)
		campaign_fail("foreign frame at cursor %" PRIu64 ": %s",
		              frame->cursor, text);
	if (number != campaign->life[life].found)
		campaign_fail("writer %zu: frame %" PRIu64 " where %" PRIu64
		              " was due, at cursor %" PRIu64,
		              life, number, campaign->life[life].found,
		              frame->cursor);
	if (make_payload(expected, life, number) != frame->size_bytes ||
	    memcmp(expected, text, frame->size_bytes) != 0)
		campaign_fail("writer %zu: frame %" PRIu64 " is not as sent",
		              life, number);
	campaign->life[life].found++;
}

static void check_lives(struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->life_count; i++) {
		const struct life *life = &campaign->life[i];

		if (life->found < life->acked)
			campaign_fail("writer %zu: %" PRIu64
			              " frames acknowledged, %" PRIu64
			              " in the log",
			              i, life->acked, life->found);
		if (life->found > life->sent ||
		    (life->finished && life->found != life->sent))
			campaign_fail("writer %zu: %" PRIu64
			              " frames sent, %" PRIu64 " in the log",
			              i, life->sent, life->found);
		if (life->finished && campaign->ack &&
		    life->acked != life->sent)
			campaign_fail("writer %zu: %" PRIu64
			              " frames sent, %" PRIu64 " acknowledged",
			              i, life->sent, life->acked);
		campaign->frames += life->found;
		campaign->acked += life->acked;
	}
}

/* No process is left: the log must be sound, complete and free to take. */
static void check_log(struct campaign *campaign)
{
	const char *argv[] = {campaign->shmlog, "append", campaign->log_path,
	                      "--lock-timeout", "0ms",    "-m",
	                      "probe",          NULL};
	struct shmlog_verify_report report;
	struct shmlog_reader *reader;
	struct shmlog_frame frame;
	int status;

	if ((status = shmlog_verify(campaign->log, NULL, &report)) != 0)
		campaign_fail("after %" PRIu64 " kills verify says %d (%s)",
		              campaign->kills, status,
		              status < 0 ? shmlog_strerror(status)
		                         : "damaged ranges");
	if (shmlog_reader_open(campaign->log, NULL, &reader) != 0)
		campaign_fail("cannot read");
	while ((status = shmlog_reader_next(reader, &frame)) == 1)
		check_payload(campaign, &frame);
	if (status != 0)
		campaign_fail("reading: %s", shmlog_strerror(status));
	shmlog_reader_close(reader);
	check_lives(campaign);

	struct campaign_result probe = campaign_run(argv, -1, STUCK_NS);

	if (probe.status != 0)
		campaign_fail("after %" PRIu64
		              " kills an append ended with status %d: %s",
		              campaign->kills, probe.status, probe.err);
}

/* ----------------------------------------------------------------- rounds */

static uint64_t committed(const struct campaign *campaign)
{
	struct shmlog_header header;

	if (shmlog_read_header(campaign->log, &header) != 0)
		campaign_fail("the header is not sane any more");
	return header.size;
}

/* Feeds and drains for a random while. */
static void stir(struct campaign *campaign, int64_t span_ns)
{
	struct pollfd any[MOST_WRITERS];
	int64_t end = campaign_now_ns() + span_ns;
	size_t turn = chance_below(campaign->writer_count);

	do {
		if (chance_below(8) == 0)
			turn = chance_below(campaign->writer_count);
		for (size_t i = 0; i < campaign->writer_count; i++) {
			if (!campaign->turns || i == turn)
				feed(campaign, &campaign->writer[i]);
			drain(campaign, &campaign->writer[i]);
			any[i] = (struct pollfd){
				.fd = campaign->writer[i].out,
				.events = POLLIN,
			};
		}
		poll(any, (nfds_t)campaign->writer_count, 1);
		for (size_t i = 0; i < campaign->writer_count; i++) {
			int status;

			if (waitpid(campaign->writer[i].pid, &status, WNOHANG))
				refuse_end(campaign,
				           WIFEXITED(status)
				                   ? WEXITSTATUS(status)
				                   : -WTERMSIG(status));
		}
	} while (campaign_now_ns() < end);
}

static void run_round(struct campaign *campaign)
{
	int64_t grown_ns = campaign_now_ns();
	uint64_t size = 0;

	unlink(campaign->log_path);
	campaign->life_count = 0;
	if (shmlog_create(campaign->log_path, CAPACITY_BYTES, 0600, 0) != 0 ||
	    shmlog_open(campaign->log_path, &campaign->log) != 0)
		campaign_fail("cannot create %s", campaign->log_path);
	for (size_t i = 0; i < campaign->writer_count; i++)
		start_writer(campaign, &campaign->writer[i]);
	while (size < CAPACITY_BYTES - MARGIN_BYTES &&
	       campaign->kills < campaign->kills_wanted &&
	       campaign->life_count + MOST_WRITERS < MOST_LIVES) {
		struct writer *victim =
			&campaign->writer[chance_below(campaign->writer_count)];

		stir(campaign, (int64_t)chance_below(campaign->longest_ns));
		kill_writer(campaign, victim);
		start_writer(campaign, victim);
		if (committed(campaign) != size)
			grown_ns = campaign_now_ns();
		else if (campaign_now_ns() - grown_ns > STUCK_NS)
			campaign_fail("after %" PRIu64
			              " kills nobody gets on: a stuck lock",
			              campaign->kills);
		size = committed(campaign);
	}
	for (size_t i = 0; i < campaign->writer_count; i++) {
		if (i % 2 == campaign->lives % 2)
			kill_writer(campaign, &campaign->writer[i]);
		else
			finish_writer(campaign, &campaign->writer[i]);
	}
	check_log(campaign);
	shmlog_close(campaign->log);
}

int main(int argc, char **argv)
{
	static struct campaign campaign;

	if (argc != 7)
		return 2;
	campaign_begin(argv[6], 4 * 3600);
	campaign.shmlog = argv[1];
	snprintf(campaign.log_path, sizeof(campaign.log_path), "%s/log",
	         argv[2]);
	snprintf(campaign.error_path, sizeof(campaign.error_path), "%s/errors",
	         argv[2]);
	campaign.writer_count = (size_t)campaign_number(argv[3]);
	campaign.turns = strcmp(argv[4], "turns") == 0;
	campaign.ack = campaign.turns || strcmp(argv[4], "ack") == 0;
	campaign.kills_wanted = campaign_number(argv[5]);
	if (campaign.writer_count < 1 || campaign.writer_count > MOST_WRITERS)
		return 2;
	/* Alone, a writer needs time to come to anything; to take turns, all
	 * need more. */
	campaign.longest_ns = campaign.turns               ? 60000000
	                      : campaign.writer_count == 1 ? 6000000
	                                                   : 2500000;

	uint64_t rounds = 0;

	for (; campaign.kills < campaign.kills_wanted; rounds++)
		run_round(&campaign);
	return campaign_pass(
		"%" PRIu64 " kills of %zu writer%s, %" PRIu64 " logs, %" PRIu64
		" lives (%" PRIu64 " to the end): %" PRIu64
		" frames in order, %" PRIu64
		" acknowledged, none lost; every log sound and free",
		campaign.kills, campaign.writer_count,
		campaign.writer_count == 1 ? "" : "s", rounds, campaign.lives,
		campaign.finished, campaign.frames, campaign.acked);
}
