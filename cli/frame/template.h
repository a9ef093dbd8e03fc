/* Templates, the -t option: compiled once, rendered for each frame. */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "seen_time.h"
#include "stdout_buffer.h"

#include <shmlog.h>
#include <stdbool.h>

/*
 * %c cursor   %x cursor of the next frame   %i index, - where it is unknown
 * %s size of the payload   %p payload   %b payload in base64
 * %j payload as a JSON string, quotes included   %f name of the log
 * %t when it was seen, local ISO 8601   %T the same in seconds since the epoch
 * %l "late" for a frame that comes too late to be in order, else nothing
 * %% a per cent sign
 * \n newline   \t tab   \0 a NUL   \\ a backslash
 *
 * Everything else stands for itself, and nothing is added behind.
 */
struct cli_template;
struct cli_completion;

/* Returns CLI_OK; CLI_USAGE after a message that names the sequence that is
 * unknown; CLI_SYSTEM after one, when memory is short. */
int cli_template_compile(const char *text, struct cli_template **template_out);
void cli_template_free(struct cli_template *template);

/* Whether a template has %t or %T. */
bool cli_template_has_times(const struct cli_template *template);

/* Renders one frame of the log of that name, seen at that time, and late or
 * not; %p and %f are escaped for a terminal with `escape`, and %c and %x have
 * colour with `color`. */
void cli_template_render(const struct cli_template *template,
                         struct cli_output *output, const char *log,
                         const struct shmlog_frame *frame,
                         const struct cli_seen_time *seen, bool late,
                         bool escape, bool color);

/* Renders many frames, neighbours in the log and none of them late, without
 * escapes and colour.  False, with nothing written, if that is too much at
 * once. */
bool cli_template_render_batch(const struct cli_template *template,
                               struct cli_output *output, const char *log,
                               const struct shmlog_frame *frames, size_t count,
                               const struct cli_seen_time *seen);

/* Offers the template at the cursor with one more of these behind it. */
void cli_template_offer(struct cli_completion *completion);

#endif
