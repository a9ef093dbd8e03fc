/* Records on their way from the input at hand into the log: they are cut from
 * the buffer, turned into payloads, put into the committer, and committed. */
#ifndef CLI_INTAKE_H
#define CLI_INTAKE_H

struct cli_append;

/* Takes all records of an open input, or what was loaded into its buffer.
 * CLI_OK, also after a signal, or an exit status after a message. */
int cli_take_input(struct cli_append *append);
int cli_take_loaded(struct cli_append *append);

/* Commits what waits.  CLI_OK, or an exit status after a message. */
int cli_take_commit(struct cli_append *append);

/* With --sync: makes the last commit last.  CLI_OK, or an exit status after a
 * message. */
int cli_take_sync(struct cli_append *append);

#endif
