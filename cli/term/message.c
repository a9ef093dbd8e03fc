/* Says on stderr what went wrong, one line each, fit for a terminal. */
#include "message.h"

#include "blocking.h"
#include "bounded_text.h"
#include "clock.h"
#include "command.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUBJECT_MAX 4096u
#define LINE_MAX_BYTES 8192u
/* How long a line waits for a reader where that must not go on. */
#define PATIENCE_NS 200000000

/* Every message begins with it, whoever prints it. */
static const char *command_name;
static bool never_waits;

void cli_message_never_wait(void)
{
	never_waits = true;
}

void cli_message_command(const char *name)
{
	command_name = name;
}

/* Whether nobody who reads stderr takes this line. */
static bool is_given_up(int64_t stalled_ns)
{
	return (never_waits || cli_signal_caught() != 0) &&
	       stalled_ns >= PATIENCE_NS;
}

/* One write(2) in the common case, so that lines of processes which share a
 * stderr stay whole.  Nobody is left to be told about a failure. */
static void write_line(struct cli_text *line)
{
	size_t written = 0;
	int64_t start_ns = cli_now_ns();

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

static void write_message(const char *subject, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void write_message(const char *subject, const char *format, va_list args)
{
	/* One byte of the line is kept back for the newline. */
	char line_bytes[LINE_MAX_BYTES], subject_bytes[SUBJECT_MAX];
	char message[LINE_MAX_BYTES];
	int saved_errno = errno;
	struct cli_text line, about;

	cli_text_init(&line, line_bytes, sizeof(line_bytes) - 1);
	cli_text_string(&line, "shmlog");
	if (command_name) {
		cli_text_string(&line, " ");
		cli_text_escaped(&line, command_name, strlen(command_name));
	}
	cli_text_string(&line, ": ");
	if (subject) {
		cli_text_init(&about, subject_bytes, sizeof(subject_bytes));
		cli_text_escaped(&about, subject, strlen(subject));
		/* A name that nobody can see needs its quotes. */
		cli_text_string(&line, *subject ? about.buffer : "''");
		cli_text_string(&line, ": ");
	}
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		strcpy(message, "unprintable message");
	cli_text_escaped(&line, message, strlen(message));
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

int cli_usage_error(const char *format, ...)
{
	char hint_bytes[128];
	struct cli_text hint;
	va_list args;

	va_start(args, format);
	write_message(NULL, format, args);
	va_end(args);
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

int cli_fail(const char *subject, const char *what, int status)
{
	/* strerror(3)'s text is the thread's: printed before anything else
	 * could ask for another one. */
	if (what)
		cli_message(subject, "%s: %s", what, shmlog_strerror(status));
	else
		cli_message(subject, "%s", shmlog_strerror(status));
	return cli_exit_status(status);
}

int cli_exit_status(int status)
{
	if (status >= 0)
		return CLI_OK;
	switch (status) {
	case SHMLOG_ERR_NOT_REGULAR:
	case SHMLOG_ERR_TOO_SHORT:
	case SHMLOG_ERR_NO_HEADER:
	case SHMLOG_ERR_HEADER_SIZE:
	case SHMLOG_ERR_DATA_OFFSET:
	case SHMLOG_ERR_SIZE:
	case SHMLOG_ERR_MAPPING_GONE:
	case SHMLOG_ERR_REPLACED:
	case SHMLOG_ERR_TORN: return CLI_NOT_LOG;
	case SHMLOG_ERR_CURSOR:
	case SHMLOG_ERR_FRAME_CORRUPT: return CLI_NO;
	case SHMLOG_ERR_FULL: return CLI_FULL;
	case SHMLOG_ERR_LOCK_TIMEOUT:
	case SHMLOG_ERR_WRITER_ACTIVE:
	case SHMLOG_ERR_INTERFERED:
	case SHMLOG_ERR_IN_DOUBT:
	case SHMLOG_ERR_OVERWRITTEN:
	case SHMLOG_ERR_WENT_BACK: return CLI_WRITER;
	case SHMLOG_ERR_PAYLOAD_SIZE:
	case SHMLOG_ERR_BAD_FRAMES: return CLI_INPUT;
	case SHMLOG_ERR_CAPACITY: return CLI_USAGE;
	default: return CLI_SYSTEM;
	}
}

/* ------------------------------------------------------------------ faults */

/* What was found in the place of a frame, behind "damaged frame at N: ". */
static void describe_words(struct cli_text *text,
                           const struct shmlog_fault *fault)
{
	const char *word = fault->backwards ? "its last size word"
	                                    : "its size word";
	const char *other = fault->backwards ? "its first one"
	                                     : "the one behind it";
	const char *side = fault->backwards
	                           ? "from the start of the log"
	                           : "to the end of the committed data";
	const char *are = fault->available == 1 ? "is" : "are";
	const char *bytes = fault->available == 1 ? "byte" : "bytes";
	char part[256];

	if (fault->available < 2)
		snprintf(part, sizeof(part),
		         "%" PRIu64 " %s %s too few for a size word",
		         fault->available, bytes, are);
	else if (fault->status == SHMLOG_ERR_FRAME_CORRUPT)
		snprintf(part, sizeof(part),
		         "%s says %" PRIu32 ", %s says %" PRIu32, word,
		         fault->first_word, other, fault->second_word);
	else if (fault->first_word < SHMLOG_FRAME_OVERHEAD_BYTES)
		snprintf(part, sizeof(part),
		         "%s says %" PRIu32 ", but no frame has fewer than %u "
		         "bytes",
		         word, fault->first_word, SHMLOG_FRAME_OVERHEAD_BYTES);
	else if (fault->first_word <= fault->available)
		snprintf(part, sizeof(part), "no chain of frames leads there");
	else
		snprintf(part, sizeof(part),
		         "%s says %" PRIu32 ", but there %s only %" PRIu64
		         " %s %s",
		         word, fault->first_word, are, fault->available, bytes,
		         side);
	cli_text_string(text, part);
}

const char *cli_describe_fault(struct cli_fault_text *buffer,
                               const struct shmlog_fault *fault)
{
	struct cli_text text;
	char part[128];

	cli_text_init(&text, buffer->text, sizeof(buffer->text));
	snprintf(part, sizeof(part), "%s frame %s cursor %" PRIu64 ": ",
	         fault->status == SHMLOG_ERR_TORN ? "torn" : "damaged",
	         fault->backwards ? "that ends at" : "at", fault->cursor);
	cli_text_string(&text, part);
	describe_words(&text, fault);
	if (fault->wrapped_payload_bytes != 0) {
		snprintf(part, sizeof(part),
		         "; looks like a payload of %" PRIu64
		         " bytes whose size wrapped",
		         fault->wrapped_payload_bytes);
		cli_text_string(&text, part);
	}
	return buffer->text;
}
