/* Waiting for others, and saying for whom. */
#include "patience.h"

#include "clock.h"
#include "message.h"
#include "signals.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/time.h>

/* A wait of this length is not what appenders do to each other. */
#define SAY_AFTER_NS 1000000000

static void set_timer(int seconds)
{
	const struct itimerval span = {.it_value = {.tv_sec = seconds}};

	setitimer(ITIMER_REAL, &span, NULL);
}

void cli_patience_begin(struct cli_patience *patience, int64_t lock_timeout_ns)
{
	patience->timeout_ns = lock_timeout_ns;
	patience->start_ns = 0;
	patience->waiting_ns = 0;
	patience->was_caught = cli_signal_caught() != 0;
}

int64_t cli_patience_left(const struct cli_patience *patience)
{
	if (patience->timeout_ns < 0 || patience->start_ns == 0)
		return patience->timeout_ns;

	int64_t waited = cli_now_ns() - patience->start_ns;

	return waited < patience->timeout_ns ? patience->timeout_ns - waited
	                                     : 0;
}

static int name_culprit(void *context, const struct shmlog_process *process)
{
	struct cli_culprit *culprit = context;
	struct cli_quoted command;
	bool inherited = culprit->holder == 0 && !process->maps_writable;

	if (culprit->holder != 0 ? process->pid != culprit->holder
	                         : !process->writes)
		return 0;
	(void)snprintf(culprit->text, sizeof(culprit->text),
	               ": pid %" PRId64 " (%s)%s", process->pid,
	               cli_quote(&command, process->command),
	               inherited ? ", which has not mapped it: it may merely "
	                           "have inherited the descriptor of a writer"
	                         : "");
	/* One that has mapped it is the likelier writer. */
	return !inherited;
}

void cli_culprit_find(const struct shmlog *log, int status,
                      struct cli_culprit *culprit_out)
{
	*culprit_out = (struct cli_culprit){0};
	if (status == SHMLOG_ERR_LOCK_TIMEOUT)
		culprit_out->holder = shmlog_lock_holder(log);
	else if (status != SHMLOG_ERR_WRITER_ACTIVE &&
	         status != SHMLOG_ERR_INTERFERED &&
	         status != SHMLOG_ERR_IN_DOUBT)
		return;
	(void)shmlog_processes(log, name_culprit, culprit_out);
	if (culprit_out->text[0] != '\0')
		return;
	if (culprit_out->holder != 0)
		(void)snprintf(culprit_out->text, sizeof(culprit_out->text),
		               ": pid %" PRId64, culprit_out->holder);
	else if (status == SHMLOG_ERR_WRITER_ACTIVE)
		(void)snprintf(culprit_out->text, sizeof(culprit_out->text),
		               ", a process that has closed it since or that "
		               "cannot be seen from here");
}

/* Waits for the lock are ended by a timer, so that there is an end at which to
 * say for whom they are. */
static int wait_for_lock(struct cli_patience *patience)
{
	/* A wait that began before a signal came ends with it. */
	if (cli_signal_caught() != 0 && !patience->was_caught)
		return 1;
	if (patience->start_ns == 0)
		patience->start_ns = cli_now_ns();
	if (!patience->said_lock && !patience->armed) {
		cli_signals_tick();
		set_timer(SAY_AFTER_NS / 1000000000);
		patience->armed = true;
	}
	return 0;
}

static int wait_for_writer(struct cli_patience *patience)
{
	struct cli_culprit culprit;

	if (patience->waiting_ns == 0)
		patience->waiting_ns = cli_now_ns();
	if (!patience->said_writer &&
	    cli_now_ns() - patience->waiting_ns >= SAY_AFTER_NS) {
		patience->said_writer = true;
		cli_culprit_find(patience->log, SHMLOG_ERR_WRITER_ACTIVE,
		                 &culprit);
		cli_message(patience->path,
		            "waiting for another writer to close the log%s",
		            culprit.text);
	}
	return cli_signal_caught() != 0;
}

int cli_patience_wait(void *context, int status)
{
	return status == SHMLOG_ERR_LOCK_TIMEOUT ? wait_for_lock(context)
	                                         : wait_for_writer(context);
}

bool cli_patience_goes_on(struct cli_patience *patience)
{
	struct cli_culprit culprit;

	if (cli_signal_caught() != 0)
		return false;
	cli_signals_answer();
	if (patience->armed && cli_signals_ticked()) {
		patience->armed = false;
		patience->said_lock = true;
		cli_culprit_find(patience->log, SHMLOG_ERR_LOCK_TIMEOUT,
		                 &culprit);
		cli_message(patience->path,
		            "waiting for the lock, which another process "
		            "holds%s",
		            culprit.text);
	}
	return true;
}

void cli_patience_end(struct cli_patience *patience)
{
	if (patience->armed)
		set_timer(0);
	patience->armed = false;
}
