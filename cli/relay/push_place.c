/* Finds the place in the log where the stream ends. */
#include "push_place.h"

#include "command.h"
#include "message.h"

#include <inttypes.h>
#include <string.h>

/* Begins at --from, or at the start of the log. */
static int begin_afresh(struct push *push, uint64_t sequence)
{
	struct shmlog_reader *reader = push_source_reader(&push->source);
	struct cli_position start = {.kind = CLI_POSITION_START};
	int status = cli_position_seek(
		push->source.named.now.log, reader,
		push->has_from && !push->placed ? &push->from : &start, false,
		push->source.path);

	if (status == CLI_OK)
		chain_begin(&push->chain, sequence,
		            shmlog_reader_cursor(reader));
	/* Others may begin here as well, and in another way. */
	push->alone = true;
	return status;
}

/* The place cannot be known from the stream: it takes the user to say it. */
static int refuse(struct push *push, uint64_t sequence, const char *what)
{
	if (push->has_from && !push->placed)
		return begin_afresh(push, sequence);
	cli_message(push->source.path,
	            "%s; nothing was sent; --from POS says where to begin in "
	            "spite of that",
	            what);
	return CLI_OTHER_LOG;
}

/* The last message is not there any more.  What was sent by this process is
 * known to be in the stream if there is a receipt for it. */
static int go_on_without(struct push *push, uint64_t sequence)
{
	struct shmlog_reader *reader = push_source_reader(&push->source);
	uint64_t cursor = push->chain.stored.end_cursor;

	if (!push->placed || push->chain.stored.sequence != sequence ||
	    shmlog_reader_seek(reader, cursor, NULL) != 0)
		return refuse(push, sequence,
		              "the stream has had messages, but the last one "
		              "is gone (purged, or too old), so where they end "
		              "in this log is not known");
	chain_begin(&push->chain, sequence, cursor);
	return CLI_OK;
}

/* Says once that somebody else sends the same frames, which is safe. */
static void note_another(struct push *push, uint64_t sequence)
{
	const struct relay_fact facts[] = {{"sequence", sequence, NULL}};

	if (!push->placed || push->said_another ||
	    sequence < push->chain.refused)
		return;
	push->said_another = true;
	relay_say(&push->voice, "another_relay", RELAY_FACTS(facts),
	          "another relay sends this log to the stream as well; both go "
	          "on, and nothing is sent twice");
}

/* The last message is from the log that is open. */
static int go_on_behind(struct push *push, const struct engine_message *message)
{
	int status = CLI_OK;

	switch (push_source_match(&push->source, message, &status)) {
	case PUSH_UNREADABLE: return status;
	case PUSH_DIFFERS:
		return refuse(push, message->sequence,
		              "the last message of the stream is not the frame "
		              "at its cursor in this log: it is from another "
		              "log, or the log was written anew");
	case PUSH_MATCHES: break;
	}
	/* Messages on their way, of a relay that is dead or not, say that they
	 * follow a number, which may be that of a message of the other kind. */
	if ((message->frames > 0) != (push->pack.bytes != NULL))
		return refuse(push, message->sequence,
		              message->frames > 0
		                      ? "the stream was sent with --pack"
		                      : "the stream was sent without --pack");
	note_another(push, message->sequence);
	chain_begin(&push->chain, message->sequence,
	            shmlog_reader_cursor(push_source_reader(&push->source)));
	return CLI_OK;
}

/* Goes on behind the last message, wherever that is from. */
static int go_on(struct push *push, const struct engine_message *message)
{
	if (!message->stamped)
		return refuse(push, message->sequence,
		              "the last message of the stream is not from a "
		              "relay");
	if (strcmp(message->log, push->source.id.text) == 0)
		return go_on_behind(push, message);
	/* All of the log that was left is in the stream. */
	if (message->sequence == push->left_sequence &&
	    strcmp(message->log, push->left.text) == 0) {
		int status = begin_afresh(push, message->sequence);

		return status;
	}
	if (push_source_reopen(&push->source, message->log))
		return go_on_behind(push, message);
	return refuse(push, message->sequence,
	              "the last message of the stream is from another log");
}

static void note_recreated(struct push *push,
                           const struct engine_stream *stream)
{
	const struct relay_fact facts[] = {
		{"sequence", stream->last_sequence, NULL}};

	if (push->placed && push->created_ns != stream->created_ns)
		relay_say(&push->voice, "recreated", RELAY_FACTS(facts),
		          "the stream was deleted and made again; looking "
		          "where it ends");
	push->created_ns = stream->created_ns;
}

static enum engine_status look(struct push *push,
                               struct engine_stream *stream_out)
{
	enum engine_status trouble = engine_describe(push->engine, stream_out);
	const struct relay_fact facts[] = {{"stream", 0, push->options.stream}};

	if (trouble != ENGINE_NO_STREAM || !push->creates_stream)
		return trouble;
	trouble = engine_create(push->engine, &push->limits);
	if (trouble != ENGINE_OK)
		return trouble;
	relay_note(&push->voice, "created", RELAY_FACTS(facts));
	return engine_describe(push->engine, stream_out);
}

static void note_place(struct push *push, const struct engine_stream *stream)
{
	const struct relay_fact facts[] = {
		{"sequence", stream->last_sequence, NULL},
		{"cursor", push->chain.stored.end_cursor, NULL}};

	relay_note(&push->voice, "placed", RELAY_FACTS(facts));
	push->placed = true;
}

enum engine_status push_place_find(struct push *push, int *status_out)
{
	struct engine_stream stream;
	struct engine_message message;
	enum engine_status trouble = look(push, &stream);

	*status_out = CLI_OK;
	push->alone = push->was_refused;
	if (trouble != ENGINE_OK)
		return trouble;
	note_recreated(push, &stream);
	if (stream.last_sequence == 0) {
		*status_out = begin_afresh(push, 0);
	} else {
		trouble = engine_read(push->engine, stream.last_sequence,
		                      &message);
		if (trouble == ENGINE_NO_MESSAGE)
			*status_out = go_on_without(push, stream.last_sequence);
		else if (trouble == ENGINE_OK)
			*status_out = go_on(push, &message);
		else
			return trouble;
	}
	if (*status_out == CLI_OK)
		note_place(push, &stream);
	return ENGINE_OK;
}
