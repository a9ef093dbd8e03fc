/* Whether a process that somebody waits for still runs. */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cli_process {
	pid_t pid;
	uint64_t started; /* as /proc counts it; 0 if it does not tell */
};

/* Remembers which process has this id now. */
void cli_process_init(struct cli_process *process, pid_t pid);

/*
 * Whether it has ended.  One whose parent has not asked for its status yet
 * has, although its id is still taken; so has one whose id is another
 * process's by now, where /proc tells.
 */
bool cli_process_is_gone(const struct cli_process *process);

#endif
