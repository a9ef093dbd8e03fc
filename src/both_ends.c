/* Walking over frames from both ends at once. */
#include "both_ends.h"

#include "file.h"
#include "format.h"
#include "quiet_thread.h"
#include "sys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Bytes that a walk reads at a time: what it reads stays in the second-level
 * cache until it has walked over it. */
#define CHUNK_BYTES 262144u
/* The least size of a frame that is passed by its size words alone, with a read
 * of four bytes instead of a copy of the frame. */
#define LARGE_BYTES 16384u
/* Below this the second walk would be over before its thread runs. */
#define SECOND_LEAST_BYTES ((uint64_t)4 << 20)
/* The thread calls pread(2) and nothing that is deeper. */
#define STACK_BYTES ((size_t)256 << 10)
/* How many counters there are in a table of sizes. */
#define SIZES_COUNT ((size_t)SHMLOG_PAYLOAD_MAX_BYTES + 1)

/* What both walks share. */
struct both_ends {
	const struct shmlog_walk_request *request;
	uint64_t chunk_bytes;
	/* Bytes between the bounds of the two walks, which neither has
	 * claimed. */
	_Atomic uint64_t unclaimed;
	/* A walk has met what is no frame, or has to end for another reason. */
	atomic_bool over;
};

/*
 * One of the two walks.  It claims bytes next to those that it has claimed
 * before, so its bound moves away from its end of the stretch.  Once no byte is
 * unclaimed, both walks have the same bound, wherever that is; and both have
 * come to the first boundary that is not before it, counted from the start.  So
 * they have met if they are at the same place.
 */
struct one_end {
	struct both_ends *both;
	uint64_t at;    /* the boundary that it has come to */
	uint64_t bound; /* one end of all that it has claimed */
	uint64_t frames;
	uint64_t *size_counts; /* of its own; or NULL */
	unsigned char *bytes;  /* a chunk, and the frame that a bound cuts */
	uint32_t last;         /* size of the last frame; 0 before the first */
	uint32_t word;         /* the next size word if it is known; else 0 */
};

/* Claims the next bytes; returns how many, 0 when there are none left. */
static uint64_t claim(struct both_ends *both)
{
	uint64_t left = atomic_load_explicit(&both->unclaimed,
	                                     memory_order_relaxed);
	uint64_t claimed;

	do {
		claimed = left < both->chunk_bytes ? left : both->chunk_bytes;
	} while (claimed > 0 &&
	         !atomic_compare_exchange_weak_explicit(
			 &both->unclaimed, &left, left - claimed,
			 memory_order_relaxed, memory_order_relaxed));
	return claimed;
}

static bool read_bytes(const struct one_end *end, uint64_t at, void *bytes,
                       uint64_t count)
{
	const struct shmlog_walk_request *request = end->both->request;

	return shmlog_read_at(request->fd, request->offset + at, bytes,
	                      (size_t)count) == 0;
}

/* ------------------------------------------------------ frames at hand */

/* Bytes in private memory, of which one end is a boundary: whole frames are
 * taken from there. */
struct at_hand {
	const unsigned char *bytes;
	uint64_t held;
	uint64_t *size_counts;
	uint64_t frames;
	uint32_t last;
	bool good; /* nothing was met that can be no frame */
};

static inline void count_frame(struct at_hand *hand, uint32_t total)
{
	hand->frames++;
	if (hand->size_counts != NULL)
		hand->size_counts[total - SHMLOG_FRAME_OVERHEAD_BYTES]++;
	hand->held -= total;
	hand->last = total;
}

/* Takes the first frame: false if it is not whole, or none. */
static inline bool take_first(struct at_hand *hand)
{
	if (hand->held < SHMLOG_FRAME_OVERHEAD_BYTES)
		return false;
	uint32_t total = shmlog_load_word(hand->bytes);

	hand->good = total >= SHMLOG_FRAME_OVERHEAD_BYTES;
	if (!hand->good || total > hand->held)
		return false;
	hand->good = shmlog_load_word(hand->bytes + total - 2) == total;
	if (!hand->good)
		return false;
	count_frame(hand, total);
	hand->bytes += total;
	return true;
}

/* Takes the last frame, in the same way. */
static inline bool take_last(struct at_hand *hand)
{
	const unsigned char *end = hand->bytes + hand->held;

	if (hand->held < SHMLOG_FRAME_OVERHEAD_BYTES)
		return false;
	uint32_t total = shmlog_load_word(end - 2);

	hand->good = total >= SHMLOG_FRAME_OVERHEAD_BYTES;
	if (!hand->good || total > hand->held)
		return false;
	hand->good = shmlog_load_word(end - total) == total;
	if (!hand->good)
		return false;
	count_frame(hand, total);
	return true;
}

/* Takes all frames of both.  Each word says where the next one is, so a walk
 * waits for the memory at each frame; two in one loop wait at the same time. */
static void take_both(struct at_hand *up, struct at_hand *down)
{
	bool more_up = true;
	bool more_down = true;

	while (more_up && more_down) {
		more_up = take_first(up);
		more_down = take_last(down);
	}
	while (more_up)
		more_up = take_first(up);
	while (more_down)
		more_down = take_last(down);
}

/* Reads the bytes between a walk and its bound. */
static bool fetch(struct one_end *end, struct at_hand *hand)
{
	bool is_up = end->at < end->bound;
	uint64_t low = is_up ? end->at : end->bound;

	*hand = (struct at_hand){
		.bytes = end->bytes,
		.held = is_up ? end->bound - low : end->at - low,
		.size_counts = end->size_counts,
		.last = end->last,
		.good = true,
	};
	return read_bytes(end, low, end->bytes, hand->held);
}

/* Moves a walk behind what was taken of what it fetched. */
static bool settle(struct one_end *end, const struct at_hand *hand)
{
	if (end->at < end->bound)
		end->at = end->bound - hand->held;
	else
		end->at = end->bound + hand->held;
	end->frames += hand->frames;
	end->last = hand->last;
	end->word = 0;
	return hand->good;
}

/* Counts a frame that was passed by its size words. */
static void count_by_words(struct one_end *end, uint32_t total)
{
	end->frames++;
	if (end->size_counts != NULL)
		end->size_counts[total - SHMLOG_FRAME_OVERHEAD_BYTES]++;
	end->last = total;
}

/* ------------------------------------------------------- from the start up */

/* Passes the next frame by its size words: one read gets its second one and the
 * first of the frame behind it. */
static bool step_up(struct one_end *end)
{
	uint64_t length = end->both->request->length;
	uint64_t available = length - end->at;
	unsigned char words[4] = {0};

	if (available < SHMLOG_FRAME_OVERHEAD_BYTES)
		return false;
	if (end->word == 0) {
		if (!read_bytes(end, end->at, words, 2))
			return false;
		end->word = shmlog_load_word(words);
	}
	uint32_t total = end->word;

	if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > available ||
	    !read_bytes(end, end->at + total - 2, words,
	                available - total < 2 ? 2 : sizeof(words)) ||
	    shmlog_load_word(words) != total)
		return false;
	count_by_words(end, total);
	end->at += total;
	end->word = available - total < 2 ? 0 : shmlog_load_word(words + 2);
	return true;
}

/* Goes on to the first boundary that is not before the bound. */
static bool walk_up(struct one_end *end)
{
	while (end->at < end->bound) {
		struct at_hand hand;

		if (end->last < LARGE_BYTES) {
			if (!fetch(end, &hand))
				return false;
			while (take_first(&hand))
				;
			if (!settle(end, &hand))
				return false;
		}
		if (end->at < end->bound && !step_up(end))
			return false;
	}
	return true;
}

/* -------------------------------------------------------- from the end down */

/* Passes the frame before this place by its size words, unless it begins before
 * the bound, which is no fault. */
static bool step_down(struct one_end *end, bool *passed_out)
{
	unsigned char words[4] = {0};

	*passed_out = false;
	if (end->word == 0) {
		if (end->at < SHMLOG_FRAME_OVERHEAD_BYTES ||
		    !read_bytes(end, end->at - 2, words, 2))
			return false;
		end->word = shmlog_load_word(words);
	}
	uint32_t total = end->word;

	if (total < SHMLOG_FRAME_OVERHEAD_BYTES)
		return false;
	if (total > end->at - end->bound)
		return true;
	uint64_t start = end->at - total;
	uint64_t before = start < 2 ? 0 : 2;

	if (!read_bytes(end, start - before, words, before + 2) ||
	    shmlog_load_word(words + before) != total)
		return false;
	count_by_words(end, total);
	end->at = start;
	end->word = before == 0 ? 0 : shmlog_load_word(words);
	*passed_out = true;
	return true;
}

/* Goes on to the first boundary that is not before the bound, counted from the
 * start as in the other walk. */
static bool walk_down(struct one_end *end)
{
	bool passed = true;
	struct at_hand hand;

	while (end->last >= LARGE_BYTES && passed && end->at > end->bound) {
		if (!step_down(end, &passed))
			return false;
	}
	if (!passed || end->at == end->bound)
		return true;
	if (!fetch(end, &hand))
		return false;
	while (take_last(&hand))
		;
	return settle(end, &hand);
}

/* Both at once, if there is something to do for both. */
static bool walk_both(struct one_end *up, struct one_end *down)
{
	struct at_hand hand_up, hand_down;

	if (up->at < up->bound && down->at > down->bound &&
	    up->last < LARGE_BYTES && down->last < LARGE_BYTES) {
		if (!fetch(up, &hand_up) || !fetch(down, &hand_down))
			return false;
		take_both(&hand_up, &hand_down);
		if (!settle(up, &hand_up) || !settle(down, &hand_down))
			return false;
		return walk_up(up);
	}
	return walk_up(up) && walk_down(down);
}

/* ---------------------------------------------------------------- together */

static void *walk_from_end(void *context)
{
	struct one_end *end = context;
	struct both_ends *both = end->both;
	uint64_t claimed;

	while (!atomic_load_explicit(&both->over, memory_order_relaxed) &&
	       (claimed = claim(both)) > 0) {
		end->bound -= claimed;
		if (!walk_down(end))
			atomic_store_explicit(&both->over, true,
			                      memory_order_relaxed);
	}
	return NULL;
}

/* Walks from the start, and with `turns` in turn with it from the end, too. */
static int walk_from_start(struct one_end *start, struct one_end *turns)
{
	struct both_ends *both = start->both;
	const struct shmlog_walk_request *request = both->request;
	uint64_t claimed;
	int status = 0;

	while (!atomic_load_explicit(&both->over, memory_order_relaxed) &&
	       (claimed = claim(both)) > 0) {
		bool good;

		start->bound += claimed;
		if (turns != NULL)
			turns->bound -= claim(both);
		good = turns != NULL ? walk_both(start, turns) : walk_up(start);
		if (good && request->passed != NULL)
			status = request->passed(
				request->context,
				request->length -
					atomic_load_explicit(
						&both->unclaimed,
						memory_order_relaxed));
		if (!good || status != 0)
			atomic_store_explicit(&both->over, true,
			                      memory_order_relaxed);
	}
	return status;
}

/* From a disk, two walks would make two places be read by turns, one of them
 * backwards, where nothing is read ahead. */
static enum shmlog_second_walk
choose_second(const struct shmlog_walk_request *request)
{
	if (request->second != SHMLOG_SECOND_WHERE_IT_PAYS)
		return request->second;
	if (request->length < SECOND_LEAST_BYTES ||
	    !shmlog_sys_is_in_memory(request->fd))
		return SHMLOG_SECOND_NOBODY;
	return shmlog_sys_processors() > 1 ? SHMLOG_SECOND_THREAD
	                                   : SHMLOG_SECOND_IN_TURN;
}

/* Prepares the memory of a walk. */
static bool one_end_init(struct one_end *end, bool counts_sizes)
{
	uint64_t most = end->both->chunk_bytes + SHMLOG_FRAME_MAX_BYTES;

	/* What a short stretch has is enough. */
	if (most > end->both->request->length)
		most = end->both->request->length;
	end->bytes = malloc((size_t)most + 1);
	if (counts_sizes)
		end->size_counts = calloc(SIZES_COUNT,
		                          sizeof(*end->size_counts));
	return end->bytes != NULL &&
	       (!counts_sizes || end->size_counts != NULL);
}

static void one_end_release(struct one_end *end)
{
	free(end->bytes);
	free(end->size_counts);
}

static void add_counts(struct shmlog_chain_count *count,
                       const struct one_end *end)
{
	count->frames += end->frames;
	if (count->size_counts == NULL || end->frames == 0)
		return;
	/* Pages of zeros stay untouched. */
	for (size_t i = 0; i < SIZES_COUNT; i++)
		if (end->size_counts[i] != 0)
			count->size_counts[i] += end->size_counts[i];
}

/* Walks with both, as far as there is memory and a thread for the second: the
 * first comes to the end by itself, where the other would begin. */
static int walk_both_ends(struct one_end *start, struct one_end *end)
{
	enum shmlog_second_walk second = choose_second(start->both->request);
	bool has_end = second != SHMLOG_SECOND_NOBODY &&
	               one_end_init(end, start->size_counts != NULL);
	pthread_t thread;
	bool has_thread = has_end && second == SHMLOG_SECOND_THREAD &&
	                  shmlog_start_quiet_thread(&thread, STACK_BYTES,
	                                            walk_from_end, end);
	/* A thread that the system refuses leaves work that can be done in
	 * turn. */
	int status = walk_from_start(start,
	                             has_end && !has_thread ? end : NULL);

	if (has_thread)
		(void)pthread_join(thread, NULL);
	return status;
}

int shmlog_count_chain(const struct shmlog_walk_request *request,
                       struct shmlog_chain_count *count, bool *is_chain_out)
{
	struct both_ends both = {
		.request = request,
		.chunk_bytes = request->chunk_bytes != 0 ? request->chunk_bytes
	                                                 : CHUNK_BYTES,
		.unclaimed = request->length,
	};
	struct one_end start = {.both = &both};
	struct one_end end = {
		.both = &both, .at = request->length, .bound = request->length};
	int status = 0;

	*is_chain_out = false;
	if (one_end_init(&start, count->size_counts != NULL)) {
		status = walk_both_ends(&start, &end);
		*is_chain_out = !atomic_load(&both.over) && start.at == end.at;
	}
	if (*is_chain_out) {
		add_counts(count, &start);
		add_counts(count, &end);
	}
	one_end_release(&start);
	one_end_release(&end);
	return status;
}
