/* The options of tail, and what they ask for. */
#ifndef TAIL_OPTIONS_H
#define TAIL_OPTIONS_H

#include "follow_ends.h"
#include "options.h"
#include "position.h"
#include "printer.h"
#include "selection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tail_options {
	const struct cli_args *args;
	size_t log_count;
	size_t pattern_count;
	bool follow;
	bool retry;     /* wait for a log that is not there */
	bool by_name;   /* follow whatever log has the name */
	bool has_start; /* -n or --from says where to begin */
	bool has_from;
	bool from_nth;  /* `lines` frames are skipped */
	uint64_t lines; /* otherwise, begin with the last so many */
	struct cli_position from;
	const char *cursor_path;    /* NULL: none */
	uint64_t count;             /* frames to print at most, of all logs */
	int64_t timeout_ns;         /* negative: none */
	int64_t idle_ns;            /* negative: none */
	int64_t poll_ns;            /* 0: the library's own */
	int64_t merge_wait_ns;      /* of a frame for older ones */
	struct cli_process process; /* pid 0: none */
};

enum tail_option {
	TAIL_LINES,
	TAIL_FOLLOW,
	TAIL_FOLLOW_NAME,
	TAIL_RETRY,
	TAIL_GLOB,
	TAIL_MERGE,
	TAIL_MERGE_WAIT,
	TAIL_OUTPUT,
	TAIL_TEMPLATE,
	TAIL_COLUMNS,
	TAIL_FROM,
	TAIL_CURSOR_FILE,
	TAIL_MOST_FRAMES,
	TAIL_TIMEOUT,
	TAIL_IDLE,
	TAIL_PID,
	TAIL_POLL,
	TAIL_SCHEMA,
	TAIL_TYPE,
	TAIL_ENUM_NUMBERS,
	TAIL_GREP,
	TAIL_NOT_GREP,
	TAIL_IGNORE_CASE,
	TAIL_WHERE,
	TAIL_AFTER,
	TAIL_BEFORE,
	TAIL_CONTEXT,
	TAIL_TALLY,
	TAIL_QUIET,
	TAIL_PREFIX,
	TAIL_SEEN,
	TAIL_COLOR,
	TAIL_OPTION_COUNT,
};

/* The table for the command's descriptor. */
extern const struct cli_option tail_option_table[TAIL_OPTION_COUNT];
extern const struct cli_printer_places tail_printer_places;
extern const struct cli_filter_places tail_filter_places;
extern const struct cli_selection_places tail_selection_places;

/* Reads the options but for those of the printer and the filters.  CLI_OK, or
 * an exit status after a message. */
int tail_options_read(const struct cli_args *args,
                      struct tail_options *options_out);

/* The nth LOG, and the nth pattern of --glob. */
const char *tail_options_path(const struct tail_options *options, size_t n);
const char *tail_options_pattern(const struct tail_options *options, size_t n);

/* Whether there is more than one log, or may be later. */
bool tail_options_are_for_several(const struct tail_options *options);

#endif
