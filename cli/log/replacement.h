/*
 * Replacing a file as a whole: the new one is written under another name beside
 * it, and takes its name at the end, so that nobody ever reads a part of it and
 * a failure leaves the old one.
 */
#ifndef CLI_REPLACEMENT_H
#define CLI_REPLACEMENT_H

#include <limits.h>
#include <stddef.h>

struct cli_replacement {
	int fd;                /* the new file, to be written to */
	char target[PATH_MAX]; /* the file that is replaced */
	char name[PATH_MAX + 32];
};

/* What is there is no regular file, and a file must not take its place: a
 * device, a pipe or a directory. */
#define CLI_REPLACEMENT_IS_NO_FILE 1

/* Begins to replace a file, or the file that a link of that name leads to,
 * whether it exists or not.  0, CLI_REPLACEMENT_IS_NO_FILE or -errno. */
int cli_replacement_begin(struct cli_replacement *replacement,
                          const char *path);

/*
 * Puts the new file in place, with the old one's mode and, where the user may
 * set it, owner; unless `status` is not 0, as something failed: then the new
 * file is removed.  `status`, or else 0 or -errno.
 */
int cli_replacement_end(struct cli_replacement *replacement, int status);

/* Does both: the file has these bytes then.  0 or -errno; what is there and no
 * regular file is left alone, -EEXIST. */
int cli_replace(const char *path, const void *bytes, size_t size_bytes);

/* Checks that a file which holds no log may take the place of what is at
 * `path`: that is no log, nor what standard output goes to.  CLI_OK, or
 * CLI_USAGE after a message. */
int cli_check_replaced(const char *path);

#endif
