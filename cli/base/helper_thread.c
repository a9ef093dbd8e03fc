/* Starts threads that leave signals to the one that starts them. */
#include "helper_thread.h"

#include <signal.h>

int cli_start_helper_thread(pthread_t *thread_out, void *(*run)(void *),
                            void *argument)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	error = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (error != 0)
		return error;
	error = pthread_create(thread_out, NULL, run, argument);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}
