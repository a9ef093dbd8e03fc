/* What the fuzzers share: taking inputs apart, and keeping what is written. */
#include "fuzz.h"

#include "stdout_buffer.h"

#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes that a repeated input has, unless it asks for the limit. */
#define MODERATE_BYTES 4096u

void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

static void *allocate(size_t size_bytes)
{
	/* An empty block is one byte that is not to be touched, but is there. */
	void *block = malloc(size_bytes > 0 ? size_bytes : 1);

	require(block != NULL);
	return block;
}

/* Of a run's few blocks none is missing from a quarantine of this size; what
 * is large would come from fresh pages each time with the usual one. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:malloc_context_size=8";
}

/* ------------------------------------------------------------ large blocks */

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN
#endif
#endif

/* The linker (--wrap=malloc, --wrap=free) leads the code's own calls here. */
void *__real_malloc(size_t size_bytes);
void __real_free(void *block);
void *__wrap_malloc(size_t size_bytes);
void __wrap_free(void *block);

#ifdef HAVE_ASAN
#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>

/*
 * ASan maps a block of this size anew each time, and its shadow as well.  The
 * last few that were freed are kept, poisoned, for who asks for exactly as
 * much: a log that is searched for its frames takes half the time.
 */
#define LARGE_BYTES (128u << 10)
#define KEPT_BLOCKS 8u

static struct {
	void *block;
	size_t size_bytes;
} kept[KEPT_BLOCKS];

FUZZ_JUDGE void *__wrap_malloc(size_t size_bytes)
{
	for (size_t i = 0; size_bytes >= LARGE_BYTES && i < KEPT_BLOCKS; i++) {
		void *block = kept[i].block;

		if (block == NULL || kept[i].size_bytes != size_bytes)
			continue;
		kept[i].block = NULL;
		__asan_unpoison_memory_region(block, size_bytes);
		return block;
	}
	return __real_malloc(size_bytes);
}

FUZZ_JUDGE void __wrap_free(void *block)
{
	static size_t next;
	size_t size_bytes = block != NULL && __sanitizer_get_ownership(block)
	                            ? __sanitizer_get_allocated_size(block)
	                            : 0;

	if (size_bytes < LARGE_BYTES) {
		__real_free(block);
		return;
	}
	for (size_t i = 0; i < KEPT_BLOCKS; i++)
		require(kept[i].block != block);
	next = (next + 1) % KEPT_BLOCKS;
	if (kept[next].block != NULL)
		__real_free(kept[next].block);
	kept[next].block = block;
	kept[next].size_bytes = size_bytes;
	__asan_poison_memory_region(block, size_bytes);
}
#else
void *__wrap_malloc(size_t size_bytes)
{
	return __real_malloc(size_bytes);
}

void __wrap_free(void *block)
{
	__real_free(block);
}
#endif

/* ------------------------------------------------------------------ inputs */

uint8_t fuzz_take_byte(struct fuzz_input *input)
{
	if (input->left_bytes == 0)
		return 0;
	input->left_bytes--;
	return *input->at++;
}

uint64_t fuzz_take_u64(struct fuzz_input *input)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)fuzz_take_byte(input) << 8 * i;
	return value;
}

uint8_t *fuzz_copy(const void *bytes, size_t size_bytes)
{
	uint8_t *block = allocate(size_bytes);

	if (size_bytes > 0)
		memcpy(block, bytes, size_bytes);
	return block;
}

char *fuzz_take_text(struct fuzz_input *input)
{
	size_t length = strnlen((const char *)input->at, input->left_bytes);
	char *text = allocate(length + 1);

	if (length > 0)
		memcpy(text, input->at, length);
	text[length] = '\0';
	input->at += length;
	input->left_bytes -= length;
	(void)fuzz_take_byte(input);
	return text;
}

/* How often a unit stands in an input. */
static size_t times_of(uint8_t repeat, size_t unit_bytes, size_t most)
{
	size_t times = repeat < 0xf0 ? 1 : (size_t)2 << (repeat - 0xf0);
	size_t room = repeat == 0xff   ? most
	              : repeat == 0xfe ? SHMLOG_PAYLOAD_MAX_BYTES
	                               : MODERATE_BYTES;

	if (unit_bytes == 0)
		return 0;
	if (repeat >= 0xfe || times > room / unit_bytes)
		times = room / unit_bytes;
	return times > 0 ? times : 1;
}

uint8_t *fuzz_take_long(struct fuzz_input *input, size_t most, size_t *size_out)
{
	uint8_t repeat = fuzz_take_byte(input);
	size_t unit = fuzz_take_byte(input) + (size_t)1;
	size_t times, rest, used = 0;
	uint8_t *block;

	if (unit > input->left_bytes)
		unit = input->left_bytes;
	times = times_of(repeat, unit, most);
	rest = input->left_bytes - unit;
	block = allocate(unit * times + rest);
	/* Twice as much each time. */
	memcpy(block, input->at, unit);
	for (used = unit; used < unit * times; used *= 2)
		memcpy(block + used, block,
		       used < unit * times - used ? used : unit * times - used);
	used = unit * times;
	memcpy(block + used, input->at + unit, rest);
	used += rest;
	if (used > most)
		used = most;
	block = realloc(block, used > 0 ? used : 1);
	require(block != NULL);
	*size_out = used;
	return block;
}

uint8_t *fuzz_repeat(const void *bytes, size_t size_bytes, size_t times,
                     size_t limit, size_t *size_out)
{
	uint8_t *block;
	size_t used = 0;

	if (size_bytes > 0 && times > limit / size_bytes)
		times = limit / size_bytes;
	block = allocate(size_bytes * times);
	for (; size_bytes > 0 && times > 0; times--, used += size_bytes)
		memcpy(block + used, bytes, size_bytes);
	*size_out = used;
	return block;
}

/* ------------------------------------------------------------- what is said */

struct sink {
	uint8_t *bytes;
	size_t used;
	size_t capacity;
};

static struct sink output, messages;

FUZZ_JUDGE static void keep(struct sink *sink, const void *bytes,
                            size_t size_bytes)
{
	if (size_bytes > sink->capacity - sink->used) {
		sink->capacity = (sink->used + size_bytes) * 2;
		sink->bytes = realloc(sink->bytes, sink->capacity);
		require(sink->bytes != NULL);
	}
	memcpy(sink->bytes + sink->used, bytes, size_bytes);
	sink->used += size_bytes;
}

static struct fuzz_written take(struct sink *sink)
{
	struct fuzz_written written = {sink->bytes, sink->used};

	sink->used = 0;
	return written;
}

struct cli_output *fuzz_output(void)
{
	static struct cli_output opened;

	if (opened.buffer == NULL)
		require(cli_output_init(&opened, FUZZ_FD) == 0);
	return &opened;
}

struct fuzz_written fuzz_take_output(void)
{
	return take(&output);
}

struct fuzz_written fuzz_take_messages(void)
{
	return take(&messages);
}

/* The linker (--wrap=write) leads every write() of the code here. */
ssize_t __real_write(int fd, const void *bytes, size_t size_bytes);
ssize_t __wrap_write(int fd, const void *bytes, size_t size_bytes);
ssize_t __wrap_write(int fd, const void *bytes, size_t size_bytes)
{
	const uint8_t *last = (const uint8_t *)bytes + size_bytes - 1;

	if (fd == FUZZ_FD) {
		keep(&output, bytes, size_bytes);
		return (ssize_t)size_bytes;
	}
	if (fd != STDERR_FILENO)
		return __real_write(fd, bytes, size_bytes);
	/* A message is one line, and fit for a terminal. */
	require(size_bytes > 0 && *last == '\n');
	require(fuzz_is_harmless(bytes, size_bytes - 1));
	keep(&messages, bytes, size_bytes);
	return (ssize_t)size_bytes;
}

/* ------------------------------------------------------------------- UTF-8 */

FUZZ_JUDGE size_t fuzz_utf8(const uint8_t *bytes, size_t size_bytes,
                            uint32_t *point_out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = size_bytes > 0 ? bytes[0] : 0xff;
	size_t length = first < 0x80    ? 1u
	                : first < 0xc0  ? 0u
	                : first < 0xe0  ? 2u
	                : first < 0xf0  ? 3u
	                : first <= 0xf7 ? 4u
	                                : 0u;
	uint32_t point = length < 2 ? first : first & (0x7fu >> length);

	if (length == 0 || length > size_bytes)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (bytes[i] >> 6 != 2)
			return 0;
		point = point << 6 | (bytes[i] & 0x3fu);
	}
	if (point < least[length] || point > 0x10ffff || point >> 11 == 0x1b)
		return 0;
	*point_out = point;
	return length;
}

/* Some of what must never pass; the whole table is a test's of text.c. */
FUZZ_JUDGE static bool is_harmful(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       point == 0xad || point == 0x61c || point == 0x180e ||
	       (point >= 0x200b && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
	       (point & 0xfffe) == 0xfffe || point >> 12 == 0xe0;
}

/* How many bytes at the front are printable ASCII, looked at by eights: most
 * output is, and to judge it took longer than to make it. */
FUZZ_JUDGE static size_t count_printable(const uint8_t *bytes,
                                         size_t size_bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	size_t count = 0;

	while (size_bytes - count >= sizeof(uint64_t)) {
		uint64_t word, delete;

		memcpy(&word, bytes + count, sizeof(word));
		delete = word ^ ones * 0x7f;
		/* A byte's top bit stands for: not ASCII, below a blank, or
		 * the last of all.  A borrow only ever finds one too many. */
		if (((word | (word - ones * 0x20) | (delete - ones)) & tops) !=
		    0)
			break;
		count += sizeof(word);
	}
	return count;
}

FUZZ_JUDGE bool fuzz_is_harmless(const uint8_t *bytes, size_t size_bytes)
{
	while (size_bytes > 0) {
		size_t length = count_printable(bytes, size_bytes);
		uint32_t point = ' ';

		/* Behind them, the rest of the eight one by one. */
		if (length == 0)
			length = fuzz_utf8(bytes, size_bytes, &point);
		if (length == 0 || is_harmful(point))
			return false;
		bytes += length;
		size_bytes -= length;
	}
	return true;
}
