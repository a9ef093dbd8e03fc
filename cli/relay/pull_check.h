/*
 * What is known about the messages that are pulled: that none is missing, and
 * that frames get the cursors that they had in the log they come from.
 */
#ifndef RELAY_PULL_CHECK_H
#define RELAY_PULL_CHECK_H

#include "engine.h"

#include <stdbool.h>
#include <stdint.h>

struct pull_check {
	bool known; /* the log that the last message came from: */
	char log[ENGINE_LOG_BYTES];
	uint64_t shift; /* the cursor here less the cursor there */
};

enum pull_verdict {
	PULL_GOOD,
	PULL_GAP,      /* messages are missing before this one */
	PULL_SHIFTED,  /* ... or frames, as their cursors say */
	PULL_REPLACED, /* another log begins; its frames are good */
	PULL_BAD,      /* the bytes are no frames */
	PULL_LARGE,    /* ... or more than a frame can hold */
};

/* Judges a message that would come behind the one numbered `sequence`, its
 * frames at `cursor` here.  `chosen`: other messages of the stream are not
 * wanted. */
enum pull_verdict pull_check_judge(const struct pull_check *check,
                                   const struct engine_message *message,
                                   uint64_t sequence, uint64_t cursor,
                                   bool chosen);

/* The message is taken, with its frames at `cursor`. */
void pull_check_take(struct pull_check *check,
                     const struct engine_message *message, uint64_t cursor);

/* The cursor that the next frame must have had where it comes from. */
uint64_t pull_check_expected(const struct pull_check *check, uint64_t cursor);

/* The bytes that the frames of a message take in the log. */
uint64_t pull_check_frame_bytes(const struct engine_message *message);

#endif
