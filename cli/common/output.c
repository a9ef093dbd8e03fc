/* Buffered output to a descriptor, and the truth about what has left it. */
#include "common/output.h"

#include "common/blocking.h"
#include "common/command.h"
#include "common/message.h"
#include "common/signals.h"
#include "common/text.h"

#include <shmlog.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The buffer holds any one frame in any format (65,531 bytes at up to 8 for
 * one), yet is flushed as soon as FLUSH_BYTES are in it: a small buffer that
 * stays in the cache is worth more than fewer calls of write().
 */
#define BUFFER_BYTES ((size_t)1 << 20)
/* What a handful of lines fits into.  It comes from the heap, where the whole
 * buffer is a mapping: made and unmade, that is 2 % of `tail -n 10`. */
#define SMALL_BUFFER_BYTES ((size_t)16 << 10)
#define FLUSH_BYTES ((size_t)256 << 10)
#define PIPE_BYTES (1 << 20)

int cli_output_init(struct cli_output *output, int fd)
{
	*output = (struct cli_output){.fd = fd};
	output->buffer = malloc(SMALL_BUFFER_BYTES);
	if (output->buffer == NULL)
		return -ENOMEM;
	output->allocated = SMALL_BUFFER_BYTES;
	output->capacity = BUFFER_BYTES;
#ifdef F_SETPIPE_SZ
	/* Fails on what is no pipe and where the user may have no more:
	 * a smaller pipe is slower, nothing else. */
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
#endif
	return 0;
}

void cli_output_release(struct cli_output *output)
{
	free(output->buffer);
	output->buffer = NULL;
	output->allocated = 0;
	output->capacity = 0;
	output->used = 0;
}

/* Writes all of it or keeps the error.  A caught signal changes nothing: what
 * was printed so far belongs out, and a second signal ends the process. */
static void write_all(struct cli_output *output, const unsigned char *bytes,
                      size_t size_bytes)
{
	while (size_bytes > 0 && output->error == 0) {
		ssize_t written = write(output->fd, bytes, size_bytes);

		if (written > 0) {
			bytes += written;
			size_bytes -= (size_t)written;
		} else if (written == 0) {
			output->error = EIO;
		} else if (cli_would_block(errno)) {
			cli_wait_for(output->fd, POLLOUT);
		} else if (errno != EINTR) {
			output->error = errno;
		}
	}
}

int cli_output_flush(struct cli_output *output)
{
	size_t used = output->used;

	output->used = 0;
	write_all(output, output->buffer, used);
	return -output->error;
}

/* Makes the buffer as large as it may be. */
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
	if (output->used >= FLUSH_BYTES ||
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

	cli_output_release(output);
	if (result == -EPIPE)
		cli_die_by_signal(SIGPIPE);
	if (result == 0)
		return status;
	cli_message(NULL, "cannot write standard output: %s",
	            shmlog_strerror(result));
	/* "The answer is no" would claim that all before it was delivered. */
	return status == CLI_OK || status == CLI_NO ? CLI_SYSTEM : status;
}
