/* Building JSON objects; json_write.c is the only user of cJSON. */
#ifndef CLI_JSON_WRITE_H
#define CLI_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A JSON object under construction, for reports.  Integers stay exact, and
 * members keep their order.  A failure is remembered: cli_object_print() then
 * returns NULL.
 */
struct cli_object;
struct cli_object *cli_object_new(void);
void cli_object_free(struct cli_object *object);
void cli_object_u64(struct cli_object *object, const char *key, uint64_t value);
void cli_object_i64(struct cli_object *object, const char *key, int64_t value);
void cli_object_bool(struct cli_object *object, const char *key, bool value);
void cli_object_null(struct cli_object *object, const char *key);
/* Adds a number with at most `digits` decimals, without trailing zeros. */
void cli_object_decimal(struct cli_object *object, const char *key,
                        double value, int digits);
/* Adds any bytes as a string: invalid UTF-8 becomes U+FFFD. */
void cli_object_string(struct cli_object *object, const char *key,
                       const char *value);
/* Adds a child object, an array of objects, or an object to such an array.  The
 * parent owns it. */
struct cli_object *cli_object_child(struct cli_object *object, const char *key);
struct cli_object *cli_object_array(struct cli_object *object, const char *key);
struct cli_object *cli_array_object(struct cli_object *array);
/* Returns the JSON on one line without a newline, safe for a terminal, to be
 * freed with free(3); NULL if anything failed. */
char *cli_object_print(const struct cli_object *object);

#endif
