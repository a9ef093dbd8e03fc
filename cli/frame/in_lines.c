/* Splits records that end in a delimiter, and frames many at once. */
#include "in_formats.h"

#include "input_format.h"

#include <shmlog.h>
#include <string.h>

enum cli_split cli_in_delimited_split(const struct cli_input_format *format,
                                      size_t longest,
                                      const unsigned char *bytes,
                                      size_t size_bytes, bool at_end,
                                      struct cli_record *record_out)
{
	const unsigned char *found = memchr(bytes, format->delimiter,
	                                    size_bytes);
	size_t length = found != NULL ? (size_t)(found - bytes) : size_bytes;

	record_out->bytes = bytes;
	record_out->size_bytes = length;
	record_out->consumed = found != NULL ? length + 1 : 0;
	if (found == NULL && at_end)
		record_out->consumed = length;
	if (length > longest)
		return CLI_SPLIT_TOO_LONG;
	return record_out->consumed > 0 ? CLI_SPLIT_RECORD : CLI_SPLIT_MORE;
}

void cli_in_accepted_frame(const struct cli_input_format *format,
                           bool (*accepts)(const unsigned char *bytes,
                                           size_t size_bytes),
                           const unsigned char *bytes, size_t size_bytes,
                           struct cli_framing *framing)
{
	const unsigned char *at = bytes;
	const unsigned char *end = bytes + size_bytes;
	const int delimiter = format->delimiter;

	while (at < end && framing->count < framing->most) {
		const unsigned char *found = memchr(at, delimiter,
		                                    (size_t)(end - at));
		size_t length = found != NULL ? (size_t)(found - at) : SIZE_MAX;

		if (length > SHMLOG_PAYLOAD_MAX_BYTES ||
		    (accepts != NULL && !accepts(at, length)) ||
		    shmlog_batch_add(framing->batch, at, length) != 0)
			break;
		framing->count++;
		at += length + 1;
	}
	framing->consumed = (size_t)(at - bytes);
}

void cli_in_delimited_frame(const struct cli_input_format *format,
                            const unsigned char *bytes, size_t size_bytes,
                            struct cli_framing *framing)
{
	framing->count = shmlog_batch_add_records(
		framing->batch, bytes, size_bytes,
		(unsigned char)format->delimiter, framing->most,
		&framing->consumed);
}
