/* Reads frames as a log stores them, and checks both size words. */
#include "in_formats.h"

#include "input_format.h"

#include <shmlog.h>
#include <string.h>

enum cli_split cli_in_frames_split(const struct cli_input_format *format,
                                   size_t longest, const unsigned char *bytes,
                                   size_t size_bytes, bool at_end,
                                   struct cli_record *record_out)
{
	size_t total = SHMLOG_FRAME_OVERHEAD_BYTES;

	/* A size word cannot exceed the size of a frame. */
	(void)format;
	(void)longest;
	record_out->bytes = bytes;
	record_out->size_bytes = size_bytes;
	record_out->consumed = 0;
	if (size_bytes >= 2)
		total = (size_t)bytes[0] | (size_t)bytes[1] << 8;
	if (total < SHMLOG_FRAME_OVERHEAD_BYTES)
		return CLI_SPLIT_BROKEN;
	if (total > size_bytes || size_bytes < 2)
		return at_end ? CLI_SPLIT_CUT : CLI_SPLIT_MORE;
	if (memcmp(bytes, bytes + total - 2, 2) != 0)
		return CLI_SPLIT_BROKEN;
	record_out->bytes = bytes + 2;
	record_out->size_bytes = total - SHMLOG_FRAME_OVERHEAD_BYTES;
	record_out->consumed = total;
	return CLI_SPLIT_RECORD;
}

void cli_in_frames_frame(const struct cli_input_format *format,
                         const unsigned char *bytes, size_t size_bytes,
                         struct cli_framing *framing)
{
	(void)format;
	framing->count = shmlog_batch_add_frames(framing->batch, bytes,
	                                         size_bytes, framing->most,
	                                         &framing->consumed);
}
