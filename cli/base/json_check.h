/* Checking JSON strictly (RFC 8259, as JSON.parse accepts it). */
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
 * Whether the bytes are exactly one JSON value, with optional blanks around it.
 * Nesting may be as deep as the text is long: the check does not recurse, and
 * takes one bit of memory per level.  Invalid UTF-8 is refused; escaped lone
 * surrogates and numbers of any size are valid.
 */
bool cli_json_check(const char *text, size_t size_bytes,
                    struct cli_json_error *error_out);

/* The same without json_quick.h, as it is on processors that it is not for; for
 * tests. */
bool cli_json_check_slowly(const char *text, size_t size_bytes,
                           struct cli_json_error *error_out);

/* Stores where and why a text is refused.  Always returns false. */
bool cli_json_refuse(struct cli_json_error *error_out, size_t offset,
                     const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
