/*
 * Makes input, the same every time: lines COUNT prints that many JSON lines
 * of about 119 bytes; lines COUNT BYTES prints lines of BYTES bytes and a
 * newline.
 */
#include "measure.h"

#define BUFFER_BYTES (1u << 17)
#define MOST_LINE_BYTES 66000

static char buffer[BUFFER_BYTES];
static size_t used;

static void flush_lines(void)
{
	for (size_t at = 0; at < used;) {
		ssize_t put = write(STDOUT_FILENO, buffer + at, used - at);

		if (put < 0)
			die("standard output: %s", strerror(errno));
		at += (size_t)put;
	}
	used = 0;
}

static uint64_t scramble(uint64_t value)
{
	value = (value ^ (value >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ (value >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	return value ^ (value >> 32);
}

/* What services say: numbers, names, a nested object, text to be skipped over
 * and now and then an escape or a letter beyond ASCII. */
static size_t json_line(char *line, uint64_t n)
{
	static const char *const kinds[] = {"order", "trade", "quote",
	                                    "heartbeat"};
	static const char *const texts[] = {"accepted", "filled in part",
	                                    "rejected: \\\"limit\\\"",
	                                    "na\xc3\xafve caf\xc3\xa9", ""};
	uint64_t luck = scramble(n + 1);

	return (size_t)sprintf(
		line,
		"{\"id\":%" PRIu64 ",\"time\":%" PRIu64
		",\"kind\":\"%s\",\"price\":%" PRIu64 ".%02" PRIu64
		",\"from\":{\"host\":\"h%" PRIu64
		"\"},\"live\":%s,\"text\":\"%s\"}\n",
		n, 1700000000000 + n * 37, kinds[luck % 4], luck / 4 % 90000,
		luck / 7 % 100, luck / 11 % 256,
		luck % 3 == 0 ? "true" : "false", texts[luck / 17 % 5]);
}

static size_t plain_line(char *line, uint64_t n, size_t bytes)
{
	memset(line, 'a' + (int)(n % 26), bytes);
	line[bytes] = '\n';
	return bytes + 1;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3)
		die("usage: lines COUNT [BYTES]");

	uint64_t count = number(argv[1]);
	size_t bytes = argc > 2 ? number(argv[2]) : 0;

	if (bytes >= MOST_LINE_BYTES)
		die("a line of %zu bytes is too long", bytes);
	for (uint64_t n = 0; n < count; n++) {
		if (used > BUFFER_BYTES - MOST_LINE_BYTES)
			flush_lines();
		used += argc > 2 ? plain_line(buffer + used, n, bytes)
		                 : json_line(buffer + used, n);
	}
	flush_lines();
	return 0;
}
