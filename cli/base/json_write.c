/*
 * Builds JSON objects.  This is the only user of cJSON, which gets numbers and
 * strings as ready text: its own numbers are doubles, and its strings end at a
 * NUL.
 */
#include "json_write.h"

#include "escape.h"
#include "utf8.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The outermost object keeps its descendants in a list, frees them, and
 * remembers whether anything failed. */
struct cli_object {
	struct cJSON *item;
	struct cli_object *root;
	struct cli_object *next;
	bool failed;
};

static struct cli_object *wrap(struct cJSON *item, struct cli_object *root)
{
	struct cli_object *object = calloc(1, sizeof(*object));

	if (object == NULL)
		return NULL;
	object->item = item;
	object->root = root != NULL ? root : object;
	if (root != NULL) {
		object->next = root->next;
		root->next = object;
	}
	return object;
}

struct cli_object *cli_object_new(void)
{
	struct cJSON *item = cJSON_CreateObject();
	struct cli_object *object;

	if (item == NULL)
		return NULL;
	object = wrap(item, NULL);
	if (object == NULL)
		cJSON_Delete(item);
	return object;
}

void cli_object_free(struct cli_object *object)
{
	if (object == NULL || object->root != object)
		return;
	cJSON_Delete(object->item);
	while (object != NULL) {
		struct cli_object *next = object->next;

		free(object);
		object = next;
	}
}

/* Adds ready JSON text.  cJSON copies it and the key. */
static void add_raw(struct cli_object *object, const char *key,
                    const char *text)
{
	if (object != NULL &&
	    cJSON_AddRawToObject(object->item, key, text) == NULL)
		object->root->failed = true;
}

void cli_object_u64(struct cli_object *object, const char *key, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	add_raw(object, key, text);
}

void cli_object_i64(struct cli_object *object, const char *key, int64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	add_raw(object, key, text);
}

void cli_object_bool(struct cli_object *object, const char *key, bool value)
{
	add_raw(object, key, value ? "true" : "false");
}

void cli_object_null(struct cli_object *object, const char *key)
{
	add_raw(object, key, "null");
}

/* Removes trailing zeros from the text that printf() made of a number, and
 * makes its decimal point a point whatever the locale. */
static void tidy_decimal(char *text)
{
	size_t length = strlen(text);
	size_t i;
	bool fraction = false;

	for (i = 0; i < length; i++) {
		if ((text[i] < '0' || text[i] > '9') && text[i] != '-') {
			text[i] = '.';
			fraction = true;
		}
	}
	while (fraction && text[length - 1] == '0')
		length--;
	if (fraction && text[length - 1] == '.')
		length--;
	text[length] = '\0';
	if (strcmp(text, "-0") == 0)
		memcpy(text, "0", 2);
}

void cli_object_decimal(struct cli_object *object, const char *key,
                        double value, int digits)
{
	char text[512];
	int length;

	if (!isfinite(value)) {
		add_raw(object, key, "null");
		return;
	}
	length = snprintf(text, sizeof(text), "%.*f", digits, value);
	if (length < 0 || (size_t)length >= sizeof(text)) {
		if (object != NULL)
			object->root->failed = true;
		return;
	}
	tidy_decimal(text);
	add_raw(object, key, text);
}

/* Copies a text and replaces each invalid byte by the three bytes of U+FFFD. */
static size_t replace_invalid(unsigned char *out, const unsigned char *bytes,
                              size_t size_bytes)
{
	unsigned char *start = out;

	while (size_bytes > 0) {
		unsigned point;
		size_t length = cli_utf8_decode(bytes, size_bytes, &point);

		if (length > 0)
			memcpy(out, bytes, length);
		else
			memcpy(out, "\xef\xbf\xbd", 3);
		out += length > 0 ? length : 3;
		bytes += length > 0 ? length : 1;
		size_bytes -= length > 0 ? length : 1;
	}
	return (size_t)(out - start);
}

void cli_object_string(struct cli_object *object, const char *key,
                       const char *value)
{
	size_t size_bytes = strlen(value);
	unsigned char *valid;
	unsigned char *quoted;

	if (object == NULL)
		return;
	valid = malloc(size_bytes * 3 + 1);
	quoted = malloc(size_bytes * 3 * CLI_ESCAPE_JSON_MAX + 3);
	if (valid == NULL || quoted == NULL) {
		object->root->failed = true;
	} else {
		size_bytes = replace_invalid(
			valid, (const unsigned char *)value, size_bytes);
		quoted[0] = '"';
		size_bytes = cli_escape_json(quoted + 1, valid, size_bytes);
		memcpy(quoted + 1 + size_bytes, "\"", 2);
		add_raw(object, key, (const char *)quoted);
	}
	free(valid);
	free(quoted);
}

/* Wraps a container that cJSON has just added to the tree of `parent`. */
static struct cli_object *adopt(struct cli_object *parent, struct cJSON *item)
{
	struct cli_object *object = NULL;

	if (item != NULL)
		object = wrap(item, parent->root);
	if (object == NULL)
		parent->root->failed = true;
	return object;
}

struct cli_object *cli_object_child(struct cli_object *object, const char *key)
{
	if (object == NULL)
		return NULL;
	return adopt(object, cJSON_AddObjectToObject(object->item, key));
}

struct cli_object *cli_object_array(struct cli_object *object, const char *key)
{
	if (object == NULL)
		return NULL;
	return adopt(object, cJSON_AddArrayToObject(object->item, key));
}

struct cli_object *cli_array_object(struct cli_object *array)
{
	struct cJSON *item;

	if (array == NULL)
		return NULL;
	item = cJSON_CreateObject();
	if (item != NULL && !cJSON_AddItemToArray(array->item, item)) {
		cJSON_Delete(item);
		item = NULL;
	}
	return adopt(array, item);
}

char *cli_object_print(const struct cli_object *object)
{
	if (object == NULL || object->root->failed)
		return NULL;
	return cJSON_PrintUnformatted(object->item);
}
