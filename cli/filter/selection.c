/* Prints the frames that pass, and what is wanted around them. */
#include "selection.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Frames that are judged at a time. */
#define BATCH_FRAMES 256u
/* More frames than these are no context, and would have to be kept. */
#define CONTEXT_MAX 100000u

/* A frame that may have to be printed, with a payload of its own. */
struct held {
	struct shmlog_frame frame;
	const char *log; /* that it is from */
	unsigned char *payload;
	size_t room_bytes;
};

struct cli_selection {
	struct cli_filter *filter;
	struct cli_printer *printer;
	void (*print)(void *context, const struct shmlog_frame *frames,
	              size_t count);
	void *context; /* of print() */
	uint64_t before;
	uint64_t after;
	bool around; /* frames around those that pass are wanted, if only 0 */
	bool tally;

	uint64_t passed;
	uint64_t after_left; /* frames to print behind the last that passed */
	uint64_t skipped;    /* frames since the last that was printed */
	bool printed;        /* a frame was */
	struct held *held;   /* a ring of the last `before` frames */
	size_t held_count;
	size_t held_first;
};

/* ----------------------------------------------------------------- options */

static int read_count(const struct cli_args *args, size_t place,
                      uint64_t *count)
{
	const char *text = cli_args_value(args, place);
	struct cli_quoted quoted;

	if (text == NULL ||
	    (cli_parse_u64(text, count) && *count <= CONTEXT_MAX))
		return CLI_OK;
	return cli_usage_error("context %s is no number of frames, at most %u",
	                       cli_quote(&quoted, text), CONTEXT_MAX);
}

static int read_options(const struct cli_args *args,
                        struct cli_selection_places places,
                        struct cli_selection *selection)
{
	uint64_t context = 0;
	int status = read_count(args, places.context, &context);

	selection->tally = cli_args_count(args, places.tally) > 0;
	selection->before = selection->after = context;
	if (status == CLI_OK)
		status = read_count(args, places.before, &selection->before);
	if (status == CLI_OK)
		status = read_count(args, places.after, &selection->after);
	selection->around = cli_args_count(args, places.context) +
	                            cli_args_count(args, places.before) +
	                            cli_args_count(args, places.after) >
	                    0;
	/* A number is no column. */
	if (selection->tally)
		selection->printer->heading_due = false;
	if (status == CLI_OK && selection->tally && selection->around)
		return cli_usage_error("--tally prints no frames, and so none "
		                       "around them");
	return status;
}

static bool is_given(const struct cli_args *args,
                     struct cli_selection_places places)
{
	return cli_args_count(args, places.after) > 0 ||
	       cli_args_count(args, places.before) > 0 ||
	       cli_args_count(args, places.context) > 0 ||
	       cli_args_count(args, places.tally) > 0;
}

static void print_by_printer(void *context, const struct shmlog_frame *frames,
                             size_t count)
{
	cli_printer_frames(context, frames, count);
}

int cli_selection_init(struct cli_selection **selection_out,
                       const struct cli_args *args,
                       struct cli_selection_places places,
                       struct cli_filter *filter, struct cli_printer *printer)
{
	struct cli_selection *selection;
	int status;

	*selection_out = NULL;
	if (filter == NULL)
		return is_given(args, places)
		               ? cli_usage_error("--after-context, "
		                                 "--before-context, --context "
		                                 "and --tally need --grep, "
		                                 "--not-grep or --where")
		               : CLI_OK;
	selection = calloc(1, sizeof(*selection));
	if (selection == NULL)
		return cli_fail(NULL, "cannot filter", -ENOMEM);
	selection->filter = filter;
	selection->printer = printer;
	cli_filter_show_matches(filter, &printer->renderer.matches);
	cli_selection_print_by(selection, print_by_printer, printer);
	status = read_options(args, places, selection);
	if (status == CLI_OK && selection->before > 0) {
		selection->held = calloc((size_t)selection->before,
		                         sizeof(*selection->held));
		if (selection->held == NULL)
			status = cli_fail(NULL, "cannot filter", -ENOMEM);
	}
	if (status == CLI_OK)
		*selection_out = selection;
	else
		cli_selection_free(selection);
	return status;
}

struct cli_selection *cli_selection_copy(const struct cli_selection *selection)
{
	struct cli_selection *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return NULL;
	*copy = *selection;
	copy->passed = 0;
	cli_selection_begin(copy);
	if (copy->before == 0)
		return copy;
	copy->held = calloc((size_t)copy->before, sizeof(*copy->held));
	if (copy->held != NULL)
		return copy;
	free(copy);
	return NULL;
}

void cli_selection_print_by(struct cli_selection *selection,
                            void (*print)(void *context,
                                          const struct shmlog_frame *frames,
                                          size_t count),
                            void *context)
{
	selection->print = print;
	selection->context = context;
}

void cli_selection_free(struct cli_selection *selection)
{
	if (selection == NULL)
		return;
	for (size_t i = 0; selection->held != NULL && i < selection->before;
	     i++)
		free(selection->held[i].payload);
	free(selection->held);
	free(selection);
}

void cli_selection_begin(struct cli_selection *selection)
{
	if (selection == NULL)
		return;
	selection->after_left = selection->skipped = 0;
	selection->printed = false;
	selection->held_count = selection->held_first = 0;
}

/* ----------------------------------------------------------------- context */

/* Keeps a frame that may yet be printed. */
static int hold(struct cli_selection *selection,
                const struct shmlog_frame *frame)
{
	size_t room = (size_t)selection->before;
	size_t place = (selection->held_first + selection->held_count) % room;
	struct held *held = &selection->held[place];

	if (held->room_bytes < frame->size_bytes + 1u) {
		unsigned char *payload = realloc(held->payload,
		                                 frame->size_bytes + 1u);

		if (payload == NULL)
			return cli_fail(NULL, "cannot keep a frame", -ENOMEM);
		held->payload = payload;
		held->room_bytes = frame->size_bytes + 1u;
	}
	memcpy(held->payload, frame->payload, frame->size_bytes);
	held->frame = *frame;
	held->frame.payload = held->payload;
	held->log = selection->printer->path;
	if (selection->held_count < room)
		selection->held_count++;
	else
		selection->held_first = (selection->held_first + 1) % room;
	return CLI_OK;
}

/* A line between frames that do not follow one another, in text, as grep has
 * it; other formats have no place for one. */
static void print_gap(struct cli_selection *selection)
{
	struct cli_printer *printer = selection->printer;

	if (!selection->printed ||
	    selection->skipped <= selection->held_count ||
	    printer->renderer.format->end != '\n')
		return;
	cli_printer_gap(printer);
}

static void print_held(struct cli_selection *selection)
{
	const char *log = selection->printer->path;

	for (size_t i = 0; i < selection->held_count; i++) {
		size_t place = (selection->held_first + i) %
		               (size_t)selection->before;

		/* Of merged logs, each frame may be from another one. */
		if (selection->print == print_by_printer)
			cli_printer_set_log(selection->printer,
			                    selection->held[place].log);
		selection->print(selection->context,
		                 &selection->held[place].frame, 1);
	}
	cli_printer_set_log(selection->printer, log);
}

/* Whether a frame is one to print, as one that passes or behind one; else it is
 * kept, if it may yet have to be printed: *status_out. */
static bool take(struct cli_selection *selection,
                 const struct shmlog_frame *frame, bool passes, int *status_out)
{
	*status_out = CLI_OK;
	if (passes || selection->after_left > 0)
		return true;
	selection->skipped++;
	if (selection->before > 0)
		*status_out = hold(selection, frame);
	return false;
}

/* A frame of those to print was dealt with. */
static void count_taken(struct cli_selection *selection, bool passes)
{
	selection->after_left = passes ? selection->after
	                               : selection->after_left - 1;
	selection->skipped = 0;
	selection->held_count = 0;
}

/* One frame, where others around those that pass are wanted. */
static int print_one(struct cli_selection *selection,
                     const struct shmlog_frame *frame, bool passes)
{
	int status;

	if (!take(selection, frame, passes, &status))
		return status;
	if (passes) {
		print_gap(selection);
		print_held(selection);
	}
	selection->print(selection->context, frame, 1);
	selection->printed = true;
	count_taken(selection, passes);
	return CLI_OK;
}

int cli_selection_hold(struct cli_selection *selection,
                       const struct shmlog_frame *frame)
{
	return selection->before > 0 ? hold(selection, frame) : CLI_OK;
}

int cli_selection_recall(struct cli_selection *selection,
                         const struct shmlog_frame *frame)
{
	bool passes = false;
	size_t judged;
	int status;

	/* One that cannot be judged now was reported then. */
	if (cli_filter_judge(selection->filter, frame, 1, &passes, &judged) !=
	    CLI_OK)
		passes = false;
	if (take(selection, frame, passes, &status))
		count_taken(selection, passes);
	return status;
}

/* ---------------------------------------------------------------- printing */

static void count_passed(struct cli_selection *selection, uint64_t *left,
                         size_t count)
{
	selection->passed += count;
	*left -= count;
}

/* Frames that pass, as many at a time as follow one another.  How many frames
 * were dealt with. */
static size_t print_passing(struct cli_selection *selection,
                            const struct shmlog_frame *frames, size_t count,
                            const bool *passes, uint64_t *left)
{
	size_t i = 0;

	while (*left > 0 && i < count) {
		size_t run = 0;

		while (i + run < count && run < *left && passes[i + run])
			run++;
		if (run > 0 && !selection->tally)
			selection->print(selection->context, frames + i, run);
		count_passed(selection, left, run);
		i += run > 0 ? run : 1;
	}
	return i;
}

static int print_around(struct cli_selection *selection,
                        const struct shmlog_frame *frames, size_t count,
                        const bool *passes, uint64_t *left, size_t *used)
{
	int status = CLI_OK;

	for (*used = 0; *used < count && status == CLI_OK; ++*used) {
		bool wanted = passes[*used] && *left > 0;

		if (!cli_selection_is_open(selection, *left))
			break;
		status = print_one(selection, &frames[*used], wanted);
		if (wanted)
			count_passed(selection, left, 1);
	}
	return status;
}

static int print_batch(struct cli_selection *selection,
                       const struct shmlog_frame *frames, size_t count,
                       uint64_t *left, size_t *used)
{
	bool passes[BATCH_FRAMES] = {false};
	size_t judged = count;
	int status = CLI_OK, printed = CLI_OK;

	/* Behind the last one that may pass, frames are context alone. */
	if (*left > 0)
		status = cli_filter_judge(selection->filter, frames, count,
		                          passes, &judged);
	if (selection->around)
		printed = print_around(selection, frames, judged, passes, left,
		                       used);
	else
		*used = print_passing(selection, frames, judged, passes, left);
	/* Where enough have passed, nobody asks whether the next one does. */
	if (printed != CLI_OK || status == CLI_OK || *left == 0)
		return printed;
	(void)cli_output_flush(&selection->printer->output);
	return cli_filter_report(selection->filter);
}

int cli_selection_print(struct cli_selection *selection,
                        const struct shmlog_frame *frames, size_t count,
                        uint64_t *left, size_t *used_out)
{
	int status = CLI_OK;

	*used_out = 0;
	while (*used_out < count && status == CLI_OK &&
	       cli_selection_is_open(selection, *left)) {
		size_t batch = count - *used_out < BATCH_FRAMES
		                       ? count - *used_out
		                       : BATCH_FRAMES;
		size_t used;

		status = print_batch(selection, frames + *used_out, batch, left,
		                     &used);
		*used_out += used;
	}
	return status;
}

bool cli_selection_is_open(const struct cli_selection *selection, uint64_t left)
{
	return left > 0 || selection->after_left > 0;
}

uint64_t cli_selection_passed(const struct cli_selection *selection)
{
	return selection->passed;
}

uint64_t cli_selection_before(const struct cli_selection *selection)
{
	return selection != NULL ? selection->before : 0;
}

uint64_t cli_selection_reach(const struct cli_selection *selection)
{
	return selection != NULL && selection->around
	               ? selection->before + selection->after
	               : 0;
}

bool cli_selection_is_tally(const struct cli_selection *selection)
{
	return selection->tally;
}

void cli_selection_add_passed(struct cli_selection *selection, uint64_t frames)
{
	selection->passed += frames;
}

int cli_selection_finish(struct cli_selection *selection, uint64_t passed,
                         bool whole, int status)
{
	struct cli_output *output = &selection->printer->output;

	if (selection->tally && whole) {
		cli_output_u64(output, passed);
		cli_output_string(output, "\n");
	}
	return status == CLI_OK && passed == 0 ? CLI_NO_MATCH : status;
}
