/* Tells whether a process whose end is awaited still runs. */
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
 * Whether the process has ended.  It has ended even if its parent has not asked
 * for its status yet (a zombie), and if its id belongs to another process by
 * now, where /proc tells that.
 */
bool cli_process_is_gone(const struct cli_process *process);

#endif
