/*
 * JSON.  json.c is the only user of cJSON; json_check.c is the strict checker
 * (RFC 8259, as JSON.parse accepts it) that cJSON is not.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

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

/* One envelope line, taken apart. */
struct cli_envelope {
	bool is_event;          /* a line about the log, not a frame */
	unsigned char *payload; /* in the caller's buffer */
	size_t size_bytes;      /* of the payload */
};

/*
 * Parses an envelope: "payload" (a string) and "encoding" ("utf8", also when
 * missing, or "base64"); "size", if present, must agree; other members are
 * passed over; a line with "event" is no frame.  `buffer` has room for
 * `size_bytes` bytes of payload.  False, with a reason, for anything else.
 */
bool cli_envelope_parse(const char *text, size_t size_bytes,
                        unsigned char *buffer,
                        struct cli_envelope *envelope_out,
                        struct cli_json_error *error_out);

/*
 * A JSON object under construction, for summaries; integers stay exact.
 * Members keep their order.  Failures stick and show in cli_object_print().
 */
struct cli_object;
struct cli_object *cli_object_new(void);
void cli_object_free(struct cli_object *object);
void cli_object_u64(struct cli_object *object, const char *key, uint64_t value);
void cli_object_i64(struct cli_object *object, const char *key, int64_t value);
void cli_object_bool(struct cli_object *object, const char *key, bool value);
void cli_object_null(struct cli_object *object, const char *key);
/* A number with a fraction, in the shortest form with `digits` decimals. */
void cli_object_decimal(struct cli_object *object, const char *key,
                        double value, int digits);
/* Any bytes: what is not valid UTF-8 becomes U+FFFD. */
void cli_object_string(struct cli_object *object, const char *key,
                       const char *value);
/* A child object or an array of objects; owned by the parent. */
struct cli_object *cli_object_child(struct cli_object *object, const char *key);
struct cli_object *cli_object_array(struct cli_object *object, const char *key);
struct cli_object *cli_array_object(struct cli_object *array);
/* The text on one line without a newline, safe for a terminal; freed with
 * free(3); NULL if anything failed. */
char *cli_object_print(const struct cli_object *object);

/* The members of a small JSON object that was read, for cursor files. */
struct cli_document;
struct cli_document *cli_document_parse(const char *text, size_t size_bytes,
                                        struct cli_json_error *error_out);
void cli_document_free(struct cli_document *document);
/* False if there is no such member or it is no integer in range. */
bool cli_document_u64(const struct cli_document *document, const char *key,
                      uint64_t *value_out);
bool cli_document_i64(const struct cli_document *document, const char *key,
                      int64_t *value_out);

#endif
