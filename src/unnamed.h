/* A file that gets its name once it is whole. */
#ifndef SHMLOG_UNNAMED_H
#define SHMLOG_UNNAMED_H

#include <sys/types.h>

/*
 * Makes an empty file, to be named `path` later.  Stores a descriptor, and
 * in `temporary` its present name, which must be freed; NULL if it has none.
 * 0 or -errno.
 */
int shmlog_unnamed_create(const char *path, mode_t mode, int *fd_out,
                          char **temporary_out);

/* Gives it its name, unless that exists.  0 or -errno; -EEXIST. */
int shmlog_unnamed_name(int fd, const char *temporary, const char *path);

/* A name beside `path`, hidden, and unlike any other process's; for each
 * attempt another one.  Freed by the caller; NULL: no memory. */
#define SHMLOG_HIDDEN_NAMES 1000u
char *shmlog_hidden_name(const char *path, unsigned attempt);

/* Makes a file of such a name, which is stored: a descriptor or -errno. */
int shmlog_hidden_create(const char *path, mode_t mode, char **name_out);

#endif
