/* Shows all logs live: how fast each grows, who holds it, and how far behind
 * its readers are. */
#include "clock.h"
#include "command.h"
#include "failure.h"
#include "header_text.h"
#include "log_arguments.h"
#include "log_search.h"
#include "message.h"
#include "option_values.h"
#include "options.h"
#include "shared_options.h"
#include "signals.h"
#include "top_batch.h"
#include "top_children.h"
#include "top_render.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	OPTION_BATCH,
	OPTION_COUNT,
	OPTION_INTERVAL,
	OPTION_SORT,
	OPTION_OUTPUT,
	OPTION_COLOR,
};

static void offer_columns(struct cli_completion *completion)
{
	for (unsigned column = 0; column < TOP_COLUMNS; column++) {
		const char *name = top_column_name((enum top_column)column);

		if (name != NULL)
			cli_offer(completion, name, NULL);
	}
}

static const struct cli_argument_kind column_values = {.offer = offer_columns};

static const struct cli_option top_options[] = {
	[OPTION_BATCH] = {.letter = 'b',
                          .name = "batch",
                          .help = "print the logs rather than show a screen"},
	[OPTION_COUNT] = {.letter = 'n',
                          .name = "count",
                          .value = "N",
                          .kind = &cli_takes_number,
                          .help = "end after N intervals"},
	[OPTION_INTERVAL] = {.letter = 'd',
                             .name = "interval",
                             .value = "DURATION",
                             .kind = &cli_takes_duration,
                             .help = "the time between two looks; 1s if not "
                                     "given"},
	[OPTION_SORT] = {.letter = 's',
                         .name = "sort",
                         .value = "COLUMN",
                         .kind = &column_values,
                         .help = "name, used, capacity, fill, frames/s, "
                                 "bytes/s, ..."},
	CLI_REPORT_FORMAT_OPTION(OPTION_OUTPUT),
	CLI_COLOR_OPTION(OPTION_COLOR),
};

#define INTERVAL_DEFAULT_NS INT64_C(1000000000)
#define INTERVAL_LEAST_NS INT64_C(10000000)
/* Keys are waited for no longer than this, so that a closed terminal and a
 * changed size are seen. */
#define KEY_WAIT_NS INT64_C(500000000)
#define LOCK_TIMEOUT "2s"

struct top {
	struct top_sampler sampler;
	struct top_state state;
	struct cli_cells cells;
	struct cli_color color;
	uint64_t left; /* intervals */
	int64_t due_ns;
};

/* ------------------------------------------------------------------ actions */

static int open_screen(struct top *top)
{
	return cli_screen_open(&top->color, false, "'shmlog top -b'");
}

static void say(struct top *top, const char *text)
{
	(void)snprintf(top->state.message, sizeof(top->state.message), "%s",
	               text);
}

/* Gives the terminal to view.  An exit status if it cannot be had back. */
static int view(struct top *top)
{
	const char *const arguments[] = {"view", "--", top->state.subject,
	                                 NULL};
	char text[128];

	cli_screen_close();
	int ended = top_run_here(arguments);
	int status = open_screen(top);

	if (ended < 0)
		(void)snprintf(text, sizeof(text), "cannot run view: %s",
		               strerror(-ended));
	else
		(void)snprintf(text, sizeof(text), "view ended with status %d",
		               ended);
	if (ended != 0)
		say(top, text);
	/* What was missed meanwhile is one long interval. */
	top->due_ns = cli_now_ns();
	return status;
}

static void ask(struct top *top, enum top_action if_yes)
{
	char holders[768];
	char question[sizeof(top->state.question)];

	top_name_holders(top->state.subject, holders, sizeof(holders));
	(void)snprintf(question, sizeof(question),
	               "%s %s?  %s.  y: yes, any other key: no",
	               if_yes == TOP_ACTION_ROTATE ? "rotate" : "remove",
	               top->state.subject, holders);
	top_state_ask(&top->state, if_yes, question);
}

static void change(struct top *top, enum top_action action)
{
	const char *const rotate[] = {"rotate",     "--lock-timeout",
	                              LOCK_TIMEOUT, "--progress",
	                              "never",      "--",
	                              NULL,         NULL};
	const char *const remove[] = {"rm", "--", NULL, NULL};
	bool rotates = action == TOP_ACTION_ROTATE;
	const char *arguments[8];
	char said[400], text[512];
	size_t count = 0;

	while ((rotates ? rotate : remove)[count] != NULL) {
		arguments[count] = (rotates ? rotate : remove)[count];
		count++;
	}
	arguments[count++] = top->state.subject;
	arguments[count] = NULL;
	int ended = top_run_quietly(arguments, said, sizeof(said));

	if (ended < 0)
		(void)snprintf(text, sizeof(text), "cannot run shmlog: %s",
		               strerror(-ended));
	else if (ended != 0)
		(void)snprintf(text, sizeof(text), "%s", said);
	else
		(void)snprintf(text, sizeof(text), "%s %.400s",
		               rotates ? "rotated; the old log is" : "removed",
		               rotates ? said : top->state.subject);
	say(top, text);
	/* Who holds it has changed, and what there is. */
	top->sampler.holders_due_ns = 0;
	top->due_ns = cli_now_ns();
}

/* Does what a key asks for.  CLI_OK to go on, or an exit status, -1 for the
 * end. */
static int act(struct top *top, enum top_action action)
{
	switch (action) {
	case TOP_ACTION_QUIT: return -1;
	case TOP_ACTION_INTERRUPT:
		cli_screen_close();
		cli_die_by_signal(SIGINT);
	case TOP_ACTION_STOP: cli_screen_stop(); break;
	case TOP_ACTION_REDRAW:
		cli_screen_redraw();
		top->due_ns = cli_now_ns();
		break;
	case TOP_ACTION_VIEW: return view(top);
	case TOP_ACTION_ASK_ROTATE: ask(top, TOP_ACTION_ROTATE); break;
	case TOP_ACTION_ASK_REMOVE: ask(top, TOP_ACTION_REMOVE); break;
	case TOP_ACTION_ROTATE:
	case TOP_ACTION_REMOVE: change(top, action); break;
	default: break;
	}
	return CLI_OK;
}

/* ----------------------------------------------------------------- the loop */

static bool draw(struct top *top)
{
	unsigned rows, columns;

	cli_screen_size(&rows, &columns);
	if ((rows != top->cells.rows || columns != top->cells.columns) &&
	    !cli_cells_resize(&top->cells, rows, columns))
		return false;
	top_render(&top->state, &top->cells);
	cli_screen_show(&top->cells);
	return true;
}

static bool look(struct top *top)
{
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local) != NULL)
		(void)strftime(top->state.clock, sizeof(top->state.clock),
		               "%H:%M:%S", &local);
	return top_sample(&top->sampler, &top->state.model);
}

/* Looks at the logs if it is time to.  False when memory is short. */
static bool look_if_due(struct top *top, bool *last_out)
{
	int64_t now = cli_now_ns();

	*last_out = false;
	if (top->state.paused || now < top->due_ns)
		return true;
	*last_out = top->left == 0;
	top->left -= top->left > 0 && top->left != UINT64_MAX;
	/* A look that was missed is not made up for. */
	top->due_ns = now + top->state.interval_ns;
	return *last_out || look(top);
}

static int64_t wait_of(const struct top *top)
{
	int64_t left = top->due_ns - cli_now_ns();

	if (top->state.paused || left > KEY_WAIT_NS)
		return KEY_WAIT_NS;
	return left > 0 ? left : 0;
}

/* Until a key or a signal ends it.  -1, or an exit status. */
static int loop(struct top *top)
{
	int status = CLI_OK;
	bool last;

	while (status == CLI_OK) {
		if (!look_if_due(top, &last) || !draw(top))
			return -ENOMEM;
		if (last)
			break;

		struct cli_key_event event = cli_screen_key(wait_of(top));

		if (event.key == CLI_KEY_GONE)
			break;
		status = act(top, top_state_key(&top->state, event));
	}
	return status;
}

static int show_screen(struct top *top)
{
	int status = open_screen(top);

	if (status != CLI_OK)
		return status;
	status = loop(top);
	/* A signal, or a terminal that was closed: nobody sees a message. */
	bool closed = status == CLI_OK && top->left != 0;

	cli_screen_close();
	cli_cells_release(&top->cells);
	top_model_release(&top->state.model);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	if (closed)
		cli_die_by_signal(SIGHUP);
	if (status == -ENOMEM)
		return cli_fail(NULL, "cannot list", -ENOMEM);
	return status < 0 ? CLI_OK : status;
}

/* ------------------------------------------------------------------ options */

struct request {
	const char **paths;
	size_t path_count;
	uint64_t count;
	int64_t interval_ns;
	enum top_column sort;
	bool batch;
	bool json;
};

static int read_sort(const struct cli_args *args, struct request *request)
{
	const char *name = cli_args_value(args, OPTION_SORT);
	struct cli_quoted quoted;

	request->sort = name != NULL ? top_column_find(name) : TOP_BYTES;
	if (request->sort != TOP_COLUMNS)
		return CLI_OK;
	return cli_usage_error("--sort %s is no column; known are name, used, "
	                       "capacity, fill, frames/s, bytes/s, full, "
	                       "writers, readers, lag and owner",
	                       cli_quote(&quoted, name));
}

static int read_interval(const struct cli_args *args, struct request *request)
{
	const char *text = cli_args_value(args, OPTION_INTERVAL);
	struct cli_quoted quoted;
	int status;

	request->interval_ns = INTERVAL_DEFAULT_NS;
	status = cli_option_duration("--interval", text, &request->interval_ns);
	if (status == CLI_OK && request->interval_ns < INTERVAL_LEAST_NS)
		return cli_usage_error("--interval %s is too short: at least "
		                       "10ms",
		                       cli_quote(&quoted, text));
	/* Sums with it must not overflow. */
	if (request->interval_ns > INT64_MAX / 4)
		request->interval_ns = INT64_MAX / 4;
	return status;
}

static int check_log(const char *path)
{
	struct shmlog_look look = {.first_frame = 0};
	struct cli_header_text text;
	struct stat file;
	int status = cli_look_at(path, &file, &look);

	if (status == 0)
		return CLI_OK;
	if (!cli_is_header_status(status))
		return cli_fail(path, "cannot open", status);
	cli_message(path, "not a log: %s",
	            cli_describe_header(&text, status, &look.header));
	return CLI_NOT_LOG;
}

/* A PATH that is not there is said now: later it would only be missed. */
static int read_paths(const struct cli_args *args, struct request *request)
{
	size_t count = cli_args_operand_count(args);
	struct stat file;
	int status;

	request->paths = calloc(count + 1, sizeof(*request->paths));
	if (request->paths == NULL)
		return cli_fail(NULL, "cannot list", -ENOMEM);
	for (size_t i = 0; i < count; i++) {
		request->paths[i] = cli_args_operand(args, i);
		/* The first look of a batch tells, and goes on with others. */
		if (request->batch)
			continue;
		if (stat(request->paths[i], &file) != 0)
			return cli_fail(request->paths[i], "cannot open",
			                -errno);
		status = S_ISDIR(file.st_mode) ? CLI_OK
		                               : check_log(request->paths[i]);
		if (status != CLI_OK)
			return status;
	}
	request->path_count = count;
	return CLI_OK;
}

static int read_request(const struct cli_args *args, struct request *request)
{
	int status = read_sort(args, request);

	request->batch = cli_args_count(args, OPTION_BATCH) > 0;
	request->count = UINT64_MAX;
	if (status == CLI_OK)
		status = cli_report_format(args, OPTION_OUTPUT, &request->json);
	if (status == CLI_OK && !request->batch &&
	    cli_args_count(args, OPTION_OUTPUT) > 0)
		return cli_usage_error("--output goes with --batch");
	if (status == CLI_OK)
		status = read_interval(args, request);
	if (status == CLI_OK)
		status = cli_option_count("--count",
		                          cli_args_value(args, OPTION_COUNT),
		                          "intervals", &request->count);
	return status == CLI_OK ? read_paths(args, request) : status;
}

static int run_batch(const struct request *request)
{
	struct top_batch batch = {
		.sampler = {.paths = request->paths,
	                    .path_count = request->path_count},
		.model = {.sort = request->sort},
		.json = request->json,
		.count = request->count,
		.interval_ns = request->interval_ns,
	};

	return top_batch_run(&batch);
}

static int run_screen(const struct request *request,
                      const struct cli_color *color)
{
	struct top *top = calloc(1, sizeof(*top));

	if (top == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	top->sampler.paths = request->paths;
	top->sampler.path_count = request->path_count;
	top->state.model.sort = request->sort;
	top->state.where = request->path_count == 0   ? CLI_LOG_FOLDER
	                   : request->path_count == 1 ? request->paths[0]
	                                              : "several paths";
	top->state.interval_ns = request->interval_ns;
	top->state.glyphs = cli_glyphs_of(STDOUT_FILENO);
	top->color = *color;
	top->left = request->count;
	int status = show_screen(top);

	free(top);
	return status;
}

static int top_run(const struct cli_args *args)
{
	struct request request = {.paths = NULL};
	struct cli_color color;
	int status = cli_color_init(&color, cli_args_value(args, OPTION_COLOR),
	                            STDOUT_FILENO);

	if (status == CLI_OK)
		status = read_request(args, &request);
	if (status == CLI_OK) {
		cli_signals_catch();
		cli_signals_guard_mappings();
		status = request.batch ? run_batch(&request)
		                       : run_screen(&request, &color);
	}
	free(request.paths);
	return status;
}

const struct cli_command cmd_top = {
	.name = "top",
	.summary = "show all logs live: rates, fill, writers, readers",
	.operands = "[PATH...]",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = top_options,
	.option_count = sizeof(top_options) / sizeof(top_options[0]),
	.max_operands = SIZE_MAX,
	.notes = "A PATH is a log, or a folder that is searched with its "
		 "subfolders; /dev/shm if\nnone is given.  The key h shows the "
		 "keys.",
	.run = top_run,
};
