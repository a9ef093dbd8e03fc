/*
 * Handling signals.  SIGINT, SIGTERM and SIGHUP are caught, so that a command
 * can flush its output and save its cursor before it ends by the same signal; a
 * second one ends it at once.  SIGPIPE is ignored, so that a write fails with
 * EPIPE.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* Catches the signals.  Blocking calls return EINTR when one comes. */
void cli_signals_catch(void);

/* Has `restore`, which a handler may call, called before a signal that was
 * caught ends the process at once; NULL for nothing. */
void cli_signals_restore_before_end(void (*restore)(void));

/* The signal that came, or 0. */
int cli_signal_caught(void);

/*
 * Begins or ends a time in which SIGTSTP (^Z) is deferred, because the process
 * holds something that others wait for.  If SIGTSTP came meanwhile,
 * cli_signals_stop_asked() is true, and ending the time stops the process.
 * Nothing happens where it has begun or ended already.
 */
void cli_signals_defer_stop(bool defer);
bool cli_signals_stop_asked(void);

/*
 * Uses SIGALRM to interrupt a blocking call and nothing else: _tick catches it
 * and forgets an earlier one; _ticked tells whether it came.
 */
void cli_signals_tick(void);
bool cli_signals_ticked(void);

/*
 * Catches SIGUSR1, and SIGINFO where the system has it, by which a user asks
 * how far the command is; one that is ignored stays so.  Blocking calls return
 * EINTR when one comes.  _answer calls `answer`, if one has come since.
 */
void cli_signals_catch_questions(void (*answer)(void));
void cli_signals_answer(void);

/* Sleeps until a caught signal, or not at all if one came before. */
void cli_signals_sleep(int64_t ns);

/*
 * Installs a handler of SIGBUS: a page of a mapping that is gone because the
 * file was cut is replaced by a private one, and the library notices the cut
 * when it checks the file's length afterwards.  See "TRUNCATION" in shmlog.h.
 */
void cli_signals_guard_mappings(void);

/* Ends the process by a signal with its default action.  Does not return. */
void cli_die_by_signal(int signal_number) __attribute__((noreturn));

#endif
