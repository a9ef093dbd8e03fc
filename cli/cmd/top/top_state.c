/* What keys do. */
#include "top_state.h"

#include <stdio.h>
#include <string.h>

/* What a key means in the list. */
enum meaning {
	MEANING_NONE,
	MEANING_DOWN,
	MEANING_UP,
	MEANING_PAGE_DOWN,
	MEANING_PAGE_UP,
	MEANING_FIRST,
	MEANING_LAST,
	MEANING_VIEW,
	MEANING_SORT_NEXT,
	MEANING_SORT_BEFORE,
	MEANING_INVERT,
	MEANING_FILTER,
	MEANING_CLEAR,
	MEANING_PAUSE,
	MEANING_FREEZE,
	MEANING_ROTATE,
	MEANING_REMOVE,
	MEANING_REDRAW,
	MEANING_HELP,
	MEANING_QUIT,
	MEANING_INTERRUPT,
	MEANING_STOP,
	MEANING_CLICK,
};

/* One table of the keys: the help page and what a key does come from it. */
static const struct key_row {
	enum meaning meaning;
	uint32_t keys[4]; /* up to the first 0 */
	struct top_key_help help;
} key_rows[] = {
	{MEANING_HELP, {'h', '?'}, {"h ?", "show or leave this page", "help"}},
	{MEANING_DOWN,
         {'j', CLI_KEY_DOWN, CLI_KEY_WHEEL_DOWN},
         {"j Down", "select the next log", NULL}},
	{MEANING_UP,
         {'k', CLI_KEY_UP, CLI_KEY_WHEEL_UP},
         {"k Up", "select the log before", NULL}},
	{MEANING_PAGE_DOWN,
         {CLI_KEY_PAGE_DOWN, 6},
         {"PageDown ^F", "go on by a screen", NULL}},
	{MEANING_PAGE_UP,
         {CLI_KEY_PAGE_UP, 2},
         {"PageUp ^B", "go back by a screen", NULL}},
	{MEANING_FIRST,
         {'g', CLI_KEY_HOME},
         {"g Home", "select the first log", NULL}},
	{MEANING_LAST,
         {'G', CLI_KEY_END},
         {"G End", "select the last log", NULL}},
	{MEANING_CLICK, {CLI_KEY_CLICK}, {"click", "select that log", NULL}},
	{MEANING_VIEW,
         {CLI_KEY_ENTER, 'v'},
         {"Enter v", "look at the log with view", "view"}},
	{MEANING_SORT_NEXT,
         {'s', '>', CLI_KEY_RIGHT},
         {"s > Right", "sort by the next column", "sort"}},
	{MEANING_SORT_BEFORE,
         {'S', '<', CLI_KEY_LEFT},
         {"S < Left", "sort by the column before", NULL}},
	{MEANING_INVERT, {'i'}, {"i", "sort the other way round", NULL}},
	{MEANING_FILTER,
         {'/', '&'},
         {"/ &", "show the logs whose name has a text, or matches a pattern",
          "filter"}},
	{MEANING_CLEAR, {CLI_KEY_ESCAPE}, {"Esc", "show all logs", NULL}},
	{MEANING_PAUSE, {'p', ' '}, {"p Space", "pause, and go on", "pause"}},
	{MEANING_FREEZE,
         {'f'},
         {"f", "keep the order as it is, new logs last", "freeze"}},
	{MEANING_ROTATE,
         {'r'},
         {"r", "rotate the log, after a question", "rotate"}},
	{MEANING_REMOVE,
         {'d', CLI_KEY_DELETE},
         {"d Delete", "remove the log, after a question", "remove"}},
	{MEANING_REDRAW,
         {CLI_KEY_CTRL_L, 'R'},
         {"^L R", "look anew, and draw the screen anew", NULL}},
	{MEANING_STOP, {CLI_KEY_CTRL_Z}, {"^Z", "stop for a while", NULL}},
	{MEANING_QUIT, {'q'}, {"q", "quit", "quit"}},
	{MEANING_INTERRUPT, {CLI_KEY_CTRL_C}, {"^C", "quit by SIGINT", NULL}},
};

#define KEY_ROWS (sizeof(key_rows) / sizeof(key_rows[0]))

const struct top_key_help *top_key_help(size_t n)
{
	return n < KEY_ROWS ? &key_rows[n].help : NULL;
}

static enum meaning find_meaning(uint32_t key)
{
	for (size_t i = 0; i < KEY_ROWS; i++) {
		for (size_t k = 0; k < 4 && key_rows[i].keys[k] != 0; k++) {
			if (key_rows[i].keys[k] == key)
				return key_rows[i].meaning;
		}
	}
	return MEANING_NONE;
}

/* ---------------------------------------------------------------- the list */

static void say(struct top_state *state, const char *text)
{
	(void)snprintf(state->message, sizeof(state->message), "%s", text);
}

/* Sorts by the next column, or the one before, that has a name. */
static void sort_by(struct top_state *state, bool next)
{
	struct top_model *model = &state->model;
	unsigned column = model->sort;

	do
		column = (column + (next ? 1 : TOP_COLUMNS - 1)) % TOP_COLUMNS;
	while (top_column_name((enum top_column)column) == NULL);
	model->sort = (enum top_column)column;
	model->reversed = false;
	model->frozen = false;
	top_model_arrange(model);
}

static void click(struct top_state *state, unsigned row)
{
	size_t place = state->first + row - TOP_HEAD_ROWS;

	if (row >= TOP_HEAD_ROWS)
		top_model_select(&state->model, place);
}

static void begin_filter(struct top_state *state)
{
	state->mode = TOP_FILTER;
	memcpy(state->former_filter, state->model.filter,
	       sizeof(state->former_filter));
	state->model.filter[0] = '\0';
	top_model_arrange(&state->model);
}

static enum top_action choose(struct top_state *state, enum top_action action)
{
	struct top_model *model = &state->model;
	const struct top_row *row = model->selected;

	/* It is the one that the user means from now on. */
	model->chosen = true;
	if (row == NULL) {
		say(state, "there is no log");
		return TOP_ACTION_NONE;
	}
	if (row->gone) {
		say(state, "this log is gone");
		return TOP_ACTION_NONE;
	}
	(void)snprintf(state->subject, sizeof(state->subject), "%s",
	               row->log.path);
	return action;
}

static enum top_action redraw(struct top_state *state)
{
	state->model.frozen = false;
	top_model_arrange(&state->model);
	return TOP_ACTION_REDRAW;
}

static void move(struct top_state *state, enum meaning meaning)
{
	struct top_model *model = &state->model;
	long page = state->rows > 1 ? (long)state->rows - 1 : 1;
	long all = (long)model->shown_count;

	switch (meaning) {
	case MEANING_DOWN: top_model_move(model, 1); break;
	case MEANING_UP: top_model_move(model, -1); break;
	case MEANING_PAGE_DOWN: top_model_move(model, page); break;
	case MEANING_PAGE_UP: top_model_move(model, -page); break;
	case MEANING_FIRST: top_model_move(model, -all); break;
	case MEANING_LAST: top_model_move(model, all); break;
	default: break;
	}
}

/* Keys that change what is shown, and no more. */
static void change_view(struct top_state *state, enum meaning meaning,
                        struct cli_key_event event)
{
	struct top_model *model = &state->model;

	switch (meaning) {
	case MEANING_CLICK: click(state, event.row); break;
	case MEANING_SORT_NEXT: sort_by(state, true); break;
	case MEANING_SORT_BEFORE: sort_by(state, false); break;
	case MEANING_INVERT:
		model->reversed = !model->reversed;
		model->frozen = false;
		top_model_arrange(model);
		break;
	case MEANING_FILTER: begin_filter(state); break;
	case MEANING_CLEAR:
		model->filter[0] = '\0';
		top_model_arrange(model);
		break;
	case MEANING_PAUSE: state->paused = !state->paused; break;
	case MEANING_FREEZE:
		model->frozen = !model->frozen;
		top_model_arrange(model);
		break;
	case MEANING_HELP:
		state->mode = TOP_HELP;
		state->help_first = 0;
		break;
	default: move(state, meaning);
	}
}

static enum top_action key_in_list(struct top_state *state,
                                   struct cli_key_event event)
{
	enum meaning meaning = find_meaning(event.key);

	switch (meaning) {
	case MEANING_QUIT: return TOP_ACTION_QUIT;
	case MEANING_INTERRUPT: return TOP_ACTION_INTERRUPT;
	case MEANING_STOP: return TOP_ACTION_STOP;
	case MEANING_REDRAW: return redraw(state);
	case MEANING_VIEW: return choose(state, TOP_ACTION_VIEW);
	case MEANING_ROTATE: return choose(state, TOP_ACTION_ASK_ROTATE);
	case MEANING_REMOVE: return choose(state, TOP_ACTION_ASK_REMOVE);
	case MEANING_NONE: say(state, "no such key; h shows the keys"); break;
	default: change_view(state, meaning, event);
	}
	return TOP_ACTION_NONE;
}

/* -------------------------------------------------------------- other modes */

static enum top_action key_in_help(struct top_state *state, uint32_t key)
{
	switch (find_meaning(key)) {
	case MEANING_DOWN:
	case MEANING_PAGE_DOWN:
		if (state->help_first + 1 < KEY_ROWS)
			state->help_first++;
		break;
	case MEANING_UP:
	case MEANING_PAGE_UP:
		if (state->help_first > 0)
			state->help_first--;
		break;
	case MEANING_INTERRUPT: return TOP_ACTION_INTERRUPT;
	case MEANING_STOP: return TOP_ACTION_STOP;
	default: state->mode = TOP_LIST;
	}
	return TOP_ACTION_NONE;
}

/* Adds a character to the filter as UTF-8. */
static void type(struct top_state *state, uint32_t point)
{
	char *filter = state->model.filter;
	size_t used = strlen(filter);
	unsigned more = point < 0x80 ? 0 : point < 0x800 ? 1 : 2;
	static const unsigned char leads[] = {0x00, 0xc0, 0xe0, 0xf0};

	if (point >= 0x10000)
		more = 3;
	if (point < 0x20 || point > 0x10ffff ||
	    used + more + 2 > sizeof(state->model.filter))
		return;
	filter[used++] = (char)(leads[more] | point >> 6 * more);
	while (more-- > 0)
		filter[used++] = (char)(0x80 | (point >> 6 * more & 0x3f));
	filter[used] = '\0';
}

/* Takes the last character away; without one, the typing ends. */
static void untype(struct top_state *state)
{
	char *filter = state->model.filter;
	size_t used = strlen(filter);

	if (used == 0)
		state->mode = TOP_LIST;
	while (used > 0 && ((unsigned char)filter[--used] & 0xc0) == 0x80)
		;
	filter[used] = '\0';
}

static enum top_action key_in_filter(struct top_state *state, uint32_t key)
{
	switch (key) {
	case CLI_KEY_ENTER: state->mode = TOP_LIST; break;
	case CLI_KEY_ESCAPE:
	case CLI_KEY_CTRL_C:
		memcpy(state->model.filter, state->former_filter,
		       sizeof(state->model.filter));
		state->mode = TOP_LIST;
		break;
	case CLI_KEY_BACKSPACE: untype(state); break;
	case CLI_KEY_CTRL_Z: return TOP_ACTION_STOP;
	default: type(state, key);
	}
	top_model_arrange(&state->model);
	return TOP_ACTION_NONE;
}

/* Anything but a yes is a no. */
static enum top_action key_in_question(struct top_state *state, uint32_t key)
{
	if (key == CLI_KEY_CTRL_Z)
		return TOP_ACTION_STOP;
	state->mode = TOP_LIST;
	if (key == 'y')
		return state->if_yes;
	say(state, "left as it is");
	return TOP_ACTION_NONE;
}

void top_state_ask(struct top_state *state, enum top_action if_yes,
                   const char *question)
{
	state->mode = TOP_QUESTION;
	state->if_yes = if_yes;
	(void)snprintf(state->question, sizeof(state->question), "%s",
	               question);
}

enum top_action top_state_key(struct top_state *state,
                              struct cli_key_event event)
{
	if (event.key == CLI_KEY_NONE || event.key == CLI_KEY_RESIZE)
		return TOP_ACTION_NONE;
	/* The mouse moves and scrolls, and answers nothing. */
	if (event.key >= CLI_KEY_WHEEL_UP && event.key <= CLI_KEY_CLICK &&
	    state->mode != TOP_LIST && state->mode != TOP_HELP)
		return TOP_ACTION_NONE;
	state->message[0] = '\0';
	switch (state->mode) {
	case TOP_HELP: return key_in_help(state, event.key);
	case TOP_FILTER: return key_in_filter(state, event.key);
	case TOP_QUESTION: return key_in_question(state, event.key);
	default: return key_in_list(state, event);
	}
}
