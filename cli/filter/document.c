/* Reads the JSON that frames hold. */
#include "document.h"

#include "command.h"
#include "failure.h"
#include "json_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_document_init(struct cli_document *document,
                      const struct cli_typed *typed)
{
	*document = (struct cli_document){.typed = typed};
	if (typed->type == NULL) {
		document->copy = malloc(SHMLOG_PAYLOAD_MAX_BYTES + 1);
		if (document->copy != NULL)
			return CLI_OK;
	} else if (cli_output_init_memory(&document->value) == 0) {
		document->has_value = true;
		return CLI_OK;
	}
	return cli_fail(NULL, "cannot look into frames", -ENOMEM);
}

void cli_document_release(struct cli_document *document)
{
	if (document->has_value)
		cli_output_release(&document->value);
	document->has_value = false;
	free(document->copy);
	document->copy = NULL;
}

static bool no_value(struct cli_bendec_error *error, const char *reason)
{
	error->failure = CLI_BENDEC_MISMATCH;
	(void)snprintf(error->text, sizeof(error->text), "%s", reason);
	return false;
}

static bool read_value(struct cli_document *document,
                       const struct shmlog_frame *frame,
                       struct cli_value *value_out,
                       struct cli_bendec_error *error_out)
{
	const struct cli_bendec_type *type;

	document->value.used = 0;
	document->value.error = 0;
	type = cli_typed_match(document->typed, frame, error_out);
	if (type == NULL)
		return false;
	cli_typed_print(document->typed, type, &document->value, frame, '\n');
	if (document->value.error != 0)
		return no_value(error_out, "its JSON is too long");
	*value_out = cli_value_of_text((const char *)document->value.buffer,
	                               document->value.used - 1);
	return true;
}

bool cli_document_read(struct cli_document *document,
                       const struct shmlog_frame *frame,
                       struct cli_value *value_out,
                       struct cli_bendec_error *error_out)
{
	struct cli_json_error error;

	if (document->typed->type != NULL)
		return read_value(document, frame, value_out, error_out);
	memcpy(document->copy, frame->payload, frame->size_bytes);
	document->copy[frame->size_bytes] = '\n';
	if (!cli_json_check((const char *)document->copy, frame->size_bytes,
	                    &error)) {
		(void)no_value(error_out, "");
		(void)snprintf(error_out->text, sizeof(error_out->text),
		               "%s at byte %zu", error.reason,
		               error.offset + 1);
		return false;
	}
	*value_out = cli_value_of_text((const char *)document->copy,
	                               frame->size_bytes);
	return true;
}

bool cli_document_is_short(const struct cli_document *document)
{
	return document->value.error != 0;
}
