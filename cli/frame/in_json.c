/* Reads lines of JSON: each is checked, and stored unchanged. */
#include "in_formats.h"

#include "json_check.h"

#include <stdio.h>
#include <string.h>

bool cli_in_is_blank(const struct cli_record *record)
{
	for (size_t i = 0; i < record->size_bytes; i++) {
		if (strchr(" \t\r\n", record->bytes[i]) == NULL ||
		    record->bytes[i] == '\0')
			return false;
	}
	return true;
}

enum cli_convert cli_in_json_convert(const struct cli_record *record,
                                     unsigned char *scratch,
                                     struct cli_payload *payload_out)
{
	struct cli_json_error error;

	(void)scratch;
	if (cli_in_is_blank(record))
		return CLI_CONVERT_NOTHING;
	if (cli_json_check((const char *)record->bytes, record->size_bytes,
	                   &error))
		return CLI_CONVERT_PAYLOAD;
	(void)snprintf(payload_out->reason, sizeof(payload_out->reason),
	               "not JSON: %s at byte %zu", error.reason,
	               error.offset + 1);
	return CLI_CONVERT_INVALID;
}

static bool is_json(const unsigned char *bytes, size_t size_bytes)
{
	struct cli_json_error error;

	return cli_json_check((const char *)bytes, size_bytes, &error);
}

void cli_in_json_frame(const struct cli_input_format *format,
                       const unsigned char *bytes, size_t size_bytes,
                       struct cli_framing *framing)
{
	cli_in_accepted_frame(format, is_json, bytes, size_bytes, framing);
}
