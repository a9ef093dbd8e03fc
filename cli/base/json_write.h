/* JSON objects that are built; json_write.c is the only user of cJSON. */
#ifndef CLI_JSON_WRITE_H
#define CLI_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
