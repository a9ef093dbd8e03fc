/* Keeps the prompts that have no reply yet, in order. */
#include "prompt_window.h"

#include <stdlib.h>

/* Payloads that are held in memory at once. */
#define MOST_BYTES ((size_t)64 << 20)

void prompt_free(struct prompt *prompt)
{
	if (prompt == NULL)
		return;
	free(prompt->payload);
	free(prompt);
}

bool window_has_room(const struct window *window)
{
	return window->count < window->most &&
	       window->payload_bytes < MOST_BYTES;
}

/* The first that waits from a prompt on. */
static struct prompt *next_waiting(struct prompt *prompt)
{
	while (prompt != NULL && prompt->state != PROMPT_WAITING)
		prompt = prompt->next;
	return prompt;
}

static void drop_answered(struct window *window)
{
	while (window->first != NULL &&
	       window->first->state == PROMPT_ANSWERED) {
		struct prompt *gone = window->first;

		window->first = gone->next;
		window->count--;
		if (window->first == NULL)
			window->last = NULL;
		prompt_free(gone);
	}
}

void window_add(struct window *window, struct prompt *prompt)
{
	prompt->next = NULL;
	if (window->last != NULL)
		window->last->next = prompt;
	else
		window->first = prompt;
	window->last = prompt;
	window->count++;
	window->end = prompt->next_cursor;
	if (prompt->state == PROMPT_ANSWERED) {
		free(prompt->payload);
		prompt->payload = NULL;
		drop_answered(window);
		return;
	}
	window->payload_bytes += prompt->size_bytes;
	window->waiting_count++;
	window->unanswered_count++;
	if (window->waiting == NULL)
		window->waiting = prompt;
}

void window_send(struct window *window, struct prompt *prompt)
{
	prompt->state = PROMPT_SENT;
	window->waiting_count--;
	if (prompt->cursor > window->high)
		window->high = prompt->cursor;
	if (window->waiting == prompt)
		window->waiting = next_waiting(prompt->next);
}

void window_answer(struct window *window, struct prompt *prompt)
{
	if (prompt->state == PROMPT_WAITING)
		window_send(window, prompt);
	prompt->state = PROMPT_ANSWERED;
	window->unanswered_count--;
	window->payload_bytes -= prompt->size_bytes;
	free(prompt->payload);
	prompt->payload = NULL;
	drop_answered(window);
}

uint64_t window_low(const struct window *window)
{
	const struct prompt *prompt = window->first;

	while (prompt != NULL && prompt->state == PROMPT_ANSWERED)
		prompt = prompt->next;
	return prompt != NULL ? prompt->cursor : window->end;
}

void window_release(struct window *window)
{
	while (window->first != NULL) {
		struct prompt *gone = window->first;

		window->first = gone->next;
		prompt_free(gone);
	}
	window->last = window->waiting = NULL;
	window->count = window->waiting_count = window->unanswered_count = 0;
	window->payload_bytes = 0;
}
