/*
 * The reasons for which append takes no more input before it is all in the
 * log: each is said in a message, with what became of the data, and leaves in
 * struct cli_append where the rest of the input begins.
 */
#ifndef CLI_ENDING_H
#define CLI_ENDING_H

#include <shmlog.h>

struct cli_append;
struct cli_refused;

/* A commit was refused, for `status` of the library.  Returns the exit
 * status, as all of these do. */
int cli_end_at_commit(struct cli_append *append, int status,
                      const struct cli_refused *refused);

/* The last commit may not be on the disk. */
int cli_end_at_sync(struct cli_append *append, int status);

/* The log takes nothing at all. */
int cli_end_at_opened_log(struct cli_append *append, int status);

/* The next record cannot be appended, for that reason. */
int cli_end_at_record(struct cli_append *append, const char *reason);

/* The input cannot be read on, or a FILE not be opened, for a -errno. */
int cli_end_at_read(struct cli_append *append, int error);
int cli_end_at_open(struct cli_append *append, const char *name, int error);

/* A signal came, or nobody takes the acknowledgements: CLI_OK, and no message
 * yet where it may be that nothing is left. */
int cli_end_at_stop(struct cli_append *append);
void cli_report_stopped(struct cli_append *append);

#endif
