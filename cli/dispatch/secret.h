/*
 * The key: taken from the environment or from a descriptor, kept out of core
 * files, and removed from where it came from, so that no process that is
 * started gets it.
 */
#ifndef DISPATCH_SECRET_H
#define DISPATCH_SECRET_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct secret {
	char *key; /* terminated; NULL: none */
	size_t room_bytes;
	bool is_token; /* from ANTHROPIC_AUTH_TOKEN */
};

/* Takes the key from a descriptor, or from the environment if `fd` is negative,
 * and wipes it there in any case.  CLI_OK, also without a key, or an exit
 * status after a message. */
int secret_take(struct secret *secret_out, int fd);

/* Makes this process one that leaves no core file and that no other process of
 * this user can look into. */
void secret_hide_process(void);

/* Replaces the key by asterisks wherever a text has it. */
void secret_wipe_from(const struct secret *secret, struct bytes *text);

/* How many bytes at the end of a text, none of which is the end of a whole key,
 * may be the beginning of one. */
size_t secret_begun(const struct secret *secret, const struct bytes *text);

void secret_release(struct secret *secret);

#endif
