/* Judges frames by the patterns and the expression that were asked for. */
#include "filter.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "pattern.h"
#include "where.h"
#include "where_refusal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames that are judged at a time. */
#define BATCH_FRAMES 256u

struct cli_filter {
	const struct cli_typed *typed;
	struct cli_pattern *grep;     /* or NULL */
	struct cli_pattern *not_grep; /* or NULL */
	struct cli_where *where;      /* or NULL */
	struct cli_output value;      /* of a frame that has a type */
	bool has_value;               /* the buffer of it is there */
	unsigned char *copy;          /* of a payload */
	/* The last frame that could not be judged. */
	uint64_t failed_cursor;
	const char *failed_option; /* that is over its match limit; NULL:
	                            * memory was short */
};

/* What of a frame is judged. */
struct subject {
	const unsigned char *bytes;
	size_t size_bytes;
};

/* ----------------------------------------------------------------- options */

static int refuse_pattern(const char *option, const char *text,
                          const struct cli_regex_error *error)
{
	struct cli_quoted quoted;
	size_t column = 1;

	if (error->failure == CLI_REGEX_NO_MEMORY)
		return cli_fail(NULL, "cannot filter", -ENOMEM);
	if (error->failure == CLI_REGEX_NOT_BUILT) {
		cli_message(NULL, "--%s cannot be used: %s", option,
		            error->reason);
		return CLI_SYSTEM;
	}
	for (size_t i = 0; i < error->offset; i++)
		column += ((unsigned char)text[i] & 0xc0) != 0x80;
	return cli_usage_error("--%s %s: column %zu: %s", option,
	                       cli_quote(&quoted, text), column, error->reason);
}

/* Compiles the patterns that an option gives.  NULL if it is not given, or for
 * an error. */
static struct cli_pattern *compile_patterns(const struct cli_args *args,
                                            size_t place, bool ignore_case,
                                            struct cli_pattern_error *error)
{
	size_t count = cli_args_count(args, place);
	struct cli_pattern *pattern;
	const char **texts;

	*error = (struct cli_pattern_error){
		.regex = {.failure = CLI_REGEX_NO_MEMORY}};
	if (count == 0)
		return NULL;
	texts = calloc(count, sizeof(*texts));
	if (texts == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		texts[i] = cli_args_nth(args, place, i);
	pattern = cli_pattern_compile(texts, count, ignore_case, error);
	free(texts);
	return pattern;
}

static int read_patterns(const struct cli_args *args, size_t place,
                         const char *option, bool ignore_case,
                         struct cli_pattern **pattern_out)
{
	struct cli_pattern_error error;

	*pattern_out = compile_patterns(args, place, ignore_case, &error);
	if (*pattern_out != NULL || cli_args_count(args, place) == 0)
		return CLI_OK;
	return refuse_pattern(option, cli_args_nth(args, place, error.nth),
	                      &error.regex);
}

static int read_expression(const char *text, const char *command,
                           struct cli_where **where_out)
{
	struct cli_where_error error;
	char feed[64];

	if (text == NULL)
		return CLI_OK;
	*where_out = cli_where_parse(text, &error);
	if (*where_out != NULL)
		return CLI_OK;
	(void)snprintf(feed, sizeof(feed), "shmlog %s LOG", command);
	return cli_where_refuse(&(struct cli_where_use){"--where", feed,
	                                                "-c 'select((", ")?)'"},
	                        text, &error);
}

/* False if memory is short. */
static bool has_memory(struct cli_filter *filter)
{
	filter->copy = malloc(SHMLOG_PAYLOAD_MAX_BYTES + 1);
	if (filter->copy == NULL || filter->typed->type == NULL)
		return filter->copy != NULL;
	filter->has_value = cli_output_init_memory(&filter->value) == 0;
	return filter->has_value;
}

static int prepare(struct cli_filter *filter)
{
	return has_memory(filter) ? CLI_OK
	                          : cli_fail(NULL, "cannot filter", -ENOMEM);
}

int cli_filter_init(struct cli_filter **filter_out, const struct cli_args *args,
                    struct cli_filter_places places, const char *command,
                    const struct cli_typed *typed)
{
	const char *expression = cli_args_value(args, places.where);
	bool ignore_case = cli_args_count(args, places.ignore_case) > 0;
	bool has_patterns = cli_args_count(args, places.grep) > 0 ||
	                    cli_args_count(args, places.not_grep) > 0;
	struct cli_filter *filter;
	int status;

	*filter_out = NULL;
	if (ignore_case && !has_patterns)
		return cli_usage_error(
			"--ignore-case needs --grep or --not-grep");
	if (!has_patterns && expression == NULL)
		return CLI_OK;
	filter = calloc(1, sizeof(*filter));
	if (filter == NULL)
		return cli_fail(NULL, "cannot filter", -ENOMEM);
	filter->typed = typed;
	status = read_patterns(args, places.grep, "grep", ignore_case,
	                       &filter->grep);
	if (status == CLI_OK)
		status = read_patterns(args, places.not_grep, "not-grep",
		                       ignore_case, &filter->not_grep);
	if (status == CLI_OK)
		status = read_expression(expression, command, &filter->where);
	if (status == CLI_OK)
		status = prepare(filter);
	if (status == CLI_OK)
		*filter_out = filter;
	else
		cli_filter_free(filter);
	return status;
}

struct cli_filter *cli_filter_twin(const struct cli_args *args,
                                   struct cli_filter_places places,
                                   const struct cli_typed *typed)
{
	const char *expression = cli_args_value(args, places.where);
	bool ignore_case = cli_args_count(args, places.ignore_case) > 0;
	struct cli_filter *filter = calloc(1, sizeof(*filter));
	struct cli_pattern_error error;
	struct cli_where_error where_error;

	if (filter == NULL)
		return NULL;
	filter->typed = typed;
	filter->grep = compile_patterns(args, places.grep, ignore_case, &error);
	filter->not_grep = compile_patterns(args, places.not_grep, ignore_case,
	                                    &error);
	if (expression != NULL)
		filter->where = cli_where_parse(expression, &where_error);
	if (has_memory(filter) &&
	    (filter->grep != NULL) == (cli_args_count(args, places.grep) > 0) &&
	    (filter->not_grep != NULL) ==
	            (cli_args_count(args, places.not_grep) > 0) &&
	    (filter->where != NULL) == (expression != NULL))
		return filter;
	cli_filter_free(filter);
	return NULL;
}

static int refuse_typed_in(const char *text,
                           const struct cli_regex_error *error)
{
	struct cli_quoted quoted;

	if (error->failure == CLI_REGEX_NO_MEMORY)
		return cli_fail(NULL, "cannot search", -ENOMEM);
	if (error->failure == CLI_REGEX_NOT_BUILT)
		cli_message(NULL, "patterns cannot be used: %s", error->reason);
	else
		cli_message(NULL, "%s: byte %zu: %s", cli_quote(&quoted, text),
		            error->offset + 1, error->reason);
	return CLI_USAGE;
}

int cli_filter_of_pattern(struct cli_filter **filter_out, const char *pattern,
                          const struct cli_typed *typed)
{
	struct cli_pattern_error error;
	struct cli_filter *filter = calloc(1, sizeof(*filter));
	int status;

	*filter_out = NULL;
	if (filter == NULL)
		return cli_fail(NULL, "cannot search", -ENOMEM);
	filter->typed = typed;
	filter->grep = cli_pattern_compile(&pattern, 1, false, &error);
	status = filter->grep != NULL ? prepare(filter)
	                              : refuse_typed_in(pattern, &error.regex);
	if (status == CLI_OK)
		*filter_out = filter;
	else
		cli_filter_free(filter);
	return status;
}

void cli_filter_free(struct cli_filter *filter)
{
	if (filter == NULL)
		return;
	if (filter->has_value)
		cli_output_release(&filter->value);
	cli_pattern_free(filter->grep);
	cli_pattern_free(filter->not_grep);
	cli_where_free(filter->where);
	free(filter->copy);
	free(filter);
}

/* ----------------------------------------------------------------- judging */

/* Records why a frame could not be judged; the exit status. */
static int fail(struct cli_filter *filter, const char *option, bool over_limit,
                const struct shmlog_frame *frame)
{
	filter->failed_cursor = frame->cursor;
	filter->failed_option = over_limit ? option : NULL;
	return over_limit ? CLI_INPUT : CLI_SYSTEM;
}

int cli_filter_report(const struct cli_filter *filter)
{
	if (filter->failed_option != NULL) {
		cli_message(filter->typed->path,
		            "the frame at cursor %" PRIu64
		            " cannot be judged: %s is over its match limit",
		            filter->failed_cursor, filter->failed_option);
		return CLI_INPUT;
	}
	cli_message(filter->typed->path,
	            "the frame at cursor %" PRIu64
	            " cannot be judged: not enough memory",
	            filter->failed_cursor);
	return CLI_SYSTEM;
}

/* A payload that nobody changes meanwhile, and a byte behind it. */
static struct subject copy_payload(const struct cli_filter *filter,
                                   const struct shmlog_frame *frame)
{
	memcpy(filter->copy, frame->payload, frame->size_bytes);
	filter->copy[frame->size_bytes] = '\n';
	return (struct subject){filter->copy, frame->size_bytes};
}

/* Whether a pattern is found; CLI_OK, or a status. */
static int match(struct cli_filter *filter, const struct cli_pattern *pattern,
                 const char *option, const struct shmlog_frame *frame,
                 struct subject subject, bool *found_out)
{
	enum cli_regex_match result = cli_pattern_search(
		pattern, subject.bytes, subject.size_bytes, 0, NULL);

	*found_out = result == CLI_REGEX_MATCH;
	if (result == CLI_REGEX_MATCH || result == CLI_REGEX_NO_MATCH)
		return CLI_OK;
	return fail(filter, option, result == CLI_REGEX_OVER_LIMIT, frame);
}

static int judge_where(struct cli_filter *filter,
                       const struct shmlog_frame *frame, struct subject subject,
                       bool *passes)
{
	enum cli_where_answer answer = cli_where_judge(
		filter->where, subject.bytes, subject.size_bytes);

	*passes = answer == CLI_WHERE_YES;
	if (answer == CLI_WHERE_YES || answer == CLI_WHERE_NO)
		return CLI_OK;
	return fail(filter, "--where", answer == CLI_WHERE_OVER_LIMIT, frame);
}

/* --------------------------------------------------------- frames as bytes */

/* Keeps those frames whose payload matches, or does not.  How many of them
 * were judged. */
static size_t apply_pattern(struct cli_filter *filter,
                            const struct cli_pattern *pattern, bool wanted,
                            const struct shmlog_frame *frames, size_t count,
                            bool *passes, int *status_out)
{
	const struct cli_literals *literals = cli_pattern_literals(pattern);
	enum cli_held held[BATCH_FRAMES];

	if (literals->count > 0)
		cli_literals_mark(literals, frames, count, held);
	for (size_t i = 0; i < count; i++) {
		struct subject subject = {frames[i].payload,
		                          frames[i].size_bytes};
		bool found;
		int status;

		if (!passes[i])
			continue;
		if (literals->count > 0 && held[i] != CLI_HELD_SOME) {
			found = held[i] == CLI_HELD_DECIDING;
			passes[i] = found == wanted;
			continue;
		}
		if (cli_pattern_is_utf(pattern))
			subject = copy_payload(filter, &frames[i]);
		status = match(filter, pattern,
		               wanted ? "--grep" : "--not-grep", &frames[i],
		               subject, &found);
		if (status != CLI_OK) {
			*status_out = status;
			return i;
		}
		passes[i] = found == wanted;
	}
	return count;
}

static size_t apply_where(struct cli_filter *filter,
                          const struct shmlog_frame *frames, size_t count,
                          bool *passes, int *status_out)
{
	const struct cli_literals *literals = cli_where_literals(filter->where);
	enum cli_held held[BATCH_FRAMES];

	if (literals->count > 0)
		cli_literals_mark(literals, frames, count, held);
	for (size_t i = 0; i < count; i++) {
		int status;

		if (!passes[i])
			continue;
		/* What an expression looks for may hide behind an escape. */
		if (literals->count > 0 && held[i] == CLI_HELD_NONE &&
		    memchr(frames[i].payload, '\\', frames[i].size_bytes) ==
		            NULL) {
			passes[i] = false;
			continue;
		}
		status = judge_where(filter, &frames[i],
		                     copy_payload(filter, &frames[i]),
		                     &passes[i]);
		if (status != CLI_OK) {
			*status_out = status;
			return i;
		}
	}
	return count;
}

static int judge_payloads(struct cli_filter *filter,
                          const struct shmlog_frame *frames, size_t count,
                          bool *passes, size_t *judged_out)
{
	int status = CLI_OK;

	if (filter->grep != NULL)
		count = apply_pattern(filter, filter->grep, true, frames, count,
		                      passes, &status);
	if (filter->not_grep != NULL)
		count = apply_pattern(filter, filter->not_grep, false, frames,
		                      count, passes, &status);
	if (filter->where != NULL)
		count = apply_where(filter, frames, count, passes, &status);
	*judged_out = count;
	return status;
}

/* -------------------------------------------------------- frames as values */

/* The JSON of a frame's value; false if it has none. */
static bool decode_value(struct cli_filter *filter,
                         const struct shmlog_frame *frame,
                         struct subject *subject_out)
{
	struct cli_bendec_error error;
	const struct cli_bendec_type *type = cli_typed_match(filter->typed,
	                                                     frame, &error);

	if (type == NULL)
		return false;
	filter->value.used = 0;
	cli_typed_print(filter->typed, type, &filter->value, frame, '\n');
	*subject_out = (struct subject){filter->value.buffer,
	                                filter->value.used - 1};
	return true;
}

/* A frame that has no value matches nothing. */
static int judge_value(struct cli_filter *filter,
                       const struct shmlog_frame *frame, bool *passes)
{
	struct subject subject;
	bool found = false;
	int status = CLI_OK;

	if (!decode_value(filter, frame, &subject)) {
		*passes = filter->grep == NULL && filter->where == NULL;
		return CLI_OK;
	}
	if (filter->value.error != 0)
		return fail(filter, "", false, frame);
	*passes = true;
	if (filter->grep != NULL) {
		status = match(filter, filter->grep, "--grep", frame, subject,
		               &found);
		*passes = found;
	}
	if (status == CLI_OK && *passes && filter->not_grep != NULL) {
		status = match(filter, filter->not_grep, "--not-grep", frame,
		               subject, &found);
		*passes = !found;
	}
	if (status == CLI_OK && *passes && filter->where != NULL)
		status = judge_where(filter, frame, subject, passes);
	return status;
}

static int judge_batch(struct cli_filter *filter,
                       const struct shmlog_frame *frames, size_t count,
                       bool *passes, size_t *judged_out)
{
	int status = CLI_OK;

	for (size_t i = 0; i < count; i++)
		passes[i] = true;
	if (filter->typed->type == NULL)
		return judge_payloads(filter, frames, count, passes,
		                      judged_out);
	for (*judged_out = 0; *judged_out < count; ++*judged_out) {
		status = judge_value(filter, &frames[*judged_out],
		                     &passes[*judged_out]);
		if (status != CLI_OK)
			break;
	}
	return status;
}

int cli_filter_judge(struct cli_filter *filter,
                     const struct shmlog_frame *frames, size_t count,
                     bool *passes, size_t *judged_out)
{
	size_t done = 0;
	int status = CLI_OK;

	while (done < count && status == CLI_OK) {
		size_t batch = count - done < BATCH_FRAMES ? count - done
		                                           : BATCH_FRAMES;
		size_t judged;

		status = judge_batch(filter, frames + done, batch,
		                     passes + done, &judged);
		done += judged;
	}
	*judged_out = done;
	return status;
}

/* ----------------------------------------------------------------- matches */

static bool find_match(void *context, const unsigned char *bytes,
                       size_t size_bytes, size_t start, size_t *begin_out,
                       size_t *end_out)
{
	const struct cli_filter *filter = context;
	struct cli_regex_bounds bounds;

	if (cli_pattern_search(filter->grep, bytes, size_bytes, start,
	                       &bounds) != CLI_REGEX_MATCH)
		return false;
	*begin_out = bounds.begin;
	*end_out = bounds.end;
	return true;
}

void cli_filter_show_matches(struct cli_filter *filter,
                             struct cli_match_finder *finder_out)
{
	finder_out->find = filter->grep != NULL ? find_match : NULL;
	finder_out->context = filter;
}
