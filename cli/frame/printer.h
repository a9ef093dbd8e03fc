/*
 * Printing the frames of one log, or of several, on standard output: in the
 * chosen format, with types, and with a report when a log cannot be read any
 * further.
 */
#ifndef CLI_PRINTER_H
#define CLI_PRINTER_H

#include "options.h"
#include "output_format.h"
#include "stdout_buffer.h"
#include "typed.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>

/* How the frames of several logs are told apart, for a command's table: -q is
 * CLI_QUIET_OPTION. */
#define CLI_PREFIX_OPTION(place)     \
	[place] = {.name = "prefix", \
	           .help = "print the log's name before each frame"}

/* For a command that sees frames come. */
#define CLI_SEEN_OPTION(place)     \
	[place] = {.name = "seen", \
	           .help = "JSON says when a frame was seen, as %t does"}

/* Where the options of CLI_FORMAT_OPTIONS, CLI_TYPED_OPTIONS, CLI_QUIET_OPTION,
 * CLI_PREFIX_OPTION and CLI_COLOR_OPTION stand in a command's enum. */
struct cli_printer_places {
	size_t output;
	size_t template;
	size_t quiet;
	size_t prefix;
	size_t seen; /* or CLI_NO_PLACE: frames are not seen to come */
	size_t color;
	struct cli_typed_places typed;
	const size_t *judges; /* options that look into values, which is use
	                       * enough of a schema where a format has none */
	size_t judge_count;
};

/* Waits until a frame is to be printed.  False if it is not wanted any more, as
 * after a signal. */
struct cli_pacer {
	bool (*wait)(struct cli_pacer *pacer, const struct shmlog_frame *frame);
};

struct cli_printer {
	const char *path;   /* of the log that frames are from */
	bool several;       /* there is more than one log */
	bool heading_due;   /* the names of the columns are still to come */
	bool times;         /* when a frame is seen is printed */
	bool headers;       /* a line says which log the next frames are from */
	const char *headed; /* the log that the last header names; NULL: none */
	struct cli_pacer *pacer; /* NULL: frames do not wait */
	struct cli_color color;
	struct cli_renderer renderer;
	struct cli_typed typed;
	struct cli_output output;
};

/* Reads the options of a command that prints frames of one log, or of several.
 * CLI_OK, or an exit status after a message; what was made is released by
 * cli_printer_release() in either case. */
int cli_printer_init(struct cli_printer *printer, const struct cli_args *args,
                     const struct cli_printer_places *places, bool several);
void cli_printer_release(struct cli_printer *printer);

/* Opens standard output.  CLI_OK, or an exit status after a message. */
int cli_printer_begin(struct cli_printer *printer);

/*
 * Flushes and closes the output, and turns the result into an exit status.
 * Ends the process by a signal that was caught, or by SIGPIPE if the reader of
 * the output has gone.
 */
int cli_printer_finish(struct cli_printer *printer, int status);

/* Names the log that frames are from, until the next call; `path` must stay. */
void cli_printer_set_log(struct cli_printer *printer, const char *path);

/* Says whether the frames that follow come too late to be in order. */
void cli_printer_set_late(struct cli_printer *printer, bool late);

/* The log that was set, or that a header names, is closed: its path need not
 * stay. */
void cli_printer_forget_log(struct cli_printer *printer, const char *path);

/* Prints the header of the log, where headers are wanted and the last one is of
 * another log.  cli_printer_frames() does so, too. */
void cli_printer_header(struct cli_printer *printer);

/* Prints a line between frames of the log that do not follow one another. */
void cli_printer_gap(struct cli_printer *printer);

/* Prints a cursor instead of a frame. */
void cli_printer_cursor(struct cli_printer *printer, uint64_t cursor);

void cli_printer_frames(struct cli_printer *printer,
                        const struct shmlog_frame *frames, size_t count);

/* Whether printing should go on: not after the reader of the output has gone,
 * nor after a signal. */
bool cli_printer_is_wanted(const struct cli_printer *printer);

/*
 * Reports that a call on the reader of the log failed: prints the event,
 * flushes the good frames, and then prints the message.  Returns the exit
 * status.
 */
int cli_printer_failed(struct cli_printer *printer,
                       const struct shmlog_reader *reader, int status);

#endif
