/* Prints the records that were committed. */
#include "tee.h"

#include "input_format.h"

#include <errno.h>
#include <shmlog.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a file that are printed at a time: more than one frame has. */
#define CHUNK_BYTES ((size_t)256 << 10)

void cli_tee_init(struct cli_tee *tee, const struct cli_input_format *format)
{
	tee->wanted = true;
	tee->frames = strcmp(format->name, "frames") == 0;
	tee->delimiter = format->delimiter;
}

static size_t frame_bytes(const unsigned char *frame)
{
	return (size_t)(frame[0] | frame[1] << 8);
}

/* As many whole frames as there are; how many bytes of them. */
static size_t print_whole(const struct cli_tee *tee, struct cli_output *output,
                          const unsigned char *frames, size_t size_bytes)
{
	const char delimiter = (char)tee->delimiter;
	size_t at = 0, bytes;

	while (size_bytes - at >= SHMLOG_FRAME_OVERHEAD_BYTES &&
	       (bytes = frame_bytes(frames + at)) <= size_bytes - at) {
		if (!tee->frames) {
			cli_output_bytes(output, frames + at + 2,
			                 bytes - SHMLOG_FRAME_OVERHEAD_BYTES);
			if (tee->delimiter != CLI_NO_DELIMITER)
				cli_output_bytes(output, &delimiter, 1);
		}
		at += bytes;
	}
	if (tee->frames)
		cli_output_bytes(output, frames, at);
	return at;
}

void cli_tee_print(const struct cli_tee *tee, struct cli_output *output,
                   const unsigned char *frames, size_t size_bytes)
{
	(void)print_whole(tee, output, frames, size_bytes);
}

int cli_tee_print_file(const struct cli_tee *tee, struct cli_output *output,
                       int fd, uint64_t size_bytes)
{
	unsigned char *chunk = malloc(CHUNK_BYTES);
	uint64_t at = 0;
	int status = chunk != NULL ? 0 : -ENOMEM;

	while (status == 0 && at < size_bytes && output->error == 0) {
		uint64_t left = size_bytes - at;
		ssize_t got = pread(fd, chunk,
		                    left < CHUNK_BYTES ? (size_t)left
		                                       : CHUNK_BYTES,
		                    (off_t)at);
		size_t printed = 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got > 0)
			printed = print_whole(tee, output, chunk, (size_t)got);
		if (printed == 0)
			status = got < 0 ? -errno : -EIO;
		at += printed;
	}
	free(chunk);
	return status;
}
