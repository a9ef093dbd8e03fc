/* Where input goes that does not get into the log. */
#ifndef CLI_OVERFLOW_H
#define CLI_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_overflow {
	const char *path; /* NULL: nothing is kept */
	int fd;
	bool created;   /* by us, and still empty */
	bool may_block; /* a write may have to wait: no regular file */
	int64_t stalled_since_ns; /* nothing is taken, after a signal; or 0 */
	bool failed;              /* a write did: nothing more is kept */
	int last;                 /* the byte that was kept last; -1: none */
	int delimiter;            /* behind each record; negative: none */
	uint64_t kept;            /* bytes, in all */
	const char *input;        /* FILE whose bytes are kept, "-" for standard
	                    * input; NULL: no file's */
	uint64_t at;              /* of it, was kept or committed */
};

/*
 * Opens the file for appending, so that what it keeps from another run stays;
 * "-" is stdout.  `path` may be NULL.  Where a file that can be read, or what
 * came from one FILE, does not end in the `delimiter` (a byte; negative: none),
 * this is put behind it before anything else is kept, so that no two records
 * become one.  Returns CLI_OK, or an exit status after a message.
 */
int cli_overflow_open(struct cli_overflow *overflow, const char *path,
                      int delimiter);

/* Whether the file has something in it. */
bool cli_overflow_is_filled(const struct cli_overflow *overflow);

/* Closes it, and removes it again if it was made for nothing. */
void cli_overflow_close(struct cli_overflow *overflow);

/* Says that what is kept next is from byte `at` on of an input, for messages
 * about what is not kept; `input` is NULL for what comes from no file. */
void cli_overflow_begin(struct cli_overflow *overflow, const char *input,
                        uint64_t at);

/* Keeps bytes.  CLI_OK, or an exit status after a message. */
int cli_overflow_keep(struct cli_overflow *overflow, const void *bytes,
                      size_t size_bytes);

/*
 * Keeps all that can still be read from a descriptor: to its end, or after a
 * signal what is there without waiting for it, which is a file to its end and
 * a pipe as far as it is filled.
 */
int cli_overflow_keep_rest(struct cli_overflow *overflow, int fd);

/* Keeps a whole FILE ("-": standard input) behind what came from another. */
int cli_overflow_keep_file(struct cli_overflow *overflow, const char *name);

#endif
