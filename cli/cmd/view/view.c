/* A pager for one log, on a terminal. */
#include "log_arguments.h"
#include "view_render.h"
#include "view_session.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "option_values.h"
#include "options.h"
#include "position.h"
#include "progress.h"
#include "screen.h"
#include "shared_options.h"
#include "signals.h"
#include "spool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The longest time that work keeps a key waiting. */
#define SLICE_NS 4000000
/* How often the screen is drawn while work goes on, and how often the log is
 * looked at otherwise. */
#define DRAW_NS 40000000
#define IDLE_NS 250000000

enum {
	OPTION_FROM,
	OPTION_FOLLOW,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
	OPTION_GREP,
	OPTION_NOT_GREP,
	OPTION_IGNORE_CASE,
	OPTION_WHERE,
	OPTION_COLOR,
};

static const struct cli_option view_options[] = {
	[OPTION_FROM] = {.name = "from",
                         .value = "POS",
                         .kind = &cli_takes_position,
                         .help = "begin with the frame at this position"},
	[OPTION_FOLLOW] = {.letter = 'f',
                           .name = "follow",
                           .value = "HOW",
                           .kind = &cli_takes_follow,
                           .value_optional = true,
                           .help = "go on with new frames; HOW: name (as -F)"},
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
	CLI_FILTER_OPTIONS(OPTION_GREP, OPTION_NOT_GREP, OPTION_IGNORE_CASE,
                           OPTION_WHERE),
	CLI_COLOR_OPTION(OPTION_COLOR),
};

static const struct cli_typed_places view_types = {OPTION_SCHEMA, OPTION_TYPE,
                                                   OPTION_ENUM_NUMBERS};

static const struct cli_filter_places view_filters = {
	OPTION_GREP, OPTION_NOT_GREP, OPTION_IGNORE_CASE, OPTION_WHERE};

/* What is drawn again when it changes by itself. */
struct stamp {
	uint64_t end;
	uint64_t counted;
	size_t rows;
	unsigned confirmed; /* how often the rows were read again */
	enum view_job job;
	bool notice;
	bool message;
};

struct view {
	struct view_session session;
	struct cli_color color;
	struct cli_cells cells;
	struct stamp drawn;
	int64_t drawn_ns;
	bool touched; /* by a key, since it was drawn */
	bool terminal_gone;
};

/* Where to begin: a cursor. */
static int find_start(struct view *view, const struct cli_args *args,
                      uint64_t *cursor_out)
{
	struct view_source *source = &view->session.source;
	const char *text = cli_args_value(args, OPTION_FROM);
	struct cli_position position;
	int status, damage;

	*cursor_out = view->session.follow ? source->end : 0;
	if (text == NULL)
		return CLI_OK;
	damage = 0;
	status = cli_position_parse(text, &position);
	if (status == CLI_OK)
		status = cli_position_seek_or_damage(
			source->log, source->reader, &position, false,
			source->path, &damage);
	/* The pager shows what is damaged. */
	if (damage != 0) {
		*cursor_out = shmlog_reader_fault(source->reader)->cursor;
		return CLI_OK;
	}
	*cursor_out = shmlog_reader_cursor(source->reader);
	return status;
}

static int read_follow(struct view_session *session,
                       const struct cli_args *args)
{
	const char *how = cli_args_value(args, OPTION_FOLLOW);
	struct cli_quoted quoted;

	session->follow = cli_args_count(args, OPTION_FOLLOW) > 0;
	session->by_name = how != NULL && strcmp(how, "name") == 0;
	if (how == NULL || session->by_name || strcmp(how, "descriptor") == 0)
		return CLI_OK;
	return cli_usage_error("--follow=%s is neither name nor descriptor",
	                       cli_quote(&quoted, how));
}

static int read_options(struct view *view, const struct cli_args *args)
{
	struct view_session *session = &view->session;
	const char *from = cli_args_value(args, OPTION_FROM);
	struct cli_position position;
	int status = cli_color_init(&view->color,
	                            cli_args_value(args, OPTION_COLOR),
	                            STDOUT_FILENO);

	session->path = cli_args_operand(args, 0);
	if (status == CLI_OK)
		status = read_follow(session, args);
	if (status == CLI_OK && session->follow)
		status = cli_refuse_follow(session->path);
	if (status == CLI_OK && from != NULL)
		status = cli_position_parse(from, &position);
	if (status == CLI_OK)
		status = cli_typed_init(&session->typed, args, view_types,
		                        session->path);
	if (status == CLI_OK)
		status = cli_filter_init(&session->judge.filters[0], args,
		                         view_filters, "view", &session->typed);
	return status;
}

/* The command that does the same in a pipe. */
static const char *instead_of(const struct view_session *session)
{
	return session->follow ? "'shmlog tail -f'" : "'shmlog dump'";
}

/* -------------------------------------------------------------------- loop */

static struct stamp stamp_of(const struct view_session *session)
{
	return (struct stamp){
		.end = session->source.end,
		.counted = session->source.index.at,
		.rows = session->list.count,
		.confirmed = session->confirmed,
		.job = session->job,
		.notice = session->notice[0] != '\0',
		.message = session->message[0] != '\0',
	};
}

static bool is_drawn(const struct view *view)
{
	struct stamp now = stamp_of(&view->session);

	return now.end == view->drawn.end &&
	       now.counted == view->drawn.counted &&
	       now.rows == view->drawn.rows &&
	       now.confirmed == view->drawn.confirmed &&
	       now.job == view->drawn.job && now.notice == view->drawn.notice &&
	       now.message == view->drawn.message;
}

static void draw(struct view *view)
{
	view_render(&view->session, &view->cells);
	cli_screen_show(&view->cells);
	view->drawn = stamp_of(&view->session);
	view->drawn_ns = cli_now_ns();
	view->touched = false;
}

/* Gives everything the size of the screen.  False when memory is short. */
static bool fit(struct view *view)
{
	unsigned rows, columns;

	cli_screen_size(&rows, &columns);
	if (rows == view->cells.rows && columns == view->cells.columns)
		return true;
	view_session_resize(&view->session, rows, columns);
	return cli_cells_resize(&view->cells, rows, columns);
}

/* What a key asks of the terminal. */
static void serve(struct view *view)
{
	struct view_session *session = &view->session;

	if (session->copied[0] != '\0')
		cli_screen_copy(session->copied);
	session->copied[0] = '\0';
	if (session->redraw)
		cli_screen_redraw();
	session->redraw = false;
	if (session->suspend)
		cli_screen_stop();
	session->suspend = false;
}

/* Draws what is due.  Keys that are held down are served before they are
 * drawn, and what changes by itself is not drawn all the time. */
static void draw_in_time(struct view *view, bool key_waits)
{
	bool late = cli_now_ns() - view->drawn_ns >= DRAW_NS;

	if (view->touched ? !key_waits || late : late && !is_drawn(view))
		draw(view);
}

static int64_t wait_of(const struct view *view, bool more)
{
	if (more)
		return 0;
	return view->session.follow || !is_drawn(view) ? DRAW_NS : IDLE_NS;
}

static int run(struct view *view)
{
	struct view_session *session = &view->session;

	view->touched = true;
	while (!session->quit) {
		struct cli_key_event event;

		if (!fit(view))
			return cli_fail(NULL, "cannot show", -ENOMEM);
		bool more = view_session_work(session, cli_now_ns() + SLICE_NS);

		event = cli_screen_key(0);
		draw_in_time(view, event.key != CLI_KEY_NONE);
		if (event.key == CLI_KEY_NONE) {
			more |= view_session_count(session,
			                           cli_now_ns() + SLICE_NS);
			event = cli_screen_key(wait_of(view, more));
		}
		if (event.key == CLI_KEY_GONE) {
			view->terminal_gone = true;
			break;
		}
		view->touched |= event.key != CLI_KEY_NONE;
		view_session_key(session, &event);
		serve(view);
	}
	return CLI_OK;
}

static int show(struct view *view, const struct cli_args *args)
{
	struct view_session *session = &view->session;
	uint64_t cursor;
	int status = find_start(view, args, &cursor);

	if (status != CLI_OK)
		return status;
	status = cli_screen_open(&view->color,
	                         cli_is_standard_input(session->path),
	                         instead_of(session));
	if (status != CLI_OK)
		return status;
	status = view_session_begin(session, cursor)
	                 ? run(view)
	                 : cli_fail(NULL, "cannot show", -ENOMEM);
	cli_screen_close();
	return status;
}

static int view_run(const struct cli_args *args)
{
	struct view view = {0};
	struct view_session *session = &view.session;
	int status = read_options(&view, args);

	cli_signals_catch();
	if (status == CLI_OK)
		status = cli_screen_check(instead_of(session));
	/* Of a copy that has to be made first. */
	if (status == CLI_OK)
		status = cli_progress_init(NULL);
	if (status == CLI_OK)
		status = view_source_open(&session->source, session->path);
	if (status == CLI_OK)
		status = show(&view, args);
	view_session_release(session);
	cli_filter_free(session->judge.filters[0]);
	cli_typed_release(&session->typed);
	cli_cells_release(&view.cells);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	if (view.terminal_gone)
		cli_die_by_signal(SIGHUP);
	return status;
}

const struct cli_command cmd_view = {
	.name = "view",
	.summary = "look at a log in a pager",
	.operands = "LOG",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = view_options,
	.option_count = sizeof(view_options) / sizeof(view_options[0]),
	.min_operands = 1,
	.max_operands = 1,
	.notes = CLI_POSITION_NOTE "  The keys are\nthose of less; h shows "
				   "them all, and q quits.",
	.run = view_run,
};
