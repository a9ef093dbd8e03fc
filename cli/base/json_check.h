/* The strict check of JSON (RFC 8259, as JSON.parse accepts it). */
#ifndef CLI_JSON_CHECK_H
#define CLI_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is wrong with a text, and where. */
struct cli_json_error {
	size_t offset;    /* bytes from the start of the text */
	char reason[128]; /* "expected ',' or '}' after a member"; lower case,
	                   * printable ASCII only */
};

/*
 * Whether the bytes are exactly one JSON value, blanks around it allowed.
 * Depth is bounded by the size of the text alone (no recursion; one bit of
 * memory per level).  Invalid UTF-8 is refused; escaped lone surrogates and
 * numbers of any size are JSON.
 */
bool cli_json_check(const char *text, size_t size_bytes,
                    struct cli_json_error *error_out);

/* Stores where and why a text is refused.  Returns false. */
bool cli_json_refuse(struct cli_json_error *error_out, size_t offset,
                     const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
