/* The output formats: one frame to one piece of output. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "stdout_buffer.h"

#include <shmlog.h>

struct cli_typed;

enum cli_format {
	CLI_FORMAT_TEXT,
	CLI_FORMAT_NUL,
	CLI_FORMAT_JSON,
	CLI_FORMAT_HEX,
	CLI_FORMAT_FRAMES,
	CLI_FORMAT_RAW,
	CLI_FORMAT_TEMPLATE,
};

/* A chosen format, ready to render. */
struct cli_renderer {
	enum cli_format format;
	bool escape; /* text goes to a terminal: escape what could act on it */
	struct cli_template *template; /* for CLI_FORMAT_TEMPLATE */
	struct cli_typed *typed; /* for CLI_FORMAT_TEXT, _NUL and _JSON: what
	                          * frames are values of, or NULL */
};

/*
 * Chooses a format by its -o name (NULL for text) or a -t template (NULL for
 * none); both is wrong usage.  `fd` is where the output goes: a terminal gets
 * escaped text.  Returns CLI_OK, or CLI_USAGE after a message.
 */
int cli_renderer_init(struct cli_renderer *renderer, const char *name,
                      const char *template_text, int fd);
/*
 * Makes it print frames as values: in text and nul instead of the payload, in
 * JSON beside it.  Nothing changes if `typed`, which must stay, has no type.
 * CLI_OK, or CLI_USAGE after a message for another format.
 */
int cli_renderer_set_type(struct cli_renderer *renderer,
                          struct cli_typed *typed);
void cli_renderer_release(struct cli_renderer *renderer);

/* Renders one frame, or many at once.  Failures stick in the output. */
void cli_render_frame(const struct cli_renderer *renderer,
                      struct cli_output *output,
                      const struct shmlog_frame *frame);
void cli_render_frames(const struct cli_renderer *renderer,
                       struct cli_output *output,
                       const struct shmlog_frame *frames, size_t count);

/*
 * An event line, {"event":NAME,...members}, in JSON output only (nothing
 * otherwise).  `members` is ready JSON beginning with a comma, or "".
 */
void cli_render_event(const struct cli_renderer *renderer,
                      struct cli_output *output, const char *name,
                      const char *members);

/* The event of a damaged frame: {"event":"damage","cursor":N,"backwards":B,
 * "error":NAME,"reason":TEXT}. */
void cli_render_damage(const struct cli_renderer *renderer,
                       struct cli_output *output,
                       const struct shmlog_fault *fault);

#endif
