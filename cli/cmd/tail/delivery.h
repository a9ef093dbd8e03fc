/*
 * Where in an output its frames begin, to tell which of them have left it
 * where it was given up in the middle of what was rendered.
 */
#ifndef CLI_DELIVERY_H
#define CLI_DELIVERY_H

#include <stddef.h>
#include <stdint.h>

/* A place between two frames. */
struct cli_mark {
	uint64_t bytes;  /* of output up to it */
	uint64_t cursor; /* of the frame behind it */
	uint64_t index;  /* likewise */
};

/* Zeros are a valid, empty one. */
struct cli_delivery {
	struct cli_mark *marks; /* ascending */
	size_t count;
	size_t capacity;
};

void cli_delivery_release(struct cli_delivery *delivery);

/* Notes a place, behind all others.  Those that are of no use any more, with
 * so much `written`, go. */
void cli_delivery_note(struct cli_delivery *delivery,
                       const struct cli_mark *mark, uint64_t written);

/* The last place within `written` bytes; NULL if none was noted. */
const struct cli_mark *cli_delivery_find(const struct cli_delivery *delivery,
                                         uint64_t written);

#endif
