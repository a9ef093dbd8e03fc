/*
 * Messages on their way to the stream.  Each one is stored right behind the one
 * before it or not at all, so what is stored is always a beginning of what was
 * sent, and a receipt for one message is a receipt for all before it: one in
 * some hundred asks for one.
 */
#ifndef RELAY_MESSAGE_CHAIN_H
#define RELAY_MESSAGE_CHAIN_H

#include "engine.h"
#include "relay_link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAIN_MARKS 256u
#define CHAIN_WINDOW 4096u

/* A message that asked for a receipt. */
struct chain_mark {
	uint64_t sequence;
	uint64_t sent_bytes; /* of all messages up to it */
	uint64_t end_cursor; /* behind the last frame in it */
};

struct chain {
	struct engine *engine;
	const struct relay_link *link; /* for the end of a wait */
	uint64_t window;               /* messages on their way, at most */
	struct chain_mark sent;        /* the last message */
	struct chain_mark stored;      /* the last one with a receipt */
	struct chain_mark marks[CHAIN_MARKS]; /* a ring */
	size_t first;
	size_t count;
	int64_t heard_ns; /* when the last receipt came, or was asked for */
	bool linked;      /* other senders' messages may differ from these */
	uint64_t refused; /* the number that was not given to a message of ours,
	                   * as the stream ended elsewhere; else the highest */
};

/* Begins behind a message of the stream; receipts of what was sent before are
 * dropped. */
void chain_begin(struct chain *chain, uint64_t sequence, uint64_t cursor);

/*
 * Sends a message, whose number is filled in, waiting for room first.
 * `end_cursor` is where the frames in it end, and `last` says that no other
 * message follows for now.  ENGINE_NONE: the work is over, it was not sent.
 */
enum engine_status chain_send(struct chain *chain,
                              struct engine_message *message,
                              uint64_t end_cursor, bool last);

/* Takes the receipts that are there. */
enum engine_status chain_collect(struct chain *chain);

/* Waits, at most `most_ns` (negative: as long as it takes), until all that was
 * sent is stored.  ENGINE_NONE: it is not. */
enum engine_status chain_settle(struct chain *chain, int64_t most_ns);

bool chain_is_settled(const struct chain *chain);

#endif
