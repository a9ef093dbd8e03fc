/*
 * The prompts between the first one without a reply and the last one that was
 * read, in the order of the log.  What has its reply leaves once all before it
 * have theirs.
 */
#ifndef DISPATCH_PROMPT_WINDOW_H
#define DISPATCH_PROMPT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;

struct prompt {
	uint64_t cursor;
	uint64_t next_cursor;
	uint64_t index; /* or SHMLOG_INDEX_UNKNOWN */
	unsigned char *payload;
	size_t size_bytes;
	int64_t seen_ns;
	unsigned old_attempts; /* of an earlier run, which left deltas */
	enum prompt_state {
		PROMPT_WAITING,
		PROMPT_SENT,
		PROMPT_ANSWERED,
	} state;
	struct call *held; /* its reply, which waits for those before it */
	struct prompt *next;
};

void prompt_free(struct prompt *prompt);

struct window {
	struct prompt *first;
	struct prompt *last;
	struct prompt *waiting; /* the first that waits to be sent */
	size_t count;
	size_t waiting_count;
	size_t unanswered_count; /* those that wait, and those that were sent */
	size_t payload_bytes;
	size_t most;   /* prompts to hold */
	uint64_t end;  /* the cursor behind the last prompt that was read */
	uint64_t high; /* of the last one sent */
};

/* Whether another prompt may be added. */
bool window_has_room(const struct window *window);
/* Adds a prompt, which belongs to the window then. */
void window_add(struct window *window, struct prompt *prompt);

/* Notes that prompts that were waiting are sent, the first of them first. */
void window_send(struct window *window, struct prompt *prompt);

/* Notes that a prompt has its reply.  The prompt may be freed. */
void window_answer(struct window *window, struct prompt *prompt);

/* The cursor of the first prompt without a reply. */
uint64_t window_low(const struct window *window);

/* Forgets all prompts. */
void window_release(struct window *window);

#endif
