/*
 * Kills processes that append on condition that the log ends where they think,
 * each frame with a record in the log's metadata that says where the log will
 * end, and makes the log longer when it is full:
 * record_kill DIRECTORY KILLS
 *
 * Of two records they overwrite the one that does not say where the log ends.
 * Whenever anybody looks, the other one has to say so, and how many frames
 * there are; and the frames are numbered without a gap and without one twice.
 */
#include "campaign.h"

#include <shmlog.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define RECORDERS 3u
#define CAPACITY_BYTES 2048u

struct record {
	uint64_t end_cursor;
	uint64_t frames;
	uint64_t checksum;
};

struct shared {
	_Atomic bool over;
	_Atomic uint64_t appended[RECORDERS];
	_Atomic uint64_t refused[RECORDERS]; /* the log ended elsewhere */
	_Atomic uint64_t grown;
};

static struct shared *shared;
static char log_path[512];

static uint64_t checksum_of(const struct record *record)
{
	return (record->end_cursor * UINT64_C(0x9e3779b97f4a7c15)) ^
	       (record->frames * UINT64_C(0xc2b2ae3d27d4eb4f)) ^ 0x5a5a;
}

/* Finds the record that says where the log ends: its number.  While `size`
 * stays the same, nobody writes that one. */
static unsigned find_record(struct shmlog *log, struct record *found)
{
	struct shmlog_header before, after;
	struct record records[2];

	do {
		if (shmlog_read_header(log, &before) != 0 ||
		    shmlog_read_metadata(log, 0, records, sizeof(records)) !=
		            0 ||
		    shmlog_read_header(log, &after) != 0)
			campaign_fail("the log cannot be read");
	} while (before.size != after.size);
	for (unsigned i = 0; i < 2; i++) {
		if (records[i].checksum == checksum_of(&records[i]) &&
		    records[i].end_cursor == before.size - before.data_offset) {
			*found = records[i];
			return i;
		}
	}
	campaign_fail("no record says that the log ends at %" PRIu64
	              ": they say %" PRIu64 " and %" PRIu64,
	              before.size - before.data_offset, records[0].end_cursor,
	              records[1].end_cursor);
}

static void grow(struct shmlog *log)
{
	const struct shmlog_change_options options = {.lock_timeout_ns = -1};
	struct shmlog_header header;

	if (shmlog_read_header(log, &header) != 0)
		campaign_fail("the log cannot be read");
	int status = shmlog_grow(log, header.capacity + CAPACITY_BYTES,
	                         &options);

	/* Somebody else may have done it. */
	if (status != 0 && status != SHMLOG_ERR_CAPACITY &&
	    status != SHMLOG_ERR_WRITER_ACTIVE)
		campaign_fail("grow: %s", shmlog_strerror(status));
	shared->grown += status == 0;
}

static void append(struct shmlog *log, struct shmlog_append_session *session,
                   unsigned number)
{
	struct record now, next;
	unsigned char frame[256];
	char text[200];
	unsigned current = find_record(log, &now);
	int length = snprintf(text, sizeof(text), "%" PRIu64 " %0*d",
	                      now.frames, (int)chance_below(100), 0);
	size_t bytes = shmlog_frame_encode(frame, text, (size_t)length);

	next.end_cursor = now.end_cursor + bytes;
	next.frames = now.frames + 1;
	next.checksum = checksum_of(&next);
	const struct shmlog_append_options options = {
		.flags = SHMLOG_APPEND_EXPECT,
		.lock_timeout_ns = -1,
		.session = session,
		.expected_end_cursor = now.end_cursor,
		.metadata = &next,
		.metadata_bytes = sizeof(next),
		.metadata_at = (1 - current) * sizeof(next),
	};
	int status = shmlog_append_frames(log, frame, bytes, &options, NULL);

	switch (status) {
	case 0: shared->appended[number]++; break;
	case SHMLOG_ERR_MOVED: shared->refused[number]++; break;
	case SHMLOG_ERR_FULL: grow(log); break;
	/* One that was killed may be seen for a moment longer. */
	case SHMLOG_ERR_IN_DOUBT:
	case SHMLOG_ERR_WRITER_ACTIVE: break;
	default: campaign_fail("append: %s", shmlog_strerror(status));
	}
}

static void run_recorder(unsigned number)
{
	struct shmlog_append_session *session = NULL;
	struct shmlog *log;

	if (shmlog_open(log_path, &log) != 0 ||
	    (number == 0 && shmlog_append_session_open(log, &session) != 0))
		campaign_fail("the log cannot be opened");
	while (!shared->over) {
		append(log, session, number);
		/* Whoever waits must not wait for this. */
		if (session != NULL && chance_below(8) == 0)
			shmlog_append_session_release(session);
		if (session == NULL && chance_below(4) == 0)
			campaign_sleep_ns((int64_t)chance_below(200000));
	}
	shmlog_append_session_close(session);
	shmlog_close(log);
}

static void kill_them(pid_t *pids, uint64_t kills)
{
	for (uint64_t i = 0; i < kills; i++) {
		unsigned victim = (unsigned)chance_below(RECORDERS);

		campaign_sleep_ns((int64_t)chance_below(5 * NS_PER_MS));
		campaign_end_by(pids[victim], SIGKILL,
		                campaign_patience_ns(INT64_C(20) * 1000000000));
		pids[victim] = campaign_start_child(run_recorder, victim);
	}
}

/* The frames, which must be numbered from 0 on; how many there are. */
static uint64_t count_frames(struct shmlog *log)
{
	struct shmlog_reader *reader;
	struct shmlog_frame frame;
	uint64_t count = 0;
	int result;

	if (shmlog_reader_open(log, NULL, &reader) != 0)
		campaign_fail("the log cannot be read");
	while ((result = shmlog_reader_next(reader, &frame)) == 1) {
		char text[32];
		int length = snprintf(text, sizeof(text), "%" PRIu64 " ",
		                      count);

		if (memcmp(frame.payload, text, (size_t)length) != 0)
			campaign_fail("frame %" PRIu64 " holds '%.*s'", count,
			              (int)frame.size_bytes,
			              (const char *)frame.payload);
		count++;
	}
	if (result != 0)
		campaign_fail("frame %" PRIu64 ": %s", count,
		              shmlog_strerror(result));
	shmlog_reader_close(reader);
	return count;
}

static void create_log(const char *folder)
{
	struct record records[2] = {{.end_cursor = 0}, {.end_cursor = 0}};
	const struct shmlog_create_options options = {
		.capacity = CAPACITY_BYTES,
		.mode = 0600,
		.metadata_bytes = sizeof(records),
		.metadata = records,
	};

	records[0].checksum = checksum_of(&records[0]);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	if (mkdir(folder, 0700) != 0 ||
	    shmlog_create_with(log_path, &options) != 0)
		campaign_fail("%s: cannot make a log", log_path);
}

int main(int argc, char **argv)
{
	uint64_t appended = 0, refused = 0;
	pid_t pids[RECORDERS];
	struct record record;
	struct shmlog *log;

	if (argc != 3)
		return 2;
	campaign_begin("record_kill", 4 * 3600);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		campaign_fail("no memory");
	uint64_t kills = campaign_number(argv[2]);

	create_log(argv[1]);
	for (unsigned i = 0; i < RECORDERS; i++)
		pids[i] = campaign_start_child(run_recorder, i);
	kill_them(pids, kills);
	shared->over = true;
	for (unsigned i = 0; i < RECORDERS; i++) {
		int status = campaign_wait(
			pids[i], campaign_patience_ns(INT64_C(20) * 1000000000),
			NULL);

		if (status != 0)
			campaign_fail("a process ended with status %d", status);
		appended += shared->appended[i];
		refused += shared->refused[i];
	}
	if (shmlog_open(log_path, &log) != 0)
		campaign_fail("the log cannot be opened");
	(void)find_record(log, &record);
	uint64_t frames = count_frames(log);

	if (record.frames != frames || frames < appended ||
	    frames > appended + kills || appended == 0)
		campaign_fail("%" PRIu64 " frames, %" PRIu64
		              " acknowledged, %" PRIu64 " in the record",
		              frames, appended, record.frames);
	shmlog_close(log);
	return campaign_pass(
		"%" PRIu64 " kills, %" PRIu64 " frames in order, %" PRIu64
		" of them acknowledged, %" PRIu64
		" refused as the log had moved, %" PRIu64
		" growths; the record always fitted",
		kills, frames, appended, refused, (uint64_t)shared->grown);
}
