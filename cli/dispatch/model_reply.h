/*
 * What a server says of a call, as a whole or event by event: the message of
 * the model, or an error.  All texts stay as they are in JSON, so that no
 * escape is lost, and a pair of surrogates that two events divide comes
 * together again.
 */
#ifndef DISPATCH_MODEL_REPLY_H
#define DISPATCH_MODEL_REPLY_H

#include "bytes.h"
#include "json_scan.h"
#include "members.h"

#include <stdbool.h>
#include <stdint.h>

/* All zeros is one of which nothing has come yet. */
struct model_reply {
	bool started;
	bool stopped; /* it is whole */
	bool failed;  /* what came is an error: */
	char error_type[48];
	char error_code[64];
	struct bytes error_text; /* the inside of a string */
	struct bytes request_id; /* a JSON value, as are those of members */

	struct bytes text;      /* the inside of a string */
	struct members members; /* stop_reason, model, id and so on */
	struct members usage;
	struct bytes content; /* blocks that are no text, with commas */
	struct bytes block;   /* the one that is being received */
	struct bytes block_input;
};

/* Takes the body of a reply that is not streamed.  False if it is neither a
 * message nor an error. */
bool model_reply_take_body(struct model_reply *reply,
                           struct cli_json_span body);

/* Takes an event; those of unknown names or types, and deltas of unknown types,
 * pass.  False if its data is no JSON object, or is not possible at this
 * point. */
bool model_reply_take_event(struct model_reply *reply,
                            struct cli_json_span name,
                            struct cli_json_span data);

/* Adds the members of the reply: "stop_reason":…,"usage":… */
void model_reply_print(const struct model_reply *reply, struct bytes *out);

uint64_t model_reply_input_tokens(const struct model_reply *reply);
uint64_t model_reply_output_tokens(const struct model_reply *reply);

void model_reply_clear(struct model_reply *reply);
void model_reply_free(struct model_reply *reply);

#endif
