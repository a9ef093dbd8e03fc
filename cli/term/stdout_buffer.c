/* Buffers standard output, and remembers the first write that failed. */
#include "stdout_buffer.h"

#include "blocking.h"
#include "clock.h"
#include "command.h"
#include "message.h"
#include "numbers.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The buffer holds any one frame in any format (65,531 bytes at up to 8 for
 * one), yet is flushed as soon as FLUSH_BYTES are in it: a small buffer that
 * stays in the cache is worth more than fewer calls of write().
 */
#define BUFFER_BYTES ((size_t)1 << 20)
/* Enough for a handful of lines.  A buffer of this size comes from the heap,
 * while the large one is a mapping, which costs 2 % of `tail -n 10` to make and
 * remove. */
#define SMALL_BUFFER_BYTES ((size_t)16 << 10)
#define FLUSH_BYTES ((size_t)256 << 10)
#define PIPE_BYTES (1 << 20)
/* How long a reader of the output may take nothing after a signal. */
#define SIGNAL_PATIENCE_NS 200000000

int cli_output_init(struct cli_output *output, int fd)
{
	*output = (struct cli_output){.fd = fd};
	output->buffer = malloc(SMALL_BUFFER_BYTES);
	if (output->buffer == NULL)
		return -ENOMEM;
	output->allocated = SMALL_BUFFER_BYTES;
	output->capacity = BUFFER_BYTES;
	struct stat file;

	output->may_block = fstat(fd, &file) == 0 && !S_ISREG(file.st_mode);
	output->is_pipe = output->may_block && S_ISFIFO(file.st_mode);
	return 0;
}

int cli_output_init_memory(struct cli_output *output)
{
	*output = (struct cli_output){.fd = -1, .capacity = BUFFER_BYTES};
	output->buffer = malloc(BUFFER_BYTES);
	if (output->buffer == NULL)
		return -ENOMEM;
	output->allocated = BUFFER_BYTES;
	return 0;
}

/*
 * A large pipe makes bulk output faster, but all pipes of a user together have
 * a limited amount of memory: once it is used up, every new pipe is tiny.  So a
 * pipe is enlarged only when there is much to write at once, for a reader that
 * has taken as much before (a pager does not), and shrunk again when the output
 * rests.  A failure only makes output slower.
 */
static void enlarge_pipe(struct cli_output *output)
{
#ifdef F_SETPIPE_SZ
	int size = fcntl(output->fd, F_GETPIPE_SZ);

	if (size > 0 && size < PIPE_BYTES &&
	    fcntl(output->fd, F_SETPIPE_SZ, PIPE_BYTES) >= 0)
		output->pipe_bytes = size;
#else
	(void)output;
#endif
}

void cli_output_rest(struct cli_output *output)
{
#ifdef F_SETPIPE_SZ
	/* Refused while the pipe holds more than would fit; the next rest tries
	 * again. */
	if (output->pipe_bytes > 0 &&
	    fcntl(output->fd, F_SETPIPE_SZ, output->pipe_bytes) >= 0)
		output->pipe_bytes = 0;
#else
	(void)output;
#endif
}

void cli_output_release(struct cli_output *output)
{
	free(output->buffer);
	output->buffer = NULL;
	output->allocated = 0;
	output->capacity = 0;
	output->used = 0;
}

/* Whether the reader has taken nothing for too long.  After a signal it gets a
 * moment, however long it has taken nothing before. */
static bool is_given_up(struct cli_output *output, int64_t stalled_since_ns)
{
	int64_t now = cli_now_ns();
	int64_t stalled_ns = now - stalled_since_ns;

	if (cli_signal_caught() != 0 && output->signal_ns == 0)
		output->signal_ns = now;
	if (output->signal_ns != 0 && stalled_ns >= SIGNAL_PATIENCE_NS &&
	    now - output->signal_ns >= SIGNAL_PATIENCE_NS)
		return true;
	return output->gives_up != NULL &&
	       output->gives_up(output->context, stalled_ns);
}

/* Writes all bytes, or keeps the error.  After a caught signal, earlier output
 * is still delivered, but not to a reader that takes nothing. */
static void write_all(struct cli_output *output, const unsigned char *bytes,
                      size_t size_bytes)
{
	int64_t stalled_since_ns = 0;

	cli_message_make_way(output->fd);
	if (output->is_pipe && output->pipe_bytes == 0 &&
	    size_bytes >= FLUSH_BYTES && output->written >= PIPE_BYTES)
		enlarge_pipe(output);
	while (size_bytes > 0 && output->error == 0) {
		cli_signals_answer();

		ssize_t written = output->may_block
		                          ? cli_write_briefly(output->fd, bytes,
		                                              size_bytes)
		                          : write(output->fd, bytes,
		                                  size_bytes);

		if (written > 0) {
			bytes += written;
			size_bytes -= (size_t)written;
			output->written += (uint64_t)written;
			stalled_since_ns = 0;
		} else if (written == 0) {
			output->error = EIO;
		} else if (errno != EINTR && !cli_would_block(errno)) {
			output->error = errno;
		} else if (stalled_since_ns == 0) {
			stalled_since_ns = cli_now_ns();
		} else if (is_given_up(output, stalled_since_ns)) {
			output->error = ECANCELED;
		}
	}
}

bool cli_output_gave_up(const struct cli_output *output)
{
	return output->error == ECANCELED;
}

int cli_output_flush(struct cli_output *output)
{
	size_t used = output->used;

	output->used = 0;
	/* An output in memory cannot be flushed. */
	if (output->fd < 0 && output->error == 0)
		output->error = ENOBUFS;
	write_all(output, output->buffer, used);
	return -output->error;
}

/* Grows the buffer to its capacity. */
static void grow(struct cli_output *output)
{
	unsigned char *larger = realloc(output->buffer, output->capacity);

	if (larger != NULL) {
		output->buffer = larger;
		output->allocated = output->capacity;
	} else if (output->error == 0) {
		output->error = ENOMEM;
	}
}

unsigned char *cli_output_reserve(struct cli_output *output, size_t size_bytes)
{
	if (size_bytes > output->allocated - output->used &&
	    output->allocated < output->capacity)
		grow(output);
	if ((output->used >= FLUSH_BYTES && output->fd >= 0) ||
	    size_bytes > output->allocated - output->used)
		(void)cli_output_flush(output);
	if (output->error != 0 || size_bytes > output->capacity)
		return NULL;
	return output->buffer + output->used;
}

void cli_output_advance(struct cli_output *output, size_t size_bytes)
{
	output->used += size_bytes;
}

static unsigned char *reserve_for_writer(void *context, size_t size_bytes)
{
	return cli_output_reserve(context, size_bytes);
}

static void advance_for_writer(void *context, size_t size_bytes)
{
	cli_output_advance(context, size_bytes);
}

struct cli_writer cli_output_writer(struct cli_output *output)
{
	return (struct cli_writer){
		.reserve = reserve_for_writer,
		.advance = advance_for_writer,
		.context = output,
		.room_bytes = output->capacity,
		.failed = output->error != 0,
	};
}

void cli_output_bytes(struct cli_output *output, const void *bytes,
                      size_t size_bytes)
{
	const unsigned char *from = bytes;

	while (size_bytes > 0) {
		size_t piece = size_bytes < FLUSH_BYTES ? size_bytes
		                                        : FLUSH_BYTES;
		unsigned char *room = cli_output_reserve(output, piece);

		if (room == NULL)
			return;
		memcpy(room, from, piece);
		cli_output_advance(output, piece);
		from += piece;
		size_bytes -= piece;
	}
}

void cli_output_string(struct cli_output *output, const char *text)
{
	cli_output_bytes(output, text, strlen(text));
}

void cli_output_u64(struct cli_output *output, uint64_t value)
{
	unsigned char *room = cli_output_reserve(output, CLI_U64_MAX);

	if (room != NULL)
		cli_output_advance(output, cli_put_u64(room, value));
}

void cli_output_format(struct cli_output *output, const char *format, ...)
{
	va_list arguments;
	unsigned char *room;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0) {
		if (output->error == 0)
			output->error = errno;
		return;
	}
	/* vsnprintf() ends its text with a NUL, which is not advanced over. */
	room = cli_output_reserve(output, (size_t)length + 1);
	if (room == NULL) {
		if (output->error == 0)
			output->error = EOVERFLOW;
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf((char *)room, (size_t)length + 1, format, arguments);
	va_end(arguments);
	cli_output_advance(output, (size_t)length);
}

bool cli_output_is_closed(const struct cli_output *output)
{
	struct pollfd request = {.fd = output->fd};

	return poll(&request, 1, 0) > 0 &&
	       (request.revents & (POLLERR | POLLHUP)) != 0;
}

int cli_output_finish(struct cli_output *output, int status)
{
	int result = cli_output_flush(output);

	cli_output_rest(output);
	cli_output_release(output);
	if (result == -EPIPE)
		cli_die_by_signal(SIGPIPE);
	/* A caller that gave up handles that itself. */
	if (result == 0 || cli_output_gave_up(output))
		return status;
	cli_message(NULL, "cannot write standard output: %s",
	            strerror(-result));
	/* CLI_NO and CLI_NO_MATCH would claim that all output was delivered. */
	return status == CLI_OK || status == CLI_NO || status == CLI_NO_MATCH
	               ? CLI_SYSTEM
	               : status;
}
