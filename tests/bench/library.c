/*
 * The library against a loop written by hand for the one purpose:
 *
 *   library WORK LOG COUNT BYTES [faulted]
 *
 * Writes COUNT frames of BYTES bytes to an empty log with a commit each, or
 * reads as many.  WORK is write or read, by the functions that are inlined, or
 * one of these with another way behind it: write-batches has a commit for 64
 * frames; write-calls, read-calls and read-batches call the library;
 * write-loop, write-batches-loop and read-loop do it by hand.  `faulted`: every
 * page is mapped before the clock starts.  Prints the nanoseconds that it took,
 * without opening and closing.
 */
#include "mapped.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MOST_PAYLOAD_BYTES SHMLOG_PAYLOAD_MAX_BYTES
#define BATCH 64

struct work {
	const char *path;
	uint64_t count;
	size_t bytes;
	bool faulted;
};

static unsigned char payload[MOST_PAYLOAD_BYTES];
/* What was read must be wanted by someone, or it would not be read. */
static volatile uint64_t wanted;

/* ------------------------------------------------------------ the library */

typedef void write_fn(const struct work *work, struct shmlog_writer *writer);

static void write_by_calls(const struct work *work,
                           struct shmlog_writer *writer)
{
	unsigned char *to;

	for (uint64_t n = 0; n < work->count; n++) {
		check(shmlog_writer_allocate(writer, work->bytes, &to),
		      work->path);
		memcpy(to, payload, work->bytes);
		check(shmlog_writer_commit(writer), work->path);
	}
}

static void write_inline(const struct work *work, struct shmlog_writer *writer)
{
	struct shmlog_fast_writer *fast = shmlog_writer_fast(writer);
	unsigned char *to;

	for (uint64_t n = 0; n < work->count; n++) {
		check(shmlog_fast_allocate(fast, work->bytes, &to), work->path);
		memcpy(to, payload, work->bytes);
		check(shmlog_fast_commit(fast), work->path);
	}
}

/* Many frames for each commit. */
static void write_batches(const struct work *work, struct shmlog_writer *writer)
{
	struct shmlog_fast_writer *fast = shmlog_writer_fast(writer);
	unsigned char *to;

	for (uint64_t n = 0; n < work->count; n++) {
		check(shmlog_fast_allocate(fast, work->bytes, &to), work->path);
		memcpy(to, payload, work->bytes);
		if (n % BATCH == BATCH - 1)
			check(shmlog_fast_commit(fast), work->path);
	}
	check(shmlog_fast_commit(fast), work->path);
}

static int64_t library_write(const struct work *work, write_fn *write_all)
{
	struct shmlog *log;
	struct shmlog_writer *writer;

	check(shmlog_open(work->path, &log), work->path);
	check(shmlog_writer_open(log, NULL, &writer), work->path);
	if (work->faulted)
		fault_writer(writer);

	int64_t begin = now_ns();

	write_all(work, writer);
	int64_t span = now_ns() - begin;

	shmlog_writer_close(writer);
	shmlog_close(log);
	return span;
}

typedef uint64_t read_fn(struct shmlog_reader *reader, uint64_t *frames);

/* Read on from the cursor to the end. */
static uint64_t read_inline(struct shmlog_reader *reader, uint64_t *frames)
{
	struct shmlog_fast_reader *fast = shmlog_reader_fast(reader);
	struct shmlog_frame frame;
	uint64_t sum = 0;
	int got;

	while ((got = shmlog_fast_next(fast, &frame)) > 0) {
		sum += frame.payload[0];
		++*frames;
	}
	check(got, "read");
	return sum;
}

static uint64_t read_by_calls(struct shmlog_reader *reader, uint64_t *frames)
{
	struct shmlog_frame frame;
	uint64_t sum = 0;
	int got;

	while ((got = shmlog_reader_next(reader, &frame)) > 0) {
		sum += frame.payload[0];
		++*frames;
	}
	check(got, "read");
	return sum;
}

static uint64_t read_batches(struct shmlog_reader *reader, uint64_t *frames)
{
	struct shmlog_frame batch[BATCH];
	uint64_t sum = 0;
	int got;

	while ((got = shmlog_reader_next_batch(reader, BATCH, 0, batch)) > 0) {
		for (int i = 0; i < got; i++)
			sum += batch[i].payload[0];
		*frames += (uint64_t)got;
	}
	check(got, "read");
	return sum;
}

static int64_t library_read(const struct work *work, read_fn *read_all)
{
	struct shmlog *log;
	struct shmlog_reader *reader;
	uint64_t frames = 0;

	check(shmlog_open(work->path, &log), work->path);
	check(shmlog_reader_open(log, NULL, &reader), work->path);
	if (work->faulted) {
		wanted = read_all(reader, &frames);
		check(shmlog_reader_seek(reader, 0, NULL), work->path);
		frames = 0;
	}
	int64_t begin = now_ns();

	wanted = read_all(reader, &frames);
	int64_t span = now_ns() - begin;

	if (frames != work->count)
		die("%s: %" PRIu64 " frames", work->path, frames);
	shmlog_reader_close(reader);
	shmlog_close(log);
	return span;
}

/* ---------------------------------------------------------------- by hand */

static unsigned char *map_log(const struct work *work, int protection,
                              size_t *bytes_out)
{
	int fd = open(work->path, O_RDWR | O_CLOEXEC);
	struct stat file;

	if (fd < 0 || fstat(fd, &file) != 0)
		die("%s: %s", work->path, strerror(errno));
	*bytes_out = (size_t)file.st_size;
	unsigned char *base = mmap(NULL, *bytes_out, protection, MAP_SHARED, fd,
	                           0);

	if (base == MAP_FAILED)
		die("%s: %s", work->path, strerror(errno));
	close(fd);
	return base;
}

static _Atomic uint64_t *size_word(unsigned char *base)
{
	return (_Atomic uint64_t *)(void *)(base + 16);
}

static int64_t loop_write(const struct work *work, uint64_t batch)
{
	size_t length;
	unsigned char *base = map_log(work, PROT_READ | PROT_WRITE, &length);
	uint16_t total = (uint16_t)(work->bytes + 4);
	uint64_t at = atomic_load(size_word(base));

	for (size_t i = at; work->faulted && i < length; i += 1024)
		base[i] = 0;

	int64_t begin = now_ns();

	for (uint64_t n = 0; n < work->count; n++) {
		if (length - at < total)
			die("%s: full", work->path);
		memcpy(base + at, &total, sizeof(total));
		memcpy(base + at + 2, payload, work->bytes);
		memcpy(base + at + total - 2, &total, sizeof(total));
		at += total;
		if (n % batch == batch - 1)
			atomic_store_explicit(size_word(base), at,
			                      memory_order_release);
	}
	atomic_store_explicit(size_word(base), at, memory_order_release);
	return now_ns() - begin;
}

static uint64_t loop_read_all(unsigned char *base, uint64_t *frames)
{
	uint64_t end = atomic_load_explicit(size_word(base),
	                                    memory_order_acquire);
	uint64_t sum = 0;
	uint16_t total;

	for (uint64_t at = SHMLOG_HEADER_BYTES; at < end; at += total) {
		memcpy(&total, base + at, sizeof(total));
		if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > end - at)
			die("damaged");
		sum += base[at + 2];
		++*frames;
	}
	return sum;
}

static int64_t loop_read(const struct work *work)
{
	size_t length;
	unsigned char *base = map_log(work, PROT_READ, &length);
	uint64_t frames = 0;

	if (work->faulted)
		wanted = loop_read_all(base, &frames);
	frames = 0;

	int64_t begin = now_ns();

	wanted = loop_read_all(base, &frames);
	int64_t span = now_ns() - begin;

	if (frames != work->count)
		die("%s: %" PRIu64 " frames", work->path, frames);
	return span;
}

/* ------------------------------------------------------------------- main */

int main(int argc, char **argv)
{
	if (argc < 5)
		die("usage: library WORK LOG COUNT BYTES [faulted]");

	struct work work = {
		.path = argv[2],
		.count = number(argv[3]),
		.bytes = number(argv[4]),
		.faulted = argc > 5,
	};
	int64_t span = 0;

	if (work.bytes > MOST_PAYLOAD_BYTES)
		die("%zu bytes are too many", work.bytes);
	memset(payload, 'x', work.bytes);
	if (strcmp(argv[1], "write") == 0)
		span = library_write(&work, write_inline);
	else if (strcmp(argv[1], "write-loop") == 0)
		span = loop_write(&work, 1);
	else if (strcmp(argv[1], "write-batches") == 0)
		span = library_write(&work, write_batches);
	else if (strcmp(argv[1], "write-batches-loop") == 0)
		span = loop_write(&work, BATCH);
	else if (strcmp(argv[1], "write-calls") == 0)
		span = library_write(&work, write_by_calls);
	else if (strcmp(argv[1], "read") == 0)
		span = library_read(&work, read_inline);
	else if (strcmp(argv[1], "read-calls") == 0)
		span = library_read(&work, read_by_calls);
	else if (strcmp(argv[1], "read-batches") == 0)
		span = library_read(&work, read_batches);
	else if (strcmp(argv[1], "read-loop") == 0)
		span = loop_read(&work);
	else
		die("no such work: %s", argv[1]);
	printf("%" PRId64 "\n", span);
	return fflush(stdout) == 0 ? 0 : 1;
}
