/* What of the input does not get into the log goes to the file of
 * --overflow. */
#ifndef CLI_LEFTOVER_H
#define CLI_LEFTOVER_H

#include <stddef.h>

struct cli_append;

/* Keeps the input at hand from where it is not in the log.  CLI_OK, also
 * without --overflow, or an exit status after a message. */
int cli_keep_input(struct cli_append *append);

/* Keeps the FILEs from the nth on, which were not begun. */
int cli_keep_files(struct cli_append *append, size_t from);

/* Keeps all the input, of which nothing was read. */
int cli_keep_all(struct cli_append *append);

/* The status of what could not be appended, or of what could not be kept. */
int cli_worse(int status, int kept);

#endif
