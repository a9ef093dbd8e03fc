/*
 * Prints frames with the pauses that a field of theirs tells: the options
 * --pace and --speed.
 */
#ifndef CLI_PACE_H
#define CLI_PACE_H

#include "options.h"
#include "printer.h"
#include "type_arguments.h"

#include <stddef.h>

/* The options, for a command's table: their places in its enum. */
#define CLI_PACE_OPTIONS(pace_place, speed_place)                        \
	[pace_place] = {.name = "pace",                                  \
	                .value = "PATH",                                 \
	                .kind = &cli_takes_field,                        \
	                .help = "pause as the times at this path tell"}, \
	[speed_place] = {.name = "speed",                                \
	                 .value = "N",                                   \
	                 .kind = &cli_takes_number,                      \
	                 .help = "make the pauses of --pace N times shorter"}

struct cli_pace_places {
	size_t pace;
	size_t speed;
};

struct cli_pace;

/*
 * Reads the options, and makes the printer, which must stay, pause; NULL in
 * *pace_out without --pace.  CLI_OK, or an exit status after a message.
 */
int cli_pace_init(struct cli_pace **pace_out, const struct cli_args *args,
                  struct cli_pace_places places, struct cli_printer *printer);
void cli_pace_free(struct cli_pace *pace);

#endif
