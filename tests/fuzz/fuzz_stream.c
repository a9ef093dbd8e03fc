/* Streams of events: any bytes are decoded alike, however they are cut, and
 * what comes out of them is JSON.  INPUT: CUT STREAM */
#include "fuzz.h"

#include "json_check.h"
#include "model_reply.h"
#include "reply_frame.h"
#include "sse.h"

#include <stdlib.h>
#include <string.h>

static bool take_event(void *context, struct cli_json_span name,
                       struct cli_json_span data)
{
	require(name.size_bytes > 0 && data.size_bytes > 0);
	return model_reply_take_event(context, name, data);
}

/* Decodes in pieces of `piece` bytes. */
static bool decode(struct model_reply *reply, const uint8_t *bytes,
                   size_t size_bytes, size_t piece)
{
	const struct sse_sink sink = {take_event, reply};
	struct sse sse = {0};
	bool goes_on = true;

	for (size_t at = 0; at < size_bytes && goes_on; at += piece) {
		size_t length = size_bytes - at < piece ? size_bytes - at
		                                        : piece;
		/* In a block of its own, so that each access beyond it is
		 * seen. */
		uint8_t *copy = fuzz_copy(bytes + at, length);

		goes_on = sse_feed(&sse, (const char *)copy, length, &sink);
		free(copy);
	}
	sse_free(&sse);
	return goes_on;
}

static void require_same(const struct bytes *a, const struct bytes *b)
{
	require(a->used == b->used);
	require(a->used == 0 || memcmp(a->at, b->at, a->used) == 0);
}

/* The frame that the reply becomes. */
static void check_frame(const struct model_reply *reply)
{
	struct bytes members = {0}, frames = {0};
	uint64_t prompt = 1;
	struct reply frame = {
		.prompts = &prompt, .count = 1, .type = "done", .log = "l"};
	struct cli_json_error error;

	model_reply_print(reply, &members);
	frame.text = (struct cli_json_span){
		reply->text.used > 0 ? (const unsigned char *)reply->text.at
				     : (const unsigned char *)"",
		reply->text.used};
	frame.members = (struct cli_json_span){
		(const unsigned char *)members.at, members.used};
	if (reply_encode(&frames, &frame))
		require(cli_json_check(frames.at + 2, frames.used - 4, &error));
	bytes_free(&members);
	bytes_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	size_t piece = (size_t)fuzz_take_byte(&input) + 1;
	struct model_reply one = {0}, other = {0};
	bool whole = decode(&one, input.at, input.left_bytes,
	                    input.left_bytes + 1);

	require(decode(&other, input.at, input.left_bytes, piece) == whole);
	require(one.stopped == other.stopped && one.failed == other.failed);
	require(!one.stopped || one.started);
	require_same(&one.text, &other.text);
	require_same(&one.content, &other.content);
	require(strcmp(one.error_type, other.error_type) == 0);
	check_frame(&one);
	model_reply_free(&one);
	model_reply_free(&other);
	return 0;
}
