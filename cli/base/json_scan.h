/*
 * Walking a JSON text that cli_json_check() has accepted.  The scan finds the
 * parts of such a text in place and takes its strings and numbers from there
 * exactly: nothing is converted to a double, and no string ends at a NUL.
 */
#ifndef CLI_JSON_SCAN_H
#define CLI_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of a text, in place. */
struct cli_json_span {
	const unsigned char *bytes;
	size_t size_bytes;
};

/* A position in a text.  Inside a container each token is followed by another
 * one, so only loads of whole words need to check for the end. */
struct cli_json_scan {
	const unsigned char *at;
	const unsigned char *end;
};

enum cli_json_kind {
	CLI_JSON_OBJECT,
	CLI_JSON_ARRAY,
	CLI_JSON_STRING,
	CLI_JSON_NUMBER,
	CLI_JSON_BOOL,
	CLI_JSON_NULL,
};

/* Begins a scan before the outermost value of a text. */
void cli_json_begin(struct cli_json_scan *scan, const char *text,
                    size_t size_bytes);

/* The kind of the value that the scan is before. */
enum cli_json_kind cli_json_kind(const struct cli_json_scan *scan);
/* The kind for a message: "an object", "a number". */
const char *cli_json_kind_name(enum cli_json_kind kind);

/* Steps into the container that the scan is before. */
void cli_json_enter(struct cli_json_scan *scan);
/*
 * Moves the scan before the value of the next member, or before the next
 * element, of the container that it is in; the value before that must have been
 * consumed.  False after the last one; then the scan is behind the container.
 */
bool cli_json_next_member(struct cli_json_scan *scan,
                          struct cli_json_span *name_out);
bool cli_json_next_element(struct cli_json_scan *scan);

/* Begins a scan inside the object that the text is.  False, with the scan
 * before the value, if the value is not an object. */
bool cli_json_begin_object(struct cli_json_scan *scan, const char *text,
                           size_t size_bytes);

/* Consumes a value inside a container and returns it; a string includes its
 * quotes. */
struct cli_json_span cli_json_take_value(struct cli_json_scan *scan);
/* Consumes a string and returns what is between its quotes. */
struct cli_json_span cli_json_take_string(struct cli_json_scan *scan);

/* A member of an object. */
struct cli_json_member {
	struct cli_json_span name;  /* between the quotes */
	struct cli_json_span value; /* a string includes its quotes */
};

/* Consumes the next member of the object that the scan is in.  False after the
 * last one. */
bool cli_json_take_member(struct cli_json_scan *scan,
                          struct cli_json_member *member_out);

/* Whether a value is a string, and what is between the quotes of one. */
bool cli_json_is_string(struct cli_json_span value);
struct cli_json_span cli_json_inside(struct cli_json_span string);

/*
 * Decodes the inside of a string, escapes included; the result is never longer
 * than `span`.  Whole words are stored, so `out` must have room for as many
 * bytes as `span` has.  False if there is half a surrogate pair; *size_out is
 * then its offset.
 */
bool cli_json_unescape(unsigned char *out, struct cli_json_span span,
                       size_t *size_out);

/* Whether the inside of a string, escapes decoded, equals `text`, which has at
 * most 16 characters where escapes are to be decoded. */
bool cli_json_string_is(struct cli_json_span span, const char *text);

/* Converts digits to a number, exactly; false for anything else and on
 * overflow. */
bool cli_json_span_u64(struct cli_json_span span, uint64_t *value_out);
bool cli_json_span_i64(struct cli_json_span span, int64_t *value_out);

/* A whole number of up to 64 bits and its sign. */
struct cli_json_integer {
	bool negative; /* never true of 0 */
	uint64_t magnitude;
};

enum cli_json_whole {
	CLI_JSON_WHOLE,
	CLI_JSON_FRACTION, /* no whole number */
	CLI_JSON_TOO_LARGE,
};

/* Reads a whole number in any spelling, 1.5e3 as well as 1500, exactly. */
enum cli_json_whole cli_json_integer(struct cli_json_span number,
                                     struct cli_json_integer *integer_out);

#endif
