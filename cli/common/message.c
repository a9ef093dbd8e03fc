/* Says on stderr what went wrong, one line each, fit for a terminal. */
#include "common/message.h"

#include "common/command.h"
#include "common/text.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUBJECT_MAX 4096u
#define LINE_MAX_BYTES 8192u
#define CUT_MARK "..."

/* Every message begins with it, whoever prints it. */
static const char *command_name;

void cli_message_command(const char *name)
{
	command_name = name;
}

/* A text under construction, in a buffer that is always terminated. */
struct text {
	char *buffer;
	size_t capacity;
	size_t used;
	bool cut;
};

static void text_init(struct text *text, char *buffer, size_t capacity)
{
	text->buffer = buffer;
	text->capacity = capacity;
	text->used = 0;
	text->cut = false;
	buffer[0] = '\0';
}

/* Adds bytes that are safe already: all of them or, once and for all, the
 * mark of a cut.  Room for the mark and the terminator is always left. */
static void text_add(struct text *text, const char *bytes, size_t size_bytes)
{
	size_t room = text->capacity - text->used;

	if (text->cut)
		return;
	if (size_bytes >= room - strlen(CUT_MARK)) {
		text->cut = true;
		bytes = CUT_MARK;
		size_bytes = strlen(CUT_MARK);
	}
	memcpy(text->buffer + text->used, bytes, size_bytes);
	text->used += size_bytes;
	text->buffer[text->used] = '\0';
}

static void text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

/* Character by character, so that a cut never halves an escape. */
static void text_add_escaped(struct text *text, const void *bytes,
                             size_t size_bytes)
{
	const unsigned char *at = bytes;
	unsigned char escaped[4 * CLI_ESCAPE_TERMINAL_MAX];

	while (size_bytes > 0 && !text->cut) {
		unsigned code_point;
		size_t step = cli_utf8_decode(at, size_bytes, &code_point);

		if (step == 0)
			step = 1;
		text_add(text, (const char *)escaped,
		         cli_escape_terminal(escaped, at, step));
		at += step;
		size_bytes -= step;
	}
}

/* One write(2) in the common case, so that lines of processes which share a
 * stderr stay whole.  Nobody is left to be told about a failure. */
static void write_line(struct text *line)
{
	size_t written = 0;

	line->buffer[line->used++] = '\n';
	while (written < line->used) {
		ssize_t result = write(STDERR_FILENO, line->buffer + written,
		                       line->used - written);

		if (result < 0 && errno == EINTR)
			continue;
		if (result <= 0)
			return;
		written += (size_t)result;
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
	struct text line, about;

	text_init(&line, line_bytes, sizeof(line_bytes) - 1);
	text_add_string(&line, "shmlog");
	if (command_name) {
		text_add_string(&line, " ");
		text_add_escaped(&line, command_name, strlen(command_name));
	}
	text_add_string(&line, ": ");
	if (subject) {
		text_init(&about, subject_bytes, sizeof(subject_bytes));
		text_add_escaped(&about, subject, strlen(subject));
		/* A name that nobody can see needs its quotes. */
		text_add_string(&line, *subject ? about.buffer : "''");
		text_add_string(&line, ": ");
	}
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		strcpy(message, "unprintable message");
	text_add_escaped(&line, message, strlen(message));
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
	struct text hint;
	va_list args;

	va_start(args, format);
	write_message(NULL, format, args);
	va_end(args);
	text_init(&hint, hint_bytes, sizeof(hint_bytes) - 1);
	text_add_string(&hint, "Try 'shmlog ");
	if (command_name) {
		text_add_string(&hint, command_name);
		text_add_string(&hint, " ");
	}
	text_add_string(&hint, "--help'.");
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

/* ------------------------------------------------------------------ quotes */

const char *cli_quote_bytes(struct cli_quoted *buffer, const void *bytes,
                            size_t size_bytes)
{
	const char *at = bytes;
	const char *end = at + size_bytes;
	struct text text;

	/* The closing quote has a place of its own, also behind a cut. */
	text_init(&text, buffer->text, sizeof(buffer->text) - 1);
	text_add_string(&text, "'");
	while (at < end && !text.cut) {
		const char *quote = memchr(at, '\'', (size_t)(end - at));
		const char *stop = quote ? quote : end;

		text_add_escaped(&text, at, (size_t)(stop - at));
		if (quote)
			text_add_string(&text, "\\'");
		at = quote ? quote + 1 : end;
	}
	memcpy(buffer->text + text.used, "'", 2);
	return buffer->text;
}

const char *cli_quote(struct cli_quoted *buffer, const char *text)
{
	return cli_quote_bytes(buffer, text, strlen(text));
}

/* ------------------------------------------------------------------ faults */

/* What was found in the place of a frame, behind "damaged frame at N: ". */
static void describe_words(struct text *text, const struct shmlog_fault *fault)
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
	text_add_string(text, part);
}

const char *cli_describe_fault(struct cli_fault_text *buffer,
                               const struct shmlog_fault *fault)
{
	struct text text;
	char part[128];

	text_init(&text, buffer->text, sizeof(buffer->text));
	snprintf(part, sizeof(part), "%s frame %s cursor %" PRIu64 ": ",
	         fault->status == SHMLOG_ERR_TORN ? "torn" : "damaged",
	         fault->backwards ? "that ends at" : "at", fault->cursor);
	text_add_string(&text, part);
	describe_words(&text, fault);
	if (fault->wrapped_payload_bytes != 0) {
		snprintf(part, sizeof(part),
		         "; looks like a payload of %" PRIu64
		         " bytes whose size wrapped",
		         fault->wrapped_payload_bytes);
		text_add_string(&text, part);
	}
	return buffer->text;
}
