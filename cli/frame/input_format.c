/* Holds the list of input formats, and dispatches to their functions. */
#include "input_format.h"

#include "in_formats.h"

#include <shmlog.h>
#include <stdio.h>
#include <string.h>

/* A payload with its delimiter is this many bytes shorter than its frame. */
#define DELIMITED_SURPLUS (SHMLOG_FRAME_OVERHEAD_BYTES - 1)

const struct cli_input_format cli_input_formats[] = {
	{.name = "lines",
         .noun = "line",
         .delimiter = '\n',
         .longest = SHMLOG_PAYLOAD_MAX_BYTES,
         .surplus = DELIMITED_SURPLUS,
         .values = true,
         .messages = true,
         .split = cli_in_delimited_split,
         .frame = cli_in_delimited_frame},
	{.name = "nul",
         .noun = "record",
         .delimiter = '\0',
         .longest = SHMLOG_PAYLOAD_MAX_BYTES,
         .surplus = DELIMITED_SURPLUS,
         .values = true,
         .messages = true,
         .split = cli_in_delimited_split,
         .frame = cli_in_delimited_frame},
	{.name = "json",
         .noun = "line",
         .delimiter = '\n',
         .longest = SHMLOG_PAYLOAD_MAX_BYTES,
         .surplus = DELIMITED_SURPLUS,
         .values = true,
         .messages = true,
         .split = cli_in_delimited_split,
         .convert = cli_in_json_convert,
         .frame = cli_in_json_frame},
	{.name = "envelope",
         .noun = "line",
         .delimiter = '\n',
         .longest = CLI_RECORD_MAX_BYTES,
         .surplus = DELIMITED_SURPLUS,
         .values = true,
         .messages = true,
         .split = cli_in_delimited_split,
         .convert = cli_in_envelope_convert},
	{.name = "frames",
         .noun = "frame",
         .delimiter = CLI_NO_DELIMITER,
         .longest = SHMLOG_PAYLOAD_MAX_BYTES,
         .surplus = 0,
         .split = cli_in_frames_split,
         .frame = cli_in_frames_frame},
	{.name = "whole",
         .noun = "input",
         .delimiter = CLI_NO_DELIMITER,
         .longest = SHMLOG_PAYLOAD_MAX_BYTES,
         .surplus = SHMLOG_FRAME_OVERHEAD_BYTES,
         .whole = true,
         .values = true,
         .messages = true,
         .split = cli_in_whole_split},
	{.name = NULL},
};

const struct cli_input_format cli_input_messages = {
	.noun = "message",
	.delimiter = '\0',
	.longest = SHMLOG_PAYLOAD_MAX_BYTES,
	.surplus = DELIMITED_SURPLUS,
	.split = cli_in_delimited_split,
};

const struct cli_input_format *cli_input_format_find(const char *name)
{
	for (size_t i = 0; cli_input_formats[i].name != NULL; i++) {
		if (strcmp(name, cli_input_formats[i].name) == 0)
			return &cli_input_formats[i];
	}
	return NULL;
}

const char *cli_input_format_names(struct cli_input_names *names)
{
	size_t used = 0;

	names->text[0] = '\0';
	for (size_t i = 0; cli_input_formats[i].name != NULL; i++) {
		bool is_last = cli_input_formats[i + 1].name == NULL;

		used += (size_t)snprintf(names->text + used,
		                         sizeof(names->text) - used, "%s%s",
		                         i == 0    ? ""
		                         : is_last ? " or "
		                                   : ", ",
		                         cli_input_formats[i].name);
	}
	return names->text;
}

enum cli_split cli_record_split(const struct cli_input_format *format,
                                const unsigned char *bytes, size_t size_bytes,
                                bool at_end, struct cli_record *record_out)
{
	return format->split(format, format->longest, bytes, size_bytes, at_end,
	                     record_out);
}

bool cli_record_find_end(const struct cli_input_format *format,
                         const unsigned char *bytes, size_t size_bytes,
                         size_t *bytes_out)
{
	const unsigned char *found = NULL;

	if (format->delimiter != CLI_NO_DELIMITER)
		found = memchr(bytes, format->delimiter, size_bytes);
	*bytes_out = found != NULL ? (size_t)(found - bytes) + 1 : size_bytes;
	return found != NULL;
}

enum cli_convert cli_record_convert(const struct cli_input_format *format,
                                    const struct cli_record *record,
                                    unsigned char *scratch,
                                    struct cli_payload *payload_out)
{
	payload_out->bytes = record->bytes;
	payload_out->size_bytes = record->size_bytes;
	return format->convert == NULL
	               ? CLI_CONVERT_PAYLOAD
	               : format->convert(record, scratch, payload_out);
}

void cli_records_frame(const struct cli_input_format *format,
                       const unsigned char *bytes, size_t size_bytes,
                       struct cli_framing *framing)
{
	if (format->frame != NULL)
		format->frame(format, bytes, size_bytes, framing);
}

static void offer_formats(struct cli_completion *completion)
{
	const struct cli_input_format *format = cli_input_formats;

	for (; format->name != NULL; format++)
		cli_offer(completion, format->name, NULL);
}

const struct cli_argument_kind cli_takes_input_format = {
	.offer = offer_formats};
