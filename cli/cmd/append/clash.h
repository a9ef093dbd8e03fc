/* Keeping apart the log, the inputs, the file of --overflow and standard
 * output: reading what is written at the same time would never end, or damage
 * it. */
#ifndef CLI_CLASH_H
#define CLI_CLASH_H

struct cli_append;

/* Whether all that is read and written are different files: CLI_OK, or
 * CLI_USAGE after a message.  Looks at names: to open a FIFO would be noticed
 * at its other end. */
int cli_check_clashes(const struct cli_append *append);

/* The same for an input that has been opened. */
int cli_check_opened(const struct cli_append *append, const char *name);

#endif
