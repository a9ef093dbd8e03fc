/*
 * What the relay says while it works, on stderr: messages, or with -o json a
 * line of JSON for each, with "event", "log", the "text" of the message, and
 * members of its own.
 */
#ifndef RELAY_VOICE_H
#define RELAY_VOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_voice {
	const char *path; /* of the log */
	bool json;
};

/* A member of an event; its number counts where `text` is NULL. */
struct relay_fact {
	const char *key;
	uint64_t number;
	const char *text;
};

/* Says something with up to `count` facts.  Untrusted text among the arguments
 * must have been through cli_quote(). */
void relay_say(const struct relay_voice *voice, const char *event,
               const struct relay_fact *facts, size_t count, const char *format,
               ...) __attribute__((format(printf, 5, 6)));

/* The same for what only a program wants to know: nothing without -o json. */
void relay_note(const struct relay_voice *voice, const char *event,
                const struct relay_fact *facts, size_t count);

#define RELAY_FACTS(list) list, sizeof(list) / sizeof((list)[0])

#endif
