/*
 * Messages to stderr: "shmlog COMMAND: SUBJECT: text", one line each, lower
 * case, no full stop.  Bytes from outside are escaped.
 */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "bounded_text.h"

#include <stdarg.h>
#include <stddef.h>

struct shmlog_fault;

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

/*
 * Prints "SUBJECT: what: why" for a status of the library (what may be NULL)
 * and returns the exit status that belongs to it.
 */
int cli_fail(const char *subject, const char *what, int status);

/* The exit status for a status of the library. */
int cli_exit_status(int status);

/*
 * What is wrong with a frame, as one line without the subject: "damaged frame
 * at cursor 12: size word says 4468, the one behind it says 16705; looks like
 * a payload of 70000 bytes whose size wrapped".  Returns the buffer.
 */
struct cli_fault_text {
	char text[512];
};
const char *cli_describe_fault(struct cli_fault_text *buffer,
                               const struct shmlog_fault *fault);

#endif
