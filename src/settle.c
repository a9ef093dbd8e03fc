/*
 * Settles a commit: a second look, behind the publish, that tells whether the
 * frames are in the log to stay.
 *
 * A writer that takes no lock (the Node package's) opens the log, maps it, and
 * loads `size` once.  From then on it writes its frames behind the place that
 * it loaded and stores the end of each commit of its own, whatever `size` is by
 * then.  The first look, before a commit, finds such a writer if it has the log
 * open by then.  A writer that opens the log after the first look and loads
 * `size` before the publish will overwrite the frames, now or in an hour.
 * Nothing that is done before the publish can prevent this, as a writer can
 * still open the log right after it.  So a commit counts only after the second
 * look.
 *
 * Let P be such a writer.  Its steps are
 *
 *   open < load size < store frames < store size < close
 *
 * The load decides: if it comes after the publish, P writes behind the frames,
 * and they are safe from it.  If it comes before:
 *
 *   - The watch of a session (lock_cache.c) was read, and was empty, after the
 *     first look.  The event for an opening is queued before open(2) returns,
 *     so before P loads `size`, so before the publish.  A watch that is still
 *     empty after the publish proves that there is no P.  This is the one
 *     system call that a kept commit pays.
 *
 *   - Without a watch, or where it has seen another process, this process
 *     closes its own write access.  A lease then tells whether anybody has the
 *     log open for writing.  If so, that process may be a P, and the frames are
 *     in doubt.  If not, every P has closed the log and will do nothing more.
 *     Then the bytes decide: frames that are all there and below `size` will
 *     stay, as a writer that comes now loads a `size` behind them.
 *
 *   - If bytes differ, a P has stored frames there.  The committed chain says
 *     which of ours are left; the others were overwritten.  A P that closed the
 *     log without a commit may leave a broken chain behind, and a P whose
 *     frames were overwritten by ours before it stored `size` may leave `size`
 *     inside of them.  No reader could ever read past either, so our bytes are
 *     written, or published, once more.  That cannot harm a writer that comes
 *     meanwhile and loads a `size` behind the frames; in case one loads a
 *     `size` before them, the look is taken again.
 *
 * Two things cannot be seen.  A P that came and went without a watch and
 * committed frames that are byte for byte the same as ours, in the same place:
 * both are in the log then, once.  And where the system grants no lease (a file
 * of another user, a system without leases) the bytes are compared, but a P
 * that has not stored anything yet is seen only in /proc.
 */
#include "settle.h"

#include "chain.h"
#include "sys.h"

#include <string.h>

/* The most looks: each one that mends something is followed by another. */
#define MOST_LOOKS 8

static uint64_t length_of(const struct shmlog_source *source)
{
	return source->end - source->from;
}

/* Finds the bytes of a source from `at` bytes on, at least `need` of them. */
static int source_at(const struct shmlog_source *source, uint64_t at,
                     size_t need, const unsigned char **bytes_out,
                     uint64_t *held_out)
{
	uint64_t from = source->from + at;

	if (source->bytes != NULL) {
		*bytes_out = source->bytes + from;
		*held_out = source->end - from;
		return 0;
	}
	int status = shmlog_window_fill(source->window, from, need,
	                                source->end);

	if (status != 0)
		return status == SHMLOG_ERR_MAPPING_GONE ? SHMLOG_ERR_BAD_FRAMES
		                                         : status;
	*bytes_out = shmlog_window_at(source->window, from);
	*held_out = shmlog_window_after(source->window, from);
	if (*held_out > source->end - from)
		*held_out = source->end - from;
	return 0;
}

int shmlog_explain_interference(const struct shmlog *log)
{
	struct shmlog_header header;
	int status = shmlog_read_header(log, &header);

	return status == 0 ? SHMLOG_ERR_INTERFERED : status;
}

int shmlog_write_behind(struct shmlog_write_access *access, uint64_t at,
                        const void *bytes, size_t size_bytes)
{
	uint64_t size;
	int status = 0;

	/* The checks of the length and of `size` come right before the write,
	 * as a commit in between would cost frames.  In a file that was cut, a
	 * write behind the end would make it longer again.  Access that was
	 * kept needs no check of the length: it has just been validated. */
	if (access->log->kept != access)
		status = shmlog_check_length(access->fd, access->capacity);
	if (status == 0)
		status = shmlog_access_size(access, &size);
	if (status != 0)
		return status;
	if (size != access->size)
		return shmlog_explain_interference(access->log);
	access->touched = true;
	return shmlog_write_at(access->fd, access->size + at, bytes,
	                       size_bytes);
}

int shmlog_source_write(const struct shmlog_source *source,
                        struct shmlog_write_access *access)
{
	uint64_t ahead = access->ahead;

	/* Whatever becomes of this commit, the next one starts elsewhere. */
	access->ahead = 0;
	access->touched |= ahead > 0;
	for (uint64_t at = ahead; at < length_of(source);) {
		const unsigned char *bytes;
		uint64_t held;
		int status = source_at(source, at, 1, &bytes, &held);

		if (status == 0)
			status = shmlog_write_behind(access, at, bytes,
			                             (size_t)held);
		if (status != 0)
			return status;
		at += held;
	}
	return 0;
}

/* The first and the last byte in which the log differs from the source, counted
 * from the start of the source.  If none differs, `first` is the length of the
 * source. */
struct difference {
	uint64_t first;
	uint64_t last;
};

static void note_difference(struct difference *difference, uint64_t at,
                            const unsigned char *a, const unsigned char *b,
                            size_t size_bytes, uint64_t length)
{
	if (memcmp(a, b, size_bytes) == 0)
		return;
	for (size_t i = 0; i < size_bytes; i++) {
		if (a[i] == b[i])
			continue;
		if (difference->first == length)
			difference->first = at + i;
		difference->last = at + i;
	}
}

static int compare(const struct shmlog_commit *commit,
                   struct difference *difference)
{
	unsigned char there[SHMLOG_FRAME_MAX_BYTES + 1];
	uint64_t length = length_of(&commit->source);

	*difference = (struct difference){.first = length};
	for (uint64_t at = 0; at < length;) {
		const unsigned char *bytes;
		uint64_t held = 0;
		int status = source_at(&commit->source, at, 1, &bytes, &held);

		if (held > sizeof(there))
			held = sizeof(there);
		if (status == 0)
			status = shmlog_read_at(commit->access->log->fd,
			                        commit->at + at, there,
			                        (size_t)held);
		if (status != 0)
			return status;
		note_difference(difference, at, there, bytes, (size_t)held,
		                length);
		at += held;
	}
	return 0;
}

/* The size of the frame that begins `at` bytes into the source. */
static int frame_of_source(const struct shmlog_source *source, uint64_t at,
                           uint64_t *total_out)
{
	const unsigned char *bytes;
	uint64_t held;
	int status = source_at(source, at, 2, &bytes, &held);

	if (status == 0)
		*total_out = shmlog_load_word(bytes);
	return status;
}

/*
 * Narrows the source to the frames that are not in the log, whose chain of
 * frames is whole up to `size`.  Frames at the start of the source are in the
 * log up to the first byte that differs.  Frames at its end are in the log from
 * the first boundary, behind the last byte that differs, that is also a
 * boundary of the chain.
 */
static int narrow(struct shmlog_commit *commit, struct shmlog_window *window,
                  const struct difference *difference, uint64_t size)
{
	uint64_t length = length_of(&commit->source);
	uint64_t committed = size - commit->at;
	bool reaches = committed >= length;
	uint64_t from = 0;
	uint64_t end = length;
	uint64_t ours = 0;
	uint64_t theirs = 0;
	int status = 0;

	while (status == 0 && ours < length && theirs < committed) {
		uint64_t total = 0;
		uint32_t frame = 0;

		if (ours == theirs && ours <= difference->first)
			from = ours;
		if (ours == theirs && ours > difference->last && reaches) {
			end = ours;
			break;
		}
		if (ours <= theirs)
			status = frame_of_source(&commit->source, ours, &total);
		else
			status = shmlog_chain_frame(window, commit->at + theirs,
			                            size, &frame);
		ours += total;
		theirs += frame;
	}
	if (ours == theirs && ours < length && ours <= difference->first)
		from = ours;
	commit->source.end = commit->source.from + end;
	commit->source.from += from;
	commit->at += from;
	return status;
}

enum fate {
	THERE,
	TO_PUBLISH,
	TO_WRITE
};

/* Decides the fate of frames of which bytes differ, by the chain of the
 * committed frames.  Where that chain is whole, the frames were overwritten:
 * SHMLOG_ERR_OVERWRITTEN. */
static int judge_chain(struct shmlog_commit *commit, uint64_t size,
                       const struct difference *difference, enum fate *fate_out)
{
	struct shmlog *log = commit->access->log;
	struct shmlog_window window;
	uint64_t end = commit->at + length_of(&commit->source);
	int status = shmlog_window_init(&window, log->fd, 0,
	                                SHMLOG_CHAIN_BYTES);

	if (status == 0)
		status = shmlog_chain_walk(&window, commit->at, size);
	if (status == 0) {
		log->proved = size;
		commit->access->size = size;
		status = narrow(commit, &window, difference, size);
		if (status == 0)
			status = SHMLOG_ERR_OVERWRITTEN;
	} else if ((status == SHMLOG_ERR_FRAME_CORRUPT ||
	            status == SHMLOG_ERR_TORN) &&
	           size >= end && shmlog_chain_walk(&window, end, size) == 0) {
		*fate_out = TO_WRITE;
		status = 0;
	}
	shmlog_window_release(&window);
	return status;
}

static int walk(struct shmlog *log, uint64_t at, uint64_t end)
{
	struct shmlog_window window;
	int status = shmlog_window_init(&window, log->fd, 0,
	                                SHMLOG_CHAIN_BYTES);

	if (status == 0)
		status = shmlog_chain_walk(&window, at, end);
	shmlog_window_release(&window);
	return status;
}

/* Decides the fate of the frames, while no process is seen to have the log open
 * for writing. */
static int judge(struct shmlog_commit *commit, enum fate *fate_out)
{
	struct shmlog_header header = {0};
	struct difference difference;
	uint64_t length = length_of(&commit->source);
	int status = shmlog_read_header(commit->access->log, &header);

	if (status != 0)
		return status;
	if (header.size < commit->at)
		return SHMLOG_ERR_WENT_BACK;
	status = compare(commit, &difference);
	if (status != 0)
		return status;
	if (difference.first < length)
		return judge_chain(commit, header.size, &difference, fate_out);
	*fate_out = header.size - commit->at >= length ? THERE : TO_PUBLISH;
	/* A writer that stored its frames before ours were written, and
	 * committed them afterwards, may have lost the beginning of a frame to
	 * ours: the chain behind ours is walked. */
	return header.size - commit->at > length
	               ? walk(commit->access->log, commit->at + length,
	                      header.size)
	               : 0;
}

/* Publishes the frames, or writes them once more where the chain is broken. */
static int mend(struct shmlog_commit *commit, enum fate fate)
{
	struct shmlog_write_access *access = commit->access;
	int status = shmlog_access_open(access);

	if (status != 0)
		return status;
	uint64_t size = access->size;
	uint64_t end = commit->at + length_of(&commit->source);

	if (fate == TO_PUBLISH) {
		if (size >= commit->at && size < end &&
		    shmlog_access_move_size(access, size, end) == 0)
			shmlog_access_wake(access);
		return 0;
	}
	for (uint64_t at = 0; status == 0 && at < end - commit->at;) {
		const unsigned char *bytes;
		uint64_t held;

		status = source_at(&commit->source, at, 1, &bytes, &held);
		if (status == 0)
			status = shmlog_write_at(access->fd, commit->at + at,
			                         bytes, (size_t)held);
		at += held;
	}
	return status;
}

int shmlog_settle(struct shmlog_commit *commit)
{
	struct shmlog_write_access *access = commit->access;

	for (int looks = 0; looks < MOST_LOOKS; looks++) {
		enum fate fate = THERE;

		shmlog_access_close(access);
		int status = shmlog_refuse_writer(access->log,
		                                  &access->no_other_writer);

		if (status == SHMLOG_ERR_WRITER_ACTIVE)
			return SHMLOG_ERR_IN_DOUBT;
		if (status == 0)
			status = judge(commit, &fate);
		if (status == 0 && fate != THERE)
			status = mend(commit, fate);
		if (status != 0 || fate == THERE)
			return status;
	}
	return SHMLOG_ERR_IN_DOUBT;
}
