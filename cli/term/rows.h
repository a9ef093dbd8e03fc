/*
 * Reports: one table of rows describes the facts to be shown, and both the text
 * and the JSON are made from it.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "json_write.h"
#include "stdout_buffer.h"

#include <stddef.h>
#include <stdint.h>

enum cli_row_kind {
	CLI_ROW_TEXT,    /* const char *, which may be NULL; escaped */
	CLI_ROW_COUNT,   /* uint64_t */
	CLI_ROW_BYTES,   /* uint64_t */
	CLI_ROW_DECIMAL, /* double */
	CLI_ROW_PERCENT, /* double; a bar in text */
	CLI_ROW_BOOL,    /* bool */
};

struct cli_row {
	const char *group; /* the JSON object that it is a member of, or NULL;
	                    * the rows of a group stand together */
	const char *key;   /* in JSON; NULL for text alone */
	const char *label; /* in text; NULL for JSON alone */
	enum cli_row_kind kind;
	size_t offset;  /* of the value in the facts */
	unsigned needs; /* bits that `known` must have; else JSON has null,
	                    * and text has no such row */
};

/* An aligned block of rows; _styled gives the value of each the style that
 * `style_of` names, an enum cli_style. */
void cli_report_text(struct cli_output *output, const struct cli_row *rows,
                     size_t count, const void *facts, unsigned known);
void cli_report_styled(struct cli_output *output, const struct cli_row *rows,
                       size_t count, const void *facts, unsigned known,
                       unsigned (*style_of)(const struct cli_row *row,
                                            const void *facts));
void cli_report_json(struct cli_object *object, const struct cli_row *rows,
                     size_t count, const void *facts, unsigned known);

/* Prints a label aligned as in the block; the caller prints the text of the
 * row. */
void cli_report_label(struct cli_output *output, const char *label);

/* Prints untrusted bytes, escaped for a terminal. */
void cli_report_escaped(struct cli_output *output, const char *text);

/* Prints the name of a file: escaped on a terminal, and as it is elsewhere, for
 * programs that use it. */
void cli_report_name(struct cli_output *output, const char *name);

/* Prints a text as a JSON string, quotes and all. */
void cli_report_quoted(struct cli_output *output, const char *text);

/* Prints an object as a line and frees it.  A failure sticks in the output. */
void cli_report_line(struct cli_output *output, struct cli_object *object);

/* "1.5 MiB"; bytes below 1024 as they are. */
struct cli_scaled_text {
	char text[32];
};
const char *cli_scale_bytes(struct cli_scaled_text *buffer, double bytes);

/* How much of `room` is used, in percent, rounded down to hundredths; 100 if
 * and only if nothing is free. */
double cli_used_percent(uint64_t used, uint64_t room);

#endif
