/* Fetching frames whose bytes may change while they are read. */
#include "frame_source.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * What to fetch next.  The size word is looked at only to know how much that
 * is; the checks load it again from the same private copy.  A refill may bring
 * another word than the one that asked for it, if another process changes it
 * meanwhile: then all that the largest frame has is fetched, so that no word
 * leads beyond what is held.  0 if enough is held.
 */
static size_t next_need(size_t need, uint32_t word, uint64_t held,
                        uint64_t available)
{
	if (word <= held || word > available)
		return 0;
	return need == 2 ? word
	                 : (size_t)least(available, SHMLOG_FRAME_MAX_BYTES);
}

int shmlog_refetch_frame(struct shmlog_window *window, uint64_t position,
                         uint64_t limit, struct shmlog_fetched *fetched_out)
{
	uint64_t available = limit - position;
	size_t need = (size_t)least(available, 2);

	*fetched_out = (struct shmlog_fetched){.at = window->bytes};
	while (need > 0) {
		int status = shmlog_window_fill(window, position, need, limit);

		if (status != 0)
			return status;
		fetched_out->at = shmlog_window_at(window, position);
		fetched_out->held = least(shmlog_window_after(window, position),
		                          available);
		if (available < 2)
			break;
		need = next_need(need, shmlog_load_word(fetched_out->at),
		                 fetched_out->held, available);
	}
	return 0;
}

int shmlog_refetch_frame_before(struct shmlog_window *window, uint64_t position,
                                struct shmlog_fetched *fetched_out)
{
	size_t need = (size_t)least(position, 2);

	*fetched_out = (struct shmlog_fetched){.at = window->bytes};
	while (need > 0) {
		int status = shmlog_window_fill_before(window, position, need);

		if (status != 0)
			return status;
		fetched_out->at = shmlog_window_at(window, position);
		fetched_out->held = shmlog_window_before(window, position);
		if (position < 2)
			break;
		need = next_need(need, shmlog_load_word(fetched_out->at - 2),
		                 fetched_out->held, position);
	}
	return 0;
}
