/* The connection to the server, kept up: connects, waits where that fails or
 * the server cannot do something for now, and says so once. */
#ifndef RELAY_LINK_H
#define RELAY_LINK_H

#include "engine.h"
#include "follow_ends.h"
#include "voice.h"

#include <stdbool.h>
#include <stdint.h>

struct relay_link {
	struct engine *engine;
	const struct relay_voice *voice;
	struct cli_follow_ends ends; /* --timeout and --idle */
	const char *stream;
	bool patient; /* it waits for a server that was never reached, and for
	               * a stream that is not there */
	bool connected;
	bool was_connected;      /* at any time */
	enum engine_status said; /* what the last message was about */
	bool said_connected;     /* since then */
	int64_t pause_ns;        /* before the next try */
};

void relay_link_begin(struct relay_link *link, struct engine *engine,
                      const struct relay_voice *voice, const char *stream);

/*
 * Connects, unless it is connected.  *done_out is true if something came first
 * that ends the work: a signal (CLI_OK), the time (CLI_TIMEOUT), or a failure
 * for good, after its message.  Returns that status.
 */
int relay_link_up(struct relay_link *link, bool *done_out);

/* Deals with what a call of the engine ended with, by waiting for a while or by
 * ending the work, as above. */
int relay_link_trouble(struct relay_link *link, enum engine_status trouble,
                       bool *done_out);

/* Something went well: the next failure is a new one. */
void relay_link_good(struct relay_link *link);

/* Whether the work has to end: a signal came, or the time is over. */
bool relay_link_is_over(const struct relay_link *link);

#endif
