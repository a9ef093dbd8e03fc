/* Where the rest of the input goes when the log is full. */
#ifndef CLI_OVERFLOW_H
#define CLI_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>

struct cli_overflow {
	const char *path; /* NULL: nothing is kept */
	int fd;
	bool created; /* by us, and still empty */
	int last;     /* the byte that was kept last; -1: none */
};

/*
 * Opens the file for appending, so that what it keeps from another run stays;
 * "-" is stdout.  `path` may be NULL.  Returns CLI_OK, or an exit status
 * after a message.
 */
int cli_overflow_open(struct cli_overflow *overflow, const char *path);

/* Closes it, and removes it again if it was made for nothing. */
void cli_overflow_close(struct cli_overflow *overflow);

/* Keeps bytes.  CLI_OK, or an exit status after a message. */
int cli_overflow_keep(struct cli_overflow *overflow, const void *bytes,
                      size_t size_bytes);

/* Keeps all that can still be read from a descriptor. */
int cli_overflow_keep_rest(struct cli_overflow *overflow, int fd);

/*
 * Keeps a whole FILE ("-": standard input) behind what came from another one.
 * A `delimiter` (a byte; negative: none) is put in between if the other one
 * did not end in it, so that no two records become one.
 */
int cli_overflow_keep_file(struct cli_overflow *overflow, const char *name,
                           int delimiter);

#endif
