/*
 * Walking a text that cli_json_check() has accepted.  Such a text is so
 * regular that its parts are found in place, and its strings and numbers are
 * taken from there exactly: nothing goes through a double, or ends at a NUL.
 */
#ifndef CLI_JSON_SCAN_H
#define CLI_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of a text, as it stands there. */
struct cli_json_span {
	const unsigned char *bytes;
	size_t size_bytes;
};

/* A place in a text.  Inside a container every token is followed by another
 * one, so only loads of whole words look at the end. */
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

/* Puts the scan before the value that the text is. */
void cli_json_begin(struct cli_json_scan *scan, const char *text,
                    size_t size_bytes);

/* What stands at the scan, which is before a value. */
enum cli_json_kind cli_json_kind(const struct cli_json_scan *scan);
/* "an object", "a number". */
const char *cli_json_kind_name(enum cli_json_kind kind);

/* Steps into the container that the scan is before. */
void cli_json_enter(struct cli_json_scan *scan);
/*
 * Goes before the value of the next member, or before the next element, of
 * the container that the scan is in; the value before it has been passed
 * over.  False behind the last one, and then the scan is behind the
 * container.
 */
bool cli_json_next_member(struct cli_json_scan *scan,
                          struct cli_json_span *name_out);
bool cli_json_next_element(struct cli_json_scan *scan);

/* Puts the scan inside the object that the text is; false, with the scan
 * before the value, if it is a value of another kind. */
bool cli_json_begin_object(struct cli_json_scan *scan, const char *text,
                           size_t size_bytes);

/* Passes over a value inside a container; a string has its quotes. */
struct cli_json_span cli_json_take_value(struct cli_json_scan *scan);
/* Passes over a string; what is between its quotes. */
struct cli_json_span cli_json_take_string(struct cli_json_scan *scan);

/* A member of an object. */
struct cli_json_member {
	struct cli_json_span name;  /* between the quotes */
	struct cli_json_span value; /* a string has its quotes */
};

/* Passes over the next member of the object that the scan is in.  False behind
 * the last one. */
bool cli_json_take_member(struct cli_json_scan *scan,
                          struct cli_json_member *member_out);

/* Whether a value is a string; what is between the quotes of one that is. */
bool cli_json_is_string(struct cli_json_span value);
struct cli_json_span cli_json_inside(struct cli_json_span string);

/*
 * The bytes that the inside of a string stands for; never more than it has.
 * Whole words are stored, so `out` has room for as many bytes as `span` has.
 * False if it has half a surrogate pair; *size_out is then its place.
 */
bool cli_json_unescape(unsigned char *out, struct cli_json_span span,
                       size_t *size_out);

/* Whether the inside of a string stands for `text`, of 16 characters at
 * most where escapes are to be seen through. */
bool cli_json_string_is(struct cli_json_span span, const char *text);

/* Digits to a number, exactly; false for anything else and on overflow. */
bool cli_json_span_u64(struct cli_json_span span, uint64_t *value_out);
bool cli_json_span_i64(struct cli_json_span span, int64_t *value_out);

/* A whole number of up to 64 bits and its sign. */
struct cli_json_integer {
	bool negative; /* never of 0 */
	uint64_t magnitude;
};

enum cli_json_whole {
	CLI_JSON_WHOLE,
	CLI_JSON_FRACTION, /* no whole number */
	CLI_JSON_TOO_LARGE,
};

/* Any spelling of a whole number, 1.5e3 as well as 1500, exactly. */
enum cli_json_whole cli_json_integer(struct cli_json_span number,
                                     struct cli_json_integer *integer_out);

#endif
