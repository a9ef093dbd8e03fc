/* What push has at hand: its options, the log, the connection, and what is on
 * its way. */
#ifndef RELAY_PUSH_STATE_H
#define RELAY_PUSH_STATE_H

#include "message_chain.h"
#include "push_source.h"
#include "relay_link.h"
#include "relay_options.h"
#include "voice.h"

#include <stdbool.h>
#include <stdint.h>

/* Frames that go out as one message. */
struct push_pack {
	unsigned char *bytes; /* NULL: each frame is a message */
	size_t capacity;
	size_t used;
	uint64_t frames;
	uint64_t cursor; /* of the first of them */
};

struct push {
	struct relay_options options;
	bool follow;
	bool follow_name; /* ... and whatever log has the name */
	bool has_from;
	struct cli_position from;
	bool creates_stream;
	struct engine_limits limits;
	struct relay_voice voice;
	struct engine *engine;
	struct relay_link link;
	struct push_source source;
	struct chain chain;
	struct push_pack pack;
	bool placed;        /* it has begun once: --from has had its use */
	int64_t created_ns; /* of the stream, when it began */
	/* The stream ends with this message of the log that was left. */
	struct relay_log_id left;
	uint64_t left_sequence;
	bool was_refused; /* a message, whose own reason is not known if it was
	                    * refused for that of one before it */
	bool alone; /* the next message is to be stored before others go */
	bool said_another; /* that another relay is at work */
	uint64_t frames;   /* sent, those that were sent again counted again */
};

#endif
