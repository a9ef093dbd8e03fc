/* Prints frames, and what is wrong with the log that they are from. */
#include "printer.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "signals.h"
#include "template.h"

#include <errno.h>
#include <unistd.h>

/* Chooses how frames of several logs are told apart. */
static int choose_naming(struct cli_printer *printer,
                         const struct cli_args *args,
                         const struct cli_printer_places *places)
{
	const struct cli_output_format *format = printer->renderer.format;
	bool prefix = cli_args_count(args, places->prefix) > 0;

	printer->renderer.prefix = prefix;
	printer->headers = printer->several && !prefix && format->headers &&
	                   cli_args_count(args, places->quiet) == 0;
	if (!prefix || format->prefix)
		return CLI_OK;
	return cli_usage_error("--prefix goes with the output formats text and "
	                       "nul; json has \"log\", and a template %%f");
}

/* Chooses whether the output says when a frame was seen. */
static int choose_times(struct cli_printer *printer,
                        const struct cli_args *args,
                        const struct cli_printer_places *places)
{
	struct cli_renderer *renderer = &printer->renderer;

	printer->times = renderer->template != NULL &&
	                 cli_template_has_times(renderer->template);
	if (places->seen == CLI_NO_PLACE)
		return !printer->times
		               ? CLI_OK
		               : cli_usage_error(
					 "%%t and %%T go with tail alone: a "
					 "log keeps no times, and only who "
					 "sees a frame come knows when that "
					 "was");
	renderer->seen_member = cli_args_count(args, places->seen) > 0;
	printer->times |= renderer->seen_member;
	if (!renderer->seen_member || renderer->format->events)
		return CLI_OK;
	return cli_usage_error("--seen goes with -o json; a template has %%t "
	                       "and %%T");
}

static bool has_judge(const struct cli_args *args,
                      const struct cli_printer_places *places)
{
	for (size_t i = 0; i < places->judge_count; i++) {
		if (cli_args_count(args, places->judges[i]) > 0)
			return true;
	}
	return false;
}

int cli_printer_init(struct cli_printer *printer, const struct cli_args *args,
                     const struct cli_printer_places *places, bool several)
{
	printer->several = several;

	int status = cli_renderer_init(
		&printer->renderer, cli_args_value(args, places->output),
		cli_args_value(args, places->template), STDOUT_FILENO);

	printer->heading_due = status == CLI_OK &&
	                       printer->renderer.format->heading != NULL;
	if (status == CLI_OK)
		status = cli_typed_init(&printer->typed, args, places->typed,
		                        NULL);
	if (status == CLI_OK &&
	    (printer->renderer.format->values || !has_judge(args, places)))
		status = cli_renderer_set_type(&printer->renderer,
		                               &printer->typed);
	if (status == CLI_OK)
		status = choose_times(printer, args, places);
	if (status == CLI_OK)
		status = cli_color_init(&printer->color,
		                        cli_args_value(args, places->color),
		                        STDOUT_FILENO);
	if (status == CLI_OK)
		cli_renderer_set_color(&printer->renderer, &printer->color);
	return status == CLI_OK ? choose_naming(printer, args, places) : status;
}

void cli_printer_release(struct cli_printer *printer)
{
	cli_renderer_release(&printer->renderer);
	cli_typed_release(&printer->typed);
}

int cli_printer_begin(struct cli_printer *printer)
{
	int result = cli_output_init(&printer->output, STDOUT_FILENO);

	return result == 0 ? CLI_OK : cli_fail(NULL, "cannot write", result);
}

static void print_heading(struct cli_printer *printer)
{
	if (printer->heading_due)
		printer->renderer.format->heading(&printer->renderer,
		                                  &printer->output);
	printer->heading_due = false;
}

int cli_printer_finish(struct cli_printer *printer, int status)
{
	/* Columns have names also where no frame has been printed. */
	if (status == CLI_OK || status == CLI_NO_MATCH)
		print_heading(printer);
	status = cli_typed_status(&printer->typed, status);
	status = cli_output_finish(&printer->output, status);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

void cli_printer_set_log(struct cli_printer *printer, const char *path)
{
	/* Logs may take turns with every batch. */
	if (path == printer->path && path != NULL)
		return;
	printer->typed.path = path;
	printer->path = path;
	if (!cli_renderer_set_log(&printer->renderer, path, printer->several) &&
	    printer->output.error == 0)
		printer->output.error = ENOMEM;
}

void cli_printer_set_late(struct cli_printer *printer, bool late)
{
	printer->renderer.late = late;
}

void cli_printer_forget_log(struct cli_printer *printer, const char *path)
{
	if (printer->path == path)
		cli_printer_set_log(printer, NULL);
	if (printer->headed == path)
		printer->headed = "";
}

/* A style, where there is colour. */
static unsigned choose_style(const struct cli_printer *printer,
                             enum cli_style style)
{
	return printer->renderer.color != NULL ? style : CLI_STYLE_PLAIN;
}

void cli_printer_header(struct cli_printer *printer)
{
	unsigned style = choose_style(printer, CLI_STYLE_HEADER);

	if (!printer->headers || printer->headed == printer->path)
		return;
	if (printer->headed != NULL)
		cli_output_string(&printer->output, "\n");
	cli_output_string(&printer->output, cli_style_begin(style));
	cli_output_string(&printer->output, "==> ");
	cli_render_log_name(&printer->renderer, &printer->output);
	cli_output_string(&printer->output, " <==");
	cli_output_string(&printer->output, cli_style_end(style));
	cli_output_string(&printer->output, "\n");
	printer->headed = printer->path;
}

void cli_printer_gap(struct cli_printer *printer)
{
	cli_printer_header(printer);
	cli_paint_string(&printer->output, choose_style(printer, CLI_STYLE_GAP),
	                 "--");
	cli_output_string(&printer->output, "\n");
}

void cli_printer_cursor(struct cli_printer *printer, uint64_t cursor)
{
	unsigned style = choose_style(printer, CLI_STYLE_CURSOR);

	cli_printer_header(printer);
	if (printer->renderer.prefix)
		cli_render_prefix(&printer->renderer, &printer->output);
	cli_output_string(&printer->output, cli_style_begin(style));
	cli_output_u64(&printer->output, cursor);
	cli_output_string(&printer->output, cli_style_end(style));
	cli_output_string(&printer->output, "\n");
}

/* One by one, each at its time. */
static void print_paced(struct cli_printer *printer,
                        const struct shmlog_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!printer->pacer->wait(printer->pacer, &frames[i]))
			return;
		cli_render_frame(&printer->renderer, &printer->output,
		                 &frames[i]);
	}
}

void cli_printer_frames(struct cli_printer *printer,
                        const struct shmlog_frame *frames, size_t count)
{
	if (printer->times)
		cli_seen_now(&printer->renderer.seen);
	if (count > 0) {
		print_heading(printer);
		cli_printer_header(printer);
	}
	if (printer->pacer != NULL)
		print_paced(printer, frames, count);
	else
		cli_render_frames(&printer->renderer, &printer->output, frames,
		                  count);
}

bool cli_printer_is_wanted(const struct cli_printer *printer)
{
	return printer->output.error == 0 && cli_signal_caught() == 0;
}

int cli_printer_failed(struct cli_printer *printer,
                       const struct shmlog_reader *reader, int status)
{
	if (cli_is_damage(status))
		cli_render_damage(&printer->renderer, &printer->output,
		                  shmlog_reader_fault(reader));
	else if (status == SHMLOG_ERR_MAPPING_GONE ||
	         status == SHMLOG_ERR_WENT_BACK)
		cli_render_event(&printer->renderer, &printer->output, "shrunk",
		                 "");
	(void)cli_output_flush(&printer->output);
	return cli_reader_failed(printer->path, reader, status);
}
