/*
 * Appends ready frames to a log that any number of processes share: each call
 * is one commit under the lock. settle.c tells when a commit counts.
 */
#include "batch.h"
#include "chain.h"
#include "frame_source.h"
#include "lock_cache.h"
#include "metadata.h"
#include "settle.h"
#include "sys.h"

#include <errno.h>

/* Bytes that are copied at a time from a file of frames. */
#define COPY_BYTES 262144u

/* Checks the file's length after a publish.  Where access may be kept, the same
 * system call checks the name too. */
static int check_length_behind(struct shmlog_write_access *access)
{
	uint64_t length;

	access->still_named = access->may_keep &&
	                      shmlog_check_named(access->log, &length) == 0;
	if (access->still_named)
		return length >= access->capacity ? 0 : SHMLOG_ERR_MAPPING_GONE;
	return shmlog_check_length(access->fd, access->capacity);
}

/*
 * Moves `size` from its value when access was acquired to `new_size`, if no
 * other writer has moved it, and wakes the readers that sleep on it; or the
 * first of them: then *owed_out becomes true.
 */
static int publish(struct shmlog_write_access *access, uint64_t new_size,
                   bool wake, bool *owed_out)
{
	/* The write of the frames may itself have made a file that was cut
	 * longer again, but not as long as it was. */
	int status = shmlog_check_length(access->fd, access->capacity);

	if (status != 0)
		return status;
	status = shmlog_access_move_size(access, access->size, new_size);
	if (status == SHMLOG_ERR_INTERFERED)
		return shmlog_explain_interference(access->log);
	if (status != 0)
		return status;
	if (wake && shmlog_access_wake_first(access))
		*owed_out = true;
	/* If the page was cut off, the store is lost. */
	return check_length_behind(access);
}

/* One call to append: its frames, and what has become of them. */
struct job {
	struct shmlog *log;
	const struct shmlog_append_options *options;
	struct shmlog_append_result *result;
	struct shmlog_access_terms terms;
	/* Writes the source of the commit behind `size`. */
	int (*write)(struct job *job);
	struct shmlog_source all; /* the caller's frames */
	uint64_t all_count;       /* number of them */
	uint64_t count;           /* number of those that fit */
	uint64_t bytes;           /* size of those that fit */

	struct shmlog_write_access access;
	struct shmlog_commit commit;
	bool acquired;       /* the lock is held */
	bool fits;           /* all of the frames have room */
	bool whole;          /* all of the frames, or none */
	bool expects;        /* the log must end at a certain cursor */
	bool owes_wake;      /* not all readers were woken after a publish */
	bool in_doubt;       /* written, but may not stay in the log */
	bool overwrote;      /* committed frames of another writer */
	int64_t deadline_ns; /* of the wait for other writers; 0: not set */
};

static uint64_t length_of(const struct shmlog_source *source)
{
	return source->end - source->from;
}

static const struct shmlog_append_options default_options = {0};

static void begin(struct job *job, struct shmlog *log,
                  const struct shmlog_append_options *options,
                  struct shmlog_append_result *result)
{
	if (options == NULL)
		options = &default_options;
	*result = (struct shmlog_append_result){0};
	*job = (struct job){
		.log = log,
		.options = options,
		.result = result,
		.terms = {.force = (options->flags & SHMLOG_APPEND_FORCE) != 0,
	                  .lock_timeout_ns = options->lock_timeout_ns,
	                  .waiting = options->waiting,
	                  .context = options->context},
	};
	job->commit.access = &job->access;
	/* Metadata describes all of the frames, so a part of them must not be
	 * committed with it. */
	job->whole = (options->flags & SHMLOG_APPEND_WHOLE) != 0 ||
	             options->metadata_bytes > 0;
	job->expects = (options->flags & SHMLOG_APPEND_EXPECT) != 0;
}

/* Wakes the readers that were not woken under the lock. */
static void wake_others(struct job *job)
{
	if (job->owes_wake)
		(void)shmlog_wake(job->log);
	job->owes_wake = false;
}

static void release(struct job *job)
{
	if (job->acquired)
		shmlog_access_release(&job->access);
	job->acquired = false;
}

/* Waits, for as long as the caller allows, until a writer that takes no lock
 * has closed the log.  No lock is held meanwhile. */
static int await_writer(struct job *job)
{
	int64_t timeout_ns = job->options->writer_timeout_ns;
	int64_t now = shmlog_sys_now_ns();

	if (job->log->has_writer)
		return SHMLOG_ERR_WRITER_ACTIVE;
	if (timeout_ns > 0 && job->deadline_ns == 0)
		job->deadline_ns = timeout_ns < INT64_MAX - now
		                           ? now + timeout_ns
		                           : INT64_MAX;
	if (timeout_ns > 0)
		timeout_ns = job->deadline_ns > now ? job->deadline_ns - now
		                                    : 0;
	return shmlog_await_writer(job->log, &job->terms, timeout_ns);
}

/* Writes the metadata before the frames, so that frames that are there to stay
 * have their metadata, whatever becomes of the others. */
static int write_metadata(struct job *job)
{
	const struct shmlog_append_options *options = job->options;

	return shmlog_metadata_write(&job->access, options->metadata_at,
	                             options->metadata,
	                             options->metadata_bytes);
}

/* Writes and publishes the source of the commit, and settles it.  Write access
 * is held. */
static int commit(struct job *job)
{
	struct shmlog_write_access *access = &job->access;
	uint64_t bytes = length_of(&job->commit.source);
	bool wake = (job->options->flags & SHMLOG_APPEND_WAKE) != 0;

	access->touched = false;
	int status = write_metadata(job);

	if (status == 0)
		status = job->write(job);
	if (access->touched)
		job->commit.at = access->size;
	if (status == 0 && (job->options->flags & SHMLOG_APPEND_SYNC) != 0)
		status = shmlog_sys_sync(access->fd);
	if (status == 0)
		status = publish(access, access->size + bytes, wake,
		                 &job->owes_wake);
	if (job->terms.force || !access->touched ||
	    (status != 0 && status != SHMLOG_ERR_INTERFERED))
		return status;
	if (status == 0 &&
	    shmlog_lock_cache_confirm(job->options->session, access)) {
		job->in_doubt = false;
		return 0;
	}
	int settled = shmlog_settle(&job->commit);

	job->in_doubt = settled != 0;
	/* Another writer that moved `size` before the publish had frames in
	 * this very place. */
	job->overwrote |= settled == 0 && status == SHMLOG_ERR_INTERFERED;
	return settled == SHMLOG_ERR_IN_DOUBT && status != 0 ? status : settled;
}

/* Chooses the frames that fit, and commits them. */
static int commit_fitting(struct job *job)
{
	uint64_t room = job->access.capacity - job->access.size;
	size_t fitting;

	job->commit.source = job->all;
	job->count = job->all_count;
	job->fits = length_of(&job->all) <= room;
	if (!job->fits && !job->whole) {
		shmlog_format_chain(job->all.bytes, (size_t)job->all.end, room,
		                    &fitting, &job->count);
		job->commit.source.end = fitting;
	} else if (!job->fits) {
		job->commit.source.end = job->all.from;
	}
	job->bytes = length_of(&job->commit.source);
	if (job->bytes > 0)
		return commit(job);
	return job->fits ? write_metadata(job) : 0;
}

/* Whether the log ends where the caller expects it to, if it expects
 * anything. */
static bool is_as_expected(const struct job *job)
{
	return !job->expects || job->access.size - job->log->data_offset ==
	                                job->options->expected_end_cursor;
}

static int attempt(struct job *job)
{
	struct shmlog_append_result *result = job->result;
	struct shmlog_write_access *access = &job->access;

	/* Beside a writer that may overwrite frames, no chain can be relied
	 * on. */
	if (job->terms.force)
		job->log->proved = 0;
	if ((job->options->flags & SHMLOG_APPEND_SYNC) != 0)
		shmlog_lock_cache_expect_sync(job->options->session);
	int status = shmlog_lock_cache_acquire(job->options->session, job->log,
	                                       &job->terms, access);

	if (status != 0)
		return status;
	job->acquired = true;
	result->cursor = access->size - job->log->data_offset;
	result->end_cursor = result->cursor;
	result->free_bytes = access->capacity - access->size;
	return is_as_expected(job) ? commit_fitting(job) : SHMLOG_ERR_MOVED;
}

static int write_source(struct job *job)
{
	return shmlog_source_write(&job->commit.source, &job->access);
}

/* Appends the frames that were overwritten once more; the source of the commit
 * is narrowed to these.  The lock is held. */
static int commit_again(struct job *job)
{
	struct shmlog_write_access *access = &job->access;
	int status = shmlog_access_open(access);

	if (status == 0)
		status = shmlog_chain_check(job->log, access->size);
	if (status == 0 &&
	    length_of(&job->commit.source) > access->capacity - access->size)
		status = SHMLOG_ERR_FULL;
	job->write = write_source;
	return status == 0 ? commit(job) : status;
}

/* Takes another look at frames in doubt. */
static int look_again(struct job *job)
{
	int status = shmlog_access_acquire_unchecked(job->log, &job->terms,
	                                             &job->access);

	if (status != 0)
		return status;
	job->acquired = true;
	status = shmlog_settle(&job->commit);
	job->in_doubt = status != 0;
	return status;
}

/* Whether a writer that takes no lock is in the way. */
static bool is_foreign(int status)
{
	return status == SHMLOG_ERR_WRITER_ACTIVE ||
	       status == SHMLOG_ERR_INTERFERED ||
	       status == SHMLOG_ERR_IN_DOUBT ||
	       status == SHMLOG_ERR_OVERWRITTEN;
}

/* Tries until all frames are in the log, while foreign writers come and go, as
 * long as the caller's timeout lasts. */
static int insist(struct job *job)
{
	int status = attempt(job);

	while (job->options->writer_timeout_ns != 0 && is_foreign(status)) {
		int outcome;

		/* The frames that took the place of ours are not what the
		 * caller expects. */
		if (status == SHMLOG_ERR_OVERWRITTEN && job->expects)
			break;
		if (status == SHMLOG_ERR_OVERWRITTEN && job->acquired) {
			outcome = commit_again(job);
		} else {
			release(job);
			wake_others(job);
			if (await_writer(job) != 0)
				break;
			outcome = job->in_doubt ? look_again(job)
			                        : attempt(job);
		}
		/* A status that tells what has become of the frames is worth
		 * more than one that tells why they could not be appended
		 * again. */
		if (job->in_doubt && outcome == -EINTR)
			continue;
		if (job->in_doubt && !is_foreign(outcome))
			break;
		if (!job->in_doubt || outcome != SHMLOG_ERR_WRITER_ACTIVE)
			status = outcome;
	}
	return status;
}

/* Fills in the result, and releases the access unless it may be kept. */
static int finish(struct job *job, int status)
{
	struct shmlog_append_result *result = job->result;
	struct shmlog_write_access *access = &job->access;
	uint64_t bytes = length_of(&job->commit.source);
	uint64_t cursor = job->commit.at - job->log->data_offset;
	bool committed = status == 0 && bytes > 0;

	if (committed) {
		result->frames = job->count;
		result->overwrote_others = job->overwrote;
		result->bytes = (size_t)job->bytes;
		result->cursor = cursor;
		result->end_cursor = cursor + bytes;
		access->size = job->commit.at + bytes;
		result->free_bytes = access->capacity - access->size;
		job->log->proved = job->terms.force ? 0 : access->size;
	} else if (job->in_doubt) {
		result->doubtful_frames = job->count;
		result->doubtful_cursor = cursor;
		result->doubtful_end_cursor = cursor + bytes;
	}
	if (status == 0 && job->acquired && !job->fits)
		status = SHMLOG_ERR_FULL;
	if (committed && status == 0)
		shmlog_lock_cache_store(job->options->session, access, bytes);
	else
		release(job);
	return status;
}

/* Does the whole of a job. */
static int append(struct job *job)
{
	pthread_mutex_lock(&job->log->append_mutex);
	int status = finish(job, insist(job));

	pthread_mutex_unlock(&job->log->append_mutex);
	wake_others(job);
	return status;
}

/* Appends ready frames, which are a chain. */
static int append_chain(struct job *job, const unsigned char *frames,
                        size_t bytes)
{
	struct shmlog *log = job->log;

	if (!shmlog_metadata_fits(log, job->options->metadata_at,
	                          job->options->metadata_bytes))
		return SHMLOG_ERR_METADATA;
	job->all = (struct shmlog_source){.bytes = frames, .end = bytes};
	job->write = write_source;
	return append(job);
}

int shmlog_append_frames(struct shmlog *log, const void *frames, size_t bytes,
                         const struct shmlog_append_options *options,
                         struct shmlog_append_result *result_out)
{
	struct shmlog_append_result result;
	struct job job;
	size_t fitting;

	begin(&job, log, options, result_out != NULL ? result_out : &result);
	if (!shmlog_format_chain(frames, bytes, UINT64_MAX, &fitting,
	                         &job.all_count))
		return SHMLOG_ERR_BAD_FRAMES;
	return append_chain(&job, frames, bytes);
}

/* The frames are those that the library has made: they need no look. */
int shmlog_append_batch(struct shmlog *log, const struct shmlog_batch *batch,
                        const struct shmlog_append_options *options,
                        struct shmlog_append_result *result_out)
{
	struct shmlog_append_result result;
	struct job job;

	begin(&job, log, options, result_out != NULL ? result_out : &result);
	job.all_count = batch->count;
	return append_chain(&job, batch->memory + batch->from,
	                    batch->end - batch->from);
}

/* Fetches the frame at `at` of a file of frames, which may end too early.
 * Stores how many bytes of whole frames are held from there on, and the number
 * of these frames. */
static int fetch_frames(struct shmlog_window *source, uint64_t at,
                        uint64_t bytes, struct shmlog_fetched *fetched_out,
                        uint64_t *count_out)
{
	size_t whole = 0;
	int status = shmlog_fetch_frame(source, at, bytes, fetched_out);

	if (status != 0)
		return status == SHMLOG_ERR_MAPPING_GONE ? SHMLOG_ERR_BAD_FRAMES
		                                         : status;
	/* The last frame may be held only in part; only frames that are held as
	 * a whole count. */
	(void)shmlog_format_chain(fetched_out->at, (size_t)fetched_out->held,
	                          UINT64_MAX, &whole, count_out);
	fetched_out->held = whole;
	return whole > 0 ? 0 : SHMLOG_ERR_BAD_FRAMES;
}

/*
 * Walks a file of frames, which must all be whole, and counts them.  With an
 * access, it also writes the frames behind the committed data.  It writes the
 * very bytes that it has checked, as a second read of the file might find
 * others.
 */
static int walk_frames(struct shmlog_window *source, uint64_t bytes,
                       struct shmlog_write_access *access, uint64_t *frames_out)
{
	*frames_out = 0;
	for (uint64_t at = 0; at < bytes;) {
		struct shmlog_fetched fetched;
		uint64_t count = 0;
		int status = fetch_frames(source, at, bytes, &fetched, &count);

		if (status == 0 && access != NULL)
			status = shmlog_write_behind(access, at, fetched.at,
			                             (size_t)fetched.held);
		if (status != 0)
			return status;
		at += fetched.held;
		*frames_out += count;
	}
	return 0;
}

/* Writes a file of frames for the first time. */
static int write_file(struct job *job)
{
	return walk_frames(job->all.window, job->all.end, &job->access,
	                   &job->count);
}

int shmlog_append_frames_from(struct shmlog *log, int fd, uint64_t bytes,
                              const struct shmlog_append_options *options,
                              struct shmlog_append_result *result_out)
{
	struct shmlog_append_options whole = {0};
	struct shmlog_append_result result;
	struct shmlog_window source;
	struct job job;

	if (options != NULL)
		whole = *options;
	whole.flags |= SHMLOG_APPEND_WHOLE;
	begin(&job, log, &whole, result_out != NULL ? result_out : &result);
	if (!shmlog_metadata_fits(log, whole.metadata_at, whole.metadata_bytes))
		return SHMLOG_ERR_METADATA;
	int status = shmlog_window_init(&source, fd, 0, COPY_BYTES);

	if (status != 0)
		return status;
	/* A file that is no chain of frames is refused before anything is
	 * written.  As the file may change after that, the frames are checked
	 * again while they are copied, and published only if they are all
	 * whole. */
	status = walk_frames(&source, bytes, NULL, &job.all_count);
	if (status != 0)
		goto release_window;
	job.all = (struct shmlog_source){.window = &source, .end = bytes};
	job.write = write_file;
	status = append(&job);
release_window:
	shmlog_window_release(&source);
	return status;
}
