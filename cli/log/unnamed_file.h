/* A file that has no name, and is gone once it is closed. */
#ifndef CLI_UNNAMED_FILE_H
#define CLI_UNNAMED_FILE_H

/* Opens one for reading and writing, in TMPDIR, or else in /tmp.  Its
 * descriptor, or -errno. */
int cli_open_unnamed(void);

#endif
