/*
 * The one way to fetch a frame through a window so that it can be judged: whole
 * if its size word makes sense, else what there is of it.
 */
#ifndef SHMLOG_FRAME_SOURCE_H
#define SHMLOG_FRAME_SOURCE_H

#include "format.h"
#include "window.h"

/*
 * Private bytes of the frame at a position.  `held` of them, which may be more
 * than the frame has, can be looked at.  Its size word names no more than that,
 * or more than there is before the limit.  So shmlog_format_frame() or its
 * backward twin says of `held` bytes what it would say of all there are.
 */
struct shmlog_fetched {
	const unsigned char *at; /* its start; going backwards, its end */
	uint64_t held;
};

/* Fetches what is not at hand yet: see below. */
int shmlog_refetch_frame(struct shmlog_window *window, uint64_t position,
                         uint64_t limit, struct shmlog_fetched *fetched_out);
int shmlog_refetch_frame_before(struct shmlog_window *window, uint64_t position,
                                struct shmlog_fetched *fetched_out);

/*
 * Fetches the frame that starts at `position`; nothing at or behind the
 * position `limit` belongs to it.  0, -errno or SHMLOG_ERR_MAPPING_GONE.
 */
static inline int shmlog_fetch_frame(struct shmlog_window *window,
                                     uint64_t position, uint64_t limit,
                                     struct shmlog_fetched *fetched_out)
{
	uint64_t available = limit - position;
	uint64_t held = shmlog_window_after(window, position);

	if (held > available)
		held = available;
	if (held >= 2) {
		const unsigned char *at = shmlog_window_at(window, position);

		if (shmlog_load_word(at) <= held) {
			*fetched_out = (struct shmlog_fetched){at, held};
			return 0;
		}
	}
	return shmlog_refetch_frame(window, position, limit, fetched_out);
}

/* The same for the frame that ends at `position`. */
static inline int shmlog_fetch_frame_before(struct shmlog_window *window,
                                            uint64_t position,
                                            struct shmlog_fetched *fetched_out)
{
	uint64_t held = shmlog_window_before(window, position);

	if (held >= 2) {
		const unsigned char *at = shmlog_window_at(window, position);

		if (shmlog_load_word(at - 2) <= held) {
			*fetched_out = (struct shmlog_fetched){at, held};
			return 0;
		}
	}
	return shmlog_refetch_frame_before(window, position, fetched_out);
}

#endif
