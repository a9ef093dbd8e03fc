/* A line that is typed at the bottom of the screen. */
#ifndef VIEW_PROMPT_H
#define VIEW_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIEW_PROMPT_BYTES 1024u

enum view_prompt_kind {
	VIEW_PROMPT_NONE,
	VIEW_PROMPT_SEARCH,
	VIEW_PROMPT_SEARCH_BACK,
	VIEW_PROMPT_FILTER,
	VIEW_PROMPT_POSITION,
	VIEW_PROMPT_FORMAT,  /* of an export */
	VIEW_PROMPT_COLUMNS, /* ... as CSV */
	VIEW_PROMPT_FILE,    /* ... to it */
	VIEW_PROMPT_KINDS
};

struct view_prompt {
	enum view_prompt_kind kind;
	char text[VIEW_PROMPT_BYTES]; /* UTF-8, ended by NUL */
	size_t used;
	/* What was typed last at each. */
	char last[VIEW_PROMPT_KINDS][VIEW_PROMPT_BYTES];
};

enum view_typed {
	VIEW_TYPING,
	VIEW_ENTERED,
	VIEW_LEFT, /* without an answer */
};

void view_prompt_begin(struct view_prompt *prompt, enum view_prompt_kind kind);
/* What stands before the line. */
const char *view_prompt_lead(const struct view_prompt *prompt);
/* Takes a key.  After VIEW_ENTERED the text is complete, and is what is typed
 * last from then on. */
enum view_typed view_prompt_key(struct view_prompt *prompt, uint32_t key);

#endif
