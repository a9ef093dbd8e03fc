/*
 * Messages to stderr: "shmlog COMMAND: SUBJECT: text", one line each, lower
 * case, no full stop.  Bytes from outside are escaped.
 */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "bounded_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* The command's name for all later messages; set once by main. */
void cli_message_command(const char *name);

/* Whether messages have colour: as --color says.  Until it is said, they have
 * it where standard error is a terminal that is to have colour. */
void cli_message_color(bool on);

/* Makes later messages give up, after a moment, if the reader of stderr takes
 * nothing: for a process that must not be kept from ending. */
void cli_message_never_wait(void);

/*
 * From now on messages go into `buffer`, which holds the last of them, without
 * the name of the command, and ends with NUL; nothing is printed.  With NULL
 * they are printed again.  For a command that has taken the whole terminal.
 */
void cli_message_divert(char *buffer, size_t capacity);

/*
 * Prints a message.  `subject` is the thing that the message is about (a path,
 * as the user gave it; it is escaped here) or NULL.  Untrusted text in the
 * arguments of `format` must have been through cli_quote() first.  The whole
 * text is escaped once more for safety, so that a control byte never reaches
 * the terminal, but only quotes show where the untrusted text begins and ends.
 */
void cli_message(const char *subject, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints a line that is safe for a terminal as it stands. */
void cli_message_plain(const char *line);

/*
 * Shows a text on the terminal that standard error is, without a newline, until
 * the next one, NULL for none, or a message takes its place.  It must fit into
 * a line, and be safe.  _make_way erases it before output that goes to a
 * terminal as well.
 */
void cli_message_passing(const char *text);
void cli_message_make_way(int fd);

/* Prints a message with the usage hint below it, and returns CLI_USAGE. */
int cli_usage_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Prints "SUBJECT: what: why" for an errno (what may be NULL) and returns
 * CLI_SYSTEM. */
int cli_system_failed(const char *subject, const char *what, int error);

#endif
