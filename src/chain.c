/* Walking committed frames before anything is built upon them. */
#include "chain.h"

/* More than this to walk is walked before the lock is taken. */
#define LONG_WALK_BYTES 262144u

int shmlog_chain_frame(struct shmlog_window *window, uint64_t at, uint64_t end,
                       uint32_t *total_out)
{
	size_t need = SHMLOG_FRAME_OVERHEAD_BYTES;

	for (int pass = 0; pass < 2; pass++) {
		if (need > end - at)
			return SHMLOG_ERR_TORN;
		int status = shmlog_window_fill(window, at, need, end);

		if (status != 0)
			return status;
		need = shmlog_load_word(shmlog_window_at(window, at));
		if (need < SHMLOG_FRAME_OVERHEAD_BYTES)
			return SHMLOG_ERR_FRAME_CORRUPT;
	}
	*total_out = shmlog_format_frame(shmlog_window_at(window, at),
	                                 shmlog_window_after(window, at));
	return *total_out > 0 ? 0 : SHMLOG_ERR_FRAME_CORRUPT;
}

int shmlog_chain_walk(struct shmlog_window *window, uint64_t at, uint64_t end)
{
	while (at < end) {
		uint32_t total;
		int status = shmlog_chain_frame(window, at, end, &total);

		if (status != 0)
			return status;
		at += total;
	}
	return 0;
}

/* Walks back over the `held` bytes that end at `end`, of which `committed`
 * are the whole. */
static int walk_back(const unsigned char *end, uint64_t held,
                     uint64_t committed)
{
	uint64_t left = held;
	int broken = SHMLOG_ERR_TORN;

	while (left >= 2) {
		uint32_t total = shmlog_load_word(end - 2);

		if (total < SHMLOG_FRAME_OVERHEAD_BYTES ||
		    total > committed - (held - left))
			return broken;
		if (total > left)
			return 0;
		if (shmlog_load_word(end - total) != total)
			return broken;
		end -= total;
		left -= total;
		/* From behind, a torn frame and one with a bad word look
		 * alike; but only the last one can be torn. */
		broken = SHMLOG_ERR_FRAME_CORRUPT;
	}
	return left == 1 && held == committed ? broken : 0;
}

static int look_back(const struct shmlog *log, uint64_t size)
{
	unsigned char bytes[SHMLOG_FRAME_MAX_BYTES + 1];
	uint64_t committed = size - log->data_offset;
	size_t held = committed < sizeof(bytes) ? (size_t)committed
	                                        : sizeof(bytes);
	int status = held > 0
	                     ? shmlog_read_at(log->fd, size - held, bytes, held)
	                     : 0;

	return status == 0 ? walk_back(bytes + held, held, committed) : status;
}

/* Whether the last frame, which was proved, is still whole: nothing must be
 * built upon what has been damaged since. */
static int look_at_last(const struct shmlog *log, uint64_t size)
{
	unsigned char word[2];
	uint64_t committed = size - log->data_offset;
	uint32_t total = 0;

	if (committed < SHMLOG_FRAME_OVERHEAD_BYTES)
		return committed == 0 ? 0 : SHMLOG_ERR_TORN;
	int status = shmlog_read_at(log->fd, size - 2, word, sizeof(word));

	if (status == 0)
		total = shmlog_load_word(word);
	if (status == 0 &&
	    (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > committed))
		return SHMLOG_ERR_TORN;
	if (status == 0)
		status = shmlog_read_at(log->fd, size - total, word,
		                        sizeof(word));
	if (status == 0 && shmlog_load_word(word) != total)
		return SHMLOG_ERR_TORN;
	return status;
}

/* Walks on from what is proved already. */
static int look_ahead(struct shmlog *log, uint64_t size)
{
	struct shmlog_window window;

	if (size < log->proved) {
		int status = look_back(log, size);

		return status != 0 ? status : SHMLOG_ERR_WENT_BACK;
	}
	if (size == log->proved)
		return look_at_last(log, size);
	int status = shmlog_window_init(&window, log->fd, 0,
	                                SHMLOG_CHAIN_BYTES);

	if (status == 0)
		status = shmlog_chain_walk(&window, log->proved, size);
	shmlog_window_release(&window);
	return status;
}

int shmlog_chain_check(struct shmlog *log, uint64_t size)
{
	int status = log->proved == 0 ? look_back(log, size)
	                              : look_ahead(log, size);

	if (status == 0)
		log->proved = size;
	return status;
}

void shmlog_chain_precheck(struct shmlog *log)
{
	struct shmlog_header header;

	if (log->proved != 0 && shmlog_read_header(log, &header) == 0 &&
	    header.size > log->proved &&
	    header.size - log->proved > LONG_WALK_BYTES)
		(void)shmlog_chain_check(log, header.size);
}
