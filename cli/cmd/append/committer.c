/* Collecting frames and committing them. */
#include "committer.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Frames that wait in memory: what one read makes of lines of four bytes. */
#define FRAMES_BYTES (1u << 20)

/* How long what was read before a signal may wait for the lock. */
#define LAST_LOCK_NS 1000000000

/* Milliseconds of silence after which nothing is kept any more. */
#define KEEP_MS 100

/* Bytes of a commit that is made sooner than a reader wakes up. */
#define SMALL_BYTES 4096u

static unsigned append_flags(const struct cli_sink *sink)
{
	return SHMLOG_APPEND_WAKE |
	       (sink->options.force ? SHMLOG_APPEND_FORCE : 0u) |
	       (sink->options.atomic ? SHMLOG_APPEND_WHOLE : 0u);
}

void cli_sink_let_go(struct cli_sink *sink)
{
	if (!sink->keeps)
		return;
	sink->keeps = false;
	shmlog_keeper_release(sink->keeper);
	cli_signals_defer_stop(false);
}

/* struct shmlog_append_options.waiting. */
static int wait_for(void *context, int status)
{
	struct cli_sink *sink = context;

	/* Nothing is kept while something is waited for. */
	if (sink->keeps) {
		sink->keeps = false;
		cli_signals_defer_stop(false);
	}
	return cli_patience_wait(&sink->patience, status);
}

/*
 * Where descriptors are so few that none is left to write with, an append
 * that prints nothing gives up its standard output.  False if there is
 * nothing to give.
 */
static bool spare_output(struct cli_sink *sink)
{
	struct cli_output *output = sink->output;

	if (sink->options.ack || sink->options.needs_output ||
	    output->used > 0 || sink->spared_output)
		return false;
	close(output->fd);
	sink->spared_output = true;
	return true;
}

/* Something that takes what nobody writes, in its place. */
static void replace_output(const struct cli_sink *sink)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || fd == sink->output->fd)
		return;
	(void)dup2(fd, sink->output->fd);
	close(fd);
}

/* One commit, begun again when a signal that means nothing to us cuts it. */
static int append(struct cli_sink *sink, struct shmlog_append_result *result)
{
	struct shmlog_append_options options = {
		.flags = append_flags(sink),
		.keeper = sink->keeper,
		.writer_timeout_ns = sink->options.writer_timeout_ns,
		.waiting = wait_for,
		.context = sink,
	};
	int64_t lock_timeout_ns = sink->options.lock_timeout_ns;
	int status;

	/* A signal that has come already ends no wait for the lock. */
	if (cli_signal_caught() != 0 &&
	    (lock_timeout_ns < 0 || lock_timeout_ns > LAST_LOCK_NS))
		lock_timeout_ns = LAST_LOCK_NS;
	cli_patience_begin(&sink->patience, lock_timeout_ns);
	do {
		if (cli_signals_stop_asked())
			cli_sink_let_go(sink);
		options.lock_timeout_ns = cli_patience_left(&sink->patience);
		status = sink->spooled_bytes > 0
		                 ? shmlog_append_frames_from(
					   sink->log, sink->spool,
					   sink->spooled_bytes, &options,
					   result)
		                 : shmlog_append_frames(sink->log, sink->frames,
		                                        sink->used, &options,
		                                        result);
	} while ((status == -EINTR && cli_patience_goes_on(&sink->patience)) ||
	         (status == -EMFILE && spare_output(sink)));
	cli_patience_end(&sink->patience);
	sink->last = *result;
	return status;
}

/*
 * Says, once, that a writer that takes no lock may be there unseen.  Where no
 * system of its kind can tell, the manual says so instead.
 */
static void tell_unseen(const struct cli_sink *sink)
{
	int unseen = shmlog_unseen_writers(sink->log);
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
	cli_message(sink->path,
	            "cannot tell whether another writer has the log open: %s; "
	            "one that takes no lock, such as a Node process, may "
	            "overwrite what is appended",
	            why);
}

int cli_sink_open(struct cli_sink *sink, struct shmlog *log, const char *path,
                  const struct cli_sink_options *options,
                  struct cli_output *output)
{
	struct shmlog_append_result result;

	*sink = (struct cli_sink){
		.log = log,
		.path = path,
		.options = *options,
		.output = output,
		.patience = {.log = log, .path = path},
		.spool = -1,
		.frames = malloc(FRAMES_BYTES),
	};
	if (sink->frames == NULL || !cli_origins_reserve(&sink->origins) ||
	    shmlog_keeper_open(log, &sink->keeper) != 0)
		return -ENOMEM;

	int status = append(sink, &result);

	sink->free_bytes = result.free_bytes;
	if (status == 0)
		tell_unseen(sink);
	return status;
}

void cli_sink_release(struct cli_sink *sink)
{
	cli_sink_let_go(sink);
	shmlog_keeper_close(sink->keeper);
	cli_origins_release(&sink->origins);
	free(sink->frames);
	if (sink->spool >= 0)
		close(sink->spool);
	if (sink->spared_output)
		replace_output(sink);
}

bool cli_sink_has_room(struct cli_sink *sink)
{
	return sink->options.atomic ||
	       (FRAMES_BYTES - sink->used >= SHMLOG_FRAME_MAX_BYTES &&
	        cli_origins_reserve(&sink->origins));
}

bool cli_sink_is_due(const struct cli_sink *sink)
{
	return sink->options.commit_every > 0 &&
	       sink->waiting >= sink->options.commit_every;
}

/* A file without a name, for as long as this process lives. */
static int open_spool(void)
{
	const char *directory = getenv("TMPDIR");
	char name[4096];

	if (directory == NULL || directory[0] == '\0')
		directory = "/tmp";
	int length = snprintf(name, sizeof(name), "%s/shmlog.XXXXXX",
	                      directory);

	if (length < 0 || (size_t)length >= sizeof(name))
		return -ENAMETOOLONG;
	int fd = mkostemp(name, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	unlink(name);
	return fd;
}

/* Moves what waits from memory to the spool. */
static int spill(struct cli_sink *sink)
{
	size_t written = 0;

	if (sink->spool < 0) {
		int fd = open_spool();

		if (fd < 0)
			return fd;
		sink->spool = fd;
	}
	while (written < sink->used) {
		ssize_t put = write(sink->spool, sink->frames + written,
		                    sink->used - written);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		written += (size_t)put;
	}
	sink->spooled_bytes += sink->used;
	sink->used = 0;
	return 0;
}

int cli_sink_put(struct cli_sink *sink, const unsigned char *payload,
                 size_t size_bytes, struct cli_place from, unsigned surplus)
{
	if (FRAMES_BYTES - sink->used < SHMLOG_FRAME_MAX_BYTES) {
		int status = spill(sink);

		if (status != 0)
			return status;
	}
	struct cli_extent added = {.frames = 1};

	added.bytes = shmlog_frame_encode(sink->frames + sink->used, payload,
	                                  size_bytes);
	cli_sink_add(sink, added, from, surplus);
	return 0;
}

/* Behind a commit: notes whether something is kept now. */
static void note_kept(struct cli_sink *sink)
{
	bool keeps = shmlog_keeper_fd(sink->keeper) >= 0;

	if (keeps != sink->keeps)
		cli_signals_defer_stop(keeps);
	sink->keeps = keeps;
	if (cli_signals_stop_asked())
		cli_sink_let_go(sink);
}

void cli_sink_wait(struct cli_sink *sink, int fd)
{
	if (!sink->keeps)
		return;

	struct pollfd requests[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = shmlog_keeper_fd(sink->keeper), .events = POLLIN},
	};
	int ready = poll(requests, 2, KEEP_MS);

	/* With input there is a commit at once, which looks at the watch. */
	if (ready <= 0 || requests[0].revents == 0)
		cli_sink_let_go(sink);
	else if (sink->was_small && requests[0].revents == POLLIN)
		shmlog_keeper_announce(sink->keeper);
	sink->was_small = false;
}

/* Whether a write of one acknowledgement would have to wait. */
static bool is_choked(int fd)
{
	struct pollfd request = {.fd = fd, .events = POLLOUT};

	return poll(&request, 1, 0) <= 0;
}

unsigned char *cli_sink_room(const struct cli_sink *sink, size_t *room_out,
                             uint64_t *most_out)
{
	*room_out = FRAMES_BYTES - sink->used;
	*most_out = sink->options.commit_every == 0
	                    ? UINT64_MAX
	                    : sink->options.commit_every - sink->waiting;
	return sink->frames + sink->used;
}

void cli_sink_add(struct cli_sink *sink, struct cli_extent added,
                  struct cli_place from, unsigned surplus)
{
	struct cli_extent before = {sink->waiting, sink->used};

	if (added.frames == 0)
		return;
	if (!sink->options.atomic)
		cli_origins_add(&sink->origins, before, from, surplus);
	sink->used += added.bytes;
	sink->waiting += added.frames;
}

/* The first frame that waits behind those that were committed. */
static void find_refused(const struct cli_sink *sink, struct cli_extent before,
                         struct cli_refused *refused)
{
	const unsigned char *frame = sink->frames + before.bytes;

	if (sink->options.atomic || before.bytes >= sink->used)
		return;
	refused->from = cli_origins_find(&sink->origins, before);
	refused->size_bytes = (size_t)(frame[0] | frame[1] << 8) -
	                      SHMLOG_FRAME_OVERHEAD_BYTES;
}

/* A failure sticks in the output. */
static void acknowledge(struct cli_sink *sink,
                        const struct shmlog_append_result *result)
{
	if (!sink->options.ack || result->frames == 0)
		return;
	cli_output_format(sink->output,
	                  "{\"frames\":%" PRIu64 ",\"cursor\":%" PRIu64 "}\n",
	                  result->frames, result->end_cursor);
	if (sink->keeps && is_choked(sink->output->fd))
		cli_sink_let_go(sink);
	(void)cli_output_flush(sink->output);
}

/* Says what became of frames that a writer without the lock committed in the
 * place of these at the same moment. */
static void tell_overwritten(struct cli_sink *sink,
                             const struct shmlog_append_result *result)
{
	if (!result->overwrote_others)
		return;
	sink->overwrote = true;
	cli_message(sink->path,
	            "another writer committed frames at the same moment, which "
	            "are lost: cursor %" PRIu64 " to %" PRIu64
	            " has the %" PRIu64 " frames of this append",
	            result->cursor, result->end_cursor, result->frames);
}

int cli_sink_commit(struct cli_sink *sink, struct cli_refused *refused_out)
{
	struct shmlog_append_result result = {0};
	int status = 0;

	*refused_out = (struct cli_refused){.size_bytes = 0};
	if (sink->waiting == 0)
		return 0;
	if (sink->spooled_bytes > 0 && sink->used > 0)
		status = spill(sink);
	if (status == 0) {
		status = append(sink, &result);
		sink->free_bytes = result.free_bytes;
		note_kept(sink);
	}
	sink->was_small = result.bytes > 0 && result.bytes <= SMALL_BYTES;
	sink->committed += result.frames;
	if (status != 0)
		find_refused(sink,
		             (struct cli_extent){result.frames, result.bytes},
		             refused_out);
	cli_origins_clear(&sink->origins);
	sink->used = 0;
	sink->waiting = 0;
	sink->spooled_bytes = 0;

	tell_overwritten(sink, &result);
	acknowledge(sink, &result);
	return status;
}

/* Where frames are that may be overwritten, or have been. */
static void describe_doubt(const struct cli_sink *sink, char *text,
                           size_t text_bytes)
{
	const struct shmlog_append_result *result = &sink->last;

	text[0] = '\0';
	if (result->doubtful_frames > 0)
		snprintf(text, text_bytes,
		         "; %" PRIu64 " frames at cursor %" PRIu64
		         " to %" PRIu64 " are in doubt",
		         result->doubtful_frames, result->doubtful_cursor,
		         result->doubtful_end_cursor);
}

static const char *explain(int status)
{
	switch (status) {
	case SHMLOG_ERR_WENT_BACK:
		return "the log was overwritten: the end of the committed data "
		       "went back";
	case SHMLOG_ERR_FRAME_CORRUPT:
		return "the committed data is damaged, and no reader gets past "
		       "that";
	default: return shmlog_strerror(status);
	}
}

int cli_sink_refused(const struct cli_sink *sink, int status, const char *rest)
{
	struct cli_culprit culprit;
	char doubt[128];

	if (status == -EINTR && cli_signal_caught() != 0) {
		cli_message(sink->path,
		            "ended by a signal while another process held the "
		            "lock; %" PRIu64 " frames committed%s",
		            sink->committed, rest);
		return CLI_SYSTEM;
	}
	cli_culprit_find(sink->log, status, &culprit);
	describe_doubt(sink, doubt, sizeof(doubt));
	cli_message(sink->path,
	            "cannot append: %s%s%s; %" PRIu64 " frames committed%s%s",
	            explain(status), culprit.text, doubt, sink->committed,
	            sink->committed > 0 ? " before" : "", rest);
	return status == SHMLOG_ERR_FRAME_CORRUPT ? CLI_NOT_LOG
	                                          : cli_exit_status(status);
}
