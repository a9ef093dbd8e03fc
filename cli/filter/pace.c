/* Pauses between frames as long as their times are apart. */
#include "pace.h"

#include "clock.h"
#include "command.h"
#include "document.h"
#include "failure.h"
#include "message.h"
#include "signals.h"
#include "timestamps.h"
#include "where.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long the output may be behind the times and still make up for it: longer
 * delays, as those of a pager or of a stop by ^Z, move what follows. */
#define LAG_MAX_NS 1000000000
/* How often a pause looks whether somebody still reads the output. */
#define LOOK_NS 500000000

struct cli_pace {
	struct cli_pacer pacer; /* what the printer sees of it */
	struct cli_printer *printer;
	struct cli_document document;
	struct cli_arena scratch; /* of one frame */
	struct cli_where *path;
	double speed;
	bool begun;
	int64_t time_ns; /* of the last frame that had one */
	int64_t due_ns;  /* when it was to be printed, by the monotonic clock */
};

/* The time of a frame; false if it has none. */
static bool find_time(struct cli_pace *pace, const struct shmlog_frame *frame,
                      int64_t *ns_out)
{
	const struct cli_arena_mark nothing = {NULL, 0};
	struct cli_bendec_error error;
	struct cli_value document, value;
	struct cli_json_span text;

	cli_arena_reset(&pace->scratch, nothing);
	if (!cli_document_read(&pace->document, frame, &document, &error) ||
	    cli_where_find(pace->path, &document, &value) != CLI_WHERE_YES)
		return false;
	if (value.kind == CLI_VALUE_NUMBER)
		return cli_read_epoch(value.text.bytes, value.text.size_bytes,
		                      ns_out);
	if (value.kind != CLI_VALUE_STRING ||
	    !cli_value_bytes(&pace->scratch, &value, &text))
		return false;
	return cli_read_iso8601(text.bytes, text.size_bytes, ns_out) ||
	       cli_read_epoch(text.bytes, text.size_bytes, ns_out);
}

/* When a frame of a later time is to be printed. */
static int64_t due_at(const struct cli_pace *pace, int64_t time_ns)
{
	double apart = ((double)time_ns - (double)pace->time_ns) / pace->speed;

	if (apart >= (double)(INT64_MAX - pace->due_ns))
		return INT64_MAX;
	return pace->due_ns + (int64_t)apart;
}

/* Everything before the pause is out when it begins. */
static void sleep_until(struct cli_pace *pace, int64_t due_ns)
{
	struct cli_printer *printer = pace->printer;
	int64_t left_ns;

	if (due_ns <= cli_now_ns())
		return;
	(void)cli_output_flush(&printer->output);
	while (cli_printer_is_wanted(printer) &&
	       (left_ns = due_ns - cli_now_ns()) > 0) {
		cli_signals_sleep(left_ns < LOOK_NS ? left_ns : LOOK_NS);
		if (left_ns > LOOK_NS && cli_output_is_closed(&printer->output))
			printer->output.error = EPIPE;
	}
}

static bool wait_for_frame(struct cli_pacer *pacer,
                           const struct shmlog_frame *frame)
{
	/* The pacer is the first member. */
	struct cli_pace *pace = (struct cli_pace *)pacer;
	int64_t time_ns, now_ns;

	if (!find_time(pace, frame, &time_ns))
		return cli_printer_is_wanted(pace->printer);
	if (pace->begun && time_ns > pace->time_ns) {
		pace->due_ns = due_at(pace, time_ns);
		sleep_until(pace, pace->due_ns);
	}
	now_ns = cli_now_ns();
	if (!pace->begun || now_ns - pace->due_ns > LAG_MAX_NS)
		pace->due_ns = now_ns;
	pace->begun = true;
	pace->time_ns = time_ns;
	return cli_printer_is_wanted(pace->printer);
}

/* ------------------------------------------------------------------ options */

static int read_speed(const char *text, double *speed_out)
{
	struct cli_quoted quoted;
	char *end;

	*speed_out = 1;
	if (text == NULL)
		return CLI_OK;
	*speed_out = strtod(text, &end);
	if (*text == '\0' || strspn(text, "0123456789.") != strlen(text) ||
	    *end != '\0' || *speed_out < 1e-9 || *speed_out > 1e9)
		return cli_usage_error("--speed %s is no number such as 10 or "
		                       "0.5",
		                       cli_quote(&quoted, text));
	return CLI_OK;
}

static int read_path(const char *text, struct cli_where **path_out)
{
	struct cli_where_error error;
	struct cli_quoted quoted;
	size_t length;

	*path_out = cli_where_parse_path(text, &length, &error);
	if (*path_out != NULL && text[length] == '\0')
		return CLI_OK;
	if (*path_out != NULL)
		return cli_usage_error("--pace %s: this is no path alone",
		                       cli_quote(&quoted, text));
	if (error.failure == CLI_WHERE_NO_MEMORY)
		return cli_fail(NULL, "cannot keep the path", -ENOMEM);
	return cli_usage_error("--pace %s: column %zu: %s",
	                       cli_quote(&quoted, text), error.column,
	                       error.reason);
}

int cli_pace_init(struct cli_pace **pace_out, const struct cli_args *args,
                  struct cli_pace_places places, struct cli_printer *printer)
{
	const char *path = cli_args_value(args, places.pace);
	const char *speed = cli_args_value(args, places.speed);
	struct cli_pace *pace;
	int status;

	*pace_out = NULL;
	if (path == NULL)
		return speed == NULL ? CLI_OK
		                     : cli_usage_error("--speed needs --pace");
	pace = calloc(1, sizeof(*pace));
	if (pace == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	pace->pacer.wait = wait_for_frame;
	pace->printer = printer;
	status = read_speed(speed, &pace->speed);
	if (status == CLI_OK)
		status = read_path(path, &pace->path);
	if (status == CLI_OK)
		status = cli_document_init(&pace->document, &printer->typed);
	if (status == CLI_OK) {
		printer->pacer = &pace->pacer;
		*pace_out = pace;
	} else {
		cli_pace_free(pace);
	}
	return status;
}

void cli_pace_free(struct cli_pace *pace)
{
	if (pace == NULL)
		return;
	cli_where_free(pace->path);
	cli_document_release(&pace->document);
	cli_arena_free(&pace->scratch);
	free(pace);
}
