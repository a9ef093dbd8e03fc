/* Finds out from REPLIES alone where answering goes on. */
#ifndef DISPATCH_REPLY_PLACE_H
#define DISPATCH_REPLY_PLACE_H

#include "reply_frame.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A prompt at or behind the first one without a reply that REPLIES knows. */
struct place_prompt {
	uint64_t cursor;
	bool answered;
	unsigned attempts; /* not answered: those that left deltas */
};

struct reply_place {
	bool known; /* REPLIES has replies */
	char log[REPLY_LOG_ID_BYTES];
	uint64_t low;  /* the first prompt without a reply */
	uint64_t high; /* the last one that was sent, as far as is known */
	uint64_t end;  /* where REPLIES ends */
	struct place_prompt *prompts;
	size_t count;
	size_t room;
};

/* Reads REPLIES from its end back, no further than there can be replies to
 * prompts behind the place.  CLI_OK, or an exit status after a message. */
int reply_place_find(struct reply_place *place_out, const char *path,
                     struct shmlog *log);
void reply_place_release(struct reply_place *place);

/* What is known of a prompt, or NULL. */
const struct place_prompt *reply_place_of(const struct reply_place *place,
                                          uint64_t cursor);

/* What names a log in replies. */
void reply_log_id(char id_out[REPLY_LOG_ID_BYTES], const struct shmlog *log);

#endif
