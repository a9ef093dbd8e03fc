/* Reads records that are values of a type (--schema), in any format of
 * lines. */
#include "input_format.h"

#include "in_formats.h"
#include "typed.h"

#include <stdio.h>

/* The type's bound on JSON counts neither blanks between the parts of a value
 * nor escapes, so it is doubled. */
size_t cli_value_max(const struct cli_typed *typed)
{
	return CLI_RECORD_MAX_BYTES + 2 * (size_t)typed->type->json_bytes;
}

enum cli_split cli_value_split(const struct cli_input_format *format,
                               const struct cli_typed *typed,
                               const unsigned char *bytes, size_t size_bytes,
                               bool at_end, struct cli_record *record_out)
{
	return format->split(format, cli_value_max(typed), bytes, size_bytes,
	                     at_end, record_out);
}

enum cli_convert cli_value_convert(const struct cli_input_format *format,
                                   const struct cli_typed *typed,
                                   const struct cli_record *record,
                                   unsigned char *scratch,
                                   struct cli_payload *payload_out)
{
	enum cli_typed_form form = format->convert == cli_in_envelope_convert
	                                   ? CLI_TYPED_ENVELOPE
	                                   : CLI_TYPED_VALUE;
	struct cli_bendec_error error;

	if (cli_in_is_blank(record))
		return CLI_CONVERT_NOTHING;
	switch (cli_typed_read(typed, form, (const char *)record->bytes,
	                       record->size_bytes, scratch,
	                       &payload_out->size_bytes, &error)) {
	case CLI_TYPED_PLAIN:
		return cli_in_envelope_convert(record, scratch, payload_out);
	case CLI_TYPED_INVALID:
		(void)snprintf(payload_out->reason, sizeof(payload_out->reason),
		               "%s", error.text);
		return CLI_CONVERT_INVALID;
	default: payload_out->bytes = scratch; return CLI_CONVERT_PAYLOAD;
	}
}
