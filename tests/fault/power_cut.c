/*
 * What may be on the disk after a power cut: power_cut DIRECTORY ROUNDS
 *
 * Appends that sync run on logs of several shapes, and each write and sync is
 * recorded.  The system may write a block of the file at any moment, in any
 * order, and is only bound to have all of them on the disk when a sync ends.
 * So before each sync a block may be as it was at any time since the last one,
 * whatever the others are.  All combinations are judged, or a choice where
 * there are too many: each must be a whole log that ends where a commit ended,
 * with the frames that were appended, and all that was acknowledged.
 *
 * A session may write the first frames of a commit ahead of it.
 *
 * The same without SHMLOG_APPEND_SYNC must be found out as no such thing.
 */
#include "campaign.h"

#include <shmlog.h>
#include <sys/syscall.h>

#define MOST_BYTES 65536u
#define MOST_BLOCKS (MOST_BYTES / 512u)
#define MOST_VERSIONS 512u
#define MOST_COMMITS 512u
#define MOST_COMBINATIONS 2048u

/* A log, and how it is written to. */
struct shape {
	const char *name;
	uint64_t capacity;
	uint64_t metadata; /* bytes, which move the first frame */
	size_t block;      /* what a disk writes as one */
	size_t payload;    /* the largest */
	unsigned batch;    /* the most frames of a commit */
	bool sessions;
};

static const struct shape shapes[] = {
	{"small frames in the header's page", 4096, 0, 512, 40, 4, false},
	{"the header's page as one block", 4096, 0, 4096, 40, 4, true},
	{"pages", 65536, 0, 4096, 3000, 3, false},
	{"sectors", 20011, 0, 512, 900, 3, true},
	{"frames larger than pages", 65536, 0, 4096, 15000, 2, false},
	{"the first frame beyond the header's page", 40000, 5000, 4096, 500, 8,
         true},
	{"an odd place of the first frame", 16384, 489, 512, 300, 5, false},
};

/* What a block of the file has been since the last sync: the first version is
 * on the disk. */
struct block {
	unsigned count;
	unsigned char *versions[MOST_VERSIONS];
};

static struct recording {
	const struct shape *shape;
	const char *path;
	int fd; /* for looking: to open the log each time would end a session */
	ino_t inode;
	bool syncs;   /* the appends do */
	bool judging; /* calls are the judge's own */
	struct block blocks[MOST_BLOCKS];
	size_t block_count;
	unsigned char stream[MOST_BYTES]; /* all frames that were appended */
	uint64_t ends[MOST_COMMITS];      /* cursors where commits end */
	unsigned commits;
	unsigned tried;        /* of them, or one more */
	unsigned acknowledged; /* of them */
	uint64_t ahead;        /* writes ahead of a commit */
	uint64_t states;       /* that were judged */
	uint64_t bad;
	char why[160];
} now;

/* ---------------------------------------------------------------- recording */

static bool is_recorded(int fd)
{
	struct stat file;

	return !now.judging && now.inode != 0 && fstat(fd, &file) == 0 &&
	       file.st_ino == now.inode;
}

static size_t bytes_of(size_t block)
{
	uint64_t left = now.shape->capacity - block * now.shape->block;

	return left < now.shape->block ? (size_t)left : now.shape->block;
}

/* Notes what has changed: stores to a mapping are seen at the next call. */
static void note_versions(void)
{
	static unsigned char bytes[MOST_BYTES];

	if (pread(now.fd, bytes, now.shape->capacity, 0) !=
	    (ssize_t)now.shape->capacity)
		campaign_fail("%s: cannot read", now.path);
	for (size_t i = 0; i < now.block_count; i++) {
		struct block *block = &now.blocks[i];
		size_t size = bytes_of(i);
		const unsigned char *fresh = bytes + i * now.shape->block;

		if (block->count > 0 &&
		    memcmp(block->versions[block->count - 1], fresh, size) == 0)
			continue;
		if (block->count == MOST_VERSIONS)
			campaign_fail("too many versions of a block");
		unsigned char *copy = malloc(size);

		if (copy == NULL)
			campaign_fail("no memory");
		memcpy(copy, fresh, size);
		block->versions[block->count++] = copy;
	}
}

/* All blocks are on the disk as they are. */
static void note_synced(void)
{
	for (size_t i = 0; i < now.block_count; i++) {
		struct block *block = &now.blocks[i];

		for (unsigned v = 0; v + 1 < block->count; v++)
			free(block->versions[v]);
		if (block->count > 0)
			block->versions[0] = block->versions[block->count - 1];
		block->count = block->count > 0 ? 1 : 0;
	}
}

static void forget(void)
{
	for (size_t i = 0; i < now.block_count; i++) {
		for (unsigned v = 0; v < now.blocks[i].count; v++)
			free(now.blocks[i].versions[v]);
	}
	memset(&now, 0, sizeof(now));
}

/* ------------------------------------------------------------------ judging */

__attribute__((format(printf, 1, 2))) static void blame(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(now.why, sizeof(now.why), format, arguments);
	va_end(arguments);
	now.bad++;
}

static void judge_log(struct shmlog *log, const unsigned char *image)
{
	struct shmlog_verify_report report;
	int damaged = shmlog_verify(log, NULL, &report);

	if (damaged != 0) {
		blame("it is damaged: %s", damaged > 0 ? "frames" : "header");
		return;
	}
	uint64_t end = report.header.size - report.header.data_offset;
	unsigned commit = 0;

	while (commit < now.tried && now.ends[commit] != end)
		commit++;
	if (end > 0 && commit == now.tried)
		blame("it ends at %" PRIu64 ", inside a commit", end);
	else if (memcmp(image + report.header.data_offset, now.stream,
	                (size_t)end) != 0)
		blame("it has other frames than were appended");
	else if (now.acknowledged > 0 && end < now.ends[now.acknowledged - 1])
		blame("it ends at %" PRIu64 ", and %" PRIu64
		      " were acknowledged",
		      end, now.ends[now.acknowledged - 1]);
}

static void judge_image(const unsigned char *image)
{
	struct shmlog *log;
	int status = shmlog_open_memory(image, now.shape->capacity, &log);

	now.states++;
	if (status != 0) {
		blame("%s", shmlog_strerror(status));
		return;
	}
	judge_log(log, image);
	shmlog_close(log);
}

static void put_version(unsigned char *image, size_t block, unsigned version)
{
	memcpy(image + block * now.shape->block,
	       now.blocks[block].versions[version], bytes_of(block));
}

/* Judges what may be on the disk now. */
static void judge(void)
{
	static unsigned char image[MOST_BYTES];
	unsigned chosen[MOST_BLOCKS] = {0};
	uint64_t combinations = 1;

	now.judging = true;
	for (size_t i = 0; i < now.block_count; i++) {
		put_version(image, i, 0);
		if (combinations <= MOST_COMBINATIONS)
			combinations *= now.blocks[i].count;
	}
	bool all = combinations <= MOST_COMBINATIONS;

	for (uint64_t n = 0; n < (all ? combinations : MOST_COMBINATIONS);
	     n++) {
		judge_image(image);
		/* The next combination, as a number counts up, or any. */
		for (size_t i = 0; i < now.block_count; i++) {
			unsigned count = now.blocks[i].count;

			if (count == 1)
				continue;
			chosen[i] = all ? (chosen[i] + 1) % count
			                : (unsigned)chance_below(count);
			put_version(image, i, chosen[i]);
			if (all && chosen[i] != 0)
				break;
		}
	}
	now.judging = false;
}

/* Take the places of the C library's. */
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	bool recorded = is_recorded(fd);

	if (recorded)
		note_versions();
	ssize_t put = syscall(SYS_pwrite64, fd, bytes, size, at);

	if (recorded)
		note_versions();
	return put;
}

int fdatasync(int fd)
{
	if (is_recorded(fd)) {
		note_versions();
		judge();
		note_synced();
	}
	return 0;
}

/* ---------------------------------------------------------------- appending */

/* Makes the frames of a commit behind those before it.  Returns their bytes, 0
 * where the log is full. */
static size_t make_frames(uint64_t end)
{
	uint64_t room = now.shape->capacity - 24 - now.shape->metadata - end;
	size_t made = 0;

	for (uint64_t n = 1 + chance_below(now.shape->batch); n > 0; n--) {
		unsigned char payload[16384];
		size_t size = chance_below(now.shape->payload + 1);

		if (made + size + 4 > room)
			break;
		for (size_t i = 0; i < size; i++)
			payload[i] = (unsigned char)chance();
		made += shmlog_frame_encode(now.stream + end + made, payload,
		                            size);
	}
	return made;
}

/* Writes a part of a commit ahead, and then perhaps a larger one, where the
 * session keeps access. */
static void write_ahead(struct shmlog_append_session *session,
                        const unsigned char *frames, size_t bytes)
{
	size_t ahead = 0;

	if (session == NULL || shmlog_append_session_fd(session) < 0)
		return;
	for (uint64_t n = chance_below(3); n > 0; n--) {
		ahead += (size_t)chance_below(bytes - ahead + 1);
		shmlog_append_session_write_ahead(session, frames, ahead);
		now.ahead += ahead > 0;
	}
}

/* Appends until the log is full, as `append --sync` does, through two handles
 * in turn, as two processes would. */
static void fill(struct shmlog *logs[2])
{
	struct shmlog_append_session *sessions[2] = {NULL, NULL};
	uint64_t end = 0;
	size_t bytes;

	for (int i = 0; i < 2 && now.shape->sessions; i++)
		(void)shmlog_append_session_open(logs[i], &sessions[i]);
	for (int turn = 0;
	     now.commits < MOST_COMMITS && (bytes = make_frames(end)) > 0;) {
		const struct shmlog_append_options options = {
			.flags = now.syncs ? SHMLOG_APPEND_SYNC : 0u,
			.lock_timeout_ns = -1,
			.session = sessions[turn],
		};

		now.ends[now.commits] = end + bytes;
		now.tried = now.commits + 1;
		write_ahead(sessions[turn], now.stream + end, bytes);
		int status = shmlog_append_frames(logs[turn], now.stream + end,
		                                  bytes, &options, NULL);

		if (status != 0)
			campaign_fail("append: %s", shmlog_strerror(status));
		note_versions();
		/* Its sync was that of the commits before. */
		if (now.syncs)
			now.acknowledged = now.commits;
		end += bytes;
		now.commits++;
		/* A pause. */
		if (chance_below(4) == 0) {
			if (shmlog_sync(logs[turn]) != 0)
				campaign_fail("cannot sync");
			now.acknowledged = now.commits;
		}
		/* The other one's turn. */
		if (chance_below(3) != 0)
			continue;
		if (sessions[turn] != NULL)
			shmlog_append_session_release(sessions[turn]);
		turn = 1 - turn;
	}
	judge();
	for (int i = 0; i < 2; i++)
		shmlog_append_session_close(sessions[i]);
}

static void play(const struct shape *shape, const char *path, bool syncs)
{
	const struct shmlog_create_options options = {
		.capacity = shape->capacity,
		.mode = 0600,
		.metadata_bytes = shape->metadata,
	};
	struct shmlog *logs[2];
	struct stat file;

	forget();
	if (shmlog_create_with(path, &options) != 0 || stat(path, &file) != 0)
		campaign_fail("%s: cannot make a log", path);
	now.shape = shape;
	now.path = path;
	now.inode = file.st_ino;
	now.fd = open(path, O_RDONLY | O_CLOEXEC);
	now.syncs = syncs;
	now.block_count = (shape->capacity + shape->block - 1) / shape->block;
	note_versions();
	for (int i = 0; i < 2; i++) {
		if (shmlog_open(path, &logs[i]) != 0)
			campaign_fail("%s: cannot open", path);
	}
	fill(logs);
	for (int i = 0; i < 2; i++)
		shmlog_close(logs[i]);
	close(now.fd);
	unlink(path);
}

int main(int argc, char **argv)
{
	uint64_t states = 0, commits = 0, ahead = 0, found = 0;
	char path[512];

	if (argc != 3)
		return 2;
	campaign_begin("power_cut", 4 * 3600);
	snprintf(path, sizeof(path), "%s/log", argv[1]);
	uint64_t rounds = campaign_number(argv[2]);

	for (uint64_t i = 0; i < rounds; i++) {
		const struct shape *shape =
			&shapes[i % (sizeof(shapes) / sizeof(shapes[0]))];

		play(shape, path, true);
		if (now.bad > 0)
			campaign_fail("%s: %" PRIu64 " of %" PRIu64
			              " states are no good: %s",
			              shape->name, now.bad, now.states,
			              now.why);
		states += now.states;
		commits += now.commits;
		ahead += now.ahead;
		play(shape, path, false);
		found += now.bad;
	}
	if (found == 0)
		campaign_fail("appends that do not sync look as good");
	return campaign_pass(
		"%" PRIu64 " states of the disk between the syncs "
		"of %" PRIu64 " commits: each is a whole log with "
		"all that was acknowledged (without syncs, %" PRIu64
		" are not); %" PRIu64 " writes ahead of a commit",
		states, commits, found, ahead);
}
