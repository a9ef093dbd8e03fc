/* Prints the last frames of a log, and those that follow. */
#include "awaited_process.h"
#include "clock.h"
#include "command.h"
#include "cursor_file.h"
#include "delivery.h"
#include "distinct.h"
#include "failure.h"
#include "follow.h"
#include "message.h"
#include "numbers.h"
#include "open_log.h"
#include "options.h"
#include "output_format.h"
#include "position.h"
#include "signals.h"
#include "stdout_buffer.h"
#include "typed.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <shmlog.h>
#include <stdio.h>
#include <string.h>
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
	CLI_FORMAT_OPTIONS(OPTION_OUTPUT, OPTION_TEMPLATE),
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
/* How long one sleep may last: signals aside, the other ends of a follow
 * (the output, the name, a process) are looked at this often.  A wake-up is
 * what costs, up to 0.1 ms of cold caches. */
#define SLICE_NS 200000000
/* How old the cursor file may get. */
#define SAVE_NS 100000000
/* Bytes of output after which a cursor is worth taking. */
#define CHECKPOINT_BYTES (256u * 1024u)

/* How long a reader may take nothing once the time is out; and once nothing
 * else is left to wait for, where it may yet take all of it. */
#define TIMEOUT_PATIENCE_NS 200000000
#define END_PATIENCE_NS 1000000000
/* A walk looks that often whether it is still wanted. */
#define WALK_FRAMES 4096u

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
	const char *cursor_path;    /* NULL: none */
	uint64_t left;              /* frames that may still be printed */
	int64_t timeout_ns;         /* negative: none */
	int64_t idle_ns;            /* negative: none */
	int64_t poll_ns;            /* 0: the library's own */
	struct cli_process process; /* pid 0: none */

	/* Where it stands. */
	struct cli_renderer renderer;
	struct cli_typed typed;
	struct cli_output output;
	struct cli_delivery delivery; /* with a cursor file */
	struct cli_follow follows;
	uint64_t end;      /* cursor to stop at; UINT64_MAX in a follow */
	uint64_t rendered; /* cursor behind what went into the output */
	uint64_t flushed;  /* ... and behind what has left it */
	uint64_t saved;    /* ... and what the cursor file says */
	int64_t saved_ns;
	int64_t started_ns;
	int64_t frame_ns; /* when the last frame came */
	bool cut_short;   /* the walk to where printing begins */
	bool appeared;    /* the log was not there at first */
	bool quiet;  /* nothing was committed since the last frame was read */
	bool vented; /* the output took something: it is not closed */
	bool pid_gone;
};

static struct shmlog_reader *reader_of(const struct tail *tail)
{
	return tail->follows.now.reader;
}

/* ----------------------------------------------------------------- cursor */

/* Saves the cursor of what has left the output. */
static int save_cursor(struct tail *tail)
{
	struct cli_cursor cursor = {.cursor = tail->flushed};

	tail->saved_ns = cli_now_ns();
	if (tail->cursor_path == NULL || tail->follows.now.log == NULL)
		return CLI_OK;
	cursor.log = shmlog_identity(tail->follows.now.log);
	tail->saved = tail->flushed;
	/* Whatever it was at the start: the log would lose its name. */
	if (cli_cursor_is_in_log(tail->cursor_path, &cursor)) {
		cli_message(tail->cursor_path,
		            "is the log itself; the cursor was not saved");
		return CLI_USAGE;
	}
	int status = cli_cursor_file_save(tail->cursor_path, &cursor);

	if (status == -EMFILE && cli_follow_spare(&tail->follows))
		status = cli_cursor_file_save(tail->cursor_path, &cursor);
	return status == 0 ? CLI_OK
	                   : cli_fail(tail->cursor_path,
	                              "cannot save the cursor", status);
}

/*
 * The cursor behind the last frame that is whole within what was written: from
 * the last place that is known, frames are rendered once more and measured.
 */
static uint64_t measure_delivered(struct tail *tail,
                                  const struct cli_mark *mark)
{
	struct shmlog_frame frame;
	struct cli_output scale;
	uint64_t bytes = mark->bytes, cursor = mark->cursor;
	uint64_t index = mark->index;

	if (shmlog_reader_seek(reader_of(tail), cursor, NULL) != 0 ||
	    cli_output_init_memory(&scale) != 0)
		return cursor;
	while (cursor < tail->rendered &&
	       shmlog_reader_next(reader_of(tail), &frame) == 1) {
		/* As it was: a number has digits, an unknown one none. */
		frame.index = index;
		cli_render_frame(&tail->renderer, &scale, &frame);
		bytes += scale.used;
		scale.used = 0;
		if (scale.error != 0 || bytes > tail->output.written)
			break;
		cursor = frame.next_cursor;
		index += index != SHMLOG_INDEX_UNKNOWN;
	}
	cli_output_release(&scale);
	return cursor;
}

/* Of an output that was given up, what had left it by then counts. */
static void note_delivered(struct tail *tail)
{
	const struct cli_mark *mark;

	if (!cli_output_gave_up(&tail->output))
		return;
	mark = cli_delivery_find(&tail->delivery, tail->output.written);
	if (mark != NULL && mark->cursor >= tail->flushed)
		tail->flushed = measure_delivered(tail, mark);
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
	tail->rendered = shmlog_reader_cursor(reader_of(tail));
	tail->flushed = tail->rendered;
	/* What was told of another log's output is of no use here. */
	tail->delivery.count = 0;
	return save_cursor(tail);
}

/* ------------------------------------------------------------------- ends */

/* A call on the reader failed: the good frames first, then the news. */
static int stop(struct tail *tail, int status)
{
	if (cli_is_damage(status))
		cli_render_damage(&tail->renderer, &tail->output,
		                  shmlog_reader_fault(reader_of(tail)));
	else if (status == SHMLOG_ERR_MAPPING_GONE ||
	         status == SHMLOG_ERR_WENT_BACK)
		cli_render_event(&tail->renderer, &tail->output, "shrunk", "");
	if (cli_output_flush(&tail->output) == 0)
		tail->flushed = tail->rendered;
	return cli_reader_failed(tail->path, reader_of(tail), status);
}

static int64_t since(int64_t start_ns)
{
	return cli_now_ns() - start_ns;
}

static bool is_timed_out(const struct tail *tail)
{
	return tail->timeout_ns >= 0 &&
	       since(tail->started_ns) >= tail->timeout_ns;
}

/* A reader that takes nothing keeps no end of a follow from coming. */
static bool gives_up(void *context, int64_t stalled_ns)
{
	const struct tail *tail = context;

	if (!tail->follow)
		return false;
	if (is_timed_out(tail) && stalled_ns >= TIMEOUT_PATIENCE_NS)
		return true;
	if (stalled_ns < END_PATIENCE_NS)
		return false;
	return (tail->idle_ns >= 0 && stalled_ns >= tail->idle_ns) ||
	       (tail->process.pid != 0 && cli_process_is_gone(&tail->process));
}

/* The output was given up; the exit status. */
static int end_undelivered(struct tail *tail)
{
	if (cli_signal_caught() != 0)
		return CLI_OK;
	cli_message(tail->path,
	            "standard output takes nothing any more: what follows "
	            "cursor %" PRIu64 " is not all written",
	            tail->flushed);
	return is_timed_out(tail) ? CLI_TIMEOUT : CLI_SYSTEM;
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
	if (is_timed_out(tail)) {
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
	if (tail->process.pid == 0)
		return false;
	if (tail->pid_gone)
		return true;
	/* It may have written up to its end: once more round. */
	tail->pid_gone = cli_process_is_gone(&tail->process);
	return false;
}

static void tell_writer_gone(struct tail *tail)
{
	char members[48];

	snprintf(members, sizeof(members), ",\"pid\":%ld",
	         (long)tail->process.pid);
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
	if (cli_follow_pause(&tail->follows) < length)
		length = cli_follow_pause(&tail->follows);
	return length > 0 ? length : 0;
}

/* -------------------------------------------------------------- attaching */

/* Opens the log, in a follow as soon as it is there.  None is open if the
 * follow ends before. */
static int attach(struct tail *tail)
{
	bool ready = false;

	for (;;) {
		int status = cli_follow_open(&tail->follows, &ready);

		if (status != CLI_OK || ready)
			return status;
		tail->appeared = true;
		if (is_over(tail, &status) || is_idle(tail))
			return status;
		if (is_writer_gone(tail)) {
			tell_writer_gone(tail);
			return status;
		}
		cli_follow_rest(&tail->follows, slice(tail));
	}
}

/* ------------------------------------------------------------------ start */

/* Whether a walk that has come over so many frames is to go on.  If not, it
 * stands at no place where anything begins. */
static bool is_walk_wanted(struct tail *tail, uint64_t walked)
{
	if (walked == 0 || walked % WALK_FRAMES != 0)
		return true;
	tail->cut_short = cli_signal_caught() != 0 ||
	                  (tail->follow && is_timed_out(tail));
	return !tail->cut_short;
}

/* Walks to the last `lines` of the good frames before damage, from the
 * start. */
static int go_before_damage(struct tail *tail)
{
	struct shmlog_frame frame;
	uint64_t good = 0;
	int result = shmlog_reader_seek(reader_of(tail), 0, NULL);

	while (result >= 0 && is_walk_wanted(tail, good) &&
	       (result = shmlog_reader_next(reader_of(tail), &frame)) > 0)
		good++;
	if (!cli_is_damage(result) && result < 0)
		return stop(tail, result);
	result = shmlog_reader_seek(reader_of(tail), 0, NULL);
	for (uint64_t skip = good > tail->lines ? good - tail->lines : 0;
	     result >= 0 && skip > 0 && is_walk_wanted(tail, skip); skip--)
		result = shmlog_reader_next(reader_of(tail), &frame);
	return result < 0 ? stop(tail, result) : CLI_OK;
}

/* Walks back over the last `lines` frames. */
static int go_back(struct tail *tail)
{
	struct shmlog_frame frame;
	int result = shmlog_reader_seek_end(reader_of(tail));

	if (result < 0)
		return stop(tail, result);
	for (uint64_t walked = 0;
	     walked < tail->lines && is_walk_wanted(tail, walked); walked++) {
		result = shmlog_reader_prev(reader_of(tail), &frame);
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
		int result = shmlog_reader_next(reader_of(tail), &frame);

		if (result < 0)
			return stop(tail, result);
		if (result == 0 || !is_walk_wanted(tail, skipped))
			break;
	}
	return CLI_OK;
}

static int go_where_asked(struct tail *tail)
{
	if (tail->appeared)
		return CLI_OK; /* all of it is news */
	if (tail->has_from)
		return cli_position_seek(tail->follows.now.log, reader_of(tail),
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
	int result = shmlog_reader_hold_end(reader_of(tail));

	if (result < 0)
		return stop(tail, result);
	if (!found)
		return go_where_asked(tail);
	if (!cli_cursor_is_of(&cursor, tail->follows.now.log)) {
		if (!tail->by_name)
			return refuse_cursor(tail, "is another file");
		tell_reopened(tail);
		return CLI_OK;
	}
	result = shmlog_reader_seek(reader_of(tail), cursor.cursor, NULL);
	if (result == SHMLOG_ERR_CURSOR &&
	    shmlog_reader_fault(reader_of(tail))->cursor == cursor.cursor)
		return refuse_cursor(tail, "has no frame at that cursor");
	return result < 0 ? stop(tail, result) : CLI_OK;
}

/* --------------------------------------------------------------- printing */

/* Renders frames, and notes where they begin. */
static void render(struct tail *tail, const struct shmlog_frame *frames,
                   size_t count)
{
	struct cli_output *output = &tail->output;
	const struct cli_mark mark = {.bytes = output->written + output->used,
	                              .cursor = frames->cursor,
	                              .index = frames->index};

	if (count > 0 && tail->cursor_path != NULL)
		cli_delivery_note(&tail->delivery, &mark, output->written);
	cli_render_frames(&tail->renderer, output, frames, count);
}

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
		int result = shmlog_reader_next_batch(reader_of(tail), most, 0,
		                                      frames);

		if (result < 0)
			return stop(tail, result);
		if (result == 0)
			break;
		size_t count = cli_frames_before(frames, (size_t)result,
		                                 tail->end);

		render(tail, frames, count);
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
		            shmlog_reader_known_size(reader_of(tail)) ||
		    is_timed_out(tail))
			break;
	}
	return status;
}

/* -------------------------------------------------------------- following */

/* Looks at the name, and goes over to another log that has it by now. */
static int follow_name(struct tail *tail)
{
	bool switched;
	int status = cli_follow_look(&tail->follows, &switched);

	if (status != CLI_OK || !switched)
		return status;
	if (tail->follows.now.log == NULL)
		status = attach(tail);
	if (status != CLI_OK || tail->follows.now.log == NULL)
		return status;
	tail->quiet = false;
	tail->pid_gone = false; /* what it wrote there is to be printed */
	tell_reopened(tail);
	return begin_at_cursor(tail);
}

static int wait_for_more(struct tail *tail)
{
	int64_t length = tail->pid_gone ? 0 : slice(tail);

	if (tail->quiet)
		cli_output_rest(&tail->output);
	int result = shmlog_reader_wait(reader_of(tail), length, tail->poll_ns);

	tail->quiet = result == 0;
	return result < 0 && result != -EINTR ? stop(tail, result) : CLI_OK;
}

/* Follows the name; *ended_out says whether the follow ends by silence or by
 * the death of a process.  That is for a log alone that the name still leads
 * to, or that nothing has taken the place of. */
static int look_for_end(struct tail *tail, bool *ended_out)
{
	const struct shmlog *log = tail->follows.now.log;
	bool gone = is_writer_gone(tail);
	bool ends = gone || is_idle(tail);

	if (ends && tail->by_name)
		cli_follow_look_soon(&tail->follows);
	int status = follow_name(tail);

	*ended_out = tail->follows.now.log == NULL ||
	             (ends && tail->follows.next.log == NULL &&
	              tail->follows.now.log == log);
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

	if (status != CLI_OK || tail->follows.now.log == NULL)
		return status;
	status = go_to_start(tail);
	if (tail->cut_short)
		return cli_signal_caught() != 0 ? CLI_OK : CLI_TIMEOUT;
	if (status == CLI_OK)
		status = begin_at_cursor(tail);
	if (status != CLI_OK)
		return status;
	tail->end = UINT64_MAX;
	if (tail->follow) {
		shmlog_reader_release_end(reader_of(tail));
		return follow(tail);
	}
	int result = shmlog_reader_committed_size(reader_of(tail), &tail->end);

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
		cli_process_init(&tail->process, (pid_t)number);
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
	if (tail->cursor_path != NULL && strcmp(tail->cursor_path, "-") == 0)
		return cli_usage_error("--cursor-file - is no file that can be "
		                       "replaced; ./- is one of that name");
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
	if (tail->cursor_path == NULL || access(tail->cursor_path, F_OK) == 0 ||
	    !cli_is_same_path(tail->cursor_path, tail->path))
		return CLI_OK;
	cli_message(tail->cursor_path,
	            "is the log itself; nothing was changed");
	return CLI_USAGE;
}

/* Each log that is opened must not be what is printed to.  An append to it that
 * is fed by this follow would have no end: the mark lets it see that. */
static int check_opened(void *context, struct shmlog *log)
{
	const struct tail *tail = context;
	int status = cli_check_output(tail->path, log);

	if (status == CLI_OK && tail->follow)
		(void)shmlog_mark_output(log, STDOUT_FILENO);
	return status;
}

/* Lets out what is left, and says where the next run goes on. */
static int finish(struct tail *tail, int status)
{
	if (cli_output_flush(&tail->output) == 0)
		tail->flushed = tail->rendered;
	note_delivered(tail);
	if (cli_output_gave_up(&tail->output)) {
		int given_up = end_undelivered(tail);

		status = status == CLI_OK ? given_up : status;
	}
	if (tail->flushed != tail->saved) {
		int saved = save_cursor(tail);

		status = status == CLI_OK ? saved : status;
	}
	return status;
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
	tail.output.gives_up = gives_up;
	tail.output.context = &tail;
	cli_signals_catch();
	cli_signals_guard_mappings();
	if (tail.follow)
		cli_message_never_wait();
	tail.started_ns = tail.frame_ns = cli_now_ns();
	cli_follow_begin(&tail.follows, tail.path,
	                 tail.by_name  ? CLI_FOLLOW_NAME
	                 : tail.follow ? CLI_FOLLOW_FILE
	                               : CLI_FOLLOW_NOT);
	tail.follows.opened = check_opened;
	tail.follows.context = &tail;
	status = cli_typed_status(&tail.typed, tail_log(&tail));
	status = finish(&tail, status);
	cli_follow_end(&tail.follows);
	cli_delivery_release(&tail.delivery);
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
