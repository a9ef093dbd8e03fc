/*
 * Messages to stderr: "shmlog COMMAND: SUBJECT: text", one line each, lower
 * case, no full stop.  Bytes from outside are escaped.
 */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "bounded_text.h"

#include <stdarg.h>
#include <stddef.h>

/* The command's name for all later messages; set once by main. */
void cli_message_command(const char *name);

/* Drops later messages that nobody takes, after a moment: for who must not be
 * kept from ending. */
void cli_message_never_wait(void);

/*
 * Prints a message.  `subject` is what it is about (a path, as the user gave
 * it; escaped here) or NULL.  Whatever `format` takes from outside must have
 * been through cli_quote() first: the whole text is escaped once more for
 * safety, so a control byte never reaches the terminal, but only quotes make
 * its bounds visible.
 */
void cli_message(const char *subject, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As cli_message(), and returns CLI_USAGE with the usage hint below it. */
int cli_usage_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Prints "SUBJECT: what: why" for an errno (what may be NULL) and returns
 * CLI_SYSTEM. */
int cli_system_failed(const char *subject, const char *what, int error);

#endif
