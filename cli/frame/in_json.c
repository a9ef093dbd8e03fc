/* Reads lines of JSON: each is checked, and stored unchanged. */
#include "in_formats.h"

#include "in_json_quick.h"
#include "input_format.h"
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

/* Lines that are framed one by one where one is not that quick: its neighbours
 * may be like it. */
#define ODD_LINES 16u

/* Frames lines as long as they are quick to check. */
static void frame_quick_lines(const struct cli_input_format *format,
                              const unsigned char *bytes, size_t size_bytes,
                              struct cli_framing *framing)
{
	uint64_t found, framed;

	do {
		const unsigned char *at = bytes + framing->consumed;
		size_t used = 0;
		size_t found_bytes = cli_in_json_pass(
			at, size_bytes - framing->consumed,
			framing->most - framing->count, &found);

		framed = shmlog_batch_add_records(
			framing->batch, at, found_bytes,
			(unsigned char)format->delimiter, found, &used);
		framing->count += framed;
		framing->consumed += used;
	} while (found > 0 && framed == found);
}

/* Frames some lines behind those that are framed; false if it is none. */
static bool frame_odd_lines(const struct cli_input_format *format,
                            const unsigned char *bytes, size_t size_bytes,
                            struct cli_framing *framing)
{
	struct cli_framing odd = {.batch = framing->batch,
	                          .most = framing->most - framing->count};

	if (odd.most > ODD_LINES)
		odd.most = ODD_LINES;
	cli_in_accepted_frame(format, is_json, bytes + framing->consumed,
	                      size_bytes - framing->consumed, &odd);
	framing->count += odd.count;
	framing->consumed += odd.consumed;
	return odd.count > 0;
}

void cli_in_json_frame(const struct cli_input_format *format,
                       const unsigned char *bytes, size_t size_bytes,
                       struct cli_framing *framing)
{
	do
		frame_quick_lines(format, bytes, size_bytes, framing);
	while (frame_odd_lines(format, bytes, size_bytes, framing));
}
