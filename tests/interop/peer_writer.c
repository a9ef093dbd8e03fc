/*
 * A writer that does what the Node package does, and no more: maps the whole
 * file MAP_SHARED, takes `size` once for its cursor, stores frames and then
 * `size`, takes no lock and wakes nobody.
 *
 *   peer_writer LOG WORD...
 *
 * The words are carried out one after the other:
 *
 *   capacity N         make the file if it is missing, N bytes long
 *   text TEXT          commit a frame with this payload
 *   write N SIZE US    commit N frames of SIZE bytes one by one, US
 *                      microseconds apart: a number, then 'x'
 *   batch N SIZE       the same N frames in one commit
 *   stamp N US         commit N frames that hold the time of their commit,
 *                      nanoseconds since the epoch
 *   leave SIZE         write a frame and never commit it
 *   size N             store N in the header, whatever is there
 *   say TEXT           print a line, once all before it is done
 *   wait               wait for a line on standard input
 *   hold               wait until killed
 *
 * Exit status 0; 1 when the log is exhausted; 2 for anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER_BYTES 24u
#define EXHAUSTED 1
#define FAILED 2

struct header {
	uint64_t header_size;
	uint64_t data_offset;
	_Atomic uint64_t size;
};

struct peer {
	const char *path;
	unsigned char *base; /* NULL before the file is open */
	uint64_t length;
	uint64_t cursor;  /* an offset; its own, whatever others commit */
	uint64_t pending; /* bytes behind the cursor that are not committed */
	uint64_t number;  /* of the next frame */
};

static void die(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

static void die(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("peer_writer: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(status);
}

static struct header *header_of(const struct peer *peer)
{
	return (struct header *)(void *)peer->base;
}

static int open_file(const char *path, uint64_t capacity)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (capacity > 0)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0664);
	if (fd < 0 || ftruncate(fd, (off_t)capacity) != 0)
		die(FAILED, "cannot open %s: %s", path, strerror(errno));
	return fd;
}

/* Opens and maps the log, and sets right whatever in its header makes no
 * sense, as the package does with any file that it opens for writing. */
static void attach(struct peer *peer, uint64_t capacity)
{
	struct stat file;
	int fd = open_file(peer->path, capacity);

	if (fstat(fd, &file) != 0 || file.st_size < (off_t)HEADER_BYTES)
		die(FAILED, "%s is no log", peer->path);
	peer->length = (uint64_t)file.st_size;
	peer->base = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE,
	                  MAP_SHARED, fd, 0);
	if (peer->base == MAP_FAILED)
		die(FAILED, "cannot map %s: %s", peer->path, strerror(errno));

	struct header *header = header_of(peer);

	if (header->header_size == 0 || header->header_size > peer->length)
		header->header_size = HEADER_BYTES;
	if (header->data_offset == 0 || header->data_offset > peer->length)
		header->data_offset = header->header_size;
	peer->cursor = atomic_load(&header->size);
	if (peer->cursor < header->data_offset || peer->cursor > peer->length) {
		peer->cursor = header->data_offset;
		atomic_store(&header->size, peer->cursor);
	}
}

/* Room for a payload.  A size over 65,531 wraps round in the size words. */
static unsigned char *allocate(struct peer *peer, uint64_t size_bytes)
{
	uint64_t start = peer->cursor + peer->pending;
	uint64_t total = size_bytes + 4;

	if (start > peer->length || total > peer->length - start)
		die(EXHAUSTED, "%s is exhausted", peer->path);

	unsigned char *frame = peer->base + start;

	frame[0] = frame[total - 2] = (unsigned char)total;
	frame[1] = frame[total - 1] = (unsigned char)(total >> 8);
	peer->pending += total;
	return frame + 2;
}

static void commit(struct peer *peer)
{
	peer->cursor += peer->pending;
	peer->pending = 0;
	atomic_store_explicit(&header_of(peer)->size, peer->cursor,
	                      memory_order_release);
}

static void put_text(struct peer *peer, const char *text)
{
	memcpy(allocate(peer, strlen(text)), text, strlen(text));
}

static void put_numbered(struct peer *peer, uint64_t size_bytes)
{
	char number[24];
	int length = snprintf(number, sizeof(number), "%" PRIu64,
	                      peer->number++);
	unsigned char *payload = allocate(peer, size_bytes);

	memset(payload, 'x', (size_t)size_bytes);
	memcpy(payload, number,
	       (uint64_t)length < size_bytes ? (size_t)length
	                                     : (size_t)size_bytes);
}

static void put_stamp(struct peer *peer)
{
	struct timespec now;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(text, sizeof(text), "%" PRIu64,
	         (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	put_text(peer, text);
}

static void pause_us(uint64_t us)
{
	struct timespec length = {.tv_sec = (time_t)(us / 1000000),
	                          .tv_nsec = (long)(us % 1000000 * 1000)};

	if (us > 0)
		nanosleep(&length, NULL);
}

/* The words that are left. */
struct words {
	char **next;
};

static const char *word(struct words *words)
{
	if (*words->next == NULL)
		die(FAILED, "a word is missing");
	return *words->next++;
}

static uint64_t number(struct words *words)
{
	const char *text = word(words);
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*text == '\0' || *end != '\0')
		die(FAILED, "%s is no number", text);
	return value;
}

static void write_frames(struct peer *peer, struct words *words)
{
	uint64_t count = number(words);
	uint64_t size_bytes = number(words);
	uint64_t us = number(words);

	for (; count > 0; count--) {
		put_numbered(peer, size_bytes);
		commit(peer);
		pause_us(us);
	}
}

static void write_batch(struct peer *peer, struct words *words)
{
	uint64_t count = number(words);
	uint64_t size_bytes = number(words);

	for (; count > 0; count--)
		put_numbered(peer, size_bytes);
	commit(peer);
}

static void write_stamps(struct peer *peer, struct words *words)
{
	uint64_t count = number(words);
	uint64_t us = number(words);

	for (; count > 0; count--) {
		put_stamp(peer);
		commit(peer);
		pause_us(us);
	}
}

static void wait_for_line(void)
{
	int byte;

	do
		byte = getchar();
	while (byte != '\n' && byte != EOF);
}

static void carry_out(struct peer *peer, const char *what, struct words *words)
{
	if (strcmp(what, "text") == 0) {
		put_text(peer, word(words));
		commit(peer);
	} else if (strcmp(what, "write") == 0) {
		write_frames(peer, words);
	} else if (strcmp(what, "batch") == 0) {
		write_batch(peer, words);
	} else if (strcmp(what, "stamp") == 0) {
		write_stamps(peer, words);
	} else if (strcmp(what, "leave") == 0) {
		put_numbered(peer, number(words));
	} else if (strcmp(what, "size") == 0) {
		atomic_store(&header_of(peer)->size, number(words));
	} else if (strcmp(what, "say") == 0) {
		puts(word(words));
		fflush(stdout);
	} else if (strcmp(what, "wait") == 0) {
		wait_for_line();
	} else if (strcmp(what, "hold") == 0) {
		for (;;)
			pause();
	} else {
		die(FAILED, "what is %s?", what);
	}
}

int main(int argc, char **argv)
{
	struct words words = {argv + 2};

	if (argc < 2)
		die(FAILED, "which log?");

	struct peer peer = {.path = argv[1]};

	while (*words.next != NULL) {
		const char *what = word(&words);

		if (strcmp(what, "capacity") == 0)
			attach(&peer, number(&words));
		else if (peer.base == NULL)
			attach(&peer, 0);
		if (strcmp(what, "capacity") != 0)
			carry_out(&peer, what, &words);
	}
	return 0;
}
