/* Starts threads that leave signals to the one that starts them. */
#include "helper_thread.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

bool cli_has_processors(void)
{
#ifdef CPU_COUNT
	cpu_set_t allowed;

	/* Fails where there are more than a set has room for. */
	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
		return CPU_COUNT(&allowed) > 1;
#endif
	return sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

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
