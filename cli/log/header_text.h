/* What is wrong with a header, in words. */
#ifndef CLI_HEADER_TEXT_H
#define CLI_HEADER_TEXT_H

#include <shmlog.h>
#include <stdbool.h>

/* What is wrong with a header ("size 99999 lies beyond the file's 65536
 * bytes"), in the caller's buffer.  Returns the buffer. */
struct cli_header_text {
	char text[256];
};
const char *cli_describe_header(struct cli_header_text *buffer, int status,
                                const struct shmlog_header *header);

/* Whether a status says that a header is bad. */
bool cli_is_header_status(int status);

#endif
