/* Chooses an output format and renders frames by it. */
#include "output_format.h"

#include "command.h"
#include "escape.h"
#include "fault_text.h"
#include "json_check.h"
#include "message.h"
#include "out_formats.h"
#include "template.h"
#include "typed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- the list */

const struct cli_output_format cli_output_formats[] = {
	{.name = "text",
         .frame = cli_out_ended,
         .batch = cli_out_ended_batch,
         .end = '\n',
         .paint = CLI_PAINT_PAYLOAD,
         .values = true,
         .headers = true,
         .prefix = true},
	{.name = "nul",
         .frame = cli_out_ended,
         .batch = cli_out_ended_batch,
         .end = '\0',
         .values = true,
         .prefix = true},
	{.name = "json",
         .frame = cli_out_json,
         .batch = cli_out_json_batch,
         .end = CLI_NO_END,
         .paint = CLI_PAINT_JSON,
         .safe_on_terminal = true,
         .values = true,
         .events = true},
	{.name = "hex",
         .frame = cli_out_hex,
         .end = CLI_NO_END,
         .paint = CLI_PAINT_CURSOR_LINE,
         .safe_on_terminal = true,
         .headers = true},
	{.name = "frames", .frame = cli_out_frames, .end = CLI_NO_END},
	{.name = "raw", .frame = cli_out_raw, .end = CLI_NO_END},
	{.name = "csv",
         .frame = cli_out_csv,
         .heading = cli_out_csv_heading,
         .end = CLI_NO_END,
         .safe_on_terminal = true,
         .values = true},
	{.name = NULL},
};

static void render_template(const struct cli_renderer *renderer,
                            struct cli_output *output,
                            const struct shmlog_frame *frame)
{
	cli_template_render(renderer->template, output, renderer->log, frame,
	                    &renderer->seen, renderer->late, renderer->escape,
	                    renderer->color != NULL);
}

static bool render_templates(const struct cli_renderer *renderer,
                             struct cli_output *output,
                             const struct shmlog_frame *frames, size_t count)
{
	return !renderer->escape &&
	       cli_template_render_batch(renderer->template, output,
	                                 renderer->log, frames, count,
	                                 &renderer->seen);
}

/* A template (-t) is a format without an -o name. */
static const struct cli_output_format template_format = {
	.frame = render_template,
	.batch = render_templates,
	.end = CLI_NO_END,
	.paint = CLI_PAINT_ITSELF,
	.safe_on_terminal = true, /* the template itself is the user's own */
};

const struct cli_output_format *cli_output_format_find(const char *name)
{
	for (size_t i = 0; cli_output_formats[i].name != NULL; i++) {
		if (strcmp(name, cli_output_formats[i].name) == 0)
			return &cli_output_formats[i];
	}
	return NULL;
}

/* ---------------------------------------------------------------- choosing */

/* "text, nul and json": the names of all formats, or of those with values. */
struct format_names {
	char text[256];
};

static const char *list_names(struct format_names *names, bool values_only)
{
	const char *last = NULL;
	size_t used = 0;

	names->text[0] = '\0';
	for (size_t i = 0; cli_output_formats[i].name != NULL; i++) {
		if (values_only && !cli_output_formats[i].values)
			continue;
		if (last != NULL)
			used += (size_t)snprintf(
				names->text + used, sizeof(names->text) - used,
				"%s%s", used == 0 ? "" : ", ", last);
		last = cli_output_formats[i].name;
	}
	(void)snprintf(names->text + used, sizeof(names->text) - used, "%s%s",
	               used == 0 ? "" : " and ", last);
	return names->text;
}

static int find_format(const char *name,
                       const struct cli_output_format **format_out)
{
	struct format_names names;
	struct cli_quoted quoted;

	*format_out = cli_output_format_find(name);
	if (*format_out != NULL)
		return CLI_OK;
	return cli_usage_error("unknown output format %s; known are %s",
	                       cli_quote(&quoted, name),
	                       list_names(&names, false));
}

int cli_renderer_init(struct cli_renderer *renderer, const char *name,
                      const char *template_text, int fd)
{
	*renderer = (struct cli_renderer){
		.format = &cli_output_formats[0],
		.log = "",
		.escape = isatty(fd) == 1,
	};
	if (name != NULL && template_text != NULL)
		return cli_usage_error("an output format (-o) and a template "
		                       "(-t) exclude each other");
	if (template_text != NULL) {
		renderer->format = &template_format;
		return cli_template_compile(template_text, &renderer->template);
	}
	return name == NULL ? CLI_OK : find_format(name, &renderer->format);
}

int cli_renderer_set_type(struct cli_renderer *renderer,
                          struct cli_typed *typed)
{
	struct format_names names;

	if (typed->type == NULL)
		return CLI_OK;
	if (!renderer->format->values)
		return cli_usage_error(
			"--schema goes with the output formats %s",
			list_names(&names, true));
	/* What gives a format its columns looks into values itself. */
	if (renderer->format->heading == NULL)
		renderer->typed = typed;
	return CLI_OK;
}

void cli_renderer_set_color(struct cli_renderer *renderer,
                            struct cli_color *color)
{
	if (color->on && renderer->format->paint != CLI_PAINT_NOTHING)
		renderer->color = color;
}

void cli_renderer_release(struct cli_renderer *renderer)
{
	cli_paint_release(&renderer->paint);
	cli_template_free(renderer->template);
	renderer->template = NULL;
	if (renderer->raw != NULL)
		cli_output_release(renderer->raw);
	free(renderer->raw);
	renderer->raw = NULL;
	free(renderer->log_member);
	renderer->log_member = NULL;
	renderer->log_member_bytes = 0;
}

bool cli_renderer_set_log(struct cli_renderer *renderer, const char *path,
                          bool tell)
{
	size_t length = path != NULL ? strlen(path) : 0;
	char *member;

	renderer->log = path != NULL ? path : "";
	if (renderer->color != NULL && renderer->prefix)
		renderer->log_style = cli_color_of_log(renderer->color,
		                                       renderer->log);
	renderer->log_member_bytes = 0;
	if (!tell || path == NULL || !renderer->format->events)
		return true;
	member = realloc(renderer->log_member, length * CLI_ESCAPE_JSON_MAX +
	                                               sizeof("\"log\":\"\","));
	if (member == NULL)
		return false;
	renderer->log_member = member;
	memcpy(member, "\"log\":\"", 7);
	length = 7 + cli_escape_json((unsigned char *)member + 7,
	                             (const unsigned char *)path, length);
	memcpy(member + length, "\",", 2);
	renderer->log_member_bytes = length + 2;
	return true;
}

/* ----------------------------------------------------------- on a terminal */

/* Bytes that are escaped at a time: what they become fits into the buffer. */
#define PIECE_BYTES ((size_t)64 << 10)

/* Finds a place to cut that splits no character. */
static size_t piece_of(const unsigned char *bytes, size_t size_bytes)
{
	size_t piece = size_bytes;

	if (piece > PIECE_BYTES) {
		piece = PIECE_BYTES;
		while (piece > PIECE_BYTES - 4 && (bytes[piece] & 0xc0) == 0x80)
			piece--;
	}
	return piece;
}

void cli_out_escaped(struct cli_output *output, const unsigned char *bytes,
                     size_t size_bytes)
{
	while (size_bytes > 0) {
		size_t piece = piece_of(bytes, size_bytes);
		unsigned char *room = cli_output_reserve(
			output, piece * CLI_ESCAPE_TERMINAL_MAX);

		if (room == NULL)
			return;
		cli_output_advance(output,
		                   cli_escape_terminal(room, bytes, piece));
		bytes += piece;
		size_bytes -= piece;
	}
}

void cli_render_bytes(const struct cli_renderer *renderer,
                      struct cli_output *output, const void *bytes,
                      size_t size_bytes)
{
	if (renderer->escape)
		cli_out_escaped(output, bytes, size_bytes);
	else
		cli_output_bytes(output, bytes, size_bytes);
}

void cli_render_log_name(const struct cli_renderer *renderer,
                         struct cli_output *output)
{
	cli_render_bytes(renderer, output, renderer->log,
	                 strlen(renderer->log));
}

void cli_render_prefix(const struct cli_renderer *renderer,
                       struct cli_output *output)
{
	cli_output_string(output, cli_style_begin(renderer->log_style));
	cli_render_log_name(renderer, output);
	cli_output_string(output, cli_style_end(renderer->log_style));
	cli_output_string(output, ": ");
}

/* The renderer's memory buffer, made when it is first needed. */
static struct cli_output *raw_output(struct cli_renderer *renderer)
{
	if (renderer->raw != NULL)
		return renderer->raw;
	renderer->raw = calloc(1, sizeof(*renderer->raw));
	if (renderer->raw != NULL &&
	    cli_output_init_memory(renderer->raw) != 0) {
		free(renderer->raw);
		renderer->raw = NULL;
	}
	return renderer->raw;
}

/*
 * Renders into memory and escapes everything except the byte that ends the
 * frame, so that a format is harmless on a terminal without any code of its
 * own.
 */
static void render_escaped(struct cli_renderer *renderer,
                           struct cli_output *output,
                           const struct shmlog_frame *frame)
{
	struct cli_output *raw = raw_output(renderer);
	bool ended = renderer->format->end != CLI_NO_END;

	if (raw != NULL)
		renderer->format->frame(renderer, raw, frame);
	if (raw == NULL || raw->error != 0) {
		output->error = raw == NULL ? ENOMEM : raw->error;
		return;
	}
	cli_out_escaped(output, raw->buffer, raw->used - ended);
	if (ended)
		cli_output_bytes(output, raw->buffer + raw->used - 1, 1);
	raw->used = 0;
}

/* --------------------------------------------------------------- rendering */

/* Renders a value, or an envelope with one.  A frame that does not fit its type
 * becomes, in any format, an envelope with the reason. */
static void render_typed(const struct cli_renderer *renderer,
                         struct cli_output *output,
                         const struct shmlog_frame *frame)
{
	struct cli_bendec_error error;
	const struct cli_bendec_type *type = cli_typed_match(renderer->typed,
	                                                     frame, &error);
	char end = renderer->format->events ? '\n'
	                                    : (char)renderer->format->end;

	if (type != NULL && !renderer->format->events) {
		cli_typed_print(renderer->typed, type, output, frame, end);
		return;
	}
	cli_out_json_open(renderer, output, frame);
	if (type != NULL)
		cli_typed_print_members(renderer->typed, type, output, frame);
	else
		cli_typed_print_error(output, &error);
	cli_output_bytes(output, &end, 1);
	if (type == NULL)
		cli_typed_mismatch(renderer->typed, output, frame, &error);
}

/* The styles of what a format has made of a frame.  `bytes` are without the end
 * that it puts behind a payload or a value. */
static void choose_styles(struct cli_renderer *renderer,
                          const unsigned char *bytes, size_t size_bytes)
{
	struct cli_paint *paint = &renderer->paint;
	struct cli_json_error error;

	if (renderer->format->paint == CLI_PAINT_JSON) {
		cli_paint_json(paint, bytes, size_bytes, true);
	} else if (renderer->format->paint == CLI_PAINT_CURSOR_LINE) {
		for (size_t i = sizeof("cursor"); bytes[i] != ' '; i++)
			paint->styles[i] = CLI_STYLE_CURSOR;
	} else if (size_bytes > 0) {
		if ((*bytes == '{' || *bytes == '[') &&
		    cli_json_check((const char *)bytes, size_bytes, &error))
			cli_paint_json(paint, bytes, size_bytes, false);
		if (renderer->matches.find != NULL)
			cli_paint_matches(paint, bytes, size_bytes,
			                  &renderer->matches);
	}
}

/*
 * Renders into memory, and writes that with colour.  Text is escaped between
 * the sequences, so that none but these reaches a terminal.
 */
static void render_painted(struct cli_renderer *renderer,
                           struct cli_output *output,
                           const struct shmlog_frame *frame)
{
	struct cli_output *raw = raw_output(renderer);
	bool ended = renderer->format->end != CLI_NO_END;
	bool escape = renderer->escape && renderer->typed == NULL &&
	              !renderer->format->safe_on_terminal;

	if (raw != NULL && renderer->typed != NULL)
		render_typed(renderer, raw, frame);
	else if (raw != NULL)
		renderer->format->frame(renderer, raw, frame);
	if (raw == NULL || raw->error != 0 ||
	    !cli_paint_begin(&renderer->paint, raw->used)) {
		output->error = raw == NULL || raw->error == 0 ? ENOMEM
		                                               : raw->error;
		return;
	}
	choose_styles(renderer, raw->buffer, raw->used - ended);
	cli_paint_write(&renderer->paint, output, raw->buffer,
	                raw->used - ended, escape);
	if (ended)
		cli_output_bytes(output, raw->buffer + raw->used - 1, 1);
	raw->used = 0;
}

/* A frame that does not fit its type is reported behind it, and a template
 * places its colour itself. */
static bool is_painted(const struct cli_renderer *renderer,
                       const struct shmlog_frame *frame)
{
	struct cli_bendec_error error;

	return renderer->format->paint != CLI_PAINT_ITSELF &&
	       (renderer->typed == NULL ||
	        cli_typed_match(renderer->typed, frame, &error) != NULL);
}

void cli_render_frame(struct cli_renderer *renderer, struct cli_output *output,
                      const struct shmlog_frame *frame)
{
	if (renderer->prefix)
		cli_render_prefix(renderer, output);
	/* Where a name may stand, so may this. */
	if (renderer->late && renderer->format->prefix)
		cli_output_string(output, CLI_LATE_MARK);
	if (renderer->color != NULL && is_painted(renderer, frame))
		render_painted(renderer, output, frame);
	else if (renderer->typed != NULL)
		render_typed(renderer, output, frame);
	else if (renderer->escape && !renderer->format->safe_on_terminal)
		render_escaped(renderer, output, frame);
	else
		renderer->format->frame(renderer, output, frame);
}

void cli_render_frames(struct cli_renderer *renderer, struct cli_output *output,
                       const struct shmlog_frame *frames, size_t count)
{
	const struct cli_output_format *format = renderer->format;
	bool as_is = (!renderer->escape || format->safe_on_terminal) &&
	             renderer->typed == NULL && !renderer->prefix &&
	             !renderer->late && renderer->color == NULL;

	if (count == 0)
		return;
	if (as_is && format->batch != NULL &&
	    format->batch(renderer, output, frames, count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (renderer->typed != NULL && !format->events &&
		    !renderer->prefix && !renderer->late &&
		    renderer->color == NULL)
			i += cli_typed_print_plain(renderer->typed, output,
			                           frames + i, count - i,
			                           (char)format->end);
		if (i < count)
			cli_render_frame(renderer, output, &frames[i]);
	}
}

/* ------------------------------------------------------------------ events */

/* Where an event is rendered: with colour, into memory first.  NULL when memory
 * is short. */
static struct cli_output *begin_event(struct cli_renderer *renderer,
                                      struct cli_output *output)
{
	if (renderer->color != NULL) {
		struct cli_output *raw = raw_output(renderer);

		if (raw == NULL)
			output->error = ENOMEM;
		output = raw;
	}
	if (output == NULL)
		return NULL;
	cli_output_string(output, "{");
	cli_output_bytes(output, renderer->log_member,
	                 renderer->log_member_bytes);
	return output;
}

static void end_event(struct cli_renderer *renderer, struct cli_output *output,
                      struct cli_output *rendered)
{
	if (rendered == output)
		return;
	if (cli_paint_begin(&renderer->paint, rendered->used)) {
		cli_paint_json(&renderer->paint, rendered->buffer,
		               rendered->used, true);
		cli_paint_write(&renderer->paint, output, rendered->buffer,
		                rendered->used, false);
	} else {
		output->error = ENOMEM;
	}
	rendered->used = 0;
}

void cli_render_event(struct cli_renderer *renderer, struct cli_output *output,
                      const char *name, const char *members)
{
	if (!renderer->format->events)
		return;
	struct cli_output *to = begin_event(renderer, output);

	if (to == NULL)
		return;
	cli_output_format(to, "\"event\":\"%s\"%s}\n", name, members);
	end_event(renderer, output, to);
}

void cli_render_damage(struct cli_renderer *renderer, struct cli_output *output,
                       const struct shmlog_fault *fault)
{
	const char *name = shmlog_status_name(fault->status);
	struct cli_fault_text reason;
	unsigned char escaped[sizeof(reason.text) * CLI_ESCAPE_JSON_MAX];
	size_t length;

	if (!renderer->format->events)
		return;
	(void)cli_describe_fault(&reason, fault);
	length = cli_escape_json(escaped, (const unsigned char *)reason.text,
	                         strlen(reason.text));
	struct cli_output *to = begin_event(renderer, output);

	if (to == NULL)
		return;
	cli_output_string(to, "\"event\":\"damage\",\"cursor\":");
	cli_output_u64(to, fault->cursor);
	cli_output_format(to,
	                  ",\"backwards\":%s,\"error\":\"%s\",\"reason\":\"",
	                  fault->backwards ? "true" : "false",
	                  name != NULL ? name : "unknown");
	cli_output_bytes(to, escaped, length);
	cli_output_string(to, "\"}\n");
	end_event(renderer, output, to);
}

/* --------------------------------------------------------------- completion */

static void offer_formats(struct cli_completion *completion)
{
	const struct cli_output_format *format = cli_output_formats;

	for (; format->name != NULL; format++)
		cli_offer(completion, format->name, NULL);
}

const struct cli_argument_kind cli_takes_output_format = {
	.offer = offer_formats};
const struct cli_argument_kind cli_takes_template = {
	.offer = cli_template_offer};
