/*
 * JSON values as jq knows them, in the text that holds them: kinds and their
 * order, comparison, members and elements.  A text has been accepted by
 * cli_json_check() and stays as it is.
 *
 * Where jq 1.6 and 1.7 differ, 1.7 counts: half a surrogate pair is U+FFFD,
 * and a string may hold a NUL.  Whole numbers are compared exactly, as neither
 * does; any other as doubles.
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include "arena.h"
#include "json_scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In jq's order of types. */
enum cli_value_kind {
	CLI_VALUE_NULL,
	CLI_VALUE_FALSE,
	CLI_VALUE_TRUE,
	CLI_VALUE_NUMBER,
	CLI_VALUE_STRING,
	CLI_VALUE_ARRAY,
	CLI_VALUE_OBJECT,
};

struct cli_value {
	enum cli_value_kind kind;
	/* As it stands in the text; of a string, what is between the quotes. */
	struct cli_json_span text;
	bool is_plain;   /* nothing in its text is escaped */
	bool is_counted; /* a number that is `count`, and has no text */
	uint64_t count;
};

/* How deep values may be in one another where they are compared. */
#define CLI_VALUE_DEPTH 1000u

/* "object", "number": what jq calls the type. */
const char *cli_value_type(const struct cli_value *value);
/* Neither null nor false. */
bool cli_value_is_true(const struct cli_value *value);

/* The value that a text is. */
struct cli_value cli_value_of_text(const char *text, size_t size_bytes);
struct cli_value cli_value_of_bool(bool value);
struct cli_value cli_value_of_count(uint64_t count);
/* A string that is its own text. */
struct cli_value cli_value_of_plain(const void *bytes, size_t size_bytes);

/* The bytes that a string stands for: its own text, or in the arena.  False if
 * memory is short. */
bool cli_value_bytes(struct cli_arena *arena, const struct cli_value *string,
                     struct cli_json_span *bytes_out);

/* A member by its name, the last of several; an element by its place, from the
 * end where that is negative.  False if there is none. */
bool cli_value_member(struct cli_arena *arena, const struct cli_value *object,
                      struct cli_json_span name, struct cli_value *member_out);
bool cli_value_element(const struct cli_value *array, int64_t place,
                       struct cli_value *element_out);

/* The values of an array or of an object, where the last member of a name
 * stands in the place of the first; *count_out of them, in the arena.  NULL if
 * memory is short. */
const struct cli_value *cli_value_items(struct cli_arena *arena,
                                        const struct cli_value *container,
                                        size_t *count_out);
size_t cli_value_array_length(const struct cli_value *array);
/* Characters. */
size_t cli_value_string_length(struct cli_json_span bytes);

/* Less than, equal to or greater than 0, in jq's order.  False where they are
 * too deep, or memory is short. */
bool cli_value_compare(struct cli_arena *arena, const struct cli_value *one,
                       const struct cli_value *two, int *order_out);

#endif
