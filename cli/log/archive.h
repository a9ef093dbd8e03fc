/*
 * Archives of logs: a log, cut to its committed size, that zstd has compressed.
 * Whatever decompresses it makes a log of it again.
 */
#ifndef CLI_ARCHIVE_H
#define CLI_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this build can make and read archives. */
bool cli_archive_supported(void);

/* Whether a file is the archive of a log, as far as its first bytes tell; false
 * where archives cannot be read. */
bool cli_is_archive(const char *path);

/*
 * Compresses the first `size` bytes of the file of `fd` into a file beside
 * `path`, and names that `path` once it is on the disk.  0 or -errno with
 * nothing left behind: -EEXIST if the name is taken by anything but an archive
 * of these very bytes, -EINTR if a signal was caught.  Memory does not depend
 * on the size.
 */
int cli_archive_make(const char *path, int fd, uint64_t size);

/* Removes what a process that was killed may have left of an archive that was
 * to get this name. */
void cli_archive_remove_draft(const char *path);

#endif
