/* Carries a stream into a log. */
#include "log_arguments.h"
#include "pull_check.h"
#include "pull_target.h"
#include "relay_commands.h"
#include "relay_link.h"
#include "relay_options.h"
#include "voice.h"

#include "clock.h"
#include "command.h"
#include "distinct.h"
#include "failure.h"
#include "message.h"
#include "option_values.h"
#include "shared_options.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long one wait for a message may last. */
#define SLICE_NS 100000000
/* ... while the lock is kept: others may have to wait for it as long. */
#define KEEP_SLICE_NS 1000000

enum pull_option {
	PULL_CREATE,
	PULL_FOLLOW,
	PULL_GAPS,
	PULL_STATE,
	PULL_TIMEOUT,
	PULL_IDLE,
	PULL_OUTPUT,
	PULL_SERVER,
	PULL_OPTION_COUNT = PULL_SERVER + RELAY_SERVER_OPTION_COUNT,
};

static const struct cli_argument_kind gap_words = CLI_ONE_OF("stop", "skip");

static const struct cli_option pull_options[PULL_OPTION_COUNT] = {
	[PULL_CREATE] = {.name = "create",
                         .value = "SIZE",
                         .kind = &cli_takes_size,
                         .help = "make the log of SIZE bytes if there is none"},
	[PULL_FOLLOW] = {.letter = 'f',
                         .name = "follow",
                         .help = "go on with new messages"},
	[PULL_GAPS] = {.name = "gaps",
                       .value = "HOW",
                       .kind = &gap_words,
                       .help = "where messages are missing: stop or skip"},
	[PULL_STATE] = {.name = "state",
                        .value = "FILE",
                        .kind = &cli_takes_file,
                        .help = "keep in FILE how far a log has come"},
	CLI_TIMEOUT_OPTION(PULL_TIMEOUT),
	[PULL_IDLE] = {.name = "idle",
                       .value = "DURATION",
                       .kind = &cli_takes_duration,
                       .help = "end a follow after so long without a frame"},
	CLI_REPORT_FORMAT_OPTION(PULL_OUTPUT),
	RELAY_SERVER_OPTIONS(PULL_SERVER),
};

struct pull {
	struct relay_options options;
	uint64_t capacity; /* of a log that is made; 0: none is */
	bool follow;
	bool skips_gaps;
	const char *state_path;
	struct relay_voice voice;
	struct engine *engine;
	struct relay_link link;
	struct pull_target target;
	struct pull_check check;
	/* Of the session. */
	struct engine_stream stream; /* as it was at its beginning */
	uint64_t sequence;           /* of the last message that was taken */
	bool said_another;           /* that another relay is at work */
	bool said_tail;              /* that the stream is behind the log */
};

/* ------------------------------------------------------------ beginning */

static int open_target(struct pull *pull)
{
	const struct ledger_record record = {
		.stream_created = pull->stream.created_ns};
	int status = CLI_OK;

	if (pull->target.log != NULL)
		return CLI_OK;
	if (pull->capacity > 0 && access(pull->options.path, F_OK) != 0)
		status = pull_target_create(&pull->target, pull->capacity,
		                            &record);
	return status == CLI_OK ? pull_target_open(&pull->target, &record)
	                        : status;
}

static int refuse_stream(const struct pull *pull, const char *why)
{
	struct cli_quoted quoted;

	cli_message(pull->options.path, "stream %s %s; nothing was changed",
	            cli_quote(&quoted, pull->options.stream), why);
	return CLI_OTHER_LOG;
}

/* Whether the last frame of the log is that of the message. */
static bool is_same_frame(const struct engine_message *message,
                          const struct shmlog_frame *frame)
{
	const unsigned char *bytes = message->bytes;
	size_t size_bytes = message->size_bytes;

	if (message->frames > 0) {
		/* The frame that ends last. */
		if (size_bytes < frame->size_bytes + 2u)
			return false;
		bytes += size_bytes - 2u - frame->size_bytes;
		size_bytes = frame->size_bytes;
	}
	return size_bytes == frame->size_bytes &&
	       (size_bytes == 0 ||
	        memcmp(bytes, frame->payload, size_bytes) == 0);
}

/* Compares the last message that is in the log with the last frame, and takes
 * from it where the log that it came from is. */
static int compare_last(struct pull *pull, const struct engine_message *message)
{
	uint64_t end_cursor = pull->target.ledger.now.end_cursor;
	struct shmlog_reader *reader = NULL;
	struct shmlog_frame frame;
	bool found;
	int status = pull_target_last(&pull->target, &reader, &frame, &found);

	if (status == CLI_OK && found && !is_same_frame(message, &frame))
		status = refuse_stream(pull, "has another message in the place "
		                             "of the last one in this log");
	shmlog_reader_close(reader);
	if (status == CLI_OK && found)
		pull_check_take(&pull->check, message,
		                end_cursor - pull_check_frame_bytes(message));
	return status;
}

/* The stream ends before the log does: its server has lost the tail, which the
 * relay that pushed it will send again. */
static enum engine_status wait_for_tail(struct pull *pull, int *status_out)
{
	const struct relay_fact facts[] = {
		{"sequence", pull->stream.last_sequence, NULL},
		{"log_sequence", pull->sequence, NULL}};

	if (!pull->said_tail)
		relay_say(&pull->voice, "lost_tail", RELAY_FACTS(facts),
		          "the stream ends with message %" PRIu64
		          ", and the log with message %" PRIu64
		          ": the server has lost the end%s",
		          pull->stream.last_sequence, pull->sequence,
		          pull->follow ? "; waiting until it is sent again"
		                       : "");
	pull->said_tail = true;
	if (!pull->follow)
		*status_out = CLI_NO;
	cli_signals_sleep(pull->follow ? SLICE_NS : 0);
	return ENGINE_OK;
}

/* Checks that the log goes with the stream; *behind_out: it is ahead of it. */
static enum engine_status check_target(struct pull *pull, int *status_out,
                                       bool *behind_out)
{
	const struct ledger_record *now = &pull->target.ledger.now;
	struct engine_message message;

	*behind_out = false;
	pull->sequence = now->sequence;
	pull->check.known = false;
	if (now->stream_created != pull->stream.created_ns) {
		*status_out = refuse_stream(pull,
		                            "is not the one that this log was "
		                            "pulled from: it was made anew");
		return ENGINE_OK;
	}
	*behind_out = now->sequence > pull->stream.last_sequence;
	if (*behind_out)
		return wait_for_tail(pull, status_out);
	if (now->sequence == 0 || now->end_cursor == 0)
		return ENGINE_OK;
	enum engine_status trouble = engine_read(pull->engine, now->sequence,
	                                         &message);

	if (trouble == ENGINE_OK)
		*status_out = compare_last(pull, &message);
	/* It may be too old to be there. */
	return trouble == ENGINE_NO_MESSAGE ? ENGINE_OK : trouble;
}

/* ----------------------------------------------------------------- messages */

/* Commits what waits.  *again_out: another relay has pulled the same. */
static int commit(struct pull *pull, bool *again_out)
{
	bool moved = false;
	int status = pull_target_commit(&pull->target, pull->sequence, &moved);

	*again_out = moved;
	if (status != CLI_OK)
		return status;
	if (!moved) {
		relay_link_good(&pull->link);
		return CLI_OK;
	}
	status = pull_target_reload(&pull->target);
	if (status == CLI_OK && !pull->said_another)
		relay_say(
			&pull->voice, "another_relay", NULL, 0,
			"another relay pulls this log as well; both go on, and "
			"nothing is in it twice");
	pull->said_another = true;
	return status;
}

/* Messages are missing.  Says which, and whether to go on. */
static int meet_gap(struct pull *pull, uint64_t first, uint64_t last)
{
	const struct relay_fact facts[] = {{"first_sequence", first, NULL},
	                                   {"last_sequence", last, NULL}};

	relay_say(&pull->voice, "gap", RELAY_FACTS(facts),
	          "messages %" PRIu64 " to %" PRIu64
	          " are not in the stream any more; %s",
	          first, last,
	          pull->skips_gaps
	                  ? "going on without them"
	                  : "stopped before them; --gaps skip goes on");
	return pull->skips_gaps ? CLI_OK : CLI_NO;
}

/* Frames are missing, though no message is. */
static int meet_shift(struct pull *pull, const struct engine_message *message)
{
	uint64_t expected = pull_check_expected(
		&pull->check, pull_target_end_cursor(&pull->target));
	const struct relay_fact facts[] = {
		{"sequence", message->sequence, NULL},
		{"cursor", message->cursor, NULL},
		{"expected_cursor", expected, NULL}};

	relay_say(&pull->voice, "gap", RELAY_FACTS(facts),
	          "message %" PRIu64 " is from cursor %" PRIu64
	          " of its log, and cursor %" PRIu64 " was to come; %s",
	          message->sequence, message->cursor, expected,
	          pull->skips_gaps ? "going on with it"
	                           : "stopped before it; --gaps skip goes on");
	return pull->skips_gaps ? CLI_OK : CLI_NO;
}

static void note_replaced(struct pull *pull,
                          const struct engine_message *message)
{
	const struct relay_fact facts[] = {
		{"sequence", message->sequence, NULL},
		{"log_id", 0, message->log}};

	relay_say(&pull->voice, "replaced", RELAY_FACTS(facts),
	          "with message %" PRIu64
	          " another log begins; its cursors are other ones here",
	          message->sequence);
}

static int refuse_message(const struct pull *pull, uint64_t sequence,
                          const char *why)
{
	cli_message(pull->options.path,
	            "message %" PRIu64 " %s; all before it is in the log",
	            sequence, why);
	return CLI_INPUT;
}

/* What a verdict leads to: CLI_OK takes the message. */
static int meet(struct pull *pull, enum pull_verdict verdict,
                const struct engine_message *message)
{
	switch (verdict) {
	case PULL_GOOD: return CLI_OK;
	case PULL_REPLACED: note_replaced(pull, message); return CLI_OK;
	case PULL_GAP:
		return meet_gap(pull, pull->sequence + 1,
		                message->sequence - 1);
	case PULL_SHIFTED: return meet_shift(pull, message);
	case PULL_BAD:
		return refuse_message(pull, message->sequence,
		                      "says that it is frames and is not");
	case PULL_LARGE: break;
	}
	return refuse_message(pull, message->sequence,
	                      "is larger than a frame can be");
}

/* Judges a message that was handed out, and takes it.  What precedes is
 * committed before anything is said. */
static int take(struct pull *pull, struct engine_message *message,
                bool *again_out)
{
	int status = CLI_OK;

	*again_out = false;
	for (;;) {
		uint64_t cursor = pull_target_end_cursor(&pull->target);
		enum pull_verdict verdict = pull_check_judge(
			&pull->check, message, pull->sequence, cursor,
			pull->stream.chosen);

		if (verdict != PULL_GOOD) {
			status = commit(pull, again_out);
			if (status != CLI_OK || *again_out)
				return status;
			status = meet(pull, verdict, message);
		}
		if (status != CLI_OK)
			return status;
		if (verdict != PULL_GAP)
			break;
		pull->sequence = message->sequence - 1;
	}
	pull_check_take(&pull->check, message,
	                pull_target_end_cursor(&pull->target));
	if (!pull_target_add(&pull->target, message))
		return cli_fail(pull->options.path, "cannot go on", -ENOMEM);
	pull->sequence = message->sequence;
	pull->link.ends.frame_ns = cli_now_ns();
	return CLI_OK;
}

/* Without -f, the end is where the stream ended at the beginning.  Messages
 * that are not there any more never come. */
static bool is_at_end(const struct pull *pull, uint64_t waiting)
{
	return !pull->follow &&
	       (waiting == 0 || pull->sequence >= pull->stream.last_sequence);
}

/* At the end: the last messages of the stream may be missing. */
static int finish(struct pull *pull, bool *again_out)
{
	int status = commit(pull, again_out);

	if (status != CLI_OK || *again_out || pull->stream.chosen ||
	    pull->sequence >= pull->stream.last_sequence)
		return status;
	status = meet_gap(pull, pull->sequence + 1, pull->stream.last_sequence);
	if (status != CLI_OK)
		return status;
	pull->sequence = pull->stream.last_sequence;
	return commit(pull, again_out);
}

/* The next message: one that is there, or, once what waits is committed, one
 * that comes. */
static enum engine_status next_message(struct pull *pull,
                                       struct engine_message *message,
                                       int *status_out, bool *again_out)
{
	enum engine_status trouble = engine_next(pull->engine, 0, message);

	*again_out = false;
	if (trouble != ENGINE_NONE)
		return trouble;
	*status_out = commit(pull, again_out);
	if (*status_out != CLI_OK || *again_out)
		return ENGINE_NONE;
	int64_t most_ns = cli_ends_limit(
		&pull->link.ends,
		pull_target_keeps(&pull->target) ? KEEP_SLICE_NS : SLICE_NS);

	return engine_next(pull->engine, most_ns > 0 ? most_ns : 0, message);
}

/* What ends the work while no message comes. */
static bool is_over(const struct pull *pull)
{
	return relay_link_is_over(&pull->link) ||
	       (pull->follow && cli_ends_is_idle(&pull->link.ends));
}

/* Takes messages until trouble comes, or the end: *again_out is false then. */
static enum engine_status pull_messages(struct pull *pull, uint64_t waiting,
                                        int *status_out, bool *again_out)
{
	struct engine_message message;
	enum engine_status trouble = ENGINE_OK;

	*again_out = false;
	while (*status_out == CLI_OK && !*again_out &&
	       !is_at_end(pull, waiting)) {
		trouble = next_message(pull, &message, status_out, again_out);
		if (trouble == ENGINE_NONE && is_over(pull))
			return trouble;
		if (trouble == ENGINE_NONE)
			continue;
		if (trouble != ENGINE_OK)
			return trouble;
		waiting = message.waiting;
		if (!pull_target_has_room(&pull->target,
		                          pull_check_frame_bytes(&message)))
			*status_out = commit(pull, again_out);
		if (*status_out == CLI_OK && !*again_out)
			*status_out = take(pull, &message, again_out);
		if (cli_signal_caught() != 0)
			return ENGINE_NONE;
	}
	if (*status_out == CLI_OK && !*again_out)
		*status_out = finish(pull, again_out);
	return ENGINE_OK;
}

/* ---------------------------------------------------------------- sessions */

static void note_place(const struct pull *pull)
{
	const struct relay_fact facts[] = {
		{"sequence", pull->sequence, NULL},
		{"cursor", pull->target.ledger.now.end_cursor, NULL}};

	relay_note(&pull->voice, "placed", RELAY_FACTS(facts));
}

/* One session: from where the log ends until trouble comes, or the end. */
static enum engine_status pull_session(struct pull *pull, int *status_out,
                                       bool *again_out)
{
	bool behind = false;
	uint64_t waiting;
	enum engine_status trouble = engine_describe(pull->engine,
	                                             &pull->stream);

	*again_out = false;
	if (trouble == ENGINE_OK)
		*status_out = open_target(pull);
	if (trouble == ENGINE_OK && *status_out == CLI_OK)
		*status_out = pull_target_reload(&pull->target);
	if (trouble == ENGINE_OK && *status_out == CLI_OK)
		trouble = check_target(pull, status_out, &behind);
	*again_out = behind;
	if (trouble != ENGINE_OK || *status_out != CLI_OK || behind)
		return trouble;
	note_place(pull);
	trouble = engine_follow(pull->engine, pull->sequence + 1, &waiting);
	if (trouble != ENGINE_OK)
		return trouble;
	return pull_messages(pull, waiting, status_out, again_out);
}

/* A signal came, or the time is over: what was taken is committed. */
static int end_early(struct pull *pull)
{
	bool again;
	int status = pull->target.log != NULL && pull->target.used > 0
	                     ? commit(pull, &again)
	                     : CLI_OK;

	if (status != CLI_OK || cli_signal_caught() != 0)
		return status;
	return cli_ends_is_timed_out(&pull->link.ends) ? CLI_TIMEOUT : CLI_OK;
}

static int pull_all(struct pull *pull)
{
	int status = CLI_OK;
	bool done = false, again;

	while (!done) {
		status = relay_link_up(&pull->link, &done);
		if (done)
			break;
		enum engine_status trouble = pull_session(pull, &status,
		                                          &again);

		if (status != CLI_OK)
			return status;
		if (trouble == ENGINE_NONE ||
		    (again && relay_link_is_over(&pull->link)))
			return end_early(pull);
		if (trouble == ENGINE_OK && !again)
			return status;
		if (trouble != ENGINE_OK)
			status = relay_link_trouble(&pull->link, trouble,
			                            &done);
	}
	return status;
}

/* ------------------------------------------------------------------ options */

static int read_options(const struct cli_args *args, struct pull *pull)
{
	const char *gaps = cli_args_value(args, PULL_GAPS);
	struct cli_follow_ends *ends = &pull->link.ends;
	struct cli_quoted quoted;

	pull->follow = cli_args_count(args, PULL_FOLLOW) > 0;
	pull->link.patient = pull->follow;
	pull->state_path = cli_args_value(args, PULL_STATE);
	if (pull->state_path != NULL &&
	    cli_is_same_path(pull->state_path, pull->options.path)) {
		cli_message(pull->state_path,
		            "is the log itself; nothing was changed");
		return CLI_USAGE;
	}
	pull->skips_gaps = gaps != NULL && strcmp(gaps, "skip") == 0;
	if (gaps != NULL && !pull->skips_gaps && strcmp(gaps, "stop") != 0)
		return cli_usage_error("--gaps %s is neither stop nor skip",
		                       cli_quote(&quoted, gaps));
	int status = cli_option_capacity(
		"--create", cli_args_value(args, PULL_CREATE),
		pull->state_path != NULL ? SHMLOG_HEADER_BYTES
					 : SHMLOG_HEADER_BYTES + LEDGER_BYTES,
		&pull->capacity);

	if (status == CLI_OK)
		status = cli_option_duration("--timeout",
		                             cli_args_value(args, PULL_TIMEOUT),
		                             &ends->timeout_ns);
	if (status == CLI_OK)
		status = cli_option_duration("--idle",
		                             cli_args_value(args, PULL_IDLE),
		                             &ends->idle_ns);
	if (status == CLI_OK)
		status = cli_report_format(args, PULL_OUTPUT,
		                           &pull->voice.json);
	return status;
}

static int begin(const struct cli_args *args, struct pull *pull)
{
	int status = relay_options_read(args, PULL_SERVER, &pull->options);

	pull->voice.path = pull->options.path;
	if (status == CLI_OK)
		pull->engine = engine_make(pull->options.kind,
		                           &pull->options.engine);
	if (status == CLI_OK && pull->engine == NULL)
		status = cli_fail(NULL, "cannot start", -ENOMEM);
	relay_link_begin(&pull->link, pull->engine, &pull->voice,
	                 pull->options.stream);
	if (status == CLI_OK)
		status = read_options(args, pull);
	if (status == CLI_OK)
		pull_target_begin(&pull->target, pull->options.path,
		                  pull->state_path,
		                  ledger_source(pull->options.engine.stream,
		                                pull->options.engine.topic));
	return status;
}

static void note_end(const struct pull *pull)
{
	const struct ledger_record *now = &pull->target.ledger.now;
	const struct relay_fact facts[] = {{"sequence", now->sequence, NULL},
	                                   {"cursor", now->end_cursor, NULL}};

	if (pull->target.log != NULL)
		relay_note(&pull->voice, "ended", RELAY_FACTS(facts));
}

static int pull_run(const struct cli_args *args)
{
	struct pull *pull = calloc(1, sizeof(*pull));

	if (pull == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	pull->target.state_fd = -1;
	int status = begin(args, pull);

	if (status == CLI_OK) {
		cli_signals_catch();
		cli_signals_guard_mappings();
		status = pull_all(pull);
		note_end(pull);
	}
	pull_target_end(&pull->target);
	engine_free(pull->engine);
	relay_options_release(&pull->options);
	free(pull);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_relay_pull = {
	.name = "relay pull",
	.summary = "carry a stream into a log",
	.operands = "LOG URL",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log, &relay_takes_url),
	.options = pull_options,
	.option_count = PULL_OPTION_COUNT,
	.min_operands = 2,
	.max_operands = 2,
	.run = pull_run,
};
