/* Processes that answer prompts: started with pipes to their standard input and
 * output, as leaders of process groups of their own. */
#ifndef DISPATCH_CHILD_H
#define DISPATCH_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;

struct child {
	pid_t pid;  /* 0: none */
	int in;     /* to its standard input; -1: closed */
	int out;    /* from its standard output; -1: closed */
	int status; /* as waitpid(2) gives it, once it has ended */
};

/* Has the end of any child wake the loop. */
void child_watch_ends(const struct loop *loop);

/*
 * Runs `sh -c COMMAND` with the environment of this process, of which
 * secret_take() has removed the key, and SHMLOG_PROMPT=NUMBER if there is a
 * number.  Both pipes are non-blocking here.  0 or -errno.
 */
int child_start(struct child *child_out, const char *command,
                const uint64_t *prompt);

/* Whether it has ended. */
bool child_has_ended(struct child *child);

/* Kills the process and all of its group, closes the pipes, and waits for its
 * end. */
void child_end(struct child *child);

void child_close_in(struct child *child);

#endif
