/*
 * Appending ready frames to a log that any number of processes share: each
 * call is one commit under the lock.
 */
#include "keep.h"
#include "platform.h"
#include "window.h"

#include <string.h>

/* Bytes that are copied at a time from a file of frames. */
#define COPY_BYTES 262144u

size_t shmlog_frame_encode(unsigned char *frame_out, const void *payload,
                           size_t size_bytes)
{
	uint32_t total = (uint32_t)size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	shmlog_store_word(frame_out, total);
	if (size_bytes > 0)
		memcpy(frame_out + 2, payload, size_bytes);
	shmlog_store_word(frame_out + total - 2, total);
	return total;
}

/* Somebody moved `size`, or the header's page was cut off. */
static int explain_interference(const struct shmlog *log)
{
	struct shmlog_header header;
	int status = shmlog_read_header(log, &header);

	return status == 0 ? SHMLOG_ERR_INTERFERED : status;
}

/*
 * Writes bytes behind the commit, `at` bytes further on, unless somebody has
 * moved `size`: then that place holds frames of theirs by now.
 */
static int write_behind(const struct shmlog_entry *entry, uint64_t at,
                        const void *bytes, size_t size_bytes)
{
	if (atomic_load_explicit(&entry->header->size, memory_order_relaxed) !=
	    entry->size)
		return explain_interference(entry->log);
	return shmlog_write_at(entry->fd, entry->size + at, bytes, size_bytes);
}

/*
 * Moves `size` from what it was when the log was entered to `new_size`, if
 * nobody else has moved it, and wakes whoever waits for that.
 */
static int publish(const struct shmlog_entry *entry, uint64_t new_size,
                   bool wake)
{
	uint64_t expected = entry->size;
	/* A file that was cut may have been made longer again by the very
	 * write of the frames, but not as long as it was. */
	int status = shmlog_check_length(entry->fd, entry->capacity);

	if (status != 0)
		return status;
	/* A reader may look at all below the new size once it sees it, so the
	 * frames, which were written before, must be visible first; and if
	 * somebody else has moved it, their frames must stay. */
	if (!atomic_compare_exchange_strong_explicit(
		    &entry->header->size, &expected, new_size,
		    memory_order_release, memory_order_relaxed))
		return explain_interference(entry->log);
	if (wake)
		shmlog_platform_wake(&entry->header->size);
	/* Had the page been cut off, the store went nowhere. */
	return shmlog_check_length(entry->fd, entry->capacity);
}

static void report(struct shmlog_append_result *result,
                   const struct shmlog_entry *entry, uint64_t frames,
                   size_t bytes)
{
	uint64_t end = entry->size + bytes;

	result->frames = frames;
	result->bytes = bytes;
	result->cursor = entry->size - entry->log->data_offset;
	result->end_cursor = end - entry->log->data_offset;
	result->free_bytes = entry->capacity - end;
}

/* Writes and publishes frames that fit.  The log is entered. */
static int commit(const struct shmlog_entry *entry, const void *frames,
                  size_t bytes, bool wake)
{
	int status = write_behind(entry, 0, frames, bytes);

	if (status == 0)
		status = publish(entry, entry->size + bytes, wake);
	return status;
}

static const struct shmlog_append_options default_options = {0};

static int enter(struct shmlog *log,
                 const struct shmlog_append_options *options,
                 struct shmlog_entry *entry_out)
{
	return shmlog_keep_enter(options->keeper, log,
	                         (options->flags & SHMLOG_APPEND_FORCE) != 0,
	                         options->lock_timeout_ns, entry_out);
}

/* Leaves, unless `bytes` were committed and the entry may be kept. */
static void leave(const struct shmlog_append_options *options,
                  struct shmlog_entry *entry, int status, uint64_t bytes)
{
	entry->size += bytes;
	if (status == 0 && bytes > 0)
		shmlog_keep(options->keeper, entry);
	else
		shmlog_leave(entry);
}

int shmlog_append_frames(struct shmlog *log, const void *frames, size_t bytes,
                         const struct shmlog_append_options *options,
                         struct shmlog_append_result *result_out)
{
	struct shmlog_append_result result = {0};
	struct shmlog_entry entry;
	size_t fitting;
	uint64_t count;

	if (options == NULL)
		options = &default_options;
	if (result_out == NULL)
		result_out = &result;
	*result_out = result;
	if (!shmlog_format_chain(frames, bytes, UINT64_MAX, &fitting, &count))
		return SHMLOG_ERR_BAD_FRAMES;

	pthread_mutex_lock(&log->append_mutex);
	int status = enter(log, options, &entry);

	if (status != 0)
		goto unlock;
	report(result_out, &entry, 0, 0);
	bool fits = bytes <= entry.capacity - entry.size;

	if (!fits && (options->flags & SHMLOG_APPEND_WHOLE) == 0)
		shmlog_format_chain(frames, bytes, entry.capacity - entry.size,
		                    &fitting, &count);
	else if (!fits)
		fitting = 0;
	if (fitting > 0)
		status = commit(&entry, frames, fitting,
		                (options->flags & SHMLOG_APPEND_WAKE) != 0);
	if (status == 0 && fitting > 0)
		report(result_out, &entry, count, fitting);
	if (status == 0 && !fits)
		status = SHMLOG_ERR_FULL;
	leave(options, &entry, status, fitting);
unlock:
	pthread_mutex_unlock(&log->append_mutex);
	return status;
}

/* Fills the window on a file of frames, which may end too early. */
static int fill(struct shmlog_window *source, uint64_t at, size_t need,
                uint64_t bytes)
{
	int status = shmlog_window_fill(source, at, need, bytes);

	return status == SHMLOG_ERR_MAPPING_GONE ? SHMLOG_ERR_BAD_FRAMES
	                                         : status;
}

/* Fills the window with the frame that starts at `at`, at least.  Stores how
 * many bytes of whole frames are held from there on, and how many frames. */
static int fill_frames(struct shmlog_window *source, uint64_t at,
                       uint64_t bytes, size_t *held_out, uint64_t *count_out)
{
	size_t need = 2;

	for (int pass = 0; pass < 2; pass++) {
		if (need > bytes - at)
			return SHMLOG_ERR_BAD_FRAMES;
		int status = fill(source, at, need, bytes);

		if (status != 0)
			return status;
		need = shmlog_load_word(shmlog_window_at(source, at));
	}
	/* The last frame held may go on behind the window; only one that is
	 * held as a whole counts. */
	(void)shmlog_format_chain(shmlog_window_at(source, at),
	                          shmlog_window_after(source, at), UINT64_MAX,
	                          held_out, count_out);
	return *held_out > 0 ? 0 : SHMLOG_ERR_BAD_FRAMES;
}

/*
 * Walks a file of frames, which must be whole, and counts them.  With an
 * entry, the frames are written behind the commit: the very bytes that were
 * checked, as another look at the file might find others.
 */
static int walk_frames(struct shmlog_window *source, uint64_t bytes,
                       const struct shmlog_entry *entry, uint64_t *frames_out)
{
	*frames_out = 0;
	for (uint64_t at = 0; at < bytes;) {
		uint64_t count = 0;
		size_t held = 0;
		int status = fill_frames(source, at, bytes, &held, &count);

		if (status == 0 && entry != NULL)
			status = write_behind(
				entry, at, shmlog_window_at(source, at), held);
		if (status != 0)
			return status;
		at += held;
		*frames_out += count;
	}
	return 0;
}

int shmlog_append_frames_from(struct shmlog *log, int fd, uint64_t bytes,
                              const struct shmlog_append_options *options,
                              struct shmlog_append_result *result_out)
{
	struct shmlog_append_result result = {0};
	struct shmlog_window source;
	struct shmlog_entry entry;
	uint64_t count;

	if (options == NULL)
		options = &default_options;
	if (result_out == NULL)
		result_out = &result;
	*result_out = result;
	int status = shmlog_window_init(&source, fd, 0, COPY_BYTES);

	if (status != 0)
		return status;
	/* What is no chain of frames is refused before anything is written.
	 * The file may change after that: the copy is checked as it is made,
	 * and not published unless it is whole. */
	status = walk_frames(&source, bytes, NULL, &count);
	if (status != 0)
		goto release_window;

	pthread_mutex_lock(&log->append_mutex);
	status = enter(log, options, &entry);
	if (status != 0)
		goto unlock;
	report(result_out, &entry, 0, 0);
	if (bytes > entry.capacity - entry.size)
		status = SHMLOG_ERR_FULL;
	else if (bytes > 0)
		status = walk_frames(&source, bytes, &entry, &count);
	if (status == 0 && bytes > 0)
		status = publish(&entry, entry.size + bytes,
		                 (options->flags & SHMLOG_APPEND_WAKE) != 0);
	if (status == 0)
		report(result_out, &entry, count, (size_t)bytes);
	leave(options, &entry, status, bytes);
unlock:
	pthread_mutex_unlock(&log->append_mutex);
release_window:
	shmlog_window_release(&source);
	return status;
}
