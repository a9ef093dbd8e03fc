/*
 * What is done with the frames that pass a filter: -A, -B and -C print others
 * around them, --tally counts them and prints the number alone.
 */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include "filter.h"
#include "printer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The options, for a command's table: their places in its enum. */
#define CLI_SELECTION_OPTIONS(after_place, before_place, context_place,       \
                              tally_place)                                    \
	[after_place] = {.letter = 'A',                                       \
	                 .name = "after-context",                             \
	                 .value = "N",                                        \
	                 .kind = &cli_takes_number,                           \
	                 .help = "print N frames after each that passes"},    \
	[before_place] = {.letter = 'B',                                      \
	                  .name = "before-context",                           \
	                  .value = "N",                                       \
	                  .kind = &cli_takes_number,                          \
	                  .help = "print N frames before each that passes"},  \
	[context_place] = {.letter = 'C',                                     \
	                   .name = "context",                                 \
	                   .value = "N",                                      \
	                   .kind = &cli_takes_number,                         \
	                   .help = "print N frames around each that passes"}, \
	[tally_place] = {.name = "tally",                                     \
	                 .help = "print the number of frames that pass"}

struct cli_selection_places {
	size_t after;
	size_t before;
	size_t context;
	size_t tally;
};

struct cli_selection;

/*
 * Reads the options, which need a filter.  *selection_out is NULL where there
 * is no filter.  What is selected goes to the printer, which must stay.
 * CLI_OK, or an exit status after a message.
 */
int cli_selection_init(struct cli_selection **selection_out,
                       const struct cli_args *args,
                       struct cli_selection_places places,
                       struct cli_filter *filter, struct cli_printer *printer);
void cli_selection_free(struct cli_selection *selection);

/* A selection of the same options for another log, with a count and a context
 * of its own.  NULL when memory is short. */
struct cli_selection *cli_selection_copy(const struct cli_selection *selection);

/* Another log begins, or no more of this one comes: the frames so far are no
 * context of what follows.  `selection` may be NULL. */
void cli_selection_begin(struct cli_selection *selection);

/* Prints frames by a function of the caller's, instead of by the printer. */
void cli_selection_print_by(struct cli_selection *selection,
                            void (*print)(void *context,
                                          const struct shmlog_frame *frames,
                                          size_t count),
                            void *context);

/*
 * Prints those of the frames that are wanted, in the order they come in, until
 * *left frames have passed, which is counted down.  Frames need not stay.
 * *used_out is how many were dealt with: all, unless no more are wanted behind
 * these, or the next one could not be judged.  CLI_OK, or an exit status after
 * a message.
 */
int cli_selection_print(struct cli_selection *selection,
                        const struct shmlog_frame *frames, size_t count,
                        uint64_t *left, size_t *used_out);

/* Whether frames are still wanted where `left` may pass: those behind the last
 * that has passed may be. */
bool cli_selection_is_open(const struct cli_selection *selection,
                           uint64_t left);

/* How many frames have passed. */
uint64_t cli_selection_passed(const struct cli_selection *selection);

/* How many frames in front of one that passes are printed; 0 if `selection` is
 * NULL. */
uint64_t cli_selection_before(const struct cli_selection *selection);

/* Keeps a frame, which follows on the last one, as the context of what passes
 * next; it is not judged.  CLI_OK, or an exit status after a message. */
int cli_selection_hold(struct cli_selection *selection,
                       const struct shmlog_frame *frame);

/* How many frames in front of a place decide what is printed as context behind
 * it; 0 if `selection` is NULL.  cli_selection_recall() is told of these, in
 * their order, where an earlier run has dealt with them; none is printed before
 * its time.  CLI_OK, or an exit status after a message. */
uint64_t cli_selection_reach(const struct cli_selection *selection);
int cli_selection_recall(struct cli_selection *selection,
                         const struct shmlog_frame *frame);

/* Whether the number of frames is printed instead of frames. */
bool cli_selection_is_tally(const struct cli_selection *selection);

/* Counts frames that somebody else has found to pass. */
void cli_selection_add_passed(struct cli_selection *selection, uint64_t frames);

/*
 * Prints the tally, if that was asked for: the frames of all logs that have
 * passed, by whatever selection.  It is left out unless all that was to be read
 * was read (`whole`): a script would take a part for the number.  The exit
 * status of the command: CLI_NO_MATCH instead of CLI_OK where no frame has
 * passed.
 */
int cli_selection_finish(struct cli_selection *selection, uint64_t passed,
                         bool whole, int status);

#endif
