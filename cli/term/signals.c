/* Catches the signals that would end a command, so that it can end in good
 * order. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

/* Global, as a signal handler has no other way to share data. */
static volatile sig_atomic_t caught_signal;
static volatile sig_atomic_t stop_asked;
static volatile sig_atomic_t ticked;
static volatile sig_atomic_t asked;
static void (*answer_question)(void);
static void (*restore_before_end)(void);
static uintptr_t page_bytes;

static void end_by_default(int signal_number)
{
	if (restore_before_end != NULL)
		restore_before_end();
	signal(signal_number, SIG_DFL);
	/* Blocked until the handler has returned. */
	raise(signal_number);
}

/* The first signal is kept for the command; a second one, of any kind, ends the
 * process at once. */
static void keep_signal(int signal_number)
{
	int saved_errno = errno;

	if (caught_signal != 0)
		end_by_default(signal_number);
	else
		caught_signal = signal_number;
	errno = saved_errno;
}

void cli_signals_catch(void)
{
	struct sigaction catching = {.sa_handler = keep_signal};
	struct sigaction ignoring = {.sa_handler = SIG_IGN};

	/* No SA_RESTART: a blocking call must return. */
	catching.sa_flags = (int)SA_RESETHAND;
	sigemptyset(&catching.sa_mask);
	sigemptyset(&ignoring.sa_mask);
	for (size_t i = 0;
	     i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++) {
		struct sigaction inherited;

		/* Under nohup(1) SIGHUP stays ignored. */
		if (sigaction(ending_signals[i], NULL, &inherited) == 0 &&
		    inherited.sa_handler != SIG_IGN)
			sigaction(ending_signals[i], &catching, NULL);
	}
	sigaction(SIGPIPE, &ignoring, NULL);
}

void cli_signals_restore_before_end(void (*restore)(void))
{
	restore_before_end = restore;
}

int cli_signal_caught(void)
{
	return (int)caught_signal;
}

static void keep_stop(int signal_number)
{
	(void)signal_number;
	stop_asked = 1;
}

static bool stop_deferred;

void cli_signals_defer_stop(bool defer)
{
	struct sigaction action = {.sa_handler = defer ? keep_stop : SIG_DFL};
	struct sigaction inherited;

	if (defer == stop_deferred)
		return;
	stop_deferred = defer;
	sigemptyset(&action.sa_mask);
	/* A shell without job control ignores SIGTSTP, and it stays ignored. */
	if (sigaction(SIGTSTP, &action, &inherited) == 0 &&
	    inherited.sa_handler == SIG_IGN)
		sigaction(SIGTSTP, &inherited, NULL);
	if (!defer && stop_asked != 0) {
		stop_asked = 0;
		raise(SIGTSTP);
	}
}

bool cli_signals_stop_asked(void)
{
	return stop_asked != 0;
}

static void keep_tick(int signal_number)
{
	(void)signal_number;
	ticked = 1;
}

void cli_signals_tick(void)
{
	/* No SA_RESTART here either. */
	struct sigaction action = {.sa_handler = keep_tick};

	sigemptyset(&action.sa_mask);
	ticked = 0;
	sigaction(SIGALRM, &action, NULL);
}

bool cli_signals_ticked(void)
{
	return ticked != 0;
}

static void keep_question(int signal_number)
{
	(void)signal_number;
	asked = 1;
}

static void catch_question(int signal_number)
{
	struct sigaction action = {.sa_handler = keep_question};
	struct sigaction inherited;

	sigemptyset(&action.sa_mask);
	if (sigaction(signal_number, NULL, &inherited) == 0 &&
	    inherited.sa_handler != SIG_IGN)
		sigaction(signal_number, &action, NULL);
}

void cli_signals_catch_questions(void (*answer)(void))
{
	answer_question = answer;
	catch_question(SIGUSR1);
#ifdef SIGINFO
	catch_question(SIGINFO);
#endif
}

void cli_signals_answer(void)
{
	if (asked == 0)
		return;
	asked = 0;
	answer_question();
}

void cli_signals_sleep(int64_t ns)
{
	struct timespec span = {.tv_sec = (time_t)(ns / 1000000000),
	                        .tv_nsec = (long)(ns % 1000000000)};
	sigset_t blocked, before;

	/* Blocked but for the sleep itself, so that a signal cannot slip in
	 * between the look and the sleep. */
	sigemptyset(&blocked);
	for (size_t i = 0;
	     i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++)
		sigaddset(&blocked, ending_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	if (caught_signal == 0)
		pselect(0, NULL, NULL, NULL, &span, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void replace_missing_page(int signal_number, siginfo_t *info,
                                 void *context)
{
	int saved_errno = errno;
	uintptr_t page = (uintptr_t)info->si_addr & ~(page_bytes - 1);

	(void)context;
	/* Any other bus error is a bug or was sent by a process: it ends this
	 * one by the default action. */
	if (info->si_code != BUS_ADRERR ||
	    mmap((void *)page, page_bytes, PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		end_by_default(signal_number);
	errno = saved_errno;
}

void cli_signals_guard_mappings(void)
{
	struct sigaction guarding = {.sa_sigaction = replace_missing_page};

	guarding.sa_flags = SA_SIGINFO;
	sigemptyset(&guarding.sa_mask);
	page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGBUS, &guarding, NULL);
}

void cli_die_by_signal(int signal_number)
{
	sigset_t one;

	signal(signal_number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, signal_number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(signal_number);
	/* Reached only for a signal whose default action does not end a
	 * process. */
	_exit(128 + signal_number);
}
