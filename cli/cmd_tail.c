/* Prints the last frames of a log, and those that follow. */
#include "common/clock.h"
#include "common/command.h"
#include "common/cursor_file.h"
#include "common/distinct.h"
#include "common/logs.h"
#include "common/message.h"
#include "common/nudge.h"
#include "common/numbers.h"
#include "common/output.h"
#include "common/position.h"
#include "common/render.h"
#include "common/signals.h"
#include "common/typed.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <shmlog.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
	OPTION_LINES,
	OPTION_FOLLOW,
	OPTION_FOLLOW_NAME,
	OPTION_OUTPUT,
	OPTION_TEMPLATE,
	OPTION_FROM,
	OPTION_CURSOR_FILE,
	OPTION_COUNT,
	OPTION_TIMEOUT,
	OPTION_IDLE,
	OPTION_PID,
	OPTION_POLL,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
};

static const struct cli_option tail_options[] = {
	[OPTION_LINES] =
		{.letter = 'n',
                 .name = "lines",
                 .value = "N",
                 .help = "begin with the last N frames (10); +N: the Nth"},
	[OPTION_FOLLOW] = {.letter = 'f',
                           .name = "follow",
                           .help = "go on with what is appended"},
	[OPTION_FOLLOW_NAME] =
		{.letter = 'F',
                 .name = "follow-name",
                 .help = "the same by name: wait for it, re-open it"},
	[OPTION_OUTPUT] =
		{.letter = 'o',
                 .name = "output",
                 .value = "FORMAT",
                 .help = "text (default), nul, json, hex, frames, raw"},
	[OPTION_TEMPLATE] = {.letter = 't',
                             .name = "template",
                             .value = "TEMPLATE",
                             .help = "print each frame by a template"},
	[OPTION_FROM] = {.name = "from",
                         .value = "POS",
                         .help = "begin with the frame at this position"},
	[OPTION_CURSOR_FILE] =
		{.name = "cursor-file",
                 .value = "FILE",
                 .help = "go on where FILE says, and keep it so"},
	[OPTION_COUNT] = {.name = "count",
                          .value = "N",
                          .help = "end after N frames"},
	[OPTION_TIMEOUT] = {.name = "timeout",
                            .value = "DURATION",
                            .help = "end a follow after this time: status 124"},
	[OPTION_IDLE] = {.name = "idle",
                         .value = "DURATION",
                         .help = "end a follow after this time of silence"},
	[OPTION_PID] = {.name = "pid",
                        .value = "PID",
                        .help = "end a follow after this process died"},
	[OPTION_POLL] = {.name = "poll",
                         .value = "DURATION",
                         .help = "look for frames at least this often"},
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
};

#define DEFAULT_LINES 10u
#define BATCH_FRAMES 256u
#define NS_PER_SECOND 1000000000
/* How long one sleep may last: signals aside, the other ends of a follow
 * (the output, the name, a process) are looked at this often.  A wake-up is
 * what costs, up to 0.1 ms of cold caches. */
#define SLICE_NS 200000000
/* How old the cursor file may get. */
#define SAVE_NS 100000000
/* A log that is being created is ready sooner than that. */
#define ATTACH_NS 10000000
/* Bytes of output after which a cursor is worth taking. */
#define CHECKPOINT_BYTES (256u * 1024u)

/* A log and a reader of it. */
struct source {
	struct shmlog *log;
	struct shmlog_reader *reader;
};

struct tail {
	/* What is wanted. */
	const char *path;
	bool follow;
	bool by_name;
	bool has_start; /* by -n or --from */
	bool from_nth;
	uint64_t lines; /* the last so many; from_nth: skip so many */
	struct cli_position from;
	bool has_from;
	const char *cursor_path; /* NULL: none */
	uint64_t left;           /* frames that may still be printed */
	int64_t timeout_ns;      /* negative: none */
	int64_t idle_ns;         /* negative: none */
	int64_t poll_ns;         /* 0: the library's own */
	pid_t pid;               /* 0: none */

	/* Where it stands. */
	struct cli_renderer renderer;
	struct cli_typed typed;
	struct cli_output output;
	struct cli_nudge nudge; /* when something happens to the name */
	struct source now;      /* log is NULL until there is one */
	struct source next;     /* where the name leads by now; likewise */
	uint64_t end;           /* cursor to stop at; UINT64_MAX in a follow */
	uint64_t rendered;      /* cursor behind what went into the output */
	uint64_t flushed;       /* ... and behind what has left it */
	uint64_t saved;         /* ... and what the cursor file says */
	int64_t saved_ns;
	int64_t started_ns;
	int64_t frame_ns; /* when the last frame came */
	int64_t name_ns;  /* when the name was last looked at */
	bool appeared;    /* the log was not there at first */
	bool quiet;  /* nothing was committed since the last frame was read */
	bool vented; /* the output took something: it is not closed */
	bool told_gone;
	bool pid_gone;
};

/* ----------------------------------------------------------------- cursor */

/* Saves the cursor of what has left the output. */
static int save_cursor(struct tail *tail)
{
	struct cli_cursor cursor = {.cursor = tail->flushed};

	tail->saved_ns = cli_now_ns();
	if (tail->cursor_path == NULL || tail->now.log == NULL)
		return CLI_OK;
	cursor.log = shmlog_identity(tail->now.log);
	tail->saved = tail->flushed;
	return cli_cursor_file_save(tail->cursor_path, &cursor);
}

/* Lets everything out; saves the cursor now and then. */
static int checkpoint(struct tail *tail)
{
	if (tail->output.used > 0)
		tail->vented = true;
	if (cli_output_flush(&tail->output) != 0)
		return CLI_OK; /* sticks, and is reported at the end */
	/* A reader that was slow to take a frame does not make it an old
	 * one. */
	if (tail->flushed != tail->rendered)
		tail->frame_ns = cli_now_ns();
	tail->flushed = tail->rendered;
	if (tail->flushed == tail->saved ||
	    cli_now_ns() - tail->saved_ns < SAVE_NS)
		return CLI_OK;
	return save_cursor(tail);
}

/* Starts counting anew at the reader's cursor. */
static int begin_at_cursor(struct tail *tail)
{
	tail->rendered = shmlog_reader_cursor(tail->now.reader);
	tail->flushed = tail->rendered;
	return save_cursor(tail);
}

/* ------------------------------------------------------------------- ends */

/* A call on the reader failed: the good frames first, then the news. */
static int stop(struct tail *tail, int status)
{
	if (cli_is_damage(status))
		cli_render_damage(&tail->renderer, &tail->output,
		                  shmlog_reader_fault(tail->now.reader));
	else if (status == SHMLOG_ERR_MAPPING_GONE ||
	         status == SHMLOG_ERR_WENT_BACK)
		cli_render_event(&tail->renderer, &tail->output, "shrunk", "");
	if (cli_output_flush(&tail->output) == 0)
		tail->flushed = tail->rendered;
	return cli_reader_failed(tail->path, tail->now.reader, status);
}

static int64_t since(int64_t start_ns)
{
	return cli_now_ns() - start_ns;
}

/* Whether the follow is over; then *status_out says how. */
static bool is_over(struct tail *tail, int *status_out)
{
	if (cli_signal_caught() != 0 || tail->output.error != 0 ||
	    tail->left == 0)
		return true;
	if (!tail->vented && cli_output_is_closed(&tail->output)) {
		tail->output.error = EPIPE;
		return true;
	}
	tail->vented = false;
	if (tail->timeout_ns >= 0 &&
	    since(tail->started_ns) >= tail->timeout_ns) {
		*status_out = CLI_TIMEOUT;
		return true;
	}
	return false;
}

static bool is_idle(const struct tail *tail)
{
	return tail->idle_ns >= 0 && since(tail->frame_ns) >= tail->idle_ns;
}

/* Whether the process that was to be watched is dead and all is printed. */
static bool is_writer_gone(struct tail *tail)
{
	if (tail->pid == 0)
		return false;
	if (tail->pid_gone)
		return true;
	/* It may have written up to its end: once more round. */
	tail->pid_gone = kill(tail->pid, 0) != 0 && errno == ESRCH;
	return false;
}

static void tell_writer_gone(struct tail *tail)
{
	char members[48];

	snprintf(members, sizeof(members), ",\"pid\":%ld", (long)tail->pid);
	cli_render_event(&tail->renderer, &tail->output, "writer_gone",
	                 members);
}

/* How long to sleep at most, so that no end is missed. */
static int64_t slice(const struct tail *tail)
{
	int64_t length = SLICE_NS;

	if (tail->timeout_ns >= 0 &&
	    tail->timeout_ns - since(tail->started_ns) < length)
		length = tail->timeout_ns - since(tail->started_ns);
	if (tail->idle_ns >= 0 &&
	    tail->idle_ns - since(tail->frame_ns) < length)
		length = tail->idle_ns - since(tail->frame_ns);
	if (tail->cursor_path != NULL && tail->flushed != tail->saved &&
	    SAVE_NS - since(tail->saved_ns) < length)
		length = SAVE_NS - since(tail->saved_ns);
	return length > 0 ? length : 0;
}

/* -------------------------------------------------------------- attaching */

/* Whether all words that are there are sound, and some are not there yet: a
 * header that is being written word by word. */
static bool is_half_written(const struct shmlog_header *header)
{
	const uint64_t words[] = {header->header_size, header->data_offset,
	                          header->size};
	bool missing = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i] == 0)
			missing = true;
		else if (words[i] < SHMLOG_HEADER_BYTES ||
		         words[i] > header->capacity)
			return false;
	}
	return missing;
}

/* Whether a log that is not there yet, or not ready, is worth waiting for. */
static bool is_worth_waiting(const struct tail *tail, int status)
{
	struct shmlog_header header;

	if (tail->by_name && status == -ENOENT)
		return true;
	if (!tail->follow)
		return false;
	if (status < SHMLOG_ERR_SIZE || status > SHMLOG_ERR_TOO_SHORT)
		return false;
	/* Good by now, of no length yet, or with words to come. */
	return shmlog_inspect(tail->path, &header) == 0 ||
	       header.capacity == 0 ||
	       (header.capacity >= SHMLOG_HEADER_BYTES &&
	        is_half_written(&header));
}

/*
 * Opens the log that the name leads to now.  *ready_out is false if that is
 * worth waiting for.  CLI_OK, or an exit status after a message.
 */
static int open_source(const struct tail *tail, struct source *source,
                       bool *ready_out, int *reason_out)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED};
	int status = shmlog_open(tail->path, &source->log);

	if (status == 0 &&
	    cli_check_output(tail->path, source->log) != CLI_OK) {
		shmlog_close(source->log);
		source->log = NULL;
		return CLI_USAGE;
	}
	*reason_out = status;
	*ready_out = status == 0;
	if (status != 0 && is_worth_waiting(tail, status))
		return CLI_OK;
	*ready_out = true;
	if (status != 0)
		return cli_open_reader(tail->path, &source->log,
		                       &source->reader);
	/* An append to this log that is fed by it would have no end. */
	if (tail->follow && status == 0)
		(void)shmlog_mark_output(source->log, STDOUT_FILENO);
	status = shmlog_reader_open(source->log, &options, &source->reader);
	if (status == 0)
		return CLI_OK;
	shmlog_close(source->log);
	return cli_fail(tail->path, "cannot read", status);
}

/* Opens the log, in a follow as soon as it is there. */
static int attach(struct tail *tail)
{
	struct timespec pause = {.tv_nsec = ATTACH_NS};
	struct source source;
	int status = CLI_OK;
	int reason;
	bool ready;

	while ((status = open_source(tail, &source, &ready, &reason)) ==
	               CLI_OK &&
	       !ready) {
		if (!tail->appeared)
			cli_message(tail->path, "waiting for the log: %s",
			            shmlog_strerror(reason));
		tail->appeared = true;
		if (is_over(tail, &status) || is_idle(tail))
			return status;
		if (is_writer_gone(tail)) {
			tell_writer_gone(tail);
			return status;
		}
		(void)cli_nudge_came(&tail->nudge);
		nanosleep(&pause, NULL);
	}
	if (status == CLI_OK)
		tail->now = source;
	return status;
}

/* ------------------------------------------------------------------ start */

/* Walks to the last `lines` of the good frames before damage, from the
 * start. */
static int go_before_damage(struct tail *tail)
{
	struct shmlog_frame frame;
	uint64_t good = 0;
	int result = shmlog_reader_seek(tail->now.reader, 0, NULL);

	while (result >= 0 &&
	       (result = shmlog_reader_next(tail->now.reader, &frame)) > 0)
		good++;
	if (!cli_is_damage(result) && result < 0)
		return stop(tail, result);
	result = shmlog_reader_seek(tail->now.reader, 0, NULL);
	for (uint64_t skip = good > tail->lines ? good - tail->lines : 0;
	     result >= 0 && skip > 0; skip--)
		result = shmlog_reader_next(tail->now.reader, &frame);
	return result < 0 ? stop(tail, result) : CLI_OK;
}

/* Walks back over the last `lines` frames. */
static int go_back(struct tail *tail)
{
	struct shmlog_frame frame;
	int result = shmlog_reader_seek_end(tail->now.reader);

	if (result < 0)
		return stop(tail, result);
	for (uint64_t walked = 0; walked < tail->lines; walked++) {
		result = shmlog_reader_prev(tail->now.reader, &frame);
		if (result == 0)
			break;
		if (cli_is_damage(result))
			return go_before_damage(tail);
		if (result < 0)
			return stop(tail, result);
	}
	return CLI_OK;
}

static int skip_frames(struct tail *tail)
{
	struct shmlog_frame frame;

	for (uint64_t skipped = 0; skipped < tail->lines; skipped++) {
		int result = shmlog_reader_next(tail->now.reader, &frame);

		if (result < 0)
			return stop(tail, result);
		if (result == 0 || cli_signal_caught() != 0)
			break;
	}
	return CLI_OK;
}

static int go_where_asked(struct tail *tail)
{
	if (tail->appeared)
		return CLI_OK; /* all of it is news */
	if (tail->has_from)
		return cli_position_seek(tail->now.log, tail->now.reader,
		                         &tail->from, false, tail->path);
	if (tail->from_nth)
		return skip_frames(tail);
	if (tail->cursor_path != NULL && !tail->has_start)
		return CLI_OK; /* a first run with a cursor skips nothing */
	return go_back(tail);
}

static int refuse_cursor(const struct tail *tail, const char *why)
{
	struct cli_quoted quoted;

	cli_message(tail->cursor_path,
	            "is the cursor of another log: %s %s; nothing was changed",
	            cli_quote(&quoted, tail->path), why);
	return CLI_OTHER_LOG;
}

static void tell_reopened(struct tail *tail)
{
	cli_message(tail->path, "was replaced; reading the new log from its "
	                        "start");
	cli_render_event(&tail->renderer, &tail->output, "reopened", "");
}

/* Goes on where the cursor file says, or where asked if there is none.  The end
 * of the log is loaded once for that, and held. */
static int go_to_start(struct tail *tail)
{
	struct cli_cursor cursor;
	bool found = false;
	int status = CLI_OK;

	if (tail->cursor_path != NULL)
		status = cli_cursor_file_load(tail->cursor_path, &cursor,
		                              &found);
	if (status != CLI_OK)
		return status;
	int result = shmlog_reader_hold_end(tail->now.reader);

	if (result < 0)
		return stop(tail, result);
	if (!found)
		return go_where_asked(tail);
	if (!cli_cursor_is_of(&cursor, tail->now.log)) {
		if (!tail->by_name)
			return refuse_cursor(tail, "is another file");
		tell_reopened(tail);
		return CLI_OK;
	}
	result = shmlog_reader_seek(tail->now.reader, cursor.cursor, NULL);
	if (result == SHMLOG_ERR_CURSOR &&
	    shmlog_reader_fault(tail->now.reader)->cursor == cursor.cursor)
		return refuse_cursor(tail, "has no frame at that cursor");
	return result < 0 ? stop(tail, result) : CLI_OK;
}

/* --------------------------------------------------------------- printing */

/* Prints all that is committed, up to the end of what is wanted; in a follow,
 * up to where the last look at the log has seen it: to look again is for the
 * wait. */
static int print_committed(struct tail *tail)
{
	struct shmlog_frame frames[BATCH_FRAMES];
	int status = CLI_OK;

	while (status == CLI_OK && tail->left > 0 && tail->output.error == 0 &&
	       cli_signal_caught() == 0 && tail->rendered < tail->end) {
		size_t most = tail->left < BATCH_FRAMES ? (size_t)tail->left
		                                        : BATCH_FRAMES;
		int result = shmlog_reader_next_batch(tail->now.reader, most, 0,
		                                      frames);

		if (result < 0)
			return stop(tail, result);
		if (result == 0)
			break;
		size_t count = cli_frames_before(frames, (size_t)result,
		                                 tail->end);

		cli_render_frames(&tail->renderer, &tail->output, frames,
		                  count);
		tail->left -= count;
		tail->rendered = frames[result - 1].next_cursor;
		/* A short batch has most likely caught up: let it out before
		 * looking for more. */
		if ((size_t)result < most ||
		    tail->output.used >= CHECKPOINT_BYTES)
			status = checkpoint(tail);
		if (!tail->follow)
			continue;
		if (tail->rendered ==
		            shmlog_reader_known_size(tail->now.reader) ||
		    (tail->timeout_ns >= 0 &&
		     since(tail->started_ns) >= tail->timeout_ns))
			break;
	}
	return status;
}

/* -------------------------------------------------------------- following */

static void tell_gone(struct tail *tail)
{
	if (tail->told_gone)
		return;
	tail->told_gone = true;
	cli_message(tail->path,
	            tail->by_name
	                    ? "is gone; waiting for a new log of that name"
	                    : "is gone; still following the old log");
}

static void close_source(struct source *source)
{
	shmlog_reader_close(source->reader);
	shmlog_close(source->log);
	*source = (struct source){0};
}

/* Opens the log that the name leads to now, if it is still there. */
static int open_next(struct tail *tail)
{
	struct source source;
	int reason;
	bool ready;
	int status = open_source(tail, &source, &ready, &reason);

	if (status == CLI_OK && ready)
		tail->next = source;
	return status;
}

/* Lets the new log of that name take the place of the old one, unless the
 * name has been given back. */
static int switch_log(struct tail *tail)
{
	tail->told_gone = false;
	tail->name_ns = 0; /* it may have gone on to another one since */
	if (shmlog_check_name(tail->now.log) == 0) {
		close_source(&tail->next);
		return CLI_OK;
	}
	close_source(&tail->now);
	tail->now = tail->next;
	tail->next = (struct source){0};
	tail->quiet = false;
	tail->pid_gone = false; /* what it wrote there is to be printed */
	tell_reopened(tail);
	return begin_at_cursor(tail);
}

/*
 * Looks whether the name still leads to the log, when something happened to
 * it and now and then in any case.  Once another one is ready there, it is
 * opened, so that it stays readable whatever becomes of its name, but what
 * was committed to the old one is printed first: the switch is made on the
 * next call.
 */
static int follow_name(struct tail *tail)
{
	struct shmlog_header header;

	if (tail->next.log != NULL)
		return switch_log(tail);
	if (!cli_nudge_came(&tail->nudge) &&
	    since(tail->name_ns) < (tail->by_name ? SLICE_NS : NS_PER_SECOND))
		return CLI_OK;
	tail->name_ns = cli_now_ns();
	int found = shmlog_check_name(tail->now.log);

	if (found == 0) {
		tail->told_gone = false;
		return CLI_OK;
	}
	if (tail->by_name && found == SHMLOG_ERR_REPLACED &&
	    !is_worth_waiting(tail, shmlog_inspect(tail->path, &header)))
		return open_next(tail);
	tell_gone(tail);
	return CLI_OK;
}

static int wait_for_more(struct tail *tail)
{
	bool has_more = tail->next.log != NULL || tail->pid_gone;
	int64_t length = has_more ? 0 : slice(tail);
	int result = shmlog_reader_wait(tail->now.reader, length,
	                                tail->poll_ns);

	tail->quiet = result == 0;
	return result < 0 && result != -EINTR ? stop(tail, result) : CLI_OK;
}

/* Follows the name; *ended_out says whether the follow ends by silence or by
 * the death of a process.  That is for a log alone that the name still leads
 * to, or that nothing has taken the place of. */
static int look_for_end(struct tail *tail, bool *ended_out)
{
	const struct shmlog *log = tail->now.log;
	bool gone = is_writer_gone(tail);
	bool ends = gone || is_idle(tail);

	if (ends && tail->by_name)
		tail->name_ns = 0; /* look, however short ago that was */
	int status = follow_name(tail);

	*ended_out = ends && tail->next.log == NULL && tail->now.log == log;
	if (*ended_out && gone && status == CLI_OK)
		tell_writer_gone(tail);
	return status;
}

static int follow(struct tail *tail)
{
	int status = CLI_OK;
	bool ended = false;

	while (status == CLI_OK && !ended) {
		if (!tail->quiet)
			status = print_committed(tail);
		if (status == CLI_OK)
			status = checkpoint(tail);
		if (status != CLI_OK || is_over(tail, &status))
			break;
		status = look_for_end(tail, &ended);
		if (status == CLI_OK && !ended)
			status = wait_for_more(tail);
	}
	return status;
}

static int tail_log(struct tail *tail)
{
	int status = attach(tail);

	if (status != CLI_OK || tail->now.log == NULL)
		return status;
	status = go_to_start(tail);
	if (status == CLI_OK)
		status = begin_at_cursor(tail);
	if (status != CLI_OK)
		return status;
	tail->end = UINT64_MAX;
	if (tail->follow) {
		shmlog_reader_release_end(tail->now.reader);
		return follow(tail);
	}
	int result = shmlog_reader_committed_size(tail->now.reader, &tail->end);

	return result < 0 ? stop(tail, result) : print_committed(tail);
}

/* ---------------------------------------------------------------- options */

static int parse_lines(const struct cli_args *args, struct tail *tail)
{
	const char *text = cli_args_value(args, OPTION_LINES);
	struct cli_quoted quoted;

	tail->lines = DEFAULT_LINES;
	tail->has_start = text != NULL;
	if (text == NULL)
		return CLI_OK;
	tail->from_nth = text[0] == '+';
	if (!cli_parse_u64(text + (text[0] == '+' || text[0] == '-'),
	                   &tail->lines))
		return cli_usage_error("--lines %s is no N, +N or -N",
		                       cli_quote(&quoted, text));
	/* The first frame is +1, and +0, as it is elsewhere. */
	if (tail->from_nth && tail->lines > 0)
		tail->lines--;
	return CLI_OK;
}

static int parse_duration(const struct cli_args *args, size_t option,
                          int64_t *ns_out)
{
	const char *text = cli_args_value(args, option);
	struct cli_quoted quoted;

	if (text == NULL || cli_parse_duration(text, ns_out))
		return CLI_OK;
	return cli_usage_error("--%s %s is no DURATION such as 250us, 10ms, "
	                       "1.5s or 2m",
	                       tail_options[option].name,
	                       cli_quote(&quoted, text));
}

static int parse_ends(const struct cli_args *args, struct tail *tail)
{
	const char *count = cli_args_value(args, OPTION_COUNT);
	const char *pid = cli_args_value(args, OPTION_PID);
	struct cli_quoted quoted;
	uint64_t number;
	int status;

	tail->left = UINT64_MAX;
	tail->timeout_ns = tail->idle_ns = -1;
	if (count != NULL && !cli_parse_u64(count, &tail->left))
		return cli_usage_error("--count %s is no number of frames",
		                       cli_quote(&quoted, count));
	if (pid != NULL) {
		if (!cli_parse_u64(pid, &number) || number == 0 ||
		    number > INT_MAX)
			return cli_usage_error("--pid %s is no process id",
			                       cli_quote(&quoted, pid));
		tail->pid = (pid_t)number;
	}
	status = parse_duration(args, OPTION_TIMEOUT, &tail->timeout_ns);
	if (status == CLI_OK)
		status = parse_duration(args, OPTION_IDLE, &tail->idle_ns);
	if (status == CLI_OK)
		status = parse_duration(args, OPTION_POLL, &tail->poll_ns);
	if (status == CLI_OK && tail->poll_ns == 0 &&
	    cli_args_count(args, OPTION_POLL) > 0)
		return cli_usage_error("--poll must be longer than 0");
	return status;
}

static int parse_options(const struct cli_args *args, struct tail *tail)
{
	static const struct cli_typed_places places = {
		OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS};
	const char *from = cli_args_value(args, OPTION_FROM);
	int status = parse_lines(args, tail);

	tail->path = cli_args_operand(args, 0);
	tail->by_name = cli_args_count(args, OPTION_FOLLOW_NAME) > 0;
	tail->follow = tail->by_name || cli_args_count(args, OPTION_FOLLOW) > 0;
	tail->cursor_path = cli_args_value(args, OPTION_CURSOR_FILE);
	if (status == CLI_OK)
		status = parse_ends(args, tail);
	if (status == CLI_OK && from != NULL) {
		if (tail->has_start)
			return cli_usage_error(
				"--lines and --from exclude each other");
		tail->has_start = tail->has_from = true;
		status = cli_position_parse(from, &tail->from);
	}
	if (status != CLI_OK)
		return status;
	status = cli_renderer_init(
		&tail->renderer, cli_args_value(args, OPTION_OUTPUT),
		cli_args_value(args, OPTION_TEMPLATE), STDOUT_FILENO);
	if (status == CLI_OK)
		status = cli_typed_init(&tail->typed, args, places, tail->path);
	if (status == CLI_OK)
		status = cli_renderer_set_type(&tail->renderer, &tail->typed);
	return status;
}

/* What tail writes must not be the log, also where neither is there yet; a log
 * that is there is found to be no cursor file. */
static int check_distinct(const struct tail *tail)
{
	if (cli_check_output(tail->path, NULL) != CLI_OK)
		return CLI_USAGE;
	if (tail->cursor_path == NULL ||
	    access(tail->cursor_path, F_OK) == 0 ||
	    !cli_is_same_path(tail->cursor_path, tail->path))
		return CLI_OK;
	cli_message(tail->cursor_path,
	            "is the log itself; nothing was changed");
	return CLI_USAGE;
}

static int tail_run(const struct cli_args *args)
{
	struct tail tail = {0};
	int status = parse_options(args, &tail);

	if (status == CLI_OK)
		status = check_distinct(&tail);
	if (status != CLI_OK)
		goto release_renderer;
	int result = cli_output_init(&tail.output, STDOUT_FILENO);

	if (result != 0) {
		status = cli_fail(NULL, "cannot start", result);
		goto release_renderer;
	}
	cli_signals_catch();
	cli_signals_guard_mappings();
	tail.started_ns = tail.frame_ns = tail.name_ns = cli_now_ns();
	tail.nudge.fd = -1;
	if (tail.by_name)
		cli_nudge_begin(&tail.nudge, tail.path);
	status = cli_typed_status(&tail.typed, tail_log(&tail));
	if (cli_output_flush(&tail.output) == 0)
		tail.flushed = tail.rendered;
	if (tail.flushed != tail.saved) {
		int saved = save_cursor(&tail);

		status = status == CLI_OK ? saved : status;
	}
	close_source(&tail.now);
	close_source(&tail.next);
	cli_nudge_end(&tail.nudge);
	status = cli_output_finish(&tail.output, status);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
release_renderer:
	cli_renderer_release(&tail.renderer);
	cli_typed_release(&tail.typed);
	return status;
}

const struct cli_command cmd_tail = {
	.name = "tail",
	.summary = "print the last frames of a log, and those that follow",
	.operands = "LOG",
	.options = tail_options,
	.option_count = sizeof(tail_options) / sizeof(tail_options[0]),
	.min_operands = 1,
	.max_operands = 1,
	.notes = "A POS is start, end, N (a cursor), -N (N frames before the "
		 "end), frame:N,\nframe:-N, offset:N or offset:0xN.",
	.run = tail_run,
};
