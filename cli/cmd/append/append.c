/* Appends records from files, standard input or the command line. */
#include "blocking.h"
#include "command.h"
#include "committer.h"
#include "distinct.h"
#include "failure.h"
#include "message.h"
#include "numbers.h"
#include "open_log.h"
#include "options.h"
#include "overflow.h"
#include "records.h"
#include "signals.h"
#include "typed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPTION_INPUT,
	OPTION_MESSAGE,
	OPTION_CREATE,
	OPTION_ATOMIC,
	OPTION_COMMIT_EVERY,
	OPTION_ACK,
	OPTION_SKIP_INVALID,
	OPTION_OVERFLOW,
	OPTION_FORCE,
	OPTION_LOCK_TIMEOUT,
	OPTION_WRITER_TIMEOUT,
	OPTION_SCHEMA,
	OPTION_TYPE,
	OPTION_ENUM_NUMBERS,
};

static const struct cli_option append_options[] = {
	[OPTION_INPUT] =
		{.letter = 'i',
                 .name = "input",
                 .value = "FORMAT",
                 .help = "lines, nul, json, envelope, frames or whole"},
	[OPTION_MESSAGE] =
		{.letter = 'm',
                 .name = "message",
                 .value = "TEXT",
                 .repeatable = true,
                 .help = "append TEXT as one frame; may be repeated"},
	[OPTION_CREATE] = {.name = "create",
                           .value = "SIZE",
                           .help = "create a missing log with this capacity"},
	[OPTION_ATOMIC] =
		{.name = "atomic",
                 .help = "all the input in one commit, or none of it"},
	[OPTION_COMMIT_EVERY] = {.name = "commit-every",
                                 .value = "N",
                                 .help = "commit after every N frames"},
	[OPTION_ACK] = {.name = "ack",
                        .help = "print a JSON line after each commit"},
	[OPTION_SKIP_INVALID] = {.name = "skip-invalid",
                                 .help = "report invalid records and go on"},
	[OPTION_OVERFLOW] =
		{.name = "overflow",
                 .value = "FILE",
                 .help = "input that does not get into LOG goes there"},
	[OPTION_FORCE] = {.name = "force",
                          .help = "append though another writer is seen"},
	[OPTION_LOCK_TIMEOUT] =
		{.name = "lock-timeout",
                 .value = "DURATION",
                 .help = "how long to wait for other appenders"},
	[OPTION_WRITER_TIMEOUT] =
		{.name = "writer-timeout",
                 .value = "DURATION",
                 .help = "how long to wait for a writer without the lock"},
	CLI_TYPED_OPTIONS(OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS),
};

/* Bytes that are asked of the input at a time, and so committed together. */
#define READ_BYTES 524288u

struct append {
	const char *path;                 /* of the log */
	struct shmlog *log;               /* NULL: not open yet */
	enum cli_input_format format;     /* what records mean */
	enum cli_input_format delimiting; /* how they are cut apart */
	const char *noun;                 /* what messages call one */
	bool skip_invalid;
	uint64_t skipped;
	struct cli_typed typed; /* what records are values of */
	struct cli_committer_options committer_options;
	struct cli_committer committer;
	struct cli_overflow overflow;
	unsigned char *scratch; /* for conversions */

	/* The input at hand. */
	const char *name; /* NULL for standard input and -m */
	int fd;           /* -1 for -m */
	unsigned char *buffer;
	size_t record_max; /* bytes; the buffer has room for one and
	                          * for what is read */
	uint64_t base;     /* bytes of the input before the buffer's */
	size_t used;       /* bytes in the buffer */
	size_t parsed;     /* of them, put into the committer or passed over */
	size_t settled;    /* of them, committed or passed over */
	uint64_t number;   /* of the record at `parsed`, from 1 */
	bool began;        /* to be read */
	bool at_end;
	bool unreadable;
	bool unopened;
	bool discarding; /* inside a record that is too long, at `parsed` */

	/* The input ends early; what is not in the log begins at `rest`. */
	bool ended;
	bool told; /* a message says so */
	struct cli_place rest;
};

/* "line 4", or "line 4 of 'file'", in the caller's buffer. */
struct place {
	char text[320];
};

static const char *describe_place(const struct append *append, uint64_t number,
                                  struct place *place)
{
	struct cli_quoted name;

	if (append->delimiting == CLI_INPUT_WHOLE)
		snprintf(place->text, sizeof(place->text), "%s",
		         append->name == NULL ? "standard input"
		                              : cli_quote(&name, append->name));
	else if (append->name == NULL)
		snprintf(place->text, sizeof(place->text), "%s %" PRIu64,
		         append->noun, number);
	else
		snprintf(place->text, sizeof(place->text),
		         "%s %" PRIu64 " of %s", append->noun, number,
		         cli_quote(&name, append->name));
	return place->text;
}

/* Cuts the first record from the buffer's bytes from `at` to `end`. */
static enum cli_split split_at(const struct append *append, size_t at,
                               size_t end, bool at_end,
                               struct cli_record *record_out)
{
	const unsigned char *bytes = append->buffer + at;

	if (append->typed.type != NULL)
		return cli_value_split(append->delimiting, &append->typed,
		                       bytes, end - at, at_end, record_out);
	return cli_record_split(append->delimiting, bytes, end - at, at_end,
	                        record_out);
}

static enum cli_convert convert(const struct append *append,
                                const struct cli_record *record,
                                struct cli_payload *payload_out)
{
	if (append->typed.type != NULL)
		return cli_value_convert(append->format, &append->typed, record,
		                         append->scratch, payload_out);
	return cli_record_convert(append->format, record, append->scratch,
	                          payload_out);
}

/* Where a record that is too long, and that a place lies in, ends, up to
 * `end`; the record's number is raised if it does. */
static size_t end_of_discarded(const struct append *append, size_t at,
                               size_t end, uint64_t *number)
{
	const unsigned char *from = append->buffer + at;
	int delimiter = append->delimiting == CLI_INPUT_NUL ? '\0' : '\n';
	const unsigned char *found = append->delimiting == CLI_INPUT_WHOLE
	                                     ? NULL
	                                     : memchr(from, delimiter,
	                                              end - at);

	if (found == NULL)
		return end;
	++*number;
	return (size_t)(found - append->buffer) + 1;
}

/* The place of the next record. */
static struct cli_place here(const struct append *append)
{
	return (struct cli_place){append->base + append->parsed,
	                          append->number};
}

/* Ends the input at a place, with an exit status. */
static int end_at(struct append *append, struct cli_place rest, int status)
{
	append->ended = true;
	append->told = status != CLI_OK;
	append->rest = rest;
	return status;
}

/* How a message about the end of an input goes on. */
struct rest_text {
	char text[600];
};

/* Where the input, or what was read of it, goes from `from` on ("line 4 of
 * 'file'"), if anywhere. */
static const char *describe_rest(const struct append *append, const char *from,
                                 struct rest_text *rest)
{
	struct cli_quoted file;
	bool is_whole = append->delimiting == CLI_INPUT_WHOLE;
	const char *what = append->unreadable ? "what was read from "
	                                      : "the input from ";

	rest->text[0] = '\0';
	if (append->overflow.path != NULL)
		snprintf(rest->text, sizeof(rest->text), "; %s%s%s goes to %s",
		         is_whole ? "" : what, is_whole ? "it" : from,
		         is_whole ? "" : " on",
		         cli_quote(&file, append->overflow.path));
	return rest->text;
}

static int report_full(struct append *append, const struct cli_refused *refused)
{
	const struct cli_committer *committer = &append->committer;
	struct place place;
	struct rest_text rest;

	if (committer->options.atomic) {
		cli_message(append->path,
		            "full: 0 frames committed, the input does not fit "
		            "in %" PRIu64 " free bytes as one commit",
		            committer->free_bytes);
		return CLI_FULL;
	}
	cli_message(append->path,
	            "full: %" PRIu64 " frames committed, %s (%zu bytes) does "
	            "not fit in %" PRIu64 " free bytes%s%s",
	            committer->committed,
	            describe_place(append, refused->from.number, &place),
	            refused->size_bytes, committer->free_bytes,
	            refused->size_bytes <= committer->free_bytes
	                    ? " (a frame takes 4 more than its payload)"
	                    : "",
	            describe_rest(append, "there", &rest));
	return CLI_FULL;
}

/* Commits what waits.  CLI_OK, or an exit status after a message. */
static int commit(struct append *append)
{
	struct cli_refused refused;
	struct place place;
	struct rest_text rest;
	int status = cli_committer_commit(&append->committer, &refused);

	if (status == 0) {
		/* Nothing up to `parsed` is of interest any more. */
		append->settled = append->parsed;
		return CLI_OK;
	}
	describe_place(append, refused.from.number, &place);
	status = status == SHMLOG_ERR_FULL
	                 ? report_full(append, &refused)
	                 : cli_committer_refused(
				   &append->committer, status,
				   describe_rest(append, place.text, &rest));
	return end_at(append, refused.from, status);
}

/* Puts one payload into the committer, committing when it is time. */
static int put(struct append *append, const struct cli_payload *payload)
{
	int status = cli_committer_put(&append->committer, payload->bytes,
	                               payload->size_bytes, here(append),
	                               cli_record_surplus(append->delimiting));

	if (status == 0)
		return CLI_OK;
	cli_message(append->path,
	            "cannot hold the input back for one commit: %s; 0 frames "
	            "committed",
	            shmlog_strerror(status));
	return cli_exit_status(status);
}

/* Whether to end before the input does: after a signal, or once nobody reads
 * the acknowledgements. */
static bool is_stopped(const struct append *append)
{
	return cli_signal_caught() != 0 || append->committer.output->error != 0;
}

/* A record that cannot be appended.  CLI_OK if it is passed over. */
static int reject(struct append *append, const char *reason)
{
	struct place place;
	struct rest_text rest;
	int status = CLI_OK;

	describe_place(append, append->number, &place);
	cli_committer_let_go(&append->committer);
	if (append->skip_invalid) {
		cli_message(append->path, "skipped %s: %s", place.text, reason);
		append->skipped++;
		return CLI_OK;
	}
	if (!append->committer.options.atomic)
		status = commit(append);
	if (status != CLI_OK)
		return status;
	cli_message(append->path,
	            "bad input: %s: %s; %" PRIu64 " frames committed%s%s",
	            place.text, reason, append->committer.committed,
	            append->committer.options.atomic ? "" : " before it",
	            describe_rest(append, "there", &rest));
	return end_at(append, here(append), CLI_INPUT);
}

static int reject_size(struct append *append, size_t size_bytes, bool exact)
{
	char reason[128];

	snprintf(reason, sizeof(reason),
	         "%s%zu bytes are more than the %u that a frame holds",
	         exact ? "" : "at least ", size_bytes,
	         SHMLOG_PAYLOAD_MAX_BYTES);
	return reject(append, reason);
}

static int take_record(struct append *append, const struct cli_record *record)
{
	struct cli_payload payload;

	switch (convert(append, record, &payload)) {
	case CLI_CONVERT_NOTHING: return CLI_OK;
	case CLI_CONVERT_INVALID: return reject(append, payload.reason);
	default: break;
	}
	if (payload.size_bytes > SHMLOG_PAYLOAD_MAX_BYTES)
		return reject_size(append, payload.size_bytes, true);
	return put(append, &payload);
}

/* Passes over what is left of a record that was too long. */
static void discard(struct append *append)
{
	uint64_t number = append->number;

	append->parsed = end_of_discarded(append, append->parsed, append->used,
	                                  &append->number);
	append->discarding = append->number == number;
}

/* A record whose end is out of sight and which is too long already. */
static int take_too_long(struct append *append, const struct cli_record *record)
{
	int status = append->typed.type != NULL
	                     ? reject(append, "longer than any value of its "
	                                      "type is")
	                     : reject_size(append, record->size_bytes,
	                                   record->consumed > 0);

	if (status == CLI_OK && record->consumed == 0)
		discard(append);
	return status;
}

static int take_broken_frame(struct append *append, bool cut)
{
	/* Behind a broken frame nothing can be told apart, whatever may be
	 * skipped. */
	append->skip_invalid = false;
	return reject(append, cut ? "the input ends inside this frame"
	                          : "its two size words make no frame");
}

/* Takes the first record at `parsed`; *more_out: it is not all there. */
static int take_next(struct append *append, bool *more_out)
{
	struct cli_record record;
	int status = CLI_OK;
	enum cli_split split = split_at(append, append->parsed, append->used,
	                                append->at_end, &record);

	switch (split) {
	case CLI_SPLIT_MORE: *more_out = true; return CLI_OK;
	case CLI_SPLIT_RECORD: status = take_record(append, &record); break;
	case CLI_SPLIT_TOO_LONG: status = take_too_long(append, &record); break;
	default: return take_broken_frame(append, split == CLI_SPLIT_CUT);
	}
	if (status == CLI_OK && record.consumed > 0) {
		append->parsed += record.consumed;
		append->number++;
	}
	return status;
}

/* Takes the records at `parsed` that need no closer look, all in one go.
 * False if the next one is not of these. */
static bool take_simple(struct append *append)
{
	struct cli_framing framing = {0};

	/* The texts of -m are cut apart in another way than they are meant. */
	if (append->typed.type != NULL || append->format != append->delimiting)
		return false;
	framing.frames = cli_committer_room(&append->committer,
	                                    &framing.room_bytes, &framing.most);
	cli_records_frame(append->format, append->buffer + append->parsed,
	                  append->used - append->parsed, &framing);
	cli_committer_add(&append->committer,
	                  (struct cli_extent){framing.count, framing.used},
	                  here(append), cli_record_surplus(append->format));
	append->parsed += framing.consumed;
	append->number += framing.count;
	return framing.count > 0;
}

/* Takes all whole records in the buffer, and commits as they come: also after
 * a signal, which nobody can read them again after. */
static int take_buffer(struct append *append)
{
	bool more = false;
	int status = CLI_OK;

	if (append->discarding)
		discard(append);
	while (status == CLI_OK && !more && append->parsed < append->used &&
	       !append->discarding && append->committer.output->error == 0) {
		if (!cli_committer_has_room(&append->committer))
			status = commit(append);
		if (status == CLI_OK && !take_simple(append))
			status = take_next(append, &more);
		if (status == CLI_OK &&
		    cli_committer_is_due(&append->committer))
			status = commit(append);
	}
	if (status == CLI_OK && append->committer.options.commit_every == 0 &&
	    !append->committer.options.atomic)
		status = commit(append);
	return status;
}

/* Drops what is settled from the buffer, so that there is room to read. */
static int make_room(struct append *append)
{
	int status = CLI_OK;

	if (append->committer.options.atomic)
		append->settled = append->parsed;
	/* What waits for --commit-every is kept until it is committed, but
	 * must not stop the reading. */
	if (append->used - append->settled > append->record_max &&
	    append->settled < append->parsed)
		status = commit(append);
	if (status == CLI_OK && append->settled > 0) {
		append->base += append->settled;
		append->used -= append->settled;
		append->parsed -= append->settled;
		memmove(append->buffer, append->buffer + append->settled,
		        append->used);
		append->settled = 0;
	}
	return status;
}

/* What is complete is committed, as it is where a signal ends the input. */
static int report_unreadable(struct append *append, int error)
{
	struct cli_quoted name;
	struct place place;
	struct rest_text rest;
	int status = append->committer.options.atomic ? CLI_OK : commit(append);

	append->unreadable = true;
	if (status != CLI_OK)
		return status;
	describe_place(append, append->number, &place);
	cli_message(append->path,
	            "cannot read %s: %s; %" PRIu64 " frames committed%s",
	            append->name == NULL ? "standard input"
	                                 : cli_quote(&name, append->name),
	            shmlog_strerror(error), append->committer.committed,
	            describe_rest(append, place.text, &rest));
	return end_at(append, here(append), CLI_SYSTEM);
}

/* Whether the input is what a follower of the log prints, after a message.  A
 * follower that is started at the same time has said so before it prints. */
static bool is_fed(const struct append *append)
{
	struct cli_quoted name;

	if (append->committer_options.force ||
	    shmlog_is_fed(append->log, append->fd) != 1)
		return false;
	cli_message(append->path,
	            "%s comes from a tail that follows this log: what is "
	            "appended would come back without end; %" PRIu64
	            " frames committed",
	            append->name == NULL ? "standard input"
	                                 : cli_quote(&name, append->name),
	            append->committer.committed);
	return true;
}

/* Reads once.  CLI_OK, or an exit status after a message; a signal counts as
 * the end. */
static int read_more(struct append *append)
{
	size_t room = append->record_max + READ_BYTES - append->used;
	ssize_t got;

	if (room > READ_BYTES)
		room = READ_BYTES;
	cli_committer_wait(&append->committer, append->fd);
	got = cli_read(append->fd, append->buffer + append->used, room);
	if (got < 0 && errno != EINTR)
		return report_unreadable(append, -errno);
	if (got > 0 && !append->began && is_fed(append))
		return CLI_USAGE;
	append->began = true;
	append->at_end = got == 0;
	append->used += got > 0 ? (size_t)got : 0;
	return CLI_OK;
}

/* An empty input is one empty payload where the whole of it is one. */
static int take_empty_whole(struct append *append)
{
	struct cli_payload payload = {.bytes = append->buffer};

	return put(append, &payload);
}

/* Takes all records of an open input. */
static int take_input(struct append *append)
{
	int status = CLI_OK;

	while (status == CLI_OK && !append->at_end && !is_stopped(append)) {
		status = make_room(append);
		if (status == CLI_OK)
			status = read_more(append);
		if (status == CLI_OK && append->at_end && append->used == 0 &&
		    append->delimiting == CLI_INPUT_WHOLE &&
		    !append->discarding && append->typed.type == NULL)
			status = take_empty_whole(append);
		if (status == CLI_OK)
			status = take_buffer(append);
	}
	return status;
}

/* The nth FILE, from 1 on; standard input where there is none. */
static const char *nth_file(const struct cli_args *args, size_t n)
{
	if (n < cli_args_operand_count(args))
		return cli_args_operand(args, n);
	return n == 1 && cli_args_count(args, OPTION_MESSAGE) == 0 ? "-" : NULL;
}

/* What an input must not be, as it would feed itself; NULL if it is none of
 * that. */
static const char *clash_of(const struct append *append,
                            const struct stat *input)
{
	struct stat other;

	if (append->log != NULL ? cli_is_log(append->log, input)
	                        : stat(append->path, &other) == 0 &&
	                                  cli_is_same_file(&other, input))
		return "is the log itself";
	if (append->overflow.path != NULL &&
	    fstat(append->overflow.fd, &other) == 0 &&
	    cli_is_same_file(&other, input))
		return "is the file for what overflows itself";
	if (append->committer_options.ack &&
	    fstat(STDOUT_FILENO, &other) == 0 &&
	    cli_is_same_file(&other, input))
		return "is the file that standard output goes to";
	return NULL;
}

/* Reading what is written at the same time would never end, or damage it.
 * Looks at names: to open a FIFO would be noticed at its other end. */
static int check_inputs(const struct append *append,
                        const struct cli_args *args)
{
	const char *name;

	for (size_t n = 1; (name = nth_file(args, n)) != NULL; n++) {
		bool is_stdin = strcmp(name, "-") == 0;
		struct stat input;
		int failed = is_stdin ? fstat(STDIN_FILENO, &input)
		                      : stat(name, &input);
		const char *clash = failed == 0 ? clash_of(append, &input)
		                                : NULL;

		if (clash == NULL)
			continue;
		cli_message(is_stdin ? "standard input" : name,
		            "%s; nothing was appended", clash);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* What overflows must go neither into the log nor among acknowledgements. */
static int check_overflow(const struct append *append)
{
	const struct cli_overflow *overflow = &append->overflow;
	const char *clash = NULL;
	struct stat rest;
	struct stat other;

	if (overflow->path == NULL || fstat(overflow->fd, &rest) != 0)
		return CLI_OK;
	if (append->log != NULL ? cli_is_log(append->log, &rest)
	                        : cli_is_path_of(append->path, overflow->fd))
		clash = "is the log itself";
	else if (append->committer_options.ack &&
	         fstat(STDOUT_FILENO, &other) == 0 &&
	         cli_is_same_file(&rest, &other))
		clash = "is the file that standard output goes to";
	if (clash == NULL)
		return CLI_OK;
	cli_message(overflow->path, "%s; nothing was appended", clash);
	return CLI_USAGE;
}

/* Whether all that is read and written are different files: before anything
 * is made, and again once the log is open, whatever its name led to before. */
static int check_distinct(const struct append *append,
                          const struct cli_args *args)
{
	int status = cli_check_output(append->path, append->log);

	if (status == CLI_OK)
		status = check_overflow(append);
	return status == CLI_OK ? check_inputs(append, args) : status;
}

static void begin_input(struct append *append, const char *name, int fd)
{
	append->name = name;
	append->fd = fd;
	append->base = 0;
	append->used = append->parsed = append->settled = 0;
	append->number = 1;
	append->began = append->at_end = append->unreadable = append->unopened =
		false;
	append->discarding = false;
	append->rest = here(append);
}

/* Says what ends the input early, where no refusal does. */
static void report_stopped(struct append *append)
{
	int error = append->committer.output->error;
	struct place place;
	struct rest_text rest;

	describe_place(append, append->rest.number, &place);
	cli_message(append->path, "%s%s; %" PRIu64 " frames committed%s",
	            error == 0 ? "ended by a signal" : "cannot acknowledge: ",
	            error == 0 ? "" : shmlog_strerror(-error),
	            append->committer.committed,
	            describe_rest(append, place.text, &rest));
	append->told = true;
}

/* Ends the input without a status: after a signal, or because nobody takes the
 * acknowledgements. */
static int end_stopped(struct append *append)
{
	bool is_used_up = append->at_end && append->parsed == append->used;

	end_at(append, here(append), CLI_OK);
	/* Keeping the rest may take long.  After a signal it takes no longer
	 * than there is some, and that may be nothing. */
	if (cli_signal_caught() == 0 && append->overflow.path != NULL &&
	    !is_used_up)
		report_stopped(append);
	return CLI_OK;
}

/* Commits what an input leaves waiting: it comes from this buffer. */
static int finish_input(struct append *append, int status)
{
	if (status == CLI_OK && !append->committer.options.atomic)
		status = commit(append);
	if (status == CLI_OK && is_stopped(append))
		status = end_stopped(append);
	return status;
}

/* Whether there is something to read; after a signal nobody waits for it. */
static bool may_read(const struct append *append)
{
	struct pollfd request = {.fd = append->fd, .events = POLLIN};

	return !append->at_end &&
	       (cli_signal_caught() == 0 || poll(&request, 1, 0) > 0);
}

/* Reads the rest of a record that is passed over, which is not kept. */
static void pass_over_discarded(struct append *append)
{
	ssize_t got = 1;

	discard(append);
	while (append->discarding && got > 0 && may_read(append)) {
		got = cli_read(append->fd, append->buffer, READ_BYTES);
		append->base += append->used;
		append->used = got > 0 ? (size_t)got : 0;
		append->parsed = 0;
		discard(append);
	}
	append->rest = here(append);
}

/* Keeps the input at hand from where it is not in the log. */
static int keep_input(struct append *append)
{
	struct cli_overflow *overflow = &append->overflow;
	bool is_read = append->fd >= 0;

	if (overflow->path == NULL)
		return CLI_OK;
	if (append->discarding && append->rest.at == here(append).at)
		pass_over_discarded(append);
	unsigned char *rest = append->buffer +
	                      (size_t)(append->rest.at - append->base);
	size_t rest_bytes = append->used -
	                    (size_t)(append->rest.at - append->base);

	/* The texts of -m are kept as lines. */
	for (size_t i = 0; i < rest_bytes && !is_read; i++)
		rest[i] = rest[i] == '\0' ? '\n' : rest[i];
	cli_overflow_begin(overflow,
	                   !is_read               ? NULL
	                   : append->name == NULL ? "-"
	                                          : append->name,
	                   append->rest.at);
	int status = cli_overflow_keep(overflow, rest, rest_bytes);

	if (status == CLI_OK && is_read && !append->unreadable)
		status = cli_overflow_keep_rest(overflow, append->fd);
	return status;
}

/* The status of what could not be appended, or of what could not be kept. */
static int worse(int status, int kept)
{
	return kept == CLI_OK ? status : kept;
}

/* An input that cannot be opened, though it could be looked at. */
static int end_unopened(struct append *append, const char *name, int error)
{
	struct cli_quoted file;
	bool kept = append->overflow.path != NULL;

	append->unopened = true;
	if (error == -EINTR)
		return end_at(append, here(append), CLI_OK);
	cli_message(name, "cannot open: %s; %" PRIu64 " frames committed%s%s",
	            shmlog_strerror(error), append->committer.committed,
	            kept ? "; the input behind it goes to " : "",
	            kept ? cli_quote(&file, append->overflow.path) : "");
	return end_at(append, here(append), CLI_SYSTEM);
}

/* Whether an open input is one that must not be read after all. */
static int check_opened(const struct append *append, const char *name)
{
	struct stat input;
	const char *clash = fstat(append->fd, &input) == 0
	                            ? clash_of(append, &input)
	                            : NULL;

	if (clash == NULL)
		return CLI_OK;
	cli_message(name, "%s; %" PRIu64 " frames committed", clash,
	            append->committer.committed);
	return CLI_USAGE;
}

/* Takes one FILE; "-" is standard input. */
static int take_file(struct append *append, const char *name)
{
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO
	                  : cli_open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);

	begin_input(append, is_stdin ? NULL : name, fd);
	if (fd < 0)
		return end_unopened(append, name, -errno);
#ifdef F_SETPIPE_SZ
	/* Larger reads make fewer commits. */
	(void)fcntl(fd, F_SETPIPE_SZ, 1 << 20);
#endif
	int status = check_opened(append, name);

	if (status == CLI_OK)
		status = finish_input(append, take_input(append));
	if (append->ended)
		status = worse(status, keep_input(append));
	if (!is_stdin)
		close(fd);
	return status;
}

/* Makes the texts of -m the input: cut apart by the one byte that none can
 * hold. */
static int load_messages(struct append *append, const struct cli_args *args)
{
	size_t count = cli_args_count(args, OPTION_MESSAGE);
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(cli_args_nth(args, OPTION_MESSAGE, i)) + 1;
	free(append->buffer);
	append->buffer = malloc(bytes);
	if (append->buffer == NULL)
		return cli_fail(append->path, "cannot append", -ENOMEM);
	begin_input(append, NULL, -1);
	append->delimiting = CLI_INPUT_NUL;
	append->noun = "message";
	append->at_end = true;
	for (size_t i = 0; i < count; i++) {
		const char *text = cli_args_nth(args, OPTION_MESSAGE, i);

		memcpy(append->buffer + append->used, text, strlen(text) + 1);
		append->used += strlen(text) + 1;
	}
	return CLI_OK;
}

static int take_messages(struct append *append, const struct cli_args *args)
{
	int status = load_messages(append, args);

	if (status != CLI_OK)
		return status;
	status = finish_input(append, take_buffer(append));
	return append->ended ? worse(status, keep_input(append)) : status;
}

/* Whether the FILEs can be read at all, before anything is done. */
static int check_readable(const struct cli_args *args)
{
	for (size_t i = 1; i < cli_args_operand_count(args); i++) {
		const char *name = cli_args_operand(args, i);
		struct stat file;
		int error = 0;

		if (strcmp(name, "-") == 0)
			continue;
		if (access(name, R_OK) != 0 || stat(name, &file) != 0)
			error = errno;
		else if (S_ISDIR(file.st_mode))
			error = EISDIR;
		if (error == 0)
			continue;
		cli_message(name, "cannot read: %s; nothing was appended",
		            shmlog_strerror(-error));
		return CLI_SYSTEM;
	}
	return CLI_OK;
}

/* Keeps the FILEs that were not begun, whole. */
static int keep_files(struct append *append, const struct cli_args *args,
                      size_t from)
{
	bool has_delimiter = append->format != CLI_INPUT_FRAMES &&
	                     append->format != CLI_INPUT_WHOLE;
	int delimiter = append->format == CLI_INPUT_NUL ? '\0' : '\n';
	int status = CLI_OK;
	const char *name;

	for (size_t i = from;
	     append->overflow.path != NULL && !append->overflow.failed &&
	     (name = nth_file(args, i)) != NULL;
	     i++)
		status = worse(status, cli_overflow_keep_file(
					       &append->overflow, name,
					       has_delimiter ? delimiter : -1));
	return status;
}

/* Takes the FILEs until one ends early; then it and those behind it are
 * kept. */
static int take_files(struct append *append, const struct cli_args *args)
{
	int status = CLI_OK;
	size_t n = 1;

	for (const char *name; status == CLI_OK && !append->ended &&
	                       (name = nth_file(args, n)) != NULL;
	     n++)
		status = take_file(append, name);
	if (append->unopened && cli_signal_caught() != 0)
		n--;
	if (append->ended)
		status = worse(status, keep_files(append, args, n));
	return status;
}

static int take_all(struct append *append, const struct cli_args *args)
{
	int status = cli_args_count(args, OPTION_MESSAGE) > 0
	                     ? take_messages(append, args)
	                     : take_files(append, args);

	if (append->ended && !append->told && append->overflow.kept > 0)
		report_stopped(append);
	/* What is to be all or nothing waits for the end of the input; a signal
	 * is none. */
	if (status == CLI_OK && append->committer.options.atomic &&
	    cli_signal_caught() == 0)
		status = commit(append);
	return status;
}

/* Keeps all the input, of which nothing was read, as the log refuses it. */
static int keep_all(struct append *append, const struct cli_args *args)
{
	if (cli_args_count(args, OPTION_MESSAGE) == 0)
		return keep_files(append, args, 1);
	int status = load_messages(append, args);

	return status == CLI_OK ? keep_input(append) : status;
}

/* Reports that the log takes nothing at all. */
static int report_refused(struct append *append, const struct cli_args *args,
                          int status)
{
	struct cli_quoted file;
	char rest[320] = "";

	if (append->overflow.path != NULL)
		snprintf(rest, sizeof(rest), "; the input goes to %s",
		         cli_quote(&file, append->overflow.path));
	status = cli_committer_refused(&append->committer, status, rest);
	return worse(status, keep_all(append, args));
}

static int parse_options(const struct cli_args *args, struct append *append,
                         struct cli_committer_options *committer)
{
	const char *format = cli_args_value(args, OPTION_INPUT);
	const char *every = cli_args_value(args, OPTION_COMMIT_EVERY);
	const char *timeout = cli_args_value(args, OPTION_LOCK_TIMEOUT);
	const char *patience = cli_args_value(args, OPTION_WRITER_TIMEOUT);
	struct cli_quoted quoted;

	committer->lock_timeout_ns = -1;
	committer->atomic = cli_args_count(args, OPTION_ATOMIC) > 0;
	committer->ack = cli_args_count(args, OPTION_ACK) > 0;
	committer->needs_output = cli_args_count(args, OPTION_OVERFLOW) > 0;
	committer->force = cli_args_count(args, OPTION_FORCE) > 0;
	append->skip_invalid = cli_args_count(args, OPTION_SKIP_INVALID) > 0;
	if (format != NULL && !cli_input_format_parse(format, &append->format))
		return cli_usage_error("unknown input format %s: lines, nul, "
		                       "json, envelope, frames or whole",
		                       cli_quote(&quoted, format));
	append->delimiting = append->format;
	append->noun = cli_record_noun(append->format);
	if (every != NULL && (!cli_parse_u64(every, &committer->commit_every) ||
	                      committer->commit_every == 0))
		return cli_usage_error("--commit-every %s is no number of "
		                       "frames from 1 on",
		                       cli_quote(&quoted, every));
	if (timeout != NULL &&
	    !cli_parse_duration(timeout, &committer->lock_timeout_ns))
		return cli_usage_error("--lock-timeout %s is no DURATION such "
		                       "as 250us, 10ms, 1.5s or 2m",
		                       cli_quote(&quoted, timeout));
	if (patience != NULL &&
	    !cli_parse_duration(patience, &committer->writer_timeout_ns))
		return cli_usage_error("--writer-timeout %s is no DURATION "
		                       "such as 250us, 10ms, 1.5s or 2m",
		                       cli_quote(&quoted, patience));
	return CLI_OK;
}

/* Whether any -m has a newline, which ends what overflows of it. */
static bool has_newline(const struct cli_args *args)
{
	for (size_t i = 0; i < cli_args_count(args, OPTION_MESSAGE); i++) {
		if (strchr(cli_args_nth(args, OPTION_MESSAGE, i), '\n') != NULL)
			return true;
	}
	return false;
}

static int check_combination(const struct cli_args *args,
                             const struct append *append,
                             const struct cli_committer_options *committer)
{
	bool messages = cli_args_count(args, OPTION_MESSAGE) > 0;
	const char *overflow = cli_args_value(args, OPTION_OVERFLOW);

	if (messages && cli_args_operand_count(args) > 1)
		return cli_usage_error("--message and FILE exclude each other");
	if (messages && append->format == CLI_INPUT_FRAMES)
		return cli_usage_error("--message cannot hold frames");
	if (append->typed.type != NULL && append->format == CLI_INPUT_FRAMES)
		return cli_usage_error("--schema and the input format frames "
		                       "exclude each other");
	if (committer->force && cli_args_count(args, OPTION_WRITER_TIMEOUT) > 0)
		return cli_usage_error("--force and --writer-timeout exclude "
		                       "each other: the one does not wait");
	if (committer->atomic && committer->commit_every > 0)
		return cli_usage_error(
			"--atomic and --commit-every exclude each other");
	if (committer->atomic && overflow != NULL)
		return cli_usage_error("--atomic and --overflow exclude each "
		                       "other: there is no rest");
	if (overflow != NULL && append->format == CLI_INPUT_WHOLE &&
	    cli_args_operand_count(args) > 2)
		return cli_usage_error("--overflow would make one of several "
		                       "FILEs that are whole payloads");
	if (overflow != NULL && has_newline(args))
		return cli_usage_error("--overflow would cut a TEXT with a "
		                       "newline in two");
	if (committer->ack && overflow != NULL && strcmp(overflow, "-") == 0)
		return cli_usage_error("--ack and --overflow - would mix on "
		                       "standard output");
	return CLI_OK;
}

/* Creates a log that its owner can append to, whatever the umask. */
static int create_log(const char *path, uint64_t capacity)
{
	mode_t mask = umask(0);

	(void)umask(mask & ~(mode_t)(S_IRUSR | S_IWUSR));
	int status = cli_create_log(path, capacity, 0664, 0);

	(void)umask(mask);
	return status;
}

/* Opens the log, and makes it first if that is wanted. */
static int open_log(const struct cli_args *args, const char *path,
                    struct shmlog **log_out)
{
	const char *size = cli_args_value(args, OPTION_CREATE);
	struct cli_quoted quoted;
	uint64_t capacity;

	if (size == NULL)
		return cli_open_log(path, log_out);
	if (!cli_parse_size(size, &capacity) ||
	    capacity < SHMLOG_HEADER_BYTES || capacity > INT64_MAX)
		return cli_usage_error("--create %s is no SIZE of a log: at "
		                       "least %u bytes, K, M, G or T behind "
		                       "the digits for powers of 1024",
		                       cli_quote(&quoted, size),
		                       SHMLOG_HEADER_BYTES);
	int status = create_log(path, capacity);

	if (status != 0 && status != -EEXIST)
		return cli_fail(path, "cannot create", status);
	/* An existing one is taken as it is, whatever its capacity: it may
	 * have been made longer. */
	return cli_open_log(path, log_out);
}

/* The log, the file for the rest and the inputs are distinct. */
static int append_to(struct append *append, const struct cli_args *args)
{
	struct cli_output output;
	int status = cli_output_init(&output, STDOUT_FILENO);

	if (status != 0)
		return cli_fail(append->path, "cannot append", status);
	append->scratch = malloc(CLI_RECORD_MAX_BYTES);
	append->record_max = append->typed.type != NULL
	                             ? cli_value_max(&append->typed)
	                             : CLI_RECORD_MAX_BYTES;
	append->buffer = malloc(append->record_max + READ_BYTES);
	if (append->scratch == NULL || append->buffer == NULL) {
		status = cli_fail(append->path, "cannot append", -ENOMEM);
	} else {
		status = cli_committer_open(
			&append->committer, append->log, append->path,
			&append->committer_options, &output);
		status = status == 0 ? take_all(append, args)
		                     : report_refused(append, args, status);
		cli_committer_release(&append->committer);
	}
	/* Before nobody reads the output, which may end the process. */
	cli_overflow_close(&append->overflow);
	free(append->scratch);
	free(append->buffer);
	if (status == CLI_OK && append->committer.overwrote)
		status = CLI_WRITER;
	if (status == CLI_OK && append->skipped > 0)
		status = CLI_LOSS;
	return cli_output_finish(&output, status);
}

/* Whether standard input would be asked for frames and for definitions. */
static bool is_input_taken(const struct cli_args *args)
{
	bool schema = false;
	bool input = cli_args_count(args, OPTION_MESSAGE) == 0 &&
	             cli_args_operand_count(args) == 1;

	for (size_t i = 0; i < cli_args_count(args, OPTION_SCHEMA); i++) {
		const char *file = cli_args_nth(args, OPTION_SCHEMA, i);

		schema = schema || strcmp(file, "-") == 0;
	}
	for (size_t i = 1; i < cli_args_operand_count(args); i++)
		input = input || strcmp(cli_args_operand(args, i), "-") == 0;
	return schema && input;
}

/* Reads the options, and the definitions that they name. */
static int prepare(const struct cli_args *args, struct append *append,
                   struct cli_committer_options *options)
{
	static const struct cli_typed_places places = {
		OPTION_SCHEMA, OPTION_TYPE, OPTION_ENUM_NUMBERS};
	int status = parse_options(args, append, options);

	if (status == CLI_OK && is_input_taken(args))
		return cli_usage_error("--schema - takes the standard input "
		                       "that frames would come from");
	if (status == CLI_OK)
		status = cli_typed_init(&append->typed, args, places,
		                        append->path);
	if (status == CLI_OK)
		status = check_combination(args, append, options);
	return status;
}

static int open_overflow(struct append *append, const struct cli_args *args)
{
	const char *path = cli_args_value(args, OPTION_OVERFLOW);

	/* Also where neither is there: it would be made for the one and be
	 * taken for the other. */
	if (path != NULL && strcmp(path, "-") != 0 &&
	    cli_is_same_path(path, append->path)) {
		cli_message(path, "is the log itself; nothing was appended");
		return CLI_USAGE;
	}
	return cli_overflow_open(&append->overflow, path);
}

/* Opens what is written to, once it is clear that nothing of it is read. */
static int open_all(struct append *append, const struct cli_args *args)
{
	int status = check_readable(args);

	if (status == CLI_OK)
		status = check_distinct(append, args);
	if (status == CLI_OK)
		status = open_overflow(append, args);
	if (status == CLI_OK)
		status = check_distinct(append, args);
	if (status == CLI_OK)
		status = open_log(args, append->path, &append->log);
	return status == CLI_OK ? check_distinct(append, args) : status;
}

static int append_run(const struct cli_args *args)
{
	struct append append = {.path = cli_args_operand(args, 0),
	                        .overflow.fd = -1};
	int status = prepare(args, &append, &append.committer_options);

	if (status == CLI_OK)
		status = open_all(&append, args);
	if (status == CLI_OK) {
		cli_signals_catch();
		cli_signals_guard_mappings();
		status = append_to(&append, args);
	}
	cli_overflow_close(&append.overflow);
	shmlog_close(append.log);
	cli_typed_release(&append.typed);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_append = {
	.name = "append",
	.summary = "append records to a log",
	.operands = "LOG [FILE...]",
	.options = append_options,
	.option_count = sizeof(append_options) / sizeof(append_options[0]),
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.notes = "Without --input, each line is a frame.  Without FILE and "
		 "--message, standard\ninput is read.",
	.run = append_run,
};
