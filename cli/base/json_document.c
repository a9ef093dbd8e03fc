/* Reads the members of small JSON objects, such as cursor files. */
#include "json_document.h"

#include "json_scan.h"

#include <stdlib.h>
#include <string.h>

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
	if (!cli_json_begin_object(&scan, text, size_bytes)) {
		(void)cli_json_refuse(error_out, 0, "expected an object");
		return NULL;
	}
	document = malloc(sizeof(*document) + size_bytes);
	if (document == NULL) {
		(void)cli_json_refuse(error_out, 0, "not enough memory");
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
	struct cli_json_member member;
	struct cli_json_scan scan;
	bool found = false;

	(void)cli_json_begin_object(&scan, document->text,
	                            document->size_bytes);
	while (cli_json_take_member(&scan, &member)) {
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
