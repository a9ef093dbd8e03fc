/*
 * The output formats: one frame to one piece of output.
 *
 * cli_output_formats[] in output_format.c is the one list of them: the help of
 * -o, the messages, what goes to a terminal and the tests derive from it.  To
 * add a format, write its function in a file out_NAME.c and a row there.
 */
#ifndef CLI_OUTPUT_FORMAT_H
#define CLI_OUTPUT_FORMAT_H

#include "color.h"
#include "options.h"
#include "paint.h"
#include "seen_time.h"
#include "stdout_buffer.h"

#include <shmlog.h>
#include <stdbool.h>

struct cli_renderer;
struct cli_column_source;
struct cli_template;
struct cli_typed;

/* What stands before a frame that comes too late to be in order, in formats in
 * which the name of its log may stand there. */
#define CLI_LATE_MARK "[late] "

/* The byte that a format puts behind each payload or value; -1 for none. */
#define CLI_NO_END (-1)

enum cli_paint_kind {
	CLI_PAINT_NOTHING,
	CLI_PAINT_PAYLOAD, /* JSON in a payload or a value, and matches */
	CLI_PAINT_JSON,    /* the envelope */
	CLI_PAINT_CURSOR_LINE,
	CLI_PAINT_ITSELF, /* the format places the sequences */
};

struct cli_output_format {
	const char *name; /* as -o takes it */
	/* Renders one frame.  Failures stick in the output. */
	void (*frame)(const struct cli_renderer *renderer,
	              struct cli_output *output,
	              const struct shmlog_frame *frame);
	/* Renders many frames faster; NULL, or false with nothing written
	 * where they must be rendered one by one. */
	bool (*batch)(const struct cli_renderer *renderer,
	              struct cli_output *output,
	              const struct shmlog_frame *frames, size_t count);
	/* Renders the names of the columns, once, before all frames; NULL in a
	 * format that has no columns. */
	void (*heading)(const struct cli_renderer *renderer,
	                struct cli_output *output);
	int end; /* behind a payload or a value: a byte, or CLI_NO_END */
	enum cli_paint_kind paint; /* what has colour */
	/* What it writes can do no harm to a terminal, whatever the frame
	 * holds.  The output of any other format is escaped there. */
	bool safe_on_terminal;
	bool values;  /* with --schema it prints values */
	bool events;  /* lines about the log stand among the frames (JSON) */
	bool headers; /* a line with the log's name may stand between frames */
	bool prefix;  /* the log's name may stand in front of each frame */
};

/* Ends with a row without a name. */
extern const struct cli_output_format cli_output_formats[];

/* A chosen format, ready to render. */
struct cli_renderer {
	const struct cli_output_format *format;
	struct cli_template *template; /* of -t, or NULL */
	struct cli_typed *typed;       /* what frames are values of, or NULL */
	struct cli_column_source *columns; /* of a format with columns */
	struct cli_seen_time seen;         /* when frames are printed */
	bool seen_member;                  /* "seen" stands in JSON */
	bool escape;                       /* the output goes to a terminal */
	bool prefix;             /* of the log's name, before a frame */
	bool late;               /* a frame comes too late to be in order */
	const char *log;         /* the log that frames are from */
	char *log_member;        /* "log":NAME, with the comma, in JSON */
	size_t log_member_bytes; /* 0: there is no such member */
	struct cli_output *raw;  /* what is still to be escaped; NULL before */
	struct cli_color *color; /* NULL: none */
	unsigned log_style;      /* of the log's name */
	struct cli_paint paint;
	struct cli_match_finder matches; /* to show in text; may be NULL */
};

/* One of their names, and a template, for the table of an option. */
extern const struct cli_argument_kind cli_takes_output_format;
extern const struct cli_argument_kind cli_takes_template;

/* -o and -t of a command that prints frames: their places in its enum.  A test
 * holds the names in the help against the list. */
#define CLI_FORMAT_OPTIONS(output_place, template_place)       \
	[output_place] = {.letter = 'o',                       \
	                  .name = "output",                    \
	                  .value = "FORMAT",                   \
	                  .kind = &cli_takes_output_format,    \
	                  .help = "print as text, nul, json, " \
	                          "hex, frames, raw or csv"},  \
	[template_place] = {.letter = 't',                     \
	                    .name = "template",                \
	                    .value = "TEMPLATE",               \
	                    .kind = &cli_takes_template,       \
	                    .help = "print frames by a template"}

/* The format of a name; NULL if there is none. */
const struct cli_output_format *cli_output_format_find(const char *name);

/*
 * Chooses a format by its -o name (NULL for text) or a -t template (NULL for
 * none); both together are wrong usage.  `fd` is the output: text for a
 * terminal is escaped.  Returns CLI_OK, or CLI_USAGE after a message.
 */
int cli_renderer_init(struct cli_renderer *renderer, const char *name,
                      const char *template_text, int fd);
/*
 * Makes the renderer print frames as values: instead of the payload in text and
 * nul, beside it in JSON.  Does nothing if `typed`, which must stay, has no
 * type.  Returns CLI_OK, or CLI_USAGE after a message for a format without
 * values.
 */
int cli_renderer_set_type(struct cli_renderer *renderer,
                          struct cli_typed *typed);
/* Gives the output colour, if that is on and the format has any; `color` must
 * stay. */
void cli_renderer_set_color(struct cli_renderer *renderer,
                            struct cli_color *color);
void cli_renderer_release(struct cli_renderer *renderer);

/*
 * Says which log the frames and events that follow are from; `path` must stay.
 * With `tell`, JSON output says so as well: NULL, in an event, for no log.
 * False when memory is short.
 */
bool cli_renderer_set_log(struct cli_renderer *renderer, const char *path,
                          bool tell);

/* What a column has of a frame: NULL for nothing. */
struct cli_cell {
	const unsigned char *bytes;
	size_t size_bytes;
};

/* The columns of a format that has some.  The wing that knows paths makes one
 * and gives it to the renderer, which only sees this of it. */
struct cli_column_source {
	size_t count;
	const char *const *names;
	/* Finds all the cells of a frame, good until the next call. */
	const struct cli_cell *(*find)(struct cli_column_source *source,
	                               const struct shmlog_frame *frame);
};

/* Renders bytes, escaped on a terminal. */
void cli_render_bytes(const struct cli_renderer *renderer,
                      struct cli_output *output, const void *bytes,
                      size_t size_bytes);
/* Renders the name of the log, escaped on a terminal. */
void cli_render_log_name(const struct cli_renderer *renderer,
                         struct cli_output *output);

/* The same as --prefix puts it in front of a frame. */
void cli_render_prefix(const struct cli_renderer *renderer,
                       struct cli_output *output);

/* Renders one frame, or many at once.  Failures stick in the output. */
void cli_render_frame(struct cli_renderer *renderer, struct cli_output *output,
                      const struct shmlog_frame *frame);
void cli_render_frames(struct cli_renderer *renderer, struct cli_output *output,
                       const struct shmlog_frame *frames, size_t count);

/*
 * An event line, {"event":NAME,...members}, with "log" before these if that is
 * told, in JSON output only (nothing otherwise).  `members` is ready JSON
 * beginning with a comma, or "".
 */
void cli_render_event(struct cli_renderer *renderer, struct cli_output *output,
                      const char *name, const char *members);

/* The event of a damaged frame: {"event":"damage","cursor":N,"backwards":B,
 * "error":NAME,"reason":TEXT}. */
void cli_render_damage(struct cli_renderer *renderer, struct cli_output *output,
                       const struct shmlog_fault *fault);

#endif
