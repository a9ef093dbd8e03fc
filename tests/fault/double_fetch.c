/*
 * Changes length words, and `size`, under readers that walk the log:
 * double_fetch DIRECTORY FRAMES
 *
 * A mapped reader is watched by what it hands out, and by unreadable pages on
 * both sides of its mapping; a buffered one and verify by ASan, which this
 * program is built with by its campaign.  FRAMES are divided among them.
 */
#include "both_ends.h"
#include "campaign.h"
#include "log.h"

#include <pthread.h>
#include <sched.h>
#include <shmlog.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define LOG_BYTES 65536u
#define GUARD_BYTES (256u * 1024u)
#define MOST_FRAMES 2048
#define MOST_FILLERS 4096
#define BATCH 16
#define HOT_FRAMES 3 /* at the start of the log */

struct campaign {
	char path[512];
	unsigned char *base; /* the writer's own mapping */
	uint64_t size;
	size_t frame_count;
	uint64_t frame_at[MOST_FRAMES]; /* offsets, and behind them the end */
	atomic_bool begun;
	atomic_bool over;
	uint64_t frames;
	uint64_t refused;
	uint64_t flips;
};

/* ----------------------------------------------------------------- writer */

static uint16_t load(const unsigned char *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static void store(unsigned char *at, uint16_t word)
{
	volatile unsigned char *bytes = at;

	bytes[0] = (unsigned char)(word & 0xff);
	bytes[1] = (unsigned char)(word >> 8);
}

static uint16_t hostile_word(uint64_t dice)
{
	static const uint16_t favourites[] = {
		0, 1, 2, 3, 4, 5, 0x7fff, 0x8000, 0xfffe, 0xffff};

	return dice % 2 == 0 ? favourites[dice / 2 % 10]
	                     : (uint16_t)(dice >> 32);
}

static uint64_t hostile_size(const struct campaign *campaign, uint64_t dice)
{
	switch (dice % 5) {
	case 0: return campaign->size - dice / 5 % 64;
	case 1: return campaign->size + dice / 5 % 64;
	case 2: return UINT64_MAX - dice / 5 % 64;
	case 3: return dice / 5 % 32;
	default: return dice;
	}
}

/* Lets a lie stand for a while, or not at all. */
static void hold(uint64_t dice)
{
	for (volatile uint64_t i = dice % 4 == 0 ? dice / 4 % 512 : 0; i > 0;
	     i--)
		;
}

/* Flips one word to something hostile and back, for ever.  Chance is the
 * thread's own. */
static void *flip_words(void *context)
{
	struct campaign *campaign = context;
	_Atomic uint64_t *size = (void *)(campaign->base + 16);
	uint64_t state = 88172645463325252u;

	atomic_store(&campaign->begun, true);
	while (!atomic_load_explicit(&campaign->over, memory_order_relaxed)) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		/* Mostly where the reader mostly is. */
		size_t frame = state % (state >> 62 == 0 ? campaign->frame_count
		                                         : HOT_FRAMES);
		unsigned char *first = campaign->base +
		                       campaign->frame_at[frame];
		unsigned char *last = campaign->base +
		                      campaign->frame_at[frame + 1] - 2;
		uint16_t right = load(first);
		uint16_t wrong = hostile_word(state >> 11);

		/* Each alone, then both, so that they agree on a lie. */
		if (state >> 60 != 1)
			store(first, wrong);
		if (state >> 60 != 2)
			store(last, wrong);
		if (state >> 60 == 3)
			atomic_store(size, hostile_size(campaign, state >> 7));
		hold(state >> 20);
		atomic_store(size, campaign->size);
		store(first, right);
		store(last, right);
		campaign->flips++;
	}
	return NULL;
}

/* ---------------------------------------------------------------- readers */

/* What no writer whatsoever may make of a frame. */
static void check_frame(const struct campaign *campaign,
                        const struct shmlog_frame *frame,
                        const unsigned char *base)
{
	static volatile unsigned char sink;
	unsigned char copy[SHMLOG_PAYLOAD_MAX_BYTES];
	uint64_t committed = campaign->size - SHMLOG_HEADER_BYTES;

	if (frame->size_bytes > SHMLOG_PAYLOAD_MAX_BYTES ||
	    frame->next_cursor != frame->cursor + frame->size_bytes + 4 ||
	    frame->next_cursor > committed + 64)
		campaign_fail("frame of %" PRIu32 " bytes, cursor %" PRIu64
		              " to %" PRIu64 " of %" PRIu64,
		              frame->size_bytes, frame->cursor,
		              frame->next_cursor, committed);
	if (base != NULL &&
	    frame->payload != base + SHMLOG_HEADER_BYTES + frame->cursor + 2)
		campaign_fail("payload is not where the cursor says");
	memcpy(copy, frame->payload, frame->size_bytes);
	sink = frame->size_bytes > 0 ? copy[frame->size_bytes - 1] : 0;
	(void)sink;
}

/* One call on a reader; returns how many frames it gave. */
static int read_some(struct campaign *campaign, struct shmlog_reader *reader,
                     const unsigned char *base)
{
	struct shmlog_frame frames[BATCH];
	struct shmlog_neighbours around;
	uint64_t dice = chance();
	int count;

	switch (dice % 8) {
	case 0: count = shmlog_reader_prev(reader, frames); break;
	case 1: count = shmlog_reader_next(reader, frames); break;
	case 2:
	case 4:
	case 5:
		count = shmlog_fast_next(shmlog_reader_fast(reader), frames);
		break;
	case 3:
		if (dice >> 56 != 0)
			return 0;
		return shmlog_reader_seek(reader, (dice >> 8) % campaign->size,
		                          &around);
	default:
		count = shmlog_reader_next_batch(reader, BATCH, 0, frames);
		break;
	}
	for (int i = 0; i < count; i++)
		check_frame(campaign, &frames[i], base);
	return count;
}

/* Leads the next mapping of the log's length to between unreadable pages:
 * all other holes where it would go are filled first. */
static unsigned char *guard_next_mapping(void **filler, size_t *fillers_out)
{
	size_t all = LOG_BYTES + 2 * GUARD_BYTES;
	unsigned char *room = mmap(NULL, all, PROT_NONE,
	                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *hole = room + GUARD_BYTES;

	if (room == MAP_FAILED || munmap(hole, LOG_BYTES) != 0)
		campaign_fail("no memory");
	for (*fillers_out = 0; *fillers_out < MOST_FILLERS;) {
		void *got = mmap(NULL, LOG_BYTES, PROT_NONE,
		                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (got == hole) {
			munmap(hole, LOG_BYTES);
			return hole;
		}
		filler[(*fillers_out)++] = got;
	}
	campaign_fail("no place between unreadable pages");
}

static void drop_guard(const unsigned char *hole)
{
	munmap((void *)(uintptr_t)(hole - GUARD_BYTES),
	       LOG_BYTES + 2 * GUARD_BYTES);
}

/* Whether a reader's mapping went where it was to go. */
static bool is_mapped(const unsigned char *hole)
{
	unsigned char resident[LOG_BYTES / 4096 + 1];

	return mincore((void *)(uintptr_t)hole, LOG_BYTES, resident) == 0;
}

static void read_with(struct campaign *campaign, unsigned flags,
                      uint64_t frames)
{
	static void *filler[MOST_FILLERS];
	const struct shmlog_reader_options options = {.flags = flags};
	bool mapped = (flags & SHMLOG_READER_BUFFERED) == 0;
	struct shmlog_reader *reader = NULL;
	const unsigned char *base = NULL;
	size_t fillers = 0;
	struct shmlog *log;

	while (shmlog_open(campaign->path, &log) != 0)
		;
	do {
		if (base != NULL)
			drop_guard(base);
		shmlog_reader_close(reader);
		if (mapped)
			base = guard_next_mapping(filler, &fillers);
		if (shmlog_reader_open(log, &options, &reader) != 0)
			campaign_fail("cannot read");
		while (fillers > 0)
			munmap(filler[--fillers], LOG_BYTES);
		/* The other thread may have got that place meanwhile. */
	} while (mapped && !is_mapped(base));
	for (uint64_t done = 0; done < frames;) {
		int count = read_some(campaign, reader, base);

		done += count > 0 ? (uint64_t)count : 1;
		if (count > 0) {
			campaign->frames += (uint64_t)count;
			if (chance_below(4) != 0)
				continue;
		}
		campaign->refused += count < 0;
		shmlog_reader_seek(reader, 0, NULL);
	}
	shmlog_reader_close(reader);
	shmlog_close(log);
	if (mapped)
		drop_guard(base);
}

struct visit {
	const struct campaign *campaign;
	uint64_t frames;
};

static int visit_frames(void *context, const struct shmlog_frame *frames,
                        size_t count)
{
	struct visit *visit = context;

	for (size_t i = 0; i < count; i++)
		check_frame(visit->campaign, &frames[i], NULL);
	visit->frames += count;
	return 0;
}

/* However the words change meanwhile, the walk gets on. */
static int visit_damage(void *context, const struct shmlog_damage *damage)
{
	(void)context;
	if (damage->end_cursor <= damage->fault.cursor)
		campaign_fail("damage without an end at cursor %" PRIu64,
		              damage->fault.cursor);
	return 0;
}

/* The same from both ends at once, by two threads or in turn, a few frames at a
 * time: whatever changes under the two walks, they end. */
static void count_from_both_ends(const struct shmlog *log, unsigned round)
{
	struct shmlog_walk_request request = {
		.fd = log->fd,
		.offset = log->data_offset,
		.chunk_bytes = 200 + round % 300,
		.second = round % 8 == 0 ? SHMLOG_SECOND_THREAD
	                                 : SHMLOG_SECOND_IN_TURN,
	};
	struct shmlog_chain_count count = {.frames = 0};
	struct shmlog_header header;
	bool is_chain = false;

	if (shmlog_read_header(log, &header) != 0)
		return;
	request.length = header.size - log->data_offset;
	if (shmlog_count_chain(&request, &count, &is_chain) != 0)
		campaign_fail("both ends: a status from nowhere");
	if (count.frames > (is_chain ? request.length / 4 : 0))
		campaign_fail("both ends: %" PRIu64 " frames in %" PRIu64
		              " bytes",
		              count.frames, request.length);
}

static void verify_often(struct campaign *campaign, uint64_t frames)
{
	struct visit visit = {.campaign = campaign};
	const struct shmlog_verify_visitor visitor = {
		.frames = visit_frames,
		.damage = visit_damage,
		.context = &visit,
	};
	struct shmlog_verify_report report;

	for (unsigned round = 0; visit.frames < frames; round++) {
		struct shmlog *log;

		if (shmlog_open(campaign->path, &log) != 0)
			continue;
		campaign->refused += shmlog_verify(log, &visitor, &report) != 0;
		(void)shmlog_count(log, NULL, &report);
		count_from_both_ends(log, round);
		shmlog_close(log);
	}
	campaign->frames += visit.frames;
}

/* ------------------------------------------------------------------- main */

/* A log that ends with its last page, so that a step too far leaves it. */
static void make_log(struct campaign *campaign)
{
	unsigned char payload[256];
	int fd = open(campaign->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	              0600);

	if (fd < 0 || ftruncate(fd, LOG_BYTES) != 0)
		campaign_fail("%s: %s", campaign->path, strerror(errno));
	campaign->base = mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE,
	                      MAP_SHARED, fd, 0);
	close(fd);
	if (campaign->base == MAP_FAILED)
		campaign_fail("no memory");
	memset(payload, 0xfe, sizeof(payload));
	campaign->size = SHMLOG_HEADER_BYTES;
	while (campaign->size < LOG_BYTES) {
		uint64_t left = LOG_BYTES - campaign->size;
		uint64_t total = 4 + chance_below(200);

		if (total > left || left - total < 4)
			total = left > 204 ? left - 100 : left;
		campaign->frame_at[campaign->frame_count++] = campaign->size;
		campaign->size += shmlog_frame_encode(
			campaign->base + campaign->size, payload,
			(size_t)total - 4);
	}
	campaign->frame_at[campaign->frame_count] = campaign->size;
	campaign->base[0] = campaign->base[8] = SHMLOG_HEADER_BYTES;
	memcpy(campaign->base + 16, &campaign->size, 8);
}

int main(int argc, char **argv)
{
	static struct campaign campaign;
	pthread_t writer;

	if (argc != 3)
		return 2;
	campaign_begin("double_fetch", 2 * 3600);
	snprintf(campaign.path, sizeof(campaign.path), "%s/log", argv[1]);
	uint64_t frames = campaign_number(argv[2]);

	make_log(&campaign);
	if (pthread_create(&writer, NULL, flip_words, &campaign) != 0)
		campaign_fail("no thread");
	/* A sanitizer maps memory for a thread that begins: not into the hole
	 * for the reader, with which it would be unmapped. */
	while (!atomic_load(&campaign.begun))
		sched_yield();
	read_with(&campaign, 0, frames / 2);
	read_with(&campaign, SHMLOG_READER_BUFFERED, frames / 4);
	verify_often(&campaign, frames / 4);
	atomic_store(&campaign.over, true);
	pthread_join(writer, NULL);
	if (campaign.refused == 0)
		campaign_fail("no reader ever met a flipped word");
	return campaign_pass("%" PRIu64 " frames read under %" PRIu64
	                     " flips of length words, %" PRIu64
	                     " refusals, nothing out of bounds",
	                     campaign.frames, campaign.flips, campaign.refused);
}
