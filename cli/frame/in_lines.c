/* Splits records that end in a delimiter, and frames many at once. */
#include "in_formats.h"

#include "input_format.h"
#include "wide_copy.h"

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

	while (at < end && cli_framing_goes_on(framing)) {
		const unsigned char *found = memchr(at, delimiter,
		                                    (size_t)(end - at));
		size_t length = found != NULL ? (size_t)(found - at) : SIZE_MAX;

		if (length > SHMLOG_PAYLOAD_MAX_BYTES ||
		    (accepts != NULL && !accepts(at, length)))
			break;
		framing->used += shmlog_frame_encode(
			framing->frames + framing->used, at, length);
		framing->count++;
		at += length + 1;
	}
	framing->consumed = (size_t)(at - bytes);
}

static void put_word(unsigned char *at, size_t word)
{
	at[0] = (unsigned char)(word & 0xff);
	at[1] = (unsigned char)(word >> 8);
}

/* Looks for the delimiter and copies in one pass. */
void cli_in_delimited_frame(const struct cli_input_format *format,
                            const unsigned char *bytes, size_t size_bytes,
                            struct cli_framing *framing)
{
	const unsigned char *at = bytes;
	const unsigned char *end = bytes + size_bytes;
	const unsigned char delimiter = (unsigned char)format->delimiter;

	while (at < end && cli_framing_goes_on(framing)) {
		unsigned char *frame = framing->frames + framing->used;
		size_t most = (size_t)(end - at);
		size_t length;

		if (most > SHMLOG_PAYLOAD_MAX_BYTES + 1)
			most = SHMLOG_PAYLOAD_MAX_BYTES + 1;
		length = cli_copy_until(frame + 2, at, most, delimiter);
		if (length == most)
			break;
		put_word(frame, length + SHMLOG_FRAME_OVERHEAD_BYTES);
		put_word(frame + 2 + length,
		         length + SHMLOG_FRAME_OVERHEAD_BYTES);
		framing->used += length + SHMLOG_FRAME_OVERHEAD_BYTES;
		framing->count++;
		at += length + 1;
	}
	framing->consumed = (size_t)(at - bytes);
}
