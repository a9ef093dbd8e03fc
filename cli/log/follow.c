/* Follows logs, and hands out their frames in turn. */
#include "follow.h"

#include "clock.h"
#include "command.h"
#include "signals.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* How long one sleep may last: signals aside, the names, the process and the
 * caller's own ends are looked at this often.  Each wake-up costs up to 0.1 ms
 * of cold caches. */
#define SLICE_NS 200000000
/* With many logs a slice is longer, as all of them are looked at behind it; and
 * so is the pause between two looks at all names, which the system's word of a
 * change ends. */
#define SLICE_A_LOG_NS 1000000
#define LONG_SLICE_NS 2000000000
/* Descriptors for a new log beside an old one, for the caller's cursor file and
 * for a look into /proc come before the watch of names. */
#define SPARE_DESCRIPTORS 3

void cli_follow_init(struct cli_follow *follow, size_t log_count)
{
	*follow = (struct cli_follow){.stage = CLI_STAGE_NAMES};
	cli_ends_init(&follow->ends);
	cli_ends_begin(&follow->ends);
	cli_name_watch_begin(&follow->watch,
	                     (int)log_count + SPARE_DESCRIPTORS);
}

static void free_log(struct cli_followed *log)
{
	if (log == NULL)
		return;
	cli_named_end(&log->named);
	free(log->own_path);
	free(log);
}

static int compare_paths(const void *one, const void *other)
{
	return strcmp(one, other);
}

void cli_follow_release(struct cli_follow *follow)
{
	/* First: each name by itself would be looked for among all. */
	cli_name_watch_end(&follow->watch);
	for (size_t i = 0; i < follow->count; i++)
		(void)tdelete(follow->logs[i]->named.path, &follow->paths,
		              compare_paths);
	for (size_t i = 0; i < follow->count; i++)
		free_log(follow->logs[i]);
	free_log(follow->gone);
	for (size_t i = 0; i < follow->pattern_count; i++)
		cli_pattern_end(&follow->patterns[i]);
	free(follow->patterns);
	follow->patterns = NULL;
	follow->pattern_count = 0;
	free(follow->logs);
	free(follow->open_logs);
	free(follow->readers);
	follow->logs = NULL;
	follow->open_logs = NULL;
	follow->readers = NULL;
	follow->count = follow->capacity = 0;
	follow->gone = NULL;
}

static bool make_room(struct cli_follow *follow)
{
	size_t capacity = follow->capacity == 0 ? 8 : follow->capacity * 2;

	if (follow->count < follow->capacity)
		return true;
	struct cli_followed **logs = realloc(follow->logs,
	                                     capacity * sizeof(*logs));

	if (logs == NULL)
		return false;
	follow->logs = logs;
	struct shmlog_reader **readers = realloc(follow->readers,
	                                         capacity * sizeof(*readers));

	if (readers == NULL)
		return false;
	follow->readers = readers;
	struct cli_followed **open_logs = realloc(
		follow->open_logs, capacity * sizeof(struct cli_followed *));

	if (open_logs == NULL)
		return false;
	follow->open_logs = open_logs;
	follow->capacity = capacity;
	return true;
}

struct cli_followed *cli_follow_add(struct cli_follow *follow, const char *path,
                                    enum cli_follow_mode mode)
{
	struct cli_followed *log = make_room(follow) ? calloc(1, sizeof(*log))
	                                             : NULL;

	if (log == NULL)
		return NULL;
	if (tsearch(path, &follow->paths, compare_paths) == NULL) {
		free(log);
		return NULL;
	}
	log->place = follow->count;
	follow->logs[follow->count++] = log;
	cli_named_begin(&log->named, path, mode, &follow->watch);
	cli_named_look_soon(&log->named);
	return log;
}

/* The names in the watch's list move with the patterns, so all of these are
 * begun again. */
bool cli_follow_add_pattern(struct cli_follow *follow, const char *pattern,
                            enum cli_follow_mode mode)
{
	size_t count = follow->pattern_count + 1;
	struct cli_name_pattern *larger;

	for (size_t i = 0; i + 1 < count; i++)
		cli_pattern_end(&follow->patterns[i]);
	larger = realloc(follow->patterns, count * sizeof(*larger));
	if (larger == NULL)
		return false;
	larger[count - 1].pattern = pattern;
	for (size_t i = 0; i < count; i++)
		cli_pattern_begin(&larger[i], larger[i].pattern,
		                  &follow->watch);
	follow->patterns = larger;
	follow->pattern_count = count;
	follow->pattern_mode = mode;
	return true;
}

void cli_follow_touch(struct cli_follow *follow)
{
	follow->ends.frame_ns = cli_now_ns();
}

bool cli_follow_spare(struct cli_follow *follow)
{
	return cli_name_watch_spare(&follow->watch);
}

void cli_follow_hold(struct cli_follow *follow, struct cli_followed *log,
                     bool held)
{
	log->held = held;
	if (!held && log->leaving)
		follow->names_due_ns = 0;
}

void cli_follow_finish(struct cli_follow *follow, struct cli_followed *log)
{
	log->finished = true;
	follow->open_known = false;
}

/* Whether frames of a log are to be handed out. */
static bool is_open(const struct cli_followed *log)
{
	return log->named.now.log != NULL && !log->finished && !log->leaving;
}

static enum cli_news fail(struct cli_followed *log, int status, int exit_status,
                          struct cli_batch *batch)
{
	log->finished = true;
	batch->log = log;
	batch->status = status;
	batch->exit_status = exit_status;
	return CLI_NEWS_FAILED;
}

/* ---------------------------------------------------------------- reading */

/* Whether a log is known to have frames that were not handed out.  To look at
 * it again is for the wait. */
static bool has_frames(const struct cli_followed *log)
{
	const struct shmlog_reader *reader = log->named.now.reader;

	return is_open(log) &&
	       (log->fresh || shmlog_reader_cursor(reader) <
	                              shmlog_reader_known_size(reader));
}

/* Hands out a batch of the first log in turn that has one. */
static enum cli_news read_turn(struct cli_follow *follow, uint64_t most,
                               struct cli_batch *batch)
{
	size_t count = most < CLI_BATCH_FRAMES ? (size_t)most
	                                       : CLI_BATCH_FRAMES;

	for (size_t passed = 0; passed < follow->count; passed++) {
		struct cli_followed *log =
			follow->logs[follow->turn++ % follow->count];

		follow->turn %= follow->count;
		if (!has_frames(log))
			continue;
		log->fresh = false;
		int result = shmlog_reader_next_batch(log->named.now.reader,
		                                      count, 0, follow->frames);

		if (result < 0)
			return fail(log, result, CLI_OK, batch);
		if (result == 0)
			continue;
		batch->log = log;
		batch->frames = follow->frames;
		batch->count = (size_t)result;
		batch->urgent = follow->woken && (size_t)result < count;
		follow->woken = false;
		return CLI_NEWS_FRAMES;
	}
	return CLI_NEWS_NONE;
}

/* ------------------------------------------------------------------ names */

/* A log that is not open: tries to open it when that is due. */
static enum cli_news try_open(struct cli_followed *log, struct cli_batch *batch)
{
	bool ready;
	bool touched = log->named.watched.touched;

	/* Its folder may not have been there before. */
	cli_named_watch(&log->named);
	if (!touched && cli_named_pause(&log->named) > 0)
		return CLI_NEWS_NONE;
	int status = cli_named_open(&log->named, &ready);

	if (status != CLI_OK)
		return fail(log, 0, status, batch);
	log->appeared |= !ready;
	if (!ready)
		return CLI_NEWS_NONE;
	log->fresh = true;
	batch->log = log;
	enum cli_news news = log->lost ? CLI_NEWS_REOPENED : CLI_NEWS_OPENED;

	log->lost = false;
	return news;
}

/* An open log: looks at its name, and goes over to another log that has it. */
static enum cli_news look_at_name(struct cli_follow *follow,
                                  struct cli_followed *log,
                                  struct cli_batch *batch)
{
	bool switched;

	log->leaving = log->held && cli_named_is_leaving(&log->named);
	follow->open_known = false;
	if (log->leaving)
		return CLI_NEWS_NONE;
	int status = cli_named_look(&log->named, &switched);

	if (status != CLI_OK)
		return fail(log, 0, status, batch);
	if (!switched)
		return CLI_NEWS_NONE;
	batch->log = log;
	log->lost = log->named.now.log == NULL;
	log->fresh = !log->lost;
	if (log->lost)
		cli_named_look_soon(&log->named);
	return log->lost ? CLI_NEWS_CLOSED : CLI_NEWS_REOPENED;
}

/* ---------------------------------------------------------------- patterns */

/* Whether a log takes part already. */
static bool is_followed(void *context, const char *path)
{
	struct cli_follow *follow = context;

	return tfind(path, &follow->paths, compare_paths) != NULL;
}

/* Adds a log that a pattern found. */
static void add_found(void *context, const char *path)
{
	struct cli_follow *follow = context;
	char *own_path = strdup(path);
	struct cli_followed *log = own_path != NULL
	                                   ? cli_follow_add(
						     follow, own_path,
						     follow->pattern_mode)
	                                   : NULL;

	if (log == NULL) {
		follow->no_memory = true;
		free(own_path);
		return;
	}
	log->own_path = own_path;
	log->named.from_pattern = true;
	/* All of a log that comes later is new. */
	log->appeared = follow->started;
}

static void look_for_matches(struct cli_follow *follow)
{
	for (size_t i = 0; i < follow->pattern_count; i++) {
		struct cli_name_pattern *pattern = &follow->patterns[i];

		if ((follow->ending || cli_pattern_pause(pattern) == 0) &&
		    cli_pattern_expand(pattern, is_followed, add_found,
		                       follow) != 0)
			follow->no_memory = true;
	}
}

/* Whether a log that a pattern found has lost its name, and all of it was
 * handed out: no other log can be expected under that name. */
static bool is_gone(const struct cli_followed *log)
{
	struct shmlog_reader *reader = log->named.now.reader;
	uint64_t size;

	return log->named.from_pattern && is_open(log) && !log->held &&
	       log->named.mode == CLI_FOLLOW_NAME &&
	       (log->named.found == -ENOENT || log->named.found == -ENOTDIR) &&
	       shmlog_reader_committed_size(reader, &size) == 0 &&
	       size == shmlog_reader_cursor(reader);
}

/* Takes the log at a place out of the follow; it is closed by the next call. */
static enum cli_news drop(struct cli_follow *follow, size_t place,
                          struct cli_batch *batch)
{
	follow->gone = follow->logs[place];
	(void)tdelete(follow->gone->named.path, &follow->paths, compare_paths);
	follow->count--;
	memmove(follow->logs + place, follow->logs + place + 1,
	        (follow->count - place) * sizeof(struct cli_followed *));
	for (size_t i = place; i < follow->count; i++)
		follow->logs[i]->place = i;
	batch->log = follow->gone;
	return CLI_NEWS_GONE;
}

/* Looks at the names of all logs, and stops at the first that has news. */
static enum cli_news look_at_names(struct cli_follow *follow,
                                   struct cli_batch *batch)
{
	(void)cli_name_watch_came(&follow->watch);
	if (follow->looked == 0)
		look_for_matches(follow);
	while (follow->looked < follow->count) {
		struct cli_followed *log = follow->logs[follow->looked];
		enum cli_news news = CLI_NEWS_NONE;

		if (!log->added) {
			log->added = true;
			batch->log = log;
			return CLI_NEWS_ADDED;
		}
		if (is_gone(log))
			return drop(follow, follow->looked, batch);
		follow->looked++;
		if (log->finished)
			continue;
		/* A log may have come since the last look, also the first. */
		if (follow->ending && log->named.mode == CLI_FOLLOW_NAME)
			cli_named_look_soon(&log->named);
		news = log->named.now.log == NULL
		               ? try_open(log, batch)
		               : look_at_name(follow, log, batch);
		if (news == CLI_NEWS_REOPENED || news == CLI_NEWS_CLOSED ||
		    news == CLI_NEWS_OPENED) {
			follow->switched = true;
			/* The process may have written to the new log. */
			follow->ends.process_gone = false;
		}
		if (news != CLI_NEWS_NONE)
			return news;
	}
	return CLI_NEWS_NONE;
}

static bool is_switch_pending(const struct cli_follow *follow)
{
	for (size_t i = 0; i < follow->count; i++) {
		if (follow->logs[i]->named.next.log != NULL)
			return true;
	}
	return false;
}

static bool has_logs(const struct cli_follow *follow)
{
	for (size_t i = 0; i < follow->count; i++) {
		if (!follow->logs[i]->finished)
			return true;
	}
	return follow->pattern_count > 0;
}

/* ---------------------------------------------------------------- waiting */

/* How long one sleep may last. */
static int64_t slice(const struct cli_follow *follow)
{
	int64_t ns = (int64_t)follow->count * SLICE_A_LOG_NS;

	if (ns < SLICE_NS || follow->ends.process.pid != 0)
		return SLICE_NS;
	return ns < LONG_SLICE_NS ? ns : LONG_SLICE_NS;
}

/* How long until a name is to be looked at.  A log that another one is to take
 * the place of waits for nothing. */
static int64_t names_pause(const struct cli_follow *follow)
{
	int64_t limit = slice(follow);
	int64_t least = limit > SLICE_NS ? limit : 0;

	for (size_t i = 0; i < follow->count && limit > 0; i++) {
		const struct cli_followed *log = follow->logs[i];
		int64_t pause = log->finished || log->leaving
		                        ? limit
		                        : cli_named_pause(&log->named);

		limit = pause < limit ? pause : limit;
	}
	for (size_t i = 0; i < follow->pattern_count && limit > 0; i++) {
		int64_t pause = cli_pattern_pause(&follow->patterns[i]);

		limit = pause < limit ? pause : limit;
	}
	return limit > 0 && limit < least ? least : limit;
}

/* How long to sleep at most, so that no end and no look is late. */
static int64_t limit_sleep(const struct cli_follow *follow, int64_t most_ns)
{
	int64_t due = follow->names_due_ns - cli_now_ns();
	int64_t slice_ns = slice(follow);

	if (due < most_ns)
		most_ns = due > 0 ? due : 0;
	return cli_ends_limit(&follow->ends,
	                      most_ns < slice_ns ? most_ns : slice_ns);
}

static void find_open_logs(struct cli_follow *follow)
{
	if (follow->open_known)
		return;
	follow->open_known = true;
	follow->open_count = 0;
	for (size_t i = 0; i < follow->count; i++) {
		struct cli_followed *log = follow->logs[i];

		if (!is_open(log))
			continue;
		follow->readers[follow->open_count] = log->named.now.reader;
		follow->open_logs[follow->open_count++] = log;
	}
}

/* Sleeps until a log that is open grows. */
static enum cli_news wait_for_logs(struct cli_follow *follow, int64_t limit_ns,
                                   struct cli_batch *batch)
{
	size_t which = 0;

	find_open_logs(follow);
	if (follow->open_count == 0) {
		cli_signals_sleep(limit_ns);
		return CLI_NEWS_NONE;
	}
	int result = shmlog_reader_wait_any(follow->readers, follow->open_count,
	                                    limit_ns, follow->poll_ns, &which);

	follow->no_news = result == 0;
	if (result < 0 && result != -EINTR)
		return fail(follow->open_logs[which], result, CLI_OK, batch);
	/* That log comes first: all others may be out of the caches. */
	follow->woken = result > 0;
	if (result > 0)
		follow->turn = follow->open_logs[which]->place;
	return CLI_NEWS_NONE;
}

/* ------------------------------------------------------------------ rounds */

/*
 * A round has four stages: the frames that are known, the ends, the names, and
 * the wait for more frames.  The first one begins with the names, and does not
 * wait.
 */
static void begin_stage(struct cli_follow *follow, enum cli_follow_stage stage)
{
	follow->stage = stage;
	follow->looked = 0;
}

static enum cli_news end(struct cli_batch *batch, enum cli_follow_end reason)
{
	batch->end = reason;
	return CLI_NEWS_ENDED;
}

static enum cli_news read_known(struct cli_follow *follow, uint64_t most,
                                struct cli_batch *batch)
{
	enum cli_news news = CLI_NEWS_NONE;

	if (!follow->timed_out)
		news = read_turn(follow, most, batch);
	if (news != CLI_NEWS_NONE) {
		/* Frames without an end keep no time limit from coming. */
		follow->timed_out = cli_ends_is_timed_out(&follow->ends);
		return news;
	}
	batch->no_news = follow->no_news;
	begin_stage(follow, CLI_STAGE_ENDS);
	return CLI_NEWS_NONE;
}

static enum cli_news check_ends(struct cli_follow *follow,
                                struct cli_batch *batch)
{
	if (cli_ends_is_timed_out(&follow->ends))
		return end(batch, CLI_END_TIMEOUT);
	if (follow->no_memory)
		return end(batch, CLI_END_NO_MEMORY);
	if (!has_logs(follow))
		return end(batch, CLI_END_NO_LOGS);
	bool gone = cli_ends_check_writer_gone(&follow->ends);

	follow->ending = gone || cli_ends_is_idle(&follow->ends);
	follow->end = gone ? CLI_END_WRITER_GONE : CLI_END_IDLE;
	follow->switched = false;
	begin_stage(follow, CLI_STAGE_NAMES);
	return CLI_NEWS_NONE;
}

/* Whether no name needs a look now: a round after each frame must be cheap. */
static bool can_skip_names(struct cli_follow *follow)
{
	return follow->looked == 0 && !follow->ending &&
	       !cli_name_watch_came(&follow->watch) &&
	       cli_now_ns() < follow->names_due_ns;
}

static enum cli_news check_names(struct cli_follow *follow,
                                 struct cli_batch *batch)
{
	if (can_skip_names(follow)) {
		begin_stage(follow, CLI_STAGE_WAITING);
		return CLI_NEWS_NONE;
	}
	enum cli_news news = look_at_names(follow, batch);

	if (news != CLI_NEWS_NONE)
		return news;
	/* An end is for logs that the names still lead to, or that nothing has
	 * taken the place of. */
	if (follow->ending && !follow->switched && !is_switch_pending(follow))
		return end(batch, follow->end);
	follow->names_due_ns = cli_now_ns() + names_pause(follow);
	begin_stage(follow, CLI_STAGE_WAITING);
	return CLI_NEWS_NONE;
}

static enum cli_news wait_for_frames(struct cli_follow *follow, int64_t most_ns,
                                     struct cli_batch *batch)
{
	begin_stage(follow, CLI_STAGE_READING);
	if (!follow->started) {
		follow->started = true;
		return CLI_NEWS_NONE;
	}
	return wait_for_logs(follow, limit_sleep(follow, most_ns), batch);
}

enum cli_news cli_follow_next(struct cli_follow *follow, uint64_t most,
                              int64_t most_ns, struct cli_batch *batch_out)
{
	enum cli_news news = CLI_NEWS_NONE;

	*batch_out = (struct cli_batch){0};
	free_log(follow->gone);
	follow->gone = NULL;
	while (news == CLI_NEWS_NONE) {
		switch (follow->stage) {
		case CLI_STAGE_READING:
			news = read_known(follow, most, batch_out);
			if (news == CLI_NEWS_NONE)
				return news;
			break;
		case CLI_STAGE_ENDS:
			news = check_ends(follow, batch_out);
			break;
		case CLI_STAGE_NAMES:
			news = check_names(follow, batch_out);
			break;
		case CLI_STAGE_WAITING:
			news = wait_for_frames(follow, most_ns, batch_out);
			break;
		}
	}
	if (news != CLI_NEWS_FRAMES)
		follow->open_known = false;
	return news;
}
