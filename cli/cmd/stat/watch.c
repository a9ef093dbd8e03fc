/* Watches how fast a log fills. */
#include "watch.h"

#include "clock.h"
#include "color.h"
#include "command.h"
#include "condition.h"
#include "failure.h"
#include "json_write.h"
#include "message.h"
#include "open_log.h"
#include "picture.h"
#include "rows.h"
#include "signals.h"
#include "span.h"
#include "terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH_FRAMES 256u
#define BAR_WIDTH 20u
/* Where a line has fewer columns, the sparkline has some of the bar's. */
#define SHORT_BAR_WIDTH 10u
#define ROOMY_COLUMNS 100u
/* How many intervals a sparkline shows, where there is room for all. */
#define HISTORY 30u
/* How often the output is checked for a reader while nothing is printed. */
#define SLICE_NS 200000000

/* The facts of one interval. */
struct watch_facts {
	const char *path;
	double interval_seconds;
	uint64_t frames;
	uint64_t bytes; /* committed in the interval, size words counted */
	double frames_per_second;
	double bytes_per_second;
	uint64_t capacity;
	uint64_t committed_bytes;
	uint64_t free_bytes;
	double used_percent;
	double seconds_to_full;
};

#define KNOWS_END 1u /* at this rate the log will be full some day */

#define ROW(key_, kind_, member, needs_)                       \
	{                                                      \
		.key = key_, .kind = kind_, .needs = needs_,   \
		.offset = offsetof(struct watch_facts, member) \
	}

static const struct cli_row watch_rows[] = {
	ROW("path", CLI_ROW_TEXT, path, 0),
	ROW("interval_seconds", CLI_ROW_DECIMAL, interval_seconds, 0),
	ROW("frames", CLI_ROW_COUNT, frames, 0),
	ROW("bytes", CLI_ROW_BYTES, bytes, 0),
	ROW("frames_per_second", CLI_ROW_DECIMAL, frames_per_second, 0),
	ROW("bytes_per_second", CLI_ROW_DECIMAL, bytes_per_second, 0),
	ROW("capacity", CLI_ROW_BYTES, capacity, 0),
	ROW("committed_bytes", CLI_ROW_BYTES, committed_bytes, 0),
	ROW("used_percent", CLI_ROW_PERCENT, used_percent, 0),
	ROW("free_bytes", CLI_ROW_BYTES, free_bytes, 0),
	ROW("seconds_to_full", CLI_ROW_DECIMAL, seconds_to_full, KNOWS_END),
};

struct watch {
	const char *path;
	struct cli_watch_options options;
	struct shmlog *log;
	struct shmlog_reader *reader;
	struct cli_output output;
	double history[HISTORY]; /* bytes a second, the latest at the end */
	size_t history_count;
	bool line_open; /* the line that is written over needs its end */
};

/* --------------------------------------------------------------- the facts */

/* Reads the frames committed since the last time, up to the end as it is now: a
 * fast writer must not keep this process reading for ever. */
static int read_on(struct watch *watch, struct watch_facts *facts)
{
	struct shmlog_frame frames[BATCH_FRAMES];
	uint64_t before = shmlog_reader_cursor(watch->reader);
	uint64_t end;
	int count = shmlog_reader_committed_size(watch->reader, &end);

	while (count >= 0 && shmlog_reader_cursor(watch->reader) < end) {
		count = shmlog_reader_next_batch(watch->reader, BATCH_FRAMES, 0,
		                                 frames);
		if (count <= 0)
			break;
		facts->frames += (uint64_t)count;
	}
	facts->committed_bytes = shmlog_reader_cursor(watch->reader);
	facts->bytes = facts->committed_bytes - before;
	return count < 0 ? count : 0;
}

/* Fills in the facts of the last `span_ns`.  Returns a status of the
 * library. */
static int look(struct watch *watch, int64_t span_ns, struct watch_facts *facts,
                unsigned *known_out)
{
	double seconds = (double)span_ns / 1e9;
	struct shmlog_header header;
	uint64_t room;
	int status = read_on(watch, facts);

	if (status == 0)
		status = shmlog_read_header(watch->log, &header);
	if (status != 0)
		return status;
	room = header.capacity - header.data_offset;
	/* The file may have been changed between the two looks. */
	if (room < facts->committed_bytes)
		room = facts->committed_bytes;
	facts->path = watch->path;
	facts->interval_seconds = seconds;
	facts->frames_per_second = (double)facts->frames / seconds;
	facts->bytes_per_second = (double)facts->bytes / seconds;
	facts->capacity = header.capacity;
	facts->free_bytes = room - facts->committed_bytes;
	facts->used_percent = cli_used_percent(facts->committed_bytes, room);
	*known_out = 0;
	if (facts->bytes > 0 || facts->free_bytes == 0)
		*known_out |= KNOWS_END;
	if (facts->bytes > 0)
		facts->seconds_to_full = (double)facts->free_bytes /
		                         facts->bytes_per_second;
	return 0;
}

/* ---------------------------------------------------------------- the line */

static void remember_rate(struct watch *watch, double rate)
{
	memmove(watch->history, watch->history + 1,
	        sizeof(watch->history) - sizeof(watch->history[0]));
	watch->history[HISTORY - 1] = rate;
	if (watch->history_count < HISTORY)
		watch->history_count++;
}

static unsigned style_of(const struct watch *watch, unsigned style)
{
	return watch->options.color ? style : CLI_STYLE_PLAIN;
}

/* The rates of late, in the columns that a line leaves.  Returns how many it
 * takes. */
static size_t print_sparkline(struct watch *watch, size_t columns)
{
	size_t count = watch->history_count;
	char line[CLI_PICTURE_BYTES(HISTORY)];

	unsigned style = style_of(watch, CLI_STYLE_NUMBER);

	if (columns < 2)
		return 0;
	if (count > columns - 2)
		count = columns - 2;
	cli_draw_sparkline(line, watch->history + HISTORY - count, count,
	                   cli_glyphs_of(STDOUT_FILENO));
	cli_output_format(&watch->output, "  %s%s%s", cli_style_begin(style),
	                  line, cli_style_end(style));
	return count + 2;
}

/* Prints the first columns of a line, and its bar in a style. */
static void print_line(struct watch *watch, const char *line, size_t columns,
                       double percent)
{
	unsigned style = style_of(watch, cli_style_of_fill(percent));
	size_t begin = strcspn(line, "["), end = strcspn(line, "]");

	begin = begin < columns ? begin : columns;
	end = end < columns ? end : columns;
	cli_output_bytes(&watch->output, line, begin);
	cli_output_string(&watch->output, cli_style_begin(style));
	cli_output_bytes(&watch->output, line + begin, end - begin);
	cli_output_string(&watch->output, cli_style_end(style));
	cli_output_bytes(&watch->output, line + end, columns - end);
}

static void print_text(struct watch *watch, const struct watch_facts *facts,
                       unsigned known)
{
	struct cli_scaled_text scaled;
	struct cli_span_text span;
	char bar[BAR_WIDTH + 1], line[256];
	size_t columns = cli_terminal_width(STDOUT_FILENO) - 1, used;
	const char *end = (known & KNOWS_END) == 0 ? "idle"
	                  : facts->free_bytes == 0
	                          ? "full"
	                          : cli_span_describe(&span,
	                                              facts->seconds_to_full);
	bool in_place = watch->options.style == CLI_WATCH_IN_PLACE;

	cli_draw_bar(bar,
	             in_place && columns < ROOMY_COLUMNS ? SHORT_BAR_WIDTH
	                                                 : BAR_WIDTH,
	             facts->used_percent / 100);
	snprintf(line, sizeof(line), "%.1f frames/s  %s/s  [%s] %.2f %%  %s%s",
	         facts->frames_per_second,
	         cli_scale_bytes(&scaled, facts->bytes_per_second), bar,
	         facts->used_percent, end == span.text ? "full in " : "", end);
	if (!in_place) {
		print_line(watch, line, strlen(line), facts->used_percent);
		cli_output_string(&watch->output, "\n");
		return;
	}
	/* A line that wraps cannot be overwritten, and one that reaches the
	 * last column may wrap. */
	used = strlen(line) < columns ? strlen(line) : columns;
	cli_output_string(&watch->output, "\r");
	print_line(watch, line, used, facts->used_percent);
	remember_rate(watch, facts->bytes_per_second);
	used += print_sparkline(watch, columns - used);
	/* What is left of a longer line before goes. */
	if (cli_terminal_can_erase(STDOUT_FILENO))
		cli_output_string(&watch->output, "\x1b[K");
	else
		cli_output_format(&watch->output, "%*s", (int)(columns - used),
		                  "");
	watch->line_open = true;
}

static struct cli_object *make_object(const struct watch_facts *facts,
                                      unsigned known)
{
	struct cli_object *object = cli_object_new();

	cli_report_json(object, watch_rows,
	                sizeof(watch_rows) / sizeof(watch_rows[0]), facts,
	                known);
	return object;
}

static void print_facts(struct watch *watch, const struct watch_facts *facts,
                        unsigned known)
{
	if (watch->options.style == CLI_WATCH_JSON)
		cli_report_line(&watch->output, make_object(facts, known));
	else
		print_text(watch, facts, known);
}

/* Whether what is awaited has come.  CLI_OK, or a status after a message. */
static int judge_facts(struct watch *watch, const struct watch_facts *facts,
                       unsigned known, bool *holds_out)
{
	struct cli_object *object;
	char *json;
	int status;

	*holds_out = false;
	if (watch->options.until == NULL)
		return CLI_OK;
	object = make_object(facts, known);
	json = cli_object_print(object);
	cli_object_free(object);
	status = json != NULL
	                 ? cli_condition_judge(watch->options.until,
	                                       watch->path, json, strlen(json),
	                                       holds_out)
	                 : cli_fail(watch->path, "cannot be judged", -ENOMEM);
	free(json);
	return status;
}

static void end_line(struct watch *watch)
{
	if (watch->line_open)
		cli_output_string(&watch->output, "\n");
	watch->line_open = false;
	(void)cli_output_flush(&watch->output);
}

/* ----------------------------------------------------------------- the end */

/* Reports a failed look; returns the exit status. */
static int refuse(struct watch *watch, int status)
{
	end_line(watch);
	return cli_reader_failed(watch->path, watch->reader, status);
}

/* Reports a file that has lost its name: processes that open the log now write
 * to another file. */
static int check_name(struct watch *watch)
{
	int status = shmlog_check_name(watch->log);

	if (status == 0)
		return CLI_OK;
	end_line(watch);
	return cli_fail(watch->path, "cannot be watched any more", status);
}

/* Sleeps until a time, a signal, or until the reader of the output has gone. */
static void sleep_until(struct watch *watch, int64_t then)
{
	int64_t left;

	while ((left = then - cli_now_ns()) > 0 && cli_signal_caught() == 0 &&
	       watch->output.error == 0) {
		cli_signals_sleep(left < SLICE_NS ? left : SLICE_NS);
		if (cli_output_is_closed(&watch->output))
			watch->output.error = EPIPE;
	}
}

/* The next of the fixed points in time, so that intervals do not drift; missed
 * points are skipped.  INT64_MAX where the sum would overflow. */
static int64_t next_point(int64_t last, int64_t now, int64_t interval_ns)
{
	int64_t passed = (now - last) / interval_ns * interval_ns;

	last += passed;
	return last > INT64_MAX - interval_ns ? INT64_MAX : last + interval_ns;
}

/* When the time is out, if ever. */
static int64_t deadline_of(const struct watch *watch, int64_t now)
{
	int64_t timeout_ns = watch->options.timeout_ns;

	return timeout_ns < 0 || timeout_ns > INT64_MAX - now
	               ? INT64_MAX
	               : now + timeout_ns;
}

static int watch_on(struct watch *watch)
{
	int64_t looked_at = cli_now_ns();
	int64_t deadline = deadline_of(watch, looked_at);
	int64_t next = looked_at;
	int status = shmlog_reader_seek_end(watch->reader);

	if (status != 0)
		return refuse(watch, status);
	for (;;) {
		struct watch_facts facts = {.frames = 0};
		int64_t now = cli_now_ns();
		unsigned known;
		bool holds;

		next = next_point(next, now, watch->options.interval_ns);
		/* The last interval is a short one. */
		sleep_until(watch, next < deadline ? next : deadline);
		if (cli_signal_caught() != 0 || watch->output.error != 0)
			return CLI_OK;
		now = cli_now_ns();
		status = look(watch, now > looked_at ? now - looked_at : 1,
		              &facts, &known);
		if (status != 0)
			return refuse(watch, status);
		looked_at = now;
		print_facts(watch, &facts, known);
		if (cli_output_flush(&watch->output) != 0)
			return CLI_OK;
		status = judge_facts(watch, &facts, known, &holds);
		if (status != CLI_OK || holds)
			return status;
		status = check_name(watch);
		if (status != CLI_OK)
			return status;
		if (now >= deadline)
			return CLI_TIMEOUT;
	}
}

int cli_watch(const char *path, const struct cli_watch_options *options)
{
	struct watch watch = {.path = path, .options = *options};
	int status;

	cli_signals_catch();
	status = cli_open_reader(path, &watch.log, &watch.reader);
	if (status != CLI_OK)
		return status;
	status = cli_output_init(&watch.output, STDOUT_FILENO);
	if (status != 0) {
		status = cli_fail(path, "cannot watch", status);
	} else {
		status = watch_on(&watch);
		end_line(&watch);
		status = cli_output_finish(&watch.output, status);
	}
	shmlog_reader_close(watch.reader);
	shmlog_close(watch.log);
	if (cli_signal_caught())
		cli_die_by_signal(cli_signal_caught());
	return status;
}
