/*
 * Buffered standard output with a sticky error.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A writer over a file descriptor.  The first failure sticks: later calls do
 * nothing and return it.  Not thread-safe.
 */
struct cli_output {
	int fd; /* -1 for one in memory */
	unsigned char *buffer;
	size_t allocated; /* bytes of the buffer as it is */
	size_t capacity;  /* ... and as it becomes when they are not enough */
	size_t used;
	uint64_t written; /* bytes that have left it, over all flushes */
	int error;        /* errno of the first failed write, or 0 */
	bool may_block;   /* it is no regular file */
	bool is_pipe;
	int64_t signal_ns; /* when a caught signal was first noticed, or 0 */
	int pipe_bytes;    /* as long as the pipe was; 0 if it still is */

	/*
	 * Called from time to time while the reader takes nothing, with how
	 * long that has been: returning true gives up, drops the output and
	 * makes cli_output_gave_up() true.  If NULL, the output gives up only
	 * some time after a caught signal.
	 */
	bool (*gives_up)(void *context, int64_t stalled_ns);
	void *context;
};

/* Returns 0 or -ENOMEM. */
int cli_output_init(struct cli_output *output, int fd);
/* Makes an output in memory: the first `used` bytes of `buffer` are its text;
 * fails with ENOBUFS when that would exceed the capacity.  0 or -ENOMEM. */
int cli_output_init_memory(struct cli_output *output);
/* Frees the buffer; what is still in it is dropped. */
void cli_output_release(struct cli_output *output);

/* Room for `size_bytes` (at most the capacity) at the end of the buffer,
 * flushing first if need be; NULL after an error.  cli_output_advance() then
 * says how much of it was used. */
unsigned char *cli_output_reserve(struct cli_output *output, size_t size_bytes);
void cli_output_advance(struct cli_output *output, size_t size_bytes);

/* Returns the interface of this output for code that does not know where its
 * text goes; valid as long as the output is. */
struct cli_writer cli_output_writer(struct cli_output *output);

/* Copies bytes in; any number. */
void cli_output_bytes(struct cli_output *output, const void *bytes,
                      size_t size_bytes);
void cli_output_string(struct cli_output *output, const char *text);
void cli_output_u64(struct cli_output *output, uint64_t value);
void cli_output_format(struct cli_output *output, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes out everything.  Returns 0 or -errno of the first failure, now or
 * earlier; -EPIPE when nobody reads any more. */
int cli_output_flush(struct cli_output *output);

/* Whether the output gave up on a reader that took nothing, and the errno that
 * it then has. cli_output_finish() prints nothing about it. */
bool cli_output_gave_up(const struct cli_output *output);

/* To be called when there is nothing to write for a while: shrinks an enlarged
 * pipe. */
void cli_output_rest(struct cli_output *output);

/* Whether the reading end of a pipe or socket has been closed; found without
 * writing. */
bool cli_output_is_closed(const struct cli_output *output);

/*
 * Flushes, frees, and turns the result into an exit status: `status` if all
 * went well; CLI_SYSTEM after a message for a failed write, unless `status`
 * says that something else went wrong than that the answer is no; a closed pipe
 * ends the process by SIGPIPE, quietly.
 */
int cli_output_finish(struct cli_output *output, int status);

#endif
