/* Starts threads that take no signals. */
#include "quiet_thread.h"

#include <signal.h>

bool shmlog_start_quiet_thread(pthread_t *thread_out, size_t stack_bytes,
                               void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int status = pthread_attr_init(&attributes);

	if (status != 0)
		return false;
	/* Without it the stack is as long as others are. */
	(void)pthread_attr_setstacksize(&attributes, stack_bytes);
	sigfillset(&all);
	/* One that is raised where it is blocked ends the program, whatever
	 * handler it has. */
	sigdelset(&all, SIGBUS);
	status = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (status == 0) {
		status = pthread_create(thread_out, &attributes, run, argument);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attributes);
	return status == 0;
}
