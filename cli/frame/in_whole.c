/* Reads the whole of an input as one record. */
#include "in_formats.h"

enum cli_split cli_in_whole_split(const struct cli_input_format *format,
                                  size_t longest, const unsigned char *bytes,
                                  size_t size_bytes, bool at_end,
                                  struct cli_record *record_out)
{
	(void)format;
	record_out->bytes = bytes;
	record_out->size_bytes = size_bytes;
	record_out->consumed = at_end ? size_bytes : 0;
	if (size_bytes > longest)
		return CLI_SPLIT_TOO_LONG;
	return at_end ? CLI_SPLIT_RECORD : CLI_SPLIT_MORE;
}
