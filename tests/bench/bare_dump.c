/*
 * The bare work of `dump`: bare_dump LOG prints the payload of each frame and a
 * newline.  Checks nothing: a bad frame may crash it.
 */
#include "bare.h"

#define STEP_BYTES 32u

static unsigned char lines[BLOCK_BYTES + FRAME_BYTES + STEP_BYTES];

/* Copies in steps that go beyond the end; so the last frames of a log, whose
 * steps may leave its mapping, go byte by byte. */
#ifdef BARE_AVX2
BARE_AVX2
#endif
static size_t print_frames(const unsigned char **at, const unsigned char *end)
{
	unsigned char *out = lines;

	while (*at < end && out < lines + BLOCK_BYTES) {
		uint16_t total;

		memcpy(&total, *at, 2);
		size_t bytes = total - (size_t)4;
		bool last = (size_t)(end - *at) < total + (size_t)STEP_BYTES;

		if (last)
			memcpy(out, *at + 2, bytes);
		for (size_t i = 0; i < bytes && !last; i += STEP_BYTES)
			memcpy(out + i, *at + 2 + i, STEP_BYTES);
		out += bytes;
		*out++ = '\n';
		*at += total;
	}
	return (size_t)(out - lines);
}

int main(int argc, char **argv)
{
	int fd;
	struct bare_header *log = bare_map(argc > 1 ? argv[1] : "", true, &fd);
	const unsigned char *at = (const unsigned char *)log + log->data_offset;
	const unsigned char *end = (const unsigned char *)log + log->size;

#ifdef F_SETPIPE_SZ
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
#endif
	while (at < end) {
		size_t bytes = print_frames(&at, end);

		for (size_t done = 0; done < bytes;) {
			ssize_t put = write(STDOUT_FILENO, lines + done,
			                    bytes - done);

			if (put < 0)
				die("cannot write: %s", strerror(errno));
			done += (size_t)put;
		}
	}
	return 0;
}
