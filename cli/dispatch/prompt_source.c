/* Follows PROMPTS on a thread of its own. */
#include "prompt_source.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "follow.h"
#include "helper_thread.h"
#include "loop.h"
#include "message.h"
#include "open_log.h"
#include "reply_place.h"
#include "rotated.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Prompts that wait to be taken. */
#define MOST_PROMPTS 512u
#define MOST_BYTES ((size_t)8 << 20)

/* The longest sleep, after which the thread looks whether it is to end. */
#define SLICE_NS INT64_C(100000000)

/* ------------------------------------------------------------- handing over */

static bool is_full(const struct prompt_source *source)
{
	return source->count >= MOST_PROMPTS ||
	       source->payload_bytes >= MOST_BYTES;
}

/* Puts a prompt in the queue once there is room.  False if the thread is to
 * end, and the prompt is freed then. */
static bool put(struct prompt_source *source, struct prompt *prompt)
{
	bool was_empty, stop;

	pthread_mutex_lock(&source->mutex);
	while (is_full(source) && !source->stop)
		pthread_cond_wait(&source->room, &source->mutex);
	stop = source->stop;
	was_empty = source->count == 0;
	if (!stop) {
		if (was_empty)
			source->first = prompt;
		else
			source->last->next = prompt;
		source->last = prompt;
		source->count++;
		source->payload_bytes += prompt->size_bytes;
	}
	pthread_mutex_unlock(&source->mutex);
	if (stop)
		prompt_free(prompt);
	else if (was_empty)
		loop_wake(source->options.loop);
	return !stop;
}

static struct prompt *copy_frame(const struct shmlog_frame *frame)
{
	struct prompt *prompt = calloc(1, sizeof(*prompt));

	if (prompt == NULL)
		return NULL;
	/* One byte at least, so that an empty payload is no failure. */
	prompt->payload = malloc((size_t)frame->size_bytes + 1);
	if (prompt->payload == NULL) {
		free(prompt);
		return NULL;
	}
	memcpy(prompt->payload, frame->payload, frame->size_bytes);
	prompt->size_bytes = frame->size_bytes;
	prompt->cursor = frame->cursor;
	prompt->next_cursor = frame->next_cursor;
	prompt->index = frame->index;
	prompt->seen_ns = cli_now_ns();
	return prompt;
}

static int put_frames(struct prompt_source *source,
                      const struct cli_batch *batch, bool *goes_on)
{
	for (size_t i = 0; i < batch->count && *goes_on; i++) {
		struct prompt *prompt = copy_frame(&batch->frames[i]);

		if (prompt == NULL)
			return cli_fail(source->options.path, "cannot read",
			                -ENOMEM);
		*goes_on = put(source, prompt);
	}
	return CLI_OK;
}

/* ------------------------------------------------------------------ opening */

static int seek_to_place(const struct prompt_source *source,
                         const struct cli_source *opened, uint64_t low)
{
	struct shmlog_neighbours neighbours;
	int status = shmlog_reader_seek(opened->reader, low, &neighbours);

	if (status != SHMLOG_ERR_CURSOR)
		return status == 0 ? CLI_OK
		                   : cli_reader_failed(source->options.path,
		                                       opened->reader, status);
	cli_message(source->options.path,
	            "no prompt begins where %s says that answering goes on; "
	            "was it written anew?",
	            source->options.replies_path);
	return CLI_OTHER_LOG;
}

/* Moves the reader to the first prompt to be answered. */
static int seek_first(struct prompt_source *source,
                      const struct cli_source *opened)
{
	const struct prompt_source_options *options = &source->options;
	const struct reply_place *place = options->place;
	char id[REPLY_LOG_ID_BYTES];

	reply_log_id(id, opened->log);
	if (place->known && strcmp(id, place->log) == 0)
		return seek_to_place(source, opened, place->low);
	if (options->has_from)
		return cli_position_seek(opened->log, opened->reader,
		                         &options->from, false, options->path);
	if (!place->known)
		return CLI_OK;
	cli_message(options->path,
	            "the replies in %s are to another log of prompts; --from "
	            "says where to begin in this one",
	            options->replies_path);
	return CLI_OTHER_LOG;
}

/* Says that all prompts from now on are from this log, and waits until those
 * before have left the queue. */
static void announce(struct prompt_source *source,
                     const struct cli_source *opened)
{
	pthread_mutex_lock(&source->mutex);
	while (source->count > 0 && !source->stop)
		pthread_cond_wait(&source->room, &source->mutex);
	reply_log_id(source->log_id, opened->log);
	source->begin = shmlog_reader_cursor(opened->reader);
	source->log = opened->log;
	source->waiting = true;
	loop_wake(source->options.loop);
	while (source->waiting && !source->stop)
		pthread_cond_wait(&source->room, &source->mutex);
	pthread_mutex_unlock(&source->mutex);
}

static int begin_log(struct prompt_source *source, struct cli_followed *log,
                     bool is_first)
{
	const struct cli_source *opened = &log->named.now;
	struct shmlog_identity identity = shmlog_identity(opened->log);
	int status = CLI_OK;

	if (shmlog_same_file(&identity, &source->options.replies))
		return cli_usage_error("PROMPTS and REPLIES are the same log");
	if (is_first)
		status = seek_first(source, opened);
	if (status == CLI_OK)
		announce(source, opened);
	return status;
}

static void forget_log(struct prompt_source *source)
{
	pthread_mutex_lock(&source->mutex);
	source->log = NULL;
	pthread_mutex_unlock(&source->mutex);
}

/* ---------------------------------------------------------------- following */

/* Does what one piece of news asks for.  Sets *goes_on to false at the end. */
static int take_news(struct prompt_source *source, enum cli_news news,
                     const struct cli_batch *batch, bool *is_first,
                     bool *goes_on)
{
	int status = CLI_OK;

	switch (news) {
	case CLI_NEWS_NONE: break;
	case CLI_NEWS_FRAMES:
		status = put_frames(source, batch, goes_on);
		break;
	case CLI_NEWS_ADDED: break;
	case CLI_NEWS_OPENED:
	case CLI_NEWS_REOPENED:
		status = begin_log(source, batch->log, *is_first);
		*is_first = false;
		break;
	case CLI_NEWS_GONE:
	case CLI_NEWS_CLOSED: forget_log(source); break;
	case CLI_NEWS_FAILED:
		status = batch->status == 0
		                 ? batch->exit_status
		                 : cli_reader_failed(
					   source->options.path,
					   batch->log->named.now.reader,
					   batch->status);
		*goes_on = false;
		break;
	case CLI_NEWS_ENDED: *goes_on = false; break;
	}
	*goes_on &= status == CLI_OK;
	return status;
}

static bool is_stopped(struct prompt_source *source)
{
	bool stop;

	pthread_mutex_lock(&source->mutex);
	stop = source->stop;
	pthread_mutex_unlock(&source->mutex);
	return stop;
}

static bool has_id(const char *path, const char *id)
{
	char found[REPLY_LOG_ID_BYTES] = "";
	struct shmlog *log;

	if (shmlog_open(path, &log) == 0) {
		reply_log_id(found, log);
		shmlog_close(log);
	}
	return strcmp(found, id) == 0;
}

/* The path of the log that the replies are to, where it was rotated meanwhile:
 * the rest of it comes first.  NULL: none. */
static char *find_rotated(const struct prompt_source *source)
{
	const struct prompt_source_options *options = &source->options;
	struct cli_rotated_list rotated = {0};
	char *path = NULL;

	if (options->by_name && options->place->known &&
	    !has_id(options->path, options->place->log) &&
	    cli_rotated_find(options->path, &rotated) == 0) {
		for (size_t i = 0; i < rotated.count && path == NULL; i++) {
			if (!rotated.all[i].archived &&
			    has_id(rotated.all[i].path, options->place->log))
				path = strdup(rotated.all[i].path);
		}
	}
	cli_rotated_release(&rotated);
	return path;
}

static int follow(struct prompt_source *source, struct cli_follow *follow)
{
	bool goes_on = true, is_first = true;
	struct cli_followed *log;
	struct cli_batch batch;
	int status = CLI_OK;

	log = cli_follow_add(follow, source->options.path,
	                     source->options.by_name ? CLI_FOLLOW_NAME
	                                             : CLI_FOLLOW_FILE);
	if (log == NULL)
		return cli_fail(source->options.path, "cannot follow", -ENOMEM);
	log->named.first = find_rotated(source);
	while (goes_on && !is_stopped(source)) {
		enum cli_news news = cli_follow_next(follow, CLI_BATCH_FRAMES,
		                                     SLICE_NS, &batch);

		status = take_news(source, news, &batch, &is_first, &goes_on);
		if (news == CLI_NEWS_FRAMES)
			cli_follow_touch(follow);
		/* All that is there is read, and then it is over. */
		if (news == CLI_NEWS_OPENED && !source->options.follow)
			follow->ends.idle_ns = 0;
	}
	forget_log(source);
	return status;
}

static void *run(void *context)
{
	struct prompt_source *source = context;
	struct cli_follow *followed = calloc(1, sizeof(*followed));
	int status;

	if (followed == NULL) {
		status = cli_fail(source->options.path, "cannot follow",
		                  -ENOMEM);
	} else {
		cli_follow_init(followed, 1);
		status = follow(source, followed);
		cli_follow_release(followed);
		free(followed);
	}
	pthread_mutex_lock(&source->mutex);
	source->ended = true;
	source->exit_status = status;
	pthread_mutex_unlock(&source->mutex);
	loop_wake(source->options.loop);
	return NULL;
}

int prompt_source_start(struct prompt_source *source,
                        const struct prompt_source_options *options)
{
	int error;

	*source = (struct prompt_source){.options = *options};
	pthread_mutex_init(&source->mutex, NULL);
	pthread_cond_init(&source->room, NULL);
	error = cli_start_helper_thread(&source->thread, run, source);
	return error == 0 ? CLI_OK : cli_fail(NULL, "cannot start", -error);
}

/* ------------------------------------------------------------------- taking */

/* Takes the whole queue, so that neither thread waits for the other at each
 * prompt. */
static void take_queue(struct prompt_source *source)
{
	source->taken = source->first;
	source->first = source->last = NULL;
	source->count = 0;
	source->payload_bytes = 0;
	pthread_cond_signal(&source->room);
}

/* What stands behind all prompts. */
static enum source_item take_rest(struct prompt_source *source)
{
	if (source->waiting) {
		source->waiting = false;
		pthread_cond_signal(&source->room);
		return SOURCE_LOG;
	}
	return source->ended ? SOURCE_ENDED : SOURCE_NOTHING;
}

enum source_item prompt_source_take(struct prompt_source *source,
                                    struct prompt **prompt_out)
{
	enum source_item item = SOURCE_PROMPT;
	struct prompt *prompt;

	if (source->taken == NULL) {
		pthread_mutex_lock(&source->mutex);
		if (source->count > 0)
			take_queue(source);
		else
			item = take_rest(source);
		pthread_mutex_unlock(&source->mutex);
	}
	prompt = source->taken;
	if (prompt == NULL)
		return item;
	source->taken = prompt->next;
	prompt->next = NULL;
	*prompt_out = prompt;
	return SOURCE_PROMPT;
}

void prompt_source_log(struct prompt_source *source,
                       char id_out[REPLY_LOG_ID_BYTES], uint64_t *begin_out)
{
	pthread_mutex_lock(&source->mutex);
	memcpy(id_out, source->log_id, REPLY_LOG_ID_BYTES);
	*begin_out = source->begin;
	pthread_mutex_unlock(&source->mutex);
}

static void free_all(struct prompt *prompt)
{
	while (prompt != NULL) {
		struct prompt *gone = prompt;

		prompt = gone->next;
		prompt_free(gone);
	}
}

void prompt_source_stop(struct prompt_source *source)
{
	pthread_mutex_lock(&source->mutex);
	source->stop = true;
	pthread_cond_broadcast(&source->room);
	/* The thread may sleep on it. */
	if (source->log != NULL)
		(void)shmlog_wake(source->log);
	pthread_mutex_unlock(&source->mutex);
	pthread_join(source->thread, NULL);
	free_all(source->first);
	free_all(source->taken);
	pthread_mutex_destroy(&source->mutex);
	pthread_cond_destroy(&source->room);
}
