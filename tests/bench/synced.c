/*
 * The bare loop that append --sync --ack is measured against: reads lines and
 * writes them to a file with their space reserved, so many at a time, each time
 * with a sync behind the write:
 *
 *   synced FILE LINES < INPUT > ACKNOWLEDGEMENTS
 *
 * FILE exists and is long enough.  A line behind each sync says how far it is
 * on the disk, as --ack does.  The loop frames nothing and publishes nothing, so
 * that it is what any program has to pay that may not lose what it has
 * acknowledged.
 */
#include "measure.h"

#define BUFFER_BYTES (1u << 20)
#define FIRST_BYTE 24u

static char buffer[BUFFER_BYTES];

/* The bytes of so many lines; 0 if they are not all there. */
static size_t batch_bytes(const char *text, size_t held, uint64_t lines)
{
	size_t at = 0;

	for (uint64_t n = 0; n < lines; n++) {
		const char *end = memchr(text + at, '\n', held - at);

		if (end == NULL)
			return 0;
		at = (size_t)(end - text) + 1;
	}
	return at;
}

/* Writes a batch, and says so once it is on the disk. */
static uint64_t write_batch(int fd, const char *text, size_t bytes, uint64_t at)
{
	char line[64];

	if (pwrite(fd, text, bytes, (off_t)at) != (ssize_t)bytes)
		die("cannot write: %s", strerror(errno));
	if (fdatasync(fd) != 0)
		die("cannot sync: %s", strerror(errno));
	int length = snprintf(line, sizeof(line), "%" PRIu64 "\n", at + bytes);

	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		die("standard output: %s", strerror(errno));
	return at + bytes;
}

int main(int argc, char **argv)
{
	size_t used = 0;
	uint64_t at = FIRST_BYTE;
	ssize_t got;

	if (argc != 3)
		die("usage: synced FILE LINES");
	uint64_t lines = number(argv[2]);
	int fd = open(argv[1], O_WRONLY | O_CLOEXEC);

	if (fd < 0 || lines == 0)
		die("%s: %s", argv[1], fd < 0 ? strerror(errno) : "no lines");
	while ((got = read(STDIN_FILENO, buffer + used,
	                   sizeof(buffer) - used)) > 0) {
		size_t done = 0;
		size_t bytes;

		used += (size_t)got;
		while ((bytes = batch_bytes(buffer + done, used - done,
		                            lines)) > 0) {
			at = write_batch(fd, buffer + done, bytes, at);
			done += bytes;
		}
		memmove(buffer, buffer + done, used - done);
		used -= done;
		if (used == sizeof(buffer))
			die("a batch of more than %u bytes", BUFFER_BYTES);
	}
	if (used > 0)
		write_batch(fd, buffer, used, at);
	return 0;
}
