/*
 * Text with colour: which style each of its bytes has, and the text with the
 * sequences of these between.  Without the sequences it is the same text.
 */
#ifndef CLI_PAINT_H
#define CLI_PAINT_H

#include <stdbool.h>
#include <stddef.h>

struct cli_output;

/* Finds the first match of what was looked for, at `start` or behind it; false
 * if there is none. */
struct cli_match_finder {
	bool (*find)(void *context, const unsigned char *bytes,
	             size_t size_bytes, size_t start, size_t *begin_out,
	             size_t *end_out);
	void *context;
};

/* The styles of a text. */
struct cli_paint {
	unsigned char *styles; /* owned */
	size_t room_bytes;
};

void cli_paint_release(struct cli_paint *paint);

/* Makes all of a text plain.  False when memory is short. */
bool cli_paint_begin(struct cli_paint *paint, size_t size_bytes);

/* Styles of a JSON text, of which `cursors` says whether it is an envelope; of
 * other text the styles mean nothing, but do no harm. */
void cli_paint_json(struct cli_paint *paint, const unsigned char *bytes,
                    size_t size_bytes, bool cursors);

/* Styles of matches, over those that are there. */
void cli_paint_matches(struct cli_paint *paint, const unsigned char *bytes,
                       size_t size_bytes,
                       const struct cli_match_finder *finder);

/* Writes the text, escaped for a terminal if that is asked for. */
void cli_paint_write(const struct cli_paint *paint, struct cli_output *output,
                     const unsigned char *bytes, size_t size_bytes,
                     bool escape);

/* Writes text of one style. */
void cli_paint_string(struct cli_output *output, unsigned style,
                      const char *text);

#endif
