/* Threads that leave signals to the one that starts them. */
#ifndef CLI_HELPER_THREAD_H
#define CLI_HELPER_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Whether this process may run on more processors than one. */
bool cli_has_processors(void);

/* Starts a thread that takes no signals but SIGBUS, whose handler mends what it
 * is about where that is raised.  0, or an error number. */
int cli_start_helper_thread(pthread_t *thread_out, void *(*run)(void *),
                            void *argument);

#endif
