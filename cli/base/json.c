/*
 * JSON that is read and JSON that is built.  The only user of cJSON.
 *
 * What is built goes through cJSON, with numbers and strings handed to it as
 * ready text.  What is read does not: cJSON's tree has doubles for numbers
 * and ends a string at a NUL.  See json_scan.h.
 */
#include "json.h"

#include "json_scan.h"
#include "text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_string(struct cli_json_span value)
{
	return value.bytes[0] == '"';
}

static struct cli_json_span inside_of(struct cli_json_span value)
{
	return (struct cli_json_span){value.bytes + 1, value.size_bytes - 2};
}

/* Steps into an object.  False if the text is another kind of value. */
static bool enter_object(struct cli_json_scan *scan, const char *text,
                         size_t size_bytes)
{
	cli_json_begin(scan, text, size_bytes);
	if (cli_json_kind(scan) != CLI_JSON_OBJECT)
		return false;
	cli_json_enter(scan);
	return true;
}

struct member {
	struct cli_json_span name;  /* between the quotes */
	struct cli_json_span value; /* a string with its quotes */
};

/* The next member of the object that was entered; false behind the last. */
static bool take_member(struct cli_json_scan *scan, struct member *member_out)
{
	if (!cli_json_next_member(scan, &member_out->name))
		return false;
	member_out->value = cli_json_take_value(scan);
	return true;
}

/* --------------------------------------------------------------- envelopes */

/* The members of an envelope that mean something; `bytes` is NULL for one
 * that is missing.  Of a repeated member the last one counts, as it does for
 * JSON.parse. */
struct envelope_members {
	struct cli_json_span payload;
	struct cli_json_span encoding;
	struct cli_json_span size;
	struct cli_json_span event;
};

static void find_members(struct cli_json_scan *scan,
                         struct envelope_members *found)
{
	struct member member;

	memset(found, 0, sizeof(*found));
	while (take_member(scan, &member)) {
		if (cli_json_string_is(member.name, "payload"))
			found->payload = member.value;
		else if (cli_json_string_is(member.name, "encoding"))
			found->encoding = member.value;
		else if (cli_json_string_is(member.name, "size"))
			found->size = member.value;
		else if (cli_json_string_is(member.name, "event"))
			found->event = member.value;
	}
}

__attribute__((format(printf, 3, 4))) static bool
refuse(struct cli_json_error *error, size_t offset, const char *format, ...)
{
	va_list arguments;

	error->offset = offset;
	va_start(arguments, format);
	(void)vsnprintf(error->reason, sizeof(error->reason), format,
	                arguments);
	va_end(arguments);
	return false;
}

/* Whether the payload is in base64; false if the encoding is unknown. */
static bool read_encoding(const unsigned char *text,
                          struct cli_json_span encoding, bool *base64_out,
                          struct cli_json_error *error)
{
	*base64_out = false;
	if (encoding.bytes == NULL)
		return true;
	if (is_string(encoding)) {
		*base64_out = cli_json_string_is(inside_of(encoding), "base64");
		if (*base64_out ||
		    cli_json_string_is(inside_of(encoding), "utf8"))
			return true;
	}
	return refuse(error, (size_t)(encoding.bytes - text),
	              "\"encoding\" must be \"utf8\" or \"base64\"");
}

/* The bytes of the payload, into the caller's buffer. */
static bool read_payload(const unsigned char *text,
                         struct cli_json_span payload, bool base64,
                         unsigned char *buffer, size_t *size_out,
                         struct cli_json_error *error)
{
	size_t start;

	if (payload.bytes == NULL)
		return refuse(error, 0, "the object has no \"payload\"");
	start = (size_t)(payload.bytes - text);
	if (!is_string(payload))
		return refuse(error, start, "\"payload\" must be a string");
	if (!cli_json_unescape(buffer, inside_of(payload), size_out))
		return refuse(error, start + 1 + *size_out,
		              "\"payload\" has half a surrogate pair, which "
		              "no UTF-8 can hold; use the encoding \"base64\"");
	if (base64 && !cli_base64_decode(buffer, size_out, (const char *)buffer,
	                                 *size_out))
		return refuse(error, start, "\"payload\" is no valid base64");
	return true;
}

static bool check_size(const unsigned char *text, struct cli_json_span size,
                       size_t payload_bytes, struct cli_json_error *error)
{
	uint64_t value;

	if (size.bytes == NULL)
		return true;
	if (!cli_json_span_u64(size, &value))
		return refuse(error, (size_t)(size.bytes - text),
		              "\"size\" must be a count of bytes in digits");
	if (value == payload_bytes)
		return true;
	return refuse(error, (size_t)(size.bytes - text),
	              "\"size\" is %" PRIu64 ", but the payload has %zu bytes",
	              value, payload_bytes);
}

bool cli_envelope_parse(const char *text, size_t size_bytes,
                        unsigned char *buffer,
                        struct cli_envelope *envelope_out,
                        struct cli_json_error *error_out)
{
	const unsigned char *bytes = (const unsigned char *)text;
	struct envelope_members found;
	struct cli_json_scan scan;
	size_t payload_bytes;
	bool base64;

	if (!cli_json_check(text, size_bytes, error_out))
		return false;
	if (!enter_object(&scan, text, size_bytes))
		return refuse(error_out, (size_t)(scan.at - bytes),
		              "an envelope must be an object");
	find_members(&scan, &found);
	if (found.event.bytes != NULL) {
		*envelope_out = (struct cli_envelope){.is_event = true};
		return true;
	}
	if (!read_encoding(bytes, found.encoding, &base64, error_out) ||
	    !read_payload(bytes, found.payload, base64, buffer, &payload_bytes,
	                  error_out) ||
	    !check_size(bytes, found.size, payload_bytes, error_out))
		return false;
	*envelope_out = (struct cli_envelope){.payload = buffer,
	                                      .size_bytes = payload_bytes};
	return true;
}

/* --------------------------------------------------------------- documents */

struct cli_document {
	size_t size_bytes;
	char text[];
};

struct cli_document *cli_document_parse(const char *text, size_t size_bytes,
                                        struct cli_json_error *error_out)
{
	struct cli_document *document;
	struct cli_json_scan scan;

	if (!cli_json_check(text, size_bytes, error_out))
		return NULL;
	if (!enter_object(&scan, text, size_bytes)) {
		(void)refuse(error_out, 0, "expected an object");
		return NULL;
	}
	document = malloc(sizeof(*document) + size_bytes);
	if (document == NULL) {
		(void)refuse(error_out, 0, "not enough memory");
		return NULL;
	}
	document->size_bytes = size_bytes;
	memcpy(document->text, text, size_bytes);
	return document;
}

void cli_document_free(struct cli_document *document)
{
	free(document);
}

static bool find_value(const struct cli_document *document, const char *key,
                       struct cli_json_span *value_out)
{
	struct member member;
	struct cli_json_scan scan;
	bool found = false;

	(void)enter_object(&scan, document->text, document->size_bytes);
	while (take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, key)) {
			*value_out = member.value;
			found = true;
		}
	}
	return found;
}

bool cli_document_u64(const struct cli_document *document, const char *key,
                      uint64_t *value_out)
{
	struct cli_json_span value;

	return find_value(document, key, &value) &&
	       cli_json_span_u64(value, value_out);
}

bool cli_document_i64(const struct cli_document *document, const char *key,
                      int64_t *value_out)
{
	struct cli_json_span value;

	return find_value(document, key, &value) &&
	       cli_json_span_i64(value, value_out);
}

/* ---------------------------------------------------------------- building */

/* Children are kept in a list of the outermost object, which frees them and
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

/* What printf() made of a number, without the zeros that say nothing, and
 * with a point whatever the locale. */
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

/* Copies a text with each invalid byte replaced by U+FFFD, three for one. */
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
