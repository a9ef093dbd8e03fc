/* Carries a log into a stream. */
#include "log_arguments.h"
#include "push_place.h"
#include "push_state.h"
#include "relay_commands.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "open_log.h"
#include "option_values.h"
#include "scan.h"
#include "shared_options.h"
#include "signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long one sleep may last: while receipts are on their way, and else. */
#define RECEIPT_SLICE_NS 20000000
#define SLICE_NS 200000000
/* How long receipts are waited for once a signal has come. */
#define LAST_NS 1000000000
/* Frames of a packed message; servers take up to 1 MiB by default. */
#define PACK_MOST (512u << 10)

enum push_option {
	PUSH_FOLLOW,
	PUSH_FOLLOW_NAME,
	PUSH_FROM,
	PUSH_PACK,
	PUSH_WINDOW,
	PUSH_CREATE_STREAM,
	PUSH_REPLICAS,
	PUSH_MAX_BYTES,
	PUSH_TIMEOUT,
	PUSH_IDLE,
	PUSH_OUTPUT,
	PUSH_SERVER,
	PUSH_OPTION_COUNT = PUSH_SERVER + RELAY_SERVER_OPTION_COUNT,
};

static const struct cli_option push_options[PUSH_OPTION_COUNT] = {
	[PUSH_FOLLOW] = {.letter = 'f',
                         .name = "follow",
                         .help = "go on with new frames"},
	[PUSH_FOLLOW_NAME] =
		{.letter = 'F',
                 .name = "follow-name",
                 .help = "follow the name: wait for the log, re-open it"},
	[PUSH_FROM] =
		{.name = "from",
                 .value = "POS",
                 .kind = &cli_takes_position,
                 .help = "begin here where the stream does not say where"},
	[PUSH_PACK] = {.name = "pack",
                       .value = "SIZE",
                       .kind = &cli_takes_size,
                       .help = "send as many frames a message as fit"},
	[PUSH_WINDOW] = {.name = "window",
                         .value = "N",
                         .kind = &cli_takes_number,
                         .help = "messages on their way at a time (4096)"},
	[PUSH_CREATE_STREAM] = {.name = "create-stream",
                                .help = "make the stream if there is none"},
	[PUSH_REPLICAS] = {.name = "replicas",
                           .value = "N",
                           .kind = &cli_takes_number,
                           .help = "... kept by N servers of a cluster (1)"},
	[PUSH_MAX_BYTES] = {.name = "max-bytes",
                            .value = "SIZE",
                            .kind = &cli_takes_size,
                            .help = "... of which the oldest go beyond SIZE"},
	CLI_TIMEOUT_OPTION(PUSH_TIMEOUT),
	[PUSH_IDLE] = {.name = "idle",
                       .value = "DURATION",
                       .kind = &cli_takes_duration,
                       .help = "end a follow after so long without a frame"},
	CLI_REPORT_FORMAT_OPTION(PUSH_OUTPUT),
	RELAY_SERVER_OPTIONS(PUSH_SERVER),
};

/* ------------------------------------------------------------------ frames */

/* Sends a message, the first one by itself where another sender's may be in its
 * place, or where the server is to tell what it has against it. */
static enum engine_status send_message(struct push *push,
                                       struct engine_message *message,
                                       uint64_t end_cursor, bool last)
{
	enum engine_status trouble;

	memcpy(message->log, push->source.id.text, sizeof(message->log));
	trouble = chain_send(&push->chain, message, end_cursor,
	                     last || push->alone);
	if (trouble == ENGINE_OK && push->alone)
		trouble = chain_settle(&push->chain, -1);
	if (trouble == ENGINE_OK)
		push->alone = false;
	return trouble;
}

/* Sends what is packed. */
static enum engine_status send_pack(struct push *push, uint64_t end_cursor,
                                    bool last)
{
	struct push_pack *pack = &push->pack;
	struct engine_message message = {
		.bytes = pack->bytes,
		.size_bytes = pack->used,
		.stamped = true,
		.cursor = pack->cursor,
		.frames = pack->frames,
	};

	pack->used = 0;
	pack->frames = 0;
	return send_message(push, &message, end_cursor, last);
}

/* Adds a frame to those that go out together. */
static enum engine_status
add_to_pack(struct push *push, const struct shmlog_frame *frame, bool last)
{
	struct push_pack *pack = &push->pack;
	enum engine_status trouble = ENGINE_OK;
	size_t total = frame->size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	if (pack->frames > 0 && pack->used + total > pack->capacity)
		trouble = send_pack(push, frame->cursor, false);
	if (trouble != ENGINE_OK)
		return trouble;
	if (pack->frames++ == 0)
		pack->cursor = frame->cursor;
	pack->used += shmlog_frame_encode(pack->bytes + pack->used,
	                                  frame->payload, frame->size_bytes);
	return last ? send_pack(push, frame->next_cursor, true) : ENGINE_OK;
}

static enum engine_status
send_frame(struct push *push, const struct shmlog_frame *frame, bool last)
{
	struct engine_message message = {
		.bytes = frame->payload,
		.size_bytes = frame->size_bytes,
		.stamped = true,
		.cursor = frame->cursor,
	};

	return send_message(push, &message, frame->next_cursor, last);
}

/* Sends a batch of frames.  The last one that is there asks for a receipt. */
static enum engine_status
send_batch(struct push *push, const struct shmlog_frame *frames, size_t count)
{
	struct shmlog_reader *reader = push_source_reader(&push->source);
	bool all = shmlog_reader_cursor(reader) >=
	           shmlog_reader_known_size(reader);
	enum engine_status trouble = ENGINE_OK;

	for (size_t i = 0; i < count && trouble == ENGINE_OK; i++) {
		bool last = all && i + 1 == count;

		trouble = push->pack.bytes != NULL
		                  ? add_to_pack(push, &frames[i], last)
		                  : send_frame(push, &frames[i], last);
	}
	push->frames += count;
	push->link.ends.frame_ns = cli_now_ns();
	/* Nothing follows that would carry it along. */
	return trouble == ENGINE_OK && all ? engine_flush(push->engine)
	                                   : trouble;
}

/* ------------------------------------------------------------- the session */

/* Frames cannot be read any more: those before are sent nevertheless. */
static enum engine_status stop_at_fault(struct push *push, int fault,
                                        int *status_out)
{
	enum engine_status trouble = ENGINE_OK;

	if (push->pack.frames > 0)
		trouble = send_pack(
			push,
			shmlog_reader_cursor(push_source_reader(&push->source)),
			true);
	if (trouble == ENGINE_OK)
		trouble = chain_settle(&push->chain, -1);
	if (trouble == ENGINE_OK)
		*status_out = cli_reader_failed(
			push->source.path, push_source_reader(&push->source),
			fault);
	return trouble;
}

/* Another log has the name: all of this one is stored before it is left. */
static enum engine_status leave_log(struct push *push, int *status_out,
                                    bool *switched_out)
{
	const struct relay_fact facts[] = {{"log_id", 0, push->source.id.text}};
	struct relay_log_id old = push->source.id;
	enum engine_status trouble = chain_settle(&push->chain, -1);

	if (trouble != ENGINE_OK)
		return trouble;
	*status_out = push_source_look(&push->source, switched_out);
	if (*status_out != CLI_OK || !*switched_out)
		return ENGINE_OK;
	relay_say(&push->voice, "reopened", RELAY_FACTS(facts),
	          "another log has this name now; all of the old one was sent");
	push->left = old;
	push->left_sequence = push->chain.sent.sequence;
	chain_begin(&push->chain, push->left_sequence, 0);
	return ENGINE_OK;
}

/* Everything that is there was sent.  Looks for the end, at the name, and
 * sleeps; *done_out says that it is the end. */
static enum engine_status rest(struct push *push, int *status_out,
                               bool *done_out)
{
	const struct relay_link *link = &push->link;
	bool settled = chain_is_settled(&push->chain);
	bool switched = false;

	*done_out = !push->follow || cli_ends_is_idle(&link->ends);
	if (*done_out)
		return chain_settle(&push->chain, -1);
	if (push_source_is_leaving(&push->source))
		return leave_log(push, status_out, &switched);
	*status_out = push_source_look(&push->source, &switched);
	if (*status_out != CLI_OK || push_source_is_leaving(&push->source))
		return ENGINE_OK;
	int64_t most_ns = cli_ends_limit(&link->ends,
	                                 settled ? SLICE_NS : RECEIPT_SLICE_NS);
	int result = shmlog_reader_wait(push_source_reader(&push->source),
	                                most_ns > 0 ? most_ns : 0, 0);

	if (result < 0 && result != -EINTR)
		return stop_at_fault(push, result, status_out);
	return ENGINE_OK;
}

/* The log was gone over to another one that is not open yet. */
static int open_log(struct push *push)
{
	bool ready = false;
	int status = CLI_OK;

	while (status == CLI_OK && !ready && !relay_link_is_over(&push->link)) {
		status = push_source_open(&push->source, &ready);
		if (status == CLI_OK && !ready)
			cli_signals_sleep(SLICE_NS / 10);
	}
	return status;
}

/* Sends from where the stream ends until trouble comes, or the end. */
static enum engine_status push_frames(struct push *push, int *status_out)
{
	struct shmlog_frame frames[CLI_BATCH_FRAMES];
	enum engine_status trouble = ENGINE_OK;
	uint64_t stored = push->chain.stored.sequence;
	bool done = false;

	push->pack.used = 0;
	push->pack.frames = 0;
	while (trouble == ENGINE_OK && *status_out == CLI_OK && !done) {
		if (relay_link_is_over(&push->link))
			return ENGINE_NONE;
		*status_out = open_log(push);
		if (*status_out != CLI_OK ||
		    push_source_reader(&push->source) == NULL)
			continue;
		int count = shmlog_reader_next_batch(
			push_source_reader(&push->source), CLI_BATCH_FRAMES, 0,
			frames);

		if (count > 0)
			trouble = send_batch(push, frames, (size_t)count);
		else if (count < 0)
			trouble = stop_at_fault(push, count, status_out);
		if (trouble == ENGINE_OK)
			trouble = chain_collect(&push->chain);
		if (trouble == ENGINE_OK && count == 0)
			trouble = rest(push, status_out, &done);
		if (push->chain.stored.sequence != stored)
			relay_link_good(&push->link);
		stored = push->chain.stored.sequence;
	}
	return trouble;
}

/* ------------------------------------------------------------------- ends */

/* What the work ends with once a signal has come or the time is over; what was
 * sent may be stored by then. */
static int end_early(struct push *push)
{
	(void)chain_settle(&push->chain, LAST_NS);
	return cli_signal_caught() != 0 ? CLI_OK : CLI_TIMEOUT;
}

static int push_all(struct push *push)
{
	int status = CLI_OK;
	bool done = false;

	while (!done) {
		status = relay_link_up(&push->link, &done);
		if (done)
			break;
		enum engine_status trouble = push_place_find(push, &status);

		if (trouble == ENGINE_OK && status == CLI_OK)
			trouble = push_frames(push, &status);
		if (trouble == ENGINE_NONE)
			return end_early(push);
		if (trouble == ENGINE_OK)
			return status;
		push->was_refused = trouble == ENGINE_MISPLACED ||
		                    trouble == ENGINE_FULL;
		status = relay_link_trouble(&push->link, trouble, &done);
	}
	return status;
}

/* ------------------------------------------------------------------ options */

static int read_limits(const struct cli_args *args, struct push *push)
{
	push->creates_stream = cli_args_count(args, PUSH_CREATE_STREAM) > 0;
	push->limits.replicas = 1;
	int status = relay_option_number("--replicas",
	                                 cli_args_value(args, PUSH_REPLICAS), 1,
	                                 5, &push->limits.replicas);

	if (status == CLI_OK)
		status = relay_option_size(
			"--max-bytes", cli_args_value(args, PUSH_MAX_BYTES), 1,
			INT64_MAX, &push->limits.max_bytes);
	if (status == CLI_OK && !push->creates_stream &&
	    cli_args_count(args, PUSH_REPLICAS) +
	                    cli_args_count(args, PUSH_MAX_BYTES) >
	            0)
		return cli_usage_error("--replicas and --max-bytes go with "
		                       "--create-stream");
	return status;
}

static int read_messages(const struct cli_args *args, struct push *push)
{
	uint64_t pack_bytes = 0;
	int status = relay_option_number("--window",
	                                 cli_args_value(args, PUSH_WINDOW), 1,
	                                 CHAIN_WINDOW, &push->chain.window);

	if (status == CLI_OK)
		status = relay_option_size("--pack",
		                           cli_args_value(args, PUSH_PACK), 1,
		                           PACK_MOST, &pack_bytes);
	if (status != CLI_OK || pack_bytes == 0)
		return status;
	/* A frame that is larger goes alone. */
	push->chain.linked = true;
	push->pack.capacity = pack_bytes;
	push->pack.bytes = malloc(pack_bytes + SHMLOG_FRAME_MAX_BYTES);
	return push->pack.bytes != NULL
	               ? CLI_OK
	               : cli_fail(NULL, "cannot start", -ENOMEM);
}

static int read_follow(const struct cli_args *args, struct push *push)
{
	const char *from = cli_args_value(args, PUSH_FROM);
	struct cli_follow_ends *ends = &push->link.ends;
	int status = CLI_OK;

	push->follow_name = cli_args_count(args, PUSH_FOLLOW_NAME) > 0;
	push->follow = push->follow_name ||
	               cli_args_count(args, PUSH_FOLLOW) > 0;
	push->link.patient = push->follow;
	push->has_from = from != NULL;
	if (from != NULL)
		status = cli_position_parse(from, &push->from);
	if (status == CLI_OK)
		status = cli_option_duration("--timeout",
		                             cli_args_value(args, PUSH_TIMEOUT),
		                             &ends->timeout_ns);
	if (status == CLI_OK)
		status = cli_option_duration("--idle",
		                             cli_args_value(args, PUSH_IDLE),
		                             &ends->idle_ns);
	if (status == CLI_OK)
		status = cli_report_format(args, PUSH_OUTPUT,
		                           &push->voice.json);
	return status;
}

static int begin(const struct cli_args *args, struct push *push)
{
	int status = relay_options_read(args, PUSH_SERVER, &push->options);

	push->voice.path = push->options.path;
	push->chain.window = CHAIN_WINDOW;
	if (status == CLI_OK)
		push->engine = engine_make(push->options.kind,
		                           &push->options.engine);
	if (status == CLI_OK && push->engine == NULL)
		status = cli_fail(NULL, "cannot start", -ENOMEM);
	relay_link_begin(&push->link, push->engine, &push->voice,
	                 push->options.stream);
	push->chain.engine = push->engine;
	push->chain.link = &push->link;
	if (status == CLI_OK)
		status = read_limits(args, push);
	if (status == CLI_OK)
		status = read_messages(args, push);
	if (status == CLI_OK)
		status = read_follow(args, push);
	return status;
}

static void note_end(struct push *push)
{
	const struct relay_fact facts[] = {
		{"sequence", push->chain.stored.sequence, NULL},
		{"cursor", push->chain.stored.end_cursor, NULL}};

	if (push->placed)
		relay_note(&push->voice, "ended", RELAY_FACTS(facts));
}

/* Opens the log, waiting for it with -F, and sends it. */
static int push_log(struct push *push)
{
	push_source_begin(&push->source, push->options.path, push->follow_name);
	int status = open_log(push);

	if (status == CLI_OK && push_source_reader(&push->source) == NULL)
		status = cli_signal_caught() != 0 ? CLI_OK : CLI_TIMEOUT;
	else if (status == CLI_OK)
		status = push_all(push);
	note_end(push);
	push_source_end(&push->source);
	return status;
}

static int push_run(const struct cli_args *args)
{
	struct push *push = calloc(1, sizeof(*push));

	if (push == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	int status = begin(args, push);

	if (status == CLI_OK) {
		cli_signals_catch();
		cli_signals_guard_mappings();
		status = push_log(push);
	}
	engine_free(push->engine);
	relay_options_release(&push->options);
	free(push->pack.bytes);
	free(push);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

const struct cli_command cmd_relay_push = {
	.name = "relay push",
	.summary = "carry a log into a stream",
	.operands = "LOG URL",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log, &relay_takes_url),
	.options = push_options,
	.option_count = PUSH_OPTION_COUNT,
	.min_operands = 2,
	.max_operands = 2,
	.notes = CLI_POSITION_NOTE,
	.run = push_run,
};
