/* Pictures of numbers, drawn in the characters that a terminal has: bars and
 * sparklines. */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include <stddef.h>

enum cli_glyphs {
	CLI_GLYPHS_ASCII,   /* anywhere */
	CLI_GLYPHS_HALVES,  /* the console of Linux: whole and half blocks */
	CLI_GLYPHS_EIGHTHS, /* eighths of a block, in UTF-8 */
};

/* What can be drawn on `fd`: plain ASCII where it is no terminal, or the locale
 * ($LC_ALL, $LC_CTYPE, $LANG) is not one of UTF-8, or $TERM is dumb. */
enum cli_glyphs cli_glyphs_of(int fd);

/* Bytes of a picture that is so many columns wide, with its NUL. */
#define CLI_PICTURE_BYTES(columns) ((columns)*3 + 1)

/*
 * Draws a line of `part` of `width` columns, from the left; no line is longer
 * than `width`, and any part above 0 shows.  Returns how many columns it takes.
 */
size_t cli_draw_line(char *out, size_t width, double part,
                     enum cli_glyphs glyphs);

/*
 * Draws a value in each column, as high as its part of the largest one; blank
 * for a negative value, which stands for none.  A value above 0 is higher than
 * 0 where the characters allow.
 */
void cli_draw_sparkline(char *out, const double *values, size_t count,
                        enum cli_glyphs glyphs);

#endif
