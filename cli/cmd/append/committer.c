/* Collecting frames and committing them. */
#include "committer.h"

#include "clock.h"
#include "command.h"
#include "message.h"
#include "signals.h"
#include "turnover.h"
#include "unnamed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of frames that wait in memory: what one read makes of lines of four
 * bytes. */
#define BATCH_BYTES (1u << 20)

/* How long what was read before a signal may wait for the lock. */
#define LAST_LOCK_NS 1000000000

/* Milliseconds of silence after which nothing is kept any more. */
#define KEEP_MS 100

/* Bytes of frames that are written ahead of a sync at a time: with fewer, the
 * calls cost more than the head start of the disk gains. */
#define AHEAD_BYTES (1u << 17)

/* Bytes of a commit that is made sooner than a reader wakes up. */
#define SMALL_BYTES 4096u

static unsigned append_flags(const struct cli_committer *committer)
{
	return SHMLOG_APPEND_WAKE |
	       (committer->options.force ? SHMLOG_APPEND_FORCE : 0u) |
	       (committer->options.atomic ? SHMLOG_APPEND_WHOLE : 0u) |
	       (committer->options.sync ? SHMLOG_APPEND_SYNC : 0u);
}

void cli_committer_release_lock(struct cli_committer *committer)
{
	if (!committer->keeps_lock)
		return;
	committer->keeps_lock = false;
	shmlog_append_session_release(committer->session);
	cli_signals_defer_stop(false);
}

/* struct shmlog_append_options.waiting. */
static int wait_for(void *context, int status)
{
	struct cli_committer *committer = context;

	/* Nothing is held while something is waited for. */
	committer->keeps_lock = false;
	cli_signals_defer_stop(false);
	status = cli_patience_wait(&committer->patience, status);
	cli_signals_defer_stop(true);
	return status;
}

/*
 * Where descriptors are so few that none is left to write with, an append
 * that prints nothing gives up its standard output.  False if there is
 * nothing to give.
 */
static bool spare_output(struct cli_committer *committer)
{
	struct cli_output *output = committer->output;

	if (committer->options.ack || committer->options.tee.wanted ||
	    committer->options.needs_output || output->used > 0 ||
	    committer->spared_output)
		return false;
	close(output->fd);
	committer->spared_output = true;
	return true;
}

/* Something that takes what nobody writes, in its place. */
static void replace_output(const struct cli_committer *committer)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || fd == committer->output->fd)
		return;
	(void)dup2(fd, committer->output->fd);
	close(fd);
}

/* Behind a commit: notes whether something is kept now. */
static void note_kept(struct cli_committer *committer)
{
	committer->keeps_lock = shmlog_append_session_fd(committer->session) >=
	                        0;
	if (cli_signals_stop_asked())
		cli_committer_release_lock(committer);
	cli_signals_defer_stop(committer->keeps_lock);
}

/* One commit of what waits, begun again when a signal that means nothing to us
 * cuts it. */
static int append(struct cli_committer *committer,
                  struct shmlog_append_result *result)
{
	struct shmlog_append_options options = {
		.flags = append_flags(committer),
		.session = committer->session,
		.writer_timeout_ns = committer->options.writer_timeout_ns,
		.waiting = wait_for,
		.context = committer,
	};
	int64_t lock_timeout_ns = committer->options.lock_timeout_ns;
	int status;

	/* A signal that has come already ends no wait for the lock. */
	if (cli_signal_caught() != 0 &&
	    (lock_timeout_ns < 0 || lock_timeout_ns > LAST_LOCK_NS))
		lock_timeout_ns = LAST_LOCK_NS;
	cli_patience_begin(&committer->patience, lock_timeout_ns);
	do {
		if (cli_signals_stop_asked()) {
			cli_committer_release_lock(committer);
			cli_signals_defer_stop(false);
		}
		cli_signals_defer_stop(true);
		options.lock_timeout_ns = cli_patience_left(
			&committer->patience);
		status = committer->spooled_bytes > 0
		                 ? shmlog_append_frames_from(
					   committer->log, committer->spool,
					   committer->spooled_bytes, &options,
					   result)
		                 : shmlog_append_batch(committer->log,
		                                       committer->batch,
		                                       &options, result);
	} while ((status == -EINTR &&
	          cli_patience_goes_on(&committer->patience)) ||
	         (status == -EMFILE && spare_output(committer)));
	cli_patience_end(&committer->patience);
	note_kept(committer);
	committer->last = *result;
	return status;
}

/*
 * Says, once, that a writer that takes no lock may be there unseen.  Where no
 * system of its kind can tell, the manual says so instead.
 */
static void tell_unseen(const struct cli_committer *committer)
{
	int unseen = shmlog_unseen_writers(committer->log);
	char why[128];

	if (unseen == 0 || unseen == -ENOTSUP)
		return;
	if (unseen > 0)
		(void)snprintf(why, sizeof(why),
		               "%d process%s may not be looked into", unseen,
		               unseen == 1 ? "" : "es");
	else if (unseen == -EACCES)
		(void)snprintf(why, sizeof(why),
		               "/proc does not show all processes here");
	else
		(void)snprintf(why, sizeof(why), "cannot look into /proc: %s",
		               shmlog_strerror(unseen));
	cli_message(committer->path,
	            "cannot tell whether another writer has the log open: %s; "
	            "one that takes no lock, such as a Node process, may "
	            "overwrite what is appended",
	            why);
}

/* Goes over to the log that the name leads to: 0, or a status of the library.
 * That of a sync ends the append. */
static int reopen(struct cli_committer *committer)
{
	struct cli_target target = {committer->log, committer->session};
	struct shmlog_header header;

	cli_committer_release_lock(committer);
	int status = cli_committer_sync(committer);

	if (status == 0)
		status = cli_turnover_reopen(&target, committer->path);

	if (status != 0)
		return status;
	committer->log = target.log;
	committer->session = target.session;
	committer->patience.log = target.log;
	if (committer->options.sync)
		status = cli_turnover_sync_name(target.log, committer->path);
	committer->unsynced = status != 0;
	if (shmlog_read_header(target.log, &header) == 0)
		committer->capacity = header.capacity;
	if (committer->options.ack && committer->committed > 0)
		cli_output_string(committer->output,
		                  "{\"event\":\"reopened\"}\n");
	return status;
}

/* Rotates the log, unless another process was faster, and goes over to the new
 * one.  What fails with the old logs is told and does not end the append. */
static int make_room(struct cli_committer *committer)
{
	const struct cli_retention_visitor visitor = {NULL, NULL, NULL};
	const struct cli_turnover_terms terms = {
		.force = committer->options.force,
		.lock_timeout_ns = committer->options.lock_timeout_ns,
		.writer_timeout_ns = committer->options.writer_timeout_ns,
		.patience = &committer->patience,
	};

	cli_committer_release_lock(committer);
	int rotated = cli_turnover_rotate(committer->log, committer->path,
	                                  &terms);

	if (rotated != 0 &&
	    (rotated != SHMLOG_ERR_REPLACED || !committer->options.follow))
		return rotated;
	int status = reopen(committer);

	if (status == 0 && rotated == 0 &&
	    cli_retention_apply(&committer->options.retention, committer->path,
	                        &visitor) != CLI_OK)
		committer->untidy = true;
	return status;
}

int cli_committer_open(struct cli_committer *committer, struct shmlog *log,
                       const char *path,
                       const struct cli_committer_options *options,
                       struct cli_output *output)
{
	struct shmlog_append_result result;
	struct shmlog_header header;

	*committer = (struct cli_committer){
		.log = log,
		.path = path,
		.options = *options,
		.output = output,
		.patience = {.log = log, .path = path},
		.spool = -1,
	};
	if (shmlog_read_header(log, &header) == 0)
		committer->capacity = header.capacity;
	if (shmlog_batch_open(BATCH_BYTES, &committer->batch) != 0 ||
	    !cli_origins_reserve(&committer->origins) ||
	    shmlog_append_session_open(log, &committer->session) != 0)
		return -ENOMEM;

	int status = options->sync ? cli_turnover_sync_name(log, path) : 0;

	committer->unsynced = status != 0;
	if (status != 0)
		return status;
	do
		status = append(committer, &result);
	while (status == SHMLOG_ERR_REPLACED && options->follow &&
	       reopen(committer) == 0);
	committer->free_bytes = result.free_bytes;
	if (status == 0)
		tell_unseen(committer);
	return status;
}

void cli_committer_release(struct cli_committer *committer)
{
	cli_committer_release_lock(committer);
	shmlog_append_session_close(committer->session);
	cli_origins_release(&committer->origins);
	shmlog_batch_close(committer->batch);
	if (committer->spool >= 0)
		close(committer->spool);
	if (committer->spared_output)
		replace_output(committer);
}

bool cli_committer_has_room(struct cli_committer *committer)
{
	return committer->options.atomic ||
	       (shmlog_batch_room(committer->batch) >= SHMLOG_FRAME_MAX_BYTES &&
	        cli_origins_reserve(&committer->origins));
}

/* How long what waits may go on waiting for others. */
static int64_t time_left(const struct cli_committer *committer)
{
	return committer->options.group_ns -
	       (cli_now_ns() - committer->waiting_since_ns);
}

bool cli_committer_gathers(const struct cli_committer *committer)
{
	return committer->options.commit_every > 0 ||
	       committer->options.group_ns > 0;
}

bool cli_committer_is_due(const struct cli_committer *committer)
{
	if (committer->waiting == 0)
		return false;
	if (committer->options.group_ns > 0 && time_left(committer) <= 0)
		return true;
	return committer->options.commit_every > 0 &&
	       committer->waiting >= committer->options.commit_every;
}

bool cli_committer_gather(const struct cli_committer *committer, int fd)
{
	struct pollfd request = {.fd = fd, .events = POLLIN};

	if (committer->options.group_ns == 0 || committer->waiting == 0)
		return true;
	int64_t left = time_left(committer);
	int64_t ms = left <= 0 ? 0 : left / 1000000 + 1;

	/* A signal, too, ends the wait for others. */
	return poll(&request, 1, ms < INT32_MAX ? (int)ms : INT32_MAX) > 0;
}

/* Moves what waits from memory to the spool. */
static int spill(struct cli_committer *committer)
{
	size_t bytes;
	const unsigned char *frames = shmlog_batch_frames(committer->batch,
	                                                  &bytes);

	if (committer->spool < 0) {
		int fd = cli_open_unnamed();

		if (fd < 0)
			return fd;
		committer->spool = fd;
	}
	committer->spooled_bytes += bytes;
	while (bytes > 0) {
		ssize_t put = write(committer->spool, frames, bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		frames += put;
		bytes -= (size_t)put;
	}
	shmlog_batch_clear(committer->batch);
	committer->used = 0;
	return 0;
}

int cli_committer_put(struct cli_committer *committer,
                      const unsigned char *payload, size_t size_bytes,
                      struct cli_place from, unsigned surplus)
{
	if (shmlog_batch_room(committer->batch) < SHMLOG_FRAME_MAX_BYTES) {
		int status = spill(committer);

		if (status != 0)
			return status;
	}
	int status = shmlog_batch_add(committer->batch, payload, size_bytes);

	if (status == 0)
		cli_committer_add(committer, 1, from, surplus);
	return status;
}

void cli_committer_wait(struct cli_committer *committer, int fd)
{
	if (!committer->keeps_lock)
		return;

	struct pollfd requests[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = shmlog_append_session_fd(committer->session),
	         .events = POLLIN},
	};
	int ready = poll(requests, 2, KEEP_MS);

	/* With input there is a commit at once, which looks at the watch. */
	if (ready <= 0 || requests[0].revents == 0)
		cli_committer_release_lock(committer);
	else if (committer->was_small && requests[0].revents == POLLIN)
		shmlog_append_session_wake_early(committer->session);
	committer->was_small = false;
}

/* Whether a write of one acknowledgement would have to wait. */
static bool is_choked(int fd)
{
	struct pollfd request = {.fd = fd, .events = POLLOUT};

	return poll(&request, 1, 0) <= 0;
}

struct shmlog_batch *cli_committer_batch(const struct cli_committer *committer,
                                         uint64_t *most_out)
{
	*most_out = committer->options.commit_every == 0
	                    ? UINT64_MAX
	                    : committer->options.commit_every -
	                              committer->waiting;
	return committer->batch;
}

void cli_committer_write_ahead(struct cli_committer *committer)
{
	if (!committer->options.sync || committer->options.atomic ||
	    committer->used - committer->ahead < AHEAD_BYTES)
		return;
	size_t bytes;
	const unsigned char *frames = shmlog_batch_frames(committer->batch,
	                                                  &bytes);

	shmlog_append_session_write_ahead(committer->session, frames, bytes);
	committer->ahead = committer->used;
}

void cli_committer_add(struct cli_committer *committer, uint64_t frames,
                       struct cli_place from, unsigned surplus)
{
	struct cli_extent before = {committer->waiting, committer->used};

	if (frames == 0)
		return;
	if (committer->waiting == 0 && committer->options.group_ns > 0)
		committer->waiting_since_ns = cli_now_ns();
	if (!committer->options.atomic)
		cli_origins_add(&committer->origins, before, from, surplus);
	(void)shmlog_batch_frames(committer->batch, &committer->used);
	committer->waiting += frames;
}

/* The first frame that waits behind those that were committed. */
static void find_refused(const struct cli_committer *committer,
                         struct cli_extent before, struct cli_refused *refused)
{
	size_t bytes;
	const unsigned char *frame = shmlog_batch_frames(committer->batch,
	                                                 &bytes);

	if (committer->options.atomic || bytes == 0)
		return;
	refused->from = cli_origins_find(&committer->origins, before);
	refused->size_bytes = (size_t)(frame[0] | frame[1] << 8) -
	                      SHMLOG_FRAME_OVERHEAD_BYTES;
}

/* Prints an acknowledgement.  A failure sticks in the output. */
static void acknowledge(struct cli_committer *committer, uint64_t frames,
                        uint64_t end_cursor)
{
	if (!committer->options.ack || frames == 0)
		return;
	cli_output_format(committer->output,
	                  "{\"frames\":%" PRIu64 ",\"cursor\":%" PRIu64 "}\n",
	                  frames, end_cursor);
	if (committer->keeps_lock && is_choked(committer->output->fd))
		cli_committer_release_lock(committer);
	if (cli_output_flush(committer->output) == 0)
		committer->acknowledged += frames;
}

/* All that was committed is on the disk. */
static void note_synced(struct cli_committer *committer)
{
	uint64_t frames = committer->unacknowledged;

	committer->unacknowledged = 0;
	acknowledge(committer, frames, committer->end_cursor);
}

int cli_committer_sync(struct cli_committer *committer)
{
	if (committer->unacknowledged == 0 || committer->unsynced)
		return 0;
	int status = shmlog_sync(committer->log);

	committer->unsynced = status != 0;
	if (status == 0)
		note_synced(committer);
	return status;
}

bool cli_committer_must_sync(const struct cli_committer *committer, int fd)
{
	struct pollfd request = {.fd = fd, .events = POLLIN};

	return committer->unacknowledged > 0 &&
	       (committer->options.group_ns > 0 || poll(&request, 1, 0) <= 0);
}

/* A commit lasts once its own sync, or that of the next commit, is done. */
static void note_committed(struct cli_committer *committer,
                           const struct shmlog_append_result *result)
{
	/* This one had its own frames synced, and those before it wholly. */
	if (committer->options.sync && result->frames > 0)
		note_synced(committer);
	committer->committed += result->frames;
	if (result->frames > 0)
		committer->end_cursor = result->end_cursor;
	if (committer->options.sync)
		committer->unacknowledged += result->frames;
	else
		acknowledge(committer, result->frames, result->end_cursor);
}

/* Prints the records of the frames that were committed, the first that wait. */
static void pass_on(struct cli_committer *committer,
                    const struct shmlog_append_result *result)
{
	const struct cli_tee *tee = &committer->options.tee;
	struct cli_output *output = committer->output;
	size_t bytes;
	const unsigned char *frames = shmlog_batch_frames(committer->batch,
	                                                  &bytes);
	int status = 0;

	if (!tee->wanted || result->frames == 0)
		return;
	/* Printing may wait for whoever reads it. */
	if (result->bytes > SMALL_BYTES || is_choked(output->fd))
		cli_committer_release_lock(committer);
	if (committer->spooled_bytes > 0)
		status = cli_tee_print_file(tee, output, committer->spool,
		                            committer->spooled_bytes);
	else
		cli_tee_print(tee, output, frames, (size_t)result->bytes);
	if (status != 0 && output->error == 0)
		output->error = -status;
	if (cli_output_flush(output) == 0)
		committer->acknowledged = committer->committed;
}

/* Says what became of frames that a writer without the lock committed in the
 * place of these at the same moment. */
static void tell_overwritten(struct cli_committer *committer,
                             const struct shmlog_append_result *result)
{
	if (!result->overwrote_others)
		return;
	committer->overwrote = true;
	cli_message(committer->path,
	            "another writer committed frames at the same moment, which "
	            "are lost: cursor %" PRIu64 " to %" PRIu64
	            " has the %" PRIu64 " frames of this append",
	            result->cursor, result->end_cursor, result->frames);
}

/* Whether an empty log has room for what waits: for all of it where that is one
 * commit, or else for the first frame. */
static bool fits_into_empty_log(const struct cli_committer *committer)
{
	size_t bytes;
	const unsigned char *frame = shmlog_batch_frames(committer->batch,
	                                                 &bytes);
	uint64_t needed = (uint64_t)(frame[0] | frame[1] << 8);

	if (committer->options.atomic)
		needed = committer->spooled_bytes > 0 ? committer->spooled_bytes
		                                      : bytes;
	return needed <=
	       committer->capacity - shmlog_data_offset(committer->log);
}

/* Whether there is another log for what a commit that ended with *status_out
 * has left; or else why not. */
static bool turn_over(struct cli_committer *committer, int *status_out)
{
	int status = *status_out;

	if (status == SHMLOG_ERR_REPLACED && committer->options.follow) {
		status = reopen(committer);
		if (committer->unsynced)
			*status_out = status;
		return status == 0;
	}
	if (status != SHMLOG_ERR_FULL || !committer->options.rotate ||
	    !fits_into_empty_log(committer))
		return false;
	status = make_room(committer);
	committer->unrotated = status != 0 && !committer->unsynced;
	if (status != 0)
		*status_out = status;
	return status == 0;
}

/* Makes one commit of what waits; what of it is in the log by then waits no
 * more, and is added to *done_out. */
static int commit_part(struct cli_committer *committer,
                       struct cli_extent *done_out)
{
	struct shmlog_append_result result = {0};
	int status = append(committer, &result);

	committer->free_bytes = result.free_bytes;
	committer->was_small = result.bytes > 0 && result.bytes <= SMALL_BYTES;
	/* A sync that fails is final, and may have been about the commit
	 * before this one, too. */
	if (committer->options.sync &&
	    (status == -EIO || status == -ENOSPC || status == -EDQUOT))
		committer->unsynced = true;
	tell_overwritten(committer, &result);
	note_committed(committer, &result);
	pass_on(committer, &result);
	if (result.frames > 0)
		shmlog_batch_drop(committer->batch, result.frames);
	done_out->frames += result.frames;
	done_out->bytes += result.bytes;
	return status;
}

int cli_committer_commit(struct cli_committer *committer,
                         struct cli_refused *refused_out)
{
	struct cli_extent done = {0, 0};
	int status = 0;

	*refused_out = (struct cli_refused){.size_bytes = 0};
	if (committer->waiting == 0)
		return 0;
	if (committer->spooled_bytes > 0 && committer->used > 0)
		status = spill(committer);
	if (status == 0) {
		do
			status = commit_part(committer, &done);
		while (status != 0 && turn_over(committer, &status));
	}
	if (status != 0)
		find_refused(committer, done, refused_out);
	cli_origins_clear(&committer->origins);
	shmlog_batch_clear(committer->batch);
	committer->used = 0;
	committer->ahead = 0;
	committer->waiting = 0;
	committer->spooled_bytes = 0;
	return status;
}
