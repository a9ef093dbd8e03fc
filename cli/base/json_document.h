/* Reading small JSON objects. */
#ifndef CLI_JSON_DOCUMENT_H
#define CLI_JSON_DOCUMENT_H

#include "json_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The members of a small JSON object, such as a cursor file. */
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
