/*
 * The bare work of `append`: bare_append LOG makes each line of standard input
 * a frame.  Looks for no other writer, takes no lock, checks nothing, and every
 * line has to have its newline.
 */
#include "bare.h"

static unsigned char input[FRAME_BYTES + BLOCK_BYTES];
static unsigned char frames[4 * sizeof(input)];

#ifdef BARE_AVX2
/* Copies the start of a line until 32 bytes hold its newline; how long it is,
 * or as far as there were 32 bytes. */
BARE_AVX2 static size_t copy_line(unsigned char *out, const unsigned char *line,
                                  size_t bytes)
{
	size_t at = 0;

	for (; bytes - at >= 32; at += 32) {
		__m256i part = _mm256_loadu_si256((const void *)(line + at));
		unsigned found = (unsigned)_mm256_movemask_epi8(
			_mm256_cmpeq_epi8(part, _mm256_set1_epi8('\n')));

		_mm256_storeu_si256((void *)(out + at), part);
		if (found != 0)
			return at + (size_t)__builtin_ctz(found);
	}
	return at;
}
#else
static size_t copy_line(unsigned char *out, const unsigned char *line,
                        size_t bytes)
{
	const unsigned char *end = memchr(line, '\n', bytes);

	memcpy(out, line, end != NULL ? (size_t)(end - line) : 0);
	return end != NULL ? (size_t)(end - line) : 0;
}
#endif

/* Frames the lines that are whole; how many bytes they have. */
static size_t frame_lines(size_t bytes, size_t *used_out)
{
	unsigned char *out = frames;
	size_t at = 0;

	while (at < bytes) {
		size_t length = copy_line(out + 2, input + at, bytes - at);

		while (at + length < bytes && input[at + length] != '\n') {
			out[2 + length] = input[at + length];
			length++;
		}
		if (at + length == bytes)
			break;
		uint16_t total = (uint16_t)(length + 4);

		memcpy(out, &total, 2);
		memcpy(out + 2 + length, &total, 2);
		out += total;
		at += length + 1;
	}
	*used_out = (size_t)(out - frames);
	return at;
}

int main(int argc, char **argv)
{
	int fd;
	struct bare_header *log = bare_map(argc > 1 ? argv[1] : "", false, &fd);
	size_t held = 0, used;
	ssize_t got;

#ifdef F_SETPIPE_SZ
	(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, 1 << 20);
#endif
	while ((got = read(STDIN_FILENO, input + held, BLOCK_BYTES)) > 0) {
		held += (size_t)got;
		size_t taken = frame_lines(held, &used);
		uint64_t size = atomic_load(&log->size);

		if (pwrite(fd, frames, used, (off_t)size) != (ssize_t)used)
			die("cannot write: %s", strerror(errno));
		atomic_store_explicit(&log->size, size + used,
		                      memory_order_release);
		memmove(input, input + taken, held - taken);
		held -= taken;
	}
	return got == 0 && held == 0 ? 0 : 1;
}
