/* Sends messages, and takes receipts for them. */
#include "message_chain.h"

#include "clock.h"

#include <stdio.h>
#include <unistd.h>

/* Servers drop what comes while 128 MiB of a stream's messages wait in them,
 * and the one that is far below that has the memory of both. */
#define WINDOW_BYTES (8u << 20)
/* How much one receipt is for. */
#define ASK_MESSAGES 256u
#define ASK_BYTES (512u << 10)
/* How long no receipt comes before they count as lost, and one wait. */
#define SILENCE_NS INT64_C(5000000000)
#define SLICE_NS INT64_C(50000000)
/* How often the stream is looked at where no receipt comes. */
#define LOOK_US 5000

void chain_begin(struct chain *chain, uint64_t sequence, uint64_t cursor)
{
	engine_forget(chain->engine);
	chain->sent = (struct chain_mark){.sequence = sequence,
	                                  .end_cursor = cursor};
	chain->stored = chain->sent;
	chain->first = chain->count = 0;
	chain->refused = UINT64_MAX;
}

bool chain_is_settled(const struct chain *chain)
{
	return chain->stored.sequence == chain->sent.sequence;
}

/* Everything up to a message is stored. */
static void pass_marks(struct chain *chain, uint64_t sequence)
{
	while (chain->count > 0 &&
	       chain->marks[chain->first].sequence <= sequence) {
		chain->stored = chain->marks[chain->first];
		chain->first = (chain->first + 1) % CHAIN_MARKS;
		chain->count--;
	}
	chain->heard_ns = cli_now_ns();
}

static enum engine_status take_receipt(struct chain *chain, int64_t most_ns)
{
	uint64_t sequence = 0;
	enum engine_status status = engine_receipt(chain->engine, most_ns,
	                                           &sequence);

	if (status == ENGINE_OK)
		pass_marks(chain, sequence);
	if (status == ENGINE_MISPLACED)
		chain->refused = sequence;
	return status;
}

enum engine_status chain_collect(struct chain *chain)
{
	enum engine_status status = ENGINE_OK;

	while (chain->count > 0 && status == ENGINE_OK)
		status = take_receipt(chain, 0);
	if (status != ENGINE_NONE)
		return status;
	return cli_now_ns() - chain->heard_ns < SILENCE_NS ? ENGINE_OK
	                                                   : ENGINE_LOST;
}

/* Waits for a receipt.  ENGINE_NONE: the work is over, or so is the time. */
static enum engine_status wait_for_receipt(struct chain *chain, int64_t end_ns)
{
	/* With a limit of its own it is the last wait, behind the end. */
	while (end_ns >= 0 || !relay_link_is_over(chain->link)) {
		int64_t now_ns = cli_now_ns();
		int64_t left_ns = end_ns < 0 ? SLICE_NS : end_ns - now_ns;

		if (left_ns <= 0)
			return ENGINE_NONE;
		enum engine_status status = take_receipt(
			chain, left_ns < SLICE_NS ? left_ns : SLICE_NS);

		if (status != ENGINE_NONE)
			return status;
		if (now_ns - chain->heard_ns > SILENCE_NS) {
			(void)snprintf(chain->engine->why,
			               sizeof(chain->engine->why),
			               "no receipt has come for 5 s");
			return ENGINE_LOST;
		}
	}
	return ENGINE_NONE;
}

/* The last message has asked for no receipt, as others were to follow it: the
 * stream is looked at instead.  A linked one may be another's there. */
static enum engine_status look_for_last(struct chain *chain, int64_t end_ns)
{
	struct engine_stream stream;
	int64_t lost_ns = cli_now_ns() + SILENCE_NS;

	while (!relay_link_is_over(chain->link) || end_ns >= 0) {
		enum engine_status status = engine_describe(chain->engine,
		                                            &stream);

		if (status != ENGINE_OK)
			return status;
		if (stream.last_sequence >= chain->sent.sequence &&
		    chain->linked)
			return ENGINE_MISPLACED;
		if (stream.last_sequence >= chain->sent.sequence) {
			chain->stored = chain->sent;
			return ENGINE_OK;
		}
		if (end_ns >= 0 && cli_now_ns() > end_ns)
			return ENGINE_NONE;
		if (cli_now_ns() > lost_ns)
			return ENGINE_LOST;
		usleep(LOOK_US);
	}
	return ENGINE_NONE;
}

enum engine_status chain_settle(struct chain *chain, int64_t most_ns)
{
	int64_t end_ns = most_ns < 0 ? -1 : cli_now_ns() + most_ns;
	enum engine_status status = engine_flush(chain->engine);

	while (status == ENGINE_OK && chain->count > 0)
		status = wait_for_receipt(chain, end_ns);
	if (status == ENGINE_OK && !chain_is_settled(chain))
		status = look_for_last(chain, end_ns);
	return status;
}

static bool has_room(const struct chain *chain, size_t bytes)
{
	uint64_t waiting = chain->sent.sent_bytes - chain->stored.sent_bytes;

	/* One that is alone may have any size. */
	return chain->count < CHAIN_MARKS &&
	       chain->sent.sequence - chain->stored.sequence < chain->window &&
	       (waiting == 0 || waiting + bytes <= WINDOW_BYTES);
}

static bool asks(const struct chain *chain, bool last)
{
	const struct chain_mark *before =
		chain->count > 0
			? &chain->marks[(chain->first + chain->count - 1) %
	                                CHAIN_MARKS]
			: &chain->stored;
	uint64_t most = chain->window / 4 < ASK_MESSAGES ? chain->window / 4
	                                                 : ASK_MESSAGES;

	return last || chain->sent.sequence - before->sequence >= most ||
	       chain->sent.sent_bytes - before->sent_bytes >= ASK_BYTES;
}

static void add_mark(struct chain *chain)
{
	if (chain->count == 0)
		chain->heard_ns = cli_now_ns();
	chain->marks[(chain->first + chain->count++) % CHAIN_MARKS] =
		chain->sent;
}

/* Makes room: what was sent is written, so that receipts can come. */
static enum engine_status make_room(struct chain *chain, size_t bytes)
{
	enum engine_status status = ENGINE_OK;

	while (status == ENGINE_OK && !has_room(chain, bytes))
		status = wait_for_receipt(chain, -1);
	return status;
}

enum engine_status chain_send(struct chain *chain,
                              struct engine_message *message,
                              uint64_t end_cursor, bool last)
{
	enum engine_status status = make_room(chain, message->size_bytes);

	if (status != ENGINE_OK)
		return status;
	message->sequence = chain->sent.sequence + 1;
	message->linked = chain->linked;
	chain->sent.sequence++;
	chain->sent.sent_bytes += message->size_bytes;
	chain->sent.end_cursor = end_cursor;
	bool wants_receipt = asks(chain, last);

	if (wants_receipt)
		add_mark(chain);
	return engine_publish(chain->engine, message, wants_receipt);
}
