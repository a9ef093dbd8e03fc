/*
 * Which frames are wanted: the options --grep, --not-grep, --ignore-case and
 * --where, and frames judged by them.
 */
#ifndef CLI_FILTER_H
#define CLI_FILTER_H

#include "options.h"
#include "paint.h"
#include "typed.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>

/* The options, for a command's table: their places in its enum. */
#define CLI_FILTER_OPTIONS(grep_place, not_grep_place, ignore_place,         \
                           where_place)                                      \
	[grep_place] = {.name = "grep",                                      \
	                .value = "RE",                                       \
	                .kind = &cli_takes_text,                             \
	                .repeatable = true,                                  \
	                .help = "frames that match one of these patterns"},  \
	[not_grep_place] = {.name = "not-grep",                              \
	                    .value = "RE",                                   \
	                    .kind = &cli_takes_text,                         \
	                    .repeatable = true,                              \
	                    .help = "frames that match none of these"},      \
	[ignore_place] = {.letter = 'i',                                     \
	                  .name = "ignore-case",                             \
	                  .help = "patterns match in upper and lower case"}, \
	[where_place] = {.name = "where",                                    \
	                 .value = "EXPR",                                    \
	                 .kind = &cli_takes_text,                            \
	                 .help = "frames whose JSON passes jq's select(EXPR)"}

struct cli_filter_places {
	size_t grep;
	size_t not_grep;
	size_t ignore_case;
	size_t where;
};

struct cli_filter;

/*
 * Reads the options.  *filter_out is NULL where none of them is given, and all
 * frames are wanted.  `command` prints the frames that jq gets in the pipeline
 * that a message names.  Where frames have a type, what is judged is the JSON
 * of their value; `typed`, which also names the log in messages, must stay.
 * CLI_OK, or an exit status after a message.
 */
int cli_filter_init(struct cli_filter **filter_out, const struct cli_args *args,
                    struct cli_filter_places places, const char *command,
                    const struct cli_typed *typed);

/* Another filter of the same options, for another thread; NULL, without a
 * message, if memory is short.  The frames have no type. */
struct cli_filter *cli_filter_twin(const struct cli_args *args,
                                   struct cli_filter_places places,
                                   const struct cli_typed *typed);

/* A filter of one pattern that was typed in, for a command that takes patterns
 * while it runs.  CLI_OK, or an exit status after a message. */
int cli_filter_of_pattern(struct cli_filter **filter_out, const char *pattern,
                          const struct cli_typed *typed);
void cli_filter_free(struct cli_filter *filter);

/*
 * Sets passes[i] for each of the frames.  CLI_OK; or CLI_INPUT or CLI_SYSTEM
 * where a frame could not be judged: *judged_out, which is `count` otherwise,
 * is how many before it were.  That is to be reported once it is known that the
 * frame matters: enough frames before it may have passed.
 */
int cli_filter_judge(struct cli_filter *filter,
                     const struct shmlog_frame *frames, size_t count,
                     bool *passes, size_t *judged_out);

/* Makes a finder of the matches of --grep; it finds none where that is not
 * given.  The filter must stay. */
void cli_filter_show_matches(struct cli_filter *filter,
                             struct cli_match_finder *finder_out);

/* Says why the last call of cli_filter_judge() that failed did so, and returns
 * its status. */
int cli_filter_report(const struct cli_filter *filter);

#endif
