/*
 * SIGINT and SIGTERM (and SIGHUP) are caught, so that a command can flush and
 * save its cursor, and then ends by the same signal; the second one ends it
 * at once.  SIGPIPE is ignored, so that a write says EPIPE.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* Catches the signals.  Blocking calls return EINTR when one comes. */
void cli_signals_catch(void);

/* The signal that came, or 0. */
int cli_signal_caught(void);

/*
 * Puts off SIGTSTP (^Z) while the process has something that others wait for:
 * begins and ends that.  Ending it stops the process if that was asked for
 * meanwhile; cli_signals_stop_asked() tells.
 */
void cli_signals_defer_stop(bool defer);
bool cli_signals_stop_asked(void);

/*
 * SIGALRM ends a call that waits, and nothing else: catches it, forgetting one
 * that came before; and tells whether it came.
 */
void cli_signals_tick(void);
bool cli_signals_ticked(void);

/* Sleeps, but not beyond a signal that is caught, now or before. */
void cli_signals_sleep(int64_t ns);

/*
 * Guards against SIGBUS: a page that a cut took from a mapping is replaced
 * by a private one, and the library's look at the file's length afterwards
 * tells.  See "TRUNCATION" in shmlog.h.
 */
void cli_signals_guard_mappings(void);

/* Ends the process by a signal with its default action.  Does not return. */
void cli_die_by_signal(int signal_number) __attribute__((noreturn));

#endif
