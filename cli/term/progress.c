/* Shows how far long work is. */
#include "progress.h"

#include "bounded_text.h"
#include "clock.h"
#include "command.h"
#include "json_write.h"
#include "message.h"
#include "rows.h"
#include "signals.h"
#include "span.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Work that is shorter is not worth a line. */
#define SHOWN_AFTER_NS INT64_C(1000000000)
/* Between two looks at the line of a terminal, and two lines elsewhere. */
#define LINE_EVERY_NS INT64_C(200000000)
#define LINES_EVERY_NS INT64_C(1000000000)
#define NEVER INT64_MAX
/* Where calls follow each other like this, as for one frame each, reading the
 * clock would cost as much as the frame: it is read at one of 16. */
#define SOON_NS INT64_C(20000)
#define SOON_TIMES 8u
#define SKIPPED_CALLS 15u
/* How much a new rate counts beside those before it. */
#define NEW_SHARE 0.25
/* Columns that are left for a path on the narrowest terminals. */
#define NAME_COLUMNS_MIN 12u

enum mode {
	MODE_NONE,
	MODE_AUTO, /* a line on a terminal, of work that has an end */
	MODE_LINE, /* a line on a terminal */
	MODE_LINES,
	MODE_JSON,
};

/* Global: one process does one long work at a time, and a signal asks for
 * it. */
static enum mode mode;
static bool asked_for_json;
static struct cli_progress *current;

/* --------------------------------------------------------------- describing */

/* How much is done, of 1; negative where that is not known. */
static double share_of(const struct cli_progress *progress)
{
	if (progress->total == 0)
		return -1;
	if (progress->done >= progress->total)
		return 1;
	return (double)progress->done / (double)progress->total;
}

/* Seconds that are left, or negative: what is apart from the rule says nothing
 * about the rest. */
static double left_of(const struct cli_progress *progress)
{
	if (progress->total == 0 || progress->rate <= 0 || progress->is_apart)
		return -1;
	if (progress->done >= progress->total)
		return 0;
	return (double)(progress->total - progress->done) / progress->rate;
}

void cli_progress_look(struct cli_progress *progress, int64_t now_ns)
{
	int64_t span_ns = now_ns - progress->seen_ns;
	uint64_t bytes = progress->done > progress->seen
	                         ? progress->done - progress->seen
	                         : 0;
	double rate;

	if (span_ns <= 0)
		return;
	rate = (double)bytes * 1e9 / (double)span_ns;
	progress->rate = progress->seen_ns == progress->start_ns
	                         ? rate
	                         : progress->rate * (1 - NEW_SHARE) +
	                                   rate * NEW_SHARE;
	progress->seen_ns = now_ns;
	progress->seen = progress->done;
}

/* What is said behind the name. */
static void describe_state(struct cli_text *text,
                           const struct cli_progress *progress, int64_t now_ns)
{
	struct cli_scaled_text done, total, rate;
	struct cli_span_text span;
	char part[160];

	(void)cli_scale_bytes(&done, (double)progress->done);
	(void)cli_scale_bytes(&total, (double)progress->total);
	(void)cli_scale_bytes(&rate, progress->rate);
	/* Rounded down: 100 % means that all is done. */
	if (progress->total > 0)
		snprintf(part, sizeof(part), "%d %%, %s of %s, %s/s",
		         (int)(share_of(progress) * 100), done.text, total.text,
		         rate.text);
	else
		snprintf(part, sizeof(part), "%s, %s/s", done.text, rate.text);
	cli_text_string(text, part);
	if (progress->note != NULL) {
		cli_text_string(text, ", ");
		cli_text_string(text, progress->note);
	}
	if (progress->total > 0 && left_of(progress) >= 0)
		snprintf(part, sizeof(part), ", %s left",
		         cli_span_describe(&span, left_of(progress)));
	else
		snprintf(part, sizeof(part), ", %s so far",
		         cli_span_describe(
				 &span,
				 (double)(now_ns - progress->start_ns) / 1e9));
	cli_text_string(text, part);
}

/* How many columns a text takes at most: what is no ASCII may be two wide. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		width += byte < 0x80 ? 1 : byte >= 0xc0 ? 2 : 0;
	}
	return width;
}

/* The end of a name that fits into so many columns. */
static const char *fit_name(const char *name, size_t columns)
{
	while (width_of(name) > columns) {
		do
			name++;
		while (((unsigned char)*name & 0xc0) == 0x80);
	}
	return name;
}

/* Adds the name of what is worked on, or the end of it. */
static void describe_subject(struct cli_text *text,
                             const struct cli_progress *progress,
                             size_t columns)
{
	char name_bytes[4096];
	struct cli_text name;
	const char *rest;

	if (progress->subject == NULL)
		return;
	cli_text_init(&name, name_bytes, sizeof(name_bytes));
	cli_text_escaped(&name, progress->subject, strlen(progress->subject));
	if (columns < NAME_COLUMNS_MIN)
		columns = NAME_COLUMNS_MIN;
	rest = fit_name(name.buffer, columns);
	if (rest != name.buffer) {
		cli_text_string(text, "...");
		rest = fit_name(name.buffer, columns - 3);
	}
	cli_text_string(text, rest);
	cli_text_string(text, ": ");
}

const char *cli_progress_describe(struct cli_progress_text *buffer,
                                  const struct cli_progress *progress,
                                  int64_t now_ns, size_t columns)
{
	char state_bytes[512];
	struct cli_text state, text;
	size_t width;

	cli_text_init(&state, state_bytes, sizeof(state_bytes));
	describe_state(&state, progress, now_ns);
	width = width_of(state_bytes) + 2;
	cli_text_init(&text, buffer->text, sizeof(buffer->text));
	describe_subject(&text, progress,
	                 columns > width ? columns - width : 0);
	cli_text_string(&text, state_bytes);
	/* What does not fit is cut, as a line that wraps cannot be erased. */
	while (width_of(buffer->text) > columns) {
		size_t length = strlen(buffer->text);

		do
			length--;
		while (((unsigned char)buffer->text[length] & 0xc0) == 0x80);
		buffer->text[length] = '\0';
	}
	return buffer->text;
}

static void add_share(struct cli_object *object,
                      const struct cli_progress *progress)
{
	if (progress->total == 0) {
		cli_object_null(object, "total_bytes");
		cli_object_null(object, "share");
	} else {
		cli_object_u64(object, "total_bytes", progress->total);
		cli_object_decimal(object, "share", share_of(progress), 4);
	}
}

char *cli_progress_json(const struct cli_progress *progress, int64_t now_ns,
                        bool finished)
{
	struct cli_object *object = cli_object_new();
	double seconds = (double)(now_ns - progress->start_ns) / 1e9;
	char *text;

	cli_object_string(object, "event", "progress");
	if (progress->subject != NULL)
		cli_object_string(object, "path", progress->subject);
	else
		cli_object_null(object, "path");
	cli_object_u64(object, "done_bytes", progress->done);
	add_share(object, progress);
	cli_object_decimal(object, "bytes_per_second", progress->rate, 1);
	cli_object_decimal(object, "seconds", seconds, 3);
	if (left_of(progress) >= 0 && !finished)
		cli_object_decimal(object, "seconds_left", left_of(progress),
		                   1);
	else
		cli_object_null(object, "seconds_left");
	if (progress->note != NULL)
		cli_object_string(object, "note", progress->note);
	else
		cli_object_null(object, "note");
	cli_object_bool(object, "finished", finished);
	text = cli_object_print(object);
	cli_object_free(object);
	return text;
}

/* ------------------------------------------------------------------ showing */

static void show_json(struct cli_progress *progress, int64_t now_ns,
                      bool finished)
{
	char *text = cli_progress_json(progress, now_ns, finished);

	if (text != NULL)
		cli_message_plain(text);
	free(text);
}

static void show_line(struct cli_progress *progress, int64_t now_ns)
{
	struct cli_progress_text text;

	/* Not over what another process has on the terminal now. */
	if (tcgetpgrp(STDERR_FILENO) != getpgrp())
		return;
	/* One that reaches the last column may wrap. */
	cli_message_passing(
		cli_progress_describe(&text, progress, now_ns,
	                              cli_terminal_width(STDERR_FILENO) - 1));
}

static void show_whole_line(struct cli_progress *progress, int64_t now_ns)
{
	struct cli_progress_text text;

	cli_message(NULL, "%s",
	            cli_progress_describe(&text, progress, now_ns,
	                                  sizeof(text.text)));
}

static void show(struct cli_progress *progress, int64_t now_ns)
{
	cli_progress_look(progress, now_ns);
	if (mode == MODE_JSON)
		show_json(progress, now_ns, false);
	else if (mode == MODE_LINES)
		show_whole_line(progress, now_ns);
	else
		show_line(progress, now_ns);
	progress->due_ns = now_ns + (mode == MODE_JSON || mode == MODE_LINES
	                                     ? LINES_EVERY_NS
	                                     : LINE_EVERY_NS);
}

/* Says how far the work is, once, for who has asked by a signal. */
static void answer(void)
{
	int64_t now_ns = cli_now_ns();

	if (current == NULL)
		return;
	cli_progress_look(current, now_ns);
	if (asked_for_json)
		show_json(current, now_ns, false);
	else
		show_whole_line(current, now_ns);
}

/* ----------------------------------------------------------------- the work */

static bool is_pipe(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 &&
	       (S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode));
}

int cli_progress_init(const char *value)
{
	struct cli_quoted quoted;
	bool able = cli_terminal_can_erase(STDERR_FILENO);

	mode = MODE_NONE;
	asked_for_json = false;
	if (value == NULL || strcmp(value, "auto") == 0) {
		if (able && !is_pipe(STDOUT_FILENO))
			mode = MODE_AUTO;
	} else if (strcmp(value, "always") == 0) {
		mode = able ? MODE_LINE : MODE_LINES;
	} else if (strcmp(value, "json") == 0) {
		mode = MODE_JSON;
		asked_for_json = true;
	} else if (strcmp(value, "never") != 0) {
		return cli_usage_error("--progress %s is neither auto, always, "
		                       "never nor json",
		                       cli_quote(&quoted, value));
	}
	cli_signals_catch_questions(answer);
	return CLI_OK;
}

void cli_progress_forgo(void)
{
	if (mode == MODE_AUTO)
		mode = MODE_NONE;
}

void cli_progress_begin(struct cli_progress *progress, const char *subject,
                        uint64_t total)
{
	int64_t now_ns = cli_now_ns();
	bool shown = mode != MODE_NONE && (mode != MODE_AUTO || total > 0);

	*progress = (struct cli_progress){
		.subject = subject,
		.total = total,
		.start_ns = now_ns,
		.seen_ns = now_ns,
		.clock_ns = now_ns,
		.due_ns = shown ? now_ns + SHOWN_AFTER_NS : NEVER,
		.outer = current,
	};
	current = progress;
}

void cli_progress_set(struct cli_progress *progress, uint64_t done)
{
	progress->done = done;
	cli_signals_answer();
	if (progress->due_ns == NEVER)
		return;
	if (progress->soon >= SOON_TIMES && progress->skipped++ < SKIPPED_CALLS)
		return;

	int64_t now_ns = cli_now_ns();

	progress->soon = now_ns - progress->clock_ns < SOON_NS
	                         ? progress->soon + 1
	                         : 0;
	progress->skipped = 0;
	progress->clock_ns = now_ns;
	if (now_ns >= progress->due_ns)
		show(progress, now_ns);
}

void cli_progress_end(struct cli_progress *progress, bool finished)
{
	if (current != progress)
		return;
	cli_message_passing(NULL);
	if (mode == MODE_JSON) {
		cli_progress_look(progress, cli_now_ns());
		show_json(progress, cli_now_ns(), finished);
	}
	current = progress->outer;
}
