/* Finding a word in a text. */
#ifndef CLI_MENTION_H
#define CLI_MENTION_H

#include <stdbool.h>

/* Whether a text has a word of its own, in upper or lower case, in the singular
 * or the plural: "Frames" mentions "frame".  A part of a word does not count.
 * Letters of ASCII and digits make words; `word` may have anything in it. */
bool cli_mentions(const char *text, const char *word);

#endif
