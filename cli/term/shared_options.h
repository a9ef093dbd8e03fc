/*
 * Options that several commands have, declared once: the same name, value and
 * words wherever they stand.  Those of frames are in output_format.h, printer.h
 * and typed.h, those that choose frames in filter.h and selection.h.  A command
 * gives each its place in its own enum.
 */
#ifndef CLI_SHARED_OPTIONS_H
#define CLI_SHARED_OPTIONS_H

#include "options.h"

#include <stdbool.h>
#include <stddef.h>

extern const struct cli_argument_kind cli_takes_report_format;
extern const struct cli_argument_kind cli_takes_when;
extern const struct cli_argument_kind cli_takes_progress;

/* -o of a command that reports, rather than prints frames. */
#define CLI_REPORT_FORMAT_OPTION(place)              \
	[place] = {.letter = 'o',                    \
	           .name = "output",                 \
	           .value = "FORMAT",                \
	           .kind = &cli_takes_report_format, \
	           .help = "text (default) or json"}

/* -q of commands whose output has more than data in it. */
#define CLI_QUIET_OPTION(place)     \
	[place] = {.letter = 'q',   \
	           .name = "quiet", \
	           .help = "leave out headers and verdicts"}

/* --force of commands that change a log. */
#define CLI_FORCE_OPTION(place)     \
	[place] = {.name = "force", \
	           .help = "go on though another writer is seen"}

/* --lock-timeout of commands that take the lock of a log. */
#define CLI_LOCK_TIMEOUT_OPTION(place)          \
	[place] = {.name = "lock-timeout",      \
	           .value = "DURATION",         \
	           .kind = &cli_takes_duration, \
	           .help = "how long to wait for other appenders"}

/* --timeout of commands that go on until something ends them. */
#define CLI_TIMEOUT_OPTION(place)               \
	[place] = {.name = "timeout",           \
	           .value = "DURATION",         \
	           .kind = &cli_takes_duration, \
	           .help = "end after this time, with status 124"}

/* --color of a command whose output has colour; color.h reads it. */
#define CLI_COLOR_OPTION(place)             \
	[place] = {.name = "color",         \
	           .value = "WHEN",         \
	           .kind = &cli_takes_when, \
	           .help = "colour: auto (a terminal), always or never"}

/* --progress of a command that may take long; progress.h reads it. */
#define CLI_PROGRESS_OPTION(place)              \
	[place] = {.name = "progress",          \
	           .value = "WHEN",             \
	           .kind = &cli_takes_progress, \
	           .help = "progress: auto (a terminal), always, never, json"}

/* Reads CLI_REPORT_FORMAT_OPTION.  Returns CLI_OK, or CLI_USAGE after a
 * message. */
int cli_report_format(const struct cli_args *args, size_t place,
                      bool *json_out);

#endif
