/* Walking committed frames before anything is built upon them. */
#include "chain.h"

#include "frame_source.h"

/* More than this to walk is walked before the lock is taken. */
#define LONG_WALK_BYTES 262144u
/* A handle that has not looked yet looks at so many bytes before the end. */
#define LOOK_BACK_BYTES (SHMLOG_FRAME_MAX_BYTES + 1)

int shmlog_chain_frame(struct shmlog_window *window, uint64_t at, uint64_t end,
                       uint32_t *total_out)
{
	struct shmlog_fetched fetched;

	if (end - at < SHMLOG_FRAME_OVERHEAD_BYTES)
		return SHMLOG_ERR_TORN;
	int status = shmlog_fetch_frame(window, at, end, &fetched);

	if (status != 0)
		return status;
	*total_out = shmlog_format_frame(fetched.at, fetched.held);
	if (*total_out > 0)
		return 0;
	return shmlog_load_word(fetched.at) > end - at
	               ? SHMLOG_ERR_TORN
	               : SHMLOG_ERR_FRAME_CORRUPT;
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

/*
 * Walks back over the last `held` bytes of `committed`, on which the window is.
 * A frame that begins before these is not looked at.
 */
static int walk_back(struct shmlog_window *window, uint64_t held,
                     uint64_t committed)
{
	uint64_t left = held;
	int broken = SHMLOG_ERR_TORN;

	while (left >= 2) {
		struct shmlog_fetched fetched;
		int status = shmlog_fetch_frame_before(window, left, &fetched);

		if (status != 0)
			return status;
		uint32_t total = shmlog_format_frame_before(fetched.at,
		                                            fetched.held);
		uint32_t word = shmlog_load_word(fetched.at - 2);

		if (total == 0)
			return word > left && word <= committed - (held - left)
			               ? 0
			               : broken;
		left -= total;
		/* From behind, a torn frame and one with a bad word look
		 * alike; but only the last one can be torn. */
		broken = SHMLOG_ERR_FRAME_CORRUPT;
	}
	return left == 1 && held == committed ? broken : 0;
}

static int look_back(const struct shmlog *log, uint64_t size)
{
	struct shmlog_window window;
	uint64_t committed = size - log->data_offset;
	uint64_t held = committed < LOOK_BACK_BYTES ? committed
	                                            : LOOK_BACK_BYTES;
	int status = shmlog_window_init(&window, log->fd, size - held,
	                                LOOK_BACK_BYTES);

	/* All of it at once, so that nothing is read twice. */
	if (status == 0)
		status = shmlog_window_fill_before(&window, held, (size_t)held);
	if (status == 0)
		status = walk_back(&window, held, committed);
	shmlog_window_release(&window);
	return status;
}

/* Whether the last frame, which was proved, is still whole: nothing must be
 * built upon what has been damaged since.  Every append pays for this look, so
 * it fetches no more than the frame's two words. */
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
