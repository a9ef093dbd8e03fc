/* The frames of REPLIES: what stands in them, and how a long text is divided
 * among several. */
#ifndef DISPATCH_REPLY_FRAME_H
#define DISPATCH_REPLY_FRAME_H

#include "bytes.h"
#include "json_scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What names the log of the prompts in each reply: its inode and its time of
 * birth. */
#define REPLY_LOG_ID_BYTES 40

/* The one reply that a prompt gets, or several prompts that were sent as
 * one. */
struct reply {
	const uint64_t *prompts; /* their cursors */
	size_t count;
	const char *type; /* "done" or "error" */
	/* The inside of a JSON string, or NULL for a reply without a text. */
	struct cli_json_span text;
	/* Other members, "name":value, with commas between them; may be
	 * empty. */
	struct cli_json_span members;
	unsigned attempts;
	int64_t latency_us;
	int64_t first_us; /* to the first text; negative: none */
	uint64_t low;
	uint64_t high;
	const char *log;
};

/* Adds the frames of a reply, the last of them the one with its type.  False,
 * with nothing added, if the members do not fit into a frame. */
bool reply_encode(struct bytes *frames, const struct reply *reply);

/* Adds the frames of a piece of text that is shown before its reply is whole;
 * `text` is the inside of a JSON string. */
void reply_encode_delta(struct bytes *frames, uint64_t prompt, unsigned attempt,
                        struct cli_json_span text);

/* Adds the frame that says that the deltas of an attempt are void. */
void reply_encode_restart(struct bytes *frames, uint64_t prompt,
                          unsigned attempt);

/* How many bytes of the inside of a JSON string, at most `most`, can stand by
 * themselves: no escape, character or surrogate pair is divided. */
size_t reply_cut(struct cli_json_span text, size_t most);

/* How many bytes of a text that goes on can be shown by themselves: half a pair
 * of surrogates at its end waits for the other half. */
size_t reply_showable(struct cli_json_span text);

#endif
