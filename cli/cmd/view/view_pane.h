/*
 * The pane for the frame at hand: its payload as text, as JSON, as bytes beside
 * text, or as the fields of its type.
 */
#ifndef VIEW_PANE_H
#define VIEW_PANE_H

#include "paint.h"
#include "screen_cells.h"
#include "stdout_buffer.h"
#include "typed.h"

#include <shmlog.h>
#include <stdbool.h>

enum view_mode {
	VIEW_TEXT,
	VIEW_JSON,
	VIEW_HEX,
	VIEW_FIELDS, /* where frames have a type */
	VIEW_MODES
};

/* What a level of JSON stands for that is not folded at all. */
#define VIEW_UNFOLDED 64u

struct view_pane {
	enum view_mode mode;
	unsigned fold; /* JSON deeper than so many levels is one line */
	const struct cli_typed *typed;
	struct cli_match_finder *matches; /* what was searched for */
	/* The frame that is shown, copied. */
	struct shmlog_frame frame;
	unsigned char *payload;
	/* Its text: the payload, or the JSON of its value. */
	struct cli_output value;
	const unsigned char *text;
	size_t text_bytes;
	bool is_json;
	unsigned depth;    /* of the JSON: levels of objects and arrays */
	char why_not[768]; /* it is no JSON, or no value of the type */
	const struct cli_bendec_type *type; /* of the frame, or NULL */
	struct cli_paint paint;
};

/* False when memory is short; to be released in either case. */
bool view_pane_init(struct view_pane *pane, const struct cli_typed *typed,
                    struct cli_match_finder *matches);
void view_pane_release(struct view_pane *pane);

/* Takes a copy of the frame that is to be shown. */
void view_pane_set(struct view_pane *pane, const struct shmlog_frame *frame);

/* Whether it is the frame that is shown, byte for byte. */
bool view_pane_has(const struct view_pane *pane,
                   const struct shmlog_frame *frame);

/* The next mode that there is, or the one before. */
void view_pane_turn(struct view_pane *pane, bool back);
const char *view_pane_name(const struct view_pane *pane);

/* Draws it in the area of a pen, whose row is that of its first line, which may
 * lie above the area.  Returns how many lines it has. */
size_t view_pane_draw(struct view_pane *pane, struct cli_pen pen);

/* Draws the text of a frame in one line, for a row of the list. */
void view_pane_line(struct view_pane *pane, const struct shmlog_frame *frame,
                    struct cli_pen *pen);

#endif
