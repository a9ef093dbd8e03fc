/*
 * Frames of one log, or of several, on standard output: the format that was
 * asked for, types, and what is printed when a log cannot be read any further.
 */
#ifndef CLI_PRINTER_H
#define CLI_PRINTER_H

#include "options.h"
#include "output_format.h"
#include "stdout_buffer.h"
#include "typed.h"

#include <shmlog.h>
#include <stddef.h>

/* Where the options of CLI_FORMAT_OPTIONS and CLI_TYPED_OPTIONS stand in a
 * command's enum. */
struct cli_printer_places {
	size_t output;
	size_t template;
	struct cli_typed_places typed;
};

struct cli_printer {
	const char *path; /* of the log that frames are from */
	struct cli_renderer renderer;
	struct cli_typed typed;
	struct cli_output output;
};

/* Reads the options.  CLI_OK, or an exit status after a message; what was made
 * is released by cli_printer_release() in either case. */
int cli_printer_init(struct cli_printer *printer, const struct cli_args *args,
                     const struct cli_printer_places *places);
void cli_printer_release(struct cli_printer *printer);

/* Opens standard output.  CLI_OK, or an exit status after a message. */
int cli_printer_begin(struct cli_printer *printer);

/*
 * Lets everything out, closes the output, and turns the result into an exit
 * status; ends the process by a signal that was caught, or by SIGPIPE where
 * nobody reads.
 */
int cli_printer_finish(struct cli_printer *printer, int status);

/* Says which log the frames are from until the next call; `path` must stay. */
void cli_printer_set_log(struct cli_printer *printer, const char *path);

void cli_printer_frames(struct cli_printer *printer,
                        const struct shmlog_frame *frames, size_t count);

/* Whether printing is to go on: not when nobody reads, nor after a signal. */
bool cli_printer_is_wanted(const struct cli_printer *printer);

/*
 * A call on the reader of the log failed: prints the event of that, lets out
 * the good frames, and then says what is wrong.  Returns the exit status.
 */
int cli_printer_failed(struct cli_printer *printer,
                       const struct shmlog_reader *reader, int status);

#endif
