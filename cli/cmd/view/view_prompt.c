/* Takes a line from keys. */
#include "view_prompt.h"

#include "screen.h"

#include <string.h>

#define CTRL_U 21
#define CTRL_W 23

void view_prompt_begin(struct view_prompt *prompt, enum view_prompt_kind kind)
{
	prompt->kind = kind;
	prompt->used = 0;
	prompt->text[0] = '\0';
}

const char *view_prompt_lead(const struct view_prompt *prompt)
{
	static const char *const leads[VIEW_PROMPT_KINDS] = {
		[VIEW_PROMPT_NONE] = "",
		[VIEW_PROMPT_SEARCH] = "/",
		[VIEW_PROMPT_SEARCH_BACK] = "?",
		[VIEW_PROMPT_FILTER] = "&",
		[VIEW_PROMPT_POSITION] = ":",
		[VIEW_PROMPT_FORMAT] = "export as (text): ",
		[VIEW_PROMPT_COLUMNS] = "columns, as .id,.a.b: ",
		[VIEW_PROMPT_FILE] = "to the new file: ",
	};

	return leads[prompt->kind];
}

static void take_back(struct view_prompt *prompt)
{
	while (prompt->used > 0 &&
	       ((unsigned char)prompt->text[--prompt->used] & 0xc0) == 0x80)
		;
	prompt->text[prompt->used] = '\0';
}

static void add(struct view_prompt *prompt, uint32_t point)
{
	unsigned more = point < 0x80      ? 0
	                : point < 0x800   ? 1
	                : point < 0x10000 ? 2
	                                  : 3;
	static const unsigned char leads[] = {0x00, 0xc0, 0xe0, 0xf0};

	if (prompt->used + more + 2 > sizeof(prompt->text))
		return;
	prompt->text[prompt->used++] = (char)(leads[more] | point >> 6 * more);
	while (more-- > 0)
		prompt->text[prompt->used++] =
			(char)(0x80 | (point >> 6 * more & 0x3f));
	prompt->text[prompt->used] = '\0';
}

static void recall(struct view_prompt *prompt, const char *text)
{
	prompt->used = strlen(text);
	memcpy(prompt->text, text, prompt->used + 1);
}

static void take_back_word(struct view_prompt *prompt)
{
	while (prompt->used > 0 && prompt->text[prompt->used - 1] == ' ')
		take_back(prompt);
	while (prompt->used > 0 && prompt->text[prompt->used - 1] != ' ')
		take_back(prompt);
}

enum view_typed view_prompt_key(struct view_prompt *prompt, uint32_t key)
{
	switch (key) {
	case CLI_KEY_ESCAPE:
	case CLI_KEY_CTRL_C: prompt->kind = VIEW_PROMPT_NONE; return VIEW_LEFT;
	case CLI_KEY_ENTER:
		memcpy(prompt->last[prompt->kind], prompt->text,
		       prompt->used + 1);
		return VIEW_ENTERED;
	case CLI_KEY_BACKSPACE:
		/* As in less, it leads out of an empty line. */
		if (prompt->used == 0) {
			prompt->kind = VIEW_PROMPT_NONE;
			return VIEW_LEFT;
		}
		take_back(prompt);
		return VIEW_TYPING;
	case CTRL_U: recall(prompt, ""); return VIEW_TYPING;
	case CTRL_W: take_back_word(prompt); return VIEW_TYPING;
	case CLI_KEY_UP:
		recall(prompt, prompt->last[prompt->kind]);
		return VIEW_TYPING;
	case CLI_KEY_DOWN: recall(prompt, ""); return VIEW_TYPING;
	default:
		if (key >= ' ' && key != 127 && key < CLI_KEY_UP)
			add(prompt, key);
		return VIEW_TYPING;
	}
}
