/* Lengths of time in words. */
#ifndef CLI_SPAN_H
#define CLI_SPAN_H

/* The two largest units: "1 h 20 min", "under 1 s", "over 1000 d".  Returns the
 * buffer. */
struct cli_span_text {
	char text[48];
};
const char *cli_span_describe(struct cli_span_text *buffer, double seconds);

#endif
