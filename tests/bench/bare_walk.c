/*
 * The bare work of `verify` and `stat`: bare_walk LOG walks over the frames
 * from both ends at once, with a thread for each walk, compares both size words
 * of each, and prints how many there are.  Each walk takes one half of the
 * bytes, however far the other is.
 */
#include "measure.h"

#include <pthread.h>

/* Bytes that stay in a cache of the second level until they are walked over. */
#define BLOCK_BYTES ((size_t)256 << 10)

static int fd;
static uint64_t start, middle, end; /* offsets in the file */

struct walk {
	uint64_t at;
	uint64_t frames;
	unsigned char bytes[BLOCK_BYTES];
};

static struct walk up, down;

static inline uint32_t load(const unsigned char *at)
{
	uint16_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static void fetch(void *bytes, size_t count, uint64_t offset)
{
	if (pread(fd, bytes, count, (off_t)offset) != (ssize_t)count)
		die("cannot read: %s", strerror(errno));
}

static void require(bool good)
{
	if (!good)
		die("damage");
}

static void walk_up(void)
{
	while (up.at < middle) {
		uint64_t left = end - up.at;
		size_t held = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
		const unsigned char *bytes = up.bytes;

		fetch(up.bytes, held, up.at);
		while (held >= 4 && up.at < middle) {
			uint32_t total = load(bytes);

			require(total >= 4);
			if (total > held)
				break;
			require(load(bytes + total - 2) == total);
			bytes += total;
			held -= total;
			up.at += total;
			up.frames++;
		}
		require(bytes > up.bytes);
	}
}

static void *walk_down(void *context)
{
	while (down.at > middle) {
		uint64_t left = down.at - start;
		size_t held = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
		bool passed = false;

		fetch(down.bytes, held, down.at - held);
		while (held >= 4) {
			uint32_t total = load(down.bytes + held - 2);

			require(total >= 4);
			if (total > held)
				break;
			if (down.at - total < middle)
				return context;
			require(load(down.bytes + held - total) == total);
			held -= total;
			down.at -= total;
			down.frames++;
			passed = true;
		}
		require(passed);
	}
	return context;
}

int main(int argc, char **argv)
{
	uint64_t header[3];
	pthread_t thread;

	fd = open(argc > 1 ? argv[1] : "", O_RDONLY);
	if (fd < 0)
		die("%s: no log", argc > 1 ? argv[1] : "");
	fetch(header, sizeof(header), 0);
	start = header[1];
	end = header[2];
	middle = start + (end - start) / 2;
	up.at = start;
	down.at = end;
	if (pthread_create(&thread, NULL, walk_down, NULL) != 0)
		die("no thread");
	walk_up();
	pthread_join(thread, NULL);
	require(up.at == down.at);
	printf("%" PRIu64 "\n", up.frames + down.frames);
	return 0;
}
