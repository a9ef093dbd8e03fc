/* Prints frames, and what is wrong with the log that they are from. */
#include "printer.h"

#include "command.h"
#include "failure.h"
#include "open_log.h"
#include "signals.h"

#include <unistd.h>

int cli_printer_init(struct cli_printer *printer, const struct cli_args *args,
                     const struct cli_printer_places *places)
{
	int status = cli_renderer_init(
		&printer->renderer, cli_args_value(args, places->output),
		cli_args_value(args, places->template), STDOUT_FILENO);

	if (status == CLI_OK)
		status = cli_typed_init(&printer->typed, args, places->typed,
		                        NULL);
	if (status == CLI_OK)
		status = cli_renderer_set_type(&printer->renderer,
		                               &printer->typed);
	return status;
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

int cli_printer_finish(struct cli_printer *printer, int status)
{
	status = cli_typed_status(&printer->typed, status);
	status = cli_output_finish(&printer->output, status);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

void cli_printer_set_log(struct cli_printer *printer, const char *path)
{
	printer->typed.path = path;
	printer->path = path;
}

void cli_printer_frames(struct cli_printer *printer,
                        const struct shmlog_frame *frames, size_t count)
{
	cli_render_frames(&printer->renderer, &printer->output, frames, count);
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
