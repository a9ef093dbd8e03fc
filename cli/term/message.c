/* Prints messages to stderr, one line each, safe for a terminal. */
#include "message.h"

#include "blocking.h"
#include "bounded_text.h"
#include "clock.h"
#include "command.h"
#include "signals.h"
#include "style.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUBJECT_MAX 4096u
#define LINE_MAX_BYTES 8192u
/* How long a line waits for the reader of stderr after
 * cli_message_never_wait(). */
#define PATIENCE_NS 200000000

/* Global: every message begins with the command's name, from wherever it is
 * printed. */
static const char *command_name;
static bool never_waits;
static enum {
	COLOR_BY_TERMINAL,
	COLOR_ON,
	COLOR_OFF
} color;
static char *diverted; /* NULL: messages are printed */
static size_t diverted_capacity;
static bool is_passing_shown;

void cli_message_never_wait(void)
{
	never_waits = true;
}

void cli_message_color(bool on)
{
	color = on ? COLOR_ON : COLOR_OFF;
}

void cli_message_divert(char *buffer, size_t capacity)
{
	diverted = buffer;
	diverted_capacity = capacity;
	if (buffer != NULL)
		*buffer = '\0';
}

void cli_message_command(const char *name)
{
	command_name = name;
}

/* Whether to give up a line that the reader of stderr does not take. */
static bool is_given_up(int64_t stalled_ns)
{
	return (never_waits || cli_signal_caught() != 0) &&
	       stalled_ns >= PATIENCE_NS;
}

#define ERASE_LINE "\r\033[K"

/* A terminal that takes nothing, as it was stopped, keeps nobody waiting. */
static void write_once(const char *text)
{
	(void)cli_write_briefly(STDERR_FILENO, text, strlen(text));
}

void cli_message_passing(const char *text)
{
	char line[LINE_MAX_BYTES];

	if (text == NULL && !is_passing_shown)
		return;
	is_passing_shown = text != NULL;
	(void)snprintf(line, sizeof(line), ERASE_LINE "%s",
	               text != NULL ? text : "");
	write_once(line);
}

void cli_message_make_way(int fd)
{
	if (is_passing_shown && isatty(fd) == 1)
		cli_message_passing(NULL);
}

/* Usually one write(2), so that lines of processes that share a stderr are not
 * mixed.  A failure cannot be reported anywhere. */
static void write_line(struct cli_text *line)
{
	size_t written = 0;
	int64_t start_ns = cli_now_ns();

	cli_message_passing(NULL);
	line->buffer[line->used++] = '\n';
	while (written < line->used) {
		ssize_t result = cli_write_briefly(STDERR_FILENO,
		                                   line->buffer + written,
		                                   line->used - written);

		if (result > 0)
			written += (size_t)result;
		else if (result == 0 ||
		         (errno != EINTR && !cli_would_block(errno)) ||
		         is_given_up(cli_now_ns() - start_ns))
			return;
	}
}

/* A style of a message, or the plain one where messages have no colour. */
static unsigned style_of(unsigned style)
{
	if (color == COLOR_BY_TERMINAL)
		cli_message_color(cli_style_is_wanted(STDERR_FILENO));
	return color == COLOR_ON && diverted == NULL ? style : CLI_STYLE_PLAIN;
}

/* Begins a line with the command's name. */
static void begin_line(struct cli_text *line, char *bytes, size_t capacity)
{
	unsigned style = style_of(CLI_STYLE_HEADER);

	cli_text_init(line, bytes, capacity);
	cli_text_string(line, cli_style_begin(style));
	cli_text_string(line, "shmlog");
	if (command_name) {
		cli_text_string(line, " ");
		cli_text_escaped(line, command_name, strlen(command_name));
	}
	cli_text_string(line, ":");
	cli_text_string(line, cli_style_end(style));
	cli_text_string(line, " ");
}

/* An empty name is invisible without quotes. */
static void add_subject(struct cli_text *line, const char *subject)
{
	unsigned style = style_of(CLI_STYLE_GAP);
	char bytes[SUBJECT_MAX];
	struct cli_text about;

	cli_text_init(&about, bytes, sizeof(bytes));
	cli_text_escaped(&about, subject, strlen(subject));
	cli_text_string(line, cli_style_begin(style));
	cli_text_string(line, *subject != '\0' ? about.buffer : "''");
	cli_text_string(line, cli_style_end(style));
	cli_text_string(line, ": ");
}

static void write_message(const char *subject, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void write_message(const char *subject, const char *format, va_list args)
{
	/* One byte of the line is kept back for the newline. */
	char line_bytes[LINE_MAX_BYTES], message[LINE_MAX_BYTES];
	int saved_errno = errno;
	struct cli_text line;

	if (diverted != NULL)
		cli_text_init(&line, diverted, diverted_capacity);
	else
		begin_line(&line, line_bytes, sizeof(line_bytes) - 1);
	if (subject)
		add_subject(&line, subject);
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		strcpy(message, "unprintable message");
	cli_text_escaped(&line, message, strlen(message));
	if (diverted == NULL)
		write_line(&line);
	errno = saved_errno;
}

void cli_message(const char *subject, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_message(subject, format, args);
	va_end(args);
}

void cli_message_plain(const char *line)
{
	char bytes[LINE_MAX_BYTES];
	struct cli_text text;

	cli_text_init(&text, bytes, sizeof(bytes) - 1);
	cli_text_string(&text, line);
	write_line(&text);
}

int cli_usage_error(const char *format, ...)
{
	char hint_bytes[128];
	struct cli_text hint;
	va_list args;

	va_start(args, format);
	write_message(NULL, format, args);
	va_end(args);
	if (diverted != NULL)
		return CLI_USAGE;
	cli_text_init(&hint, hint_bytes, sizeof(hint_bytes) - 1);
	cli_text_string(&hint, "Try 'shmlog ");
	if (command_name) {
		cli_text_string(&hint, command_name);
		cli_text_string(&hint, " ");
	}
	cli_text_string(&hint, "--help'.");
	write_line(&hint);
	return CLI_USAGE;
}

int cli_system_failed(const char *subject, const char *what, int error)
{
	/* Printed before another call can overwrite strerror(3)'s text. */
	if (what)
		cli_message(subject, "%s: %s", what, strerror(error));
	else
		cli_message(subject, "%s", strerror(error));
	return CLI_SYSTEM;
}
