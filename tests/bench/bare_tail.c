/*
 * The bare work of `tail -n N`: bare_tail LOG N reads the end of a log, goes
 * back over N frames by their last size words, and prints their payloads as
 * lines.  Needs no library but that of C.  All it prints has to be in the last
 * 64 KiB.
 */
#include "measure.h"

static unsigned char bytes[64 << 10];
static unsigned char lines[sizeof(bytes)];

static uint32_t load(const unsigned char *at)
{
	uint16_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

int main(int argc, char **argv)
{
	uint64_t header[3];
	int fd = open(argc > 1 ? argv[1] : "", O_RDONLY);
	long left = argc > 2 ? strtol(argv[2], NULL, 10) : 10;

	if (fd < 0 || pread(fd, header, sizeof(header), 0) != sizeof(header))
		die("%s: no log", argc > 1 ? argv[1] : "");
	uint64_t all = header[2] - header[1];
	size_t held = all < sizeof(bytes) ? (size_t)all : sizeof(bytes);
	size_t at = held, used = 0;

	if (pread(fd, bytes, held, (off_t)(header[2] - held)) != (ssize_t)held)
		die("cannot read: %s", strerror(errno));
	while (left-- > 0 && at > 4) {
		uint32_t total = load(bytes + at - 2);

		if (total < 4 || total > at ||
		    load(bytes + at - total) != total)
			die("damage");
		at -= total;
	}
	while (at < held) {
		uint32_t total = load(bytes + at);

		memcpy(lines + used, bytes + at + 2, total - 4);
		used += total - 4;
		lines[used++] = '\n';
		at += total;
	}
	return write(STDOUT_FILENO, lines, used) == (ssize_t)used ? 0 : 1;
}
