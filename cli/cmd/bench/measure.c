/* Rounds of a benchmark. */
#include "measure.h"

#include "bench_log.h"
#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How many frames a log is filled with per commit where that is not what is
 * measured. */
#define FILL_FRAMES 64u

/* The waker waits for so long, and a little longer each time, so that no
 * event keeps step with the looks that the sleeper takes by itself. */
#define WAKE_PAUSE_NS 150000
#define WAKE_PAUSE_STEP_NS 1009
#define WAKE_PAUSE_STEPS 100u

/* How often the sleeper looks whether the waker is still there. */
#define ORPHAN_NS 100000000

uint64_t cli_load_capacity(size_t payload_bytes, uint64_t events)
{
	uint64_t frame_bytes = payload_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	if (events > (INT64_MAX - SHMLOG_HEADER_BYTES) / frame_bytes)
		return 0;
	return SHMLOG_HEADER_BYTES + events * frame_bytes;
}

static int fail_round(const char *folder, int status)
{
	return cli_fail(folder, "the measurement failed", status);
}

/* ----------------------------------------------------------------- writing */

static int write_each(struct shmlog_writer *writer, const void *payload,
                      size_t payload_bytes, uint64_t events)
{
	unsigned char *room;
	int status = 0;

	for (uint64_t i = 0; i < events && status == 0; i++) {
		status = shmlog_writer_allocate(writer, payload_bytes, &room);
		if (status != 0)
			break;
		memcpy(room, payload, payload_bytes);
		status = shmlog_writer_commit(writer);
	}
	return status;
}

static int write_batches(struct shmlog_writer *writer, const void *payload,
                         size_t payload_bytes, uint64_t events,
                         size_t batch_frames)
{
	uint64_t left = events;
	unsigned char *room;

	while (left > 0) {
		uint64_t batch = left < batch_frames ? left : batch_frames;
		int status;

		for (uint64_t i = 0; i < batch; i++) {
			status = shmlog_writer_allocate(writer, payload_bytes,
			                                &room);
			if (status != 0)
				return status;
			memcpy(room, payload, payload_bytes);
		}
		status = shmlog_writer_commit(writer);
		if (status != 0)
			return status;
		left -= batch;
	}
	return 0;
}

/* Writes to all of a log's space through the writer's mapping, and leaves the
 * log as it was. */
static int touch(struct shmlog_writer *writer)
{
	uint64_t room = shmlog_writer_free_bytes(writer);
	int status = 0;

	while (room >= SHMLOG_FRAME_OVERHEAD_BYTES && status == 0) {
		uint64_t bytes = room - SHMLOG_FRAME_OVERHEAD_BYTES;
		unsigned char *payload;

		if (bytes > SHMLOG_PAYLOAD_MAX_BYTES)
			bytes = SHMLOG_PAYLOAD_MAX_BYTES;
		status = shmlog_writer_allocate(writer, (size_t)bytes,
		                                &payload);
		if (status == 0)
			memset(payload, 0, (size_t)bytes);
		room = shmlog_writer_free_bytes(writer);
	}
	shmlog_writer_rollback(writer);
	return status;
}

/*
 * Proves that all frames arrived.  Where the file system had no room, the guard
 * against SIGBUS has put a private page of this process in place of the log's,
 * and the frames on it are lost.
 */
static int prove(const struct cli_load *load, struct shmlog *log)
{
	const struct shmlog_verify_visitor nobody = {.context = NULL};
	struct shmlog_verify_report report;
	int status = shmlog_verify(log, &nobody, &report);

	if (status < 0)
		return fail_round(load->folder, status);
	if (status == 0 && report.frames == load->events)
		return CLI_OK;
	cli_message(load->folder,
	            "the measurement failed: %" PRIu64 " of %" PRIu64
	            " frames arrived; the file system may be full",
	            report.frames, load->events);
	return CLI_SYSTEM;
}

static int write_events(const struct cli_load *load,
                        struct shmlog_writer *writer, uint64_t *ns_out)
{
	static const unsigned char payload[SHMLOG_PAYLOAD_MAX_BYTES];
	uint64_t start;
	int status = load->touched ? touch(writer) : 0;

	if (status != 0)
		return status;
	start = (uint64_t)cli_now_ns();
	if (load->batch_frames == 1)
		status = write_each(writer, payload, load->payload_bytes,
		                    load->events);
	else
		status = write_batches(writer, payload, load->payload_bytes,
		                       load->events, load->batch_frames);
	*ns_out = (uint64_t)cli_now_ns() - start;
	return status;
}

static int write_round(const struct cli_load *load,
                       struct cli_bench_log *bench_log, uint64_t *ns_out)
{
	int status = write_events(load, bench_log->writer, ns_out);

	return status == 0 ? prove(load, bench_log->log)
	                   : fail_round(load->folder, status);
}

/* ----------------------------------------------------------------- reading */

/* Both count what they read. */
static int read_each(struct shmlog_reader *reader, uint64_t *count_out)
{
	struct shmlog_frame frame;
	uint64_t count = 0;
	int status;

	while ((status = shmlog_reader_next(reader, &frame)) == 1)
		count++;
	*count_out = count;
	return status;
}

static int read_batches(struct shmlog_reader *reader, size_t batch_frames,
                        uint64_t *count_out)
{
	struct shmlog_frame *frames = calloc(batch_frames, sizeof(*frames));
	uint64_t count = 0;
	int status;

	if (!frames)
		return -ENOMEM;
	while ((status = shmlog_reader_next_batch(reader, batch_frames, 0,
	                                          frames)) > 0)
		count += (uint64_t)status;
	free(frames);
	*count_out = count;
	return status;
}

static int read_pass(const struct cli_load *load, struct shmlog_reader *reader,
                     uint64_t *ns_out)
{
	uint64_t start = (uint64_t)cli_now_ns();
	uint64_t count = 0;
	int status = load->batch_frames == 1
	                     ? read_each(reader, &count)
	                     : read_batches(reader, load->batch_frames, &count);

	*ns_out = (uint64_t)cli_now_ns() - start;
	return status == 0 && count != load->events ? SHMLOG_ERR_TORN : status;
}

/* A first pass maps the pages, so a second one finds them. */
static int read_events(const struct cli_load *load, struct shmlog *log,
                       uint64_t *ns_out)
{
	struct shmlog_reader *reader;
	int status = shmlog_reader_open(log, NULL, &reader);

	if (status != 0)
		return status;
	status = read_pass(load, reader, ns_out);
	if (status == 0 && load->touched)
		status = shmlog_reader_seek(reader, 0, NULL);
	if (status == 0 && load->touched)
		status = read_pass(load, reader, ns_out);
	shmlog_reader_close(reader);
	return status;
}

static int read_round(const struct cli_load *load,
                      struct cli_bench_log *bench_log, uint64_t *ns_out)
{
	struct cli_load fill = *load;
	int status;

	fill.batch_frames = FILL_FRAMES;
	fill.touched = false;
	status = write_round(&fill, bench_log, ns_out);
	if (status != CLI_OK)
		return status;
	status = read_events(load, bench_log->read_log, ns_out);
	return status == 0 ? CLI_OK : fail_round(load->folder, status);
}

/* ------------------------------------------------------------------ waking */

/* The state that the two processes share; each closes the parts that it does
 * not use. */
struct wake {
	struct shmlog_reader *reader;
	int answers[2]; /* a pipe: the sleeper tells each latency */
	pid_t waker;
};

/* The sleeper: waits for each event and answers how long it took to come. */
static void sleep_and_answer(const struct wake *wake)
{
	struct shmlog_frame frame;
	uint64_t sent, latency;

	/* An orphan belongs to another parent. */
	while (getppid() == wake->waker) {
		int status = shmlog_reader_wait(wake->reader, ORPHAN_NS, 0);

		if (status == 0)
			continue;
		if (status < 0 || shmlog_reader_next(wake->reader, &frame) != 1)
			return;
		latency = (uint64_t)cli_now_ns();
		memcpy(&sent, frame.payload, sizeof(sent));
		latency -= sent;
		if (write(wake->answers[1], &latency, sizeof(latency)) !=
		    (ssize_t)sizeof(latency))
			return;
	}
}

static void pause_before(uint64_t event)
{
	uint64_t step = event % WAKE_PAUSE_STEPS;
	struct timespec pause = {
		.tv_nsec = (long)(WAKE_PAUSE_NS + step * WAKE_PAUSE_STEP_NS),
	};

	nanosleep(&pause, NULL);
}

static int send_event(const struct cli_bench_log *bench_log)
{
	unsigned char *payload;
	uint64_t sent;
	int status = shmlog_writer_allocate(bench_log->writer,
	                                    CLI_WAKE_PAYLOAD_BYTES, &payload);

	if (status != 0)
		return status;
	memset(payload, 0, CLI_WAKE_PAYLOAD_BYTES);
	sent = (uint64_t)cli_now_ns();
	memcpy(payload, &sent, sizeof(sent));
	status = shmlog_writer_commit(bench_log->writer);
	return status == 0 ? shmlog_wake(bench_log->log) : status;
}

/* The waker.  The next event waits for the answer to this one, so that each
 * finds the other process asleep. */
static int wake_and_listen(const struct cli_bench_log *bench_log,
                           const struct wake *wake, uint64_t events,
                           uint64_t *latencies_ns_out)
{
	for (uint64_t i = 0; i < events; i++) {
		uint64_t *latency = &latencies_ns_out[i];
		ssize_t got;
		int status;

		pause_before(i);
		status = send_event(bench_log);
		if (status != 0)
			return status;
		got = read(wake->answers[0], latency, sizeof(*latency));
		if (got != (ssize_t)sizeof(*latency))
			return got < 0 ? -errno : -ECHILD;
	}
	return 0;
}

static int wake_process(const struct cli_bench_log *bench_log,
                        struct wake *wake, uint64_t events,
                        uint64_t *latencies_ns_out)
{
	pid_t sleeper = fork();
	int status;

	if (sleeper < 0)
		return -errno;
	if (sleeper == 0) {
		close(wake->answers[0]);
		sleep_and_answer(wake);
		_exit(0);
	}
	close(wake->answers[1]);
	wake->answers[1] = -1;
	status = wake_and_listen(bench_log, wake, events, latencies_ns_out);
	kill(sleeper, SIGKILL);
	while (waitpid(sleeper, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int wake_reader(const struct cli_bench_log *bench_log, uint64_t events,
                       uint64_t *latencies_ns_out)
{
	struct wake wake = {.waker = getpid()};
	int status = shmlog_reader_open(bench_log->read_log, NULL,
	                                &wake.reader);

	if (status != 0)
		return status;
	if (pipe(wake.answers) == 0) {
		status = wake_process(bench_log, &wake, events,
		                      latencies_ns_out);
		close(wake.answers[0]);
		if (wake.answers[1] >= 0)
			close(wake.answers[1]);
	} else {
		status = -errno;
	}
	shmlog_reader_close(wake.reader);
	return status;
}

static int wake_round(const struct cli_load *load,
                      struct cli_bench_log *bench_log,
                      uint64_t *latencies_ns_out)
{
	int status = wake_reader(bench_log, load->events, latencies_ns_out);

	return status == 0 ? prove(load, bench_log->log)
	                   : fail_round(load->folder, status);
}

/* ------------------------------------------------------------------ rounds */

/* Gives a round a log of its own. */
static int run_round(const struct cli_load *load,
                     int (*round)(const struct cli_load *load,
                                  struct cli_bench_log *bench_log,
                                  uint64_t *ns_out),
                     uint64_t *ns_out)
{
	uint64_t capacity = cli_load_capacity(load->payload_bytes,
	                                      load->events);
	struct cli_bench_log bench_log;
	int status = cli_bench_log_open(load->folder, capacity, &bench_log);

	if (status != CLI_OK)
		return status;
	status = round(load, &bench_log, ns_out);
	cli_bench_log_close(&bench_log);
	return status;
}

int cli_measure_write(const struct cli_load *load, uint64_t *ns_out)
{
	return run_round(load, write_round, ns_out);
}

int cli_measure_read(const struct cli_load *load, uint64_t *ns_out)
{
	return run_round(load, read_round, ns_out);
}

int cli_measure_wake(const char *folder, uint64_t events,
                     uint64_t *latencies_ns_out)
{
	const struct cli_load load = {
		.folder = folder,
		.payload_bytes = CLI_WAKE_PAYLOAD_BYTES,
		.events = events,
	};

	return run_round(&load, wake_round, latencies_ns_out);
}
