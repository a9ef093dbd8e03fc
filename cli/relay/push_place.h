/* Finds out where a push goes on: the stream itself says so, as its last
 * message tells where its frames stand in the log. */
#ifndef RELAY_PUSH_PLACE_H
#define RELAY_PUSH_PLACE_H

#include "push_state.h"

/*
 * Looks at the stream, making it if that was asked for, and puts the log's
 * reader and the chain behind its last message.  An engine's status other than
 * ENGINE_OK is trouble; with ENGINE_OK, *status_out is CLI_OK, or the exit
 * status after a message.
 */
enum engine_status push_place_find(struct push *push, int *status_out);

#endif
