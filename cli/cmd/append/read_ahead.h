/*
 * Reads a regular file on a thread of its own, ahead of the caller, who makes
 * frames of what was read before and writes them meanwhile.
 */
#ifndef CLI_READ_AHEAD_H
#define CLI_READ_AHEAD_H

#include <stddef.h>
#include <sys/types.h>

struct cli_read_ahead;

/*
 * Begins to read the file from its offset on, `read_bytes` at a time.  What the
 * caller has left over of one read, at most `left_max` bytes, goes before the
 * bytes of the next one.
 *
 * NULL where that does not pay, or is not possible: no regular file, little
 * left of it, one processor, no memory, no thread.  Nothing was read then.
 */
struct cli_read_ahead *cli_read_ahead_begin(int fd, size_t read_bytes,
                                            size_t left_max);

/*
 * Waits for the next bytes, and moves the offset of the file behind them.
 * *buffer_out has what is left over and then these; it stays until the next
 * call.  Returns how many bytes are new; 0 at the end of the file; -errno if it
 * cannot be read.
 */
ssize_t cli_read_ahead_next(struct cli_read_ahead *ahead,
                            const unsigned char *left, size_t left_bytes,
                            unsigned char **buffer_out);

/* Ends the reading, so that the file can be read on from its offset, and frees
 * the buffers.  NULL is ignored. */
void cli_read_ahead_end(struct cli_read_ahead *ahead);

#endif
