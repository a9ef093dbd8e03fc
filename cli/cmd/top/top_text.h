/* What is known of a log, as the short texts of a table. */
#ifndef TOP_TEXT_H
#define TOP_TEXT_H

#include "top_model.h"

struct top_text {
	char text[64];
};

/* A number: "12345", "123k", "1.2M"; "~" before it says that it is
 * estimated. */
const char *top_text_count(struct top_text *buffer, double value,
                           bool estimated);

/* A time: "45s", "12m", "3h20m", "12d"; "never" for a negative one. */
const char *top_text_span(struct top_text *buffer, double seconds);

/* A cell of a row; "" for the sparkline, and for what is not known. */
const char *top_text_cell(struct top_text *buffer,
                          const struct top_model *model,
                          const struct top_row *row, enum top_column column);

/* What there is to say about a log: "gone", "damaged", "full", "new", how long
 * until it is full, or "". */
const char *top_text_left(struct top_text *buffer,
                          const struct top_model *model,
                          const struct top_row *row);

#endif
