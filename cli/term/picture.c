/* Draws bars and sparklines. */
#include "picture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The characters of a set: for the end of a line, from none of a column to all
 * of it, and for a value, from the lowest to the highest. */
struct set {
	const char *const *ends;
	size_t end_steps;
	const char *const *heights;
	size_t height_count;
};

static const char *const ascii_ends[] = {"", "#"};
static const char *const ascii_heights[] = {"_", ".", ":", "-",
                                            "=", "+", "*", "#"};
static const char *const half_ends[] = {"", "\u258c", "\u2588"};
static const char *const half_heights[] = {"_", "\u2584", "\u2588"};
static const char *const eighth_ends[] = {"",       "\u258f", "\u258e",
                                          "\u258d", "\u258c", "\u258b",
                                          "\u258a", "\u2589", "\u2588"};
static const char *const eighth_heights[] = {"\u2581", "\u2582", "\u2583",
                                             "\u2584", "\u2585", "\u2586",
                                             "\u2587", "\u2588"};

#define SET(ends_, heights_)                                             \
	{                                                                \
		ends_, sizeof(ends_) / sizeof((ends_)[0]) - 1, heights_, \
			sizeof(heights_) / sizeof((heights_)[0]),        \
	}

static const struct set sets[] = {
	[CLI_GLYPHS_ASCII] = SET(ascii_ends, ascii_heights),
	[CLI_GLYPHS_HALVES] = SET(half_ends, half_heights),
	[CLI_GLYPHS_EIGHTHS] = SET(eighth_ends, eighth_heights),
};

/* As setlocale(3) chooses, without the files that it reads. */
static bool is_utf8_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *locale = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		locale = getenv(names[i]);
		if (locale != NULL && *locale != '\0')
			break;
	}
	if (locale == NULL || (locale = strchr(locale, '.')) == NULL)
		return false;
	return strncasecmp(locale, ".utf-8", 6) == 0 ||
	       strncasecmp(locale, ".utf8", 5) == 0;
}

enum cli_glyphs cli_glyphs_of(int fd)
{
	const char *terminal = getenv("TERM");

	if (isatty(fd) != 1 || terminal == NULL || *terminal == '\0' ||
	    strcmp(terminal, "dumb") == 0 || !is_utf8_locale())
		return CLI_GLYPHS_ASCII;
	return strcmp(terminal, "linux") == 0 ? CLI_GLYPHS_HALVES
	                                      : CLI_GLYPHS_EIGHTHS;
}

size_t cli_draw_line(char *out, size_t width, double part,
                     enum cli_glyphs glyphs)
{
	const struct set *set = &sets[glyphs];
	size_t steps = width * set->end_steps;
	size_t drawn = part >= 1  ? steps
	               : part > 0 ? (size_t)((double)steps * part)
	                          : 0;
	size_t columns = 0;

	if (part > 0 && drawn == 0 && width > 0)
		drawn = 1;
	*out = '\0';
	for (; drawn > 0; columns++) {
		size_t step = drawn < set->end_steps ? drawn : set->end_steps;

		out = stpcpy(out, set->ends[step]);
		drawn -= step;
	}
	return columns;
}

void cli_draw_sparkline(char *out, const double *values, size_t count,
                        enum cli_glyphs glyphs)
{
	const struct set *set = &sets[glyphs];
	size_t most = set->height_count - 1;
	double largest = 0;

	for (size_t i = 0; i < count; i++)
		largest = values[i] > largest ? values[i] : largest;
	*out = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t height = 0;

		if (values[i] > 0)
			height = (size_t)(values[i] / largest * (double)most);
		if (values[i] > 0 && height == 0)
			height = 1;
		out = stpcpy(out, values[i] < 0 ? " " : set->heights[height]);
	}
}
