/* Why a log takes no frames: what the library says, and what can be seen. */
#ifndef CLI_REFUSAL_H
#define CLI_REFUSAL_H

struct cli_committer;

/*
 * Reports a refused commit, with who is in the way if that can be seen and
 * what became of the data: `rest` ends the message.  Returns the exit status.
 */
int cli_report_refusal(const struct cli_committer *committer, int status,
                       const char *rest);

#endif
