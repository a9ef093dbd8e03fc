/*
 * Flips every bit of a 64 KiB log, one at a time, and cuts it at every length:
 * bit_flips DIRECTORY STRIDE
 *
 * STRIDE: which part of the payload's bits and of the lengths is tried, 1 for
 * all; header and length words are always tried whole.
 *
 * The log is full and its frames all have 152 bytes, so that the layout hides
 * nothing: 431 frames fill 65,512 bytes, no two length words differ in one
 * bit, so a flipped one never leads to a word that equals it; no power of two
 * is a multiple of 152, so no flip of dataOffset or size lands on another
 * frame's start; and payload bytes of 0xFF make no length that fits.
 */
#include "campaign.h"

#include <shmlog.h>

#define LOG_BYTES 65536u
#define FRAME_BYTES 152u
#define FRAMES ((LOG_BYTES - SHMLOG_HEADER_BYTES) / FRAME_BYTES)

_Static_assert(FRAMES *FRAME_BYTES + SHMLOG_HEADER_BYTES == LOG_BYTES,
               "the frames fill the log");

struct campaign {
	char path[512];
	int fd;
	unsigned char bytes[LOG_BYTES];
	uint64_t header_flips;
	uint64_t length_flips;
	uint64_t payload_flips;
	uint64_t cuts;
};

static void make_log(struct campaign *campaign)
{
	unsigned char payload[FRAME_BYTES - SHMLOG_FRAME_OVERHEAD_BYTES];
	uint64_t size = LOG_BYTES;

	memset(payload, 0xff, sizeof(payload));
	memset(campaign->bytes, 0, SHMLOG_HEADER_BYTES);
	campaign->bytes[0] = campaign->bytes[8] = SHMLOG_HEADER_BYTES;
	for (size_t i = 0; i < 8; i++)
		campaign->bytes[16 + i] = (unsigned char)(size >> (8 * i));
	for (size_t i = 0; i < FRAMES; i++)
		shmlog_frame_encode(campaign->bytes + SHMLOG_HEADER_BYTES +
		                            i * FRAME_BYTES,
		                    payload, sizeof(payload));
	campaign->fd = open(campaign->path,
	                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (campaign->fd < 0 ||
	    write(campaign->fd, campaign->bytes, LOG_BYTES) != LOG_BYTES)
		campaign_fail("%s: %s", campaign->path, strerror(errno));
}

/* 0 for a sound log, more for damage, less for a refusal. */
static int verify(const struct campaign *campaign)
{
	struct shmlog_verify_report report;
	struct shmlog *log;
	int status = shmlog_open(campaign->path, &log);

	if (status != 0)
		return status;
	status = shmlog_verify(log, NULL, &report);
	shmlog_close(log);
	if (status < -10000 || status >= 0)
		return status;
	campaign_fail("verify: %s", shmlog_strerror(status));
}

static void put(const struct campaign *campaign, size_t at, unsigned char byte)
{
	if (pwrite(campaign->fd, &byte, 1, (off_t)at) != 1)
		campaign_fail("%s: %s", campaign->path, strerror(errno));
}

static bool is_length(size_t at)
{
	size_t within = (at - SHMLOG_HEADER_BYTES) % FRAME_BYTES;

	return within < 2 || within >= FRAME_BYTES - 2;
}

static void flip(struct campaign *campaign, size_t at, unsigned bit)
{
	bool header = at < SHMLOG_HEADER_BYTES;
	bool payload = !header && !is_length(at);

	put(campaign, at, campaign->bytes[at] ^ (unsigned char)(1u << bit));
	int found = verify(campaign);

	put(campaign, at, campaign->bytes[at]);
	if (payload == (found != 0))
		campaign_fail("bit %u of byte %zu (%s) flipped: verify says %d",
		              bit, at,
		              header    ? "header"
		              : payload ? "payload"
		                        : "length",
		              found);
	campaign->header_flips += header;
	campaign->payload_flips += payload;
	campaign->length_flips += !header && !payload;
}

static void cut(struct campaign *campaign, size_t length)
{
	if (ftruncate(campaign->fd, (off_t)length) != 0)
		campaign_fail("%s: %s", campaign->path, strerror(errno));
	if (verify(campaign) == 0)
		campaign_fail("cut to %zu bytes: verify says that it is sound",
		              length);
	campaign->cuts++;
}

int main(int argc, char **argv)
{
	static struct campaign campaign;

	if (argc != 3)
		return 2;
	campaign_begin("bit_flips", 3600);
	snprintf(campaign.path, sizeof(campaign.path), "%s/log", argv[1]);
	uint64_t stride = campaign_number(argv[2]);

	if (stride == 0)
		return 2;
	make_log(&campaign);
	if (verify(&campaign) != 0)
		campaign_fail("the log is not sound to begin with");
	for (size_t at = 0; at < LOG_BYTES; at++) {
		bool every = at < SHMLOG_HEADER_BYTES || is_length(at);

		for (unsigned bit = 0; bit < 8; bit++) {
			if (every || chance_below(stride) == 0)
				flip(&campaign, at, bit);
		}
	}
	for (size_t length = LOG_BYTES; length > 0; length--) {
		if (length < 64 || chance_below(stride) == 0)
			cut(&campaign, length - 1);
	}
	return campaign_pass("all %" PRIu64
	                     " flips in the header and all %" PRIu64
	                     " in length words detected, none of %" PRIu64
	                     " in payload, all of %" PRIu64 " cuts",
	                     campaign.header_flips, campaign.length_flips,
	                     campaign.payload_flips, campaign.cuts);
}
