/*
 * A writer that does what the Node package does, and no more: maps the log,
 * keeps its own cursor, stores, takes no lock, wakes nobody.  peer LOG
 *
 * Says "ready", then takes lines from standard input: "COUNT TEXT" commits
 * that many frames at once, each TEXT, a blank and a number that goes on from
 * line to line, and says "END", the offset of the end of what it committed.
 * The end of the input ends it.
 */
#include "campaign.h"

#include <stdatomic.h>
#include <sys/mman.h>

struct peer {
	unsigned char *base;
	uint64_t length;
	uint64_t cursor; /* its own: what others commit is not looked at */
	uint64_t number;
};

static void store_word(unsigned char *at, size_t word)
{
	at[0] = (unsigned char)(word & 0xff);
	at[1] = (unsigned char)(word >> 8);
}

static bool put(struct peer *peer, const char *text)
{
	char payload[4096];
	size_t size_bytes = (size_t)snprintf(
		payload, sizeof(payload), "%s %" PRIu64, text, peer->number++);
	size_t total = size_bytes + 4;
	unsigned char *frame = peer->base + peer->cursor;

	if (total > peer->length - peer->cursor)
		return false;
	store_word(frame, total);
	memcpy(frame + 2, payload, size_bytes);
	store_word(frame + total - 2, total);
	peer->cursor += total;
	return true;
}

static void publish(struct peer *peer)
{
	_Atomic uint64_t *size = (void *)(peer->base + 16);

	atomic_store_explicit(size, peer->cursor, memory_order_release);
}

static int serve(struct peer *peer)
{
	char line[2048];
	char text[2048];
	uint64_t count;

	printf("ready\n");
	while (fflush(stdout) == 0 &&
	       fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "%" SCNu64 " %2047s", &count, text) != 2)
			return 2;
		for (; count > 0; count--) {
			if (!put(peer, text))
				return 6;
		}
		publish(peer);
		printf("%" PRIu64 "\n", peer->cursor);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct peer peer = {0};
	struct stat file;

	if (argc != 2)
		return 2;
	int fd = open(argv[1], O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &file) != 0)
		return 4;
	peer.length = (uint64_t)file.st_size;
	void *base = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE,
	                  MAP_SHARED, fd, 0);

	close(fd);
	if (base == MAP_FAILED)
		return 4;
	peer.base = base;
	memcpy(&peer.cursor, peer.base + 16, sizeof(peer.cursor));
	return serve(&peer);
}
