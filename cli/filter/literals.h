/*
 * Literals: texts of which a frame has to hold at least one before it is worth
 * a closer look.  A mask says which bits of each byte count, so that a letter
 * may stand in either case, and any byte in a gap.  Frames lie behind one
 * another in memory, so a batch of them is searched as one text, many bytes at
 * a time.
 */
#ifndef CLI_LITERALS_H
#define CLI_LITERALS_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>

#define CLI_LITERAL_MAX_BYTES 64u
#define CLI_LITERALS_MAX 16u

/* Masks: all of a byte, a letter of either case, and any byte at all. */
#define CLI_MASK_EXACT 0xffu
#define CLI_MASK_LETTER 0xdfu
#define CLI_MASK_ANY 0u

struct cli_literal {
	unsigned char bytes[CLI_LITERAL_MAX_BYTES]; /* their masked bits */
	unsigned char masks[CLI_LITERAL_MAX_BYTES];
	size_t size_bytes;
	size_t known_bytes; /* those that are not in a gap, at least one */
	bool exact;         /* all masks are CLI_MASK_EXACT */
	/* A frame that holds it needs no closer look; false when it is added.
	 */
	bool decides;
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

/* The same with a mask for each byte; one byte at least is no gap. */
bool cli_literals_add_masked(struct cli_literals *literals, const void *bytes,
                             const unsigned char *masks, size_t size_bytes);

/* The known bytes of the one that has the fewest: the more, the more a set
 * rules out. */
size_t cli_literals_weight(const struct cli_literals *literals);

/* The first place of a literal from `from` on and before `end`, or NULL. */
const unsigned char *cli_literal_find(const struct cli_literal *literal,
                                      const unsigned char *from,
                                      const unsigned char *end);

enum cli_held {
	CLI_HELD_NONE,
	CLI_HELD_SOME,    /* one of them */
	CLI_HELD_DECIDING /* one that decides */
};

/* Stores for each frame what of them its payload holds. */
void cli_literals_mark(const struct cli_literals *literals,
                       const struct shmlog_frame *frames, size_t count,
                       enum cli_held *held_out);

#endif
