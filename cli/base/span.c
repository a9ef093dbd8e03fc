/* Writes lengths of time in words. */
#include "span.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *cli_span_describe(struct cli_span_text *buffer, double seconds)
{
	static const struct {
		const char *large, *small;
		unsigned seconds, parts;
	} units[] = {
		{"d", "h", 86400, 24},
		{"h", "min", 3600, 60},
		{"min", "s", 60, 60},
	};

	if (seconds >= 1000 * 86400.0)
		return strcpy(buffer->text, "over 1000 d");
	if (seconds < 1)
		return strcpy(buffer->text, "under 1 s");
	snprintf(buffer->text, sizeof(buffer->text), "%u s", (unsigned)seconds);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		unsigned whole = (unsigned)seconds;
		unsigned unit = units[i].seconds;

		if (whole < unit)
			continue;
		snprintf(buffer->text, sizeof(buffer->text), "%u %s %u %s",
		         whole / unit, units[i].large,
		         whole % unit * units[i].parts / unit, units[i].small);
		break;
	}
	return buffer->text;
}
