/*
 * Literals: bytes of which a frame has to hold at least one before it is worth
 * a closer look.  Frames lie behind one another in memory, so a batch of them
 * is searched as one text, many bytes at a time.
 */
#ifndef CLI_LITERALS_H
#define CLI_LITERALS_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>

#define CLI_LITERAL_MAX_BYTES 64u
#define CLI_LITERALS_MAX 8u

struct cli_literal {
	unsigned char bytes[CLI_LITERAL_MAX_BYTES];
	size_t size_bytes;
	/* Where its two rarest bytes stand, as far as one knows of text. */
	size_t first;
	size_t second;
};

/* A set of none says nothing of a frame. */
struct cli_literals {
	struct cli_literal items[CLI_LITERALS_MAX];
	size_t count;
};

/* Adds one of at least a byte; false where there is no room for it. */
bool cli_literals_add(struct cli_literals *literals, const void *bytes,
                      size_t size_bytes);

/* The shortest of them, in bytes: the longer, the more a set rules out. */
size_t cli_literals_weight(const struct cli_literals *literals);

/* The first place of a literal from `from` on and before `end`, or NULL. */
const unsigned char *cli_literal_find(const struct cli_literal *literal,
                                      const unsigned char *from,
                                      const unsigned char *end);

/* Whether the bytes hold any of them. */
bool cli_literals_in(const struct cli_literals *literals,
                     const unsigned char *bytes, size_t size_bytes);

/* Sets found[i] for each frame whose payload holds any of them, and clears it
 * for each other. */
void cli_literals_mark(const struct cli_literals *literals,
                       const struct shmlog_frame *frames, size_t count,
                       bool *found);

#endif
