/*
 * A call: one prompt, or several that are sent as one, on the way to whoever
 * answers it, and what came back.  A way is how calls are answered.
 */
#ifndef DISPATCH_CALL_H
#define DISPATCH_CALL_H

#include "bytes.h"
#include "prompt_window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

enum call_outcome {
	CALL_DONE,   /* text and members are the reply */
	CALL_FAILED, /* for good: the members are those of the error */
	CALL_RETRY,  /* failed, and may be made again */
	CALL_END,    /* nothing else will succeed either: ends the run */
};

struct call {
	struct prompt **prompts;
	size_t count;
	unsigned attempt;     /* the number of this one, from 1 */
	unsigned tries;       /* in this run */
	int64_t due_ns;       /* not to be started before */
	int64_t started_ns;   /* of the attempt */
	int64_t first_ns;     /* when the first text came, or 0 */
	bool running;         /* the way has it */
	struct bytes text;    /* the inside of a JSON string */
	struct bytes members; /* "name":value, with commas between them */
	bool has_text;
	size_t shown; /* bytes of the text that went out as deltas */
	/* Once the way is done with it: */
	enum call_outcome outcome;
	char kind[48];   /* of failure, such as "timeout" */
	int64_t wait_ns; /* before the next attempt; negative: not said */
	uint64_t input_tokens;
	uint64_t output_tokens;
	void *of_way;
	struct call *next;
};

struct way {
	struct loop *loop;
	/* Starts a call.  False if that is not possible now; way_finish() has
	 * then not been called, and the call is offered again. */
	bool (*start)(struct way *way, struct call *call);
	/* Gives up a call without finishing it. */
	void (*cancel)(struct way *way, struct call *call);
	/* Does what is due, and when it is to be called again. */
	void (*tick)(struct way *way, int64_t now_ns);
	int64_t (*due_ns)(const struct way *way);
	void (*close)(struct way *way);
	/* Set by the dispatcher: a call came to its end; text came. */
	void (*finished)(void *context, struct call *call);
	void (*more_text)(void *context, struct call *call);
	void *context;
};

/* Says what kind of failure it is. */
void call_kind(struct call *call, const char *kind);

/* Ends a call that has failed: `message` is any text. */
void call_fail(struct call *call, enum call_outcome outcome, const char *kind,
               const char *message);

/* The message of a call that has failed, as plain text. */
void call_message(const struct call *call, struct bytes *out);

/* Empties what an attempt has left. */
void call_clear(struct call *call);
void call_free(struct call *call);

static inline void way_finish(struct way *way, struct call *call)
{
	call->running = false;
	way->finished(way->context, call);
}

#endif
