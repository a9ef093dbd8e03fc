/* Threads of the library, which are none of its caller's business. */
#ifndef SHMLOG_QUIET_THREAD_H
#define SHMLOG_QUIET_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Starts a thread that takes no signals: those are the caller's.  But a page of
 * a mapping that is gone is answered by the caller's handler of SIGBUS there,
 * too.  False if the system refuses the thread. */
bool shmlog_start_quiet_thread(pthread_t *thread_out, size_t stack_bytes,
                               void *(*run)(void *), void *argument);

#endif
